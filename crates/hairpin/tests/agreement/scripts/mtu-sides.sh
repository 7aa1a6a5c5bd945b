# needs: uml
# ipv6: on
# Which devices have a part in IPv4 and IPv6: a MTU that is set decides, not one that a device has from the beginning, gets with
# another namespace, or takes over from the one below without being told.
ip netns add a
ip netns add b
N="ip netns exec"
show() {
    ip -n $1 -d link show $2
    $N $1 sysctl net.ipv4.conf.$2.rp_filter
    $N $1 sysctl net.ipv6.conf.$2.hop_limit
}
ip -n a link add d1 address 02:00:00:00:00:01 type dummy
ip -n a link set d1 up
ip -n a link add link d1 name i1 type ipvlan mode l2
ip -n a link set i1 up
ip -n a addr add 10.0.1.1/24 dev i1
ip -n a link set d1 mtu 60
show a d1
show a i1
ip -n a addr show i1
ip -n a addr add 10.0.2.1/24 dev d1
ip -n a addr add 10.0.2.2/24 dev i1
ip -n a link add link d1 name m1 address 02:00:00:00:00:02 type macvlan mode bridge
ip -n a link add link d1 name w1 type vlan id 5
show a m1
show a w1
ip -n a addr add 10.0.3.1/24 dev m1
ip -n a link set m1 up
ip -n a addr show m1
ip -n a link set w1 up
ip -n a addr add 10.0.4.1/24 dev w1
ip -n a link set d1 mtu 1000
show a d1
ip -n a addr add 10.0.5.1/24 dev d1
ip -n a link set m1 mtu 900
ip -n a addr show m1
ip -n a link set d1 mtu 60
show a m1
ip -n a link set i1 down
ip -n a link set i1 up
show a i1
ip -n a link set i1 netns b
show b i1
ip -n a link set d1 netns b
show b d1
ip -n b addr add 10.0.6.1/24 dev d1
ip -n b link set d1 up
ip -n b link set d1 mtu 1500
show b d1
show b i1
ip -n b link set lo mtu 1000
show b lo
ip -n b link set lo up
ip -n b addr show lo
ip -n b link set lo mtu 2000
show b lo
ip -n b addr show lo
# What has IPv4 again begins anew.
ip -n a link add d3 address 02:00:00:00:00:03 type dummy
ip -n a link set d3 up
$N a sysctl -w net.ipv4.conf.d3.rp_filter=2
$N a sysctl -w net.ipv4.neigh.d3.ucast_solicit=9
$N a sysctl -w net.ipv4.conf.d3.arp_ignore=1
$N a sysctl -w net.ipv4.conf.default.arp_ignore=2
ip -n a link set d3 mtu 60
ip -n a link set d3 mtu 1000
$N a sysctl net.ipv4.conf.d3.rp_filter net.ipv4.conf.d3.arp_ignore net.ipv4.neigh.d3.ucast_solicit
ip -n a addr add 10.0.9.1/24 dev d3
$N a sysctl -w net.ipv4.conf.default.arp_ignore=0
$N a sysctl net.ipv4.conf.d3.arp_ignore
# Without IPv4 below a vxlan has no group to join.
ip netns add vn
ip -n vn link add low address 02:00:00:00:00:71 type dummy
ip -n vn link set low mtu 60
ip -n vn link set low up
ip -n vn link add vg address 02:00:00:00:00:72 type vxlan id 6 dstport 4789 group 239.1.1.1 dev low
ip -n vn link set vg up
ip -n vn link show vg
ip -n vn link set low mtu 1500
ip -n vn link set vg up
ip -n vn maddr show dev low
