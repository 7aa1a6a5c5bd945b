# Which of two answers counts within a second, and how much of a packet a redirect quotes.
# needs: uml
# ipv6: on
for n in sw a b h r; do ip netns add $n; ip -n $n link set lo up; done
ip -n sw link add br0 address 02:00:00:00:00:01 type bridge mcast_snooping 0
ip -n sw link set br0 up
for i in 1 2; do
    ip link add e$i netns a address 02:00:00:00:00:1$i type veth peer name p$i netns sw address 02:00:00:00:00:2$i
    ip -n a link set e$i up
    ip -n sw link set p$i up
    ip -n sw link set p$i master br0
done
ip link add e0 netns b address 02:00:00:00:00:31 type veth peer name p3 netns sw address 02:00:00:00:00:32
ip -n b link set e0 up
ip -n sw link set p3 up
ip -n sw link set p3 master br0
ip -n a addr add 10.0.1.1/24 dev e1
ip -n a addr add 10.0.2.1/24 dev e2
ip -n b addr add 10.0.1.3/24 dev e0
sleep 2.3
ip netns exec b ping -c1 -W1 10.0.1.1
ip -n b neigh show 10.0.1.1
ip netns exec a arping -U -c1 -w1 -I e1 10.0.1.1
# Well behind the second.
sleep 0.5
ip netns exec b arping -c1 -w1 -I e0 10.0.1.1
ip -n b neigh show 10.0.1.1
sleep 1.5
ip netns exec b arping -c1 -w1 -I e0 10.0.1.1
ip -n b neigh show 10.0.1.1
# A router tells a host that a neighbour is on its own link.
ip link add e0 netns h address 02:00:00:00:00:41 type veth peer name e0 netns r address 02:00:00:00:00:42
ip netns exec r sysctl -w net.ipv6.conf.all.forwarding=1
ip -n h link set e0 up
ip -n r link set e0 up
ip -n r addr add 2001:db8:1::1/64 dev e0 nodad
ip -n h addr add 2001:db8:9::2/128 dev e0 nodad
sleep 2.3
ip -n h route add default via fe80::ff:fe00:42 dev e0
ip -n r route add 2001:db8:9::2 dev e0
ip netns exec h tcpdump -l -e -n -t -i e0 'icmp6 and ip6[40] == 137' >redirects.cap 2>/dev/null &
sleep 0.7
ip netns exec h ping -c1 -W0.3 2001:db8:1::99
sleep 4.3
ip netns exec h ping -c1 -W0.3 -s 61 2001:db8:1::98
sleep 4.3
ip netns exec h ping -c1 -W0.3 -s 1400 2001:db8:1::97
sleep 4.3
kill %1
wait
cat redirects.cap
