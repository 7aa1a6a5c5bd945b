# needs: uml
# A group that loses its last port while the bridge is down is listed no more, but keeps its place in the table until somebody
# has joined and left it again.
ip netns add sw
ip -n sw link add br0 address 02:00:00:00:00:02 type bridge
ip -n sw link set br0 up
ip netns add h1
ip link add eth0 netns h1 address 02:00:00:00:00:03 type veth peer name p1 netns sw address 02:00:00:00:00:04
ip -n h1 link set eth0 up
ip -n sw link set p1 up
ip -n sw link set p1 master br0
sleep 2.3
bridge -n sw mdb add dev br0 port p1 grp 239.1.1.1
bridge -n sw mdb add dev br0 port p1 grp 239.1.1.9 permanent
bridge -n sw mdb
ip -n sw link set br0 down
bridge -n sw mdb
ip -n sw link set br0 up
sleep 2.3
bridge -n sw mdb
ip -n sw link set br0 type bridge mcast_hash_max 2
# There are two, of which one is seen.
bridge -n sw mdb add dev br0 port p1 grp 239.1.1.2 permanent
ip -n sw -d link show br0
ip -n sw link set br0 type bridge mcast_snooping 1
sleep 2.3
bridge -n sw mdb add dev br0 port p1 grp 239.1.1.1
bridge -n sw mdb
bridge -n sw mdb del dev br0 port p1 grp 239.1.1.1
# It goes with the next tick.
sleep 0.3
bridge -n sw mdb add dev br0 port p1 grp 239.1.1.2 permanent
bridge -n sw mdb
bridge -n sw mdb add dev br0 port p1 grp 239.1.1.1
ip -n sw -d link show br0
# A port that leaves takes its groups along, in the same way.
ip -n sw link set br0 type bridge mcast_snooping 1 mcast_hash_max 3
sleep 2.3
ip -n sw link set br0 down
ip -n sw link set p1 nomaster
ip -n sw link set br0 up
ip -n sw link set p1 master br0
sleep 2.3
bridge -n sw mdb
bridge -n sw mdb add dev br0 port p1 grp 239.1.1.3 permanent
bridge -n sw mdb add dev br0 port p1 grp 239.1.1.4 permanent
bridge -n sw mdb
