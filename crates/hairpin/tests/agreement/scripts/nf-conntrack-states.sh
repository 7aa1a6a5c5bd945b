# needs: uml
# open: its moments are close to those at which TCP sends again: it differs on a busy machine
# runs: by bash alone
# programs: nc iptables-legacy
# The states of a TCP connection as tracking sees them, each with the time it has left (but for its last digit).
for n in A R B; do ip netns add $n; ip -n $n link set lo up; done
ip link add a0 netns A type veth peer name r0 netns R
ip link add r1 netns R type veth peer name b0 netns B
for d in A:a0 R:r0 R:r1 B:b0; do ip -n ${d%:*} link set ${d#*:} up; done
ip -n A addr add 10.0.1.1/24 dev a0
ip -n R addr add 10.0.1.254/24 dev r0
ip -n R addr add 10.0.2.254/24 dev r1
ip -n B addr add 10.0.2.1/24 dev b0
ip -n A route add default via 10.0.1.254
ip -n B route add default via 10.0.2.254
N="ip netns exec"
IA="ip netns exec A iptables-legacy"
IB="ip netns exec B iptables-legacy"
$N R sysctl -w net.ipv4.ip_forward=1
$N R iptables-legacy -A FORWARD -m conntrack --ctstate INVALID
sleep 0.3
state() { $N R grep "dport=$1 " /proc/net/nf_conntrack | sed -E 's/ ([0-9]*)[0-9] ([A-Z_]+) src/ \1x \2 src/'; }
# SYN_SENT: nothing comes back.
$IB -A INPUT -p tcp --dport 81 -j DROP
$N A nc -n -z -w 1 -p 4001 10.0.2.1 81 || true
state 81
# SYN_RECV: the answer gets lost.
$N B nc -n -l 82 >/dev/null 2>&1 &
sleep 0.2
$IA -A INPUT -p tcp --sport 82 -j DROP
$N A nc -n -z -w 1 -p 4002 10.0.2.1 82 || true
state 82
# ESTABLISHED
$N B nc -n -l 83 >/dev/null 2>&1 &
sleep 0.2
sleep 60 | $N A nc -n -p 4003 10.0.2.1 83 >/dev/null 2>&1 &
sleep 0.7
state 83
# FIN_WAIT: what ends it does not arrive.
$IB -A INPUT -p tcp --dport 84 --tcp-flags FIN FIN -j DROP
$N B nc -n -l 84 >/dev/null 2>&1 &
sleep 0.2
$N A nc -n -z -w 1 -p 4004 10.0.2.1 84
sleep 0.1
state 84
# LAST_ACK: the other side's end does not arrive.
$IA -A INPUT -p tcp --sport 85 --tcp-flags FIN FIN -j DROP
$N B nc -n -l 85 >/dev/null 2>&1 &
sleep 0.2
$N A nc -n -z -w 1 -p 4005 10.0.2.1 85
sleep 0.1
state 85
# TIME_WAIT
$N B nc -n -l 86 >/dev/null 2>&1 &
sleep 0.2
$N A nc -n -z -w 1 -p 4006 10.0.2.1 86
sleep 0.1
state 86
# CLOSE: it is reset.
$IB -A INPUT -p tcp --dport 87 --tcp-flags FIN FIN -j REJECT --reject-with tcp-reset
$N B nc -n -l 87 >/dev/null 2>&1 &
sleep 0.2
$N A nc -n -z -w 1 -p 4007 10.0.2.1 87
sleep 0.1
state 87
# Refused: nothing stays.
$N A nc -n -z -w 1 -p 4008 10.0.2.1 88 || true
state 88 || echo none
$N R iptables-legacy -S FORWARD -v | grep INVALID
kill %1 %2 %3 %4 %5 %6 %7
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
