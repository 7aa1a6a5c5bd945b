# needs: uml
# ipv6: on
# covers: dumps ip6gre ip6gretap ip6tnl
# covers: refusals ip6gre ip6gretap ip6tnl
# ip6tnl, ip6gre and ip6gretap: what they can be told, what they say of themselves, what they refuse.
ip netns add n
ip netns add m
ip link add u0 netns n address 02:00:00:00:00:01 type veth peer name u1 netns m
ip -n n link set u0 up
ip -n m link set u1 up
ip -n n addr add 2001:db8::1/64 dev u0 nodad
sleep 3
I="ip -n n"
$I link add t1 type ip6tnl local 2001:db8::1 remote 2001:db8::2
$I link add t2 type ip6tnl mode ipip6 local 2001:db8::1 remote 2001:db8::3 dev u0 encaplimit none hoplimit 9 tclass 0x20 flowlabel 0x12345
$I link add t3 type ip6tnl mode ip6ip6 local 2001:db8::1 remote 2001:db8::4 ttl inherit tclass inherit flowlabel inherit dscp inherit allow-localremote encaplimit 7
$I link add t4 type ip6tnl mode any remote 2001:db8::5
$I link add t5 type ip6tnl
$I link add t6 type ip6tnl local fe80::1 remote fe80::2
$I link add t7 type ip6tnl local fe80::1 remote fe80::3 dev u0
$I link add t8 mtu 1300 type ip6tnl local 2001:db8::1 remote 2001:db8::8
$I link add g1 type ip6gre local 2001:db8::1 remote 2001:db8::2
$I link add g2 type ip6gre local 2001:db8::1 remote 2001:db8::2 key 5 csum seq encaplimit none
$I link add g3 type ip6gre ikey 1 okey 2.0.0.1 iseq ocsum remote 2001:db8::9 hoplimit 3
$I link add p1 address 02:00:00:00:00:11 type ip6gretap local 2001:db8::1 remote 2001:db8::2
$I link add p2 address 02:00:00:00:00:12 mtu 1400 type ip6gretap local 2001:db8::1 remote 2001:db8::2 key 7 encaplimit none tclass 0x0f
for i in t1 t2 t3 t4 t5 t6 t7 t8 g1 g2 g3 p1 p2; do
    $I -d link show $i
    $I -d -j link show $i
done
for i in t1 t2 t3 t4 g1 g2 g3; do
    $I -6 tunnel show $i
done
$I link add x type ip6tnl local 2001:db8::1 remote 2001:db8::2
$I link add x type ip6tnl mode nothing
$I link add x type ip6tnl remote 10.0.0.1
$I link add x type ip6tnl encaplimit 999
$I link add x type ip6tnl hoplimit 999
$I link add x type ip6tnl flowlabel 0x123456
$I link add x type ip6tnl dscp copy
$I link add x type ip6tnl dev nothere
$I link add x type ip6tnl nothing
$I link add x type ip6gre local 2001:db8::1 remote 2001:db8::2
$I link add x type ip6gre key x
$I link add x type ip6gre dev nothere
$I link add x type ip6gretap local 2001:db8::1
$I link add x type ip6gretap local 2001:db8::1 remote 2001:db8::2
$I link add x address 01:00:00:00:00:01 type ip6gretap remote 2001:db8::2
$I link set t1 type ip6tnl hoplimit 3 remote 2001:db8::22
$I -d link show t1
$I link set t1 type ip6tnl remote 2001:db8::3 dev u0
$I link set t1 type ip6tnl mode ip6ip6
$I link set t4 type ip6tnl local 2001:db8::1
$I -d link show t1
$I -d link show t4
$I link set g1 type ip6gre key 5 csum seq encaplimit none
$I link set g1 type ip6gre key 6 remote 2001:db8::77
$I -d link show g1
$I link set p1 type ip6gretap hoplimit 5
$I -d link show p1
for i in t1 t2 t4 g1 p1; do
    for m in 10 67 68 1279 1280 1500 60000 65536 70000; do $I link set $i mtu $m; done
    $I link show $i
    $I link set $i address 02:00:00:00:00:05
    $I link set $i up
    $I link show $i
    ip netns exec n ethtool -i $i
    ip netns exec n ethtool $i
done
$I addr add 10.0.0.1/24 dev t1
$I addr add 2001:db8:5::1/64 dev t1
$I link add br0 type bridge
$I link set t1 master br0
$I link set p1 master br0
$I link show p1
sleep 3
$I -6 route show dev t1
$I link set t2 netns m
$I link set p2 netns m
ip -n m -d link show t2
ip -n m -d link show p2
$I link del u0
$I -br link
ip netns del n
ip -n m -br link
for i in ip6tnl ip6gre ip6gretap; do ip link help $i; done
