# What generated scenarios of links once found, and the emulation had otherwise.
# needs: uml
for n in n0 n1; do ip netns add $n; done
# Addresses of what stands on a VLAN go from the device below when the VLAN goes down, and come back.
ip link add e0 netns n0 address 02:00:00:00:00:01 type veth peer name e1 netns n1 address 02:00:00:00:00:02
ip -n n0 link set e0 up
ip -n n1 link set e1 up
ip -n n0 link add link e0 name w1 type vlan id 1
ip -n n0 link set w1 up
ip -n n0 link add link w1 name m1 address 02:00:00:00:00:0a type macvlan mode bridge
ip -n n0 link set m1 up
bridge -n n0 fdb show dev e0
ip -n n0 -d link show e0
ip -n n0 link set w1 down
bridge -n n0 fdb show dev e0
ip -n n0 -d link show e0
ip -n n0 link set w1 up
bridge -n n0 fdb show dev e0
# A VLAN tells the one below at once what it is to receive, be it up or not.
ip -n n0 link set w1 down
ip -n n0 link set w1 promisc on allmulticast on
ip -n n0 -d link show e0
ip -n n0 link set w1 promisc off
ip -n n0 -d link show e0
# An address by hand, and one that somebody else put there.
bridge -n n0 fdb add 02:00:00:00:00:77 dev e0 self
bridge -n n0 fdb add 02:00:00:00:00:77 dev e0 self
ip netns exec n0 cat /proc/net/dev_mcast
bridge -n n0 fdb del 02:00:00:00:00:77 dev e0 self
bridge -n n0 fdb show dev e0
ip -n n0 link del m1
ip -n n0 link del w1
# What moves has no secondary addresses there, and its state by where it is then.
ip link add v1 netns n1 address 02:00:00:00:01:01 type veth peer name v2 netns n0 address 02:00:00:00:01:02
ip -n n1 link set v1 up
ip -n n0 link set v2 up
sleep 1.2
ip -n n1 link set v1 netns n0
sleep 1.2
ip -n n0 link show v2
ip -n n0 link set v1 up
sleep 1.2
ip -n n0 link
# How long segments may be is copied when a device is made.
ip -n n0 link add br0 address 02:00:00:00:02:01 type bridge
ip -n n0 link add link br0 name w2 type vlan id 2
ip -n n0 link set v1 master br0
ip -n n0 link add link br0 name w3 type vlan id 3
ip -n n0 -d link show br0
ip -n n0 -d link show w2
ip -n n0 -d link show w3
ip -n n0 link set v1 nomaster
ip -n n0 -d link show br0
ip -n n0 -d link show w2
# A macvlan on a bridge that is down does not hear that the bridge has lost its carrier.
ip -n n1 link add br1 type bridge
ip -n n1 link set br1 up
ip -n n1 link add link br1 name m2 address 02:00:00:00:00:0b type macvlan mode bridge
ip -n n1 link set m2 up
sleep 1.2
ip -n n1 link set br1 down
ip -n n1 link set br1 address 02:00:00:00:02:02
sleep 1.2
ip -n n1 link show m2
