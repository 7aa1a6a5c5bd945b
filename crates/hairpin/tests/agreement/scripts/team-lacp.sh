# needs: uml
# runs: by bash alone
# programs: teamd teamdctl
# covers: traffic team
# The runner lacp of teamd, with a bond as the partner. What is shown was at rest for seconds.
ip netns add n
ip netns add o
N="ip netns exec"
for i in 1 2; do
    ip link add s$i netns n address 02:00:00:00:00:0$i type veth peer name w$i netns o address 02:00:00:00:00:2$i
done
ip -n o link add bp type bond mode 802.3ad lacp_rate fast miimon 100
ip -n o link set w1 master bp
ip -n o link set w2 master bp
ip -n o link set bp up
ip -n o addr add 10.0.0.9/24 dev bp
$N n teamd -U -d -t t1 -c '{"hwaddr": "02:00:00:00:00:40", "runner": {"name": "lacp", "active": true, "fast_rate": true, "sys_prio": 100}, "link_watch": {"name": "ethtool"}, "ports": {"s1": {"lacp_prio": 10, "lacp_key": 5}, "s2": {"lacp_key": 5}}}'
ip -n n link show t1
# The partner is heard before the team is up, and not answered.
sleep 3.5
$N n teamdctl t1 state
ip -n n link set t1 up
ip -n n addr add 10.0.0.1/24 dev t1
sleep 10
$N n teamdctl t1 state
{ set +x; } 2>/dev/null; $N n teamdctl -v t1 state | grep -v PID; set -x
{ set +x; } 2>/dev/null; $N n teamdctl t1 state dump | grep -v pid; set -x
$N n teamdctl t1 config dump
$N n teamdctl t1 state item get runner.sys_prio
$N n teamdctl t1 state item get ports.s1.runner.aggregator.selected
$N n teamdctl t1 state item set runner.sys_prio 7
$N o grep -E 'ID|Number|Interface|MII|priority|key|state' /proc/net/bonding/bp
ip -n n link show
$N n ping -c1 -W1 10.0.0.9
$N o ping -c1 -W1 10.0.0.1
# A link goes, and comes back.
ip -n o link set w1 down
sleep 3
$N n teamdctl t1 state
$N n ping -c1 -W1 10.0.0.9
ip -n o link set w1 up
sleep 8
$N n teamdctl t1 state
$N o grep -E 'Number|Interface|MII' /proc/net/bonding/bp
# The partner goes: nobody is heard any more.
ip -n o link del bp
ip -n o link set w1 up
ip -n o link set w2 up
sleep 9
$N n teamdctl t1 state
ip -n n -br link
$N n teamd -k -t t1
sleep 1
ip -n n -br link
# Fewer links than there have to be; and a passive end.
ip -n o link set w1 down
ip -n o link set w2 down
ip -n o link add bp type bond mode 802.3ad lacp_rate slow miimon 100 xmit_hash_policy layer3+4
ip -n o link set w1 master bp
ip -n o link set w2 master bp
ip -n o link set bp up
$N n teamd -U -d -t t1 -c '{"runner": {"name": "lacp", "active": false, "min_ports": 2, "agg_select_policy": "bandwidth", "tx_hash": ["l3", "l4"]}, "ports": {"s1": {}, "s2": {}}}'
ip -n n link set t1 up
sleep 10
$N n teamdctl t1 state
$N n teamdctl t1 config dump
ip -n n -br link
ip -n o link set w2 down
sleep 3
ip -n n -br link
$N n teamdctl t1 port remove s2
sleep 1
$N n teamdctl t1 state
$N n teamd -k -t t1
$N n teamd -d -t t1 -c '{"runner": {"name": "lacp", "agg_select_policy": "nonesuch"}}'
$N n teamd -d -t t1 -c '{"runner": {"name": "lacp", "min_ports": 0}}'
