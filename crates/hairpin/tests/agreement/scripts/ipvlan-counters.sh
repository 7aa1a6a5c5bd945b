# needs: uml
# What ipvlans count in each mode, with nothing left to ask by ARP.
N="ip netns exec"
for n in h o a b; do ip netns add $n; ip -n $n link set lo up; done
ip link add low netns h address 02:00:00:00:00:01 type veth peer name wire netns o address 02:00:00:00:00:02
ip -n h link set low up
ip -n o link set wire up
ip -n o addr add 10.0.0.2/24 dev wire
ip -n h addr add 10.0.0.1/24 dev low
ip -n h neigh add 8.8.8.8 lladdr 02:00:00:00:00:02 dev low
for mode in l2 l3 l3s; do
    ip -n h link add link low name iv1 netns a type ipvlan mode $mode
    ip -n h link add link low name iv2 netns b type ipvlan mode $mode
    ip -n a addr add 10.0.0.10/24 dev iv1
    ip -n b addr add 10.0.0.11/24 dev iv2
    ip -n a link set iv1 up
    ip -n b link set iv2 up
    for d in 'a iv1' 'b iv2' 'h low' 'o wire'; do
        set -- $d
        for i in 1 10 11; do ip -n $1 neigh replace 10.0.0.$i lladdr 02:00:00:00:00:01 dev $2; done
        ip -n $1 neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev $2
    done
    for to in 11 2 1 255 10; do $N a ping -c2 -i0.2 -W0.2 -b 10.0.0.$to; done
    $N o ping -c2 -i0.2 -W0.2 10.0.0.10
    $N h ping -c2 -i0.2 -W0.2 10.0.0.10
    $N a ping -c1 -W0.2 -s 4000 10.0.0.11
    $N a ping -c1 -W0.2 -s 4000 10.0.0.2
    $N a ping -c1 -W0.2 8.8.8.8
    ip -n a neigh add 8.8.8.8 lladdr 02:00:00:00:00:02 dev iv1
    ip -n a route add default dev iv1
    $N a ping -c1 -W0.2 8.8.8.8
    ip -n b link set iv2 mtu 1000
    $N a ping -c1 -W0.2 -s 1200 10.0.0.11
    ip -n b link set iv2 down
    $N a ping -c1 -W0.2 10.0.0.11
    ip -n a -s link show iv1
    ip -n b -s link show iv2
    # The flags.
    ip -n b link set iv2 mtu 1500 up
    ip -n b neigh replace 10.0.0.10 lladdr 02:00:00:00:00:01 dev iv2
    for flag in private vepa; do
        ip -n a link set iv1 type ipvlan $flag
        $N a ping -c1 -W0.2 10.0.0.11
        ip -n a -s link show iv1
        ip -n b -s link show iv2
    done
    ip -n a link del iv1
    ip -n b link del iv2
done
ip -n h -s link show low
ip -n o -s link show wire
