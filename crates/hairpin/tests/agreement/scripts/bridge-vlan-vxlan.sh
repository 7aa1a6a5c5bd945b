# needs: uml
# VLANs of a bridge and networks of one vxlan device stand for one another: frames both ways, learning, what has no network.
# with: vxlan-two-hosts.part
for h in a b; do
    ip -n $h link del vx0
    ip -n $h link add br0 address 02:00:00:00:00:3$h type bridge vlan_filtering 1 mcast_snooping 0
    ip -n $h link add vx1 address 02:00:00:00:00:5$h type vxlan external dstport 4789 srcport 50000 50001
    ip -n $h link set vx1 master br0
    ip -n $h link set vx1 type bridge_slave vlan_tunnel on
    ip -n $h link set br0 up
    ip -n $h link set vx1 up
    for v in 10 20 30; do
        bridge -n $h vlan add vid $v dev vx1
        bridge -n $h vlan add vid $v dev br0 self
        ip -n $h link add link br0 name v$v type vlan id $v
        ip -n $h link set v$v up
    done
    bridge -n $h vlan add vid 10 dev vx1 tunnel_info id 1010
    bridge -n $h vlan add vid 20 dev vx1 tunnel_info id 2020
done
ip -n a addr add 10.10.0.1/24 dev v10
ip -n b addr add 10.10.0.2/24 dev v10
ip -n a addr add 10.20.0.1/24 dev v20
ip -n b addr add 10.20.0.2/24 dev v20
ip -n a addr add 10.30.0.1/24 dev v30
ip -n b addr add 10.30.0.2/24 dev v30
bridge -n a fdb append 00:00:00:00:00:00 dev vx1 dst 192.168.0.2 src_vni 1010
bridge -n b fdb append 00:00:00:00:00:00 dev vx1 dst 192.168.0.1 src_vni 1010
bridge -n a fdb append 00:00:00:00:00:00 dev vx1 dst 192.168.0.2 src_vni 2020 vni 4040
bridge -n b fdb append 00:00:00:00:00:00 dev vx1 dst 192.168.0.1 src_vni 4040 vni 2020
bridge -n b vlan del vid 20 dev vx1 tunnel_info id 2020
bridge -n b vlan add vid 20 dev vx1 tunnel_info id 4040
bridge -n a vlan tunnelshow
sleep 1
begin a.any b.u1
$N a ping -c1 -W1 10.10.0.2
finish a.any b.u1
begin a.u0
$N a ping -c1 -W1 10.20.0.2
$N a ping -c1 -W1 10.30.0.2
finish a.u0
bridge -n a fdb show br br0 | grep -v permanent | sort
bridge -n b fdb show dev vx1 | sort
ip -n a -s link show vx1
ip -n b -s link show vx1
# Learning by network.
ip -n b link set vx1 type vxlan learning
$N a ping -c1 -W1 10.10.0.2
bridge -n b fdb show dev vx1 | sort
# Without the number nothing goes by a network.
bridge -n a vlan del vid 10 dev vx1 tunnel_info id 1010
begin a.u0
$N a ping -c1 -W1 10.10.0.2
finish a.u0
ip -n a -s link show vx1
# A packet that is too long is answered in its VLAN.
bridge -n a vlan add vid 10 dev vx1 tunnel_info id 1010
$N a ping -c1 -W1 -s 1472 -M do 10.10.0.2
$N a ping -c1 -W1 -s 1472 -M do 10.10.0.2
ip -n a route get 10.10.0.2
