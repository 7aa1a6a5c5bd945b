# Hosts that are not there.
# with: three-in-a-row.part
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
