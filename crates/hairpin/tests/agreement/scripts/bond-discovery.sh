# needs: uml
# ipv6: on
# A bond asks its targets by neighbour discovery: which targets it takes, what it asks, and when a link counts as down.
ip netns add a
ip netns add sw
N="ip netns exec"
for i in 1 2; do
    ip link add e$i netns a address 02:00:00:00:00:0$i type veth peer name p$i netns sw address 02:00:00:00:00:2$i
    ip -n sw link set p$i up
done
ip -n sw link add br0 address 02:00:00:00:00:30 type bridge mcast_snooping 0
ip -n sw link set br0 up
for i in 1 2; do ip -n sw link set p$i master br0; done
ip -n sw addr add 2001:db8::9/64 dev br0 nodad
for mode in balance-rr active-backup balance-xor broadcast 802.3ad balance-tlb; do
    ip -n a link add b0 type bond mode $mode ns_ip6_target 2001:db8::9,2001:db8::8
    ip -n a -d link show b0 | grep -o 'ns_ip6_target [^ ]*'
    ip -n a link set b0 type bond ns_ip6_target 2001:db8::9
    ip -n a link set b0 type bond ns_ip6_target 2001:db8::9,2001:db8::9
    ip -n a -d link show b0 | grep -o 'ns_ip6_target [^ ]*'
    ip -n a link set b0 type bond ns_ip6_target ::
    ip -n a link set b0 type bond ns_ip6_target ::1
    ip -n a link set b0 type bond ns_ip6_target ff02::1
    ip -n a link set b0 type bond ns_ip6_target ff02::2,fe80::1
    ip -n a -d -j link show b0 | grep -o '"ns_ip6_target":[^]]*]'
    ip -n a link set b0 type bond ns_ip6_target
    ip -n a -d link show b0 | grep -o 'ns_ip6_target [^ ]*'
    ip -n a link del b0
done
ip -n a link add bond0 type bond mode active-backup arp_interval 100 ns_ip6_target 2001:db8::9 arp_validate all
for i in 1 2; do ip -n a link set e$i master bond0; done
ip -n a addr add 2001:db8::3/64 dev bond0 nodad
ip -n a link set bond0 up
sleep 4
$N a cat /proc/net/bonding/bond0 | grep -v Failure
$N sw tcpdump -l -e -n -t -c 4 -i p1 'icmp6 and (ip6[40] == 135 or ip6[40] == 136) and host 2001:db8::3' >p1.cap 2>/dev/null &
sleep 1
wait
cat p1.cap
# The target falls silent, and comes back.
ip -n sw addr del 2001:db8::9/64 dev br0
sleep 3
$N a grep -c 'MII Status: up' /proc/net/bonding/bond0
ip -n a -br link show bond0 | grep -o 'bond0 *[A-Z]*'
ip -n sw addr add 2001:db8::9/64 dev br0 nodad
sleep 4
ip -n a -br link show bond0 | grep -o 'bond0 *[A-Z]*'
$N a ping -c 1 -W 1 2001:db8::9
# All of them ask, and one must be heard.
ip -n a link del bond0
ip -n a link add bond0 type bond mode balance-xor arp_interval 100 ns_ip6_target 2001:db8::9
for i in 1 2; do ip -n a link set e$i down; ip -n a link set e$i master bond0; done
ip -n a addr add 2001:db8::3/64 dev bond0 nodad
ip -n a link set bond0 up
sleep 4
$N a cat /proc/net/bonding/bond0 | grep -v Failure
