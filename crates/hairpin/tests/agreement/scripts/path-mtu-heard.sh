# Who heeds an ICMP error about a packet that is too long: the socket that sent it, while it is there.
# needs: uml
for n in A R B; do ip netns add $n; ip -n $n link set lo up; done
ip link add a0 netns A address 02:00:00:00:00:01 type veth peer name r0 netns R address 02:00:00:00:00:02
ip link add r1 netns R address 02:00:00:00:00:03 type veth peer name b0 netns B address 02:00:00:00:00:04
ip -n A link set a0 up; ip -n R link set r0 up
ip -n R link set r1 mtu 1000 up; ip -n B link set b0 mtu 1000 up
ip -n A addr add 10.0.1.1/24 dev a0
ip -n R addr add 10.0.1.254/24 dev r0
ip -n R addr add 10.0.2.254/24 dev r1
ip -n B addr add 10.0.2.1/24 dev b0
ip -n B route add default via 10.0.2.254
ip -n A route add default via 10.0.1.254
N="ip netns exec"
$N R sysctl -w net.ipv4.ip_forward=1
sleep 1.3
# The router has to ask for the sender, who does not answer.
ip -n A neigh add 10.0.1.254 lladdr 02:00:00:00:00:02 dev a0 nud permanent
ip -n A link set a0 arp off
$N A tcpdump -l -e -n -t -i a0 icmp >cap 2>/dev/null &
sleep 0.7
$N A ping -c1 -W0.31 -M do -s 1400 10.0.2.1
sleep 0.3
ip -n R neigh replace 10.0.1.1 lladdr 02:00:00:00:00:01 dev r0 nud permanent
sleep 0.3
ip -n A route get 10.0.2.1
ip -n R neigh del 10.0.1.1 dev r0
sleep 0.3
$N A ping -c1 -W1.31 -M do -s 1400 10.0.2.1 >said &
sleep 0.6
ip -n R neigh replace 10.0.1.1 lladdr 02:00:00:00:00:01 dev r0 nud permanent
sleep 2.3
kill %1
wait
cat said
ip -n A route get 10.0.2.1 | grep -o 'mtu.*'
cat cap
ip -n A route flush cache
# What is believed of it.
for mode in 1 2 3; do
    $N A sysctl -w net.ipv4.ip_no_pmtu_disc=$mode
    $N A ping -c1 -W0.31 -M do -s 1400 10.0.2.1
    ip -n A route get 10.0.2.1 | grep -o 'mtu.*'
    $N A ping -c1 -W0.31 -M do -s 700 10.0.2.1
    ip -n A route flush cache
done
