# What generated scenarios of macvlans once found, and the emulation had otherwise.
pair() {
    for n in host out a b; do ip netns add $n; done
    ip link add low netns host address 02:00:00:00:00:01 type veth peer name wire netns out address 02:00:00:00:00:02
    ip -n host link set low up
    ip -n out link set wire up
    ip -n out link add br0 address 02:00:00:00:00:03 type bridge
    ip -n out link set br0 up
    sleep 2.3
    ip -n out link set wire master br0
    bridge -n out link set dev wire hairpin on
    ip -n out addr add 10.0.0.2/24 dev br0
    ip -n host addr add 10.0.0.1/24 dev low
}
done_with() {
    for n in host out a b; do ip netns del $n; done
    sleep 1.2
}
# Passthru: the answer that the bridge reflects is the macvlan's, arping on the device below does not see it.
pair
ip -n host link add link low name m1 netns a type macvlan mode passthru
ip -n a link set m1 up
ip -n a addr add 10.0.0.10/24 dev m1
ip netns exec host arping -c1 -w1 -I low 10.0.0.10
ip -n host -s link show low
done_with
# Source with nodst: down, it keeps frames from others all the same.
pair
ip -n host link add link low name m1 netns a address 02:00:00:00:00:0a type macvlan mode source nodst
ip -n host link add link low name m2 netns b address 02:00:00:00:00:0b type macvlan mode vepa
ip -n a link set m1 up
ip -n b link set m2 up
ip -n b addr add 10.0.0.11/24 dev m2
ip -n a link set m1 type macvlan macaddr add 02:00:00:00:00:01
ip -n a link set m1 down
sleep 1.2
ip netns exec b ping -c1 -W0.31 10.0.0.1
ip -n b neigh
ip -n b -s link show m2
done_with
# Source with its own address: what comes back to it is counted, a group's frame twice and once without its length.
pair
ip -n host link add link low name m1 netns a address 02:00:00:00:00:0a type macvlan mode source
ip -n a link set m1 up
ip -n a addr add 10.0.0.10/24 dev m1
ip -n a link set m1 type macvlan macaddr add 02:00:00:00:00:0a
ip netns exec a ping -c1 -W0.31 10.0.0.2
ip netns exec a ping -c1 -W0.31 -b 10.0.0.255
sleep 3.6
ip -n a -s link show m1
done_with
# What the device below refuses is dropped; and no fragment follows one that was.
pair
ip -n host link add link low name m1 netns a address 02:00:00:00:00:0a type macvlan mode bridge
ip -n a link set m1 up
ip -n a addr add 10.0.0.10/24 dev m1
sleep 1.2
ip netns exec a ping -c1 -W0.31 10.0.0.2
ip -n out link set wire mtu 1400
ip netns exec a ping -c1 -W0.31 -s 1600 10.0.0.2
ip netns exec host ping -c1 -W0.31 10.0.0.2
ip netns exec host ping -c1 -W0.31 -s 1600 10.0.0.2
ip -n a -s link show m1
ip -n host -s link show low
done_with
