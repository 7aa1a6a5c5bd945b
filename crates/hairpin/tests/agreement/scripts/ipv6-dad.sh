# Link-local addresses, duplicate address detection and what a device says in its first seconds.
# runs: by bash alone
v6() { { set +x; } 2>/dev/null; for n in $*; do command ip netns exec $n sh -c 'for i in all default; do echo 0 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done'; done; set -x; }
N="ip netns exec"
# How many frames of each kind: their times are random, their number is not.
begin() { { set +x; } 2>/dev/null; C=$(mktemp); $N $1 tcpdump -l -e -n -v -t -i $2 'ip6 and not dst ff02::2' >$C 2>/dev/null & W=$!; sleep 1.5; set -x; }
finish() {
    { set +x; } 2>/dev/null; sleep 0.3; kill $W; wait $W
    sed -E 's/flowlabel 0x[0-9a-f]+, //; s/^\t +unknown option \(14\).*/\tnonce/; /^\t +0x0000/d' $C | sort | uniq -c; rm $C; set -x
}
ip netns add A; ip netns add B
v6 A B
ip -n A link set lo up
ip -n A -6 addr
ip -n A link add a0 address 02:00:00:00:00:01 type veth peer name b0 netns B address 02:00:00:00:00:02
# Until the link watch has seen that there is no carrier, a device that goes up reports its groups twice.
sleep 1.2
$N A sysctl -w net.ipv6.conf.a0.router_solicitations=1
$N B sysctl -w net.ipv6.conf.b0.router_solicitations=1
ip -n A link set a0 up
ip -n A -6 addr
ip -n A -6 route show table all
ip -n B link set b0 up
ip -n A -6 addr
ip -n A -6 route show table all
ip -n A -6 route show table local
sleep 3.2
ip -n A addr show a0
ip -n A -6 route show table all
$N A sh -c 'sort /proc/net/if_inet6'
$N A cat /proc/net/igmp6
ip -n A -s link show a0
ip -n B -s link show b0
# An address by hand, without and with detection.
begin B b0
ip -n A addr add 2001:db8::1/64 dev a0 nodad
ip -n A -6 addr show dev a0
sleep 2
finish
begin B b0
ip -n A addr add 2001:db8::2/64 dev a0
ip -n A -6 addr show dev a0
ip -n A -6 route show table all
sleep 2.6
ip -n A -6 addr show dev a0
ip -n A -6 route show table all
ip -n A addr del 2001:db8::2/64 dev a0
sleep 1.4
finish
ip -n A -6 route show table all
# Somebody else has it.
ip -n B addr add 2001:db8::1/64 dev b0
sleep 2.2
ip -n B -6 addr show dev b0
ip -n B -6 route show table all
ip -n B addr del 2001:db8::1/64 dev b0
ip -n B addr add 2001:db8::5/64 dev b0 preferred_lft 0
ip -n B addr add 2001:db8::6/128 dev b0 noprefixroute nodad
ip -n B addr add 2001:db8:1::6 peer 2001:db8:1::7 dev b0 nodad
sleep 2.2
ip -n B -6 addr show dev b0
ip -n B -6 route show table all
# Down and up again.
ip -n A link set a0 down
ip -n A -6 addr
ip -n A -6 route show table all
ip -n B -6 addr show dev b0
ip -n B -6 route show table all
ip -n A link set a0 up
sleep 3.5
ip -n A -6 addr
ip -n B -6 route show table all
# Other ways to make addresses, and none.
ip -n A link set a0 down
ip -n A link set a0 addrgenmode none
ip -n A link set a0 up
sleep 1.2
ip -n A -6 addr show dev a0
ip -n A -6 route show table all
ip -n A link set a0 addrgenmode eui64
ip -n A -6 addr show dev a0
$N A sysctl -w net.ipv6.conf.a0.disable_ipv6=1
ip -n A -6 addr show dev a0
ip -n A addr add 2001:db8::9/64 dev a0
$N A sysctl -w net.ipv6.conf.a0.disable_ipv6=0
sleep 0.2
ip -n A -6 addr show dev a0
ip -n A addr add 2001:db8::9/64 dev a0 nodad
ip -n A addr add 2001:db8::9/64 dev a0 nodad
ip -n A addr add ::1/128 dev a0
ip -n A addr add ff02::5/64 dev a0
ip -n A addr add ::/64 dev a0
ip -n A addr del 2001:db8::77/64 dev a0
ip -n A link set a0 mtu 1279
ip -n A -6 addr show dev a0
ip -n A -6 route show table all
ip -n A link set a0 mtu 1280
ip -n A -6 addr show dev a0
