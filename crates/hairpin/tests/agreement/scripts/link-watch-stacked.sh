# needs: uml
# What stands on a device has its carrier from the start, or not, and is told of it a moment later.
sleep 5
ip netns add a
ip netns add b
ip -n b link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02
ip -n b link add link v0 name v0.1 type vlan id 1
ip -n b link add link v0 name m1 address 02:00:00:00:00:11 type macvlan
ip -n b link set v0 up
ip -n b link set v0.1 up
ip -n b link set m1 up
ip -n b link
ip -n b link set v1 up
ip -n b link
ip -n b link add link v0 name v0.2 type vlan id 2
ip -n b link add link v0 name m2 address 02:00:00:00:00:12 type macvlan
ip -n b link add link v0 name v0.3 netns a type vlan id 3
ip -n b link add link v0 name m3 address 02:00:00:00:00:13 netns a type macvlan
ip -n b link set v0.2 up
ip -n b link set m2 up
ip -n a link set v0.3 up
ip -n a link set m3 up
ip -n b link
ip -n a link
ip -n b link set v1 down
ip -n b link
ip -n b link add link v0 name v0.4 type vlan id 4
ip -n b link add link v0 name m4 address 02:00:00:00:00:14 type macvlan
ip -n b link set v0.4 up
ip -n b link set m4 up
ip -n b link
ip -n b link set v1 up
ip -n b link
ip -n b link set v0 down
ip -n b link
ip -n b link set v0 up
ip -n b link
sleep 1.2
ip -n b link
