# needs: uml
# runs: by bash alone
# programs: ip6tables
# IPv6 over ipvlans in each mode: what each device sees, and which namespace filters.
for n in h o a b; do ip netns add $n; done
v6 h o a b
ip link add low netns h address 02:00:00:00:00:01 type veth peer name wire netns o address 02:00:00:00:00:02
ip -n h link set low up
ip -n o link set wire up
ip -n h addr add 2001:db8::1/64 dev low nodad
ip -n o addr add 2001:db8::2/64 dev wire nodad
ip -n o neigh add 2001:db8::1 lladdr 02:00:00:00:00:01 dev wire
F="ip6tables-legacy"
# What a hook's rule has counted.
counted() { ip netns exec $1 $F -nvxL $2 >rules; grep icmptype rules; ip netns exec $1 $F -Z; }
for mode in l2 l3 l3s; do
    ip -n h link add link low name iv1 netns a type ipvlan mode $mode
    ip -n h link add link low name iv2 netns b type ipvlan mode $mode
    ip -n a link set iv1 up
    ip -n b link set iv2 up
    ip -n a addr add 2001:db8::a/64 dev iv1
    ip -n b addr add 2001:db8::b/64 dev iv2
    sleep 3.5
    ip -n a -6 addr
    ip -n b -6 addr
    ip -n a -6 route show table all
    watch "-icmp6" a:iv1 b:iv2 h:low o:wire
    seen ip netns exec a ping -6 -c1 -W1 2001:db8::b
    seen ip netns exec a ping -6 -c1 -W1 2001:db8::1
    seen ip netns exec a ping -6 -c1 -W1 2001:db8::2
    seen ip netns exec o ping -6 -c1 -W1 2001:db8::a
    seen ip netns exec h ping -6 -c1 -W1 2001:db8::a
    seen ip netns exec o ping -6 -c1 -W1 ff02::1%wire
    unwatch
    ip netns exec a ping -6 -c1 -W1 2001:db8::2
    ip -n a -6 neigh
    # Which hooks a packet passes.
    for n in h a; do
        for hook in INPUT OUTPUT FORWARD; do ip netns exec $n $F -A $hook -p icmpv6 --icmpv6-type echo-request; done
    done
    ip netns exec o ping -6 -c1 -W1 2001:db8::a
    ip netns exec a ping -6 -c1 -W1 2001:db8::2
    for n in h a; do for hook in INPUT OUTPUT FORWARD; do counted $n $hook; done; done
    ip netns exec h $F -A INPUT -p icmpv6 --icmpv6-type echo-request -j DROP
    ip netns exec o ping -6 -c1 -W1 2001:db8::a
    ip netns exec h $F -R INPUT 2 -p icmpv6 --icmpv6-type echo-request -j REJECT
    ip netns exec o ping -6 -c1 -W1 2001:db8::a
    for n in h a; do ip netns exec $n $F -F; done
    # One address for two.
    ip -n b addr add 2001:db8::a/64 dev iv2
    ip -n b link del iv2
    ip -n a link del iv1
    ip -n o -6 neigh flush all
done
