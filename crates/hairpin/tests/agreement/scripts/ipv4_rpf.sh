# Reverse path filter and martians.
# differs after 6.1: a route asked for with a source that fails the check has another error
# lines: ^RTNETLINK answers: Invalid (argument|cross-device link)$
# with: three-in-a-row.part
ip -n B route add default via 10.0.2.254
N="ip netns exec"
sleep 0.3
$N R sysctl -w net.ipv4.ip_forward=1
ip -n A route add default via 10.0.1.254
ip -n A addr add 10.0.2.55/32 dev a0
ip -n A addr add 77.1.1.1/32 dev a0
ip -n A addr add 10.0.1.0/32 dev a0
ip -n A addr add 10.0.1.255/32 dev a0
$N R tcpdump -l -e -n -v -t -i r0 >R.r0.cap 2>/dev/null &
$N R tcpdump -l -e -n -v -t -i r1 >R.r1.cap 2>/dev/null &
sleep 1
for f in 0 1 2; do
$N R sysctl -w net.ipv4.conf.r0.rp_filter=$f
$N A ping -c1 -W1 -I 10.0.2.55 10.0.2.1
$N A ping -c1 -W1 -I 77.1.1.1 10.0.2.1
$N A ping -c1 -W1 -I 77.1.1.1 10.0.1.254
$N A ping -c1 -W1 -I 10.0.1.255 10.0.1.254
done
ip -n R addr add 77.1.1.1/32 dev lo
$N A ping -c1 -W1 -I 77.1.1.1 10.0.2.1
$N R sysctl -w net.ipv4.conf.r0.accept_local=1
$N A ping -c1 -W1 -I 77.1.1.1 10.0.2.1
$N R sysctl -w net.ipv4.conf.r0.rp_filter=0
$N A ping -c1 -W1 -I 77.1.1.1 10.0.2.1
ip -n R route get 10.0.2.1 from 10.0.1.1 iif r0
ip -n R route get 10.0.2.1 from 10.0.2.55 iif r0
$N R sysctl -w net.ipv4.conf.r0.rp_filter=1
ip -n R route get 10.0.2.1 from 10.0.2.55 iif r0
ip -n R route get 10.0.2.1 from 127.0.0.1 iif r0
ip -n R route get 127.0.0.1 from 10.0.1.1 iif r0
ip -n R route get 10.0.1.254 from 10.0.1.1 iif r0
ip -n R route get 10.0.1.255 from 10.0.1.1 iif r0
ip -n R route get 224.0.0.1 from 10.0.1.1 iif r0
ip -n R route get 224.0.0.9 from 10.0.1.1 iif r0
ip -n R route get 10.99.0.1 from 10.0.1.1 iif r0
ip -n R route get 240.0.0.1 from 10.0.1.1 iif r0
ip -n R route get 0.0.0.0 from 10.0.1.1 iif r0
$N R sysctl -w net.ipv4.ip_forward=0
ip -n R route get 10.0.2.1 from 10.0.1.1 iif r0
$N A ip route add 127.5.0.0/16 via 10.0.1.254
sleep 0.6
kill %1 %2
wait
# When an ARP probe comes, hangs on milliseconds.
for p in R.r0 R.r1; do echo "--- $p"; cat $p.cap | grep -av ARP; done
