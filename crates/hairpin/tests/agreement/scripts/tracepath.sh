# needs: uml
# runs: by bash alone
# programs: tracepath nc
# The way to a host, and how long packets may be on it.
ip netns add R; ip netns add S; ip netns add B
ip link set lo up
ip link add a0 type veth peer name r0 netns R
ip -n R link add r1 type veth peer name s0 netns S
ip -n S link add s1 mtu 1400 type veth peer name b0 mtu 1400 netns B
v6 R S B
for i in all default a0; do echo 0 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done
for x in R:r0 R:r1 S:s0 S:s1 B:b0 R:lo S:lo B:lo; do ip -n ${x%:*} link set ${x#*:} up; done
ip link set a0 up
ip addr add 10.0.1.1/24 dev a0
ip -n R addr add 10.0.1.254/24 dev r0
ip -n R addr add 10.0.2.254/24 dev r1
ip -n S addr add 10.0.2.253/24 dev s0
ip -n S addr add 10.0.3.254/24 dev s1
ip -n B addr add 10.0.3.1/24 dev b0
ip addr add 2001:db8:1::1/64 dev a0 nodad
ip -n R addr add 2001:db8:1::fe/64 dev r0 nodad
ip -n R addr add 2001:db8:2::fe/64 dev r1 nodad
ip -n S addr add 2001:db8:2::fd/64 dev s0 nodad
ip -n S addr add 2001:db8:3::fe/64 dev s1 nodad
ip -n B addr add 2001:db8:3::1/64 dev b0 nodad
for n in R S; do ip netns exec $n sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; done
for n in R S B; do ip netns exec $n sysctl -q -w net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0; done
ip route add default via 10.0.1.254
ip -n R route add default via 10.0.2.253
ip -n S route add 10.0.1.0/24 via 10.0.2.254
ip -n B route add default via 10.0.3.254
ip -6 route add default via 2001:db8:1::fe
ip -n R -6 route add default via 2001:db8:2::fd
ip -n S -6 route add 2001:db8:1::/64 via 2001:db8:2::fe
ip -n B -6 route add default via 2001:db8:3::fe
sleep 2
path() { { set +x; } 2>/dev/null; tracepath "$@" >out 2>&1; echo "exit $?"; sed -E 's/ +[0-9]+\.[0-9]{3}ms/ T/' out; set -x; }
path -n 10.0.3.1
path -n 10.0.3.1
path -b 10.0.3.1
path 10.0.3.1
ip route flush cache
path -n -l 1000 10.0.3.1
path -n -m 2 10.0.3.1
path -n -p 5000 10.0.3.1
path -n 127.0.0.1
path -n 10.0.1.1
path -n 2001:db8:3::1
path -n 2001:db8:3::1
path -n ::1
path -n -m 1 10.0.3.1/5000
path -h
path
path -V
path -z
path -l 20 10.0.3.1
path -l 28 10.0.3.1
path -l x 10.0.3.1
path -m 256 10.0.3.1
path -p 70000 10.0.3.1
path -n 10.0.3.1 10.0.3.2
path -4 2001:db8:3::1
closed() { { set +x; } 2>/dev/null; kill $P; wait $P; set -x; }
opened() { { set +x; } 2>/dev/null; ip netns exec B nc -u -l -n 44447 </dev/null >/dev/null & P=$!; sleep 0.3; set -x; }
opened
path -n 10.0.3.1
closed
ip route del default
path -n 10.0.3.1
