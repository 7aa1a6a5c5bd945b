# What an ipvlan sends to the host's own address and to others while the device below is down, in fragments too.
# needs: uml
ip netns add host; ip netns add out
ip link add low netns host address 02:00:00:00:00:02 type veth peer name wire netns out address 02:00:00:00:00:03
ip -n host link set low up
ip -n out link set wire up
ip -n host addr add 10.0.1.2/24 dev low
for mode in l2 l3 l3s; do
    ip netns add $mode
    ip -n host link add link low name m0 netns $mode type ipvlan mode $mode
    ip -n $mode link set m0 up
    ip -n $mode addr add 10.0.1.5/24 dev m0
    ip -n $mode neigh add 10.0.1.2 lladdr 02:00:00:00:00:02 dev m0 nud permanent
    ip -n $mode neigh add 10.0.1.9 lladdr 02:00:00:00:00:09 dev m0 nud permanent
    sleep 1.3
    for to in 10.0.1.2 10.0.1.9 10.0.1.5; do ip netns exec $mode ping -c1 -W0.31 $to; done
    ip -n host link set low down
    for to in 10.0.1.2 10.0.1.9 10.0.1.5; do ip netns exec $mode ping -c1 -W0.31 $to; done
    for to in 10.0.1.2 10.0.1.9; do ip netns exec $mode ping -c1 -W0.31 -s 3000 $to; done
    ip -n $mode -s link
    ip -n host -s link
    ip netns del $mode
    ip -n host link set low up
done
