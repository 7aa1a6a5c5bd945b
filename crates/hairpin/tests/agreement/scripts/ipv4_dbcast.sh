# Broadcasts of another link.
# with: three-in-a-row.part
ip -n B route add default via 10.0.2.254
N="ip netns exec"
sleep 0.3
ip -n A route add default via 10.0.1.254
$N R sysctl -w net.ipv4.ip_forward=1
$N R sysctl -w net.ipv4.icmp_echo_ignore_broadcasts=0
$N B sysctl -w net.ipv4.icmp_echo_ignore_broadcasts=0
$N A tcpdump -l -e -n -v -t -i a0 >A.a0.cap 2>/dev/null &
$N R tcpdump -l -e -n -v -t -i r1 >R.r1.cap 2>/dev/null &
sleep 1
$N A ping -c1 -W1 10.0.2.255
$N R sysctl -w net.ipv4.conf.all.bc_forwarding=1
$N R sysctl -w net.ipv4.conf.r0.bc_forwarding=1
$N A ping -c1 -W1 10.0.2.255
$N A ping -c1 -W5 10.0.2.0
$N A ping -c1 -W1 -b 10.0.1.255
$N R ping -c1 -W1 -b 10.0.2.255
sleep 0.6
kill %1 %2
wait
# When an ARP probe comes, hangs on milliseconds.
for p in A.a0 R.r1; do echo "--- $p"; cat $p.cap | grep -av ARP; done
