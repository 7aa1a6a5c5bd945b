# needs: uml
# runs: by bash alone
# programs: teamd teamdctl teamnl
# Link watches of teamd: several, of a port itself, and one that asks; and what teamdctl changes.
# with: two-wires.part
ip -n o link add sw address 02:00:00:00:00:30 type bridge
ip -n o link set sw up
ip -n o link set w1 master sw
ip -n o link set w2 master sw
for i in 1 2 3 4 5 6; do ip -n o addr add 10.0.0.9$i/24 dev sw; done
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
