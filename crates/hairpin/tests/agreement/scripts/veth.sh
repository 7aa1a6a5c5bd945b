# Two namespaces and a cable.
# runs: with the real programs
ip netns add n1
ip netns add n2
ip link add v1 netns n1 type veth peer name v2 netns n2
ip -n n1 link set v1 address 02:00:00:00:00:01
ip -n n2 link set v2 address 02:00:00:00:00:02
ip -n n1 link
ip -n n1 link set v1 up
# The kernel looks at carriers once a second.
sleep 1.1
ip -n n1 link
ip -n n2 link
ip -n n2 link set v2 up
ip -n n1 addr add 10.0.0.1/24 dev v1
ip -n n2 addr add 10.0.0.2/24 dev v2
sleep 0.2
ip netns exec n1 ping -c1 -W1 10.0.0.2
ip netns exec n1 ping -c1 -W1 10.0.0.3
sleep 0.2
ip -n n1 -d link
ip -n n1 -s link
ip -n n2 -s link show v2
ip -n n1 neigh
ip -n n1 addr
ip -n n1 route
ip -n n2 link set v2 down
sleep 1.2
ip -n n1 link
ip -n n1 route
ip -n n2 link del v2
ip -n n1 link
ip netns list
ip link
