# needs: uml
# runs: by bash alone
# ARP answered for others and kept from ports that need not see it; backup ports; options of ports.
begin() {
    { set +x; } 2>/dev/null; W= C=$(mktemp -d)
    for p; do command ip netns exec sw tcpdump -l -e -n -t -i $p >"$C/$p" 2>/dev/null & W="$W $!"; done
    sleep 2; set -x
}
finish() {
    { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W 2>/dev/null || :
    for p in "$C"/*; do echo "--- ${p##*/}"; grep -a . "$p"; done; rm -r "$C"; set -x
}
ip netns add sw
ip -n sw link add br0 address 02:00:00:00:01:00 type bridge mcast_snooping 0
ip -n sw link set br0 up
for i in 1 2 3; do
    ip netns add h$i
    ip link add eth0 netns h$i address 02:00:00:00:00:0$i type veth peer name p$i netns sw address 02:00:00:00:01:0$i
    ip -n h$i link set eth0 up
    ip -n h$i addr add 10.0.0.$i/24 dev eth0
    ip -n sw link set p$i master br0 up
done
ip -n sw addr add 10.0.0.100/24 dev br0
sleep 2
bridge -n sw fdb replace 02:00:00:00:00:02 dev p2 master static
ip -n sw neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev br0 nud permanent
bridge -n sw link set dev p2 neigh_suppress on
bridge -n sw -d link show dev p2
begin p1 p2 p3
ip netns exec h1 arping -c1 -w1 -I eth0 10.0.0.2
ip netns exec h1 arping -c1 -w1 -I eth0 10.0.0.3
ip netns exec h1 arping -c1 -w1 -I eth0 10.0.0.100
ip netns exec h1 arping -c1 -w1 -U -I eth0 10.0.0.1
ip netns exec h2 arping -c1 -w1 -I eth0 10.0.0.3
finish
bridge -n sw link set dev p2 neigh_suppress off
ip -n sw link set p1 type bridge_slave proxy_arp on
begin p1 p2 p3
ip netns exec h1 arping -c1 -w1 -I eth0 10.0.0.2
ip netns exec h1 arping -c1 -w1 -I eth0 10.0.0.3
ip netns exec h3 arping -c1 -w1 -I eth0 10.0.0.1
finish
ip -n sw link set p1 type bridge_slave proxy_arp off
ip -n sw link set p2 type bridge_slave proxy_arp_wifi on
begin p1 p2 p3
ip netns exec h1 arping -c1 -w1 -I eth0 10.0.0.2
ip netns exec h1 arping -c1 -w1 -I eth0 10.0.0.3
finish
ip -n sw -d link show p2
ip -n sw link set p2 type bridge_slave proxy_arp_wifi off
# A backup port.
bridge -n sw link set dev p2 backup_port p3
bridge -n sw -d link show dev p2
bridge -n sw link set dev p2 backup_port p2
bridge -n sw link set dev p2 backup_port br0
ip -n h1 neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev eth0 nud permanent
ip -n h2 link set eth0 down
sleep 1.5
bridge -n sw link
begin p1 p2 p3
ip netns exec h1 ping -c1 -W1 10.0.0.2
finish
ip netns exec sw cat /sys/class/net/p2/brport/backup_port
ip netns exec sw sh -c 'echo p1 >/sys/class/net/p2/brport/backup_port'
ip netns exec sw cat /sys/class/net/p2/brport/backup_port
ip -n sw link set p1 nomaster
bridge -n sw -d link show dev p2
bridge -n sw link set dev p2 nobackup_port
ip -n sw link set p2 type bridge_slave mcast_to_unicast on mcast_fast_leave on mcast_router 2 group_fwd_mask 8
ip -n sw -d link show p2
