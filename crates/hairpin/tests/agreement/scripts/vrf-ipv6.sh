# needs: uml
# runs: by bash alone
# IPv6 in a VRF: routes of its ports, lookups, delivery, forwarding, and a network beside it with the same addresses.
for n in r a b c; do ip netns add $n; done
v6 r a b c
i=0
for n in a b c; do
    i=$((i + 1))
    ip link add e0 netns $n address 02:00:00:00:00:1$i type veth peer name p$i netns r address 02:00:00:00:00:2$i
    ip -n $n link set e0 up
    ip -n r link set p$i up
done
N="ip netns exec"
ip -n r link set lo up
ip -n a addr add 2001:db8:1::1/64 dev e0 nodad
ip -n a route add default via 2001:db8:1::ff
ip -n b addr add 2001:db8:2::1/64 dev e0 nodad
ip -n b route add default via 2001:db8:2::ff
ip -n c addr add 2001:db8:1::1/64 dev e0 nodad
ip -n c route add default via 2001:db8:1::ff
ip -n r -6 rule
ip -n r link add vr address 02:00:00:00:00:aa type vrf table 10
ip -n r -6 rule
ip -n r -6 route show vrf vr
ip -n r -6 route show table 10
ip -n r link set vr up
ip -n r addr add 2001:db8:1::ff/64 dev p1 nodad
ip -n r addr add 2001:db8:1::ff/64 dev p3 nodad
sleep 3
ip -n r -6 addr show dev p1 | sed 's/valid_lft.*//'
ip -n r link set p1 master vr
ip -n r -6 addr show dev p1 scope global
ip -n r addr add 2001:db8:1::ff/64 dev p1 nodad
ip -n r link set p2 master vr
ip -n r addr add 2001:db8:2::ff/64 dev p2 nodad
sleep 3
ip -n r -6 addr show | sed 's/valid_lft.*//; s/@if[0-9]*//'
ip -n r -6 route show vrf vr
ip -n r -6 route show table 10
ip -n r -6 route show table all
ip -n r -6 route show
ip -n r maddr show dev vr
$N r sysctl -w net.ipv6.conf.all.forwarding=1
ip -n r -6 route show table 10 type anycast
sleep 1
$N a ping -c1 -W1 2001:db8:2::1
$N a ping -c1 -W1 2001:db8:1::ff
$N r ping -c1 -W1 2001:db8:1::1
$N r ping -c1 -W1 2001:db8:2::1
$N r ping -c1 -W1 -I vr 2001:db8:1::1
$N r ping -c1 -W1 -I p1 2001:db8:1::1
$N r ping -c1 -W1 -I vr 2001:db8:2::ff
$N r ping -c1 -W1 -I vr 2001:db8:2::1
$N r ping -c1 -W1 2001:db8:2::ff
$N a ping -c1 -W1 fe80::ff:fe00:21%e0
$N r ping -c1 -W1 fe80::ff:fe00:11%p1
$N r ping -c1 -W1 fe80::ff:fe00:11%vr
$N r ping -c1 -W1 -I vr fe80::ff:fe00:11
$N r ping -c1 -W1 ff02::1%p1
$N a ping -c1 -W1 2001:db8:9::1
$N a ping -c1 -W1 -t 1 2001:db8:2::1
$N c ping -c1 -W1 2001:db8:1::ff
$N c ping -c1 -W1 2001:db8:2::1
# A question to the port is answered for an address of the VRF.
ip -n r addr add 2001:db8:1::aa/128 dev vr nodad
ip -n r -6 route show table 10 | grep -v fe80
$N a ping -c1 -W1 2001:db8:1::aa
$N r ping -c1 -W1 -I vr 2001:db8:1::aa
ip -n r addr add ::1/128 dev vr nodad
$N r ping -c1 -W1 -I vr ::1
ip -n r -6 route get 2001:db8:1::1
ip -n r -6 route get vrf vr 2001:db8:1::1
ip -n r -6 route get 2001:db8:1::1 oif vr
ip -n r -6 route get 2001:db8:2::1 oif p1
ip -n r -6 route get vrf vr 2001:db8:2::ff
ip -n r -6 route get vrf vr 2001:db8:9::1
ip -n r -6 route get 2001:db8:1::1 from 2001:db8:2::1 iif p2
ip -n r -6 route add 2001:db8:8::/48 via 2001:db8:2::1 vrf vr
ip -n r -6 route add 2001:db8:7::/48 via 2001:db8:2::1
ip -n r -6 route add 2001:db8:6::/48 via 2001:db8:2::1 dev p2
ip -n r -6 route show vrf vr | grep -v fe80
ip -n r -6 route show | grep -v fe80
ip -n r -6 route del 2001:db8:8::/48 vrf vr
ip -n r -s link show vr | grep -A1 -e RX: -e TX:
# A port leaves, and comes back while it is down.
ip -n r link set p1 nomaster
ip -n r -6 addr show dev p1 scope global
ip -n r -6 route show table all | grep p1
ip -n r link set p1 down
ip -n r link set p1 master vr
ip -n r link set p1 up
sleep 3
ip -n r -6 route show table all | grep p1
$N r sysctl -w net.ipv6.conf.p2.keep_addr_on_down=1
ip -n r link set p2 nomaster
ip -n r -6 addr show dev p2 scope global | sed 's/tentative *//'
ip -n r link set vr down
$N r ping -c1 -W1 -I vr 2001:db8:2::1
ip -n r link del vr
ip -n r -6 rule
ip -n r -6 route show table 10
ip -n r -6 route show table all | grep -v fe80
