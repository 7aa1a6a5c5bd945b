# needs: uml
# ipv6: on
# TCP over IPv6: connections, closed ports, what routers refuse and shorten, listeners of both families, frame by frame.
ip netns add a
ip netns add r
ip netns add b
ip link add va netns a type veth peer name ra netns r
ip link add vb netns b type veth peer name rb netns r
ip -n a link set va address 02:00:00:00:00:01
ip -n r link set ra address 02:00:00:00:00:0a
ip -n r link set rb address 02:00:00:00:00:0b
ip -n b link set vb address 02:00:00:00:00:02
ip netns exec r sysctl -q -w net.ipv6.conf.all.forwarding=1
ip -n a addr add fd00:a::1/64 dev va nodad
ip -n r addr add fd00:a::ff/64 dev ra nodad
ip -n r addr add fd00:b::ff/64 dev rb nodad
ip -n b addr add fd00:b::2/64 dev vb nodad
ip -n a addr add 10.0.0.1/24 dev va
ip -n r addr add 10.0.0.2/24 dev ra
for n in a r b; do ip -n $n link set lo up; done
ip -n a link set va up
ip -n r link set ra up
ip -n r link set rb up
ip -n b link set vb up
ip -n a route add default via fd00:a::ff
ip -n b route add default via fd00:b::ff
sleep 3
begin() { { set +x; } 2>/dev/null; C=$(mktemp); ip netns exec a tcpdump -n -l -t -i va 'tcp or icmp6[0] < 128' >$C 2>/dev/null & W=$!; sleep 1.5; set -x; }
finish() {
    { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W
    sed -E 's/seq [0-9]{5,}/seq N/; s/ack [0-9]{5,}/ack N/; s/ecr [1-9][0-9]*/ecr N/; s/val [0-9]+/val N/; s/(tcp|udp)6? sum ok//' $C; rm $C; set -x
}
# A connection, its data and its end.
begin
ip netns exec b nc -6 -n -v -l 80 &
sleep 0.5
echo hello | ip netns exec a nc -n -N -v -p 40000 fd00:b::2 80
finish
ip netns exec a ss -6 -H -n -t -a
ip netns exec b ss -6 -H -n -t -a
# Nobody listens; nobody is there; no way.
ip -n r route add blackhole fd00:d::/64
ip -n r route add prohibit fd00:e::/64
ip -n r route add unreachable fd00:f::/64
begin
ip netns exec a nc -n -z -v -p 40001 fd00:b::2 81
ip netns exec a nc -n -z -v -p 40003 fd00:c::2 81
ip netns exec a nc -n -z -v -w 2 -p 40004 fd00:d::2 81
ip netns exec a nc -n -z -v -p 40005 fd00:e::2 81
ip netns exec a nc -n -z -v -p 40006 fd00:f::2 81
ip netns exec a nc -n -z -v fe80::1 81
ip netns exec a nc -n -z -v ff02::1%va 81
ip netns exec a nc -n -z -v ::1 81
finish
ip netns exec a nc -n -z -v fd00:b::77 81
# A listener of both families, and ports that clash.
ip netns exec r nc -6 -n -k -l 82 &
sleep 0.5
begin
ip netns exec a nc -n -z -v -p 40007 10.0.0.2 82
ip netns exec a nc -n -z -v -p 40008 fd00:a::ff 82
ip netns exec a nc -n -z -v -p 40009 -w 2 fe80::ff:fe00:a%va 82
finish
ip netns exec r nc -n -l 10.0.0.2 82
ip netns exec r nc -n -l fd00:a::ff 82
ip netns exec r ss -6 -H -n -t -l
ip netns exec r cat /proc/net/sockstat6
ip netns exec r netstat -tan
# The path takes less than is thought.
ip -n r link set rb mtu 1300
d=0123456789abcdefghijklmnopqrstuvwxyzABCDEFG; for i in 1 2 3 4 5; do d=$d$d; done; echo $d >data
ip netns exec b nc -6 -n -l 83 >got &
sleep 0.5
cat data | ip netns exec a nc -n -N -v -p 40010 fd00:b::2 83
ip -n a -6 route get fd00:b::2
# What rules say of it.
ip netns exec b ip6tables-legacy -A INPUT -p tcp --dport 90 -j REJECT
ip netns exec b ip6tables-legacy -A INPUT -p tcp --dport 91 -j REJECT --reject-with tcp-reset
ip netns exec b ip6tables-legacy -A INPUT -p tcp --dport 92 -j REJECT --reject-with icmp6-adm-prohibited
ip netns exec b ip6tables-legacy -A INPUT -p tcp --dport 93 -j DROP
ip netns exec b ip6tables-legacy -A INPUT -m conntrack --ctstate ESTABLISHED
ip netns exec b ip6tables-legacy -t nat -A PREROUTING -p tcp --dport 94 -j DNAT --to-destination '[fd00:b::2]:95'
ip netns exec b nc -6 -n -l 95 &
sleep 0.5
begin
ip netns exec a nc -n -z -v -p 40090 fd00:b::2 90
ip netns exec a nc -n -z -v -p 40091 fd00:b::2 91
ip netns exec a nc -n -z -v -p 40092 fd00:b::2 92
ip netns exec a nc -n -z -v -w 2 -p 40093 fd00:b::2 93
echo nat | ip netns exec a nc -n -N -v -p 40094 fd00:b::2 94
finish
ip netns exec b ip6tables-legacy -S INPUT -v
ip netns exec b cat /proc/net/nf_conntrack | sed -E 's/ [0-9]+ (TIME|CLOSE|ESTAB|SYN)/ T \1/' | sort
# Datagrams.
ip netns exec b nc -6 -u -n -v -l 53 &
sleep 0.5
begin
echo datagram | ip netns exec a nc -u -n -v -w 1 -p 40100 fd00:b::2 53
ip netns exec a nc -u -n -z -v -p 40101 fd00:b::2 54
finish
