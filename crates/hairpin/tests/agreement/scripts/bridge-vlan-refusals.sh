# needs: uml
# runs: by bash alone
# covers: dumps bridge
# covers: refusals bridge
# What a bridge says to VLANs that it does not take.
ip netns add n1
ip -n n1 link add br0 address 02:00:00:00:01:00 type bridge
ip -n n1 link add p1 address 02:00:00:00:01:01 type veth peer name q1 address 02:00:00:00:02:01
ip -n n1 link add p2 address 02:00:00:00:01:02 type veth peer name q2 address 02:00:00:00:02:02
ip -n n1 link set p1 master br0
ip -n n1 link set p2 master br0
bridge -n n1 vlan add vid 0 dev p1
bridge -n n1 vlan add vid 4095 dev p1
bridge -n n1 vlan add vid 4094 dev p1
bridge -n n1 vlan add vid 4096 dev p1
bridge -n n1 vlan add vid 5
bridge -n n1 vlan add dev p1
bridge -n n1 vlan add vid 5 dev nodev
bridge -n n1 vlan add vid 5 dev br0
bridge -n n1 vlan add vid 5 dev p1 self
bridge -n n1 vlan add vid 5 dev p1 master
bridge -n n1 vlan add vid 5 dev q1
bridge -n n1 vlan add vid 9-5 dev p1
bridge -n n1 vlan add vid 6-9 dev p1 pvid
bridge -n n1 vlan add vid 6-9 dev p1 untagged
bridge -n n1 vlan add vid 5000-6000 dev p1
bridge -n n1 vlan del vid 77 dev p1
bridge -n n1 vlan del vid 7 dev p1
bridge -n n1 vlan del vid 2-7 dev p1
bridge -n n1 vlan add vid 5 dev p1 tunnel_info id 5
bridge -n n1 vlan add vid 5 dev p1 tunnel_info nix 5
bridge -n n1 vlan add vid 5 dev p1 tunnel_info id 99999999
bridge -n n1 vlan set vid 8 dev p1 state blocking
bridge -n n1 vlan set vid 8 dev p1 state 7
bridge -n n1 vlan set vid 8 dev p1 state nix
bridge -n n1 vlan set vid 77 dev p1 state 0
bridge -n n1 vlan set vid 8-9 dev p1 mcast_router 2
bridge -n n1 vlan set vid 8-10 dev p1 mcast_router 2
bridge -n n1 vlan set vid 8 dev p1 mcast_router 4
bridge -n n1 vlan set vid 1 dev br0 mcast_router 3
bridge -n n1 vlan set vid 1 dev q1 state 0
bridge -n n1 vlan set vid 1 state 0
bridge -n n1 vlan set vid 1 dev nodev state 0
bridge -n n1 vlan set vid 9-8 dev p1 state 0
bridge -n n1 vlan
bridge -n n1 -d vlan
bridge -n n1 -j -d vlan
bridge -n n1 vlan global
bridge -n n1 vlan global set vid 77 dev br0 mcast_querier 1
bridge -n n1 vlan global set vid 1 dev p1 mcast_querier 1
bridge -n n1 vlan global set vid 1 mcast_querier 1
bridge -n n1 vlan show dev nodev
bridge -n n1 vlan show dev p1 dev p2
bridge -n n1 vlan show vid 1 vid 2
bridge -n n1 vlan tunnelshow
bridge -n n1 vlan nix
bridge -n n1 vlan global nix
bridge -n n1 vlan help
bridge -n n1 fdb add 02:00:00:00:00:77 dev p1 master static vlan 8
bridge -n n1 fdb add 02:00:00:00:00:77 dev p1 master static vlan 20
bridge -n n1 fdb add 02:00:00:00:00:78 dev p1 master static
bridge -n n1 fdb add 02:00:00:00:00:79 dev br0 self vlan 1
bridge -n n1 fdb add 02:00:00:00:00:79 dev br0 self vlan 8
bridge -n n1 fdb show br br0
bridge -n n1 fdb del 02:00:00:00:00:78 dev p1 master vlan 8
bridge -n n1 fdb del 02:00:00:00:00:78 dev p1 master vlan 20
bridge -n n1 fdb del 02:00:00:00:00:78 dev p1 master
bridge -n n1 fdb show br br0
ip -n n1 link set br0 type bridge vlan_default_pvid 4095
ip -n n1 link set br0 type bridge vlan_default_pvid 30
bridge -n n1 vlan
bridge -n n1 fdb show br br0
ip -n n1 link set br0 type bridge vlan_filtering 1
ip -n n1 link set br0 type bridge vlan_default_pvid 0
bridge -n n1 vlan
ip -n n1 link set br0 type bridge vlan_default_pvid 8
bridge -n n1 vlan
ip netns exec n1 sh -c 'echo 5 >/sys/class/net/br0/bridge/default_pvid'
ip netns exec n1 cat /sys/class/net/br0/bridge/default_pvid
ip netns exec n1 sh -c 'echo 0x88a8 >/sys/class/net/br0/bridge/vlan_protocol'
ip netns exec n1 sh -c 'echo 0x1234 >/sys/class/net/br0/bridge/vlan_protocol'
ip netns exec n1 cat /sys/class/net/br0/bridge/vlan_protocol /sys/class/net/br0/bridge/group_addr
ip -n n1 link set br0 type bridge vlan_protocol 802.1Q
ip -n n1 link set br0 type bridge vlan_stats_per_port 1
ip -n n1 link set br0 type bridge vlan_stats_enabled 1
ip -n n1 link set br0 type bridge group_address 01:80:c2:00:00:0b
ip -n n1 link set br0 type bridge group_address 01:80:c2:00:00:02
ip -n n1 link set br0 type bridge no_linklocal_learn 1
ip -n n1 -d link show br0
ip -n n1 -d -j link show br0 >json
sed 's/:312[45]/:N/; s/"num_rx_queues":1,//' json
ip -n n1 link add br1 type bridge vlan_default_pvid 0 vlan_filtering 1
bridge -n n1 vlan show dev br1
ip -n n1 link set p1 master br1
bridge -n n1 vlan
bridge -n n1 fdb show br br1 dev p1
