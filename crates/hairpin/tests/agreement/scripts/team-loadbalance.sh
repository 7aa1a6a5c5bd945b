# needs: uml
# runs: by bash alone
# programs: teamd teamdctl teamnl
# clock: real
# The runner loadbalance of teamd: which port a frame leaves by; and MACs of the runner activebackup. A second port comes
# later, or which one the driver has first would be chance. The real teamd enables a port of this runner again and again
# without a pause, which is why it is to be nice: the other programs of the machine run as if it was not there.
# with: two-wires.part
TEAMD="nice -n 19 teamd"
ip -n o link add sw address 02:00:00:00:00:30 type bridge
ip -n o link set sw up
ip -n o link set w1 master sw
ip -n o link set w2 master sw
for i in 1 2 3 4 5 6; do ip -n o addr add 10.0.0.9$i/24 dev sw; done
begin() {
    { set +x; } 2>/dev/null; W= C=$(mktemp -d)
    for p in $*; do $N ${p%:*} tcpdump -l -e -n -t -i ${p#*:} icmp or udp >$C/$p.cap 2>$C/$p.err & W="$W $!"; done
    for p in $*; do for i in {1..60}; do grep -qs 'listening on' $C/$p.err && break; sleep 0.5; done; done
    sleep 0.5; set -x
}
finish() {
    { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W
    for p in $*; do echo "--- $p"; grep -a . $C/$p.cap; done; rm -r $C; set -x
}
for hash in '["eth", "ipv4", "ipv6"]' '["ipv4", "l4"]' '["nonesuch"]'; do
    $N n $TEAMD -U -d -t t1 -c '{"runner": {"name": "loadbalance", "tx_hash": '"$hash"'}, "ports": {"s1": {}}}'
    ip -n n link set t1 up
    sleep 0.5
    $N n teamdctl t1 port add s2
    ip -n n addr add 10.0.0.1/24 dev t1
    sleep 1
    begin n:s1 n:s2
    for i in 1 2 3 4 5 6; do $N n ping -c1 -W1 -q 10.0.0.9$i >/dev/null; done
    finish n:s1 n:s2
    $N n teamd -k -t t1
    sleep 0.5
done
$N n $TEAMD -U -d -t t1 -c '{"runner": {"name": "loadbalance", "tx_balancer": {"name": "basic"}}, "ports": {"s1": {}}}'
ip -n n link set t1 up
sleep 1
$N n teamdctl t1 port config update s2 '{"queue_id": 3, "prio": -7}'
$N n teamdctl t1 port add s2
sleep 1
$N n teamdctl t1 config dump
$N n teamdctl t1 config dump actual
$N n teamdctl t1 state
ip -n n link show
$N n teamnl t1 getoption lb_tx_method
$N n teamnl t1 getoption lb_stats_refresh_interval
$N n teamnl -p s2 t1 getoption queue_id
$N n teamnl -p s2 t1 getoption priority
$N n teamnl -p s2 t1 setoption queue_id 5
$N n teamnl -p s2 t1 getoption queue_id
ip -n o link set w1 down
sleep 1
$N n teamnl -p s1 t1 getoption enabled
$N n teamdctl t1 state
ip -n o link set w1 up
sleep 1
$N n teamnl -p s1 t1 getoption enabled
$N n teamd -k -t t1
sleep 0.5
# Whose MAC is whose.
for policy in by_active only_active; do
    $N n $TEAMD -U -d -t t1 -c '{"hwaddr": "02:00:00:00:00:40", "runner": {"name": "activebackup", "hwaddr_policy": "'$policy'"}, "link_watch": {"name": "ethtool", "delay_up": 200}, "ports": {"s1": {"prio": 10}, "s2": {}}}'
    ip -n n link set t1 up
    sleep 2
    ip -n n link show
    ip -n o link set w1 down
    sleep 1
    ip -n n link show
    ip -n o link set w1 up
    sleep 2
    ip -n n link show
    $N n teamdctl t1 state item set runner.active_port s2
    sleep 0.5
    $N n teamdctl t1 state item get runner.active_port
    ip -n n link show
    $N n teamd -k -t t1
    sleep 0.5
done
