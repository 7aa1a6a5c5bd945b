# needs: uml
# VLANs of a port that stand for tunnels: what is refused, ranges, and frames that leave without their tag.
ip netns add n
ip netns add h
ip -n n link add br0 address 02:00:00:00:00:30 type bridge vlan_filtering 1 mcast_snooping 0
ip -n n link add p1 address 02:00:00:00:00:01 type veth peer name h1 netns h address 02:00:00:00:00:11
ip -n n link add p2 address 02:00:00:00:00:02 type veth peer name h2 netns h address 02:00:00:00:00:12
for i in 1 2; do ip -n n link set p$i master br0; ip -n n link set p$i up; ip -n h link set h$i up; done
ip -n n link set br0 up
bridge -n n vlan add vid 10-16 dev p1
bridge -n n vlan add vid 10 dev p2
bridge -n n vlan add vid 10 dev br0 self
bridge -n n vlan add vid 10 dev p1 tunnel_info id 100
bridge -n n link set dev p1 vlan_tunnel on
bridge -n n -d link show dev p1
bridge -n n vlan add vid 10 dev p1 tunnel_info id 100
bridge -n n vlan add vid 10 dev p1 tunnel_info id 100
bridge -n n vlan add vid 10 dev p1 tunnel_info id 101
bridge -n n vlan add vid 11 dev p1 tunnel_info id 100
bridge -n n vlan add vid 20 dev p1 tunnel_info id 200
bridge -n n vlan add vid 4095 dev p1 tunnel_info id 200
bridge -n n vlan add vid 10 dev br0 self tunnel_info id 100
bridge -n n vlan add vid 12-14 dev p1 tunnel_info id 500-502
bridge -n n vlan add vid 15-16 dev p1 tunnel_info id 600-602
bridge -n n vlan add vid 15-17 dev p1 tunnel_info id 600-602
bridge -n n vlan tunnelshow
bridge -n n -j vlan tunnelshow
bridge -n n vlan tunnelshow dev p1 vid 13
bridge -n n vlan show dev p1
bridge -n n -d vlan show dev p1
bridge -n n vlan del vid 13 dev p1 tunnel_info id 501
bridge -n n vlan del vid 20 dev p1 tunnel_info id 501
bridge -n n vlan del vid 11 dev p1 tunnel_info id 501
bridge -n n vlan tunnelshow
bridge -n n vlan del vid 12 dev p1
bridge -n n vlan tunnelshow
# Frames of VLAN 10 go in with a tag and leave by p1 without.
ip -n h link add link h2 name v10 type vlan id 10
ip -n h link set v10 up
ip -n h addr add 10.0.0.2/24 dev v10
ip netns exec h tcpdump -l -e -n -t -i h1 arp >h1.cap 2>/dev/null &
sleep 0.7
ip netns exec h ping -c 1 -W 1 10.0.0.7
bridge -n n vlan del vid 10 dev p1 tunnel_info id 100
ip netns exec h ping -c 1 -W 1 10.0.0.8
sleep 1
kill %1
wait
cat h1.cap
bridge -n n vlan tunnelshow
bridge -n n link set dev p1 vlan_tunnel off
bridge -n n vlan tunnelshow
bridge -n n link set dev p1 vlan_tunnel on
bridge -n n vlan tunnelshow
ip -n n -d link show p1
