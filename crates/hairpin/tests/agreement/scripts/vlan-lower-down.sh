# needs: uml
# What a VLAN device or a macvlan is given while the device below is down counts as sent; of a packet in fragments the first alone
# is tried, and counts as a failure. So it is without a carrier, though not while a packet waits for its neighbour.
ip netns add a
ip netns add b
ip link add eth0 index 11 netns a address 02:00:00:00:00:02 type veth peer name eth0 index 12 netns b address 02:00:00:00:00:03
ip -n a link set eth0 up
ip -n b link set eth0 up
ip -n a link add link eth0 name w1 type vlan id 1 loose_binding on
ip -n a link add link eth0 name w2 type vlan id 2 loose_binding on reorder_hdr off
ip -n a link set w1 up
ip -n a link set w2 up
ip -n a addr add 10.0.1.1/24 dev w1
ip -n a addr add 10.0.2.1/24 dev w2
ip -n a neigh add 10.0.1.2 lladdr 02:00:00:00:00:03 dev w1
ip -n a neigh add 10.0.2.2 lladdr 02:00:00:00:00:03 dev w2
ip netns exec a tcpdump -l -e -n -t -i w1 >w1.cap 2>/dev/null &
ip netns exec a tcpdump -l -e -n -t -i w2 >w2.cap 2>/dev/null &
sleep 2.3
ip netns exec a ping -c1 -W0.31 -s 1600 10.0.1.2
ip -n a link set eth0 down
sleep 2.3
ip -n a -br link
ip netns exec a ping -c1 -W0.31 10.0.1.2
ip netns exec a ping -c1 -W0.31 -s 1600 10.0.1.2
ip netns exec a ping -c1 -W0.31 -s 1600 10.0.2.2
ip netns exec a ping -c1 -W0.31 -s 4000 10.0.2.2
sleep 0.3
kill %1 %2
wait
cat w1.cap
cat w2.cap
ip -n a -s link
ip netns exec a cat /proc/net/snmp | grep Ip:
ip -n b addr add 10.0.3.1/24 dev eth0
ip -n b neigh add 10.0.3.2 lladdr 02:00:00:00:00:02 dev eth0
ip netns exec b ping -c1 -W0.31 -s 4000 10.0.3.2
ip netns exec b cat /proc/net/snmp | grep Ip:
ip netns exec b ping -c1 -W0.31 -s 4000 10.0.3.3
ip netns exec b cat /proc/net/snmp | grep Ip:
