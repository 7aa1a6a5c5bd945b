# ipv6: on
# No way leads through an address of one's own, be it one that another host has too.
ip netns add r
ip netns add h
ip link add e0 netns r address 02:00:00:00:00:01 type veth peer name e1 netns h address 02:00:00:00:00:02
ip -n r link set e0 up
ip -n h link set e1 up
ip -n r addr add 2001:db8:1::1/64 dev e0 nodad
ip -n h addr add 2001:db8:1::2/64 dev e1 nodad
sleep 2
ip -n h addr add 2001:db8:1::1/64 dev e1
sleep 3
ip -n h -6 addr show dev e1 dadfailed | sed 's/valid.*//'
for gateway in 2001:db8:1::1 2001:db8:1::2 2001:db8:1::3; do
    ip -n h -6 route add 2001:db8:9::/64 via $gateway
    ip -n h -6 route add 2001:db8:8::/64 via $gateway dev e1
    ip -n h -6 route add 2001:db8:7::/64 nexthop via $gateway nexthop via 2001:db8:1::5
done
ip -n h -6 route show
