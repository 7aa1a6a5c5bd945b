# Three hosts on a bridge: learning, hairpin, isolation, flooding, counters.
# needs: uml
# runs: with the real programs
ip netns add sw
for i in 1 2 3; do
    ip netns add h$i
    ip link add eth0 netns h$i address 02:00:00:00:00:0$i type veth peer name p$i netns sw address 02:00:00:00:01:0$i
    ip -n h$i link set eth0 up
    ip -n h$i addr add 10.0.0.$i/24 dev eth0
done
ip -n sw link add br0 address 02:00:00:00:01:00 type bridge
ip -n sw link set br0 up
for i in 1 2 3; do
    ip -n sw link set p$i master br0 up
done
sleep 2
bridge -n sw link
ip netns exec h1 ping -c1 -W1 10.0.0.2
bridge -n sw fdb show dynamic
ip netns exec h3 ping -c1 -W1 10.0.0.2
bridge -n sw fdb show br br0
bridge -n sw link set dev p1 isolated on
bridge -n sw link set dev p2 isolated on
ip netns exec h1 ping -c1 -W1 10.0.0.2
ip netns exec h1 ping -c1 -W1 10.0.0.3
bridge -n sw link set dev p1 isolated off
bridge -n sw link set dev p2 isolated off learning off flood off
bridge -n sw fdb del 02:00:00:00:00:02 dev p2 master
ip netns exec h1 ping -c1 -W1 10.0.0.2
bridge -n sw link set dev p2 flood on
bridge -n sw link set dev p3 hairpin on
ip -n h1 neigh flush dev eth0
ip netns exec h1 ping -c1 -W1 10.0.0.2
ip netns exec h3 ping -c2 -W1 -i 0.2 10.0.0.1
bridge -n sw -d link
ip -n sw addr add 10.0.0.100/24 dev br0
ip netns exec h1 ping -c1 -W1 10.0.0.100
ip netns exec sw ping -c1 -W1 10.0.0.3
bridge -n sw fdb add 02:00:00:00:00:77 dev p1 master static
bridge -n sw fdb add 02:00:00:00:00:77 dev p1 master static
bridge -n sw fdb append 02:00:00:00:00:77 dev p1 master static
bridge -n sw fdb replace 02:00:00:00:00:77 dev p2 master static
bridge -n sw fdb add 02:00:00:00:00:78 dev p1 master dynamic
bridge -n sw fdb add 02:00:00:00:00:79 dev p1
bridge -n sw fdb add 02:00:00:00:00:80 dev br0 self
bridge -n sw fdb add 02:00:00:00:00:81 dev p1 self
bridge -n sw fdb del 02:00:00:00:00:99 dev p1 master
bridge -n sw fdb
bridge -n sw fdb get 02:00:00:00:00:01 br br0
bridge -n sw fdb get 02:00:00:00:00:55 br br0
bridge -n sw fdb flush dev p1
