# Forwarding, weak host model, TTL.
# runs: with the real programs
# with: three-in-a-row.part
ip -n B route add default via 10.0.2.254
N="ip netns exec"
sleep 0.3
ip -n A route add default via 10.0.1.254
$N A tcpdump -l -e -n -v -t -i a0 >A.a0.cap 2>/dev/null &
$N R tcpdump -l -e -n -v -t -i r0 >R.r0.cap 2>/dev/null &
$N R tcpdump -l -e -n -v -t -i r1 >R.r1.cap 2>/dev/null &
$N B tcpdump -l -e -n -v -t -i b0 >B.b0.cap 2>/dev/null &
sleep 1
$N R sysctl net.ipv4.ip_forward
$N A ping -c1 -W1 10.0.2.1
$N A ping -c1 -W1 10.0.2.254
$N R sysctl -w net.ipv4.ip_forward=1
$N A ping -c1 -W1 10.0.2.1
$N A ping -c1 -W1 -t 1 10.0.2.1
$N A ping -c1 -W1 -t 2 -Q 0x10 10.0.2.1
$N A ping -c1 -W1 -Q 0xff -t 1 10.0.2.1
$N A ping -c1 -W1 -s 1400 -t 1 10.0.2.1
$N A ping -c1 -W1 -s 500 -t 1 10.0.2.1
sleep 0.6
kill %1 %2 %3 %4
wait
# When an ARP probe comes, hangs on milliseconds.
for p in A.a0 R.r0 R.r1 B.b0; do echo "--- $p"; cat $p.cap | grep -av ARP; done
