# Broadcast and multicast.
# with: three-in-a-row.part
ip -n B route add default via 10.0.2.254
N="ip netns exec"
sleep 0.3
$N A tcpdump -l -e -n -v -t -i a0 >A.a0.cap 2>/dev/null &
$N A tcpdump -l -e -n -v -t -i lo >A.lo.cap 2>/dev/null &
$N R tcpdump -l -e -n -v -t -i r0 >R.r0.cap 2>/dev/null &
sleep 1
$N A ping -c1 -W1 10.0.1.255
$N A ping -c1 -W1 -b 10.0.1.255
$N A ping -c1 -W1 -b 255.255.255.255
$N A ping -c1 -W1 255.255.255.255
$N A ping -c1 -W5 10.0.1.0
$N R sysctl -w net.ipv4.icmp_echo_ignore_broadcasts=0
$N A ping -c1 -W1 -b 10.0.1.255
$N A ping -c1 -W5 -b 10.0.1.0
$N A ping -c1 -W1 -b 255.255.255.255
$N A ping -c1 -W1 224.0.0.1
$N A ping -c1 -W1 -I a0 224.0.0.1
$N A ping -c1 -W1 -I a0 -L 224.0.0.1
$N A ping -c1 -W1 -I a0 -t 3 239.1.1.1
$N A ping -c1 -W1 -I 10.0.1.1 239.1.1.1
ip -n A route add 224.0.0.0/4 dev a0
$N A ping -c1 -W1 239.1.1.1
$N A sysctl -w net.ipv4.icmp_echo_ignore_broadcasts=0
$N A ping -c1 -W1 -b 10.0.1.255
$N A ping -c1 -W1 224.0.0.1
$N R ping -c1 -W1 -I r0 224.0.0.1
$N A ping -c1 -W1 240.0.0.1
ip -n A route get 224.0.0.1
ip -n A route get 255.255.255.255
ip -n A route get 10.0.1.255
ip -n A route get 10.0.1.0
sleep 0.6
kill %1 %2 %3
wait
# When an ARP probe comes, hangs on milliseconds.
for p in A.a0 A.lo R.r0; do echo "--- $p"; cat $p.cap | grep -av ARP; done
