# needs: uml
# modules: br_netfilter
# Bridged packets at the hooks of IPv4: which chains see them, by which devices, and what becomes of them.
for n in A R B; do ip netns add $n; ip -n $n link set lo up; done
ip link add a0 netns A type veth peer name p0 netns R
ip link add b0 netns B type veth peer name p1 netns R
ip -n A link set a0 address 02:00:00:00:00:01 up
ip -n B link set b0 address 02:00:00:00:00:02 up
ip -n R link add br0 address 02:00:00:00:00:09 type bridge
for p in p0 p1; do ip -n R link set $p master br0; ip -n R link set $p up; done
ip -n R link set br0 up
ip -n A addr add 10.0.0.1/24 dev a0
ip -n B addr add 10.0.0.2/24 dev b0
ip -n R addr add 10.0.0.9/24 dev br0
N="ip netns exec"
I="ip netns exec R iptables-legacy"
# Until it has reported its groups.
sleep 2.3
$N R sysctl net.bridge
$N R cat /proc/sys/net/bridge/bridge-nf-call-iptables
for c in PREROUTING INPUT FORWARD OUTPUT POSTROUTING; do $I -t mangle -A $c -p icmp; done
for c in PREROUTING FORWARD INPUT; do
    $I -t mangle -A $c -i br0
    $I -t mangle -A $c -i p0
    $I -t mangle -A $c -m physdev --physdev-in p0
    $I -t mangle -A $c -m physdev ! --physdev-in p0
    $I -t mangle -A $c -m physdev --physdev-is-in
    $I -t mangle -A $c -m physdev ! --physdev-is-in
done
for c in FORWARD POSTROUTING; do
    $I -t mangle -A $c -o br0
    $I -t mangle -A $c -m physdev --physdev-is-bridged
    $I -t mangle -A $c -m physdev ! --physdev-is-bridged
    $I -t mangle -A $c -m physdev --physdev-is-bridged --physdev-out p1
    $I -t mangle -A $c -m physdev --physdev-is-out
    $I -t mangle -A $c -m physdev --physdev-is-bridged ! --physdev-out p1
    $I -t mangle -A $c -m physdev --physdev-in p0 --physdev-out p1
done
$I -t mangle -A INPUT -m physdev ! --physdev-is-bridged
$I -t mangle -A OUTPUT -m physdev --physdev-out p1
$I -t mangle -A OUTPUT -m physdev --physdev-in p1
$I -t mangle -A OUTPUT -m physdev
show() { $I -t mangle -S -v; $I -t mangle -Z; }
$N A ping -c 2 -i 0.2 -W 1 10.0.0.2
show
$N A ping -c 1 -W 1 10.0.0.9
show
$N R ping -c 1 -W 1 10.0.0.2
show
$N A ping -b -c 1 -W 1 10.0.0.255
show
$I -t mangle -F
# The policy of FORWARD stops what is bridged, and not ARP.
$I -P FORWARD DROP
$N A ping -c 1 -W 1 10.0.0.2
$N A ping -c 1 -W 1 10.0.0.9
$I -A FORWARD -i br0 -o br0 -j ACCEPT
$N A ping -c 1 -W 1 10.0.0.2
$I -S -v
$I -F
$N R sysctl -w net.bridge.bridge-nf-call-iptables=0
$N A ping -c 1 -W 1 10.0.0.2
ip -n R link set br0 type bridge nf_call_iptables 1
$N A ping -c 1 -W 1 10.0.0.2
ip -n R link set br0 type bridge nf_call_iptables 0
$N R sysctl -w net.bridge.bridge-nf-call-iptables=1
$I -A FORWARD -m physdev --physdev-in p0 -j ACCEPT
$N A ping -c 1 -W 1 10.0.0.2
$I -A FORWARD -m physdev --physdev-in p1 -j ACCEPT
$N A ping -c 1 -W 1 10.0.0.2
$I -S -v
$I -P FORWARD ACCEPT
$I -F
# REJECT answers over the bridge.
$I -A FORWARD -p icmp -j REJECT
$N A tcpdump -i a0 -n -e -l icmp &
T=$!
sleep 0.5
$N A ping -e 77 -s 0 -c 1 -W 1 10.0.0.2
sleep 0.5
kill $T
wait $T
$I -F
$I -A FORWARD -p tcp -j REJECT --reject-with tcp-reset
$N A nc -n -z -v -w 2 10.0.0.2 80
$I -S -v
$I -F
# Fragments are put together, and taken apart again.
$I -A FORWARD -m conntrack --ctstate NEW
$I -A FORWARD -m conntrack --ctstate ESTABLISHED
$N B tcpdump -i b0 -n -l -v icmp &
T=$!
sleep 0.5
$N A ping -c 1 -W 1 -s 3000 10.0.0.2
sleep 0.5
kill $T
wait $T
$I -S -v
$I -F
# The connection that has ended on the bridge is known there.
$N A ping -e 77 -s 0 -c 1 -W 1 10.0.0.2
$I -A FORWARD -m conntrack --ctstate NEW
$N A ping -e 78 -c 1 -W 1 10.0.0.2
$N R cat /proc/net/nf_conntrack | grep id=78 | sed 's/  *[0-9]* src/ T src/'
