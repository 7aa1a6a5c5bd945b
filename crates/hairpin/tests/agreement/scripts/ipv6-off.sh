# What commands say where IPv6 is off.
# runs: with the real programs
# differs after 6.1: the kernel says what it refuses
# lines: ^(Error: ipv6: (IPv6 is disabled on this device|address not found)\.|RTNETLINK answers: (Permission denied|Cannot assign requested address))$
ip netns add A
ip -n A link set lo up
ip -n A link add a0 address 02:00:00:00:00:01 type veth peer name a1 address 02:00:00:00:00:02
ip -n A link set a0 up
ip -n A link set a1 up
sleep 1.2
ip netns exec A sysctl net.ipv6.conf.all.disable_ipv6 net.ipv6.conf.a0.disable_ipv6
ip -n A addr add 2001:db8::1/64 dev a0
ip -n A addr add 2001:db8::1/64 dev a0 nodad
ip -n A addr replace 2001:db8::1/64 dev a0
ip -n A addr change 2001:db8::1/64 dev a0
ip -n A addr del 2001:db8::1/64 dev a0
ip -n A addr del fe80::1/64 dev a0
ip -n A -6 addr
ip -n A -6 addr flush dev a0
ip -n A -6 route add 2001:db8::/64 dev a0
ip -n A -6 route add 2001:db8:1::/64 via fe80::2 dev a0
ip -n A -6 route add blackhole 2001:db8:2::/64
ip -n A -6 route del 2001:db8:3::/64
ip -n A -6 route get 2001:db8:9::1
ip -n A -6 route get ::1
ip -n A -6 route
ip -n A -6 route show table all
ip -n A -6 neigh add fe80::2 lladdr 02:00:00:00:00:02 dev a0
ip -n A -6 neigh
ip -n A -6 rule
ip netns exec A ping -6 -c1 -W1 ::1
ip netns exec A ping -6 -c1 -W1 2001:db8::1
ip netns exec A ping -6 -c1 -W1 fe80::2%a0
ip netns exec A ping -6 -c1 -W1 ff02::1%a0
ip netns exec A ping -6 -c1 -W1 -I a0 2001:db8::1
ip netns exec A ping -6 -c1 -W1 -I 2001:db8::5 2001:db8::1
# On a device alone.
ip netns exec A sysctl -w net.ipv6.conf.all.disable_ipv6=0
ip netns exec A sysctl -w net.ipv6.conf.a0.disable_ipv6=1
sleep 2.5
ip -n A -6 addr
ip -n A addr add 2001:db8::1/64 dev a0
ip -n A addr del 2001:db8::1/64 dev a0
ip -n A addr add 2001:db8::2/64 dev a1 nodad
ip -n A -6 route
ip netns exec A ping -6 -c1 -W1 2001:db8::1
ip netns exec A ping -6 -c1 -W1 2001:db8::2
ip netns exec A sysctl -w net.ipv6.conf.all.disable_ipv6=1
ip -n A -6 addr
ip -n A -6 route
ip netns exec A ping -6 -c1 -W1 2001:db8::2
