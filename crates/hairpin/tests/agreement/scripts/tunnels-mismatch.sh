# needs: uml
# A GRE tunnel whose ends do not agree, and one whose way leads nowhere.
# with: tunnels-three-hosts.part
# One end wants a key, the other has none.
ip -n a link add t0 type gre remote 192.168.0.2 local 192.168.0.1 key 5
ip -n b link add t0 type gre remote 192.168.0.1 local 192.168.0.2
ip -n a link set t0 up
ip -n b link set t0 up
ip -n a addr add 10.9.0.1/24 dev t0
ip -n b addr add 10.9.0.2/24 dev t0
begin a.u0
$N a ping -c1 -W1 10.9.0.2
finish a.u0
ip -n b -s link show t0
# The way to the other end leads through the tunnel, and then nowhere.
ip -n a route add 192.168.0.2/32 dev t0
$N a ping -c1 -W1 10.9.0.2
ip -n a -s link show t0
ip -n a route del 192.168.0.2/32 dev t0
ip -n a route del 192.168.0.0/24 dev u0
$N a ping -c1 -W1 10.9.0.2
ip -n a -s link show t0
