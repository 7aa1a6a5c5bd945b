# needs: uml
# An active slave leaves a bond in balance-alb: the bridge hears that its MAC is elsewhere before the link goes down.
ip netns add a
ip netns add sw
ip link add e1 netns a address 02:00:00:00:00:02 type veth peer name p1 netns sw address 02:00:00:00:00:03
ip link add e2 netns a address 02:00:00:00:00:04 type veth peer name p2 netns sw address 02:00:00:00:00:05
ip -n a link add bond0 type bond mode balance-alb miimon 100 lp_interval 3600
for e in e1 e2; do ip -n a link set $e master bond0; done
ip -n a link set bond0 up
ip -n sw link add br0 address 02:00:00:00:00:06 type bridge
ip -n sw link set br0 up
sleep 2.3
for p in p1 p2; do ip -n sw link set $p master br0; ip -n sw link set $p up; done
sleep 2.3
ip -n a addr add 10.0.1.3/24 dev bond0
ip -n sw addr add 10.0.1.2/24 dev br0
sleep 4.3
ip netns exec a ping -c1 -W0.31 10.0.1.2
bridge -n sw fdb show br br0
ip -n a link set e1 nomaster
bridge -n sw fdb show br br0
sleep 2.3
bridge -n sw fdb show br br0
ip netns exec a ping -c1 -W0.31 10.0.1.2
ip -n a link set e1 down
ip -n a link set e1 master bond0
sleep 2.3
bridge -n sw fdb show br br0
