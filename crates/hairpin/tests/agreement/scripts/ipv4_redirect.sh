# Redirects: how many, and what a host makes of them.
# with: three-in-a-row.part
ip -n B route add default via 10.0.2.254
N="ip netns exec"
sleep 0.3
$N R sysctl -w net.ipv4.ip_forward=1
ip -n A route add 10.7.0.0/24 via 10.0.1.254
ip -n R route add 10.7.0.0/24 via 10.0.1.99
ip -n R neigh replace 10.0.1.99 lladdr 02:00:00:00:00:99 dev r0
$N A tcpdump -l -e -n -v -t -i a0 >A.a0.cap 2>/dev/null &
$N R tcpdump -l -e -n -v -t -i r0 >R.r0.cap 2>/dev/null &
sleep 1
$N A ping -c2 -W1 10.7.0.1
ip -n A route get 10.7.0.1
ip -n A route show cache
ip -n A neigh
ip -n A route flush cache
ip -n A route get 10.7.0.1
$N A sysctl -w net.ipv4.conf.all.accept_redirects=0 net.ipv4.conf.a0.accept_redirects=0
$N A ping -c3 -i 0.2 -W1 10.7.0.1
ip -n A route get 10.7.0.1
$N R sysctl -w net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.r0.send_redirects=0
$N A ping -c2 -i 0.2 -W1 10.7.0.2
sleep 0.6
kill %1 %2
wait
# When an ARP probe comes, hangs on milliseconds.
for p in A.a0 R.r0; do echo "--- $p"; cat $p.cap | grep -av ARP; done
