# Fragments.
# with: three-in-a-row.part
ip -n B route add default via 10.0.2.254
N="ip netns exec"
sleep 0.3
ip -n A route add default via 10.0.1.254
$N R sysctl -w net.ipv4.ip_forward=1
$N A tcpdump -l -e -n -v -t -i a0 >A.a0.cap 2>/dev/null &
$N R tcpdump -l -e -n -v -t -i r1 >R.r1.cap 2>/dev/null &
sleep 1
$N A ping -c1 -W1 -s 4000 10.0.1.254
$N A ping -c1 -W1 -s 65507 10.0.1.254
$N A ping -c1 -W1 -s 4000 10.0.2.1
$N A ping -c1 -W1 -s 3000 -t 1 10.0.2.1
$N A ping -c1 -W4 -s 3000 10.0.1.77
$N A ping -c1 -W1 -s 3000 -M do 10.0.1.254
ip -n A link set a0 mtu 576
$N A ping -c1 -W1 -s 1000 10.0.2.1
sleep 0.6
kill %1 %2
wait
# When an ARP probe comes, hangs on milliseconds.
for p in A.a0 R.r1; do echo "--- $p"; cat $p.cap | grep -av ARP; done
