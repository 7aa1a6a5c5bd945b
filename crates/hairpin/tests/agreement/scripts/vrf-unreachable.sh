# A router with two VRFs tells a sender that nobody answers for the station it asks for.
# needs: uml
for n in r h1 h2 h3; do ip netns add $n; ip -n $n link set lo up; done
ip netns exec r sysctl -w net.ipv4.ip_forward=1
ip -n r link add red type vrf table 10
ip -n r link add blue type vrf table 20
for v in red blue; do ip -n r link set $v up; done
for n in 1 2 3; do
    ip link add eth0 netns h$n address 02:00:00:00:01:0$n type veth peer name p$n netns r address 02:00:00:00:02:0$n
    ip -n h$n link set eth0 up
    ip -n r link set p$n up
    if [ $n = 3 ]; then ip -n r link set p$n master blue; else ip -n r link set p$n master red; fi
    ip -n r addr add 10.0.$n.254/24 dev p$n
    ip -n h$n addr add 10.0.$n.1/24 dev eth0
    ip -n h$n route add default via 10.0.$n.254
done
sleep 1.3
ip netns exec h1 tcpdump -l -e -n -t -i eth0 icmp >h1.cap 2>/dev/null &
ip netns exec h3 tcpdump -l -e -n -t -i eth0 icmp >h3.cap 2>/dev/null &
sleep 0.7
ip netns exec h1 ping -c1 -W4.3 10.0.2.1
ip netns exec h1 ping -c1 -W4.3 10.0.2.77
ip netns exec h1 ping -c1 -W4.3 10.0.3.1
ip netns exec h3 ping -c1 -W4.3 10.0.3.77
ip netns exec r ping -c1 -W4.3 -I red 10.0.2.78
# The address that an error comes from.
ip netns exec r sysctl -w net.ipv4.icmp_errors_use_inbound_ifaddr=1
ip netns exec h1 ping -c1 -W4.3 10.0.2.79
ip netns exec h1 ping -c1 -W0.31 -t1 10.0.2.1
# Without a carrier nobody can be asked.
ip -n h2 link set eth0 down
sleep 1.3
ip netns exec h1 ping -c1 -W4.3 10.0.2.1
kill %1 %2
wait
cat h1.cap h3.cap
ip -n r -s link show p1
