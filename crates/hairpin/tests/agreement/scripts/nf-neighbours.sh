# needs: uml
# ipv6: on
# What a host says to its neighbours itself passes OUTPUT. (How many reports of groups pass, chance decides.)
ip netns add a
ip netns add b
N="ip netns exec a"
$N sysctl -qw net.ipv6.conf.default.router_solicitations=0
ip link add e0 netns a address 02:00:00:00:00:01 type veth peer name e0 netns b address 02:00:00:00:00:02
for t in 133 134 135 136 137 128 129; do
    $N ip6tables-legacy -A OUTPUT -p icmpv6 --icmpv6-type $t
done
$N iptables-legacy -A OUTPUT -p igmp -j DROP
$N ip6tables-legacy -A OUTPUT -p icmpv6 --icmpv6-type 143 -j DROP
ip -n a addr add fd00::1/64 dev e0
ip -n b addr add fd00::2/64 dev e0 nodad
ip -n a addr add 10.0.0.1/24 dev e0
ip netns exec b tcpdump -l -n -t -i e0 igmp or "ip6[40] == 58" >cap 2>/dev/null &
ip -n b link set e0 up
ip -n a link set e0 up
sleep 5.3
$N ip6tables-legacy -L OUTPUT -n -v -x >counts
grep "icmptype 13[3-7]" counts
$N ping -6 -c1 fd00::2
sleep 1.3
$N ip6tables-legacy -L OUTPUT -n -v -x >counts
grep "icmptype 1[23][0-9]" counts
# No report comes through.
ip -n a addr add 239.1.1.1/32 dev e0 autojoin
sleep 12.3
kill %1
wait
grep -c "10.0.0.1 >" cap
# Without discovery nobody is found.
$N ip6tables-legacy -P OUTPUT DROP
ip -n a neigh flush dev e0
ip -n b neigh flush dev e0
$N ping -6 -c1 -W1 fd00::2
sleep 5.3
ip netns exec b ping -6 -c1 -W1 fd00::1
sleep 5.3
$N ip6tables-legacy -L OUTPUT -n -v -x >counts
grep "icmptype 1[23][0-9]" counts
ip -n b neigh
