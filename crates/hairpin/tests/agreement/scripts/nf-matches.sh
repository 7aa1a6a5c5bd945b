# needs: uml
# Matches and targets of netfilter, counted.
# with: three-in-a-row.part
ip -n A route add default via 10.0.1.254
ip -n B route add default via 10.0.2.254
N="ip netns exec"
I="ip netns exec R iptables-legacy"
$N R sysctl -w net.ipv4.ip_forward=1
sleep 0.3
udp() { { set +x; } 2>/dev/null; echo x | $N A nc -n -u -p $1 -w 1 $2 $3 2>/dev/null || true; set -x; }
m() { $I -t mangle -A "$@"; }
m FORWARD -m ttl --ttl-eq 63
m FORWARD -m ttl --ttl-gt 63
m FORWARD -m ttl --ttl-lt 63
m FORWARD -m length --length 84
m FORWARD -m length --length 100:
m FORWARD -m mac --mac-source 02:00:00:00:00:01
m FORWARD -m mac ! --mac-source 02:00:00:00:00:01
m FORWARD -m iprange --src-range 10.0.1.0-10.0.1.9
m FORWARD -m iprange ! --dst-range 10.0.2.0-10.0.2.9
m FORWARD -m addrtype --dst-type LOCAL
m FORWARD -m addrtype --dst-type UNICAST
m INPUT -m addrtype --dst-type LOCAL
m INPUT -m addrtype --dst-type LOCAL --limit-iface-in
m INPUT -m addrtype ! --src-type LOCAL
m PREROUTING -m pkttype --pkt-type unicast
m PREROUTING -m pkttype --pkt-type broadcast
m PREROUTING -p icmp --icmp-type echo-request
m PREROUTING -p icmp ! --icmp-type echo-request
m PREROUTING -p icmp --icmp-type any
m PREROUTING -i r+
m PREROUTING ! -i r0
m PREROUTING -s 10.0.0.0/255.0.255.0
m PREROUTING ! -p icmp
m OUTPUT -m owner --uid-owner 0
m OUTPUT -m owner ! --socket-exists
m POSTROUTING -o r1
m POSTROUTING ! -o r1
m PREROUTING -i r0 -j MARK --set-mark 5
m FORWARD -m mark --mark 5
m FORWARD -m mark ! --mark 5
m FORWARD -m mark --mark 1/1 -j CONNMARK --save-mark
m PREROUTING -m connmark --mark 5
m PREROUTING -m connmark --mark 5 -j CONNMARK --restore-mark
m POSTROUTING -m mark --mark 5
m FORWARD -i r0 -j TTL --ttl-set 33
m FORWARD -i r1 -j TTL --ttl-dec 3
m POSTROUTING -m ttl --ttl-eq 33
$N A ping -c 3 -i 0.2 -W 1 10.0.2.1
$N A ping -c 1 -W 1 10.0.1.254
$N A ping -c 1 -W 1 10.0.2.254
$N A ping -b -c 1 -W 1 10.0.1.255
$N R ping -c 1 -W 1 10.0.1.1
$N A ping -c 1 -W 1 -s 2000 10.0.2.1
$I -t mangle -S -v
$I -t mangle -F
# Ports.
m FORWARD -p udp -m multiport --dports 53,5000:5002
m FORWARD -p udp -m multiport --ports 4000
m FORWARD -p udp -m multiport ! --sports 4000,4001
m FORWARD -p udp --sport 4000:4001 --dport 5000
m FORWARD -p udp ! --dport 5000
m FORWARD -p tcp --syn
m FORWARD -p tcp --tcp-flags ALL RST,ACK
m FORWARD -p tcp --dport 80
for p in 5000 5001 5003; do udp 4000 10.0.2.1 $p; done
$N A nc -n -z -p 4002 10.0.2.1 80
$I -t mangle -S FORWARD -v
$I -t mangle -F
# A limit: a burst of three, then one a second.
m FORWARD -i r0 -m limit --limit 1/s --limit-burst 3
$N A ping -c 8 -i 0.25 -W 1 10.0.2.1
$I -t mangle -S FORWARD -v
$I -t mangle -F
# What a mark decides: the way.
$I -t mangle -A OUTPUT -d 10.9.9.9 -j MARK --set-mark 7
ip -n R rule add fwmark 7 table 100
ip -n R route add 10.9.9.9 via 10.0.2.1 table 100
ip -n R route add 10.9.9.9 via 10.0.1.1
ip -n B addr add 10.9.9.9/32 dev b0
$N R ping -c 1 -W 1 10.9.9.9
$I -t mangle -S OUTPUT -v
