# What an ICMP error makes of a connection that is being opened: the listener's side gives it up if nobody is there.
# needs: uml
for n in a r b; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns a address 02:00:00:00:00:01 type veth peer name r1 netns r address 02:00:00:00:00:02
ip link add eth0 netns b address 02:00:00:00:00:03 type veth peer name r2 netns r address 02:00:00:00:00:04
ip -n a link set eth0 up; ip -n b link set eth0 up; ip -n r link set r1 up; ip -n r link set r2 up
ip -n a addr add 10.0.1.1/24 dev eth0
ip -n b addr add 10.0.2.1/24 dev eth0
ip -n r addr add 10.0.1.254/24 dev r1
ip -n r addr add 10.0.2.254/24 dev r2
ip -n a route add default via 10.0.1.254
ip -n b route add default via 10.0.2.254
ip netns exec r sysctl -w net.ipv4.ip_forward=1
sleep 1.3
ip netns exec b nc -n -l -k -p 80 >/dev/null 2>&1 &
sleep 0.7
port=4001
for why in net-unreachable host-unreachable port-unreachable proto-unreachable net-prohibited host-prohibited admin-prohibited; do
    ip netns exec r iptables-legacy -A FORWARD -s 10.0.2.1 -p tcp --tcp-flags SYN,ACK SYN,ACK -j REJECT --reject-with icmp-$why
    ip netns exec a nc -n -z -w 1 -p $port 10.0.2.1 80
    port=$((port + 1))
    sleep 9.3
    ip netns exec r iptables-legacy -L FORWARD -n -v -x
    ip netns exec r iptables-legacy -F FORWARD
done
ip netns exec r iptables-legacy -A FORWARD -d 10.0.2.1 -p tcp -j REJECT --reject-with icmp-net-unreachable
ip netns exec a nc -n -z -w 1 -p 4100 10.0.2.1 80
ip netns exec r iptables-legacy -L FORWARD -n -v -x
kill %1
wait
