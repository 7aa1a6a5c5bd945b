# needs: uml
# Two bridges that begin to ask for members at one tick: both have asked before either hears the other, so that both fall
# silent, and a member that leaves stays until its time is over.
ip netns add sw
ip netns add h1
ip netns add h4
ip -n sw link add br0 address 02:00:00:00:00:02 type bridge mcast_querier 1 mcast_query_response_interval 200 mcast_last_member_interval 100 mcast_startup_query_interval 30000
ip -n sw link set br0 up
ip link add eth0 netns h1 address 02:00:00:00:00:03 type veth peer name p1 netns sw address 02:00:00:00:00:04
ip link add eth0 netns h4 address 02:00:00:00:00:05 type veth peer name p4 netns sw address 02:00:00:00:00:06
ip -n h1 link set eth0 up
ip -n h4 link set eth0 up
ip -n h1 addr add 10.0.1.1/24 dev eth0
ip -n sw link set p1 up
ip -n sw link set p1 master br0
ip -n sw link set p4 up
sleep 4.3
ip -n h1 addr add 239.1.1.1/32 dev eth0 autojoin
sleep 11.3
ip -n h4 link add br4 address 02:00:00:00:00:09 type bridge mcast_querier 1 mcast_query_use_ifaddr 1 mcast_query_response_interval 200 mcast_startup_query_interval 30000
ip -n h4 addr add 10.0.1.44/24 dev br4
ip -n h4 link set br4 up
sleep 2.3
ip -n sw link set p4 master br0
ip -n h4 link set eth0 master br4
sleep 6.3
bridge -n sw -d mdb
bridge -n h4 -d mdb
ip -n h1 addr del 239.1.1.1/32 dev eth0
sleep 5.3
bridge -n sw -d mdb
bridge -n h4 -d mdb
