# Counters.
# differs after 6.1: OutTransmits is a counter of its own, and OutRequests no longer counts what is forwarded
# lines: ^Ip: 
# with: three-in-a-row.part
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
