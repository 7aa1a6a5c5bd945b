# Three hosts on a bridge: what every device counts.
# needs: uml
ip netns add sw
for i in 1 2 3; do
    ip netns add h$i
    ip link add eth0 netns h$i address 02:00:00:00:00:0$i type veth peer name p$i netns sw address 02:00:00:00:01:0$i
    ip -n h$i link set eth0 up
    ip -n h$i addr add 10.0.0.$i/24 dev eth0
done
ip -n sw link add br0 address 02:00:00:00:01:00 type bridge
ip -n sw link set br0 up
# Until it has reported its groups.
sleep 1.2
for i in 1 2 3; do
    ip -n sw link set p$i master br0 up
done
sleep 2
ip netns exec h1 ping -c1 -W1 10.0.0.2
ip netns exec h3 ping -c2 -i 0.2 -W1 10.0.0.2
bridge -n sw link set dev p2 isolated on
bridge -n sw link set dev p1 isolated on
ip netns exec h1 ping -c1 -W1 10.0.0.2
bridge -n sw link set dev p3 hairpin on
ip netns exec h3 ping -c1 -W1 10.0.0.9
sleep 7
for n in sw h1 h2 h3; do
    ip -n $n neigh
    ip -n $n -s link
done
