# No route, gateways that are none.
# with: three-in-a-row.part
ip -n B route add default via 10.0.2.254
N="ip netns exec"
sleep 0.3
$N A ping -c1 -W1 10.0.2.1
ip -n A route add default via 10.0.3.254
ip -n A route add default via 10.0.1.254 dev lo
ip -n A route add default via 10.0.1.1
ip -n A route add default via 10.0.3.254 dev a0
ip -n A route add default via 10.0.3.254 dev a0 onlink
ip -n A route
ip -n A route del default
ip -n A route add default dev a0
ip -n A route
$N A tcpdump -l -e -n -v -t -i a0 >A.a0.cap 2>/dev/null &
$N A tcpdump -l -e -n -v -t -i lo >A.lo.cap 2>/dev/null &
sleep 1
$N A ping -c1 -W4 10.0.2.1
ip -n A neigh
sleep 0.6
kill %1 %2
wait
for p in A.a0 A.lo; do echo "--- $p"; cat $p.cap; done
