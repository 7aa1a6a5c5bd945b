# What changes of a device bring about that generated scenarios once found, and the emulation had otherwise.
# needs: uml
for n in a b c; do ip netns add $n; done
# A device that has no more ARP, or has it again, forgets who it knew; packets for others are counted.
ip link add e0 netns a address 02:00:00:00:00:01 type veth peer name e0 netns b address 02:00:00:00:00:02
for n in a b; do ip -n $n link set e0 up; done
ip -n a addr add 10.0.0.1/24 dev e0
ip -n b addr add 10.0.0.2/24 dev e0
sleep 1.5
ip netns exec a ping -c1 -W0.3 10.0.0.2
ip -n a neigh add proxy 10.0.0.77 dev e0
ip -n a neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 nud permanent dev e0
ip -n a link set e0 arp off
ip -n a neigh
ip -n a neigh show proxy
ip netns exec a ping -c1 -W0.3 10.0.0.2
ip -n b -s -s link show dev e0
ip -n a link set e0 arp on
ip -n a neigh
ip -n a neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 nud permanent dev e0
ip -n a link set e0 address 02:00:00:00:00:05
ip -n a neigh
ip -n a neigh show proxy
# The other end of a VRF's port does not notice that the port goes down and up.
ip link add p0 netns a address 02:00:00:00:00:0a type veth peer name e1 netns c address 02:00:00:00:00:0b
ip -n a link set p0 up
ip -n c link set e1 up
ip -n a link add red address 02:00:00:00:00:0c type vrf table 10
ip -n a link set red up
ip -n a link set p0 master red
ip -n a addr add 10.0.1.1/24 dev p0
ip -n c addr add 10.0.1.2/24 dev e1
sleep 1.5
ip netns exec c ping -c1 -W0.3 10.0.1.1
ip netns exec a tcpdump -l -n -t -i red >red.cap 2>/dev/null &
sleep 0.7
ip -n a link set p0 nomaster
ip -n c neigh
ip -n a link set p0 master red
ip -n a link del red
ip -n c neigh
ip netns exec c ping -c1 -W0.3 10.0.1.1
kill %1
wait
cat red.cap
# A broadcast address of the way out is nobody to ask for.
ip -n a link add red address 02:00:00:00:00:0c type vrf table 10
ip -n a link set red up
ip -n a link add blue address 02:00:00:00:00:0d type vrf table 20
ip -n a link set blue up
ip -n a link set p0 master red
ip -n a link set e0 master blue
ip -n a route add 10.0.1.0/24 dev p0 vrf blue
ip -n b route add 10.0.1.0/24 via 10.0.0.1
ip netns exec a sysctl -w net.ipv4.ip_forward=1
ip netns exec b ping -c1 -W0.3 -b 10.0.1.255
ip -n a neigh show dev p0
ip -n c -s link show dev e1
# A VRF has its table before it has ports, and lets nothing out while it is down.
ip -n c link add green type vrf table 30
ip -n c route show vrf green
ip -n c link set green up
ip -n c link set e1 master green
ip netns exec a sysctl -w net.ipv4.icmp_echo_ignore_broadcasts=1
ip -n c rule add from all lookup 30 pref 900
ip netns exec c ping -c1 -W0.3 10.0.1.1
ip -n c link set green down
ip netns exec c ping -c1 -W0.3 10.0.1.1
ip -n c -s link show dev e1
# What comes with a tag that no device takes is dropped, also where a capture has seen it.
ip -n b link add link e0 name w5 type vlan id 5
ip -n b link set w5 up
ip -n b link add link w5 name q6 type vlan id 6
ip -n b link set q6 up
ip -n b addr add 10.0.6.2/24 dev q6
ip netns exec a tcpdump -l -e -n -t -i e0 vlan >tags.cap 2>/dev/null &
sleep 0.7
ip netns exec b ping -c1 -W0.3 10.0.6.1
kill %2
wait
cat tags.cap
ip -n a -s link show dev e0
