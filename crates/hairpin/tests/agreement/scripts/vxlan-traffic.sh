# needs: uml
# covers: traffic vxlan
# Two hosts over vxlan: frames on the device and below, learning and its end, what does not come through.
# with: vxlan-two-hosts.part
sleep 1
begin a.any b.any
$N a ping -c1 -W1 10.3.0.2
finish a.any b.any
bridge -n a fdb show dev vx0
bridge -n b fdb show dev vx0
ip -n a neigh
ip -n a -s link show vx0
ip -n b -s link show vx0
ip -n a neigh replace 192.168.0.2 lladdr 02:00:00:00:00:32 dev u0
ip -n b neigh replace 192.168.0.1 lladdr 02:00:00:00:00:31 dev u1
sleep 6
V=-v
begin a.u0 a.vx0
$N a ping -c1 -W1 -Q 0x28 10.3.0.2
$N a ping -s 1450 -c2 -W1 10.3.0.2
finish a.u0 a.vx0
V=
ip -n a route get 10.3.0.2
$N a ping -c1 -W1 -s 1423 -M do 10.3.0.2
$N a ping -c1 -W1 -s 1422 -M do 10.3.0.2
ip -n a -s link show vx0
ip -n b -s link show vx0
sleep 22
bridge -n b fdb show dev vx0
