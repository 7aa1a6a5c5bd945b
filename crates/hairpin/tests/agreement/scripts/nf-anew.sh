# needs: uml
# ipv6: on
# What a rule has changed of what this host sends goes its way anew: what the sender is told where there is none, and that
# the VRF and the device of the socket are kept to. Whose a FIN is that is sent again.
# with: router-between.part
for n in A R B; do $N $n sysctl -w net.ipv6.conf.default.accept_ra=0; done
ip -n R link set r0 address 02:00:00:00:00:f0
ip -n A addr add fd00:1::1/64 dev a0 nodad
ip -n A addr add fe80::a/64 dev a0 nodad
ip -n R addr add fd00:1::254/64 dev r0 nodad
ip -n R addr add fd00:2::254/64 dev r1 nodad
I6="ip netns exec R ip6tables-legacy"
IA="ip netns exec A iptables-legacy"
sleep 2
# An address that is still looked for duplicates of is nobody's yet.
$N R sysctl -w net.ipv6.conf.r0.dad_transmits=30
ip -n R addr add fd00:1::55/64 dev r0
ip -n R addr add fd00:1::56/64 dev r0 nodad
for to in fd00:1::55 fd00:1::56; do
  ip -n A neigh add $to lladdr 02:00:00:00:00:f0 dev a0 nud permanent
  $I6 -t raw -A PREROUTING -d $to -m addrtype --dst-type LOCAL --limit-iface-in
done
$N A ping -6 -e 1 -c 1 -W 0.3 fd00:1::55 || true
$N A ping -6 -e 2 -c 1 -W 1 fd00:1::56
$I6 -t raw -S PREROUTING -v | grep -v ^-P
$I6 -t raw -F
# No way: by IPv6 too the sender is told so, and the next whom a rule drops is told of that.
$I6 -t mangle -A OUTPUT -d fd00:2::1 -j MARK --set-mark 7
ip -n R -6 rule add fwmark 7 unreachable
$N R ping -6 -e 3 -c 1 -W 0.3 fd00:2::1 || true
$I -A OUTPUT -d 10.0.2.1 -p icmp -j DROP
$N R ping -e 4 -c 1 -W 0.3 10.0.2.1 || true
$I -F
$I6 -t mangle -F
ip -n R -6 rule del fwmark 7
# To a link-local address by the device that it was to go.
$I6 -t mangle -A OUTPUT -p icmpv6 --icmpv6-type 128 -j MARK --set-mark 8
$N R ping -6 -e 5 -c 1 -W 1 -I r0 fd00:1::1
$N R ping -6 -e 6 -c 1 -W 1 fe80::a%r0
$I6 -t mangle -F
# A FIN that is sent again belongs to no program any longer.
$IA -A OUTPUT -p tcp --tcp-flags FIN FIN -m owner --uid-owner 0
$IA -A OUTPUT -p tcp --tcp-flags FIN FIN -m owner ! --uid-owner 0
$I -A FORWARD -s 10.0.1.1 -p tcp --tcp-flags FIN FIN -m limit --limit 1/hour --limit-burst 2 -j DROP
$N B nc -n -l -p 80 >/dev/null 2>&1 &
sleep 0.3
$N A nc -n -z -w 1 10.0.2.1 80
sleep 1.5
kill %1 2>/dev/null || true
wait
$IA -S OUTPUT -v | grep -c ' --uid-owner 0 -c 1 '
$IA -S OUTPUT -v | grep -v '! --uid-owner 0 -c 0 ' | grep -c '! --uid-owner'
$I -F
# In a VRF.
ip -n R link add red address 02:00:00:00:00:01 type vrf table 10
ip -n R link set red up
ip -n R link set r1 master red
ip -n R link set r0 master red
sleep 1.5
$I -t mangle -A OUTPUT -p icmp --icmp-type 8 -j TOS --set-tos 8
$N R ping -e 7 -c 1 -W 1 -I red 10.0.2.1
$I -t mangle -A OUTPUT -p icmp --icmp-type 8 -j MARK --set-mark 9
$N R ping -e 8 -c 1 -W 1 -I red 10.0.2.1
$N R ping -e 9 -c 1 -W 1 -I r1 10.0.2.1
$N A ping -e 10 -c 1 -W 1 10.0.2.1
