# needs: uml
# runs: by bash alone
# programs: traceroute
# IPv6 over a bridge, a VLAN and a vxlan: addresses, a duplicate, neighbours, a router between them.
for n in A R B; do ip netns add $n; done
v6 A R B
ip link add eth0 netns A address 02:00:00:00:00:01 type veth peer name p1 netns R address 02:00:00:00:00:11
ip link add eth0 netns B address 02:00:00:00:00:02 type veth peer name p2 netns R address 02:00:00:00:00:12
ip -n R link add br0 address 02:00:00:00:00:10 type bridge
for p in p1 p2; do ip -n R link set $p master br0 up; done
ip -n R link set br0 up
for n in A B; do ip -n $n link set lo up; ip -n $n link set eth0 up; done
sleep 4
# A VLAN from A to the router, a vxlan from B to it.
ip -n A link add link eth0 name eth0.5 type vlan id 5
ip -n R link add link br0 name br0.5 type vlan id 5
ip -n B addr add 10.0.0.2/24 dev eth0
ip -n R addr add 10.0.0.9/24 dev br0
ip -n B link add vx address 02:00:00:00:00:22 type vxlan id 7 remote 10.0.0.9 dstport 4789
ip -n R link add vx address 02:00:00:00:00:29 type vxlan id 7 remote 10.0.0.2 dstport 4789
ip -n A link set eth0.5 up
ip -n R link set br0.5 up
ip -n B link set vx up
ip -n R link set vx up
ip netns exec R sysctl -w net.ipv6.conf.all.forwarding=1
ip -n A addr add 2001:db8::1/64 dev eth0
ip -n B addr add 2001:db8::2/64 dev eth0
ip -n R addr add 2001:db8::9/64 dev br0
ip -n A addr add 2001:db8:5::1/64 dev eth0.5
ip -n R addr add 2001:db8:5::9/64 dev br0.5
ip -n B addr add 2001:db8:7::2/64 dev vx
ip -n R addr add 2001:db8:7::9/64 dev vx
sleep 4
for n in A R B; do ip -n $n -6 addr; done
ip -n A -6 route show table all
ip -n A -6 route add 2001:db8:7::/64 via 2001:db8:5::9
ip -n B -6 route add 2001:db8:5::/64 via 2001:db8:7::9
watch "-icmp6 or vlan or udp" A:eth0 R:p1 R:p2 B:vx
seen ip netns exec A ping -6 -c1 -W1 2001:db8::2
seen ip netns exec A ping -6 -c1 -W1 2001:db8::9
seen ip netns exec A ping -6 -c1 -W1 2001:db8:5::9
seen ip netns exec B ping -6 -c1 -W1 2001:db8:7::9
seen ip netns exec A ping -6 -c1 -W1 2001:db8:7::2
seen ip netns exec B ping -6 -c1 -W1 -s 1452 2001:db8:5::1
seen ip netns exec A ping -6 -c1 -W4 2001:db8:7::77
unwatch
ip netns exec A ping -6 -c2 -i0.3 -s 1452 -W1 2001:db8:7::2
ip -n A -6 route get 2001:db8:7::2
ip netns exec A traceroute -6 -n -q1 -m4 2001:db8:7::2 | sed 's/ [0-9.]* ms$//'
ip netns exec A traceroute -6 -n -q1 -m3 -I 2001:db8:7::2 | sed 's/ [0-9.]* ms$//'
ip netns exec B ping -6 -c1 -W1 2001:db8:5::1
ip netns exec A ping -6 -c1 -W1 fe80::ff:fe00:9%eth0
ip netns exec B ping -6 -c2 -i0.3 -W1 ff02::1%vx
ip netns exec A ping -6 -c1 -W1 ff02::2%eth0.5
# Until nobody waits for an answer.
sleep 6.5
for n in A R B; do ip -n $n -6 neigh show nud all >neigh; grep -v -e ff02 -e NOARP neigh | sort; done
# Duplicates, on each.
ip -n B addr add 2001:db8::9/64 dev eth0
ip -n A addr add 2001:db8:5::9/64 dev eth0.5
ip -n B addr add 2001:db8:7::9/64 dev vx
ip -n R addr add 2001:db8::2/64 dev br0
sleep 2.5
for n in A R B; do ip -n $n -6 addr show dadfailed; done
