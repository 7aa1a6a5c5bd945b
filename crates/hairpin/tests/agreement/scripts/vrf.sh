# needs: uml
# runs: by bash alone
# covers: dumps vrf
# covers: refusals vrf
# covers: traffic vrf
# A router with a VRF and a network beside it that has the same addresses.
for n in r a b c; do ip netns add $n; done
i=0
for n in a b c; do
    i=$((i + 1))
    ip link add e0 netns $n address 02:00:00:00:00:1$i type veth peer name p$i netns r address 02:00:00:00:00:2$i
    ip -n $n link set e0 up
    ip -n r link set p$i up
done
# Linux looks at carriers once a second.
sleep 1.5
ip -n r link set lo up
ip -n a addr add 10.0.1.1/24 dev e0
ip -n a route add default via 10.0.1.254
ip -n b addr add 10.0.2.1/24 dev e0
ip -n b route add default via 10.0.2.254
ip -n c addr add 10.0.1.1/24 dev e0
ip -n c route add default via 10.0.1.254
ip -n r rule
ip -n r vrf show
ip -n r link add vr type vrf
ip -n r link add vr type vrf table 0
ip -n r link add vr type vrf table nothing
ip -n r link add vr address 01:00:00:00:00:aa type vrf table 10
ip -n r link add vr mtu 500 type vrf table 10
ip -n r link add vr address 02:00:00:00:00:aa type vrf table 10
ip -n r rule
ip -n r link set vr type vrf table 11
ip -n r link set vr netns a
ip -n r link add v2 type vrf table 10
ip -n r link del v2
ip -n r link set vr up
ip -n r link set lo master vr
ip -n r addr add 10.0.1.254/24 dev p1
ip -n r route show table all
ip -n r link set p1 master vr
ip -n r route show table all
ip -n r route show vrf vr
ip -n r link set p2 master vr
ip -n r addr add 10.0.2.254/24 dev p2
ip -n r addr add 10.0.1.254/24 dev p3
ip -n r -d link show p1
ip -n r -d link show vr
ip -n r -d -j link show p1
ip -n r -d -j link show vr
ip -n r link show vrf vr
ip -n r addr show vrf vr
ip -n r route show vrf vr
ip -n r route show table 10
ip -n r route show table all
ip -n r vrf show
ip -n r vrf
ip -n r -j vrf show
ip -n r vrf show vr
ip -n r vrf show nothere
ip -n r vrf nothing
ip -n r link set vr master vr
ip -n r link add v2 type vrf table 12
ip -n r link set v2 master vr
ip -n r link set p1 master v2
ip -n r link set p1 master vr
ip -n r vrf
ip netns exec r sysctl -w net.ipv4.ip_forward=1
N="ip netns exec"
begin() {
    { set +x; } 2>/dev/null; W= C=$(mktemp -d)
    for p in $*; do $N ${p%.*} tcpdump -l -e -n -t -i ${p#*.} >$C/$p.cap 2>/dev/null & W="$W $!"; done
    sleep 1.5; set -x
}
finish() {
    { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W
    for p in $*; do echo "--- $p"; sed -E 's/ifindex [0-9]+ //' $C/$p.cap | grep -a . | grep -av ARP; done; rm -r $C; set -x
}
# When an ARP probe comes hangs on milliseconds: ARP is left out.
begin r.vr r.any
$N a ping -c1 -W1 10.0.2.1
$N a ping -c1 -W1 10.0.1.254
$N r ping -c1 -W1 10.0.1.1
$N r ping -c1 -W1 10.0.2.1
$N r ping -c1 -W1 -I vr 10.0.1.1
$N r ping -c1 -W1 -I p1 10.0.1.1
$N r ping -c1 -W1 -I vr 10.0.2.254
$N r ping -c1 -W1 10.0.1.254
$N a ping -c1 -W1 10.0.9.1
$N a ping -c1 -W1 -t 1 10.0.2.1
$N c ping -c1 -W1 10.0.1.254
$N c ping -c1 -W1 10.0.2.1
finish r.vr r.any
ip -n r -s link show vr
ip -n r neigh
ip -n r neigh show vrf vr | sort
ip -n r route get 10.0.1.1
ip -n r route get vrf vr 10.0.1.1
ip -n r route get 10.0.1.1 oif vr
ip -n r route get vrf vr 10.0.2.254
ip -n r route get 10.0.1.1 from 10.0.2.1 iif p2
ip -n r route get 10.0.9.1 vrf vr
ip -n r route add 10.0.9.0/24 via 10.0.2.1 vrf vr
ip -n r route add 10.0.8.0/24 via 10.0.2.1
ip -n r route add 10.0.8.0/24 via 10.0.2.1 table 10
ip -n r route show vrf vr
ip -n r route show vrf p1
ip -n r route del 10.0.9.0/24 vrf vr
ip -n r addr add 10.9.9.9/32 dev vr
ip -n r route show table 10
$N a ping -c1 -W1 10.9.9.9
$N r ping -c1 -W1 -I vr 10.9.9.9
ip -n r link set p1 nomaster
ip -n r route show table all
ip -n r link set p1 master vr
ip -n r link set vr down
ip -n r route show table 10
$N a ping -c1 -W1 10.0.2.1
$N r ethtool -i vr
$N r ethtool vr
$N r bash -c 'cd /sys/class/net/vr; grep -H . addr_assign_type flags iflink mtu operstate type uevent'
ip -n r link del vr
ip -n r route show table all
ip -n r rule
ip -n r -br link
ip -n r link set p1 down
ip -n r link set p1 master v2
ip -n r route show table all
ip -n r link set p1 up
ip -n r route show table 12
ip link help vrf
