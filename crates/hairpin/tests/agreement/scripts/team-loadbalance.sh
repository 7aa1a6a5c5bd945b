# needs: uml
# runs: by bash alone
# programs: teamd teamdctl teamnl
# open: which port the driver has first differs from run to run
# clock: real
# The runner loadbalance of teamd: which port a frame leaves by; MACs of the runner activebackup; link watches; and what
# teamdctl changes.
ip netns add n
ip netns add o
N="ip netns exec"
for i in 1 2; do
    ip link add s$i netns n address 02:00:00:00:00:0$i type veth peer name w$i netns o address 02:00:00:00:00:2$i
    ip -n o link set w$i up
done
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
for hash in '["eth", "ipv4", "ipv6"]' '["l3"]' '["eth"]' '["ipv4", "l4"]' '["nonesuch"]'; do
    $N n teamd -U -d -t t1 -c '{"runner": {"name": "loadbalance", "tx_hash": '"$hash"'}, "ports": {"s1": {}, "s2": {}}}'
    ip -n n link set t1 up
    ip -n n addr add 10.0.0.1/24 dev t1
    sleep 2
    begin n:s1 n:s2
    for i in 1 2 3 4 5 6; do $N n ping -c1 -W1 -q 10.0.0.9$i >/dev/null; done
    finish n:s1 n:s2
    $N n teamd -k -t t1
    sleep 0.5
done
$N n teamd -U -d -t t1 -c '{"runner": {"name": "loadbalance", "tx_balancer": {"name": "basic"}}, "ports": {"s1": {}, "s2": {"queue_id": 3, "prio": -7}}}'
ip -n n link set t1 up
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
    $N n teamd -U -d -t t1 -c '{"hwaddr": "02:00:00:00:00:40", "runner": {"name": "activebackup", "hwaddr_policy": "'$policy'"}, "link_watch": {"name": "ethtool", "delay_up": 200}, "ports": {"s1": {"prio": 10}, "s2": {}}}'
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
# Link watches: several, of a port itself, and one that asks.
$N n teamd -U -d -t t1 -c '{"runner": {"name": "activebackup"}, "link_watch": [{"name": "ethtool"}, {"name": "arp_ping", "interval": 200, "missed_max": 2, "source_host": "10.0.0.1", "target_host": "10.0.0.91"}], "ports": {"s1": {"prio": 5}, "s2": {"link_watch": {"name": "ethtool", "delay_down": 300}}}}'
ip -n n link set t1 up
ip -n n addr add 10.0.0.1/24 dev t1
sleep 3
$N n teamdctl t1 state
{ set +x; } 2>/dev/null; $N n teamdctl t1 state dump | grep -v -E 'pid|missed"'; set -x
$N n teamdctl t1 port config dump s1
$N n teamdctl t1 port config update s2 '{"prio": 50, "sticky": true}'
sleep 0.5
$N n teamdctl t1 port config dump s2
$N n teamdctl t1 state item get runner.active_port
$N n teamnl -p s2 t1 getoption priority
$N n teamdctl t1 port config update s2 '{"prio": '
$N n teamdctl t1 port config update nonesuch '{}'
$N n teamdctl t1 state item set setup.debug_level 2
$N n teamdctl t1 state item get setup.debug_level
$N n teamdctl t1 state item set nonesuch 2
$N n teamdctl t1 state item set ports.s1.link.up true
$N n teamd -k -t t1
sleep 0.5
# Only a host that answers counts.
$N n teamd -U -d -t t1 -c '{"runner": {"name": "activebackup"}, "link_watch": {"name": "arp_ping", "interval": 100, "missed_max": 3, "source_host": "10.0.0.1", "target_host": "10.0.0.91", "validate_active": true, "validate_inactive": true}, "ports": {"s1": {}}}'
ip -n n link set t1 up
ip -n n addr add 10.0.0.1/24 dev t1
sleep 2
$N n teamdctl t1 state
ip -n n link show t1
ip -n o link set sw down
sleep 2
$N n teamdctl t1 state
ip -n n link show t1
{ set +x; } 2>/dev/null; $N n teamdctl -v t1 state | grep -v -E 'PID|missed packets'; set -x
$N n teamd -k -t t1
