#!/usr/bin/env bash
# ipvlan in mode l2: several stations share one card, and its MAC.
#
# Where a switch or a Wi-Fi access point lets a port have one MAC only, macvlan cannot be used: its devices have MACs of
# their own. All ipvlans on a card have the card's MAC; the kernel tells them apart by IP address. In mode l2 each of
# them still asks by ARP and answers for its address.
set -eu

# Two namespaces play two containers.
ip netns add red
ip netns add blue

# Mode and flag belong to the card: all ipvlans on eth0 have the same. "bridge" lets neighbours talk directly.
ip link add red0 link eth0 netns red type ipvlan mode l2 bridge
ip link add blue0 link eth0 netns blue type ipvlan mode l2 bridge

# They are stations of eth0's own network, 10.0.2.0/24.
ip -n red addr add 10.0.2.101/24 dev red0
ip -n blue addr add 10.0.2.102/24 dev blue0
ip -n red link set red0 up
ip -n blue link set blue0 up

echo "== one MAC for all three"
for where in red/red0 blue/blue0; do
    echo "${where#*/} has eth0's MAC: $(ip netns exec "${where%/*}" cat "/sys/class/net/${where#*/}/address" |
        grep -cxF "$(cat /sys/class/net/eth0/address)")"
done

echo "== red reaches blue, without the wire; both are known by the same MAC"
wire=$(mktemp)
tcpdump -n -t -i eth0 -Q out -c 1 icmp >"$wire" 2>&1 &
sleep 1
ip netns exec red ping -c 2 10.0.2.102

echo "== the gateway answers both"
ip netns exec red ping -c 1 10.0.2.2
wait
ip netns exec blue ping -c 1 10.0.2.2

echo "== the first that eth0 sent out was for the gateway: the echoes to blue were not sent"
# ping's id is its process id, which is different every time.
sed -n 's/, id [0-9]*//; /^IP/p' "$wire"
rm "$wire"

echo "== red does not reach the host: its question goes to the wire and to the other ipvlans"
ip netns exec red ping -c 1 -W 1 10.0.2.15 || echo "no answer"

echo "== an address belongs to one of them"
ip -n blue addr add 10.0.2.101/24 dev blue0 || echo "refused"

echo "== private: the answer to the question who has the address is lost on its way back"
ip -n red link set red0 type ipvlan private
ip -n blue -d link show blue0 | grep -o 'mode l2 [a-z]*'
ip -n red neigh flush dev red0
ip netns exec red ping -c 1 -W 1 10.0.2.102 || echo "no answer"
