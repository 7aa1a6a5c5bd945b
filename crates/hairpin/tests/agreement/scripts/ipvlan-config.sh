# needs: uml
# covers: dumps ipvlan
# covers: refusals ipvlan
# What ipvlans are made from, what they show, what is the port's, and what is refused.
ip netns add h
ip netns add o
ip netns add c
ip link add low netns h address 02:00:00:00:00:01 type veth peer name wire netns o address 02:00:00:00:00:02
ip -n h link set low up
ip -n o link set wire up
ip -n h link add link low name iv1 type ipvlan
ip -n h -d link show iv1
ip -n h link add link low name iv2 type ipvlan mode l2 private
ip -n h -d link show iv1
ip -n h -d -j link show iv2
ip -n h link add link iv1 name iv3 type ipvlan mode l3s vepa
ip -n h -d link
ip -n h link set iv1 up
ip -n h link show iv1
ip -n h link set iv2 type ipvlan mode l2
ip -n h link show iv1
ip -n h link set iv1 type ipvlan mode l3
ip -n h link
ip -n h link set iv3 type ipvlan private
ip -n h -d link show iv2
ip -n h link set iv3 type ipvlan
ip -n h link set iv3 type ipvlan mode l4
ip -n h link set iv3 type macvlan mode bridge
ip -n h link set iv3 type ipvlan private vepa
ip -n h link add link low name x type ipvlan mode l2 nothing
ip -n h link add link lo name x type ipvlan
ip -n h link add name x type ipvlan
ip -n h link add link low name x type macvlan
ip -n h link add br0 type bridge
ip -n h link set low master br0
ip -n h link set iv1 master br0
ip -n h link add link iv1 name x type macvlan
ip -n h link add link iv1 name x type vlan id 5
ip -n h link add d0 address 02:00:00:00:00:0d type dummy
ip -n h link add link d0 name m0 type macvlan
ip -n h link add link d0 name x type ipvlan
ip -n h link del m0
ip -n h link set d0 master br0
ip -n h link add link d0 name x type ipvlan
ip -n h link set d0 nomaster
ip -n h link add link d0 name x type ipvlan mode l2
ip -n h -d link show x
ip -n h link set x up
ip -n h link set x type ipvlan mode l2
ip -n h link show x
ip -n h link set d0 up
sleep 1.2
ip -n h link show x
ip -n h link set d0 carrier off
sleep 1.2
ip -n h link show x
ip -n h link set d0 carrier on
sleep 1.2
ip -n h link show x
ip -n h link del d0
ip -n h link show x
# Addresses.
ip -n h addr add 10.0.0.1/24 dev low
ip -n h addr add 10.0.0.11/24 dev iv1
ip -n h addr add 10.0.0.11/24 dev iv1
ip -n h addr add 10.0.0.11/24 dev iv2
ip -n h addr add 10.0.0.11/25 dev iv1
ip -n h addr add 10.0.0.1/24 dev iv2
ip -n h addr add 10.0.0.77 peer 10.0.0.11/24 dev iv2
ip -n h addr add 10.0.0.11 peer 10.0.0.88/24 dev iv2
ip -n h addr
ip -n h addr del 10.0.0.11/24 dev iv1
ip -n h addr add 10.0.0.11/24 dev iv3
ip -n h link set iv1 netns c
ip -n c -d link show iv1
ip -n c addr add 10.0.0.12/24 dev iv1
ip -n h addr add 10.0.0.12/24 dev iv2
ip -n c link set iv1 netns h
ip -n h addr add 10.0.0.12/24 dev iv2
ip -n h link set iv1 netns c
ip -n c link set iv1 up
# MAC, MTU, promiscuity.
ip -n c link set iv1 address 02:00:00:00:00:99
ip -n h link set low address 02:00:00:00:00:55
ip -n c link show iv1
ip -n h link add link low name iv4 address 02:00:00:00:00:98 mtu 3000 type ipvlan mode l2
ip -n h link show iv4
ip -n h link set low mtu 1400
ip -n h link
ip -n h link set iv4 mtu 2000
ip -n h link set low mtu 1450
ip -n h link set iv4 mtu 67
ip -n h link show iv4
ip -n c link set iv1 promisc on
ip -n h -d link show low
ip -n c link set iv1 promisc off
ip -n c link set iv1 allmulticast on
ip -n h -d link show low
ip -n c link set iv1 allmulticast off
ip -n h link set iv4 allmulticast on
ip -n h -d link show low
ip -n h link set iv4 allmulticast off
ip -n h link set iv4 up
# The lower device's state.
ip -n h link set low down
sleep 1.2
ip -n c link show iv1
ip -n h link show iv4
ip -n h link set low up
sleep 1.2
ip -n c link show iv1
ip -n o link set wire down
sleep 1.2
ip -n c link show iv1
ip -n h link show iv4
ip -n o link set wire up
sleep 1.2
ip -n c link show iv1
ip -n c -d -j link show iv1
ip netns exec c cat /sys/class/net/iv1/dev_id /sys/class/net/iv1/uevent /sys/class/net/iv1/speed /sys/class/net/iv1/addr_assign_type /sys/class/net/iv1/iflink /sys/class/net/iv1/flags
ip netns exec h ls /sys/class/net/iv4
ip netns exec h ethtool -i iv4
ip netns exec h ethtool iv4
ip netns exec h cat /proc/net/dev_mcast
# Identifiers go on where they were.
ip -n h link del iv4
ip -n h link add link low name iv5 type ipvlan
ip netns exec h cat /sys/class/net/iv5/dev_id
ip -n h link del iv5
ip -n h link del iv2
ip -n h link del iv3
ip -n c link del iv1
ip -n h link add link low name m0 address 02:00:00:00:00:0e type macvlan
ip -n h link del m0
ip -n h link add link low name iv6 type ipvlan
ip -n h -d link show iv6
ip netns exec h cat /sys/class/net/iv6/dev_id
ip -n h link set iv6 netns c
ip netns del c
ip -n h link
ip -n h link add link low name iv7 type ipvlan
ip -n h link del low
ip -n h link
ip link help ipvlan
ip link help ipvtap
