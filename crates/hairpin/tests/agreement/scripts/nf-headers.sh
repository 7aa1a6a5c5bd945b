# needs: uml
# ipv6: on
# Matches of extension headers and of IPsec's: what is refused, saved and listed, and what they count.
ip netns add A
ip netns add B
ip link add a0 netns A address 02:00:00:00:00:01 type veth peer name b0 netns B address 02:00:00:00:00:02
ip -n A addr add fd00::1/64 dev a0 nodad
ip -n B addr add fd00::2/64 dev b0 nodad
ip -n A link set lo up
ip -n B link set lo up
X="ip netns exec B ip6tables-legacy"
I="ip netns exec B iptables-legacy"
set +x
t() { echo "\$ $*"; $X -A INPUT "$@" 2>&1 || echo "rc $?"; }
t -m frag ! --fraglen 8
t -m frag --fragid 5:
t -m frag --fragid 7:3
t -m frag --fragid 1:2:3
t -m frag --fragid x
t -m frag ! --fragfirst
t -m frag --fragmore --fraglast
t -m frag ! --fragid 0:4294967295
t -m frag --fragid 5 --fragres --fragfirst --fragmore
t -m rt --rt-type 256
t -m rt --rt-segsleft 1:
t -m rt ! --rt-len 40 ! --rt-segsleft 3
t -m rt --rt-type 0 --rt-0-addrs foo
t -m rt --rt-0-addrs ::1
t -m rt ! --rt-type 0 --rt-0-res
t -m rt --rt-0-not-strict
t -m rt --rt-type 0 --rt-0-res --rt-0-addrs ::1,fd00::7 --rt-0-not-strict
t -m ipv6header
t -m ipv6header --header prot
t -m ipv6header ! --header 0,60,43,44,51,50,59
t -m ipv6header --header hop,auth --soft
t -m ipv6header --header tcp
t -m ipv6header --header foo
t -m ipv6header --header ''
t -m hbh --hbh-opts x
t -m hbh --hbh-opts 5:x
t -m hbh --hbh-opts 5:2:3
t -m hbh --hbh-opts 0:4
t -m hbh --hbh-opts 256,5:256,5:255,0x10
t -m hbh ! --hbh-len 8
t -m dst --dst-len 8 --dst-opts 1,5:2
t -m dst ! --dst-opts 1
t -m mh
t -p mh -m mh --mh-type foo
t -p mh -m mh --mh-type 3:1
t -p mh --mh-type brr:hot
t -p mobility-header --mh-type be
t -p 135 -m mh ! --mh-type bind
t -p mh -m mh ! --mh-type 0:255
t -p mh -m mh --mh-type 4:
t -m ah --ahspi 5 --ahlen 8 --ahres
t -m ah ! --ahspi 1:2 ! --ahlen 7
t -m ah ! --ahspi 0:4294967295 --ahlen 0
t -p ah --ahspi x
t -m esp --espspi 5
t -p esp --espspi 5:1
t -p esp -m esp
t -p tcp -m eui64
t -p 43
t ! -p 44
t -p ipv6-opts
$X -t mangle -A POSTROUTING -m eui64
for m in frag rt ipv6header hbh dst mh eui64; do $I -A INPUT -m $m 2>&1; done
$I -A INPUT -p ah --ahspi 5:9
$I -A INPUT -p ah -m ah --ahlen 8
$I -A INPUT -m ah
$I -A INPUT -p 50 --espspi 1
set -x
$X -S INPUT
$X -n -L INPUT
$X -L INPUT
$I -S INPUT
$I -n -L INPUT
$X -F INPUT
$X -A INPUT -m frag --fragfirst
$X -A INPUT -m frag --fragmore
$X -A INPUT -m frag --fraglast
$X -A INPUT -m ipv6header --header frag --soft
$X -A INPUT -m ipv6header --header frag,prot
$X -A INPUT -s fe80::/64 -p icmpv6 --icmpv6-type echo-request -m eui64
$X -A INPUT -s fd00::/64 -p icmpv6 --icmpv6-type echo-request -m eui64
$X -A OUTPUT -m hbh --hbh-opts 5:2
$X -A OUTPUT -m hbh --hbh-opts 5:3
$X -A OUTPUT -m hbh --hbh-opts 5,1:0
$X -A OUTPUT -m ipv6header --header hop,prot
ip -n A link set a0 up
ip -n B link set b0 up
sleep 3
ip netns exec A ping -6 -c 2 -i 0.2 -W 1 -s 3000 fd00::2
ip netns exec A ping -6 -c 2 -i 0.2 -W 1 fe80::ff:fe00:2%a0
{ set +x; } 2>/dev/null
$X -S INPUT -v | grep A.INPUT
# How many reports of groups there are hangs on chance.
$X -S OUTPUT -v | grep -c ' 0 0'
