# needs: uml
# runs: with the real programs
# ipv6: on
# The identifiers that addresses of advertised prefixes get.
ip link add d0 type veth peer name d1
ip link set d0 up;  ip link set d1 up; sleep 3
ip token
ip token list dev d0
ip token set ::5 dev d0
ip token get dev d0
ip token get dev lo
ip token get
ip token list
ip token list dev d1
ip -d token list
ip -j token list
ip -j -p token get dev d0
ip token get dev nope
ip token set ::5 dev nope
ip token set 10.0.0.1 dev d0
ip token set xx dev d0
ip token set 2001:db8::7 dev d0
ip token set ::7
ip token set dev d0
ip token set ::7 dev
ip token get d0
ip token list foo
ip token foo
ip token set ::8 dev lo
ip token set ::8 dev d1
ip token list
ip token del dev d0
ip token get dev d0
ip token del
ip token del ::7
ip token del dev d1 foo
ip token set :: dev d1
ip tok l
echo 0 > /proc/sys/net/ipv6/conf/d1/accept_ra
ip token set ::9 dev d1
echo 1 > /proc/sys/net/ipv6/conf/d1/accept_ra
echo 1 > /proc/sys/net/ipv6/conf/d1/forwarding
ip token set ::9 dev d1
echo 0 > /proc/sys/net/ipv6/conf/d1/forwarding
echo 0 > /proc/sys/net/ipv6/conf/d1/router_solicitations
ip token set ::9 dev d1
ip token set ::9 dev d0 foo
ip token set ::9 dev d0 dev d1
ip token set ::9 ::8 dev d0
ip token list
ip -o token
ip -4 token
ip -6 token
echo 1 > /proc/sys/net/ipv6/conf/d0/disable_ipv6
ip token set ::9 dev d0
ip token list
ip link set d0 mtu 1200
ip token set ::9 dev d0
ip token list
