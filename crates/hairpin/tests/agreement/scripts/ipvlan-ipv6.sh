# needs: uml
# runs: by bash alone
# IPv6 over ipvlans: their identifiers, whose address is whose, who answers whom in each mode.
for n in h o a b; do
    ip netns add $n
    ip -n $n link set lo up
    ip netns exec $n sysctl -q -w net.ipv6.conf.all.disable_ipv6=0
    ip netns exec $n sysctl -q -w net.ipv6.conf.default.disable_ipv6=0
done
ip link add low netns h address 02:00:00:00:00:01 type veth peer name wire netns o address 02:00:00:00:00:02
ip -n h link set low up
ip -n o link set wire up
ip -n h addr add 2001:db8::1/64 dev low nodad
ip -n o addr add 2001:db8::2/64 dev wire nodad
ip -n o route add 2001:db8::10/128 via 2001:db8::1
ip -n h link add link low name iv1 netns a type ipvlan mode l2
ip -n h link add link low name iv2 netns b type ipvlan mode l2
ip -n a addr add 2001:db8::10/64 dev iv1 nodad
ip -n b addr add 2001:db8::11/64 dev iv2 nodad
ip -n b addr add 2001:db8::10/64 dev iv2
ip -n a link set iv1 up
ip -n b link set iv2 up
sleep 3
ip -n a -6 addr show dev iv1
ip -n b -6 addr show dev iv2
ip -n h -6 addr show dev low
for mode in l2 l3 l3s; do
    ip -n a link set iv1 type ipvlan mode $mode
    sleep 3
    ip netns exec a ping -6 -c1 -W1 2001:db8::11
    ip netns exec a ping -6 -c1 -W1 2001:db8::2
    ip netns exec o ping -6 -c1 -W1 2001:db8::10
    ip netns exec a ping -6 -c1 -W1 2001:db8::1
    sleep 4
done
ip -n a -6 addr show dev iv1
ip -n b addr add 2001:db8::10/64 dev iv2
ip -n a addr del 2001:db8::10/64 dev iv1
ip -n b addr add 2001:db8::10/64 dev iv2
