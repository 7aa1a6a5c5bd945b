# Addresses: kinds, secondaries, promotion.
# differs after 6.1: addresses have error texts of their own
# lines: ^(Error: ipv4: Address (already assigned|not found)\.|RTNETLINK answers: (File exists|Cannot assign requested address))$
# with: three-in-a-row.part
ip -n B route add default via 10.0.2.254
N="ip netns exec"
sleep 0.3
ip -n A addr add 10.0.1.2/24 dev a0
ip -n A addr add 10.0.1.3/24 dev a0
ip -n A addr add 10.0.5.1/31 dev a0
ip -n A addr add 10.0.6.1/32 dev a0
ip -n A addr add 10.0.7.1 peer 10.0.7.2 dev a0
ip -n A addr add 10.0.8.1/30 brd + dev a0
ip -n A addr add 10.0.8.5/30 brd - dev a0
ip -n A addr add 10.0.10.1/24 brd 10.0.10.99 label a0:x dev a0
ip -n A addr add 10.0.11.1/24 scope link dev a0
ip -n A addr add 10.0.12.1/24 scope host dev a0
ip -n A addr add 10.0.13.1/24 noprefixroute dev a0
ip -n A addr add 10.0.14.1/24 metric 77 dev a0
ip -n A addr add 10.0.15.1/24 valid_lft 100 preferred_lft 50 dev a0
ip -n A addr add 10.0.1.2/24 dev a0
ip -n A addr add 10.0.1.2/25 dev a0
ip -n A addr add 127.0.0.5/8 dev a0
ip -n A addr add 224.0.0.5/8 dev a0
ip -n A addr add 0.0.0.0/8 dev a0
ip -n A addr add 255.255.255.255/32 dev a0
ip -n A addr add 10.0.16.1/0 dev a0
ip -n A addr add 10.0.17.1/33 dev a0
ip -n A addr
ip -n A route
ip -n A route show table local
ip -n A route get 10.0.5.0
ip -n A route get 10.0.7.2
ip -n A route get 10.0.6.2
ip -n A route get 10.0.11.2
ip -n A route get 10.0.12.2
ip -n A route get 10.0.13.2
ip -n A route get 10.0.15.2
$N A sysctl -w net.ipv4.conf.a0.promote_secondaries=1
ip -n A addr del 10.0.1.1/24 dev a0
ip -n A addr show a0
ip -n A route
$N A sysctl -w net.ipv4.conf.a0.promote_secondaries=0
ip -n A addr del 10.0.1.2/24 dev a0
ip -n A addr show a0
ip -n A addr del 10.0.10.1/25 dev a0
ip -n A addr del 10.0.10.1 dev a0
ip -n A addr del 10.0.99.1/24 dev a0
ip -n A addr change 10.0.8.1/30 dev a0 valid_lft 100 preferred_lft 50
ip -n A addr replace 10.0.20.1/24 dev a0
ip -n A addr change 10.0.21.1/24 dev a0
ip -n A route add 10.20.0.0/16 via 10.0.20.2
ip -n A route add 10.21.0.0/16 via 10.0.20.2 src 10.0.14.1
ip -n A addr del 10.0.14.1/24 dev a0
ip -n A route
ip -n A addr del 10.0.20.1/24 dev a0
ip -n A route
ip -n A link set a0 down
ip -n A route
ip -n A route show table local
ip -n A addr add 10.0.30.1/24 dev a0
ip -n A route show table local
ip -n A route
ip -n A link set a0 up
ip -n A route
sleep 1.3
ip -n A addr flush dev a0
ip -n A addr show a0
ip -n A route
ip -n A route show table local
