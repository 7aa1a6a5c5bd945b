# needs: uml
# The forwarding database of a vxlan device, by hand.
ip netns add a
ip netns add b
ip link add u0 netns a type veth peer name u1 netns b
ip -n a link set u0 up
ip -n b link set u1 up
ip -n a link add vx0 type vxlan id 4 remote 192.168.0.2 dstport 4789
ip -n a link set vx0 up
B="bridge -n a fdb"
$B add 02:00:00:00:00:99 dev vx0 dst 192.168.0.9
$B add 02:00:00:00:00:99 dev vx0 dst 192.168.0.9
$B append 02:00:00:00:00:99 dev vx0 dst 192.168.0.10
$B replace 02:00:00:00:00:99 dev vx0 dst 192.168.0.10
$B add 02:00:00:00:00:98 dev vx0
$B add 00:00:00:00:00:00 dev vx0 dst 192.168.0.11
$B append 00:00:00:00:00:00 dev vx0 dst 192.168.0.11 port 99 vni 77 via u0
$B replace 00:00:00:00:00:00 dev vx0 dst 192.168.0.11
$B append 00:00:00:00:00:00 dev vx0 dst 192.168.0.11 port 99 vni 77 via u0
$B show dev vx0
$B append 01:00:5e:01:02:03 dev vx0 dst 192.168.0.12
$B append 01:00:5e:01:02:03 dev vx0 dst 192.168.0.13
$B show dev vx0
$B del 01:00:5e:01:02:03 dev vx0 dst 192.168.0.12
$B del 01:00:5e:01:02:03 dev vx0 dst 192.168.0.12
$B del 01:00:5e:01:02:03 dev vx0
$B del 02:00:00:00:00:97 dev vx0
$B replace 01:00:5e:01:02:04 dev vx0 dst 192.168.0.12
$B add 02:00:00:00:00:96 dev vx0 dst ::1
$B add 02:00:00:00:00:96 dev vx0 dst 192.168.0.14 via nothere
$B add 02:00:00:00:00:96 dev vx0 dst 192.168.0.14 dynamic
$B add 02:00:00:00:00:95 dev vx0 dst 192.168.0.14 static
$B add 02:00:00:00:00:94 dev vx0 dst 192.168.0.14 vni 4 port 4789
$B add 02:00:00:00:00:93 dev vx0 dst 192.168.0.14 src_vni 4 port 4789
$B add 02:00:00:00:00:92 dev vx0 dst 192.168.0.14 master
$B replace 02:00:00:00:00:91 dev vx0 dst 192.168.0.14
$B add 02:00:00:00:00:90 dev vx0 dst 0.0.0.0
$B add 02:00:00:00:00:89 dev vx0 dst 239.1.1.1
$B add 02:00:00:00:00:88 dev vx0 dst 1.2.3.4 use
$B add 02:00:00:00:00:87 dev vx0 dst 1.2.3.4 extern_learn
$B add 02:00:00:00:00:86 dev vx0 dst 1.2.3.4 router
$B add 02:00:00:00:00:85 dev vx0 dst 1.2.3.4 sticky
$B add 02:00:00:00:00:84 dev vx0 dst 1.2.3.4 vlan 3
$B flush dev vx0
$B show dev vx0
bridge -n a -j fdb show dev vx0
bridge -n a -d fdb show dev vx0
$B get 02:00:00:00:00:99 dev vx0
$B get 02:00:00:00:00:99 dev vx0 self
$B get 02:00:00:00:00:09 dev vx0 self
$B get 02:00:00:00:00:99 dev vx0 self vni 5
ip -n a link set vx0 down
$B show dev vx0
ip -n a link set vx0 netns b name vxm
bridge -n b fdb show dev vxm
ip -n b link add br0 type bridge
ip -n b link set vxm master br0
bridge -n b fdb show dev vxm
ip -n b link set vxm nomaster
ip -n a link add vx1 type vxlan id 5 dstport 4789 maxaddress 2
ip -n a link set vx1 up
for i in 1 2 3; do $B add 02:00:00:00:00:0$i dev vx1 dst 1.2.3.$i; done
$B show dev vx1
$B add 02:00:00:00:00:05 dev u0
$B add 02:00:00:00:00:06 dev u0 dst 1.1.1.1
$B show
