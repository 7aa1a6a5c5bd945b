#!/usr/bin/env bash
# docker on macvlan: containers that are stations of the LAN.
#
# A bridge network hides its containers behind the host. On macvlan they have MACs and addresses of the LAN itself: no ports are
# published, and the gateway is the LAN's. Docker makes the same devices as macvlan-bridge.sh does by hand.
set -eu

# The gateway must be told: without --gateway the containers have no default route.
docker network create -d macvlan --subnet 10.0.2.0/24 --gateway 10.0.2.2 --ip-range 10.0.2.96/28 -o parent=eth0 lan >/dev/null

# The MAC is set so that the list can be compared; left out, it is random. The second address is the lowest of the range.
docker run -d --network lan --ip 10.0.2.101 --mac-address 02:00:00:00:00:0a --name web alpine sleep infinity >/dev/null
docker run -d --network lan --name db alpine sleep infinity >/dev/null
docker network inspect -f '{{range .Containers}}{{.Name}} has {{.IPv4Address}}{{println}}{{end}}' lan | sort | sed '/^$/d'

echo "== a container's card and routes"
docker exec web ip addr show eth0
docker exec web ip route

echo "== its neighbour by name, the gateway of the LAN"
docker exec web ping -c 1 db
docker exec web ping -c 1 10.0.2.2

echo "== but never its own host: a macvlan and what is below it do not talk"
docker exec web ping -c 1 -W 1 10.0.2.15 || echo "no answer"

echo "== VLAN 7 is made for the network, and goes with it"
docker network create -d macvlan --subnet 10.7.0.0/24 -o parent=eth0.7 vlan7 >/dev/null
ip -brief link show eth0.7
docker network rm vlan7
ip -brief link show eth0.7 || true

docker rm -f web db
docker network rm lan
