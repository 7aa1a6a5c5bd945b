# The address that a masqueraded packet of IPv6 comes from: the one that the device would choose for where it goes.
# needs: uml
# ipv6: on
ip netns add r; ip netns add h
ip netns exec r sysctl -w net.ipv6.conf.default.accept_ra=0
ip netns exec h sysctl -w net.ipv6.conf.default.accept_ra=0
ip -n r link set lo up
ip link add r1 netns r address 02:00:00:00:00:01 type veth peer name eth0 netns h address 02:00:00:00:00:02
ip -n r link set r1 up; ip -n h link set eth0 up
ip -n r addr add fd00:1::254/64 dev r1 nodad
ip -n r addr add fd00:2::254/64 dev r1 nodad
ip -n h addr add fd00:1::1/64 dev eth0 nodad
ip -n h addr add fd00:2::1/64 dev eth0 nodad
sleep 4.3
ip netns exec r ip6tables-legacy -t nat -A POSTROUTING -j MASQUERADE
ip netns exec h tcpdump -l -n -t -i eth0 'icmp6 and ip6[40] = 128' >cap 2>/dev/null &
sleep 0.7
for to in fd00:1::254 fd00:2::254 ::1 fd00:1::1 fd00:2::1 fe80::ff:fe00:2%r1; do
    ip netns exec r ping -6 -c1 -W0.31 $to
done
kill %1
wait
cat cap
ip netns exec r ip6tables-legacy -t nat -L POSTROUTING -n -v -x
