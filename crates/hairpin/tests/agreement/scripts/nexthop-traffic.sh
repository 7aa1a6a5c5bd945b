# needs: uml
# runs: with the real programs
# Packets go by next hops that have ids, as they are at the time.
ip netns add h
ip netns add r
ip link add v0 type veth peer name v1 netns r
ip -n r link add v2 type veth peer name v3 netns h
ip link set lo up
ip link set v0 up
ip -n r link set v1 up
ip -n r link set v2 up
ip -n h link set v3 up
ip addr add 10.0.0.1/24 dev v0
ip -n r addr add 10.0.0.2/24 dev v1
ip -n r addr add 10.0.0.3/24 dev v1
ip -n r addr add 10.9.0.1/24 dev v2
ip -n h addr add 10.9.0.2/24 dev v3
ip -n h nexthop add id 7 via 10.9.0.1 dev v3
ip -n h route add default nhid 7
ip netns exec r sysctl -w net.ipv4.ip_forward=1
sleep 0.5
ip nexthop add id 1 via 10.0.0.2 dev v0
ip nexthop add id 2 via 10.0.0.3 dev v0
ip nexthop add id 3 blackhole
ip nexthop add id 10 group 1/2
ip route add 10.9.0.0/24 nhid 1
ping -c 1 -w 2 10.9.0.2
ip neigh show dev v0 | grep -c 10.0.0.2
ip nexthop replace id 1 via 10.0.0.3 dev v0
ping -c 1 -w 2 10.9.0.2
ip route replace 10.9.0.0/24 nhid 10
ping -c 1 -w 2 10.9.0.2
ip nexthop replace id 1 via 10.0.0.2 dev v0
ping -c 1 -w 2 10.9.0.2
ip nexthop del id 1
ping -c 1 -w 2 10.9.0.2
ip route
ip route replace 10.9.0.0/24 nhid 3
ping -c 1 -w 2 10.9.0.2
ip nexthop replace id 3 via 10.0.0.2 dev v0
ping -c 1 -w 2 10.9.0.2
ip -n r link set v1 down
sleep 1.5
ping -c 1 -w 2 10.9.0.2
ip nexthop
ip route
