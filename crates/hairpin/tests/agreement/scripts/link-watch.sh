# needs: uml
# What is told of a bridge and its ports while carriers come and go: the link watch comes when a command is through. What a
# device sends as it goes up finds the port opposite still closed.
# runs: by bash alone
# with: told.part
# The kernel looks at carriers once a second.
PAUSE=1.3
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip netns add s
ip netns exec s sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link add br0 address 02:00:00:00:00:b0 type bridge mcast_snooping 0
ip link add d1 address 02:00:00:00:01:01 type dummy
ip link set d1 master br0
ip link set d1 up
ip link add p1 address 02:00:00:00:02:01 type veth peer name e0 netns s address 02:00:00:00:02:02
ip link add p2 address 02:00:00:00:03:01 type veth peer name c0 address 02:00:00:00:03:02
ip monitor link >$LOG &
M=$!
sleep 2.3
say ip link set br0 up
say ip link set d1 down
say ip link set d1 up
say ip link set d1 nomaster
say ip link set p1 up
say ip link set p1 master br0
say ip -n s link set e0 up
say ip -n s link set e0 down
say ip -n s link set e0 up
say ip link set p2 master br0
say ip link set p2 up
say ip link set c0 up
say ip link set br0 down
say ip link set br0 up
say ip link set d1 master br0
say ip link set d1 nomaster
kill $M
wait $M 2>/dev/null
rm $LOG
# Nobody hears what is announced of addresses at the moment of going up; of a new MAC everybody hears.
ip addr add 10.77.0.2/24 dev c0
ip -n s addr add 10.77.0.1/24 dev e0
sysctl -qw net.ipv4.conf.c0.arp_accept=1
ip netns exec s sysctl -qw net.ipv4.conf.e0.arp_notify=1
ip -n s link set e0 down
sleep 1.2
ip -n s link set e0 up
sleep 1.2
echo "neighbours: $(ip neigh show dev c0)"
ip -n s link set e0 address 02:00:00:00:02:99
sleep 0.3
echo "neighbours: $(ip neigh show dev c0)"
