# needs: uml
# runs: by bash alone
# IPv6 over macvlans in each mode: link-local addresses, a duplicate, who finds and reaches whom.
for n in h o a b; do ip netns add $n; done
v6 h o a b
ip link add low netns h address 02:00:00:00:00:01 type veth peer name wire netns o address 02:00:00:00:00:02
ip -n h link set low up
ip -n o link set wire up
ip -n h addr add 2001:db8::1/64 dev low nodad
ip -n o addr add 2001:db8::2/64 dev wire nodad
for mode in private vepa bridge passthru; do
    ip -n h link add link low name m1 netns a address 02:00:00:00:00:0a type macvlan mode $mode
    ip -n a link set m1 up
    ip -n a addr add 2001:db8::a/64 dev m1
    if [ $mode != passthru ]; then
        ip -n h link add link low name m2 netns b address 02:00:00:00:00:0b type macvlan mode $mode
        ip -n b link set m2 up
        ip -n b addr add 2001:db8::b/64 dev m2
    fi
    sleep 3.5
    ip -n a -6 addr
    ip -n b -6 addr
    ip -n a -6 route show table all
    watch "-icmp6" a:m1 $([ $mode = passthru ] || echo b:m2) h:low o:wire
    seen ip netns exec a ping -6 -c1 -W1 2001:db8::b
    seen ip netns exec a ping -6 -c1 -W1 2001:db8::1
    seen ip netns exec a ping -6 -c1 -W1 2001:db8::2
    seen ip netns exec o ping -6 -c1 -W1 2001:db8::a
    seen ip netns exec h ping -6 -c1 -W1 2001:db8::a
    seen ip netns exec o ping -6 -c1 -W1 ff02::1%wire
    seen ip netns exec a ping -6 -c1 -W1 fe80::ff:fe00:2%m1
    unwatch
    ip netns exec a ping -6 -c1 -W1 2001:db8::2
    ip -n a -6 neigh
    ip -n o -6 neigh show 2001:db8::a
    # Somebody has the address.
    ip -n b addr add 2001:db8::2/64 dev m2
    ip -n b addr add 2001:db8::a/64 dev m2
    sleep 2.5
    ip -n b -6 addr show dev m2
    ip -n b link del m2
    ip -n a link del m1
    ip -n o -6 neigh flush all
done
