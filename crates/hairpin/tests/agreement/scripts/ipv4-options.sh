# What hosts on the way write into a packet's options: routes and time stamps.
# needs: uml
# with: three-in-a-row.part
ip -n A route add default via 10.0.1.254
ip -n B route add default via 10.0.2.254
N="ip netns exec"
$N R sysctl -w net.ipv4.ip_forward=1
sleep 0.3
$N B tcpdump -l -n -v -t -i b0 icmp >B.b0.cap 2>/dev/null &
$N A tcpdump -l -n -v -t -i a0 icmp >A.a0.cap 2>/dev/null &
sleep 1
# Times of day and how they grow are left out.
shown() { sed -E 's/\t-?[0-9]+( absolute)?$/\tN\1/' out; rm out; }
for to in 10.0.1.1 127.0.0.1 10.0.1.254 10.0.2.1; do
  $N A ping -n -c1 -W1 -R $to >out; shown
  $N A ping -n -c1 -W1 -T tsonly $to >out; shown
  $N A ping -n -c1 -W1 -T tsandaddr $to >out; shown
done
$N A ping -n -c2 -i 0.2 -W1 -R 10.0.2.1 >out; shown
$N A ping -n -c1 -W1 -s 3000 -R 10.0.2.1 >out; shown
$N A ping -n -c1 -W1 -T tsprespec 10.0.1.254 10.0.2.1 10.0.2.1 >out; shown
$N A ping -n -c1 -W1 -T tsprespec 10.0.2.1 10.0.1.254 10.0.2.1 >out; shown
$N A ping -n -c1 -W1 -T tsprespec 10.0.1.1 10.0.2.254 10.0.2.1 10.0.1.1 10.0.2.1 >out; shown
$N A ping -n -c1 -W1 -T tsprespec 10.9.9.9 10.0.2.1 >out; shown
$N A ping -n -c1 -W1 -R -t 1 10.0.2.1 >out; shown
$N A ping -n -c1 -W1 -T tsandaddr -t 1 10.0.2.1 >out; shown
$N A ping -n -c1 -W1 -R 10.0.9.9 >out; shown
$N A ping -R -T tsonly 10.0.2.1
$N A ping -T tsnever 10.0.2.1
# Who has no room left is counted.
$N R ip addr add 10.0.1.253/24 dev r0
$N R ip addr add 10.0.1.252/24 dev r0
$N B sysctl -w net.ipv4.icmp_echo_ignore_all=1
$N A ping -n -c1 -W1 -T tsandaddr 10.0.2.1 >out; shown
sleep 0.6
kill %1 %2
wait
for p in A.a0 B.b0; do
  echo "--- $p"
  cat $p.cap | sed -E 's/@[0-9-]+/@N/g; s/[0-9]+ms/Nms/g; s/TSONLY [^}]*/TSONLY N/; s/TS\{[^}]*/N/; s/cksum [0-9a-f]+ \(->[^)]*/cksum N (N/'
done
