# needs: uml
# ipv6: on
# What rules ask the routing tables: whether answers leave by where a packet came in, kinds of addresses of IPv6, and a way
# for what this host sends and a rule has changed. What is not to be tracked makes nothing track.
# with: router-between.part
for n in A R B; do $N $n sysctl -w net.ipv6.conf.default.accept_ra=0; done
ip -n A addr add fd00:1::1/64 dev a0 nodad
ip -n R addr add fd00:1::254/64 dev r0 nodad
ip -n R addr add fd00:2::254/64 dev r1 nodad
ip -n B addr add fd00:2::1/64 dev b0 nodad
ip -n A route add default via fd00:1::254
ip -n B route add default via fd00:2::254
$N R sysctl -w net.ipv6.conf.all.forwarding=1
for n in A R B; do $N $n sysctl -w net.ipv4.conf.all.rp_filter=0; done
I6="ip netns exec R ip6tables-legacy"
sleep 4
# Not tracked, and nothing is.
$I -t raw -A PREROUTING -j CT --notrack
$I -t raw -A OUTPUT -j NOTRACK
$N A ping -e 1 -c 1 -W 1 10.0.2.1
$N R ping -e 2 -c 1 -W 1 10.0.2.1
$N R cat /proc/net/nf_conntrack
$I -t raw -F
# By where answers leave.
ip -n A addr add 10.0.9.9/32 dev lo
ip -n A addr add 10.0.2.77/32 dev lo
ip -n A addr add fd00:9::9/128 dev lo nodad
ip -n A addr add fd00:2::77/128 dev lo nodad
for t in raw mangle; do
  for how in "" "--loose" "--invert" "--accept-local" "--loose --validmark --accept-local --invert"; do
    $I -t $t -A PREROUTING -p icmp -m rpfilter $how
    $I6 -t $t -A PREROUTING -p icmpv6 --icmpv6-type 128 -m rpfilter $how
  done
done
$I -A FORWARD -m rpfilter || true
$I -t raw -A OUTPUT -m rpfilter || true
$I -t raw -nL PREROUTING
$N A ping -e 3 -c 1 -W 1 10.0.2.1
$N A ping -e 4 -c 1 -W 0.3 -I 10.0.9.9 10.0.2.1 || true
$N A ping -e 5 -c 1 -W 0.3 -I 10.0.2.77 10.0.2.1 || true
$N A ping -e 6 -c 1 -W 1 10.0.1.254
$N R ping -e 7 -c 1 -W 1 10.0.1.254
$N A ping -6 -e 8 -c 1 -W 1 fd00:2::1
$N A ping -6 -e 9 -c 1 -W 0.3 -I fd00:9::9 fd00:2::1 || true
$N A ping -6 -e 10 -c 1 -W 0.3 -I fd00:2::77 fd00:2::1 || true
$N R ping -6 -e 11 -c 1 -W 1 fd00:1::254
for t in raw mangle; do $I -t $t -S PREROUTING -v | grep rpfilter; $I6 -t $t -S PREROUTING -v | grep rpfilter; $I -t $t -F; $I6 -t $t -F; done
# Kinds of addresses.
for k in UNSPEC UNICAST LOCAL ANYCAST MULTICAST UNREACHABLE UNICAST,LOCAL MULTICAST,LOCAL; do
  for side in src dst; do
    $I6 -t raw -A PREROUTING -p icmpv6 --icmpv6-type 128 -m addrtype --$side-type $k
    $I6 -t raw -A OUTPUT -p icmpv6 --icmpv6-type 128 -m addrtype ! --$side-type $k
  done
done
for k in UNICAST LOCAL ANYCAST; do $I6 -t raw -A PREROUTING -p icmpv6 --icmpv6-type 128 -m addrtype --dst-type $k --limit-iface-in; done
$N A ping -6 -e 12 -c 1 -W 1 fd00:2::1
$N A ping -6 -e 13 -c 1 -W 1 fd00:1::254
$N A ping -6 -e 14 -c 1 -W 1 fd00:2::254
$N A ping -6 -e 15 -c 1 -W 0.3 fd00:7::7 || true
$N R ping -6 -e 16 -c 1 -W 1 fd00:1::1
$N R ping -6 -e 17 -c 1 -W 1 fd00:1::254
$I6 -t raw -S -v | grep addrtype
# No way to where it is sent instead: later rules do not see it.
ip -n R link set lo down
for c in OUTPUT POSTROUTING; do $I -t mangle -A $c -p icmp --icmp-type 8; done
$I -A OUTPUT -p icmp --icmp-type 8
$I -t nat -A OUTPUT -p icmp -j REDIRECT
$N R ping -e 18 -c 1 -W 0.3 10.0.2.1 || true
$I -S OUTPUT -v
$I -t mangle -S -v
