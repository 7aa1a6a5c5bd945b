# What a bridge gets from a port and has no port for is not something that this port failed to send.
# needs: uml
for n in a b; do ip netns add $n; ip -n $n link set lo up; done
ip link add e0 netns a address 02:00:00:00:00:01 type veth peer name e0 netns b address 02:00:00:00:00:02
for n in a b; do ip -n $n link set e0 up; done
ip -n a addr add 10.9.0.1/24 dev e0
ip -n b addr add 10.9.0.2/24 dev e0
ip -n a link add br0 address 02:00:00:00:00:03 type bridge mcast_snooping 0
ip -n a link set br0 up
ip -n a link add vx0 address 02:00:00:00:00:04 type vxlan id 5 remote 10.9.0.2 local 10.9.0.1 dstport 4789
ip -n b link add vx0 address 02:00:00:00:00:05 type vxlan id 5 remote 10.9.0.1 local 10.9.0.2 dstport 4789
ip -n a link add g0 address 02:00:00:00:00:06 type gretap remote 10.9.0.2 local 10.9.0.1
ip -n b link add g0 address 02:00:00:00:00:07 type gretap remote 10.9.0.1 local 10.9.0.2
for d in vx0 g0; do
    ip -n a link set $d up
    ip -n b link set $d up
done
ip -n b addr add 10.1.0.2/24 dev vx0
ip -n b addr add 10.2.0.2/24 dev g0
ip -n b neigh add 10.1.0.9 lladdr 02:00:00:00:00:99 dev vx0
ip -n b neigh add 10.2.0.9 lladdr 02:00:00:00:00:99 dev g0
for d in vx0 g0; do
    ip -n a link set $d master br0
    sleep 1.3
    ip netns exec b ping -c1 -W0.3 10.1.0.9
    ip netns exec b ping -c1 -W0.3 10.2.0.9
    ip -n a -s link show dev vx0
    ip -n a -s link show dev g0
    ip -n a link set $d nomaster
done
# A bond as a port.
ip -n a link add bond0 address 02:00:00:00:00:08 type bond mode active-backup miimon 100
ip -n a addr del 10.9.0.1/24 dev e0
ip -n a link set e0 down
ip -n a link set e0 master bond0
ip -n a link set bond0 up
ip -n a link set bond0 master br0
sleep 1.3
ip -n b neigh add 10.9.0.9 lladdr 02:00:00:00:00:99 dev e0
ip netns exec b ping -c1 -W0.3 10.9.0.9
ip -n a -s link show dev bond0
ip -n a -s link show dev e0
