# needs: uml
# Connection tracking: states as rules see them, and the table of connections.
# with: router-one-way.part
ip -n B route add default via 10.0.2.254
for s in NEW ESTABLISHED RELATED INVALID UNTRACKED; do $I -A FORWARD -m conntrack --ctstate $s; done
for s in NEW ESTABLISHED RELATED INVALID UNTRACKED; do $I -A INPUT -m state --state $s; $I -A OUTPUT -m state --state $s; done
udp() { { set +x; } 2>/dev/null; echo x | $N A nc -n -u -p $1 -w 1 $2 $3 2>/dev/null || true; set -x; }
show() { $I -S -v | grep state; $I -Z; }
table() { $N R cat /proc/net/nf_conntrack | sed 's/  *[0-9]* src/ T src/; s/sport=[3-6][0-9]*/sport=P/g; s/dport=[3-6][0-9]*/dport=P/g' | sort; }
$N A ping -e 100 -c 3 -i 0.2 -W 1 10.0.2.1
show
table
$N A ping -e 101 -c 1 -t 1 -W 1 10.0.2.1
show
$N A ping -e 102 -c 1 -W 4 10.0.2.99
show
$N A ping -e 103 -c 1 -W 1 -s 3000 10.0.2.1
show
$N R ping -e 104 -c 1 -W 1 10.0.2.1
$N A ping -e 105 -c 1 -W 1 10.0.1.254
$N R ping -e 106 -c 1 -W 1 10.0.1.254
show
table
# Not tracked.
$I -t raw -A PREROUTING -d 10.0.2.1 -j CT --notrack
$N A ping -e 107 -c 1 -W 1 10.0.2.1
show
$I -t raw -F
# What is dropped leaves no connection.
$I -I FORWARD -p icmp -j DROP
$N A ping -e 108 -c 1 -W 1 10.0.2.1
$I -D FORWARD 1
table
# A short life.
$N R sysctl -w net.netfilter.nf_conntrack_icmp_timeout=2
$N A ping -e 109 -c 1 -W 1 10.0.2.1
table | grep id=109
sleep 3.5
table | grep id=109
# UDP: a flow, an answer, an error.
$N B nc -n -u -l 5000 >/dev/null &
W=$!
sleep 0.5
udp 4000 10.0.2.1 5000
udp 4001 10.0.2.1 5001
show
$N R cat /proc/net/nf_conntrack | grep udp | sed 's/  *[0-9]* src/ T src/' | sort
kill $W
wait $W
# TCP.
$N B nc -n -l 80 >/dev/null &
sleep 0.5
echo hello | $N A nc -n -N -p 4002 10.0.2.1 80
$N A nc -n -z -p 4003 10.0.2.1 81
show
$N R cat /proc/net/nf_conntrack | grep tcp | sed -E 's/ +[0-9]+ ([A-Z_]+) src/ T \1 src/' | sort
wait
# Counted, where that is asked for when a connection begins.
$N R sysctl -w net.netfilter.nf_conntrack_acct=1
$N A ping -e 110 -c 3 -i 0.2 -W 1 -s 100 10.0.2.1
table | grep id=110
$N R sysctl -w net.netfilter.nf_conntrack_acct=0
$N A ping -e 110 -c 1 -W 1 10.0.2.1
$N A ping -e 111 -c 1 -W 1 10.0.2.1
table | grep 'id=11[01]'
