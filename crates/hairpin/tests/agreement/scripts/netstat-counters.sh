# needs: uml
# runs: by bash alone
# programs: nc netstat
# What is carried and what connections count, in /proc/net/netstat and in words.
# with: router-between.part
ip_ext() { $N $1 grep IpExt /proc/net/netstat; $N $1 grep Ip: /proc/net/snmp; }
tcp() { $N $1 grep Tcp: /proc/net/snmp | cut -d' ' -f 6-; $N $1 nstat -a -s -z 2>/dev/null | grep -E 'TcpExt(TW|TCPTimeouts|TCPLossProbes|TCPDSACKOldSent|TCPSynRetrans|TCPOrigDataSent|TCPDelivered|IPReversePathFilter) '; }
for n in A R B; do ip_ext $n; done
$N A ping -e 1 -c 2 -i 0.2 -W 1 -Q 3 10.0.2.1
$N A ping -e 2 -c 1 -W 1 -s 3000 10.0.2.1
$N A ping -e 3 -c 1 -W 1 -b 10.0.1.255
$N B sysctl -w net.ipv4.icmp_echo_ignore_broadcasts=0
$N R ping -e 4 -c 1 -W 1 -b 10.0.2.255
$N A ping -e 5 -c 1 -W 1 -t 1 10.0.2.1
$N A ping -e 6 -c 1 -W 1 10.77.0.1
for n in A R B; do ip_ext $n; done
# What a rule keeps back has not left, what the last one keeps back has.
$I -A OUTPUT -d 10.0.1.1 -j DROP
$N R ping -e 7 -c 1 -W 1 10.0.1.1
$I -F
$I -t mangle -A POSTROUTING -d 10.0.1.1 -j DROP
$N R ping -e 8 -c 1 -W 1 10.0.1.1
$I -t mangle -F
ip_ext R
# Connections: one that is refused, one that nobody answers.
$N A nc -n -z -w 1 10.0.2.1 90
ip netns exec B iptables-legacy -A INPUT -p tcp --dport 91 -j DROP
$N A nc -n -z -w 2 10.0.2.1 91
for n in A B; do tcp $n; done
for n in A B; do $N $n netstat -sw | grep -v -e Type; $N $n netstat -su; done
$N A netstat -s | sed -n '/^Tcp:/,/active/p'
$N A netstat -s6w
$N A netstat -6 -s -u
