# needs: uml
# runs: with the real programs
# Counters by VLAN, of the bridge and of each port by itself; states of VLANs.
ip netns add sw
ip -n sw link add br0 address 02:00:00:00:01:00 type bridge mcast_snooping 0 vlan_filtering 1 vlan_stats_enabled 1
ip -n sw link set br0 up
for i in 1 2 3; do
    ip netns add h$i
    ip link add eth0 netns h$i address 02:00:00:00:00:0$i type veth peer name p$i netns sw address 02:00:00:00:01:0$i
    ip -n h$i link set eth0 up
    ip -n h$i addr add 10.0.0.$i/24 dev eth0
    ip -n sw link set p$i master br0 up
done
bridge -n sw vlan add vid 7 dev p3
bridge -n sw vlan add vid 7 dev br0 self
sleep 2
ip netns exec h1 ping -c2 -i 0.2 -W1 10.0.0.2
sleep 6
bridge -n sw -s vlan
bridge -n sw -j -s vlan show dev p1
bridge -n sw -s -d vlan show dev p2
bridge -n sw -s vlan show vid 7
bridge -n sw vlan set vid 1 dev p2 state blocking
bridge -n sw -d vlan show dev p2
ip netns exec h1 ping -c1 -W1 10.0.0.2
bridge -n sw vlan set vid 1 dev p2 state learning
bridge -n sw fdb flush dev p2 master
ip netns exec h2 ping -c1 -W1 10.0.0.1
bridge -n sw fdb show br br0 dynamic
bridge -n sw vlan set vid 1 dev p2 state forwarding
ip -n sw link add br1 address 02:00:00:00:01:10 type bridge mcast_snooping 0 vlan_filtering 1 vlan_stats_per_port 1 vlan_stats_enabled 1
ip -n sw link set br1 up
ip -n sw link set p1 nomaster
ip -n sw link set p2 nomaster
ip -n sw link set p1 master br1
ip -n sw link set p2 master br1
sleep 2
ip netns exec h1 ping -c3 -i 0.2 -W1 10.0.0.2
sleep 6
bridge -n sw -s vlan
ip -n sw link set br1 type bridge mcast_snooping 0 vlan_stats_per_port 0
