# needs: uml
# runs: with the real programs
# Errors without a limit to one station: those of routes have their own, which the missing one starves (not in 6.18 any more).
ip netns add h
ip netns add r
ip link add h0 netns h address 02:00:00:00:00:01 type veth peer name r0 netns r address 02:00:00:00:00:02
ip -n h addr add 10.0.0.1/24 dev h0
ip -n r addr add 10.0.0.2/24 dev r0
ip -n r link set lo up
ip -n h link set h0 up
ip -n r link set r0 up
ip -n h route add default via 10.0.0.2
sleep 1
ip netns exec r sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0
ip -n r route add prohibit 10.5.0.0/16
ip -n r route add unreachable 10.6.0.0/16
ip netns exec h ping -c1 -W1 10.5.0.1
ip netns exec h ping -c1 -W1 10.5.0.1
ip netns exec h ping -c1 -W1 10.6.0.1
ip netns exec h ping -c1 -W1 10.7.0.1
sleep 3
ip netns exec h ping -c5 -i0.2 -W1 10.6.0.1
# Of packets that have lived too long each is told.
ip netns exec h ping -c5 -i0.2 -W1 -t1 10.0.9.1
ip netns exec r sysctl -qw net.ipv4.icmp_ratelimit=1000
sleep 5
ip netns exec h ping -c8 -i0.2 -W1 -t1 10.0.9.1
sleep 3
ip netns exec h ping -c4 -i0.2 -W1 10.5.0.1
# The loopback device takes an address as Ethernet does.
ip -n h link set lo address 02:00:00:00:00:09
ip -n h link show dev lo
ip -n h link set lo address 01:00:00:00:00:09
