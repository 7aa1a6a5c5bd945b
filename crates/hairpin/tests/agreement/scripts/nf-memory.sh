# needs: uml
# Matches that remember and matches that look into packets: what they have counted.
for n in A R B; do ip netns add $n; ip -n $n link set lo up; done
ip link add a0 netns A type veth peer name r0 netns R
ip link add r1 netns R type veth peer name b0 netns B
for d in A:a0 R:r0 R:r1 B:b0; do ip -n ${d%:*} link set ${d#*:} up; done
ip -n A addr add 10.0.1.1/24 dev a0
ip -n A addr add 10.0.1.2/24 dev a0
ip -n R addr add 10.0.1.254/24 dev r0
ip -n R addr add 10.0.2.254/24 dev r1
ip -n B addr add 10.0.2.1/24 dev b0
ip -n A route add default via 10.0.1.254
ip -n B route add default via 10.0.2.254
N="ip netns exec"
I="ip netns exec R iptables-legacy"
$N R sysctl -w net.ipv4.ip_forward=1
sleep 0.3
M="$I -A FORWARD -p icmp -s 10.0.1.0/24"
$M -m statistic --mode nth --every 3 --packet 0
$M -m statistic --mode nth --every 3 --packet 2
$M -m statistic --mode nth ! --every 2 --packet 1
$M -m statistic --mode random --probability 1
$M -m statistic --mode random --probability 0
$M -m quota --quota 200
$M -m quota ! --quota 200
$M -m limit --limit 1/min --limit-burst 3
$M -m recent --set --name all
$M -m recent --rcheck --hitcount 3 --name all
$M -m recent --update --name other
$M -m recent --rcheck --seconds 1 --name all
$M -m recent --set --name to --rdest --mask 255.255.255.0
$M -m recent ! --rcheck --name all --rdest
$M -m hashlimit --hashlimit-upto 1/min --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name one
$M -m hashlimit --hashlimit-above 1/min --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-srcmask 24 --hashlimit-name two
$M -m connlimit --connlimit-above 1
$M -m connlimit --connlimit-upto 2 --connlimit-mask 24
$M -m connlimit --connlimit-above 2 --connlimit-daddr
$M -m tos --tos 0x10
$M -m dscp --dscp 4
$M -m dscp ! --dscp-class CS0
$M -m ecn --ecn-ip-ect 1
$M -m string --algo bm --hex-string '|31323334|'
$M -m string --algo kmp --hex-string '|31323334|' --from 80
$M -m string --algo bm ! --hex-string '|31323334|' --to 40
$M -m conntrack --ctorigsrc 10.0.1.1 --ctdir ORIGINAL
$M -m conntrack ! --ctreplsrc 10.0.2.1
$M -m conntrack --ctproto 1 --ctstate NEW
$N A ping -e 1 -c 5 -i 0.2 -I 10.0.1.1 10.0.2.1
$N A ping -e 2 -c 2 -i 0.4 -Q 0x10 -I 10.0.1.2 10.0.2.1
$I -L FORWARD -n -v -x
sleep 1.2
# Every change of a table makes its matches forget, but for lists with a name.
$I -D FORWARD 1
$N A ping -e 3 -c 3 -i 0.2 -Q 1 -I 10.0.1.1 10.0.2.1
$I -L FORWARD -n -v -x
$I-save -c -t filter | grep -v '^#'
# What connections have carried; it begins with those that come now.
$M -m connbytes --connbytes 2 --connbytes-dir original --connbytes-mode packets
$M -m connbytes --connbytes 0:200 --connbytes-dir both --connbytes-mode bytes
$M -m connbytes ! --connbytes 84 --connbytes-dir reply --connbytes-mode avgpkt
$N A ping -e 5 -c 3 -i 0.2 -I 10.0.1.1 10.0.2.1
$I -L FORWARD -n -v -x | grep connbytes
$N R cat /proc/sys/net/netfilter/nf_conntrack_acct
# What is set.
$I -F
$I -t mangle -A PREROUTING -p icmp -j TOS --set-tos 0x10
$I -t mangle -A POSTROUTING -p icmp -j DSCP --set-dscp-class AF11
$I -t mangle -A POSTROUTING -p icmp -j CLASSIFY --set-class 1:2
$I -t mangle -A FORWARD -m tos --tos 0x10
$I -t mangle -A FORWARD -j NFLOG --nflog-group 1
$I -t mangle -A FORWARD -m statistic --mode nth --every 2 --packet 1 -j NFQUEUE
$I -t mangle -A FORWARD -j NFQUEUE --queue-num 3 --queue-bypass
$I -t mangle -A FORWARD -j ACCEPT
$N A ping -e 4 -c 3 -i 0.2 -W 0.2 -I 10.0.1.1 10.0.2.1
$I -t mangle -L -n -v -x
