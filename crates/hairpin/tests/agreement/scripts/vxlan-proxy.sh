# needs: uml
# vxlan that answers for neighbours, tells what it misses, and goes past a router.
ip netns add a
ip netns add b
ip link add u0 netns a address 02:00:00:00:00:31 type veth peer name u0 netns b address 02:00:00:00:00:32
ip -n a link set u0 up
ip -n b link set u0 up
ip -n a addr add 192.168.0.1/24 dev u0
ip -n b addr add 192.168.0.2/24 dev u0
ip -n a neigh replace 192.168.0.2 lladdr 02:00:00:00:00:32 dev u0
ip -n b neigh replace 192.168.0.1 lladdr 02:00:00:00:00:31 dev u0
ip -n a link add br0 address 02:00:00:00:00:50 type bridge
ip -n a link add vx0 address 02:00:00:00:00:41 type vxlan id 4 dstport 4789 srcport 50000 50001 proxy rsc l2miss l3miss nolearning
ip -n b link add vx0 address 02:00:00:00:00:42 type vxlan id 4 dstport 4789 srcport 50000 50001 remote 192.168.0.1
ip -n a link set vx0 master br0
ip -n a link set vx0 up
ip -n a link set br0 up
ip -n b link set vx0 up
ip -n a addr add 10.3.0.1/24 dev br0
ip -n b addr add 10.3.0.2/24 dev vx0
ip -n a -d link show vx0
ip -n a -d -j link show vx0
ip -n a link set vx0 type vxlan id 4 proxy
sleep 2
ip -n a monitor neigh dev vx0 >a.mon &
ip netns exec a tcpdump -l -e -n -t -i br0 arp >br0.cap 2>/dev/null &
ip netns exec a tcpdump -l -e -n -t -i u0 udp port 4789 >u0.cap 2>/dev/null &
sleep 1
ip netns exec a ping -c1 -W1 10.3.0.2
ip -n a neigh add 10.3.0.2 lladdr 02:00:00:00:00:42 dev vx0 nud permanent
ip netns exec a ping -c1 -W1 10.3.0.2
bridge -n a fdb add 02:00:00:00:00:42 dev vx0 dst 192.168.0.2 self permanent
ip netns exec a ping -c1 -W1 10.3.0.2
bridge -n a fdb add 02:00:00:00:00:77 dev vx0 dst 192.168.0.9 router self permanent
ip -n a neigh add 10.3.0.3 lladdr 02:00:00:00:00:77 dev br0 nud permanent
ip netns exec a ping -c1 -W1 10.3.0.3
ip -n a neigh add 10.3.0.3 lladdr 02:00:00:00:00:42 dev vx0 nud permanent
ip netns exec a ping -c1 -W1 10.3.0.3
sleep 1
kill %1 %2 %3
wait
cat a.mon
cat br0.cap
cat u0.cap
ip -n a neigh
bridge -n a fdb show dev vx0
ip -n a -s link show vx0
ip -n b -s link show vx0
