#!/usr/bin/env bash
# ipvlan in mode l3: the card's namespace routes for its ipvlans.
#
# In mode l3 an ipvlan has no ARP and no broadcast. What it sends is routed in the namespace of the card, by the routes
# and neighbours there; what the card receives for its address it gets. So its subnet can be any, and nobody
# outside knows it: whoever is to answer needs a route to it by way of the host.
set -eu

ip netns add red
ip netns add blue
ip link add red0 link eth0 netns red type ipvlan mode l3
ip link add blue0 link eth0 netns blue type ipvlan mode l3

# Two subnets that exist nowhere else. A default route needs no gateway: the host finds the way.
ip -n red addr add 10.1.0.1/24 dev red0
ip -n blue addr add 10.2.0.1/24 dev blue0
ip -n red link set red0 up
ip -n blue link set blue0 up
ip -n red route add default dev red0
ip -n blue route add default dev blue0

echo "== no ARP"
ip -n red -br link show red0 | grep -o NOARP

echo "== red reaches blue though they are in different subnets"
ip netns exec red ping -c 1 10.2.0.1
ip -n red neigh show

echo "== with an address of the wire's subnet it is heard, but nobody answers when the gateway asks for that address"
ip -n red addr add 10.0.2.101/24 dev red0
wire=$(mktemp)
tcpdump -n -t -i eth0 -c 4 'arp or icmp' >"$wire" 2>&1 &
sleep 1
ip netns exec red ping -c 1 -W 1 10.0.2.2 || echo "no answer"
wait
sed -n 's/, id [0-9]*//; /^[AI]/p' "$wire"
rm "$wire"

echo "== broadcast is not for ipvlans in this mode"
ip netns exec red ping -c 1 -W 1 -b 10.0.2.255 || echo "not sent"
