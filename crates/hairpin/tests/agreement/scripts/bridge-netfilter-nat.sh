# needs: uml
# modules: br_netfilter
# Translation over a bridge: another destination on it, this host, a changed source.
for n in A R B C; do ip netns add $n; ip -n $n link set lo up; done
ip link add a0 netns A type veth peer name p0 netns R
ip link add b0 netns B type veth peer name p1 netns R
ip link add c0 netns C type veth peer name p2 netns R
ip -n A link set a0 address 02:00:00:00:00:01 up
ip -n B link set b0 address 02:00:00:00:00:02 up
ip -n C link set c0 address 02:00:00:00:00:03 up
# Without group reports of its own, which the chains would count.
ip -n R link add br0 address 02:00:00:00:00:09 type bridge mcast_snooping 0
for p in p0 p1 p2; do ip -n R link set $p master br0; ip -n R link set $p up; done
ip -n R link set br0 up
ip -n A addr add 10.0.0.1/24 dev a0
ip -n B addr add 10.0.0.2/24 dev b0
ip -n C addr add 10.0.0.3/24 dev c0
ip -n R addr add 10.0.0.9/24 dev br0
N="ip netns exec"
I="ip netns exec R iptables-legacy"
sleep 0.3
# To another station of the bridge.
$I -t nat -A PREROUTING -d 10.0.0.2 -p icmp -j DNAT --to-destination 10.0.0.3
$N C tcpdump -i c0 -n -e -l icmp &
T=$!
sleep 0.5
$N A ping -c 2 -i 0.2 -W 1 10.0.0.2
sleep 0.5
kill $T
wait $T
$I -t nat -S -v
$I -t nat -F
# With forwarding.
$N R sysctl -w net.ipv4.ip_forward=1
$I -t nat -A PREROUTING -d 10.0.0.2 -p icmp -j DNAT --to-destination 10.0.0.3
$N C tcpdump -i c0 -n -e -l icmp &
T=$!
sleep 0.5
$N A ping -c 2 -i 0.2 -W 1 10.0.0.2
sleep 0.5
kill $T
wait $T
$I -t nat -S -v
$I -t nat -F
# To this host.
$I -t nat -A PREROUTING -p icmp -j REDIRECT
$N A ping -c 2 -i 0.2 -W 1 10.0.0.2
$I -t nat -S -v
$I -t nat -F
# To nowhere.
$I -t nat -A PREROUTING -d 10.0.0.2 -p icmp -j DNAT --to-destination 10.9.9.9
$N A ping -c 1 -W 1 10.0.0.2
$I -t nat -F
# The source of what is bridged.
$I -t nat -A POSTROUTING -p icmp -j SNAT --to-source 10.0.0.77
$N B tcpdump -i b0 -n -l arp or icmp &
T=$!
sleep 0.5
$N A ping -c 1 -W 1 10.0.0.2
sleep 0.5
kill $T
wait $T
$I -t nat -F
$I -t nat -A POSTROUTING -o br0 -j MASQUERADE
$N A ping -c 2 -i 0.2 -W 1 10.0.0.2
$I -t nat -S -v
$N R cat /proc/net/nf_conntrack | grep dst=10.0.0.2 | sed 's/  *[0-9]* src/ T src/; s/ id=[0-9]*/ id=I/g' | sort -u | tail -n 1
