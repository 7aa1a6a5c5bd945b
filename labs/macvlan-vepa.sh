#!/usr/bin/env bash
# macvlan in vepa mode: everything goes out to the switch, which decides.
#
# VEPA (802.1Qbg) leaves switching to the switch: a frame for a neighbour on the same card goes out on the wire and has to
# come back on it. An ordinary switch never sends a frame out of the port that it came in by. One whose port is in
# "reflective relay", on Linux called hairpin mode, does.
set -eu

# The switch is a bridge in a namespace of its own; a veth pair is the cable between it and our card.
ip netns add switch
ip link add card type veth peer name port1 netns switch
ip -n switch link add br0 type bridge
ip -n switch link set port1 master br0
ip -n switch link set port1 up
ip -n switch link set br0 up
ip link set card up

for station in red:0a:1 blue:0b:2; do
    IFS=: read -r name mac last <<<"$station"
    ip netns add "$name"
    ip link add mv0 link card netns "$name" address "02:00:00:00:00:$mac" type macvlan mode vepa
    ip -n "$name" addr add "192.0.2.$last/24" dev mv0
    ip -n "$name" link set mv0 up
    # Up, or a station does not hear of its own failures ("Destination Host Unreachable").
    ip -n "$name" link set lo up
done

echo "== an ordinary port does not send back what it received"
ip netns exec red ping -c 1 -W 4 192.0.2.2 || echo "exit code $?"

echo "== with hairpin mode it does"
ip netns exec switch bridge link set dev port1 hairpin on
ip -n switch -d link show port1 | grep -o 'hairpin [a-z]*'
ip netns exec red ping -c 2 192.0.2.2

echo "== on the cable every packet is seen twice: out to the switch and back"
cable=$(mktemp)
tcpdump -n -t -e -i card -c 4 icmp >"$cable" 2>&1 &
sleep 1
ip netns exec red ping -c 1 192.0.2.2 >/dev/null
wait
# ping's id is its process id, which is different every time.
sed -n 's/, id [0-9]*//; /ethertype/p' "$cable"
rm "$cable"
