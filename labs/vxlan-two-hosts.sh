#!/usr/bin/env bash
# One Ethernet over two hosts that share no wire: vxlan.
#
# Between the hosts there is a router. Each host has containers on a bridge, and as one more port of that bridge a vxlan
# device: what the bridge sends out of it travels in UDP to the other host's address, and comes out of the vxlan device there.
set -eu

# The underlay: h1 -- router -- h2.
ip netns add router
ip netns exec router sysctl -q -w net.ipv4.ip_forward=1
for i in 1 2; do
    ip netns add "h$i"
    ip link add e0 netns "h$i" address "02:00:00:00:0$i:01" type veth peer name "to$i" netns router address "02:00:00:00:0$i:fe"
    ip -n router addr add "198.51.$i.254/24" dev "to$i"
    ip -n router link set "to$i" up
    ip -n "h$i" addr add "198.51.$i.1/24" dev e0
    ip -n "h$i" link set e0 up
    ip -n "h$i" route add default via "198.51.$i.254"
done

# The overlay: a bridge and a vxlan device of network 42 on each host, and a container behind the bridge.
for i in 1 2; do
    other=$((3 - i))
    ip -n "h$i" link add br0 type bridge mcast_snooping 0
    ip -n "h$i" link add vx42 type vxlan id 42 local "198.51.$i.1" remote "198.51.$other.1" dstport 4789 srcport 50000 50001
    # What fits the underlay's 1500 bytes with IP, UDP and VXLAN headers around it.
    ip -n "h$i" link set vx42 mtu 1450
    ip -n "h$i" link set vx42 master br0
    ip -n "h$i" link set vx42 up
    ip -n "h$i" link set br0 up
    ip netns add "c$i"
    ip link add e0 netns "c$i" mtu 1450 address "02:00:00:00:42:0$i" type veth peer name port netns "h$i" mtu 1450
    ip -n "h$i" link set port master br0
    ip -n "h$i" link set port up
    ip -n "c$i" addr add "192.0.2.$i/24" dev e0
    ip -n "c$i" link set e0 up
done

echo "== the containers are neighbours: the time to live is not touched; the router sees UDP between the hosts"
capture=$(mktemp)
# 28 bytes into the datagram is the type of the frame that it carries: the hosts' IPv6 goes through, too.
ip netns exec router tcpdump -n -t -e -i to1 -c 4 'udp port 4789 and udp[28:2] != 0x86dd' >"$capture" 2>&1 &
sleep 1
ip netns exec c1 ping -c 1 192.0.2.2
wait
# ping's id is its process id, which is different every time.
sed -n 's/, id [0-9]*//; / > /p' "$capture"
rm "$capture"

echo "== where h1 knows MACs to be: behind the vxlan port, and there behind the other host"
bridge -n h1 fdb show br br0 dev vx42 | grep -e 02:00:00:00:42 -e 00:00:00:00:00:00

echo "== 1422 bytes of data fill a packet of 1450; one more does not fit"
ip netns exec c1 ping -q -c 1 -M do -s 1422 192.0.2.2
ip netns exec c1 ping -q -c 1 -M do -s 1423 192.0.2.2 || echo "exit code $?"

echo "== without the entry for everything unknown, h1 sends broadcasts nowhere"
bridge -n h1 fdb del 00:00:00:00:00:00 dev vx42 dst 198.51.2.1
ip -n c1 neigh flush dev e0
ip netns exec c1 ping -q -c 1 -W 1 192.0.2.2 || echo "exit code $?"
