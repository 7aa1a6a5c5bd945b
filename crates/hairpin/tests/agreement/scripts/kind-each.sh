# needs: uml
# covers: dumps bond bridge dummy geneve gre gretap ifb ip6gre ip6gretap ip6tnl ipip ipvlan ipvtap macsec macvlan macvtap nlmon sit team vcan veth vlan vrf vxcan vxlan
# covers: refusals bond bridge dummy geneve gre gretap ifb ip6gre ip6gretap ip6tnl ipip ipvlan ipvtap macsec macvlan macvtap nlmon sit team vcan veth vlan vrf vxcan vxlan
# Every kind of link does the same things: it is looked at down and up, changed, made a port, moved, refused.
ip netns add n
ip netns add m
ip -n n link add u0 address 02:00:00:00:00:01 type veth peer name u1 address 02:00:00:00:00:02
ip -n n link set u0 up
ip -n n link set u1 up
ip -n n addr add 192.168.0.1/24 dev u0
ip -n n link add br0 address 02:00:00:00:00:31 type bridge
ip -n n link add bd0 address 02:00:00:00:00:32 type bond mode active-backup miimon 100
ip -n n link add vr0 address 02:00:00:00:00:33 type vrf table 9
sleep 1.2
E="address 02:00:00:00:00:0a"
i=0
for k in "$E type dummy" "$E type veth peer name p0 address 02:00:00:00:00:0c" "$E type bridge" "$E type bond" "$E type team" "link u0 $E type vlan id 5" "link u0 $E type macvlan mode bridge" "link u0 $E type macvtap mode vepa" "link u0 type ipvlan mode l2" "link u1 type ipvtap mode l3" "link u0 $E type macsec" "$E type vxlan id 4 dstport 4789 remote 192.168.0.2 dev u0" "$E type geneve id 4 remote 192.168.0.2" "type gre local 192.168.0.1 remote 192.168.0.2 ttl 9" "$E type gretap local 192.168.0.1 remote 192.168.0.2" "type ipip local 192.168.0.1 remote 192.168.0.2" "type sit local 192.168.0.1 remote 192.168.0.2" "type ip6tnl local 2001:db8::1 remote 2001:db8::2" "type ip6gre local 2001:db8::1 remote 2001:db8::2" "$E type ip6gretap local 2001:db8::1 remote 2001:db8::2" "$E type vrf table 10" "$E type ifb" "type nlmon" "type vcan" "type vxcan peer name p0"; do
    i=$((i + 1))
    d=k$i
    ip -n n link add $d $k
    ip -n n -d -j link show $d
    ip -n n -d link show $d
    ip -n n link add $d $k
    ip -n n link set $d up
    sleep 1.1
    ip -n n -d -j link show $d
    ip -n n link set $d down
    for a in 01:00:00:00:00:01 00:00:00:00:00:00 02:00:00:00:00:0b 02:00:00:00:00; do ip -n n link set $d address $a; done
    for m in 15 16 67 68 72 1280 1500 1501 65521 65535 65536; do ip -n n link set $d mtu $m; done
    ip -n n -d link show $d
    ip -n n link set $d up
    ip -n n link set $d name k1
    ip -n n link set $d alias somebody
    ip -n n link set $d txqueuelen 7
    ip -n n link set $d promisc on
    ip -n n link set $d allmulticast on
    ip -n n link set $d multicast off
    ip -n n link set $d arp off
    ip -n n link set $d dynamic on
    ip -n n link set $d group 5
    ip -n n link set $d protodown on
    ip -n n link set $d carrier off
    sleep 1.1
    ip -n n -d link show $d
    ip -n n link set $d protodown off
    ip -n n link set $d carrier on
    sleep 1.1
    ip -n n link set $d promisc off
    for p in br0 vr0 $d u0 nothere; do ip -n n link set $d master $p; done
    ip -n n -d -j link show $d
    ip -n n link set $d nomaster
    ip -n n link set $d down
    ip -n n link add link $d name q0 type vlan id 9
    ip -n n link add link $d name q1 type macvlan
    ip -n n link show q0
    ip -n n link show q1
    ip -n n link del q0
    ip -n n link del q1
    for t in dummy veth bridge vlan macvlan vxlan; do ip -n n link set $d type $t; done
    ip -n n link set $d type nothing
    ip -n n link set $d netns m
    ip -n m -d -j link show $d
    ip -n m link set $d up
    ip -n m link set $d netns nothere
    ip -n m link del $d
    ip -n n link del $d
    ip -n n link del p0
done
# What a bond takes.
i=0
for k in "$E type dummy" "$E type veth peer name p0 address 02:00:00:00:00:0c" "$E type bridge" "$E type bond" "$E type team" "link u0 $E type vlan id 5" "link u0 $E type macvlan mode bridge" "link u0 $E type macvtap mode vepa" "link u0 type ipvlan mode l2" "link u1 type ipvtap mode l3" "link u0 $E type macsec" "$E type vxlan id 4 dstport 4789 remote 192.168.0.2 dev u0" "$E type geneve id 4 remote 192.168.0.2" "$E type gretap local 192.168.0.1 remote 192.168.0.2" "$E type ifb" "type vcan" "type vxcan peer name p0"; do
    i=$((i + 1))
    d=b$i
    ip -n n link add $d $k
    ip -n n link set $d up
    ip -n n link set $d master bd0
    ip -n n link set $d down
    ip -n n link set $d master bd0
    sleep 1.1
    ip -n n -d link show $d
    ip -n n -d link show bd0
    ip -n n link set $d nomaster
    ip -n n link show $d
    ip -n n link del $d
    ip -n n link del p0
done
ip -n n -d link
