# Neighbours of IPv6 over time.
# runs: by bash alone
v6() { { set +x; } 2>/dev/null; for n in $*; do command ip netns exec $n sh -c 'for i in all default; do echo 0 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done'; done; set -x; }
N="ip netns exec"
for n in A B; do ip netns add $n; done
v6 A B
ip -n A link add a0 address 02:00:00:00:00:01 type veth peer name b0 netns B address 02:00:00:00:00:02
ip -n A link set a0 up; ip -n B link set b0 up
ip -n A addr add 2001:db8::1/64 dev a0 nodad
ip -n B addr add 2001:db8::2/64 dev b0 nodad
$N A sysctl -qw net.ipv6.conf.a0.router_solicitations=0
$N B sysctl -qw net.ipv6.conf.b0.router_solicitations=0
sleep 3.5
begin() { { set +x; } 2>/dev/null; C=$(mktemp); $N $1 tcpdump -l -e -n -v -t -i $2 'ip6 and not dst ff02::16' >$C 2>/dev/null & W=$!; sleep 1; set -x; }
finish() { { set +x; } 2>/dev/null; sleep 0.3; kill $W; wait $W; sed -E '/who has fe80/{N;d}; /tgt is fe80/d; s/flowlabel 0x[0-9a-f]+, //; s/(echo re[a-z]+, id) [0-9]+/\1 N/' $C; rm $C; set -x; }
begin A a0
$N A ping -c1 2001:db8::2
ip -n A neigh; ip -n B neigh
sleep 7
ip -n A neigh; ip -n B neigh
finish
# By hand.
ip -n A neigh add 2001:db8::5 lladdr 02:00:00:00:00:05 dev a0
ip -n A neigh add 2001:db8::5 lladdr 02:00:00:00:00:06 dev a0
ip -n A neigh add 2001:db8::6 lladdr 02:00:00:00:00:06 dev a0 nud stale
ip -n A neigh add 2001:db8::7 lladdr 02:00:00:00:00:07 dev a0 nud reachable router
ip -n A neigh add 2001:db8::8 dev a0 nud failed
ip -n A neigh change 2001:db8::9 lladdr 02:00:00:00:00:06 dev a0
ip -n A neigh replace 2001:db8::6 lladdr 02:00:00:00:00:66 dev a0 nud permanent
ip -n A neigh add proxy 2001:db8::30 dev a0
ip -n A -6 neigh
ip -n A -6 neigh show proxy
ip -n A neigh show 2001:db8::6 nud permanent
ip -n A -4 neigh
ip -n A neigh get 2001:db8::5 dev a0
ip -n A neigh get 2001:db8::55 dev a0
ip -n A neigh del 2001:db8::5 dev a0
ip -n A neigh del 2001:db8::5 dev a0
ip -n A neigh del proxy 2001:db8::30 dev a0
sleep 6
begin A a0
ip -n A neigh replace 2001:db8::16 lladdr 02:00:00:00:00:66 dev a0 nud probe
sleep 9
ip -n A -6 neigh show 2001:db8::16
# The neighbour has another MAC now, and does not say so.
ip -n B link set b0 address 02:00:00:00:00:22
sleep 0.2
ip -n B -6 neigh
ip -n A neigh replace 2001:db8::2 lladdr 02:00:00:00:00:02 dev a0 nud stale
$N A ping -c1 -W1 2001:db8::2
sleep 9
ip -n A -6 neigh show 2001:db8::2
$N A ping -c1 -W2 2001:db8::2
ip -n A -6 neigh show 2001:db8::2
finish
# A proxy.
ip -n A addr add 2001:db8::40/128 dev a0 nodad
ip -n B neigh add proxy 2001:db8::50 dev b0
$N B sysctl -qw net.ipv6.conf.all.forwarding=1
$N B sysctl -qw net.ipv6.conf.b0.proxy_ndp=1
ip -n B -6 route add unreachable 2001:db8::50
begin A a0
$N A ping -c1 -W2 2001:db8::50
ip -n A -6 neigh show 2001:db8::50
finish
ip -n A neigh flush dev a0
ip -n A -6 neigh
