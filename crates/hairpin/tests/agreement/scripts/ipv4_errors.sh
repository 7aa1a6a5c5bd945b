# ICMP errors of routes that say no, and their rate limits.
# with: three-in-a-row.part
ip -n B route add default via 10.0.2.254
N="ip netns exec"
sleep 0.3
ip -n A route add default via 10.0.1.254
$N R sysctl -w net.ipv4.ip_forward=1
ip -n R route add unreachable 10.9.1.0/24
ip -n R route add prohibit 10.9.2.0/24
ip -n R route add blackhole 10.9.3.0/24
ip -n R route add throw 10.9.4.0/24
$N A tcpdump -l -e -n -v -t -i a0 >A.a0.cap 2>/dev/null &
$N R tcpdump -l -e -n -v -t -i r0 >R.r0.cap 2>/dev/null &
sleep 1
for i in 0 1 2 3 4; do $N A ping -c1 -W1 10.9.$i.1; sleep 2.5; done
sleep 6
$N A ping -c12 -i 0.2 -W1 -t 1 10.0.2.1
ip -n A route add unreachable 10.8.1.0/24
ip -n A route add prohibit 10.8.2.0/24
ip -n A route add blackhole 10.8.3.0/24
ip -n A route add throw 10.8.4.0/24
for i in 1 2 3 4; do $N A ping -c1 -W1 10.8.$i.1; ip -n A route get 10.8.$i.1; done
sleep 0.6
kill %1 %2
wait
# When an ARP probe comes, hangs on milliseconds.
for p in A.a0 R.r0; do echo "--- $p"; cat $p.cap | grep -av ARP; done
