# needs: uml
# ipv6: on
# Both fragments of a ping wait for an address that nobody has: the sender is told of both.
for n in a r b; do ip netns add $n; ip -n $n link set lo up; done
ip link add e0 netns a address 02:00:00:00:00:01 type veth peer name p0 netns r address 02:00:00:00:00:02
ip link add e0 netns b address 02:00:00:00:00:03 type veth peer name p1 netns r address 02:00:00:00:00:04
ip netns exec r sysctl -w net.ipv6.conf.all.forwarding=1
for l in "a e0" "b e0" "r p0" "r p1"; do ip -n ${l% *} link set ${l#* } up; done
ip -n a addr add 2001:db8:1::1/64 dev e0 nodad
ip -n r addr add 2001:db8:1::f/64 dev p0 nodad
ip -n r addr add 2001:db8:2::f/64 dev p1 nodad
ip -n a route add default via 2001:db8:1::f
sleep 6.3
ip netns exec a tcpdump -l -e -n -t -i e0 'ip6[40] < 128 or ip6[6] = 44' >cap 2>/dev/null &
sleep 0.7
ip netns exec a ping -6 -c1 -W0.31 -s 1600 2001:db8:2::99
sleep 4.6
ip -n r -6 route add prohibit 2001:db8:2::/65
ip netns exec a ping -6 -c1 -W0.31 -s 1600 2001:db8:2::99
sleep 1.3
kill %1
wait
cat cap
