# needs: uml
# runs: by bash alone
# covers: dumps ifb nlmon vcan vxcan
# covers: refusals ifb nlmon vcan vxcan
# covers: traffic nlmon
# Kinds without options: what they say of themselves, what they refuse, what becomes of what is sent on them.
ip netns add n
N="ip netns exec n"
ip -n n link add i0 address 02:00:00:00:00:01 type ifb
ip -n n link add n0 type nlmon
ip -n n link add n1 address 02:00:00:00:00:01 type nlmon
ip -n n link add c0 type vcan
ip -n n link add x0 type vxcan
ip -n n link add y0 type vxcan peer name y1
ip -n n link add y2 type vxcan peer name y1
ip -n n link add y2 mtu 16 type vxcan peer name y3 mtu 16
ip -n n -d link
ip -n n link set y3 up
ip -n n link show y2
ip -n n link del y2
for i in i0 n0 c0 x0 vxcan0; do ip -n n link set $i up; done
ip -n n -d -j link show n0
ip -n n -d -j link show c0
ip -n n -d -j link show x0
ip -n n link
for i in i0 n0 c0 x0; do
    for m in 15 16 72 76 2061 70000; do ip -n n link set $i mtu $m; done
    ip -n n link set $i mtu 72
    ip -n n link set $i address 02:00:00:00:00:02
    ip -n n link set $i down
    for m in 17 2061 16; do ip -n n link set $i mtu $m; done
    ip -n n link set $i up
    ip -n n link add link $i name q type vlan id 3
    ip -n n link add br0 type bridge
    ip -n n link set $i master br0
    ip -n n link set $i nomaster
    ip -n n link del br0
    ip -n n link add link $i name q$i type macvlan
    ip -n n link del q$i
    ip -n n link del q
done
ip -n n -d link
for i in i0 n0 c0 x0; do
    $N bash -c "ethtool -i $i | grep -v ^version"
    $N ethtool $i
    $N bash -c "cd /sys/class/net/$i; grep -H . addr_assign_type addr_len address broadcast flags iflink mtu operstate type tx_queue_len uevent"
done
ip -n n link set i0 mtu 1500
ip -n n addr add 10.0.0.1/24 dev i0
$N ping -c2 -W1 10.0.0.2
ip -n n -s link show i0
ip -n n addr add 10.0.1.1/24 dev c0
ip -n n link set c0 down
ip -n n link set c0 mtu 72
ip -n n link set c0 up
ip -n n addr add 10.0.1.1/24 dev c0
$N ping -c1 -W1 10.0.1.2
ip -n n -s link show c0
ip -n n route
ip netns add m
ip -n n link set c0 netns m
ip -n n link set x0 netns m
ip -n n link show vxcan0
ip -n m link
ip -n m link del x0
ip -n n link
for i in ifb nlmon vcan vxcan netdevsim ipoib; do ip link help $i; done
ip -n n link set n0 up
$N tcpdump -i n0 -L
$N bash -c 'tcpdump -i n0 -t 2>/dev/null >/tmp/$$ & sleep 3; ip link set i0 mtu 1499; sleep 1; kill %1; wait; grep -B3 "0800 0400 db05" /tmp/$$ | cut -c1-29; rm /tmp/$$'
