# needs: uml
# covers: traffic bond bridge geneve gre gretap ifb ipip ipvlan ipvtap macvlan macvtap sit veth vlan vrf vxlan dummy
# Two hosts on a wire, and on it each kind of link in turn, which is a container's on either side: the same pings, with
# captures on the link and below it on both sides, and the counters of all.
for n in a b ca cb; do ip netns add $n; ip -n $n link set lo up; done
ip link add u0 netns a address 02:00:00:00:00:31 type veth peer name u0 netns b address 02:00:00:00:00:32
ip -n a link set u0 up
ip -n b link set u0 up
ip -n a addr add 192.168.0.1/24 dev u0
ip -n b addr add 192.168.0.2/24 dev u0
sleep 1.2
ip -n a neigh replace 192.168.0.2 lladdr 02:00:00:00:00:32 dev u0
ip -n b neigh replace 192.168.0.1 lladdr 02:00:00:00:00:31 dev u0
# The containers' addresses, which layer 3 below must know.
ip -n a route add 10.9.0.2 via 192.168.0.2
ip -n b route add 10.9.0.1 via 192.168.0.1
# exchange: what is on a link k0 of either container.
exchange() {
    ip -n a link set k0 netns ca
    ip -n b link set k0 netns cb
    ip -n cb link set k0 address 02:00:00:00:00:42
    for n in ca cb; do ip -n $n link set k0 up; done
    ip -n ca addr add 10.9.0.1/24 brd + dev k0
    ip -n cb addr add 10.9.0.2/24 brd + dev k0
    sleep 1.2
    W=
    for n in ca cb; do
        ip netns exec $n tcpdump -l $E -n -t -v -i k0 >$n.cap 2>/dev/null &
        W="$W $!"
    done
    for n in a b; do
        ip netns exec $n tcpdump -l -e -n -t -v -i u0 >$n.cap 2>/dev/null &
        W="$W $!"
    done
    sleep 1
    ip netns exec ca ping -c2 -i0.3 -W1 10.9.0.2
    ip netns exec ca ping -c1 -W1 -s 2000 10.9.0.2
    ip netns exec cb ping -c1 -W1 -M do -s 1460 10.9.0.1
    ip netns exec cb ping -c1 -W1 -b $B
    ip netns exec ca ping -c1 -W0.6 10.9.0.77
    ip netns exec ca arping -c1 -w1 -I k0 10.9.0.2
    sleep 1
    kill $W
    wait
    for n in ca cb a b; do cat $n.cap; done
    for n in ca cb; do ip -n $n -s link show k0; ip -n $n neigh; ip -n $n route; done
    for n in a b; do ip -n $n -s link show u0; ip -n $n neigh; done
    for n in ca cb; do ip -n $n link del k0; done
    for n in a b; do ip -n $n neigh flush dev u0; done
}
A="address 02:00:00:00:00:41"
B=10.9.0.255
E=-e
for k in "$A type veth peer name k1" "$A type dummy" "$A type ifb" "link u0 $A type vlan id 5" "link u0 $A type vlan protocol 802.1ad id 5" "link u0 $A type macvlan mode bridge" "link u0 $A type macvlan mode vepa" "link u0 $A type macvlan mode private" "link u0 $A type macvlan mode passthru" "link u0 $A type macvtap mode bridge" "link u0 type ipvlan mode l2" "link u0 type ipvtap mode l2"; do
    ip -n a link add k0 $k
    ip -n b link add k0 $k
    exchange
done
# By layer 3 there are no broadcasts, and the link header that a capture shows is written over later.
B=10.9.0.2
E=-n
for k in "link u0 type ipvlan mode l3" "link u0 type ipvlan mode l3s" "link u0 type ipvtap mode l3"; do
    ip -n a link add k0 $k
    ip -n b link add k0 $k
    exchange
done
B=10.9.0.255
E=-e
for k in "mtu 1450 $A type vxlan id 4 dstport 4789" "$A type geneve id 4" "type gre" "$A type gretap" "type ipip" "type sit mode ipip"; do
    ip -n a link add k0 $k remote 192.168.0.2
    ip -n b link add k0 $k remote 192.168.0.1
    exchange
done
# The wire is a port.
for n in a b; do ip -n $n addr flush dev u0; ip -n $n route flush dev u0; done
for k in "type bridge" "type bridge vlan_filtering 1" "type vrf table 7" "type bond mode balance-rr miimon 100" "type bond mode active-backup miimon 100" "type bond mode balance-xor miimon 100" "type bond mode broadcast miimon 100" "type bond mode balance-tlb miimon 100" "type bond mode balance-alb miimon 100" "type bond mode 802.3ad miimon 100"; do
    ip -n a link add k0 address 02:00:00:00:00:41 $k
    ip -n b link add k0 address 02:00:00:00:00:42 $k
    for n in a b; do
        ip -n $n link set u0 down
        ip -n $n link set u0 master k0
        ip -n $n link set u0 up
        ip -n $n link set k0 up
    done
    ip -n a addr add 10.9.0.1/24 brd + dev k0
    ip -n b addr add 10.9.0.2/24 brd + dev k0
    sleep 4.2
    W=
    for n in a b; do
        ip netns exec $n tcpdump -l -e -n -t -i k0 arp or icmp >$n.k0.cap 2>/dev/null &
        W="$W $!"
        ip netns exec $n tcpdump -l -e -n -t -i u0 arp or icmp >$n.u0.cap 2>/dev/null &
        W="$W $!"
    done
    sleep 1
    ip netns exec a ping -c2 -i0.3 -W1 10.9.0.2
    ip netns exec b ping -c1 -W1 -b 10.9.0.255
    ip netns exec a ping -c1 -W1 10.9.0.77
    sleep 1
    kill $W
    wait
    # How many units of LACP a wire has carried by now is a matter of milliseconds.
    S=-s
    [ "$k" != "type bond mode 802.3ad miimon 100" ] || S=
    for n in a b; do cat $n.k0.cap; cat $n.u0.cap; ip -n $n $S link show k0; ip -n $n neigh; done
    for n in a b; do ip -n $n link set u0 nomaster; ip -n $n link del k0; done
    ip -n a link set u0 address 02:00:00:00:00:31
    ip -n b link set u0 address 02:00:00:00:00:32
done
