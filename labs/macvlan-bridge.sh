#!/usr/bin/env bash
# macvlan in bridge mode: several stations share one card.
#
# A macvlan is a second, third, … network card that uses the wire of a real one. Every macvlan has a MAC of its own; the
# kernel looks at a frame's destination to find out whose it is. In bridge mode, macvlans on the same card also hand frames
# to each other directly: nothing goes out to the wire for that.
set -eu

# Two namespaces play two containers.
ip netns add red
ip netns add blue

# eth0 is the lower device of both. The MACs are set so that captures can be read; left out, they are random.
ip link add red0 link eth0 address 02:00:00:00:00:0a type macvlan mode bridge
ip link add blue0 link eth0 address 02:00:00:00:00:0b type macvlan mode bridge

# Moved to its namespace a macvlan keeps its lower device: that one stays where it is.
ip link set red0 netns red
ip link set blue0 netns blue

# They are stations of eth0's own network, 10.0.2.0/24.
ip -n red addr add 10.0.2.101/24 dev red0
ip -n blue addr add 10.0.2.102/24 dev blue0
ip -n red link set red0 up
ip -n blue link set blue0 up

echo "== red reaches blue, without the wire"
wire=$(mktemp)
tcpdump -n -t -i eth0 -Q out -c 1 icmp >"$wire" 2>&1 &
sleep 1
ip netns exec red ping -c 2 10.0.2.102

echo "== both reach the gateway on the wire"
ip netns exec red ping -c 1 10.0.2.2
wait
ip netns exec blue ping -c 1 10.0.2.2

echo "== the first that eth0 sent out was for the gateway: the echoes to blue were not sent"
# ping's id is its process id, which is different every time.
sed -n 's/, id [0-9]*//; /^IP/p' "$wire"
rm "$wire"

echo "== what red knows about its neighbours"
ip -n red -br link show red0
ip -n red neigh show 10.0.2.102
