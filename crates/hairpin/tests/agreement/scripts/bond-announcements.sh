# needs: uml
# ipv6: on
# What a bond says at a failover: by ARP and neighbour discovery, as often as it is told to, and for VLANs on it.
ip netns add a
ip netns add sw
N="ip netns exec"
for i in 1 2 3; do
    ip link add e$i netns a address 02:00:00:00:00:0$i type veth peer name p$i netns sw address 02:00:00:00:00:2$i
    ip -n sw link set p$i up
done
ip -n sw link add br0 address 02:00:00:00:00:30 type bridge mcast_snooping 0
ip -n sw link set br0 up
for i in 1 2 3; do ip -n sw link set p$i master br0; done
ip -n a link add bond0 type bond mode active-backup miimon 100 num_grat_arp 3 peer_notif_delay 200
for i in 1 2 3; do ip -n a link set e$i master bond0; done
ip -n a addr add 10.0.0.3/24 dev bond0
ip -n a addr add 2001:db8::3/64 dev bond0 nodad
ip -n a link set bond0 up
ip -n a link add link bond0 name bond0.7 type vlan id 7
ip -n a addr add 10.0.7.3/24 dev bond0.7
ip -n a link set bond0.7 up
sleep 6
$N sw tcpdump -l -e -n -t -i p1 arp >p1.cap 2>/dev/null &
$N sw tcpdump -l -e -n -t -i p1 'icmp6 and ip6[40] == 136' >p1.na.cap 2>/dev/null &
$N sw tcpdump -l -e -n -t -i p3 arp >p3.cap 2>/dev/null &
sleep 0.7
ip -n a link set bond0 type bond active_slave e2
sleep 1.3
$N a cat /proc/net/bonding/bond0
ip -n sw link set p2 down
sleep 1.3
ip -n a link set bond0 type bond num_grat_arp 0
ip -n a link set bond0 type bond active_slave e3
sleep 1.3
ip -n a link set bond0 type bond num_grat_arp 1
ip -n a link set bond0 type bond clear_active_slave
sleep 1.3
ip -n a -d link show bond0
kill %1 %2 %3
wait
cat p1.cap
cat p1.na.cap
cat p3.cap
