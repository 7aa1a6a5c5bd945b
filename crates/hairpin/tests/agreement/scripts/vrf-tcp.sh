# needs: uml
# runs: by bash alone
# programs: nc
# TCP and UDP in a VRF: who reaches whose listener, and what net.ipv4.tcp_l3mdev_accept and its like change.
ip link set lo up
ip link add blue type vrf table 10
ip link set blue up
ip netns add h
ip link add p0 type veth peer name e0 netns h
ip link set p0 master blue
ip link set p0 up
ip addr add 10.0.0.1/24 dev p0
ip addr add 10.5.0.1/24 dev blue
ip -n h addr add 10.0.0.2/24 dev e0
ip -n h link set e0 up
ip -n h link set lo up
ip -n h route add 10.5.0.0/24 via 10.0.0.1
ip link add q0 type veth peer name f0 netns h
ip link set q0 up
ip addr add 10.1.0.1/24 dev q0
ip -n h addr add 10.1.0.2/24 dev f0
ip -n h link set f0 up
sleep 0.5
sysctl net.ipv4.tcp_l3mdev_accept net.ipv4.udp_l3mdev_accept net.ipv4.raw_l3mdev_accept
# serve COMMAND…: in the background, until `finish` shows what it has heard.
serve() { { set +x; } 2>/dev/null; O=$(mktemp); "$@" >$O 2>&1 </dev/null & P=$!; sleep 0.5; set -x; }
finish() { { set +x; } 2>/dev/null; sleep 0.3; kill $P 2>/dev/null; wait $P 2>/dev/null; sort $O; rm $O; set -x; }
try() { { set +x; } 2>/dev/null; echo "$TEXT" | "$@" && echo ok || echo failed; set -x; }
TEXT=out
# A program of the VRF reaches a host behind it, others do not.
serve ip netns exec h nc -n -l -k 10.0.0.2 7000
try ip vrf exec blue nc -n -w 1 -N 10.0.0.2 7000
try nc -n -w 1 -N 10.0.0.2 7000
try ip vrf exec blue nc -n -w 1 -N -s 10.5.0.1 10.0.0.2 7000
finish
# A listener of no VRF.
TEXT=in
serve nc -n -l -k 7001
ss -Htln
try ip netns exec h nc -n -w 1 -N 10.0.0.1 7001
try ip netns exec h nc -n -w 1 -N 10.5.0.1 7001
try ip netns exec h nc -n -w 1 -N 10.1.0.1 7001
finish
sysctl -w net.ipv4.tcp_l3mdev_accept=1
serve nc -n -l -k 7001
try ip netns exec h nc -n -w 1 -N 10.0.0.1 7001
try ip netns exec h nc -n -w 1 -N 10.5.0.1 7001
try ip netns exec h nc -n -w 1 -N 10.1.0.1 7001
finish
sysctl -w net.ipv4.tcp_l3mdev_accept=0
# A listener of the VRF.
serve ip vrf exec blue nc -n -l -k 7001
ss -Htln
netstat -tln
try ip netns exec h nc -n -w 1 -N 10.0.0.1 7001
try ip netns exec h nc -n -w 1 -N 10.5.0.1 7001
try ip netns exec h nc -n -w 1 -N 10.1.0.1 7001
finish
# Within the VRF, to its own addresses.
serve ip vrf exec blue nc -n -l -k 10.5.0.1 7002
try ip vrf exec blue nc -n -w 1 -N 10.5.0.1 7002
try nc -n -w 1 -N 10.5.0.1 7002
finish
# What was accepted is of the VRF too.
serve ip vrf exec blue nc -n -l 10.0.0.1 7003
accepted() {
    { set +x; } 2>/dev/null
    { echo a; sleep 1; } | ip netns exec h nc -n -N -w 2 10.0.0.1 7003 &
    sleep 0.5; ss -Htn | awk '{ print $1, $4 }'; wait $!; set -x
}
accepted
finish
# Both at once have the port: each hears its own.
both() { { set +x; } 2>/dev/null; serve ip vrf exec blue nc -n -l -k 7004; { set +x; } 2>/dev/null; FIRST=$P BEFORE=$O; serve nc -n -l -k 7004; }
other() { { set +x; } 2>/dev/null; P=$FIRST O=$BEFORE; set -x; }
both
TEXT=blue
try ip netns exec h nc -n -w 1 -N 10.0.0.1 7004
TEXT=none
try ip netns exec h nc -n -w 1 -N 10.1.0.1 7004
finish
other
finish
# Datagrams.
TEXT=datagram
serve nc -n -u -l -k 7005
try ip netns exec h nc -n -u -w 1 10.0.0.1 7005
try ip netns exec h nc -n -u -w 1 10.1.0.1 7005
finish
sysctl -w net.ipv4.udp_l3mdev_accept=1
serve nc -n -u -l -k 7005
try ip netns exec h nc -n -u -w 1 10.0.0.1 7005
finish
sysctl -w net.ipv4.udp_l3mdev_accept=0
serve ip vrf exec blue nc -n -u -l -k 7005
ss -Huln
try ip netns exec h nc -n -u -w 1 10.0.0.1 7005
try ip netns exec h nc -n -u -w 1 10.1.0.1 7005
finish
serve ip netns exec h nc -n -u -l -k 10.0.0.2 7006
try ip vrf exec blue nc -n -u -w 1 10.0.0.2 7006
finish
# Over IPv6.
for i in all default p0 blue q0; do echo 0 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done
for i in e0 f0 lo; do ip netns exec h sysctl -q -w net.ipv6.conf.$i.disable_ipv6=0; done
ip addr add 2001:db8::1/64 dev p0 nodad
ip -n h addr add 2001:db8::2/64 dev e0 nodad
sleep 2
TEXT=six
serve ip vrf exec blue nc -6 -n -l -k 7007
try ip netns exec h nc -n -w 1 -N 2001:db8::1 7007
finish
serve nc -6 -n -l -k 7007
try ip netns exec h nc -n -w 1 -N 2001:db8::1 7007
sysctl -w net.ipv4.tcp_l3mdev_accept=1
try ip netns exec h nc -n -w 1 -N 2001:db8::1 7007
finish
serve ip netns exec h nc -6 -n -l -k 7008
try ip vrf exec blue nc -n -w 1 -N 2001:db8::2 7008
try nc -n -w 1 -N 2001:db8::2 7008
finish
