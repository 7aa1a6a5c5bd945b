#!/usr/bin/env bash
# macvlan in private mode: stations on one card that must not see each other.
#
# Private macvlans reach the outside, but never one another: what one sends to another's MAC goes out to the wire and is
# not taken when it comes back, and broadcasts are not handed from one to the other either. So ARP finds nobody.
set -eu

ip netns add red
ip netns add blue
ip link add red0 link eth0 netns red address 02:00:00:00:00:0a type macvlan mode private
ip link add blue0 link eth0 netns blue address 02:00:00:00:00:0b type macvlan mode private
ip -n red addr add 10.0.2.101/24 dev red0
ip -n blue addr add 10.0.2.102/24 dev blue0
ip -n red link set red0 up
ip -n blue link set blue0 up

# A station's own loopback device must be up for it to hear of its own failures ("Destination Host Unreachable").
ip -n red link set lo up

echo "== the gateway answers red"
ip netns exec red ping -c 1 10.0.2.2

echo "== blue does not: red's ARP question never gets there"
ip netns exec red ping -c 1 -W 4 10.0.2.102 || echo "exit code $?"
ip -n red neigh show 10.0.2.102

echo "== not even where both know the other's MAC"
ip -n red neigh replace 10.0.2.102 lladdr 02:00:00:00:00:0b dev red0
ip -n blue neigh replace 10.0.2.101 lladdr 02:00:00:00:00:0a dev blue0
ip netns exec red ping -c 1 -W 1 10.0.2.102 || echo "exit code $?"

echo "== the mode can be changed while it is in use: now they talk"
ip -n red link set red0 type macvlan mode bridge
ip -n blue link set blue0 type macvlan mode bridge
ip netns exec red ping -c 1 10.0.2.102
