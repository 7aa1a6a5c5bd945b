#!/usr/bin/env bash
# macvlan in source mode: who is heard is decided by the sender's MAC.
#
# The other modes look at a frame's destination. A macvlan in source mode has a list of MACs, and gets the frames that
# these have sent, whoever they are for. It makes a guest list, or a way to sort clients to namespaces.
set -eu

# Two clients on a wire: a bridge in a namespace joins them with our card.
ip netns add wire
ip -n wire link add br0 type bridge
ip -n wire link set br0 up
ip link add card type veth peer name port0 netns wire
ip -n wire link set port0 master br0
ip -n wire link set port0 up
ip link set card up
for client in friend:0f:11 stranger:05:12; do
    IFS=: read -r name mac last <<<"$client"
    ip netns add "$name"
    ip -n "$name" link add eth0 address "02:00:00:00:00:$mac" type veth peer name "to-$name" netns wire
    ip -n wire link set "to-$name" master br0
    ip -n wire link set "to-$name" up
    ip -n "$name" addr add "192.0.2.$last/24" dev eth0
    ip -n "$name" link set eth0 up
    # Up, or a client does not hear of its own failures ("Destination Host Unreachable").
    ip -n "$name" link set lo up
done

ip netns add server
ip link add srv0 link card netns server type macvlan mode source
ip -n server addr add 192.0.2.1/24 dev srv0
ip -n server link set srv0 up

echo "== an empty list: nobody is heard"
ip netns exec friend ping -c 1 -W 4 192.0.2.1 || echo "exit code $?"

echo "== the friend is put on the list"
ip -n server link set srv0 type macvlan macaddr add 02:00:00:00:00:0f
ip -n server -d link show srv0 | grep -A1 -o 'macvlan mode.*'
ip netns exec friend ping -c 1 192.0.2.1

echo "== the stranger still is not heard"
ip netns exec stranger ping -c 1 -W 4 192.0.2.1 || echo "exit code $?"

echo "== the list is emptied again: the friend, who knows the way, gets no answer any more"
ip -n server link set srv0 type macvlan macaddr flush
ip netns exec friend ping -c 1 -W 1 192.0.2.1 || echo "exit code $?"
