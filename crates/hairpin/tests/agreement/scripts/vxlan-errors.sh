# needs: uml
# Whose packet a vxlan could not send: a port of a bridge gave it the frame, and this host is told of the packet around it. A
# tag beside the frame is not counted.
ip netns add a
ip netns add b
ip netns add h
N="ip netns exec"
ip -n b link set lo up
ip link add u0 netns a address 02:00:00:00:00:31 type veth peer name u1 netns b address 02:00:00:00:00:32
ip -n a link set u0 up
ip -n b link set u1 up
ip -n a addr add 192.168.0.1/24 dev u0
ip -n b addr add 192.168.0.2/24 dev u1
ip -n a link add vx0 address 02:00:00:00:00:41 type vxlan id 42 remote 192.168.0.2 dstport 4789 srcport 50000 50001
ip -n b link add vx0 address 02:00:00:00:00:42 type vxlan id 42 remote 192.168.0.1 dstport 4789 srcport 50000 50001
ip -n b link add br0 address 02:00:00:00:00:44 type bridge mcast_snooping 0
for d in vx0 br0; do ip -n b link set $d up; done
ip link add q0 netns b address 02:00:00:00:00:45 type veth peer name eth0 netns h address 02:00:00:00:00:46
ip -n b link set q0 up
ip -n b link set vx0 master br0
ip -n b link set q0 master br0
ip -n h link set eth0 up
ip -n h addr add 10.0.0.2/24 dev eth0
ip -n a link set vx0 up
ip -n a addr add 10.0.0.1/24 dev vx0
sleep 2.3
$N h ping -c1 -W0.31 10.0.0.1
sleep 3.3
ip -n a link set u0 down
sleep 1.3
$N h ping -c1 -W0.31 10.0.0.1
sleep 3.6
ip -n b -s link show lo
ip -n b neigh
ip -n a link set u0 up
sleep 1.3
ip -n a link add link vx0 name vx0.5 type vlan id 5
ip -n a link set vx0.5 up
ip -n a addr add 10.0.5.1/24 dev vx0.5
ip -n a neigh replace 10.0.5.2 lladdr 02:00:00:00:00:46 dev vx0.5
$N a ping -c2 -i0.3 -W0.31 10.0.5.2
ip -n a -s link show vx0.5
ip -n a -s link show vx0
