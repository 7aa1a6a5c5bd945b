# A router between two IPv6 networks, and its errors.
# runs: by bash alone
v6() { { set +x; } 2>/dev/null; for n in $*; do command ip netns exec $n sh -c 'for i in all default; do echo 0 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done'; done; set -x; }
N="ip netns exec"
for n in A R B; do ip netns add $n; done
v6 A R B
for n in A R B; do ip -n $n link set lo up; done
ip link add a0 netns A address 02:00:00:00:00:01 type veth peer name r0 netns R address 02:00:00:00:00:02
ip link add r1 netns R address 02:00:00:00:00:03 type veth peer name b0 netns B address 02:00:00:00:00:04
$N R sysctl -w net.ipv6.conf.all.forwarding=1
ip -n A link set a0 up; ip -n R link set r0 up
# Linux hears of links once a second, and of those that are new first.
sleep 2
ip -n R link set r1 up; ip -n B link set b0 up
ip -n A addr add 2001:db8:1::1/64 dev a0 nodad
ip -n R addr add 2001:db8:1::fe/64 dev r0 nodad
ip -n R addr add 2001:db8:2::fe/64 dev r1 nodad
ip -n B addr add 2001:db8:2::1/64 dev b0 nodad
ip -n A -6 route add default via 2001:db8:1::fe
ip -n B -6 route add default via 2001:db8:2::fe
sleep 4.5
$N R sh -c 'ip -6 route show table all | grep -v "anycast fe80"'
ip -n R -6 addr
begin() {
    { set +x; } 2>/dev/null; W= C=$(mktemp -d)
    for p in $*; do $N ${p%.*} tcpdump -l -e -n -v -t -i ${p#*.} ip6 >$C/$p.cap 2>/dev/null & W="$W $!"; done
    sleep 2.5; set -x
}
# Flow labels and identifications are chosen by chance; hosts ask for routers when they like.
finish() {
    { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W
    for p in $*; do echo "--- $p"; sed -E 's/flowlabel 0x[0-9a-f]+, //g; s/frag \(0x[0-9a-f]+:/frag (ID:/; s/(echo re[a-z]+, id) [0-9]+/\1 N/' $C/$p.cap | grep -a . | grep -av -e 'ff02::2:' -e 'link-address option' -e multicast -e 'neighbor .*fe80' -e 'fe80.*neighbor'; done; rm -r $C; set -x
}
begin A.a0 B.b0
$N A ping -c2 2001:db8:2::1
finish A.a0 B.b0
sleep 9
ip -n A neigh; ip -n R neigh show 2001:db8:1::1; ip -n R neigh show 2001:db8:2::1; ip -n B neigh
begin A.a0 A.lo
$N A ping -c1 -t1 -W2 2001:db8:2::1
$N A ping -c1 -W2 2001:db8:3::1
$N A ping -c1 -W5 2001:db8:2::77
sleep 2
$N A ping -c1 -W5 2001:db8:1::77
finish A.a0 A.lo
ip -n R -6 route add prohibit 2001:db8:4::/64
ip -n R -6 route add unreachable 2001:db8:5::/64
ip -n R -6 route add blackhole 2001:db8:6::/64
begin A.a0
$N A ping -c1 -W1 2001:db8:4::1
$N A ping -c1 -W1 2001:db8:5::1
$N A ping -c1 -W1 2001:db8:6::1
finish A.a0
# The path is narrower.
ip -n R link set r1 mtu 1300; ip -n B link set b0 mtu 1300
begin A.a0 B.b0
$N A ping -c2 -s 1350 -W2 2001:db8:2::1
$N A ping -c1 -s 1350 -M do -W1 2001:db8:2::1
$N A ping -c1 -s 3000 -W1 2001:db8:2::1
finish A.a0 B.b0
ip -n A -6 route get 2001:db8:2::1
# From a link-local address nothing goes further.
begin A.a0
$N A ping -c1 -W1 -I fe80::ff:fe00:1%a0 2001:db8:2::1
finish A.a0
ping6 -c1 ::1
$N A ping -c1 2001:db8:1::1
$N A ping -c2 -i0.2 ff02::1%a0
$N A ping -c1 -I a0 fe80::ff:fe00:2
$N A ping -c1 fe80::ff:fe00:2%a0
$N A ping -c1 fe80::ff:fe00:2%nothere
$N A ping -4 -c1 fe80::1
$N A ping -6 -c1 10.0.0.1
$N A ping -c1 -W1 -q 2001:db8:2::1
ip -n A -6 route del default
$N A ping -c1 2001:db8:2::1
$N R sysctl -w net.ipv6.conf.all.forwarding=0
ip -n A -6 route add default via 2001:db8:1::fe
begin A.a0
$N A ping -c1 -W1 2001:db8:2::1
finish A.a0
ip -n R -6 route show table local
