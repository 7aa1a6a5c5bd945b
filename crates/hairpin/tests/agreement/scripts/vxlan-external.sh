# needs: uml
# ipv6: on
# Routes that say which tunnel a packet goes by (encap), over vxlan devices that go by it (external): what is refused and shown,
# ARP and packets with their networks, IPv6 around and inside, databases with networks.
# with: vxlan-two-hosts.part
ip -n a link del vx0
ip -n b link del vx0
ip -n a addr add 2001:db8::1/64 dev u0 nodad
ip -n b addr add 2001:db8::2/64 dev u1 nodad
for h in a b; do
    ip -n $h link add vx1 address 02:00:00:00:00:5$h type vxlan external dstport 4789 srcport 50000 50001
    ip -n $h -d link show vx1
    ip -n $h -d -j link show vx1
    ip -n $h link set vx1 up
done
ip -n a link add vx2 type vxlan external dstport 4789
ip -n a link add vx2 type vxlan external id 5 dstport 4789
ip -n a link add vx2 type vxlan id 5 dstport 4789 local 192.168.0.1
ip -n a link set vx2 up
ip -n a link del vx2
ip -n a link set vx1 type vxlan external
ip -n a link set vx1 type vxlan noexternal
ip -n a addr add 10.5.0.1/32 dev vx1
ip -n b addr add 10.5.0.2/32 dev vx1
ip -n a route add 10.5.0.2 encap ip id 77 dst 192.168.0.2 dev vx1
ip -n b route add 10.5.0.1 encap ip id 77 dst 192.168.0.1 ttl 9 tos 8 csum dev vx1
ip -n a route add 10.5.0.2 encap ip id 77 dst 192.168.0.2 dev vx1
ip -n a route append 10.5.0.2 encap ip id 78 dst 192.168.0.2 dev vx1
ip -n a route del 10.5.0.2 encap ip id 79 dst 192.168.0.2 dev vx1
ip -n a route del 10.5.0.2 encap ip id 78 dst 192.168.0.2 dev vx1
ip -n a route show
ip -n b route show
ip -n b -j route show
ip -n a route get 10.5.0.2
for e in "nothing id 5" "ip" "ip id" "ip id x" "ip id 5 id 6" "ip dst 300.1.1.1" "ip ttl 256" "ip6 id 5 dst 10.0.0.1" "ip6 hoplimit 300" "ip id 5 key key"; do
    ip -n a route add 10.6.0.0/24 encap $e dev vx1
done
ip -n a route add 10.6.0.0/24 encap ip id 5 key seq csum dst 192.168.0.9 src 192.168.0.1 tos 0x10 ttl 3 dev vx1
ip -n a route add 10.7.0.0/24 encap ip6 id 6 dst 2001:db8::2 src 2001:db8::1 tc 4 hoplimit 5 key dev vx1
ip -n a route add 10.8.0.0/24 nexthop encap ip id 7 dst 192.168.0.2 dev vx1 nexthop via 192.168.0.2 dev u0 weight 2
ip -n a route show
ip -n a -j route show 10.7.0.0/24
ip -n a route del 10.6.0.0/24
ip -n a route del 10.7.0.0/24
ip -n a route del 10.8.0.0/24
begin a.any b.any
$N a ping -c1 -W1 10.5.0.2
finish a.any b.any
V=-v
begin a.u0
$N b ping -c1 -W1 -Q 0x28 10.5.0.1
finish a.u0
V=
$N a ping -c1 -W1 -s 1500 10.5.0.2
ip -n a neigh show dev vx1
ip -n b neigh show dev vx1
ip -n a -s link show vx1
ip -n b -s link show vx1
# By IPv6, and IPv6 inside; nobody can be asked for without a way.
ip -n a route replace 10.5.0.2 encap ip6 id 88 dst 2001:db8::2 dev vx1
ip -n b route replace 10.5.0.1 encap ip6 id 88 dst 2001:db8::1 hoplimit 4 dev vx1
ip -n a -6 addr add fd00:5::1/128 dev vx1 nodad
ip -n b -6 addr add fd00:5::2/128 dev vx1 nodad
ip -n a -6 route add fd00:5::2 encap ip id 99 dst 192.168.0.2 dev vx1
ip -n b -6 route add fd00:5::1 encap ip6 id 99 dst 2001:db8::1 tc 8 dev vx1
ip -n a -6 route show dev vx1
ip -n b -6 -j route show fd00:5::1
ip -n a -6 neigh add fd00:5::2 lladdr 02:00:00:00:00:5b dev vx1
ip -n b -6 neigh add fd00:5::1 lladdr 02:00:00:00:00:5a dev vx1
begin a.u0
$N a ping -c1 -W1 10.5.0.2
$N a ping -c1 -W1 fd00:5::2
finish a.u0
ip -n a route add 10.9.0.1 dev vx1
$N a ping -c1 -W1 10.9.0.1
ip -n a -s link show vx1
# Devices of one network beside them are on another port.
ip -n a link add vx3 type vxlan id 77 dstport 4790 local 192.168.0.1
ip -n a link set vx3 up
# The database has networks.
bridge -n a fdb add 02:00:00:00:00:99 dev vx1 dst 192.168.0.2 src_vni 10
bridge -n a fdb add 02:00:00:00:00:99 dev vx1 dst 192.168.0.2 src_vni 10
bridge -n a fdb add 02:00:00:00:00:99 dev vx1 dst 192.168.0.3 src_vni 11 vni 12
bridge -n a fdb append 00:00:00:00:00:00 dev vx1 dst 192.168.0.3 src_vni 11
bridge -n a fdb append 00:00:00:00:00:00 dev vx1 dst 192.168.0.4 src_vni 11
bridge -n a fdb show dev vx1 | sort
bridge -n a -j fdb get 02:00:00:00:00:99 dev vx1 self vni 11
bridge -n a fdb get 02:00:00:00:00:99 dev vx1 self
bridge -n a fdb del 02:00:00:00:00:99 dev vx1 dst 192.168.0.2
bridge -n a fdb del 02:00:00:00:00:99 dev vx1 dst 192.168.0.2 src_vni 10
bridge -n a fdb show dev vx1 | sort
bridge -n a fdb add 02:00:00:00:00:98 dev vx3 dst 192.168.0.2 src_vni 10
bridge -n a fdb show dev vx3
