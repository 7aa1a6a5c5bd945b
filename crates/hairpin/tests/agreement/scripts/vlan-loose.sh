# VLANs that are bound loosely, and the carrier of the device below.
# needs: uml
ip netns add a; ip netns add b
ip link add e0 netns a address 02:00:00:00:00:01 type veth peer name e0 netns b address 02:00:00:00:00:02
ip -n a link add link e0 name w5 type vlan id 5
ip -n a link add link e0 name w6 type vlan id 6 loose_binding on
ip -n a link add link e0 name w7 type vlan id 7 loose_binding on
ip -n a link set w7 up
look() { sleep 1.3; ip -n a link; ip netns exec a cat /sys/class/net/w6/carrier_changes /sys/class/net/w7/carrier_changes; }
look
ip -n a link set e0 up
look
ip -n b link set e0 up
look
# One that is down keeps what it has got, and goes up with it over a device that is down.
ip -n a link set e0 down
look
ip -n a link set w6 up
look
ip -n a link set w7 down
look
ip -n a link set w7 up
look
ip -n a link set w6 type vlan loose_binding off
look
ip -n a link set w6 down
look
ip -n a link set w6 up
ip -n a link set e0 up
look
ip -n b link set e0 down
look
ip -n a link set w7 type vlan loose_binding off
look
ip -n a link set e0 down
look
