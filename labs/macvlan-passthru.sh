#!/usr/bin/env bash
# macvlan in passthru mode: one macvlan gets the whole card.
#
# It takes over the card's MAC, receives everything that arrives there, and is the only macvlan the card can have. Virtual
# machines get their network card like this: they may then change the MAC or put a bridge behind it.
set -eu

# A cable to a machine "peer", so that the card is ours to give away.
ip netns add peer
ip netns add guest
ip link add card address 02:00:00:00:00:0c type veth peer name port netns peer
ip -n peer addr add 192.0.2.1/24 dev port
ip -n peer link set port up
ip link set card up

ip link add guest0 link card netns guest type macvlan mode passthru
ip -n guest addr add 192.0.2.2/24 dev guest0
ip -n guest link set guest0 up

echo "== it has the card's MAC, and the card listens to every frame for its sake"
ip -n guest -br link show guest0
ip -d link show card | grep -o 'promiscuity [0-9]*'
ip netns exec guest ping -c 1 192.0.2.1

echo "== there is no room for a second one, of whatever mode"
ip link add second link card type macvlan mode bridge || echo "exit code $?"
ip link add second link card type macvlan mode passthru || echo "exit code $?"

echo "== a new MAC on the guest's device becomes the card's"
ip -n guest link set guest0 address 02:00:00:00:00:0d
ip -br link show card
ip netns exec guest ping -c 1 192.0.2.1

echo "== with nopromisc the card is left out of promiscuous mode"
ip -n guest link del guest0
ip link add guest0 link card netns guest type macvlan mode passthru nopromisc
ip -n guest link set guest0 up
ip -d link show card | grep -o 'promiscuity [0-9]*'
