# needs: uml
# A bridge that filters VLANs and knows without looking where its frames go tells its ports which addresses they are to take:
# those that it never forgets.
ip netns add a
ip -n a link add d1 address 02:00:00:00:00:01 type dummy
ip -n a link add d2 address 02:00:00:00:00:02 type dummy
for d in d1 d2; do ip -n a link set $d up; done
ip -n a link add br0 address 02:00:00:00:00:10 type bridge vlan_filtering 1
ip -n a link add link d1 name w1 address 02:00:00:00:00:11 type vlan id 5
ip -n a link add link d2 name w2 address 02:00:00:00:00:12 type vlan id 6
ip -n a link set w1 master br0
bridge -n a fdb
ip -n a link set w1 up
ip -n a link set br0 up
sleep 1.3
bridge -n a fdb
ip -n a -d link show d1
# One more that learns: both take everything.
ip -n a link set w2 up
ip -n a link set w2 master br0
bridge -n a fdb
ip -n a -d link show w1
# None learns.
for w in w1 w2; do bridge -n a link set dev $w learning off flood off; done
bridge -n a fdb
ip -n a -d link show w1
bridge -n a fdb add 02:00:00:00:00:77 dev w1 master static vlan 1
bridge -n a fdb add 02:00:00:00:00:78 dev w1 master dynamic vlan 1
bridge -n a fdb add 02:00:00:00:00:79 dev w2 master vlan 1
bridge -n a fdb
bridge -n a fdb replace 02:00:00:00:00:77 dev w2 master dynamic vlan 1
bridge -n a fdb replace 02:00:00:00:00:78 dev w2 master static vlan 1
bridge -n a fdb
bridge -n a fdb del 02:00:00:00:00:79 dev w2 master vlan 1
bridge -n a vlan add dev w1 vid 7
bridge -n a vlan add dev br0 vid 7 self
bridge -n a fdb
bridge -n a vlan del dev w1 vid 7
# As many entries as there are VLANs.
bridge -n a vlan add dev w1 vid 8-4094
bridge -n a fdb | grep -c vlan
bridge -n a fdb | grep -v vlan
bridge -n a vlan del dev w1 vid 8-4094
bridge -n a fdb
ip -n a link set w2 address 02:00:00:00:00:22
bridge -n a fdb
ip -n a link set br0 promisc on
bridge -n a fdb
ip -n a link set br0 promisc off
bridge -n a fdb
ip -n a link set br0 type bridge vlan_filtering 0
bridge -n a fdb
ip -n a link set br0 type bridge vlan_filtering 1
bridge -n a fdb
ip -n a link set w2 nomaster
bridge -n a fdb
ip -n a link set w1 nomaster
bridge -n a fdb
ip -n a -d link show d1
