#!/usr/bin/env bash
# Two cables as one: when the one in use breaks, the other takes over.
#
# A bond in mode active-backup sends by one of its slaves, the active one, and looks after the links every `miimon`
# milliseconds. When the active slave loses its link another becomes the active one, with the same MAC and address. So that the switch
# looks for that MAC behind the other port from now on, the bond announces itself by ARP.
set -eu

# A host with two cards, both on one switch; a peer is behind the switch.
ip netns add host
ip netns add switch
ip -n switch link add sw type bridge
ip -n switch link set sw up
for n in 1 2; do
    ip link add "card$n" address "02:00:00:00:00:0$n" netns host type veth peer name "port$n" netns switch
    ip -n switch link set "port$n" master sw
    ip -n switch link set "port$n" up
done
ip netns add peer
ip link add card address 02:00:00:00:00:09 netns peer type veth peer name port9 netns switch
ip -n switch link set port9 master sw
ip -n switch link set port9 up
ip -n peer link set card up
ip -n peer addr add 192.0.2.9/24 dev card

# Cards are enslaved while they are down; the bond sets them up.
ip -n host link add bond0 type bond mode active-backup miimon 100
ip -n host link set card1 master bond0
ip -n host link set card2 master bond0
ip -n host link set bond0 up
ip -n host addr add 192.0.2.1/24 dev bond0
sleep 3

active() { ip netns exec host grep 'Currently Active' /proc/net/bonding/bond0; }

echo "== the first card is the active one, and both have its MAC"
active
ip -n host -br link show bond0
ip -n host -br link show card1
ip -n host -br link show card2
ip netns exec host ping -q -c 2 192.0.2.9
ip netns exec switch bridge fdb show br sw | grep 02:00:00:00:00:01

echo "== the cable of the first card breaks: the second takes over and says so"
ip netns exec peer timeout 4 tcpdump -n -t -e -i card arp 2>/dev/null &
sleep 1
ip -n switch link set port1 down
wait || true
active
ip netns exec switch bridge fdb show br sw | grep 02:00:00:00:00:01
ip netns exec host ping -q -c 2 192.0.2.9

echo "== the first card is back: it waits, for nothing says that it is better"
ip -n switch link set port1 up
sleep 3
active

echo "== as the primary slave it is wanted back"
ip -n host link set bond0 type bond primary card1
active
ip netns exec host cat /proc/net/bonding/bond0 | tail -n +3

echo "== without any card the bond has no carrier"
ip -n switch link set port1 down
ip -n switch link set port2 down
sleep 3
active
ip -n host -br link show bond0
