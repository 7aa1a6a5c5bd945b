# needs: uml
# ipv6: on
# IPv6 in tunnels over IPv4: how large its packets may be, and who is told.
for n in a b ha; do ip netns add $n; done
N="ip netns exec"
ip link add u0 netns a address 02:00:00:00:00:31 type veth peer name u0 netns b address 02:00:00:00:00:33
ip link add v0 netns a address 02:00:00:00:00:35 type veth peer name eth0 netns ha address 02:00:00:00:00:36
for d in "a u0" "b u0" "a v0" "ha eth0"; do ip -n ${d% *} link set ${d#* } up; done
ip -n a addr add 10.8.1.1/24 dev u0
ip -n b addr add 10.8.1.2/24 dev u0
$N a sysctl -w net.ipv6.conf.all.forwarding=1
ip -n a addr add 2001:db8:5::1/64 dev v0 nodad
ip -n ha addr add 2001:db8:5::2/64 dev eth0 nodad
ip -n ha route add default via 2001:db8:5::1
sleep 2.3
for kind in sit "sit nopmtudisc" gre "gre nopmtudisc"; do
    ip -n a link add t0 type $kind local 10.8.1.1 remote 10.8.1.2
    ip -n b link add t0 type $kind local 10.8.1.2 remote 10.8.1.1
    for n in a b; do ip -n $n link set t0 up; done
    ip -n a addr add 2001:db8:1::1/64 dev t0 nodad
    ip -n b addr add 2001:db8:1::2/64 dev t0 nodad
    ip -n b route add 2001:db8:5::/64 via 2001:db8:1::1
    for n in a ha; do
        $N $n ping -6 -c1 -W0.31 2001:db8:1::2
        $N $n ping -6 -c1 -W0.31 -s 1440 -M do 2001:db8:1::2
        $N $n ping -6 -c1 -W0.31 -s 1600 2001:db8:1::2
        ip -n $n route get 2001:db8:1::2
    done
    ip -n a link set u0 mtu 1400
    ip -n b link set u0 mtu 1400
    for n in a ha; do
        for i in 1 2; do $N $n ping -6 -c1 -W0.31 -s 1400 -M do 2001:db8:1::2; done
        $N $n ping -6 -c1 -W0.31 -s 1600 2001:db8:1::2
        ip -n $n route get 2001:db8:1::2
    done
    for n in a b; do ip -n $n link set u0 mtu 1500; done
    for n in a b; do ip -n $n link del t0; done
done
