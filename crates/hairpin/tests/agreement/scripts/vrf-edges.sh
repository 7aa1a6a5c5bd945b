# needs: uml
# Errors of a router without loopback about packets of a VRF, the source of what leaves a VRF, what cannot stand on one.
for n in r h1 h2 h3; do ip netns add $n; done
N="ip netns exec"
$N r sysctl -w net.ipv4.ip_forward=1
ip -n r link add red address 02:00:00:00:00:01 type vrf table 10
ip -n r link set red up
for i in 1 2 3; do
    ip link add eth0 netns h$i address 02:00:00:00:00:1$i type veth peer name p$i netns r address 02:00:00:00:00:2$i
    ip -n h$i link set eth0 up
    ip -n r link set p$i up
    ip -n h$i addr add 10.0.$i.1/24 dev eth0
    ip -n h$i route add default via 10.0.$i.254
done
for i in 1 2; do ip -n r link set p$i master red; done
for i in 1 2 3; do ip -n r addr add 10.0.$i.254/24 dev p$i; done
sleep 1.5
$N h1 ping -c1 -W0.31 10.0.2.1
$N h1 ping -c1 -W0.31 10.0.7.1
$N h1 ping -c1 -W0.31 10.0.3.1
$N h1 ping -c1 -W0.31 -t 1 10.0.2.1
# The third host is not of the VRF, but the main table comes after it.
ip -n r route get vrf red 10.0.3.1
$N r ping -c1 -W0.31 -I red 10.0.3.1
ip -n r route get vrf red 10.0.2.1
$N r ping -c1 -W0.31 -I red 10.0.2.1
ip -n r link set lo up
sleep 1.5
$N h1 ping -c1 -W0.31 10.0.7.1
ip -n r route add vrf red unreachable default metric 4278198272
$N h1 ping -c1 -W0.31 10.0.7.1
$N r ping -c1 -W0.31 -I red 10.0.3.1
ip -n r link add link red name w0 type vlan id 5
ip -n r link add link red name m0 type macvlan mode bridge
ip -n r link add link red name i0 type ipvlan mode l2
ip -n r link add br0 type bridge
ip -n r link add b0 type bond mode active-backup
ip -n r link set red down
ip -n r link set red master br0
ip -n r link set red master b0
ip -n r -br link show type vrf
# A network's broadcast goes by way of the VRF, which sees it and lets none out while it is down; the limited one does not.
ip -n r link set red nomaster
ip -n r link set red up
sleep 1.5
$N r tcpdump -l -n -t -i red icmp >red.cap 2>/dev/null &
$N h1 tcpdump -l -e -n -t -i eth0 icmp >h1.cap 2>/dev/null &
sleep 0.7
$N r ping -c1 -W0.31 -b -I red 10.0.1.255
$N r ping -c1 -W0.31 -b -I p1 10.0.1.255
$N r ping -c1 -W0.31 -b -I p1 255.255.255.255
sleep 0.7
ip -n r link set red down
$N r ping -c1 -W0.31 -b -I p1 10.0.1.255
$N r ping -c1 -W0.31 -b -I p1 255.255.255.255
sleep 0.7
kill %1 %2
wait
cat red.cap
cat h1.cap
ip -n r -s link show p1
