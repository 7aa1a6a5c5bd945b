#!/usr/bin/env bash
# Two VLANs over one cable: a trunk between two switches.
#
# A VLAN device adds its tag to what it sends, and takes frames that carry the tag. With a bridge for each VLAN on both sides,
# the stations never see a tag; on the trunk there is one on every frame, and the two networks stay apart though they use
# the same addresses.
set -eu

ip netns add west
ip netns add east
ip link add trunk netns west type veth peer name trunk netns east

for side in west east; do
    ip -n "$side" link set trunk up
    for id in 10 20; do
        # One bridge a VLAN; its port to the other side is the VLAN device on the trunk.
        ip -n "$side" link add "br$id" type bridge
        ip -n "$side" link add "trunk.$id" link trunk type vlan id "$id"
        ip -n "$side" link set "trunk.$id" master "br$id"
        ip -n "$side" link set "trunk.$id" up
        ip -n "$side" link set "br$id" up
    done
done

# A station on each bridge: w10 is west's in VLAN 10, and so on. Both VLANs use the same addresses.
for station in w:west:10:1 e:east:10:2 w:west:20:1 e:east:20:2; do
    IFS=: read -r letter side id last <<<"$station"
    name=$letter$id
    ip netns add "$name"
    ip -n "$name" link add eth0 address "02:00:00:$id:00:0$last" type veth peer name "$name" netns "$side"
    ip -n "$side" link set "$name" master "br$id"
    ip -n "$side" link set "$name" up
    ip -n "$name" addr add "192.0.2.$last/24" dev eth0
    ip -n "$name" link set eth0 up
done

echo "== in each VLAN west reaches east; the trunk shows which tag the frames carry"
for id in 10 20; do
    capture=$(mktemp)
    ip netns exec west tcpdump -n -t -e -i trunk -c 2 vlan "$id" and icmp >"$capture" 2>&1 &
    sleep 1
    ip netns exec "w$id" ping -c 1 192.0.2.2
    wait
    # ping's id is its process id, which is different every time.
    sed -n 's/, id [0-9]*//; /vlan/p' "$capture"
    rm "$capture"
done

echo "== the stations see no tag"
ip netns exec e10 tcpdump -n -t -e -i eth0 -c 1 icmp 2>/dev/null | sed 's/, id [0-9]*//' &
sleep 1
ip netns exec w10 ping -q -c 1 192.0.2.2 >/dev/null
wait

echo "== take VLAN 20 off the trunk: it is cut, VLAN 10 is not"
ip -n east link set trunk.20 down
ip netns exec w20 ping -q -c 1 -W 1 192.0.2.2 || echo "exit code $?"
ip netns exec w10 ping -q -c 1 192.0.2.2
