# needs: uml
# runs: by bash alone
# Where groups go: hosts that join by themselves, the bridge as querier, leaves, router ports, a second querier.
# begin FILTER DEVICE...
begin() {
    { set +x; } 2>/dev/null; F=$1; shift; W= C=$(mktemp -d)
    for p; do command ip netns exec sw tcpdump -l -e -n -t -i $p "$F" >"$C/$p" 2>/dev/null & W="$W $!"; done
    sleep 2; set -x
}
# Reports come at times of chance, and as often as there is somebody to hear them.
finish() {
    { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W 2>/dev/null || :
    for p in "$C"/*; do echo "--- ${p##*/}"; grep -a . "$p" | sed -E 's/ id [0-9]+, seq/ seq/' | sort -u; done; rm -r "$C"; set -x
}
mdb() {
    { set +x; } 2>/dev/null; bridge -n sw "$@" >mdb 2>&1; sed -E 's/ +[0-9]+\.[0-9]{2}/ T/g' mdb | sort; set -x
}
ip netns add sw
ip -n sw link add br0 address 02:00:00:00:01:00 type bridge
ip -n sw link set br0 up
for i in 1 2 3 4; do
    ip netns add h$i
    ip link add eth0 netns h$i address 02:00:00:00:00:0$i type veth peer name p$i netns sw address 02:00:00:00:01:0$i
    ip -n h$i link set eth0 up
    ip -n h$i addr add 10.0.0.$i/24 dev eth0
    ip -n h$i route add 224.0.0.0/4 dev eth0
    ip -n sw link set p$i master br0 up
done
sleep 4
ip -n h2 addr add 239.1.1.1/32 dev eth0 autojoin
sleep 3
mdb mdb
# No querier: flooded all the same.
begin icmp p1 p2 p3 p4
ip netns exec h1 ping -c1 -W1 -t 4 239.1.1.1
finish
ip -n sw link set br0 type bridge mcast_query_response_interval 200 mcast_last_member_interval 100 mcast_startup_query_interval 12000
begin igmp p1 p2 p3
ip -n sw link set br0 type bridge mcast_querier 1
sleep 5
finish
mdb -d mdb
begin icmp p1 p2 p3 p4
ip netns exec h1 ping -c1 -W1 -t 4 239.1.1.1
ip netns exec h1 ping -c1 -W1 -t 4 239.1.1.2
ip netns exec h3 ping -c1 -W1 -t 4 224.0.0.9
ip netns exec sw ping -c1 -W1 -t 4 -I br0 239.1.1.1
finish
# Another member joins in the querier's version, the first one leaves.
begin igmp p1 p2 p3
ip -n h3 addr add 239.1.1.1/32 dev eth0 autojoin
sleep 12
ip -n h2 addr del 239.1.1.1/32 dev eth0
sleep 4
finish
mdb mdb
begin icmp p1 p2 p3 p4
ip netns exec h1 ping -c1 -W1 -t 4 239.1.1.1
finish
# A router port gets everything.
bridge -n sw link set dev p4 mcast_router 2
begin icmp p1 p2 p3 p4
ip netns exec h1 ping -c1 -W1 -t 4 239.1.1.1
ip netns exec h1 ping -c1 -W1 -t 4 239.1.1.2
finish
bridge -n sw link set dev p4 mcast_router 1
bridge -n sw link set dev p3 fastleave on
ip -n h3 addr del 239.1.1.1/32 dev eth0
sleep 0.3
mdb mdb
# The bridge's own groups.
ip -n sw addr add 10.0.0.100/24 dev br0
ip -n sw addr add 239.1.1.7/32 dev br0 autojoin
sleep 2
mdb mdb
begin icmp p1 p2 br0
ip netns exec h1 ping -c1 -W1 -t 4 239.1.1.7
finish
# Another querier, with a lower address than nobody's: this one falls silent.
ip -n h4 link add br4 address 02:00:00:00:04:00 type bridge mcast_querier 1 mcast_query_use_ifaddr 1 mcast_query_response_interval 200
ip -n h4 addr add 10.0.0.44/24 dev br4
ip -n h4 link set br4 up
ip -n sw link set br0 type bridge mcast_querier 0
ip -n h4 link set eth0 master br4
sleep 6
bridge -n sw -d mdb show
mdb -s -d mdb
begin icmp p1 p2 p4
ip netns exec h1 ping -c1 -W1 -t 4 239.1.1.8
finish
bridge -n sw link set dev p2 mcast_to_unicast on
ip -n h2 addr add 239.1.1.9/32 dev eth0 autojoin
sleep 2
mdb mdb
begin icmp p1 p2
ip netns exec h1 ping -c1 -W1 -t 4 239.1.1.9
finish
bridge -n sw link set dev p1 mcast_flood off
ip -n sw link set br0 type bridge mcast_snooping 0
begin icmp p1 p2 p3
ip netns exec h3 ping -c1 -W1 -t 4 239.1.1.9
finish
