# needs: uml
# runs: with the real programs
# covers: refusals vlan
# VLAN devices and dummies.
ip netns add a
ip netns add b
ip link add e netns a address 02:00:00:00:00:0a type veth peer name e netns b address 02:00:00:00:00:0b
ip -n a link add link e name e.10 type vlan id 10
ip -n a link set e.10 up
ip -n a link set e up
ip -n b link set e up
ip -n a link set e.10 up
ip -n b link add link e name e.10 type vlan id 10
ip -n b link add link e name e.20 type vlan id 20 reorder_hdr off
ip -n b link set e.10 up
ip -n b link set e.20 up
ip -n a addr add 10.0.10.1/24 dev e.10
ip -n b addr add 10.0.10.2/24 dev e.10
sleep 1.5
ip -n a -d link
ip -n b -d link
ip netns exec a ping -c1 -W1 10.0.10.2
ip -n a link add link e name x type vlan id 10
ip -n a link add link e name x type vlan id 5000
ip -n a link add link e name x type vlan
ip -n a link add link lo name x type vlan id 1
ip -n a link set e.10 type vlan id 20
ip -n b link set e.10 type vlan reorder_hdr off
ip -n b link set e.10 mtu 1600
ip -n b link set e mtu 1400
ip -n b link set e mtu 1500
ip -n b link show e.10
sleep 1.5
ip -n a link set e address 02:00:00:00:00:1a
ip -n a link
ip netns exec a ping -c1 -W1 10.0.10.2
sleep 7
ip -n a link set e down
sleep 1.2
ip -n a link
ip -n b link
ip -n a link set e up
ip -n a link add d type dummy
ip -n a link set d address 02:00:00:00:00:0d
ip -n a link set d up
ip -n a addr add 10.0.9.1/24 dev d
ip netns exec a ping -c1 -W1 10.0.9.2
ip -n a link set d carrier off
sleep 1.2
ip -n a link show d
ip -n a -d link show d
ip -n a link add link d name d.5 type vlan id 5 protocol 802.1ad
ip -n a link add link d.5 name d.5.6 type vlan id 6
ip -n a -br link
sleep 5
ip -n a -s link
ip -n b -s link
ip -n a link set e.10 netns b
ip -n b link
ip -n a link del e
ip -n a link
ip -n b link
