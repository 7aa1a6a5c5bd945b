# needs: uml
# ipv6: on
# runs: by bash alone
# programs: ip6tables
# Netfilter for IPv6: hooks, states, translation, REJECT.
for n in A R B; do ip netns add $n; ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0; ip -n $n link set lo up; done
ip link add a0 netns A type veth peer name r0 netns R
ip link add r1 netns R type veth peer name b0 netns B
ip -n A link set a0 address 02:00:00:00:00:01 up
ip -n R link set r0 address 02:00:00:00:00:02 up
ip -n R link set r1 address 02:00:00:00:00:03 up
ip -n B link set b0 address 02:00:00:00:00:04 up
ip -n A addr add 2001:db8:1::1/64 dev a0 nodad
ip -n R addr add 2001:db8:1::ff/64 dev r0 nodad
ip -n R addr add 2001:db8:2::ff/64 dev r1 nodad
ip -n B addr add 2001:db8:2::1/64 dev b0 nodad
ip -n A route add default via 2001:db8:1::ff
N="ip netns exec"
I="ip netns exec R ip6tables-legacy"
$N R sysctl -w net.ipv6.conf.all.forwarding=1
# Listener reports and solicitations of routers come at times of their own.
sleep 12
ip -n B route add default via 2001:db8:2::ff
echo="-p icmpv6 --icmpv6-type echo-request"
for c in PREROUTING OUTPUT; do $I -t raw -A $c $echo; done
for c in PREROUTING INPUT FORWARD OUTPUT POSTROUTING; do $I -t mangle -A $c $echo; done
for c in INPUT FORWARD OUTPUT; do $I -A $c $echo; done
show() { { set +x; } 2>/dev/null; for t in raw mangle filter; do $I -t $t -S -v | grep 128; $I -t $t -Z; done; set -x; }
table() { { set +x; } 2>/dev/null; $N R cat /proc/net/nf_conntrack | grep type=128 | sed 's/  *[0-9]* src/ T src/' | sort; set -x; }
$N A ping -c 2 -i 0.2 -W 1 2001:db8:1::ff
show
$N A ping -c 2 -i 0.2 -W 1 2001:db8:2::1
show
$N R ping -c 2 -i 0.2 -W 1 2001:db8:1::1
show
for t in raw mangle filter; do $I -t $t -F; done
for s in NEW ESTABLISHED RELATED INVALID; do $I -A FORWARD -m conntrack --ctstate $s; done
$N A ping -e 20 -c 2 -i 0.2 -W 1 2001:db8:2::1
$N A ping -e 21 -c 1 -t 1 -W 1 2001:db8:2::1
$N A ping -e 22 -c 1 -W 1 -s 3000 2001:db8:2::1
$I -S FORWARD -v
table
$I -F
ip -n B route del default
$I -t nat -A POSTROUTING -o r1 -j MASQUERADE
$N A ping -e 23 -c 1 -W 1 2001:db8:2::1
$N A ping -e 24 -c 1 -W 4 2001:db8:2::99
$I -t nat -S -v
table
$I -t nat -F
ip -n B route add default via 2001:db8:2::ff
sleep 3
for w in icmp6-no-route icmp6-adm-prohibited icmp6-addr-unreachable icmp6-port-unreachable icmp6-policy-fail icmp6-reject-route; do
    $I -A FORWARD -p icmpv6 -j REJECT --reject-with $w
    $N A ping -c 1 -W 1 2001:db8:2::1
    $I -F
    sleep 2
done
$I -A OUTPUT $echo -j DROP
$N R ping -c 1 -W 1 2001:db8:1::1
$I -S OUTPUT -v
