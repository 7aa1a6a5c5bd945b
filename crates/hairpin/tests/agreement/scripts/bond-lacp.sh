# needs: uml
# runs: by bash alone
# covers: traffic bond
# 802.3ad: without a partner, and with another bond as the partner.
# with: two-wires.part
begin() {
    { set +x; } 2>/dev/null; W= C=$(mktemp -d)
    for p in $*; do $N ${p%:*} tcpdump -l -e -n -t -i ${p#*:} arp or icmp >$C/$p.cap 2>/dev/null & W="$W $!"; done
    sleep 2.5; set -x
}
finish() {
    { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W
    for p in $*; do echo "--- $p"; grep -a . $C/$p.cap; done; rm -r $C; set -x
}
# The first units of LACP on a wire, each once.
units() {
    { set +x; } 2>/dev/null; kill $U; wait $U
    awk '/LACP/ { if (seen) print unit; unit = ""; seen = 1 } { unit = unit $0 "|" } END { print unit }' u | uniq | tr '|' '\n'; rm u; set -x
}
ip -n n link add bd type bond mode 802.3ad lacp_rate fast
ip -n n link set s1 master bd
ip -n n link set s2 master bd
ip -n n addr add 10.0.0.1/24 dev bd
$N o tcpdump -l -e -n -t -v -i w1 ether proto 0x8809 >u 2>/dev/null &
U=$!
sleep 2.5
ip -n n link set bd up
sleep 9.4
units
$N n cat /proc/net/bonding/bd
ip -n n -d link show bd
ip -n n -d link show s1
ip -n n -d link show s2
ip -n n neigh add 10.0.0.2 lladdr 02:00:00:00:00:92 dev bd
ip -n n neigh add 10.0.0.3 lladdr 02:00:00:00:00:93 dev bd
begin n:bd n:s1 n:s2
$N n ping -c1 -W0.1 10.0.0.2
$N n ping -c1 -W0.1 10.0.0.3
$N o arping -c1 -w1 -I w1 -0 10.0.0.1
$N o arping -c1 -w1 -I w2 -0 10.0.0.1
finish n:bd n:s1 n:s2
ip -n o link set w1 down
sleep 1.5
$N n cat /proc/net/bonding/bd
ip -n n -br link
ip -n o link set w1 up
sleep 4
$N n grep -E 'ID|Number|Interface|MII' /proc/net/bonding/bd
# The partner.
ip -n o link set w1 down
sleep 0.4
ip -n o link set w2 down
sleep 0.4
ip -n o link add bp type bond mode 802.3ad lacp_rate fast ad_user_port_key 9
# The link that is seen first has the aggregator that stays: one after the other.
ip -n o link set w1 master bp
sleep 0.6
ip -n o link set w2 master bp
sleep 0.6
ip -n o link set bp up
ip -n o addr add 10.0.0.9/24 dev bp
sleep 12
$N n cat /proc/net/bonding/bd
$N o cat /proc/net/bonding/bp
ip -n n -d link show bd
ip -n n -d link show s1
ip -n o -d link show w2
begin n:bd n:s1 n:s2 o:bp
$N n ping -c1 -W1 10.0.0.9
$N o ping -c1 -W1 -b 10.0.0.255
finish n:bd n:s1 n:s2 o:bp
ip -n n link set s1 down
sleep 3
$N n cat /proc/net/bonding/bd
$N o grep -E 'ID|Number|Interface|MII|state' /proc/net/bonding/bp
$N n ping -c1 -W1 10.0.0.9
ip -n n link set s1 up
sleep 8
$N n grep -E 'ID|Number|Interface|MII|state' /proc/net/bonding/bd
ip -n n link set s2 nomaster
sleep 4
$N n grep -E 'ID|Number|Interface|MII|state' /proc/net/bonding/bd
# Where the port goes that hears of it hangs on which of two clocks of 100 ms ticks first.
$N o grep -E -m7 'ID|Number|Interface|MII' /proc/net/bonding/bp
ip -n n link set bd type bond min_links 2
sleep 1.2
ip -n n -br link
ip -n n link del bd
sleep 5
$N o grep -E 'Number|Interface|MII' /proc/net/bonding/bp
