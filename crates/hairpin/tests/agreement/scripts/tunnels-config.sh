# needs: uml
# runs: by bash alone
# covers: dumps gre gretap ipip sit geneve
# covers: refusals gre gretap ipip sit geneve
# gre, gretap, ipip, sit and geneve: what they can be told, and what they say of themselves.
ip netns add n
ip netns add m
ip link add u0 netns n address 02:00:00:00:00:01 type veth peer name u1 netns m
ip -n n link set u0 up
ip -n m link set u1 up
ip -n n addr add 192.168.0.1/24 dev u0
I="ip -n n"
$I link add g1 type gre remote 192.168.0.2 key 7 csum seq ttl 9 tos 0x10 nopmtudisc ignore-df dev u0
$I -d link show g1
$I -d -j link show g1
$I link add g2 type gre remote 192.168.0.2 local 192.168.0.1 ikey 1 okey 2.0.0.1 icsum oseq tos inherit
$I -d link show g2
$I -d -j link show g2
$I link add g3 type gre local 192.168.0.1
$I link add g6 type gre remote 192.168.0.2 local 192.168.0.1 ttl 5 nopmtudisc
$I link add g7 type gre remote 192.168.0.2 local 192.168.0.1 ttl 5
$I link add g7 type gre remote 192.168.0.2 local 192.168.0.1 key x
$I link add g7 type gre remote nothing
$I link add g7 type gre remote 192.168.0.2 ttl 256
$I link add g7 type gre remote 192.168.0.2 dev nothere
$I link add g7 type gre nothing
$I link add g8 type gretap key 9
$I link add g9 address 02:00:00:00:00:09 type gretap local 192.168.0.1 remote 192.168.0.2 ignore-df nopmtudisc key 3
$I link add g10 type gretap local 192.168.0.1 remote 192.168.0.2 ignore-df
$I -d link show g3
$I -d link show g6
$I -d link show g8
$I -d -j link show g9
$I tunnel show
$I link set g6 type gre remote 192.168.0.7 local 192.168.0.1 ttl 77
$I link set g6 type gre remote 192.168.0.8 key 4
$I -d link show g6
$I link set g6 type gre ttl 7
$I -d link show g6
$I link set g6 type gre remote 192.168.0.2 local 192.168.0.1 key 4 ikey 1 okey 2.0.0.1
$I link set g3 type gretap remote 192.168.0.2
for i in g6 g9; do
    for m in 10 67 68 1500 60000 65515 65516 70000; do $I link set $i mtu $m; done
    $I link show $i
done
$I link set g6 address 02:00:00:00:00:01
$I link set g6 up
$I link set g9 up
$I link show g6
$I link show g9
$I addr add 10.0.0.1/24 dev g6
$I addr add 10.0.1.1 peer 10.0.1.2 dev g6
$I addr show g6
$I link add br0 type bridge
$I link set g6 master br0
$I link set g9 master br0
$I link show g9
$I link add t2 type ipip remote 192.168.0.2 local 192.168.0.1
$I link add t2 type ipip remote 192.168.0.2 local 192.168.0.1
$I link add t9 type ipip remote 192.168.0.2 local 192.168.0.1
$I link add t3 type sit remote 192.168.0.2 local 192.168.0.1 ttl 64
$I link add i1 type ipip remote 192.168.0.3 mode ipip ttl 4 tos 2
$I link add i2 type ipip remote 192.168.0.3 mode ip6ip
$I link add i2 type ipip remote 192.168.0.4
$I link add i3 type ipip remote 192.168.0.5 mode any dev u0
$I -d link show i1
$I -d -j link show i1
$I -d link show i2
$I -d link show i3
$I link add s1 type sit remote 192.168.0.44 mode ip6ip
$I link add s2 type sit remote 192.168.0.45
$I link set s2 mtu 1000
$I link set s2 mtu 66000
$I -d link show s1
$I -d -j link show s2
$I link add e1 type geneve id 7
$I link add e1 type geneve remote 192.168.0.2
$I link add e1 type geneve id 7 remote 192.168.0.2 ttl inherit tos 3 df set dstport 6082 udpcsum
$I link add e2 address 02:00:00:00:00:02 type geneve id 7 remote 192.168.0.2
$I link add e3 type geneve id 7 remote 192.168.0.2 dstport 6082
$I link add e4 type geneve id 16777216 remote 192.168.0.2
$I link add e6 type geneve id 9 remote 239.1.1.1
$I link add e7 type geneve id 9 remote 10.99.0.1 ttl 5 tos inherit df inherit
$I -d link show e1
$I -d link show e2
$I -d link show e7
$I -d -j link show e1
$I link set e1 type geneve id 8
$I link set e1 type geneve id 7 remote 192.168.0.3
$I link set e1 type geneve id 7 remote 192.168.0.3 dstport 7
$I link set e1 type geneve id 7 remote 192.168.0.3 ttl 3
$I -d link show e1
$I link set e1 mtu 70000
$I link set e1 mtu 65485
$I link set e1 type geneve ttl 9
for i in g6 g9 t2 t3 e1; do
    ip netns exec n bash -c "ethtool -i $i | grep -v ^version"
    ip netns exec n ethtool $i
    ip netns exec n bash -c "cd /sys/class/net/$i; grep -H . addr_assign_type addr_len address broadcast flags iflink mtu operstate type uevent"
    ip netns exec n tcpdump -i $i -L
done
$I link set g6 netns m
$I link set e2 netns m
ip -n m -d link show g6
ip -n m -d link show e2
$I link del u0
$I -br link
ip netns del n
ip -n m -br link
for i in gre gretap ipip sit geneve; do ip link help $i; done
