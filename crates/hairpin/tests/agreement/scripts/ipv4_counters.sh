# Counters.
# differs after 6.1: OutTransmits is a counter of its own, and OutRequests no longer counts what is forwarded
# lines: ^Ip: 
for n in A R B; do ip netns add $n; ip -n $n link set lo up; done
ip link add a0 netns A type veth peer name r0 netns R
ip link add r1 netns R type veth peer name b0 netns B
ip -n A link set a0 address 02:00:00:00:00:01 up
ip -n R link set r0 address 02:00:00:00:00:02 up
ip -n R link set r1 address 02:00:00:00:00:03 up
ip -n B link set b0 address 02:00:00:00:00:04 up
ip -n A addr add 10.0.1.1/24 dev a0
ip -n R addr add 10.0.1.254/24 dev r0
ip -n R addr add 10.0.2.254/24 dev r1
ip -n B addr add 10.0.2.1/24 dev b0
ip -n B route add default via 10.0.2.254
N="ip netns exec"
sleep 0.3
ip -n A route add default via 10.0.1.254
$N R sysctl -w net.ipv4.ip_forward=1
$N A ping -c3 -i0.2 -W1 10.0.2.1
$N A ping -c1 -s 4000 -W1 10.0.2.1
$N A ping -c1 -t 1 -W1 10.0.2.1
$N A ping -c1 -W1 10.99.2.1
$N A ping -c2 -W1 10.0.1.1
$N A ping -c1 -W1 -M do -s 2000 10.0.2.1
for n in A R B; do $N $n cat /proc/net/snmp; done
$N A cat /proc/net/arp
$N A cat /proc/net/route
