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
