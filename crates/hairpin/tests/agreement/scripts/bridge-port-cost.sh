# needs: uml
# What a port costs: by the speed that its device tells, which many kinds do not.
ip netns add n
N="ip -n n"
$N link add br0 address 02:00:00:00:00:01 type bridge
$N link set br0 up
$N link add v0 address 02:00:00:00:00:11 type veth peer name v1 address 02:00:00:00:00:12
$N link add s0 address 02:00:00:00:00:13 type veth peer name s1 address 02:00:00:00:00:14
$N link set s1 up
$N link add d0 address 02:00:00:00:00:15 type dummy
$N link add i0 address 02:00:00:00:00:16 type ifb
$N link add vx0 address 02:00:00:00:00:17 type vxlan id 5 dstport 4789 remote 10.8.0.2
$N link add vx1 address 02:00:00:00:00:18 type vxlan id 6 dstport 4789 remote 10.8.0.2 dev v1
$N link add g0 address 02:00:00:00:00:19 type geneve id 5 remote 10.8.0.2
$N link add t0 address 02:00:00:00:00:1a type gretap remote 10.8.0.2 local 10.8.0.1
$N link add link v1 name w0 type vlan id 5
$N link add link v1 name m0 address 02:00:00:00:00:1b type macvlan mode bridge
$N link add link d0 name m1 address 02:00:00:00:00:1c type macvlan mode bridge
$N link add b0 type bond mode active-backup miimon 100
$N link add b1 address 02:00:00:00:00:1d type bond mode active-backup miimon 100
$N link set s0 master b0
for dev in v0 v1 d0 i0 vx0 vx1 g0 t0 w0 m0 m1 b0 b1; do $N link set $dev up; done
sleep 2.5
for dev in v0 d0 i0 vx0 vx1 g0 t0 w0 m0 m1 b0 b1; do $N link set $dev master br0; done
sleep 1.5
bridge -n n link
# Tunnels that carry packets only have no groups of the link layer.
$N link add p0 type ipip remote 10.8.0.2 local 10.8.0.1
$N link add p1 type gre remote 10.8.0.2 local 10.8.0.1
$N link add p2 type sit remote 10.8.0.2 local 10.8.0.1
$N link add p3 type nlmon
for dev in p0 p1 p2 p3; do $N link set $dev up; $N link set $dev master br0; done
bridge -n n fdb show dev p0
bridge -n n fdb show dev p1
bridge -n n fdb show dev p2
bridge -n n fdb show dev p3
