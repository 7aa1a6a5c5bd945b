# needs: uml
# runs: by bash alone
# ipvlans in each mode with each flag: siblings, the device below, and the world outside; what each device sees.
N="ip netns exec"
for mode in l2 l3 l3s; do
    for n in h o a b; do ip netns add $n; ip -n $n link set lo up; done
    ip link add low netns h address 02:00:00:00:00:01 type veth peer name wire netns o address 02:00:00:00:00:02
    ip -n h link set low up
    ip -n o link set wire up
    ip -n o addr add 10.0.0.2/24 dev wire
    ip -n o addr add 10.7.0.1/24 dev wire
    ip -n o route add 10.5.0.0/24 via 10.0.0.1
    ip -n o neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev wire
    ip -n h addr add 10.0.0.1/24 dev low
    ip -n h route add 10.7.0.0/24 via 10.0.0.2
    ip -n h link add link low name iv1 netns a type ipvlan mode $mode
    ip -n h link add link low name iv2 netns b type ipvlan mode $mode
    ip -n a addr add 10.0.0.10/24 dev iv1
    ip -n b addr add 10.0.0.11/24 dev iv2
    ip -n a addr add 10.5.0.10/32 dev iv1
    ip -n a link set iv1 up
    ip -n b link set iv2 up
    ip -n a route add default dev iv1
    ip -n b route add default dev iv2
    watch a:iv1 b:iv2 h:low o:wire
    for flag in bridge private vepa; do
        ip -n a link set iv1 type ipvlan $flag
        seen $N a ping -c1 -W0.4 10.0.0.11
        seen $N a ping -c1 -W0.4 10.0.0.1
        seen $N a ping -c1 -W0.4 10.0.0.2
        seen $N o ping -c1 -W0.4 10.0.0.10
        seen $N h ping -c1 -W0.4 10.0.0.10
        seen $N a ping -c1 -W0.4 -b 10.0.0.255
        seen $N a ping -c1 -W0.4 -I 10.5.0.10 10.7.0.1
        seen $N o ping -c1 -W0.4 10.5.0.10
        seen $N a ping -c1 -W0.4 9.9.9.9
    done
    unwatch
    for n in h o a b; do ip netns del $n; done
done
