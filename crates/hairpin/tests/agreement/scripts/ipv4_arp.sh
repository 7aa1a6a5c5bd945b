# Who answers ARP, and who learns.
# with: three-in-a-row.part
ip -n B route add default via 10.0.2.254
N="ip netns exec"
sleep 0.3
$N A tcpdump -l -e -n -v -t -i a0 >A.a0.cap 2>/dev/null &
$N R tcpdump -l -e -n -v -t -i r0 >R.r0.cap 2>/dev/null &
sleep 1
$N A arping -c1 -w1 -I a0 10.0.1.254
ip -n R neigh
$N A arping -c1 -w1 -I a0 10.0.2.254
$N R sysctl -w net.ipv4.conf.r0.arp_ignore=1
$N A arping -c1 -w1 -I a0 10.0.2.254
$N R sysctl -w net.ipv4.conf.r0.arp_ignore=2
ip -n A addr add 10.0.9.1/24 dev a0
$N A arping -c1 -w1 -I a0 -s 10.0.9.1 10.0.1.254
$N A arping -c1 -w1 -I a0 10.0.1.254
$N R sysctl -w net.ipv4.conf.r0.arp_ignore=8
$N A arping -c1 -w1 -I a0 10.0.1.254
$N R sysctl -w net.ipv4.conf.r0.arp_ignore=3
$N A arping -c1 -w1 -I a0 10.0.1.254
$N R sysctl -w net.ipv4.conf.r0.arp_ignore=0
ip -n R neigh flush all
ip -n R neigh
$N A arping -c1 -w1 -I a0 -s 10.0.9.1 10.0.1.254
ip -n R neigh
ip -n R route add 10.0.9.0/24 dev r0
$N A arping -c1 -w1 -I a0 -s 10.0.9.1 10.0.1.254
ip -n R neigh
$N A arping -D -c1 -w1 -I a0 10.0.1.254
ip -n R neigh flush all
$N A arping -U -c1 -w1 -I a0 10.0.1.1
ip -n R neigh
$N A arping -A -c1 -w1 -I a0 10.0.1.1
ip -n R neigh
$N R sysctl -w net.ipv4.conf.r0.arp_accept=1
$N A arping -U -c1 -w1 -I a0 10.0.1.1
ip -n R neigh
ip -n R neigh flush all
$N A arping -A -c1 -w1 -I a0 10.0.1.1
ip -n R neigh
ip -n A link set a0 address 02:00:00:00:00:55
$N A arping -U -c1 -w1 -I a0 10.0.1.1
ip -n R neigh
sleep 1.2
ip -n A link set a0 address 02:00:00:00:00:56
$N A arping -A -c1 -w1 -I a0 10.0.1.1
ip -n R neigh
ip -n A link set a0 address 02:00:00:00:00:57
$N A ping -c1 -W1 10.0.1.254
ip -n R neigh
$N A arping -c1 -w1 -I a0 10.0.1.1
$N A arping -c1 -w1 -I a0 10.0.1.88
$N A arping -c1 -w1 -I lo 10.0.1.1
$N A arping -c1 -w1 10.0.1.254
sleep 0.6
kill %1 %2
wait
for p in A.a0 R.r0; do echo "--- $p"; cat $p.cap; done
