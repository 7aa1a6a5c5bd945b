# needs: uml
# Address translation: what passes on every wire, and the connections' two faces.
# with: router-one-way.part
C=$(mktemp -d)
udp() { { set +x; } 2>/dev/null; echo x | $N A nc -n -u -p $1 -w 1 $2 $3 2>/dev/null || true; set -x; }
begin() { { set +x; } 2>/dev/null; $N A tcpdump -l -n -t -i a0 icmp >$C/a 2>/dev/null & W=$!; $N B tcpdump -l -n -t -i b0 icmp >$C/b 2>/dev/null & V=$!; sleep 1; set -x; }
finish() { { set +x; } 2>/dev/null; sleep 0.6; kill $W $V; wait $W $V; for f in a b; do echo "--- $f"; cat $C/$f; done; set -x; }
table() { $N R cat /proc/net/nf_conntrack | sed 's/  *[0-9]* src/ T src/' | sort; }
# B has no way back.
begin
$N A ping -e 1 -c 1 -W 1 10.0.2.1
$I -t nat -A POSTROUTING -s 10.0.1.0/24 -o r1 -j MASQUERADE
$N A ping -e 2 -c 2 -i 0.2 -W 1 10.0.2.1
$N A ping -e 3 -c 1 -W 1 -I 10.0.1.2 10.0.2.1
$N A ping -e 4 -c 1 -t 1 -W 1 10.0.2.1
$N A ping -e 5 -c 1 -W 4 10.0.2.99
$N B ping -e 7 -c 1 -W 1 10.0.2.254
finish
# Fragments are translated whole.
$N A ping -e 6 -c 1 -W 1 -s 2000 10.0.2.1
$I -t nat -S -v
table
$I -t nat -F
ip -n B route add default via 10.0.2.254
begin
$I -t nat -A POSTROUTING -o r1 -j SNAT --to-source 10.0.2.200
ip -n R addr add 10.0.2.200/24 dev r1
$N A ping -e 10 -c 1 -W 1 10.0.2.1
$I -t nat -F
ip -n R addr add 10.0.1.200/32 dev r0
$I -t nat -A PREROUTING -i r0 -d 10.0.1.200 -j DNAT --to-destination 10.0.2.1
$N A ping -e 11 -c 1 -W 1 10.0.1.200
$N R ping -e 12 -c 1 -W 1 10.0.1.200
$I -t nat -A OUTPUT -d 10.0.2.77 -j DNAT --to-destination 10.0.2.1
$N R ping -e 13 -c 1 -W 1 10.0.2.77
$I -t nat -A PREROUTING -i r0 -d 10.0.2.1 -p icmp -j REDIRECT
$N A ping -e 14 -c 1 -W 1 10.0.2.1
$I -t nat -F
$I -t nat -A PREROUTING -d 10.9.2.0/24 -j NETMAP --to 10.0.2.0/24
$N A ping -e 15 -c 1 -W 1 10.9.2.1
$I -t nat -F
$I -t nat -A PREROUTING -d 10.9.9.9 -j DNAT --to-destination 10.0.2.99
$I -t nat -A POSTROUTING -o r1 -j MASQUERADE
$N A ping -e 16 -c 1 -W 4 10.9.9.9
finish
$I -t nat -S -v
table
# Ports.
$I -t nat -F
$I -t nat -A PREROUTING -i r0 -p udp --dport 5000 -j DNAT --to-destination 10.0.2.1:6000
$I -t nat -A POSTROUTING -o r1 -p udp -j MASQUERADE --to-ports 7000-7001
$N B tcpdump -l -n -t -i b0 udp >$C/b 2>/dev/null &
W=$!
sleep 1
for p in 4000 4001; do udp $p 10.9.9.9 5000; done
sleep 0.6
kill $W
wait $W
sed -E 's/[.]700[01] >/.P >/' $C/b
table | grep udp | sed -E 's/dport=700[01]/dport=P/'
# With the address, its connections go.
ip -n R addr flush dev r1
table | grep -c 10.0.2.254
rm -r $C
