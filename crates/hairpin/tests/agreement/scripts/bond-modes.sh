# needs: uml
# covers: traffic bond
# Which slaves a frame leaves by in the modes that share traffic among them, and what is heard.
ip netns add n
ip netns add o
N="ip netns exec"
for i in 1 2 3; do
    ip link add s$i netns n address 02:00:00:00:00:0$i type veth peer name w$i netns o address 02:00:00:00:00:2$i
    ip -n o link set w$i up
    ip -n o addr add 10.0.$i.9/24 dev w$i
done
begin() {
    { set +x; } 2>/dev/null; W= C=$(mktemp -d)
    for p in $*; do $N ${p%:*} tcpdump -l -e -n -t -i ${p#*:} arp or icmp or igmp >$C/$p.cap 2>/dev/null & W="$W $!"; done
    sleep 2.5; set -x
}
finish() {
    { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W
    for p in $*; do echo "--- $p"; grep -a . $C/$p.cap; done; rm -r $C; set -x
}
# Nobody answers: pings to stations that are not there show the way out.
away() {
    { set +x; } 2>/dev/null
    for h in 2 3 4 5 6 7; do $N n ping -e 77 -c1 -W0.1 10.0.0.$h >/dev/null; done
    set -x
}
for mode in balance-rr "balance-rr packets_per_slave 2" balance-xor "balance-xor xmit_hash_policy layer2+3" "balance-xor xmit_hash_policy layer3+4" "balance-xor xmit_hash_policy encap2+3" "balance-xor xmit_hash_policy vlan+srcmac" broadcast; do
    ip -n n link add bd type bond miimon 100 mode $mode
    for i in 1 2 3; do ip -n n link set s$i master bd; done
    ip -n n link set bd up
    ip -n n addr add 10.0.0.1/24 dev bd
    sleep 1.6
    for h in 2 3 4 5 6 7; do ip -n n neigh add 10.0.0.$h lladdr 02:00:00:00:00:9$h dev bd; done
    begin n:bd n:s1 n:s2 n:s3
    away
    finish n:bd n:s1 n:s2 n:s3
    ip -n o link set w2 down
    sleep 1.2
    begin n:s1 n:s2 n:s3
    away
    finish n:s1 n:s2 n:s3
    begin n:bd n:s1 n:s3
    $N o arping -c1 -w1 -I w1 10.0.0.1
    $N o arping -c1 -w1 -I w3 10.0.0.1
    finish n:bd n:s1 n:s3
    $N n cat /proc/net/bonding/bd
    ip -n n -d link show bd
    ip -n n -d link show s2
    ip -n o link set w2 up
    sleep 1.2
    ip -n n -d link show s2
    ip -n n link del bd
done
ip -n n -br link
