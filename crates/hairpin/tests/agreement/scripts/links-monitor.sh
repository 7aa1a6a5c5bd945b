# needs: uml
# What is told as links go: with their masters, their ports, and what stands on them; as features come and go with ports, and as
# a bridge follows the MACs and MTUs of its ports.
# runs: by bash alone
# with: told.part
# The kernel looks at carriers once a second.
PAUSE=1.3
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip netns add s
stdbuf -oL ip -d monitor link address route neigh netconf >$LOG &
M=$!
sleep 1
say ip link add v0 address 02:00:00:00:00:09 type veth peer name v1 address 02:00:00:00:00:02
say ip link add v2 address 02:00:00:00:00:01 type veth peer name v3 address 02:00:00:00:00:03
say ip link add br0 type bridge
say ip link set br0 up
say ip link add link br0 name br0.5 type vlan id 5
say ip link set br0.5 up
say ip link set v0 master br0
say ip link set v0 up
say ip link set v1 up
say ip link set v2 master br0
say ip link set v2 up
say ip link set v3 up
say ip link set v0 mtu 1400
say ip link set v2 address 02:00:00:00:00:0b
say ip link set v2 nomaster
say ip link set v2 master br0
say ip addr add 10.77.0.1/24 dev br0
say ip addr add 10.77.1.1/24 dev v3
say ip link del v3
say ip link set br0 address 02:00:00:00:00:30
say ip link set v0 netns s
say ip link del br0
say ip link add v2 address 02:00:00:00:00:01 type veth peer name v3 address 02:00:00:00:00:03
say ip link add vrf0 address 02:00:00:00:00:f0 type vrf table 10
say ip link set vrf0 up
say ip link set v2 up
say ip link set v2 master vrf0
say ip link set v3 master vrf0
say ip link del v2
say ip link add d0 address 02:00:00:00:00:d0 type dummy
say ip link set d0 master vrf0
say ip link set d0 up
say ip link del vrf0
say ip link add iv0 link d0 type ipvlan mode l2
say ip link add iv1 link d0 type ipvlan mode l2
say ip link set iv0 up
say ip link set iv1 type ipvlan mode l3
say ip link set iv1 type ipvlan vepa
say ip link del d0
say ip link add d0 address 02:00:00:00:00:d0 type dummy
say ip link set d0 up
say ip link add link d0 name mv0 address 02:00:00:00:00:a0 type macvlan
say ip link add link d0 name mv1 address 02:00:00:00:00:a1 type macvlan
say ip link add link d0 name mv2 address 02:00:00:00:00:a2 type macvlan
say ip link set mv0 up
say ip link add link mv0 name mv0.7 type vlan id 7
say ip link set mv0.7 up
say ip addr add 10.77.7.1/24 dev mv0.7
say ip link del mv2
say ip link del d0
kill $M
wait $M 2>/dev/null
rm $LOG
