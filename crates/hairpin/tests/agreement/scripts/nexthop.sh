# needs: uml
# runs: with the real programs
# Next hops with ids of their own: alone, in groups, and in routes of both families.
ip link set lo up
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
for i in all default v0 v1; do echo 0 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done
sleep 3
ip addr add 10.0.0.1/24 dev v0
ip addr add 2001:db8::1/64 dev v0 nodad
ip nexthop add id 1 via 10.0.0.2 dev v0
ip nexthop add id 2 via 10.0.0.3 dev v0 onlink proto static
ip nexthop add id 3 blackhole
ip nexthop add id 4 dev v0
ip nexthop add id 5 via fe80::2 dev v0
ip -6 nexthop add id 7 dev v0
ip -6 nexthop add id 8 blackhole
ip nexthop add id 10 group 1/2
ip nexthop add id 11 group 1,3/2,200
ip nexthop add id 12 group 5/7
ip nexthop add id 13 group 3
ip nexthop
ip -d nexthop
ip -j nexthop
ip -j -p nexthop show id 11
ip -4 nexthop
ip -6 nexthop
ip nexthop get id 1
ip nexthop get id 99
ip nexthop del id 99
ip nexthop show groups
ip nexthop show dev v0
ip nexthop show protocol 4
ip nexthop add id 1 via 10.0.0.9 dev v0
ip nexthop add id 20 via 10.1.1.9 dev v0
ip nexthop add id 20 via 10.0.0.1 dev v0
ip nexthop add id 20 via 10.0.0.9
ip nexthop add id 20
ip nexthop add id 20 dev v0 onlink
ip nexthop add id 20 blackhole dev v0
ip nexthop add id 20 group 1/99
ip nexthop add id 20 group 1/1
ip nexthop add id 20 group 1,256
ip nexthop add id 20 group 1/3
ip nexthop add id 20 group 10
ip nexthop add id 20 group 1 dev v0
ip nexthop add id 20 via 2001:db8::1 dev v0
ip nexthop add id 20 via 2001:db8:9::1 dev v0
ip nexthop replace via 10.0.0.9 dev v0
ip nexthop replace id 1 group 2
ip nexthop replace id 10 via 10.0.0.2 dev v0
ip nexthop show id 0
ip nexthop show id x
ip route add 10.1.0.0/16 nhid 1
ip route add 10.1.0.0/16 nhid 1
ip route add 10.2.0.0/16 nhid 10 metric 7
ip route add 10.3.0.0/16 nhid 3
ip route add 10.4.0.0/16 nhid 99
ip route add 10.5.0.0/16 nhid 4 proto static
ip route add 10.6.0.0/16 nhid 1 via 10.0.0.2
ip route add 10.7.0.0/16 nhid 11 mtu 1400 src 10.0.0.1
ip route add 10.8.0.0/16 scope host nhid 1
ip route add 10.8.0.0/16 scope link nhid 2
ip route add local 10.8.0.0/16 nhid 10
ip -6 route add 2001:db8:1::/48 nhid 5
ip -6 route add 2001:db8:2::/48 nhid 12
ip -6 route add 2001:db8:3::/48 nhid 8
ip -6 route add 2001:db8:4::/48 nhid 1
ip -6 route add 2001:db8:5::/48 nhid 99
ip -6 route add 2001:db8:6::/48 nhid 7 metric 5
ip route
ip -d route
ip -j route
ip -j -d route
ip -6 route show
ip -6 -d route show
ip -6 -j route show
ip route get 10.1.2.3
ip route get 10.3.1.1
ip route get 10.5.1.1
ip route get fibmatch 10.2.2.3
ip -6 route get 2001:db8:1::1
ip -6 route get 2001:db8:3::1
cat /proc/net/route
