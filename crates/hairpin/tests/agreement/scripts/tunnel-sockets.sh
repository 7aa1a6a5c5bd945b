# needs: uml
# runs: with the real programs
# ipv6: on
# The kernel's own sockets: those of vxlan and geneve while they are up.
ip link set lo up
ip link add d0 type veth peer name d1
ip link set d0 up
ip link set d1 up
ip addr add 10.0.0.1/24 dev d0
ip addr add 2001:db8::1/64 dev d0 nodad
ip link add x0 type vxlan id 5 remote 10.0.0.2 local 10.0.0.1 dstport 4789
ss -uan | sort
ip link set x0 up
ss -uan | sort
ss -uanp | sort
netstat -uan | sort
ip link add x1 type vxlan id 6 remote 10.0.0.3 dstport 4789
ip link set x1 up
ss -uan | sort
ip link add x2 type vxlan id 7 remote 2001:db8::2 dstport 4790
ip link set x2 up
ip link add x3 type vxlan external dstport 4791
ip link set x3 up
ip link add g0 type geneve id 5 remote 10.0.0.4
ip link set g0 up
ip link add g1 type geneve id 6 remote 2001:db8::4 dstport 6082
ip link set g1 up
ip link add g2 type geneve external dstport 6083
ip link set g2 up
ss -uan | sort
ss -uan4 | sort
ss -uan6 | sort
ss -uln | sort
ss -s
ss -uan sport = :4789
netstat -uan | sort
netstat -uanp | sort
grep UDP: /proc/net/sockstat
grep UDP6: /proc/net/sockstat6
ip link set x0 down
ss -uan4 | sort
ip link del x1
ss -uan | sort
ip link set x3 down
ip link set g2 down
ss -uan | sort
