#!/usr/bin/env bash
# ipvlan in mode l3s: as l3, but what comes in passes the host's IP layer and its firewall.
#
# In mode l3 the card hands a frame to its ipvlan before the host's IP layer sees it: connection tracking and filters
# of the host see only one half of a conversation. In mode l3s ("symmetric") they see both. A capture shows it: what
# comes in is seen on the card, and no more on the ipvlan.
set -eu

# A veth plays card and wire: its other end is a neighbour who knows the way to 10.1.0.0/24.
ip netns add outside
ip link add in0 type veth peer name out0 netns outside
ip addr add 10.9.0.1/24 dev in0
ip link set in0 up
ip -n outside addr add 10.9.0.2/24 dev out0
ip -n outside link set out0 up
ip -n outside route add 10.1.0.0/24 via 10.9.0.1

# An ipvlan on that card.
ip netns add blue
ip link add blue0 link in0 netns blue type ipvlan mode l3s
ip -n blue addr add 10.1.0.2/24 dev blue0
ip -n blue link set blue0 up
ip -n blue route add default dev blue0

capture() {
    ip netns exec blue tcpdump -n -t -i blue0 icmp >"$dir/ipvlan" 2>/dev/null &
    captures=$!
    tcpdump -n -t -i in0 icmp >"$dir/card" 2>/dev/null &
    captures="$captures $!"
    sleep 1
}
show() {
    sleep 1
    # shellcheck disable=SC2086 # two numbers
    kill $captures
    wait
    for place in card ipvlan; do
        echo "on the $place:"
        sed -n 's/, id [0-9]*//; /^IP/p' "$dir/$place"
    done
}
dir=$(mktemp -d)

echo "== l3s: the request is seen on the card only, the reply on both"
capture
ip netns exec outside ping -c 1 10.1.0.2
show

echo "== l3: the request is seen on the ipvlan too"
ip -n blue link set blue0 type ipvlan mode l3
capture
ip netns exec outside ping -c 1 10.1.0.2
show
rm -r "$dir"
