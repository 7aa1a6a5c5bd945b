# needs: nftables
# runs: by bash alone
# programs: nft
# nftables: what becomes of packets, and what is counted.
for n in A R B; do ip netns add $n; ip -n $n link set lo up; done
ip link add a0 netns A type veth peer name r0 netns R
ip link add r1 netns R type veth peer name b0 netns B
ip -n A link set a0 address 02:00:00:00:00:01 up
ip -n R link set r0 address 02:00:00:00:00:02 up
ip -n R link set r1 address 02:00:00:00:00:03 up
ip -n B link set b0 address 02:00:00:00:00:04 up
for i in 1 2 3; do ip -n A addr add 10.0.1.$i/24 dev a0; done
ip -n R addr add 10.0.1.254/24 dev r0
ip -n R addr add 10.0.2.254/24 dev r1
ip -n B addr add 10.0.2.1/24 dev b0
ip -n B addr add 10.0.2.2/24 dev b0
ip -n A route add default via 10.0.1.254
ip -n B route add default via 10.0.2.254
set +x
ip netns exec R sysctl -qw net.ipv4.ip_forward=1
N="ip netns exec"
n() { ip netns exec R nft "$@" 2>&1 || echo "exit $?"; }
p() { echo "ping $*"; ip netns exec A ping -c 1 -W 1 "$@" | grep -e received -e Unreach -e filtered -e rohibited | sed 's/, time.*//'; }
sleep 0.5
# The order of hooks and priorities.
n -f - <<X
table ip order {
    chain raw { type filter hook prerouting priority raw; ct state new counter; ct state untracked counter; icmp type echo-request counter; }
    chain mangle { type filter hook prerouting priority mangle; ct state new counter; ct state established counter; meta mark set 7; }
    chain input { type filter hook input priority filter; meta mark 7 counter; fib daddr type local counter; }
    chain forward { type filter hook forward priority filter; iifname "r0" oifname "r1" counter; iif r1 counter; ip ttl 63 counter; meta mark 7 counter; }
    chain output { type filter hook output priority filter; counter; ct state established counter; meta skuid 0 counter; }
    chain postrouting { type filter hook postrouting priority 300; oifname "r1" counter; ip daddr 10.0.1.0/24 counter; }
}
X
p 10.0.2.1
p 10.0.1.254
ip netns exec R ping -c 1 -W 1 10.0.2.1 | grep received | sed 's/, time.*//'
n list ruleset
n flush ruleset
# Verdicts.
n add table t
n add chain t f '{ type filter hook forward priority 0; policy accept; }'
n add chain t c
n add rule t c ip saddr 10.0.1.2 drop
n add rule t c ip saddr 10.0.1.3 return
n add rule t c counter
n add rule t f icmp type echo-request jump c
n add rule t f counter
for i in 1 2 3; do p -I 10.0.1.$i 10.0.2.1; done
n list ruleset
n add chain t f '{ policy drop; }'
p 10.0.2.1
n insert rule t f ct state established accept
n insert rule t f 'ip saddr . ip daddr { 10.0.1.1 . 10.0.2.1 } accept'
p 10.0.2.1
p 10.0.2.2
n list ruleset
n flush ruleset
# Maps and sets.
n -f - <<X
table ip t {
    set seen { type ipv4_addr; size 65535; flags dynamic; counter; }
    set nets { type ipv4_addr; flags interval; elements = { 10.0.1.2-10.0.1.9 } }
    map who { type ipv4_addr : verdict; elements = { 10.0.1.1 : accept, 10.0.1.2 : jump two, 10.0.1.3 : drop } }
    chain two { counter accept; }
    chain f {
        type filter hook forward priority 0; policy accept;
        iifname "r1" accept
        add @seen { ip saddr }
        ip saddr @nets counter
        ip saddr vmap @who
        counter
    }
}
X
for i in 1 2 3; do p -I 10.0.1.$i 10.0.2.1; done
n list ruleset
n flush ruleset
# What is rejected.
n add table t
n add chain t f '{ type filter hook forward priority 0; }'
for x in "" "with icmp host-unreachable" "with icmp admin-prohibited" "with icmp net-prohibited"; do
    n add rule t f icmp type echo-request reject $x
    p 10.0.2.1
    n flush chain t f
    sleep 1.2
done
n add rule t f reject with tcp reset
ip netns exec A nc -n -z -v -w 2 10.0.2.1 80 2>&1
n flush ruleset
# Translation.
n -f - <<X
table ip nat {
    chain pre { type nat hook prerouting priority dstnat; ip daddr 10.9.9.9 counter dnat to 10.0.2.1; ip daddr 10.9.9.8 dnat to ip saddr map { 10.0.1.1 : 10.0.2.1, 10.0.1.2 : 10.0.2.2 }; ip daddr 10.9.9.7 redirect; }
    chain post { type nat hook postrouting priority srcnat; oifname "r1" ip saddr 10.0.1.1 counter masquerade; ip saddr 10.0.1.2 snat to 10.0.2.77; }
}
X
ip netns exec B tcpdump -i b0 -n -l icmp >cap 2>/dev/null &
sleep 1
for i in 1 2; do p -I 10.0.1.$i 10.0.2.1; p -I 10.0.1.$i 10.9.9.8; done
p 10.9.9.9
p 10.9.9.7
sleep 0.5
kill %1
sed 's/^[^ ]* //; s/id [0-9]*/id I/' cap
n list ruleset
n flush ruleset
# A limit, a quota, marks of connections, what is written into packets.
n -f - <<X
table ip t {
    counter total { packets 0 bytes 0 }
    chain f {
        type filter hook forward priority 0; policy accept;
        counter name "total"
        iifname "r0" limit rate 1/hour burst 3 packets counter
        iifname "r0" limit rate over 1/hour burst 3 packets counter
        iifname "r0" quota 200 bytes counter
        iifname "r0" ct mark set 9
        iifname "r1" ct mark 9 counter
        iifname "r0" ip ttl set 33
        ip ttl 33 counter
        ct state vmap { new : accept, established : accept }
        counter
    }
}
X
for i in 1 2 3 4 5; do p 10.0.2.1; done
n -s list ruleset
n list chain t f | grep -v quota
n list counters
