# needs: uml
# What is learned of a path with several ways out: each way that packets take is listed.
for n in A R B; do ip netns add $n; ip -n $n link set lo up; done
ip link add a0 netns A type veth peer name r0 netns R
ip link add r1 netns R type veth peer name b0 netns B
ip -n A link set a0 address 02:00:00:00:00:01 up
ip -n R link set r0 address 02:00:00:00:00:02 up
ip -n R link set r1 address 02:00:00:00:00:03 up
ip -n B link set b0 address 02:00:00:00:00:04 up
N="ip netns exec"
$N R sysctl -w net.ipv4.ip_forward=1
for i in 1 2 3 4 5 6 7 8; do ip -n A addr add 10.0.1.$i/24 dev a0; done
ip -n R addr add 10.0.1.254/24 dev r0
ip -n R addr add 10.0.1.253/24 dev r0
ip -n R addr add 10.0.2.254/24 dev r1
ip -n B addr add 10.0.2.1/24 dev b0
ip -n B route add default via 10.0.2.254
ip -n A route add 10.0.2.0/24 nexthop via 10.0.1.254 nexthop via 10.0.1.253
ip -n R link set r1 mtu 1000
sleep 0.3
$N A ping -c1 -W1 -s 1400 -M do 10.0.2.1
# Nothing has gone a way that is known by now.
ip -n A route show cache
for i in 1 2 3 4 5 6 7 8; do ip -n A route get 10.0.2.1 from 10.0.1.$i >/dev/null; done
ip -n A route show cache | grep -v expires | sort
ip -n A route del 10.0.2.0/24
ip -n A route show cache
ip -n A route add 10.0.2.0/24 via 10.0.1.254
ip -n A route get 10.0.2.1
ip -n A route show cache
