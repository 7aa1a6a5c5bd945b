# What generated scenarios of tags once found: with a tag within a tag and reorder_hdr off, a capture sees the inner tag
# first, and a device on the inner tag still sees the outer one. What it sends has its tag from the beginning.
# needs: uml
for n in a b; do ip netns add $n; done
ip link add eth0 netns a address 02:00:00:00:00:01 type veth peer name eth0 netns b address 02:00:00:00:00:02
for n in a b; do ip -n $n link set eth0 up; done
ip -n a link add link eth0 name w1 type vlan id 1
ip -n a link set w1 up
ip -n a link add link w1 name q2 type vlan id 2
ip -n a link set q2 up
ip -n a addr add 10.0.2.1/24 dev q2
ip -n b link add link eth0 name w1 type vlan id 1 reorder_hdr off
ip -n b link set w1 up
sleep 1.2
ip netns exec b tcpdump -l -e -n -t -i w1 >w1 2>/dev/null &
sleep 0.5
ip netns exec a ping -c1 -W0.31 -b 10.0.2.255
ip -n b link add link w1 name q2 type vlan id 2
ip -n b link set q2 up
ip -n b addr add 10.0.2.2/24 dev q2
ip netns exec b tcpdump -l -e -n -t -i q2 >q2 2>/dev/null &
sleep 1.2
ip netns exec a ping -c1 -W0.31 10.0.2.2
ip -n b link set q2 type vlan reorder_hdr off
ip netns exec b ping -c1 -W0.31 10.0.2.1
ip netns exec b ping -c1 -W0.31 10.0.2.9
ip netns exec b arping -c1 -w1 -I q2 10.0.2.1
sleep 3.6
kill %1 %2
wait
cat w1
cat q2
ip -n b -s link
# A VLAN behind the PVID is missing in the list of a bridge.
ip netns add sw
ip -n sw link add br0 type bridge vlan_filtering 1
ip -n sw link add p1 type dummy
ip -n sw link set p1 master br0
bridge -n sw vlan add vid 2-4 dev p1 untagged
bridge -n sw -d vlan
bridge -n sw vlan add vid 3 dev p1 pvid untagged
bridge -n sw -d vlan
bridge -n sw vlan
