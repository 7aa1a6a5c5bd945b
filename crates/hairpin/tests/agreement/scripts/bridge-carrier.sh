# When a bridge has a carrier, and which own addresses it lists.
# needs: uml
ip netns add n1
ip -n n1 link add br0 type bridge
ip -n n1 link set br0 up
ip -n n1 -br link show type bridge
ip -n n1 link add br1 address 02:00:00:00:00:01 type bridge
ip -n n1 link set br1 up
# The kernel looks at carriers once a second.
sleep 1.2
ip -n n1 link
bridge -n n1 fdb show br br1
ip -n n1 link add br2 type bridge priority 100
ip -n n1 link set br2 up
sleep 1.2
ip -n n1 link show br2 | head -1
ip -n n1 link set br0 address 02:00:00:00:00:02
sleep 1.2
ip -n n1 link show br0
ip -n n1 link add v1 address 02:00:00:00:01:01 type veth peer name v2 address 02:00:00:00:01:02
ip -n n1 link set v1 master br0
ip -n n1 link set v1 up
ip -n n1 link set v2 up
sleep 1.2
ip -n n1 -d link show br0
ip -n n1 -d link show v1
bridge -n n1 fdb show br br0
ip -n n1 link set v2 address 02:00:00:00:00:02
ip -n n1 link set v1 address 02:00:00:00:00:02
bridge -n n1 fdb show br br0
ip -n n1 link set v1 nomaster
bridge -n n1 fdb show br br0
ip -n n1 link set v1 master br0
ip -n n1 link set br0 down
sleep 1.2
ip -n n1 link show br0
ip -n n1 link set br0 up
sleep 1.2
ip -n n1 link show br0
ip -n n1 link set v1 down
sleep 1.2
ip -n n1 link show br0
ip -n n1 link del br0
ip -n n1 link show v1
