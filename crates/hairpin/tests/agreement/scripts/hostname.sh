# The addresses that `hostname -I` knows.
# ipv6: on
# runs: with the real programs
# programs: hostname
ip netns add n
N="ip netns exec n"
$N hostname -I
ip -n n link set lo up
ip -n n addr add 10.9.9.9/32 dev lo
ip link add v0 netns n address 02:00:00:00:00:01 type veth peer name v1 netns n address 02:00:00:00:00:02
ip -n n addr add 10.0.1.1/24 dev v0
ip -n n addr add 10.0.1.2/24 dev v0
ip -n n addr add 10.0.2.1/24 dev v1
ip -n n addr add fd00::1/64 dev v0 nodad
$N hostname -I
ip -n n link set v0 up
$N hostname -I
ip -n n link set v1 up
ip -n n addr add fd00:2::1/64 dev v1 nodad
ip -n n addr add 10.0.3.1 peer 10.0.3.2 dev v1
sleep 2
$N hostname --all-ip-addresses
$N hostname -y
$N hostname -V
