#!/usr/bin/env bash
# A container on a macvlan network reaches everybody but its own host, and the host everybody but its container.
#
# It is no firewall. A macvlan hands what it sends to its neighbours or to the wire, and the card itself is not one of the
# neighbours: what the host's own address on eth0 sends goes out to the wire, and no switch sends it back. Docker's manual
# says so in one sentence; people search for days.
set -eu

# What "docker network create -d macvlan -o parent=eth0" and a container amount to.
ip netns add container
ip link add ct0 link eth0 netns container address 02:00:00:00:00:0c type macvlan mode bridge
ip -n container addr add 10.0.2.200/24 dev ct0
ip -n container link set ct0 up
ip -n container link set lo up
ip -n container route add default via 10.0.2.2

echo "== the container reaches the gateway"
ip netns exec container ping -c 1 10.0.2.2

echo "== the host does not reach its container: its ARP question goes out to the wire only"
ping -c 1 -W 4 10.0.2.200 || echo "exit code $?"
ip neigh show 10.0.2.200

echo "== nor the container its host"
ip netns exec container ping -c 1 -W 4 10.0.2.15 || echo "exit code $?"

echo "== the mend: the host joins the macvlans with one of its own, and takes that way to the container"
ip link add shim link eth0 address 02:00:00:00:00:05 type macvlan mode bridge
ip addr add 10.0.2.201/32 dev shim
ip link set shim up
ip route add 10.0.2.200/32 dev shim src 10.0.2.201
ip route get 10.0.2.200
ping -c 2 10.0.2.200

echo "== the container reaches the host by the shim's address"
ip netns exec container ping -c 1 10.0.2.201
