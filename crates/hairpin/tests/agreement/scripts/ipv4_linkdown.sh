# Carrier and administrative state.
# with: three-in-a-row.part
ip -n B route add default via 10.0.2.254
N="ip netns exec"
sleep 0.3
ip -n A route add default via 10.0.1.254
ip -n A route add 10.44.0.0/16 via 10.0.1.253 metric 9
$N A ping -c1 -W1 10.0.1.254
ip -n R link set r0 down
sleep 1.3
ip -n A route
ip -n A neigh
ip -n A route get 10.0.1.254
ip -n A route get 10.44.1.1
$N A ping -c2 -W1 10.0.1.254
$N A ping -c2 -W1 10.44.1.1
ip -n A neigh
$N A sysctl -w net.ipv4.conf.a0.ignore_routes_with_linkdown=1
ip -n A route
ip -n A route get 10.0.1.254
ip -n A route get 10.44.1.1
$N A ping -c2 -W1 10.0.1.254
ip -n R route get 10.0.1.1
ip -n R route
ip -n R link set r0 up
sleep 0.3
ip -n A route
$N A ping -c2 -W1 10.0.1.254
ip -n A link set a0 down
$N A ping -c1 -W1 10.0.1.254
ip -n A neigh
ip -n A route
$N A ping -c1 -W1 10.0.1.1
ip -n A link set a0 up
$N A ping -c1 -W1 10.0.1.254
ip -n A -s link show lo
