# A way of two routers, probed with SYNs to closed ports.
# runs: by bash alone
# runs: with the real programs
# programs: traceroute
for n in a r s b; do ip netns add $n; done
N="ip netns exec"
ip link add a0 netns a type veth peer name r0 netns r
ip link add r1 netns r type veth peer name s0 netns s
ip link add s1 netns s type veth peer name b0 netns b
ip -n a addr add 10.0.1.1/24 dev a0
ip -n r addr add 10.0.1.254/24 dev r0
ip -n r addr add 10.0.2.1/24 dev r1
ip -n s addr add 10.0.2.254/24 dev s0
ip -n s addr add 10.0.3.254/24 dev s1
ip -n b addr add 10.0.3.1/24 dev b0
for d in a:a0 r:r0 r:r1 s:s0 s:s1 b:b0; do ip -n ${d%:*} link set ${d#*:} up; done
$N r sysctl -qw net.ipv4.ip_forward=1
$N s sysctl -qw net.ipv4.ip_forward=1
$N r sysctl -qw net.ipv4.icmp_ratelimit=0
$N s sysctl -qw net.ipv4.icmp_ratelimit=0
ip -n a route add default via 10.0.1.254
ip -n r route add 10.0.3.0/24 via 10.0.2.254
ip -n s route add 10.0.1.0/24 via 10.0.2.1
ip -n b route add default via 10.0.3.254
sleep 0.5
$N a ping -c 1 -W 3 10.0.3.1
$N a traceroute -n -T 10.0.3.1 | sed -E 's/ +[0-9.]+ ms/ T/g'
$N a traceroute -n -T -p 22 -q 1 10.0.3.1 | sed -E 's/ +[0-9.]+ ms/ T/g'
$N a traceroute -n -T -q 1 -f 2 10.0.3.1 | sed -E 's/ +[0-9.]+ ms/ T/g'
$N a traceroute -n -T -q 1 -N 1 --sport=4000 10.0.3.1 | sed -E 's/ +[0-9.]+ ms/ T/g'
$N a traceroute -n -M tcp -q 1 10.0.3.1 200 | sed -E 's/ +[0-9.]+ ms/ T/g'
