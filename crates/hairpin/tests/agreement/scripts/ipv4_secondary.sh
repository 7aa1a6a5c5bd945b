# Source addresses and route get.
# with: three-in-a-row.part
ip -n B route add default via 10.0.2.254
N="ip netns exec"
sleep 0.3
ip -n A addr add 10.0.1.2/24 dev a0
ip -n A addr add 172.16.0.1/16 dev a0
ip -n R addr add 172.16.0.254/16 dev r0
ip -n R addr add 10.0.1.253/24 dev r0
$N A tcpdump -l -e -n -v -t -i a0 >A.a0.cap 2>/dev/null &
sleep 1
$N A ping -c1 -W1 172.16.0.254
$N A ping -c1 -W1 -I 172.16.0.1 10.0.1.254
$N A ping -c1 -W1 -I 10.0.1.2 10.0.1.253
$N A ping -c1 -W1 -I 10.0.1.2 172.16.0.254
ip -n A route get 172.16.0.254
ip -n A route get 10.0.1.253 from 10.0.1.2
ip -n A route get 10.0.1.253 oif a0
ip -n A route get 10.0.1.253 oif lo
ip -n A route get 10.0.1.253 from 9.9.9.9
ip -n A route add default via 172.16.0.254
ip -n A route get 8.8.8.8
ip -n A route replace default via 10.0.1.253 src 10.0.1.2
ip -n A route get 8.8.8.8
ip -n A route get 8.8.8.8 from 172.16.0.1
ip -n A -d route get 8.8.8.8
ip -n A -j route get 8.8.8.8
ip -n A route get fibmatch 8.8.8.8
ip -n A route get fibmatch 10.0.1.2
ip -n A route get to 10.0.1.2 tos 0x10 mark 5
ip -n A route get 8.8.8.8 ipproto udp dport 53
ip -n A route get 8.8.8.8 oif nosuch
ip -n A route get
ip -n A route get 10.0.1.0/24
ip -n A route get 10.0.1.1 connected
$N A ping -c1 -W1 8.8.8.8
sleep 0.6
kill %1
wait
# When an ARP probe comes, hangs on milliseconds.
for p in A.a0; do echo "--- $p"; cat $p.cap | grep -av ARP; done
