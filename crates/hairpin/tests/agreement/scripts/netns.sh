# Devices that move between namespaces; numbers of namespaces and devices.
# runs: with the real programs
ip netns add a
ip netns add b
ip link add v1 type veth peer name v2
ip link set v1 address 02:00:00:00:00:01
ip link set v2 address 02:00:00:00:00:02
ip link
ip link set v1 netns a
ip link set v2 netns b
ip -n a link
ip -n b link
ip netns list
ip netns list-id
ip -n a netns list-id
ip -n a addr add 10.0.0.1/24 dev v1
ip -n a link set v1 up
ip -n b link set v2 up
ip -n a link set v1 netns b name w1
# Linux looks at carriers once a second where nothing hurries.
sleep 1.2
ip -n b link
ip -n b addr
ip -n b link set w1 netns a
ip -n a link add w1 type veth peer name w2
ip -n b link set v2 netns a
ip -n a -br link
ip -n a link set w2 netns b name v2
ip -n a link set v2 netns b
ip -n a link set v2 netns b name z2
ip -n b link
ip link add x1 netns a type veth peer name x1 netns b
ip -n a link set x1 address 02:00:00:00:00:03
ip -n b link set x1 address 02:00:00:00:00:04
ip -n b link set v2 address 02:00:00:00:00:05
ip -n a link set w1 address 02:00:00:00:00:06
ip link add y1 index 50 type veth peer name y2 index 60
ip link add y3 type veth peer name y4
ip -br link
ip link del y1
ip link del y3
ip netns del b
# What was in it is destroyed later.
sleep 0.5
ip -n a link
ip link
ip netns list
ip netns list-id
ip netns add c
ip -n a link set w1 netns c
ip -n c link
ip netns exec c ip -n a link
ip -all netns exec ip -br link
ip netns identify
ip netns del a
ip netns del c
ip netns
