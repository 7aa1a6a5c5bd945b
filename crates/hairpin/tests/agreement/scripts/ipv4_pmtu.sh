# Path MTU discovery.
# with: three-in-a-row.part
ip -n B route add default via 10.0.2.254
N="ip netns exec"
sleep 0.3
ip -n A route add default via 10.0.1.254
$N R sysctl -w net.ipv4.ip_forward=1
ip -n R link set r1 mtu 1000
ip -n B link set b0 mtu 1000
$N A tcpdump -l -e -n -v -t -i a0 >A.a0.cap 2>/dev/null &
$N R tcpdump -l -e -n -v -t -i r0 >R.r0.cap 2>/dev/null &
$N R tcpdump -l -e -n -v -t -i r1 >R.r1.cap 2>/dev/null &
sleep 1
$N A ping -c2 -W1 -s 1400 10.0.2.1
$N A ping -c1 -W1 -s 1400 -M do 10.0.2.1
$N A ping -c1 -W1 -s 1400 -M dont 10.0.2.1
ip -n A route get 10.0.2.1
ip -n A route show cache
$N A ping -c2 -W1 -s 1400 -M do 10.0.2.1
$N A ping -c1 -W1 -s 1400 -M want 10.0.2.1
ip -n A route get 10.0.2.1
ip -n A route flush cache
ip -n A route get 10.0.2.1
$N A ping -c1 -W1 -s 4000 10.0.2.1
$N A ping -c1 -W1 -s 4000 10.0.2.1
$N A ping -c1 -W1 -s 1473 -M do 10.0.1.254
$N A ping -c1 -W1 -s 1472 -M do 10.0.1.254
ip -n R link set r1 mtu 300
ip -n A route flush cache
$N A ping -c2 -W1 -s 800 10.0.2.1
ip -n A route get 10.0.2.1
ip -n A route add 10.0.2.0/24 via 10.0.1.254 mtu 700
ip -n A route get 10.0.2.1
$N A ping -c1 -W1 -s 900 10.0.2.1
ip -n A route replace 10.0.2.0/24 via 10.0.1.254 mtu lock 700
ip -n A route get 10.0.2.1
$N A ping -c1 -W1 -s 900 10.0.2.1
$N A ping -c1 -W1 -s 900 -M do 10.0.2.1
sleep 0.6
kill %1 %2 %3
wait
# When an ARP probe comes, hangs on milliseconds.
for p in A.a0 R.r0 R.r1; do echo "--- $p"; cat $p.cap | grep -av ARP; done
