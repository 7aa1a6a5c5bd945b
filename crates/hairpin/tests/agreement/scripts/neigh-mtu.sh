# needs: uml
# A device whose MTU is too small for IPv4 has no neighbours: they go, and none can be made.
ip netns add a
ip -n a link add d address 02:00:00:00:00:01 type dummy
ip -n a link set d up
ip -n a addr add 10.0.0.1/24 dev d
ip -n a neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev d
ip -n a link set d mtu 68
ip -n a neigh
ip -n a link set d mtu 67
ip -n a neigh
ip -n a addr
ip -n a neigh add 10.0.0.3 lladdr 02:00:00:00:00:03 dev d
ip -n a neigh replace 10.0.0.3 lladdr 02:00:00:00:00:03 dev d
ip -n a neigh change 10.0.0.3 lladdr 02:00:00:00:00:03 dev d
ip -n a neigh del 10.0.0.3 dev d
ip -n a neigh add proxy 10.0.0.4 dev d
ip -n a neigh add 10.0.0.3 lladdr 02:00 dev d
ip -n a neigh
# Nor settings of IPv4.
ip netns exec a sysctl net.ipv4.conf.d.forwarding
ip -n a monitor netconf >told 2>/dev/null &
sleep 0.7
ip netns exec a sysctl -w net.ipv4.conf.all.forwarding=1
ip -n a netconf
sleep 0.3
kill %1
wait
cat told
ip -n a link set d mtu 100
ip netns exec a sysctl net.ipv4.conf.d.forwarding
ip -n a neigh add 10.0.0.3 lladdr 02:00:00:00:00:03 dev d
ip -n a neigh
ip -n a addr
