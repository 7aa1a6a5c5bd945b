# A host talks to itself; the loopback device down.
# with: three-in-a-row.part
ip -n B route add default via 10.0.2.254
N="ip netns exec"
sleep 0.3
$N A tcpdump -l -e -n -v -t -i lo >A.lo.cap 2>/dev/null &
sleep 1
$N A ping -c1 -W1 10.0.1.1
$N A ping -c1 -W1 127.0.0.1
$N A ping -c1 -W1 127.1.2.3
$N A ping -c1 -W1 127.255.255.255
$N A ping -c1 -W1 -I 10.0.1.1 127.0.0.1
$N A ping -c1 -W1 -I 127.0.0.1 10.0.1.1
$N A ping -c1 -W1 -I a0 10.0.1.1
$N A ping -c1 -W1 -I lo 10.0.1.1
$N A ping -c1 -W1 -I lo 10.0.1.254
$N A ping -c1 -W4 -I a0 10.0.1.77
$N A ping -c1 -W1 -I 10.0.1.9 10.0.1.254
$N A ping -c1 -W1 -I 127.0.0.1 10.0.1.254
$N A ping -c1 -W1 0.0.0.0
$N A ping -c1 -W1 0
ip -n A link set lo down
$N A ping -c1 -W1 10.0.1.1
$N A ping -c1 -W1 127.0.0.1
$N A ping -c1 -W1 10.0.1.254
$N A ping -c1 -W4 10.0.1.77
ip -n A route get 10.0.1.1
ip -n A route get 127.0.0.1
ip -n A route show table local
ip -n A link set lo up
$N A ping -c1 -W1 127.0.0.1
$N A ping -c1 -W1 -s 4000 10.0.1.1
$N A ping -c1 -W1 -s 65507 10.0.1.1
$N A ping -c1 -W1 -s 65508 10.0.1.1
sleep 0.6
kill %1
wait
# When an ARP probe comes, hangs on milliseconds.
for p in A.lo; do echo "--- $p"; cat $p.cap | grep -av ARP; done
