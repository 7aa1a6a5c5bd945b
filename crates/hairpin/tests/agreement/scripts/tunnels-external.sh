# needs: uml
# geneve, gretap, gre and ipip that go by what a route says (external): what is refused and shown, and packets.
# with: tunnels-three-hosts.part
each() {
    ip -n a link add t0 $2 type $1 external
    ip -n b link add t0 $3 type $1 external
    for h in a b; do
        ip -n $h -d link show t0
        ip -n $h -d -j link show t0
        ip -n $h link set t0 up
    done
    ip -n a link add t1 type $1 external
    ip -n a link set t0 type $1 external
    ip -n a addr add 10.9.0.1/32 dev t0
    ip -n b addr add 10.9.0.2/32 dev t0
    ip -n a route add 10.9.0.2 dev t0
    $N a ping -c1 -W1 10.9.0.2
    ip -n a route replace 10.9.0.2 encap ip id 77 dst 192.168.0.2 key dev t0
    ip -n b route add 10.9.0.1 encap ip id 77 dst 192.168.0.1 key ttl 9 tos 0x10 dev t0
    ip -n b route add 10.8.0.0/24 encap ip id 78 dst 192.168.0.1 src 192.168.0.2 seq key via 10.9.0.1 dev t0 onlink
    ip -n b route show dev t0
    ip -n b route get 10.8.0.9
    begin a.u0
    $N a ping -c1 -W1 10.9.0.2
    $N a ping -c1 -W1 -Q 0x2a -s 1460 10.9.0.2
    $N b ping -c1 -W1 10.8.0.2
    finish a.u0
    ip -n a -s link show t0
    ip -n b -s link show t0
    ip -n a route replace 10.9.0.2 encap ip6 id 77 dst 2001:db8::2 dev t0
    $N a ping -c1 -W1 10.9.0.2
    ip -n a -s link show t0
    ip -n a link del t0
    ip -n b link del t0
}
each geneve "address 02:00:00:00:00:41" "address 02:00:00:00:00:42"
each gretap "address 02:00:00:00:00:41" "address 02:00:00:00:00:42"
each gre "" ""
each ipip "" ""
ip -n a link add t0 type geneve external id 5
ip -n a link add t0 type geneve external ttl 5
ip -n a link add t0 type geneve external dstport 7000
ip -n a link add t1 type geneve id 5 remote 192.168.0.2 dstport 7000
ip -n a link add t1 type geneve id 5 remote 192.168.0.2
ip -n a link add t2 type geneve external
ip -n a link set t1 type geneve external
ip -n a -d link show t0
ip -n a link del t0
ip -n a link del t1
# A tunnel that knows its ends comes before the one that does not.
ip -n a link add t0 type gre external
ip -n a link add t1 type gre local 192.168.0.1 remote 192.168.0.2 key 5
ip -n b link add t0 type gre local 192.168.0.2 remote 192.168.0.1 key 5
for d in t0 t1; do ip -n a link set $d up; done
ip -n b link set t0 up
ip -n a addr add 10.9.0.1/24 dev t1
ip -n b addr add 10.9.0.2/24 dev t0
$N b ping -c1 -W1 10.9.0.1
ip -n a -s link show t0
ip -n a -s link show t1
