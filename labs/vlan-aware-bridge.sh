#!/usr/bin/env bash
# One bridge, many VLANs: VLAN filtering instead of a bridge for each VLAN.
#
# With `vlan_filtering 1` a bridge is the switch that one can buy: every port is a member of some VLANs. A frame without a
# tag belongs to the port's pvid; it stays in its VLAN, and leaves only by members, without its tag where the port has
# the VLAN untagged (access ports) and with it elsewhere (trunks).
set -eu

ip netns add sw
ip -n sw link add br0 address 02:00:00:00:ff:00 type bridge vlan_filtering 1 mcast_snooping 0
ip -n sw link set br0 up

# Stations a1 and a2 are in VLAN 10, b1 in VLAN 20; r is a router on a trunk that carries both.
for station in a1:1 a2:2 b1:3 r:4; do
    IFS=: read -r name last <<<"$station"
    ip netns add "$name"
    ip -n "$name" link add eth0 address "02:00:00:00:00:0$last" type veth peer name "$name" netns sw
    ip -n sw link set "$name" address "02:00:00:00:ff:0$last" master br0 up
    ip -n "$name" link set eth0 up
    # Nothing is to be in the default VLAN.
    bridge -n sw vlan del vid 1 dev "$name"
done
bridge -n sw vlan add vid 10 dev a1 pvid untagged
bridge -n sw vlan add vid 10 dev a2 pvid untagged
bridge -n sw vlan add vid 20 dev b1 pvid untagged
bridge -n sw vlan add vid 10 dev r
bridge -n sw vlan add vid 20 dev r
bridge -n sw vlan del vid 1 dev br0 self

ip -n a1 addr add 192.0.2.1/25 dev eth0
ip -n a2 addr add 192.0.2.2/25 dev eth0
ip -n b1 addr add 192.0.2.131/25 dev eth0
for vlan in 10:126 20:254; do
    IFS=: read -r id last <<<"$vlan"
    ip -n r link add "eth0.$id" link eth0 type vlan id "$id"
    ip -n r link set "eth0.$id" up
    ip -n r addr add "192.0.2.$last/25" dev "eth0.$id"
done
ip -n a1 route add default via 192.0.2.126
ip -n a2 route add default via 192.0.2.126
ip -n b1 route add default via 192.0.2.254
ip netns exec r sysctl -q -w net.ipv4.ip_forward=1

echo "== who is in which VLAN"
bridge -n sw vlan

echo "== in a VLAN stations reach each other"
ip netns exec a1 ping -q -c 1 192.0.2.2

echo "== across VLANs only the router does: the same packet on the trunk, with one tag and with the other"
ip netns exec a1 ping -q -c 1 192.0.2.131 >/dev/null
capture=$(mktemp)
ip netns exec sw tcpdump -n -t -e -i r -c 2 'vlan and icmp[icmptype] == icmp-echo' >"$capture" 2>/dev/null &
sleep 1
ip netns exec a1 ping -q -c 1 192.0.2.131
wait
sed 's/, id [0-9]*//' "$capture"
rm "$capture"

echo "== the same MAC is known in each VLAN by itself"
bridge -n sw fdb show dynamic

echo "== b1 takes an address of VLAN 10 and is none the nearer: its port is in VLAN 20"
ip -n b1 addr add 192.0.2.3/25 dev eth0
ip netns exec b1 ping -q -c 1 -W 1 -I 192.0.2.3 192.0.2.1 || echo "exit code $?"

echo "== its port moves to VLAN 10"
bridge -n sw vlan del vid 20 dev b1
bridge -n sw vlan add vid 10 dev b1 pvid untagged
ip netns exec b1 ping -q -c 1 -I 192.0.2.3 192.0.2.1
