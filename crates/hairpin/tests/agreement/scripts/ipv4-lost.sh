# needs: uml
# A device whose MTU is too small for IPv4 loses its addresses one by one: what is told of them and of their routes.
for up in down up; do
    ip link add d1 address 02:00:00:00:00:01 type dummy
    ip link set d1 $up
    ip addr add 10.0.7.1/24 dev d1
    ip addr add 10.0.8.1/24 dev d1
    ip addr add 10.0.7.2/24 dev d1
    ip addr add 10.0.7.3/24 dev d1
    ip route show table local dev d1
    ip monitor address route >told 2>/dev/null &
    sleep 1
    ip link set d1 mtu 67
    sleep 1
    kill %1
    wait %1
    cat told
    ip route show table all
    ip addr show d1
    ip link set d1 mtu 1500
    ip addr add 10.0.7.4/24 dev d1
    ip route show table all
    ip link del d1
done
# A group that is left once there is no IPv4 any more is nothing that anybody is told of.
ip link add d1 address 02:00:00:00:00:01 type dummy
ip link set d1 up
ip addr add 10.0.7.1/24 dev d1
ip link add vx1 address 02:00:00:00:00:02 type vxlan id 6 dstport 4789 group 239.1.1.1 dev d1
ip link set vx1 up
ip link set d1 mtu 67
sleep 1
ip link set vx1 down
sleep 2
ip -s link show dev d1
ip maddr show dev d1
ip link del vx1
ip link del d1
# Routes of several ways, and through a device without an address.
ip link add d1 address 02:00:00:00:00:01 type dummy
ip link add d2 address 02:00:00:00:00:02 type dummy
ip link set d1 up
ip link set d2 up
ip route add 10.8.0.0/16 dev d1
ip route add 10.9.0.0/24 nexthop dev d1 nexthop dev d2
ip link set d1 mtu 67
ip route show table all
ip link set d1 mtu 1500
ip addr add 10.0.7.1/24 dev d1
ip link set d1 mtu 67
ip route show table all
ip link del d1
ip link del d2
