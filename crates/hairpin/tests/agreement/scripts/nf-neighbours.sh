# needs: uml
# ipv6: on
# What a host says to its neighbours itself passes OUTPUT: discovery, reports of groups.
ip netns add a; ip netns add b
ip netns exec a sysctl -qw net.ipv6.conf.default.router_solicitations=0
ip link add e0 netns a address 02:00:00:00:00:01 type veth peer name e0 netns b address 02:00:00:00:00:02
N="ip netns exec a"
ip netns exec a iptables-legacy -A OUTPUT -p igmp
for t in 133 134 135 136 137 143 128 129; do ip netns exec a ip6tables-legacy -A OUTPUT -p icmpv6 --icmpv6-type $t; done
ip -n a addr add fd00::1/64 dev e0; ip -n b addr add fd00::2/64 dev e0 nodad
ip -n a addr add 10.0.0.1/24 dev e0
ip -n b link set e0 up; ip -n a link set e0 up
sleep 5
$N ip6tables-legacy -L OUTPUT -n -v -x
$N iptables-legacy -L OUTPUT -n -v -x
ip netns exec a ping -6 -c1 fd00::2 >/dev/null
sleep 1
$N ip6tables-legacy -L OUTPUT -n -v -x
$N iptables-legacy -L OUTPUT -n -v -x
ip -n a addr add 239.1.1.1/32 dev e0 autojoin; sleep 12
$N ip6tables-legacy -L OUTPUT -n -v -x
$N iptables-legacy -L OUTPUT -n -v -x
ip netns exec a ip6tables-legacy -P OUTPUT DROP
ip -n a neigh flush dev e0; ip -n b neigh flush dev e0
ip netns exec a ping -6 -c1 -W1 fd00::2 ; ip netns exec b ping -6 -c1 -W1 fd00::1
sleep 5
$N ip6tables-legacy -L OUTPUT -n -v -x
