# needs: uml
# Who asks for members of IPv6 groups: a bridge that does so itself hears no other one, as it has no address that could be
# the lower one; one that does not ask hears everybody, the lowest address first.
ip netns add sw
ip netns add h
ip -n sw link add br0 address 02:00:00:00:00:02 type bridge mcast_querier 1
ip -n sw link set br0 up
ip link add eth0 netns h address 02:00:00:00:00:03 type veth peer name p1 netns sw address 02:00:00:00:00:04
ip -n h link set eth0 up
ip -n sw link set p1 up
ip -n sw link set p1 master br0
sleep 4.3
# A query from fe80::1, and one from fe80::2.
one=33330000000102000000aa0186dd6000000000200001fe800000000000000000000000000001ff0200000000000000000000000000013a0005020000010082007f5f00c8000000000000000000000000000000000000
two=33330000000102000000aa0286dd6000000000200001fe800000000000000000000000000002ff0200000000000000000000000000013a0005020000010082007f5e00c8000000000000000000000000000000000000
ip netns exec h inject eth0 $one
sleep 0.6
bridge -n sw -d mdb
ip -n sw link set br0 type bridge mcast_querier 0
sleep 130.3
ip netns exec h inject eth0 $two
sleep 0.6
bridge -n sw -d mdb
ip netns exec h inject eth0 $one
sleep 0.6
bridge -n sw -d mdb
