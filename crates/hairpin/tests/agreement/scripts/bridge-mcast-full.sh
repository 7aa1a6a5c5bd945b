# needs: uml
# A report for which the table of groups has no room ends snooping and goes nowhere; what comes then goes everywhere.
ip netns add sw
ip -n sw link add br0 address 02:00:00:00:00:02 type bridge
ip -n sw link set br0 up
ip netns add h1
ip netns add h2
ip link add eth0 netns h1 address 02:00:00:00:00:03 type veth peer name p1 netns sw address 02:00:00:00:00:04
ip -n h1 link set eth0 up
ip -n sw link set p1 up
ip link add eth0 netns h2 address 02:00:00:00:00:05 type veth peer name p2 netns sw address 02:00:00:00:00:06
ip -n h2 link set eth0 up
ip -n sw link set p2 up
ip -n sw link set p1 master br0
ip -n sw link set p2 master br0
bridge -n sw link set dev p2 mcast_router 2
sleep 4.3
ip netns exec sw tcpdump -l -e -n -t -i p2 'igmp or udp or ip6' >p2.cap 2>/dev/null &
sleep 0.7
ip -n sw link set br0 type bridge mcast_hash_max 2
bridge -n sw mdb add dev br0 port p1 grp 239.9.9.1 permanent
# IGMPv2, for the second group and for a third.
ip netns exec h1 inject eth0 01005e01010102000000aa0108004500001c000000000102bedd0a000101ef0101011600f9fcef010101000000000000000000000000000000000000
ip netns exec h1 inject eth0 01005e01010202000000aa0108004500001c000000000102bedc0a000101ef0101021600f9fbef010102000000000000000000000000000000000000
sleep 0.3
bridge -n sw mdb
ip -n sw -d link show br0
# A datagram to a group that nobody has joined, and a report that is none any more.
ip netns exec h1 inject eth0 01005e01010202000000aa01080045000020000000000411bbc90a000101ef0101029c40270f000c0000646174610000000000000000000000000000
ip netns exec h1 inject eth0 01005e01010202000000aa0108004500001c000000000102bedc0a000101ef0101021600f9fbef010102000000000000000000000000000000000000
sleep 0.3
# IGMPv3: of two records the first has no room.
ip -n sw link set br0 type bridge mcast_snooping 1
sleep 4.3
bridge -n sw mdb
ip -n sw link set br0 type bridge mcast_hash_max 1
ip netns exec h1 inject eth0 01005e00001602000000aa0c08004500002c000000000102ceae0a00010ce00000162200f5f50000000204000000ef01010104000000ef0101030000
sleep 0.3
bridge -n sw mdb
ip -n sw -d link show br0
# MLD
ip -n sw link set br0 type bridge mcast_snooping 1
sleep 4.3
ip netns exec h1 inject eth0 33330000000102000000aa0286dd6000000000200001fe800000000000000000000000000002ff1500000000000000000000000000013a0005020000010083007ffc00000000ff150000000000000000000000000001
sleep 0.3
bridge -n sw mdb
ip -n sw -d link show br0
kill %1
wait
cat p2.cap
