# needs: uml
# covers: dumps vxlan
# covers: refusals vxlan
# What a vxlan device can be told, what it refuses, and what it says of itself.
ip netns add a
ip netns add b
ip link add u0 netns a address 02:00:00:00:00:31 type veth peer name u1 netns b address 02:00:00:00:00:32
ip -n a link set u0 up
ip -n b link set u1 up
ip -n a addr add 192.168.0.1/24 dev u0
ip -n a link add vx0 type vxlan
ip -n a link add vx0 type vxlan id 16777216
ip -n a link add vx0 type vxlan dstport 4789
ip -n a link add vx0 type vxlan id 4
ip -n a -d link show vx0
ip -n a link set vx0 type vxlan id 5
ip -n a link set vx0 type vxlan dstport 99
ip -n a link set vx0 type vxlan id 4 ttl 9
ip -n a link set vx0 type vxlan id 4 remote 192.168.0.2
bridge -n a fdb show dev vx0
ip -n a link set vx0 type vxlan id 4 proxy
ip -n a link set vx0 type vxlan id 4 l2miss
ip -n a link set vx0 type vxlan id 4 nolearning
ip -n a link set vx0 type vxlan id 4 srcport 1 2
ip -n a link set vx0 type vxlan id 4 maxaddress 3
ip -n a link set vx0 type vxlan id 4 ageing 30
ip -n a link set vx0 type vxlan id 4 dev u0
ip -n a link show vx0
ip -n a link set vx0 type vxlan id 4 local 192.168.0.1
ip -n a link set vx0 type vxlan id 4 noudpcsum
ip -n a link set vx0 type vxlan id 4 gbp
ip -n a link set vx0 type vxlan id 4 ttl inherit
ip -n a link set vx0 type vxlan id 4 tos 4 df set
ip -n a link set vx0 type vxlan id 4 local 192.168.0.9 remote 192.168.0.3
ip -n a -d link show vx0
ip -n a -d -j link show vx0
bridge -n a fdb show dev vx0
ip -n a link set vx0 mtu 67
ip -n a link set vx0 mtu 1451
ip -n a link set vx0 mtu 1450
ip -n a link set vx0 mtu 1400
ip -n a link add vx1 type vxlan id 4 dstport 8472
ip -n a link add vx1 type vxlan id 4 dstport 8473
ip -n a link del vx1
ip -n a link add vx1 type vxlan id 7 dstport 4789 group 239.1.1.1
ip -n a link add vx1 type vxlan id 7 dstport 4789 group 239.1.1.1 dev nothere
ip -n a link add vx1 type vxlan id 7 dstport 4789 group 239.1.1.1 dev u0 ttl 5
ip -n a link add vx2 type vxlan id 8 dstport 4789 group 239.1.1.1 dev u0 ttl 5
ip -n a -d link show vx1
ip -n a link set vx1 up
ip -n a link set vx2 up
ip -n a link show vx1
bridge -n a fdb show
ip -n a link set vx1 down
bridge -n a fdb show dev u0
ip -n a link set vx2 down
bridge -n a fdb show dev u0
ip -n a link add vx3 type vxlan id 9 dstport 4789 flowlabel 3
ip -n a link add vx3 address 01:00:00:00:00:01 type vxlan id 9 dstport 4789
ip -n a link add vx3 mtu 50 type vxlan id 9 dstport 4789
ip -n a link add vx3 type vxlan id 9 dstport 4789 srcport 60000 50000
ip -n a link add vx3 mtu 1600 type vxlan id 9 dstport 4789 remote 1.1.1.1 dev u0 ageing 0
ip -n a -d link show vx3
ip -n a link del vx3
ip -n a link add vx3 mtu 1300 type vxlan id 9 dstport 4789 remote 1.1.1.1 dev u0 ageing none nolearning srcport 50000 50001 maxaddress 5 tos inherit ttl inherit df inherit l2miss noudpcsum
ip -n a -d link show vx3
ip -n a -d -j link show vx3
ip -n a -br link
ip -n a link set vx3 netns b
ip -n b -d link show vx3
bridge -n b fdb show dev vx3
ip -n b link set vx3 up
ip netns exec a cat /proc/net/udp | sed -E 's/^ *[0-9]+:/N:/; s/ 0 [0-9]+ 2 .*//'
ip -n b link set vx3 name other up
ip -n b link set vx3 down
ip -n b link set vx3 name other
ip -n b link set other up
ip netns exec a ethtool -i vx1
ip netns exec a ethtool vx1
ip netns exec a ethtool vx0
ip netns exec b bash -c 'cd /sys/class/net/other; grep -H . addr_assign_type carrier duplex flags iflink mtu operstate speed type uevent'
ip link help vxlan
ip -n a link del u0
ip -n a -br link
ip -n b -br link
ip -n b link add vx9 type vxlan id 9 dstport 4789
ip -n b link set vx9 netns a
ip -n b link add vx9 netns a type vxlan id 9 dstport 4789
ip -n b link add vx9 netns a type vxlan id 10 dstport 4789
ip -n b link add vx10 netns a type vxlan id 10 dstport 4789
ip -n a -d link show vx9
ip netns del b
# Linux clears up behind the command.
sleep 1
ip -n a -br link
