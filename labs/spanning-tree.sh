#!/usr/bin/env bash
# Three switches in a ring: spanning tree lets the loop come to rest, and mends the network when a cable breaks.
#
# Without it, one broadcast would go round for ever. Bridges with `stp_state 1` choose a root (the lowest priority, then the
# lowest MAC), keep the shortest ways to it, and block what is left over. A port waits twice the forward delay, 15 s,
# before it forwards: first it listens, then it learns. Time is virtual here, so half a minute passes at once.
set -eu

ip netns add sw
for i in 1 2 3; do
    ip -n sw link add "br$i" address "02:00:00:00:ff:0$i" type bridge stp_state 1 mcast_snooping 0
    ip netns add "h$i"
    ip -n "h$i" link add eth0 address "02:00:00:00:00:0$i" type veth peer name "h$i" netns sw
    ip -n sw link set "h$i" address "02:00:00:00:0f:0$i" master "br$i" up
    ip -n "h$i" link set eth0 up
    ip -n "h$i" addr add "192.0.2.$i/24" dev eth0
done
for cable in 1:2 2:3 3:1; do
    IFS=: read -r a b <<<"$cable"
    ip -n sw link add "to$b-$a" address "02:00:00:00:0$a:0$b" type veth peer name "to$a-$b" address "02:00:00:00:0$b:0$a"
    ip -n sw link set "to$b-$a" master "br$a" up
    ip -n sw link set "to$a-$b" master "br$b" up
done
for i in 1 2 3; do
    ip -n sw link set "br$i" up
done

# Which port is in which state, without the rest of the line.
states() {
    bridge -n sw link | sed 's/^[0-9]*: \([^@:]*\)[@:].* master \(br[0-9]\) state \([a-z]*\) .*/\2 \1 \3/' | sort
}

sleep 3
echo "== after 3 s the tree is known, but nothing forwards yet"
states
ip netns exec h1 ping -q -c 1 -W 1 192.0.2.2 || echo "exit code $?"

sleep 30
echo "== after 30 s more: one port of the ring is blocked, and everybody reaches everybody"
states
ip netns exec h1 ping -q -c 1 192.0.2.2
ip netns exec h2 ping -q -c 1 192.0.2.3

echo "== br3 sees the root by its shortest way"
ip netns exec sw brctl showstp br3 | sed -n '/designated root\|root port/{p;}' | sed 2q

echo "== what a designated port says every two seconds"
ip netns exec sw tcpdump -n -t -e -i to2-1 -c 1 stp 2>/dev/null

echo "== the cable between br1 and br3 breaks: the blocked port takes over"
ip -n sw link set to3-1 down
sleep 35
states
ip netns exec h1 ping -q -c 1 192.0.2.3

echo "== br2 is to be the root: the lowest priority wins"
ip -n sw link set br2 type bridge priority 4096
sleep 35
ip netns exec sw brctl showstp br1 | sed -n '/designated root\|root port/{p;}' | sed 2q
ip netns exec h1 ping -q -c 1 192.0.2.3
