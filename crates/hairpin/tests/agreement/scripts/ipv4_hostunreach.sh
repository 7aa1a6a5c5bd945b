# Hosts that are not there.
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
$N A tcpdump -l -e -n -v -t -i a0 >A.a0.cap 2>/dev/null &
$N A tcpdump -l -e -n -v -t -i lo >A.lo.cap 2>/dev/null &
$N R tcpdump -l -e -n -v -t -i r0 >R.r0.cap 2>/dev/null &
$N R tcpdump -l -e -n -v -t -i r1 >R.r1.cap 2>/dev/null &
sleep 1
$N A ping -c1 -W5 10.0.1.77
ip -n A neigh
$N A ping -c3 -i0.3 -W5 10.0.1.77
$N A ping -c1 -W5 10.0.2.77
ip -n R neigh
$N A ping -c5 -i0.2 -W5 10.0.2.78
sleep 0.6
kill %1 %2 %3 %4
wait
# When an ARP probe comes, hangs on milliseconds.
for p in A.a0 A.lo R.r0 R.r1; do echo "--- $p"; cat $p.cap | grep -av ARP; done
