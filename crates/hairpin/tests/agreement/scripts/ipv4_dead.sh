# ping and a host that is not there.
ip netns add A; ip netns add R
ip link add a0 netns A type veth peer name r0 netns R
ip -n A link set a0 up; ip -n R link set r0 up; ip -n A link set lo up
ip -n A addr add 10.0.1.1/24 dev a0
N="ip netns exec"
sleep 0.3
for c in 1 2 3 4 5 6 7; do $N A ping -c$c 10.0.1.77; sleep 0.2; ip -n A neigh flush all; done
$N A ping -c1 -w1 10.0.1.78
$N A ping -c1 -W3 10.0.1.79
$N A ping -c2 -i 0.5 10.0.1.83
$N A ping -c10 -i 0.5 10.0.1.84
$N A ping -c10 -i 2 10.0.1.85
$N A ping -W1 -c3 10.0.1.87
$N A ping -W2 -c3 10.0.1.88
ip -n A neigh
