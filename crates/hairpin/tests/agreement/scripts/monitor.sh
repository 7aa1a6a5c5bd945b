# needs: uml
# What `ip monitor` tells of links, addresses, routes, namespaces and settings, in its order.
# runs: by bash alone
# with: told.part
# The kernel looks at carriers once a second.
PAUSE=1.3
ip netns add o
ip monitor link address route netconf nsid >$LOG &
M=$!
sleep 2.3
say ip link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02
say ip link set v0 up
say ip link set v1 up
say ip link set v1 down
say ip link set v1 up
say ip addr add 10.77.0.1/24 dev v0
say ip addr del 10.77.0.1/24 dev v0
say ip link set v0 down
say ip link set v0 alias uplink
say ip link set v0 mtu 1400
say ip link del v0
say ip link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02
say ip link set v1 netns o
say ip link del v0
say ip link add d0 address 02:00:00:00:00:03 type dummy
# A monitor goes on to call it what it was called first, but for what the kernel says of links.
say ip link set d0 name d9
say ip link set d9 name d0
say ip link set d0 name d7
say ip link set d7 netns o
kill $M
wait $M 2>/dev/null
rm $LOG
