# needs: uml
# Which priority a VLAN's tag tells: by a packet's TOS where a program sends it or a router forwards it, by what the tag said that it
# came with; and VLANs whose carrier is that of a bridge's ports.
ip netns add a
ip netns add r
ip netns add b
ip link add u0 netns a address 02:00:00:00:00:01 type veth peer name u1 netns r address 02:00:00:00:00:02
ip link add w0 netns b address 02:00:00:00:00:03 type veth peer name w1 netns r address 02:00:00:00:00:04
ip -n a link set u0 up
ip -n r link set u1 up
ip -n r link set w1 up
ip -n b link set w0 up
ip -n a link add link u0 name v5 type vlan id 5 egress-qos-map 0:1 2:2 4:3 6:4 5:7
ip -n r link add link u1 name v5 type vlan id 5 ingress-qos-map 1:5 4:2 egress-qos-map 0:3
ip -n r link add link w1 name v6 type vlan id 6 egress-qos-map 0:6 2:2 4:3 6:4 5:7
ip -n b link add link w0 name v6 type vlan id 6
for h in a r; do ip -n $h link set v5 up; done
for h in r b; do ip -n $h link set v6 up; done
ip -n a addr add 10.0.0.1/24 dev v5
ip -n r addr add 10.0.0.2/24 dev v5
ip -n r addr add 10.1.0.2/24 dev v6
ip -n b addr add 10.1.0.1/24 dev v6
ip -n a route add default via 10.0.0.2
ip -n b route add default via 10.1.0.2
ip netns exec r sysctl -w net.ipv4.ip_forward=1
ip netns exec a ping -c1 -W1 10.1.0.1
ip netns exec r tcpdump -l -e -n -t -i u1 icmp or vlan >u1.cap 2>/dev/null &
W=$!
ip netns exec r tcpdump -l -e -n -t -i w1 icmp or vlan >w1.cap 2>/dev/null &
W="$W $!"
sleep 2.5
for q in 0 8 0x10 0x18 0xb8 0x1c 0xff; do
    ip netns exec a ping -c1 -W1 -Q $q 10.0.0.2
    ip netns exec a ping -c1 -W1 -Q $q 10.1.0.1
done
sleep 1
kill $W
wait
cat u1.cap
cat w1.cap
# A bridge hands on what the tag said.
ip -n r link del v5
ip -n r link del v6
ip -n r link add br0 address 02:00:00:00:00:30 type bridge mcast_snooping 0
ip -n r link add link u1 name v5 type vlan id 5 ingress-qos-map 1:5 4:2
ip -n r link add link w1 name v6 type vlan id 6 egress-qos-map 0:6 2:2 5:7
for d in v5 v6; do ip -n r link set $d master br0; ip -n r link set $d up; done
ip -n r link set br0 up
ip -n b addr add 10.0.0.3/24 dev v6
ip netns exec r tcpdump -l -e -n -t -i w1 icmp >w1.cap 2>/dev/null &
W=$!
sleep 2.5
for q in 0 0x10 8; do ip netns exec a ping -c1 -W1 -Q $q 10.0.0.3; done
sleep 1
kill $W
wait
cat w1.cap
# Bound to the ports of a bridge.
ip netns add n
I="ip -n n"
$I link add p1 address 02:00:00:00:00:11 type veth peer name q1
$I link add p2 address 02:00:00:00:00:12 type veth peer name q2
$I link add br1 address 02:00:00:00:00:31 type bridge vlan_filtering 1
for d in p1 p2 q1 q2 br1; do $I link set $d up; done
for d in p1 p2; do $I link set $d master br1; done
$I link add link q1 name x5 type vlan id 5 bridge_binding on
$I link set x5 up
sleep 1
$I link show x5
$I link add link br1 name y5 type vlan id 5 bridge_binding on
$I link set y5 up
sleep 1
$I link show y5
bridge -n n vlan add vid 5 dev p1
sleep 1
$I link show y5
$I link set q1 down
sleep 1
$I link show y5
bridge -n n vlan add vid 5 dev p2
sleep 1
$I link show y5
bridge -n n vlan del vid 5 dev p2
sleep 1
$I link show y5
