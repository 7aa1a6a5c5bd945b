# needs: uml
# runs: by bash alone
# vxlan where something is missing: the other end, the network, the way, the entry; and where the other end is here.
# with: vxlan-two-hosts.part
ip -n a neigh replace 192.168.0.2 lladdr 02:00:00:00:00:32 dev u0
ip -n b neigh replace 192.168.0.1 lladdr 02:00:00:00:00:31 dev u1
sleep 1
$N a ping -c1 -W1 10.3.0.2
# Nobody listens at the other end.
ip -n b link set vx0 down
ip -n a neigh flush dev vx0
sleep 3.5
begin a.u0
$N a ping -c1 -W4 10.3.0.2
finish a.u0
ip -n b link set vx0 up
ip -n a neigh replace 10.3.0.2 lladdr 02:00:00:00:00:42 dev vx0
ip -n b neigh replace 10.3.0.1 lladdr 02:00:00:00:00:41 dev vx0
sleep 2
# Another network: the same socket, nothing comes through.
ip -n a link add vx5 address 02:00:00:00:00:51 type vxlan id 5 remote 192.168.0.2 dstport 4789 srcport 50000 50001 ttl 7 tos 0x30 df set
ip -n a link set vx5 up
ip -n a addr add 10.5.0.1/24 dev vx5
V=-v
begin a.u0 b.vx0
$N a ping -c1 -W1 10.5.0.2
finish a.u0 b.vx0
V=
ip -n b addr add 10.5.0.2/24 dev vx0
sleep 3.5
$N a ping -c1 -W1 10.5.0.2
sleep 3.5
ip -n a -s link show vx5
ip -n a link del vx5
sleep 3
# No way to the other end.
ip -n a route del 192.168.0.0/24 dev u0
$N a ping -c1 -W1 10.3.0.2
sleep 1
bash -c "ip -n a -s link show vx0 | tail -1 | awk '{ print \$3, \$5 }'"
ip -n a route add 192.168.0.0/24 dev u0
# No entry for the destination.
bridge -n a fdb del 00:00:00:00:00:00 dev vx0
bridge -n a fdb show dev vx0
$N a ping -c1 -W1 10.3.0.9
sleep 3.5
bash -c "ip -n a -s link show vx0 | tail -1 | awk '{ print \$3, \$4, \$5 }'"
# A neighbour and an entry by hand.
ip -n a neigh replace 10.3.0.2 lladdr 02:00:00:00:00:42 dev vx0
bridge -n a fdb replace 02:00:00:00:00:42 dev vx0 dst 192.168.0.2
$N a ping -c1 -W1 10.3.0.2
# An entry by hand does not move.
bridge -n b fdb replace 02:00:00:00:00:41 dev vx0 dst 192.168.0.99
$N a ping -c1 -W1 10.3.0.2
bridge -n b fdb show dev vx0
# The other end is here.
ip -n b link add vx7 address 02:00:00:00:00:71 type vxlan id 7 remote 192.168.0.2 dstport 4789
ip -n b link set vx7 up
ip -n b addr add 10.7.0.1/24 dev vx7
$N b ping -c1 -W1 10.7.0.2
sleep 3.5
ip -n b -s link show vx7
bridge -n b fdb show dev vx7
