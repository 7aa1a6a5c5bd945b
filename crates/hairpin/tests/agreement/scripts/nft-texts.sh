# needs: nftables
# runs: by bash alone
# programs: nft
# nftables: what is written and how it is listed, and what is refused.
set +x
r() { echo "\$ nft $*"; nft "$@" 2>&1 || echo "exit $?"; }
r list ruleset
r add rule ip t c accept
r add table t
r add table t
r create table t
r add rule ip t nochain accept
r add chain t c
r create chain t c
r delete chain t nosuch
r delete table nosuch
r delete table ip6 t
r list table t
r list table nosuch
r list chain t nosuch
r add chain t d
r add rule t c jump d
r delete chain t d
r -a list chain t c
r delete rule t c handle 99
r delete rule t c
r insert rule t c ip saddr 1.1.1.1
r insert rule t c ip saddr 1.1.1.2
r add rule t c position 3 ip saddr 1.1.1.3
r add rule t c handle 3 ip saddr 1.1.1.4
r insert rule t c handle 3 ip saddr 1.1.1.5
r add rule t c index 0 ip saddr 1.1.1.6
r replace rule t c handle 3 ip saddr 2.2.2.2 counter
r -a list chain t c
r flush chain t c
r list chain t c
r add rule t c ip saddr 1.1.1.1/33
r add rule t c ip saddr 300.1.1.1
r add rule t c tcp dport 70000
r add rule t c tcp dport foo
r add rule t c tcp dport http
r add rule t c tcp foo 1
r add rule t c ip6 saddr ::1
r add rule t c ct state foo
r add rule t c ip saddr @nosuch
r add rule t c accept accept
r add rule t c drop counter
r add chain t b '{ type filter hook foo priority 0; }'
r add chain t b '{ type nat hook forward priority 0; }'
r add chain t b '{ type filter hook input priority foo; }'
r add chain t b '{ type filter hook input priority 0 ; }'
r add chain t b '{ policy drop; }'
r list chain t b
r rename chain t b bb
r list chains
r create set t s '{ type ipv4_addr; }'
r add set t s '{ type ipv4_addr; }'
r add element t s '{ 1.1.1.1 }'
r add element t s '{ 1.1.1.1 }'
r create element t s '{ 1.1.1.1 }'
r delete element t s '{ 1.1.1.2 }'
r add element t s '{ 10.0.0.0/8 }'
r add element t nosuch '{ 1.1.1.1 }'
r delete set t nosuch
r get element t s '{ 1.1.1.1 }'
r add rule t bb ip saddr @s drop
r delete set t s
r flush set t s
r list set t s
r add set t iv '{ type ipv4_addr; flags interval; }'
r add element t iv '{ 10.0.0.0/8, 10.1.0.0/16 }'
r add element t iv '{ 10.0.0.0/8, 11.0.0.1-11.0.0.9, 12.0.0.1 }'
r list set t iv
r flush table t
r list ruleset
r flush ruleset
r list ruleset
r list
r
r list foo
r -f /nosuch
printf 'table ip x {\n chain y {\n type filter hook input priority 0; policy accept;\n tcp dport {22,23} accept\n jump w\n }\n chain w { }\n set z { type inet_service; elements = { 1,2 } }\n}\nadd rule ip x y counter # comment\n' | nft -f -
printf 'define net = 10.0.0.0/8\ndefine ports = { 80, 443 }\nadd rule x w ip saddr $net tcp dport $ports accept\n' | nft -f -
r list ruleset
r 'add table a; add table b'
r list tables
r list tables ip6
r list ruleset ip6
r -v
r flush ruleset
r add table x
r add chain x y '{ type filter hook input priority 0; policy drop; }'
r add chain x c
rule() { r add rule x y "$@"; }
rule ip saddr 10.0.0.1 counter accept
rule tcp dport '{ 22, 80, 443 }' counter packets 5 bytes 6 accept
rule iifname lo accept
rule iif lo accept
rule ct state established,related accept
rule ct state vmap '{ established : accept, related : accept, invalid : drop }'
rule icmp type echo-request limit rate 5/second burst 3 packets accept
rule meta mark 0x10 jump c
rule meta mark set 0x20
rule meta l4proto '{ tcp, udp }' th dport 53 accept
rule ip protocol icmp drop
rule ip saddr '!=' 10.0.0.0/8 drop
rule ip saddr 10.0.0.1-10.0.0.5 drop
rule tcp dport 1000-2000 drop
rule tcp flags syn drop
rule 'tcp flags & (fin|syn|rst|ack) == syn' drop
rule log prefix '"hello: "' level info
rule log
rule log group 2
rule reject
rule reject with icmp type host-unreachable
rule reject with icmp port-unreachable
rule ip ttl 64 comment '"a comment"'
rule ip dscp cs1
rule ether saddr 02:00:00:00:00:01
rule ct mark 5
rule ct mark set mark
rule meta mark set ct mark
rule 'meta mark & 0xff == 0x10'
rule meta mark set mark or 0x5
rule meta mark set mark and 0xf
rule meta pkttype broadcast
rule fib daddr type local
rule fib daddr . iif type '!= local' drop
rule ip length 20-100
rule ip saddr . tcp dport '{ 10.0.0.1 . 80, 10.0.0.2 . 443 }' accept
rule ip protocol tcp tcp dport 22
rule meta l4proto tcp tcp dport 22
rule tcp sport 1 tcp dport 2 ip saddr 1.1.1.1 ip daddr 2.2.2.2
rule ct state '!=' established
rule ct state '!=' established,related
rule tcp flags == syn
rule tcp flags '!=' syn
rule tcp flags '{ syn, ack }'
rule tcp flags syn,ack
rule ct state '{ new, established }'
rule iifname '!=' lo
rule meta iifname lo
rule mark 1
rule 'ip saddr { 1.1.1.0/24, 2.2.2.2, 3.3.3.3-3.3.3.9 }'
rule limit rate 1/second
rule limit rate over 10/minute drop
rule limit rate 10 mbytes/second
rule limit rate 1/hour burst 1 packets
rule log prefix '"a"' group 3 snaplen 10 queue-threshold 5
rule log level debug flags all
rule log flags ip options flags tcp sequence,options
rule ct mark set 0x5
rule ct expiration 10s
rule udp length '>' 100
rule ip ttl '<' 5
rule ip version 4 ip hdrlength 5 ip id 5 ip frag-off 0 ip checksum 0
rule tcp sequence 1 tcp window 5 tcp doff 5
rule continue
rule tcp dport vmap '{ 22 : accept, 23 : drop, 80-90 : jump c }'
rule ct status dnat accept
rule ct direction original
rule ct original ip saddr 1.1.1.1
rule tcp option maxseg size set 1400
rule ip ttl set 5
rule meta nftrace set 1
rule quota 10 mbytes
rule meta skuid 0
rule tcp dport '!= { 1, 2 }'
rule iifname '"eth*"'
rule 'iifname { "eth0", "eth1" } oifname != "x"'
rule 'icmp type { echo-request, echo-reply }'
rule icmp code 3
rule meta length 100
r list chain x y
r -a list chain x y
r -s list chain x y
r -j list chain x y
r add counter x cnt
r add rule x c counter name cnt
r list counters
r add table u
r add set u a '{ type ipv4_addr; elements = { 1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4, 1.1.1.5, 1.1.1.6, 1.1.1.7 } }'
r add set u a6 '{ type ipv6_addr; elements = { ::1, ::2, ::3 } }'
r add set u b '{ type inet_service; elements = { 1,2,3,4,5,6,7,8,9,10,11,12 } }'
r add set u c '{ type ifname; elements = { "a","b","c" } }'
r add set u d '{ type mark; elements = { 1,2,3,4,5,6 } }'
r add set u e '{ type ether_addr; elements = { 02:00:00:00:00:01, 02:00:00:00:00:02 } }'
r add set u f '{ type ipv4_addr . inet_service; elements = { 1.1.1.1 . 1, 1.1.1.1 . 2 } }'
r add set u g '{ type inet_proto; elements = { tcp, udp, icmp, 50, 51, 52} }'
r add set u h '{ type inet_service; flags interval; elements = { 1-2, 4-5, 7-8, 10-11, 13-14, 16-17} }'
r add map u i '{ type inet_service : ipv4_addr; elements = { 1 : 1.1.1.1, 2 : 1.1.1.2, 3: 1.1.1.3 } }'
r add map u j '{ type ipv4_addr : verdict; elements = { 1.1.1.1 : accept, 1.1.1.2 : drop, 1.1.1.3: accept } }'
r add set u k '{ type ct_state; elements = { new, established, related} }'
r add set u l '{ type icmp_type; elements = { echo-request, 1,3 } }'
r add set u m '{ type ipv4_addr; flags dynamic,timeout; timeout 1h30m; gc-interval 10s; size 5; }'
r add set u n '{ type ipv4_addr; flags constant; elements = { 1.1.1.1 } }'
r add set u p '{ type ipv4_addr; counter; elements = { 1.1.1.1 counter packets 1 bytes 2, 1.1.1.2 } }'
r add map u q '{ type ipv4_addr . inet_service : mark; flags interval; elements = { 1.1.1.0/24 . 80-90 : 5 } }'
r add set u s '{ typeof ip saddr . tcp dport; elements = { 1.1.1.1 . 5 } }'
r add set u t '{ type ipv4_addr; flags interval; auto-merge; elements = { 10.0.0.0/24, 10.0.1.0/24 } }'
r add set u v '{ type foo; }'
r list table u
r list sets
r list maps
r -j list map u j
r -j list set u h
r flush ruleset
r add table nat
r add chain nat p '{ type nat hook postrouting priority srcnat; }'
r add chain nat q '{ type nat hook prerouting priority dstnat; }'
for x in masquerade 'masquerade random' 'masquerade random,persistent' 'snat to 1.1.1.1' 'snat to 1.1.1.1-1.1.1.3' 'tcp dport 5 snat to 1.1.1.1:5-6' 'tcp dport 5 masquerade to :1-2' 'oifname eth0 masquerade'; do r add rule nat p $x; done
for x in redirect 'tcp dport 5 redirect to :80' 'dnat to 1.1.1.1' 'tcp dport 5 dnat to 1.1.1.1:80' 'dnat to tcp dport map { 1 : 1.1.1.1, 2 : 2.2.2.2 }' 'meta mark set tcp dport map { 1 : 5, 2 : 6 }' 'dnat to ip saddr map { 1.1.1.1 : 2.2.2.2 }' 'dnat to numgen inc mod 2 map { 0 : 1.1.1.1, 1 : 1.1.1.2 }'; do r add rule nat q $x; done
r add rule nat q masquerade
r list table nat
r -j list table nat
r add table inet f
r add chain inet f in '{ type filter hook input priority -10; policy accept; }'
r add chain inet f raw '{ type filter hook prerouting priority raw; }'
r add chain inet f man '{ type route hook output priority mangle + 5; }'
r add chain inet f pre '{ type nat hook prerouting priority -100; }'
r add rule inet f raw notrack
for x in 'ip saddr 1.1.1.1' 'ip6 saddr 2001:db8::/32' 'meta nfproto ipv4 tcp dport 80' 'icmpv6 type { nd-neighbor-solicit, nd-router-advert } accept' reject 'reject with icmpx type admin-prohibited' 'tcp dport 5 reject with tcp reset' 'meta protocol ip accept' 'udp sport 53 udp dport 1000'; do r add rule inet f in $x; done
r add rule inet f pre dnat ip to 10.0.0.1
r add rule inet f pre tcp dport 80 dnat ip6 to '[2001:db8::1]:80'
r list table inet f
r -y list chain inet f raw
r -n list chain inet f in
r -j list ruleset
r -c add table zz
r list tables
# What stands in a block ends in a newline or a semicolon.
r flush ruleset
r 'table ip t { chain a { accept } }'
r 'table ip t { chain a { accept; } }'
r 'table ip t { chain a { accept; }; set s { type ipv4_addr } }'
r 'table ip t { chain a { accept; }; set s { type ipv4_addr; flags interval } }'
r 'table ip t { chain a { accept; }; set s { type ipv4_addr; elements = { 1.1.1.1 } }; counter c { packets 1 bytes 2 }; }'
r add chain ip t b '{ type filter hook input priority 0 }'
r add chain ip t b '{ type filter hook input priority 0; policy drop }'
r add set ip t u '{ type ipv4_addr }'
f() { printf "$1" >one.nft; echo "\$ $1"; nft -f one.nft 2>&1 || echo "exit $?"; }
f 'table ip t {\n\tchain a { counter accept }\n\tchain b { }\n}\n'
f 'table ip t {\n chain d { type filter hook input priority 0 }\n}\n'
f 'table ip t {\n chain d { type filter hook input priority 0; policy drop; counter\n }\n}\n'
f 'table ip t {\n comment "x" }\n'
f 'table ip t {\n quota q { 10 mbytes }\n limit l { rate 5/second }\n}\n'
rm one.nft
r list ruleset
# What goes together in one rule.
r flush ruleset
r add table ip t
r add chain ip t c
r add chain ip t p '{ type nat hook prerouting priority 0; }'
r add table ip6 s
r add chain ip6 s c
r add table inet i
r add chain inet i c
for x in 'meta nfproto ipv4' 'reject with icmpv6 type no-route' 'reject with icmpx type no-route' 'udp dport 53 tcp dport 5' 'tcp dport 53 icmp type echo-request' 'icmpv6 type nd-neighbor-solicit' 'ip saddr 1.1.1.1 ip6 saddr ::1' 'ip protocol tcp udp dport 5' 'meta l4proto tcp tcp dport 5'; do r add rule ip t c $x; done
for x in 'meta nfproto ipv6 accept' 'reject with icmp type host-unreachable' 'icmp type echo-request' 'ip saddr 1.1.1.1'; do r add rule ip6 s c $x; done
for x in 'udp dport 53 tcp dport 5' 'ip saddr 1.1.1.1 ip6 saddr ::1' 'meta nfproto ipv4 ip6 saddr ::1' 'meta nfproto ipv4 tcp dport 5 accept'; do r add rule inet i c $x; done
for x in 'redirect to :80' 'dnat to 1.1.1.1:80' 'dnat to :80' 'masquerade to :80-90' 'meta l4proto tcp redirect to :80' 'ip protocol tcp redirect to :81' 'tcp dport 5 dnat to 1.1.1.1:80' 'dnat to 1.1.1.1'; do r add rule ip t p $x; done
for x in 'tcp dport { 22, 80-90, 85-95, 96 }' 'tcp dport { 1, 2-3, 5 }' 'tcp dport { 22, 80-90, http } accept' 'ip saddr { 10.0.0.0/24, 10.0.1.0/24, 10.0.3.0/24 }' 'ip saddr != { 10.0.0.5, 10.0.0.6-10.0.0.9 }' 'tcp dport vmap { 1-5 : accept, 3 : drop }' 'tcp dport vmap { 1-5 : accept, 6-7 : accept, 8 : drop }'; do r add rule ip t c $x; done
r insert rule ip t c position 0 drop
r add rule ip t c position 0 drop
r list ruleset
