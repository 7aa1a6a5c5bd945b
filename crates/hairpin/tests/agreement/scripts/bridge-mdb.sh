# needs: uml
# runs: by bash alone
# The multicast database: entries by hand, what is refused, and settings of snooping.
# Timers run on while commands do.
mdb() {
    { set +x; } 2>/dev/null; bridge -n n1 "$@" >mdb 2>&1; sed -E 's/ +[0-9]+\.[0-9]{2}/ T/g' mdb; set -x
}
ip netns add n1
ip -n n1 link add br0 address 02:00:00:00:01:00 type bridge
for i in 1 2 3; do
    ip -n n1 link add p$i address 02:00:00:00:01:0$i type veth peer name q$i address 02:00:00:00:02:0$i
    ip -n n1 link set q$i up
    ip -n n1 link set p$i up
done
ip -n n1 link set p1 master br0
ip -n n1 link set p2 master br0
bridge -n n1 mdb
bridge -n n1 mdb add dev br0 port p1 grp 239.1.1.1
ip -n n1 link set br0 up
sleep 2
bridge -n n1 mdb add dev br0 port p1 grp 239.1.1.1
bridge -n n1 mdb add dev br0 port p1 grp 239.1.1.1
# The ports of one group are in the order of the kernel's memory.
bridge -n n1 mdb add dev br0 port p2 grp 239.1.1.1 permanent
bridge -n n1 mdb | sort
bridge -n n1 mdb del dev br0 port p2 grp 239.1.1.1
bridge -n n1 mdb add dev br0 port p2 grp 239.1.1.6 permanent
bridge -n n1 mdb add dev br0 port p1 grp 239.1.1.2 permanent
bridge -n n1 mdb add dev br0 port p2 grp 239.1.1.3 src 10.0.0.1
bridge -n n1 mdb add dev br0 port p2 grp 239.1.1.3 src 239.0.0.1
bridge -n n1 mdb add dev br0 port p2 grp 239.1.1.3 src ff05::1
bridge -n n1 mdb add dev br0 port p2 grp 239.1.1.3 src nix
bridge -n n1 mdb add dev br0 port p2 grp ff05::1:3
bridge -n n1 mdb add dev br0 port p2 grp ff05::1:3 src 2001:db8::1 permanent
bridge -n n1 mdb add dev br0 port p2 grp ff02::1
bridge -n n1 mdb add dev br0 port p2 grp 01:02:03:04:05:06
bridge -n n1 mdb add dev br0 port p2 grp 01:02:03:04:05:06 permanent
bridge -n n1 mdb add dev br0 port p2 grp 02:02:03:04:05:06 permanent
bridge -n n1 mdb add dev br0 port br0 grp 239.1.1.4
bridge -n n1 mdb add dev br0 port br0 grp 239.1.1.4
bridge -n n1 mdb add dev br0 port br0 grp 239.1.1.5 permanent
bridge -n n1 mdb add dev br0 port br0 grp 239.1.1.5 src 10.0.0.1
bridge -n n1 mdb add dev br0 port p1 grp 224.0.0.5
bridge -n n1 mdb add dev br0 port p1 grp 10.0.0.5
bridge -n n1 mdb add dev br0 port p1 grp nix
bridge -n n1 mdb add dev br0 port p1
bridge -n n1 mdb add dev br0 port p3 grp 239.1.1.1
bridge -n n1 mdb add dev br0 port nodev grp 239.1.1.1
bridge -n n1 mdb add dev nodev port p1 grp 239.1.1.1
bridge -n n1 mdb add dev p1 port p2 grp 239.1.1.1
bridge -n n1 mdb add dev br0 port p1 grp 239.1.1.1 vid 4095
bridge -n n1 mdb add dev br0 port p1 grp 239.1.1.1 vid 10
bridge -n n1 mdb
mdb -s mdb
mdb -s -d mdb
mdb -j -s -d mdb
bridge -n n1 mdb show vid 10
bridge -n n1 mdb show dev br0
bridge -n n1 mdb show dev nodev
bridge -n n1 mdb nix
bridge -n n1 mdb help
bridge -n n1 mdb del dev br0 port p1 grp 239.1.1.9
bridge -n n1 mdb del dev br0 port p2 grp 239.1.1.2
bridge -n n1 mdb del dev br0 port p1 grp 239.1.1.2
bridge -n n1 mdb del dev br0 port br0 grp 239.1.1.4
bridge -n n1 mdb del dev br0 port br0 grp 239.1.1.4
bridge -n n1 mdb del dev br0 port p2 grp 239.1.1.3
bridge -n n1 mdb del dev br0 port p2 grp 239.1.1.3 src 10.0.0.1
bridge -n n1 mdb
# A port that goes down keeps what was added to stay.
ip -n n1 link set q2 down
sleep 1.2
bridge -n n1 mdb
bridge -n n1 mdb add dev br0 port p2 grp 239.1.1.8
bridge -n n1 mdb add dev br0 port p2 grp 239.1.1.8 permanent
ip -n n1 link set q2 up
sleep 1.2
bridge -n n1 mdb
# Router ports.
bridge -n n1 link set dev p1 mcast_router 2
bridge -n n1 -d mdb
mdb -s -d mdb show dev br0
bridge -n n1 -j -d mdb
bridge -n n1 link set dev p2 mcast_router 3
mdb -s -d mdb
bridge -n n1 link set dev p2 mcast_router 4
bridge -n n1 link set dev p1 mcast_router 0
bridge -n n1 -d mdb
bridge -n n1 link set dev p2 mcast_router 1
bridge -n n1 -d mdb
ip -n n1 link set br0 type bridge vlan_filtering 1
bridge -n n1 vlan add vid 10 dev p1
bridge -n n1 mdb add dev br0 port p1 grp 239.2.2.2
bridge -n n1 mdb
bridge -n n1 mdb del dev br0 port p1 grp 239.2.2.2
bridge -n n1 mdb
ip -n n1 link set br0 type bridge mcast_snooping 0
bridge -n n1 mdb
bridge -n n1 mdb add dev br0 port p1 grp 239.2.2.2
ip -n n1 link set br0 type bridge mcast_snooping 1
bridge -n n1 mdb
ip -n n1 link set p2 nomaster
bridge -n n1 mdb
# Settings.
ip -n n1 link set br0 type bridge mcast_querier 1 mcast_query_interval 50 mcast_startup_query_interval 10 mcast_hash_max 8
ip -n n1 link set br0 type bridge mcast_last_member_count 3 mcast_last_member_interval 50 mcast_membership_interval 1000
ip -n n1 link set br0 type bridge mcast_querier_interval 2000 mcast_query_response_interval 300 mcast_startup_query_count 1
ip -n n1 link set br0 type bridge mcast_query_use_ifaddr 1 mcast_stats_enabled 1 mcast_router 2
ip -n n1 -d link show br0
ip netns exec n1 sh -c 'cd /sys/class/net/br0/bridge; grep . multicast_* hash_max'
ip -n n1 link set br0 type bridge mcast_router 3
ip -n n1 link set br0 type bridge mcast_igmp_version 4
ip -n n1 link set br0 type bridge mcast_mld_version 0
# What was deleted is gone at the next tick.
sleep 0.1
for i in 1 2 3 4 5 6 7 8 9; do
    bridge -n n1 mdb add dev br0 port p1 grp 239.3.3.$i
done
ip -n n1 link del br0
bridge -n n1 mdb
