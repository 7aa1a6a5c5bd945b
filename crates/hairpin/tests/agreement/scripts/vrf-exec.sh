# needs: uml
# runs: by bash alone
# Programs of a VRF: their sockets are its own.
ip link add blue type vrf table 10
ip link set blue up
ip netns add h
ip link add p0 type veth peer name e0 netns h
ip link set p0 master blue
ip link set p0 up
ip addr add 10.0.0.1/24 dev p0
ip -n h addr add 10.0.0.2/24 dev e0
ip -n h link set e0 up
ping -c 1 10.0.0.2
ip vrf exec blue ping -c 1 10.0.0.2
ip vrf exec blue sh -c 'ping -c 1 -q 10.0.0.2 | grep -c "1 received"'
ip vrf exec default ping -c 1 10.0.0.2
ip vrf exec red ping -c 1 10.0.0.2
ip vrf exec
ip vrf exec blue
ip vrf exec blue nosuchprogram
