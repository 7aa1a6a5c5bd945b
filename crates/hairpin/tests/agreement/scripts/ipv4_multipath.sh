# Routes to several places.
# with: three-in-a-row.part
ip -n B route add default via 10.0.2.254
N="ip netns exec"
sleep 0.3
ip -n R addr add 10.0.1.253/24 dev r0
ip -n A route add 10.30.0.0/16 nexthop via 10.0.1.254 weight 2 nexthop via 10.0.1.253
ip -n A route add 10.31.0.0/16 nexthop via 10.0.1.254 dev a0 nexthop via 10.99.0.1 dev a0 onlink
ip -n A route add 10.32.0.0/16 nexthop via 10.0.1.254 nexthop via 10.88.0.1
ip -n A route
ip -n A -d route
ip -n A route add 10.33.0.0/16 via 10.0.1.254 metric 100
ip -n A route add 10.33.0.0/16 via 10.0.1.253 metric 50
ip -n A route add 10.33.0.0/16 via 10.0.1.253 metric 50
ip -n A route append 10.33.0.0/16 via 10.0.1.254 metric 50
ip -n A route prepend 10.33.0.0/16 dev a0 metric 50
ip -n A route change 10.33.0.0/16 via 10.0.1.252 metric 50
ip -n A route replace 10.34.0.0/16 via 10.0.1.252
ip -n A route change 10.35.0.0/16 via 10.0.1.252
ip -n A route add 10.36.0.5/16 via 10.0.1.252
ip -n A route add local 10.37.0.0/16 dev lo
ip -n A route add broadcast 10.38.0.255 dev a0
ip -n A route add multicast 224.1.0.0/16 dev a0
ip -n A route add nat 10.39.0.0/16 via 10.0.1.252
ip -n A route
ip -n A route show table local
ip -n A route get 10.33.1.1
ip -n A route get 10.37.1.1
$N A ping -c1 -W1 10.37.1.1
ip -n A route get 10.38.0.255
ip -n A route get 224.1.1.1
ip -n A route show 10.33.0.0/16
ip -n A route show to root 10.32.0.0/11
ip -n A route show match 10.33.1.1
ip -n A route show exact 10.33.0.0/16
ip -n A route show via 10.0.1.253
ip -n A route show proto kernel
ip -n A route show scope link
ip -n A route show type local table all
ip -n A route show dev a0
ip -n A route del 10.33.0.0/16
ip -n A route del 10.33.0.0/16 metric 100
ip -n A route show 10.33.0.0/16
ip -n A route del 10.99.0.0/16
ip -n R link set r0 down
sleep 1.3
ip -n A route
ip -n A route get 10.0.1.254
ip -n A link set a0 down
ip -n A route
ip -n A route show table local
ip -n A link set a0 up
ip -n A route
