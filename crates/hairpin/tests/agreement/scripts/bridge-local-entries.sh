# needs: uml
# The bridge device sends to an own address of a port by that port, as if somebody were behind it.
for n in sw h1 h2; do ip netns add $n; done
ip -n sw link add br0 address 02:00:00:00:00:01 type bridge mcast_snooping 0
ip -n sw link set br0 up
ip -n sw addr add 10.0.0.254/24 dev br0
for i in 1 2; do
    ip link add eth0 netns h$i address 02:00:00:00:00:1$i type veth peer name p$i netns sw address 02:00:00:00:00:2$i
    ip -n h$i link set eth0 up
    ip -n sw link set p$i up
    ip -n sw link set p$i master br0
    ip -n h$i addr add 10.0.0.$i/24 dev eth0
done
sleep 2.5
# Of the port itself, of a host behind another port, of nobody, of the bridge.
bridge -n sw fdb replace 02:00:00:00:00:12 dev p1 master
bridge -n sw fdb replace 02:00:00:00:00:33 dev p2 master local
bridge -n sw fdb show br br0
ip -n sw neigh replace 10.0.0.1 lladdr 02:00:00:00:00:21 nud permanent dev br0
ip -n sw neigh replace 10.0.0.2 lladdr 02:00:00:00:00:12 nud permanent dev br0
ip -n sw neigh replace 10.0.0.3 lladdr 02:00:00:00:00:33 nud permanent dev br0
ip -n sw neigh replace 10.0.0.4 lladdr 02:00:00:00:00:01 nud permanent dev br0
for i in 1 2; do ip netns exec h$i tcpdump -l -e -n -t -i eth0 icmp >h$i.cap 2>/dev/null & done
sleep 0.7
for i in 1 2 3 4; do ip netns exec sw ping -c1 -W0.31 10.0.0.$i; done
ip netns exec h1 ping -c1 -W0.31 10.0.0.2
sleep 0.5
kill %1 %2
wait
cat h1.cap
cat h2.cap
ip -n sw -s link show dev br0
ip -n sw -s link show dev p1
ip -n sw -s link show dev p2
