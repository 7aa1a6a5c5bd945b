# needs: uml
# How large the packets of a tunnel may be: what is learned counts for the way out of the tunnel alone, follows the MTUs of
# devices, and goes with its route; who sends into a tunnel from elsewhere counts too.
for n in a b r ha; do ip netns add $n; ip -n $n link set lo up; done
N="ip netns exec"
ip link add u0 netns a address 02:00:00:00:00:31 type veth peer name r1 netns r address 02:00:00:00:00:32
ip link add u0 netns b address 02:00:00:00:00:33 type veth peer name r2 netns r address 02:00:00:00:00:34
ip link add v0 netns a address 02:00:00:00:00:35 type veth peer name eth0 netns ha address 02:00:00:00:00:36
for d in "a u0" "r r1" "r r2" "b u0" "a v0" "ha eth0"; do ip -n ${d% *} link set ${d#* } up; done
ip -n a addr add 10.8.1.1/24 dev u0
ip -n r addr add 10.8.1.9/24 dev r1
ip -n r addr add 10.8.2.9/24 dev r2
ip -n b addr add 10.8.2.2/24 dev u0
ip -n a route add 10.8.2.0/24 via 10.8.1.9
ip -n b route add 10.8.1.0/24 via 10.8.2.9
$N r sysctl -w net.ipv4.ip_forward=1
$N a sysctl -w net.ipv4.ip_forward=1
ip -n a addr add 10.0.5.1/24 dev v0
ip -n ha addr add 10.0.5.2/24 dev eth0
ip -n ha route add default via 10.0.5.1
sleep 1.3
for kind in ipip "ipip nopmtudisc" gre "gre nopmtudisc" "gre key 7" sit; do
    ip -n a link add t0 type $kind local 10.8.1.1 remote 10.8.2.2
    ip -n b link add t0 type $kind local 10.8.2.2 remote 10.8.1.1
    for n in a b; do ip -n $n link set t0 up; done
    ip -n a addr add 10.0.1.1/24 dev t0
    ip -n b addr add 10.0.1.2/24 dev t0
    ip -n b route add 10.0.5.0/24 via 10.0.1.1 dev t0
    # Of what may be asked for by another way only the tunnel's is narrower.
    $N a ping -c1 -W0.31 -s 1472 -M do -I t0 10.0.5.2
    $N a ping -c1 -W0.31 -s 1472 -M do 10.0.5.2
    ip -n a route get 10.0.5.2
    $N a ping -c1 -W0.31 10.0.1.2
    ip -n a route get 10.0.1.2
    $N a ping -c1 -W0.31 -s 1472 -M do 10.0.1.2
    $N ha ping -c1 -W0.31 -s 1472 -M do 10.0.1.2
    $N ha ping -c1 -W0.31 -s 1472 -M do 10.0.1.2
    $N ha ping -c1 -W0.31 -s 1600 10.0.1.2
    ip -n ha route get 10.0.1.2
    # What was learned follows the device, down and up.
    ip -n a link set t0 mtu 1000
    ip -n a route get 10.0.1.2
    $N a ping -c1 -W0.31 -s 1472 -M do 10.0.1.2
    ip -n a link set t0 mtu 1400
    ip -n a route get 10.0.1.2
    $N a ping -c1 -W0.31 10.0.1.2
    ip -n a route get 10.0.1.2
    # The way below gets narrower behind the first router, and between this host and that.
    ip -n r link set r2 mtu 1300
    ip -n b link set u0 mtu 1300
    for i in 1 2 3; do $N a ping -c1 -W0.31 -s 1350 -M do 10.0.1.2; done
    for i in 1 2; do $N ha ping -c1 -W0.31 -s 1350 -M do 10.0.1.2; done
    ip -n a route get 10.8.2.2
    ip -n a route get 10.0.1.2
    ip -n a link set u0 mtu 1200
    $N a ping -c1 -W0.31 -s 1350 10.0.1.2
    ip -n a route get 10.8.2.2
    ip -n a link set u0 mtu 1500
    ip -n a route get 10.8.2.2
    # A route that comes anew knows nothing.
    ip -n a route del 10.8.2.0/24
    ip -n a route add 10.8.2.0/24 via 10.8.1.9
    ip -n a route get 10.8.2.2
    ip -n r link set r2 mtu 1500
    ip -n b link set u0 mtu 1500
    # A receiver that takes no frame as long as that.
    ip -n b link set t0 mtu 1480
    ip -n r link set r2 mtu 1400
    $N b ping -c1 -W0.31 -s 1600 10.0.1.1
    ip -n b -s link show t0
    ip -n r link set r2 mtu 1500
    ip -n a -s link show t0
    for n in a b; do ip -n $n link del t0; done
done
