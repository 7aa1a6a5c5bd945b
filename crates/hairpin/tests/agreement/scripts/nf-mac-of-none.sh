# needs: uml
# programs: iptables-legacy
# A packet by loopback or out of a tunnel has no MAC: no rule about MACs fits it, one that is inverted neither.
for n in a b; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns a address 02:00:00:00:00:01 type veth peer name eth0 netns b address 02:00:00:00:00:02
for n in a b; do ip -n $n link set eth0 up; done
ip -n a addr add 10.0.0.1/24 dev eth0
ip -n b addr add 10.0.0.2/24 dev eth0
ip -n a link add t0 type ipip local 10.0.0.1 remote 10.0.0.2
ip -n b link add t0 type ipip local 10.0.0.2 remote 10.0.0.1
for n in a b; do ip -n $n link set t0 up; done
ip -n a addr add 10.9.0.1/24 dev t0
ip -n b addr add 10.9.0.2/24 dev t0
for rule in "mac --mac-source 02:00:00:00:00:01" "mac ! --mac-source 02:00:00:00:00:01" "mac ! --mac-source 02:00:00:00:00:09"; do
    ip netns exec b iptables-legacy -A INPUT -m $rule
done
sleep 1.5
for to in 10.0.0.2 10.9.0.2; do
    ip netns exec a ping -c1 -W1 $to
    ip netns exec b iptables-legacy -L INPUT -n -v -x
    ip netns exec b ping -c1 -W1 $to
    ip netns exec b iptables-legacy -L INPUT -n -v -x
done
