# needs: uml
# runs: by bash alone
# with: told.part
# What becomes of routes and groups when next hops change or go, and who hears of it.
PAUSE=1.3
for i in all default; do echo 0 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done
ip link set lo up
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
sleep 3
ip addr add 10.0.0.1/24 dev v0
ip addr add 2001:db8::1/64 dev v0 nodad
ip nexthop add id 1 via 10.0.0.2 dev v0
ip nexthop add id 2 via 10.0.0.3 dev v0 onlink proto static
ip nexthop add id 3 blackhole
ip nexthop add id 4 dev v0
ip nexthop add id 5 via fe80::2 dev v0
ip -6 nexthop add id 7 dev v0
ip nexthop add id 10 group 1/2
ip nexthop add id 11 group 1,3/2,200
ip nexthop add id 12 group 5/7
ip route add 10.1.0.0/16 nhid 1
ip route add 10.2.0.0/16 nhid 10 metric 7
ip route add 10.3.0.0/16 nhid 3
ip route add 10.5.0.0/16 nhid 4 proto static
ip route add 10.7.0.0/16 nhid 11 mtu 1400 src 10.0.0.1
ip -6 route add 2001:db8:1::/48 nhid 5
ip -6 route add 2001:db8:7::/48 nhid 5
ip -6 route add 2001:db8:2::/48 nhid 12
ip -6 route add 2001:db8:6::/48 nhid 7 metric 5
sleep 1
ip monitor nexthop route >$LOG &
M=$!
sleep 2.3
say ip nexthop replace id 1 via 10.0.0.7 dev v0
say ip nexthop replace id 3 dev v0
say ip nexthop replace id 5 via fe80::9 dev v0
say ip nexthop replace id 10 group 2/1,4
say ip nexthop replace id 11 group 1
say ip nexthop replace id 30 via 10.0.0.8 dev v0
say ip nexthop add via 10.0.0.17 dev v0
say ip route
say ip -6 route
say ip nexthop
say ip route del 10.5.0.0/16 nhid 1
say ip route del 10.5.0.0/16 via 10.0.0.1
say ip route del 10.5.0.0/16 nhid 4
say ip route del 10.5.0.0/16 nhid 4444
say ip -6 route del 2001:db8:6::/48 nhid 4444
say ip route add 10.55.0.0/16 nhid 1 dev v0
say ip -6 route add 2001:db8:66::/48 nhid 5 dev v0
say ip -6 route add 2001:db8:66::/48 nhid 5 via fe80::9 dev v0
say ip -6 route del 2001:db8:6::/48 nhid 8
say ip -6 route del 2001:db8:6::/48
say ip route replace 10.1.0.0/16 nhid 2
say ip route append 10.1.0.0/16 nhid 30
say ip route change 10.1.0.0/16 via 10.0.0.5
say ip route
say ip nexthop del id 2
say ip nexthop
say ip route
say ip nexthop del id 5
say ip -6 route
say ip nexthop del id 10
say ip nexthop del id 30
say ip nexthop del id 1
say ip nexthop
say ip route
say ip nexthop flush
say ip nexthop flush
say ip route
say ip -6 route
say ip nexthop add id 1 via 10.0.0.2 dev v0
say ip nexthop add id 2 dev v1
say ip nexthop add id 3 group 1/2
say ip nexthop add id 4 blackhole
say ip nexthop add id 6 via fe80::2 dev v0
say ip route add 10.1.0.0/16 nhid 1
say ip route add 10.3.0.0/16 nhid 3
say ip route add 10.4.0.0/16 nhid 4
say ip -6 route add 2001:db8:6::/48 nhid 6
PAUSE=4
say ip link set v1 down
PAUSE=1.3
say ip nexthop
say ip route
say ip -6 route
say ip nexthop add id 1 via 10.0.0.2 dev v0
say ip nexthop add id 2 dev v1
PAUSE=4
say ip link set v1 up
PAUSE=1.3
say ip nexthop add id 2 dev v1
say ip link del v0
say ip nexthop
say ip route
kill $M
