# needs: uml
# runs: by bash alone
# programs: nc iptables-legacy conntrack
# The states of a TCP connection as tracking sees them, each with the time it has left (but for its last digit). What TCP
# sends again comes 0.2, 0.4, 0.8 and 1.6 seconds later: it is looked at between.
# with: router-between.part
IA="ip netns exec A iptables-legacy"
IB="ip netns exec B iptables-legacy"
# What other connections still send again is no part of the question.
$I -A FORWARD -p tcp -m multiport --ports 89 -m conntrack --ctstate INVALID
state() { $N R grep "dport=$1 " /proc/net/nf_conntrack | sed -E 's/ ([0-9]*)[0-9] ([A-Z_]+) src/ \1x \2 src/'; }
# SYN_SENT: nothing comes back.
$IB -A INPUT -p tcp --dport 81 -j DROP
$N A nc -n -z -w 2 -p 4001 10.0.2.1 81 || true
state 81
# SYN_RECV: the answer gets lost.
$N B nc -n -l 82 >/dev/null 2>&1 &
sleep 0.2
$IA -A INPUT -p tcp --sport 82 -j DROP
$N A nc -n -z -w 2 -p 4002 10.0.2.1 82 || true
state 82
# ESTABLISHED
$N B nc -n -l 83 >/dev/null 2>&1 &
sleep 0.2
sleep 60 | $N A nc -n -p 4003 10.0.2.1 83 >/dev/null 2>&1 &
sleep 0.6
state 83
# FIN_WAIT: what ends it does not arrive, and is not sent again.
$IA -A OUTPUT -p tcp --dport 84 --tcp-flags FIN FIN -m quota --quota 60 -j ACCEPT
$IA -A OUTPUT -p tcp --dport 84 --tcp-flags FIN FIN -j DROP
$IB -A INPUT -p tcp --dport 84 --tcp-flags FIN FIN -j DROP
$N B nc -n -l 84 >/dev/null 2>&1 &
sleep 0.2
$N A nc -n -z -w 1 -p 4004 10.0.2.1 84
sleep 0.6
state 84
# LAST_ACK: the other side's end does not arrive.
$IA -A INPUT -p tcp --sport 85 --tcp-flags FIN FIN -j DROP
$N B nc -n -l 85 >/dev/null 2>&1 &
sleep 0.2
$N A nc -n -z -w 1 -p 4005 10.0.2.1 85
sleep 0.6
state 85
# TIME_WAIT
$N B nc -n -l 86 >/dev/null 2>&1 &
sleep 0.2
$N A nc -n -z -w 1 -p 4006 10.0.2.1 86
sleep 0.6
state 86
# CLOSE: it is reset.
$IB -A INPUT -p tcp --dport 87 --tcp-flags FIN FIN -j REJECT --reject-with tcp-reset
$N B nc -n -l 87 >/dev/null 2>&1 &
sleep 0.2
$N A nc -n -z -w 1 -p 4007 10.0.2.1 87
sleep 0.6
state 87
# Refused: nothing stays.
$N A nc -n -z -w 1 -p 4008 10.0.2.1 88 || true
state 88 || echo none
# Data that nobody acknowledges.
$IB -A INPUT -p tcp --dport 89 -m length --length 61: -j DROP
mkfifo pipe
exec 7<>pipe
$N B nc -n -l 89 >/dev/null 2>&1 &
sleep 0.2
$N A nc -n -p 4009 10.0.2.1 89 <pipe >/dev/null 2>&1 &
sleep 0.7
echo "some words and more" >&7
sleep 0.6
state 89
$IB -D INPUT -p tcp --dport 89 -m length --length 61: -j DROP
sleep 1.8
state 89
# Picked up in its midst, as long as that is allowed.
$N R conntrack -F 2>/dev/null
echo "some words and more" >&7
sleep 0.5
state 89
$N R sysctl -w net.netfilter.nf_conntrack_tcp_loose=0
$N R conntrack -F 2>/dev/null
echo "some words and more" >&7
sleep 0.5
state 89 || echo none
$I -S FORWARD -v | grep INVALID
exec 7>&-
kill %1 %2 %3 %4 %5 %6 %7 %8 %9
wait
# Counted, where that is asked for when a connection begins.
counted() { $N R grep "id=$1 " /proc/net/nf_conntrack | sed -E 's/ +[0-9]+ src/ T src/'; }
$N R sysctl -w net.netfilter.nf_conntrack_acct=1
$N A ping -e 110 -c 3 -i 0.2 -W 1 -s 100 10.0.2.1
counted 110
$N R sysctl -w net.netfilter.nf_conntrack_acct=0
$N A ping -e 110 -c 1 -W 1 10.0.2.1
$N A ping -e 111 -c 1 -W 1 10.0.2.1
counted 110
counted 111
