# Policy routing.
# with: three-in-a-row.part
ip -n B route add default via 10.0.2.254
N="ip netns exec"
sleep 0.3
ip -n A addr add 10.0.1.2/24 dev a0
ip -n A route add default via 10.0.1.254
ip -n A route add default via 10.0.1.253 table 100
ip -n A route add prohibit 10.5.0.0/16 table 100
ip -n A route add throw 10.6.0.0/16 table 100
ip -n A rule add from 10.0.1.2 table 100
ip -n A rule add to 9.9.0.0/16 unreachable
ip -n A rule add to 9.8.0.0/16 prohibit pref 50
ip -n A rule add to 9.7.0.0/16 blackhole pref 51
ip -n A rule add iif lo tos 0x10 table 100 pref 60
ip -n A rule add fwmark 7 table 100 pref 61
ip -n A rule add oif a0 ipproto icmp table 101 pref 62
ip -n A rule add from all to 7.0.0.0/8 goto 32767 pref 63
ip -n A rule add ipproto udp dport 53-60 table 100 pref 64
ip -n A rule add not from 10.0.0.0/8 table 100 pref 65 suppress_prefixlength 0
ip -n A rule
ip -n A rule list table 100
for d in 8.8.8.8 9.9.0.1 9.8.0.1 9.7.0.1 7.1.1.1; do ip -n A route get $d; $N A ping -c1 -W1 $d; done
ip -n A route get 8.8.8.8 from 10.0.1.2
ip -n A route get 10.5.0.1 from 10.0.1.2
ip -n A route get 10.6.0.1 from 10.0.1.2
ip -n A route get 8.8.8.8 tos 0x10
ip -n A route get 8.8.8.8 mark 7
ip -n A route get 8.8.8.8 ipproto udp dport 55
ip -n A route get 8.8.8.8 ipproto udp dport 61
ip -n A route get 8.8.8.8 oif a0 ipproto icmp
ip -n A rule del pref 50
ip -n A rule del pref 5000
ip -n A rule del from 10.0.1.2 table 100
ip -n A rule flush
ip -n A rule
ip -n A route get 8.8.8.8
ip -n A route get 10.0.1.254
ip -n A rule add table main
ip -n A rule
ip -n A route get 10.0.1.254
ip -n A route show table all
ip -n A route flush table 100
ip -n A route show table 100
