# needs: uml
# covers: traffic bond
# A bond in mode active-backup: enslaving, failover with announcements, a primary slave, release.
# with: two-wires.part
# Both ends of the two wires are on one switch.
ip -n o link add sw address 02:00:00:00:00:30 type bridge
ip -n o link set sw up
ip -n o addr add 10.0.0.9/24 dev sw
ip -n o link set w1 master sw
ip -n o link set w2 master sw
begin() {
    { set +x; } 2>/dev/null; W= C=$(mktemp -d)
    for p in $*; do $N ${p%:*} tcpdump -l -e -n -t -i ${p#*:} arp or icmp >$C/$p.cap 2>/dev/null & W="$W $!"; done
    sleep 2.5; set -x
}
finish() {
    { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W
    for p in $*; do echo "--- $p"; grep -a . $C/$p.cap; done; rm -r $C; set -x
}
ip -n n link add bd type bond mode active-backup miimon 100
ip -n n -d link show bd
ip -n n link set s1 up
ip -n n link set s1 master bd
ip -n n link set s1 down
ip -n n link set s1 master bd
ip -n n link set s2 master bd
ip -n n link set bd up
ip -n n addr add 10.0.0.1/24 dev bd
ip -n n link add link bd name bd.5 type vlan id 5
ip -n n addr add 10.0.5.1/24 dev bd.5
ip -n n link set bd.5 up
sleep 2.4
ip -n n -d link show bd
ip -n n -d link show s1
ip -n n -d link show s2
$N n cat /proc/net/bonding/bd
begin n:bd n:s1 n:s2 o:w1 o:w2
$N n ping -c2 -W1 10.0.0.9
sleep 7
finish n:bd n:s1 n:s2 o:w1 o:w2
begin n:bd n:bd.5 n:s1 n:s2 o:w1 o:w2
ip -n o link set w1 down
sleep 2.4
$N n ping -c1 -W1 10.0.0.9
sleep 7
finish n:bd n:bd.5 n:s1 n:s2 o:w1 o:w2
$N n cat /proc/net/bonding/bd
ip -n n -d link show bd
ip -n n -d link show s1
ip -n n -d link show s2
# What was active does not become so again, without a primary slave.
ip -n o link set w1 up
sleep 2.4
$N n grep Active /proc/net/bonding/bd
begin n:bd n:s1
ip -n n link set s2 down
sleep 2.4
finish n:bd n:s1
ip -n n -br link
ip -n n link set s2 up
sleep 2.4
$N n grep -E 'Active|Interface|MII Status|Failure' /proc/net/bonding/bd
ip -n n link set bd type bond active_slave s2
$N n grep Active /proc/net/bonding/bd
ip -n n link set bd type bond primary_reselect always
$N n grep Active /proc/net/bonding/bd
ip -n n link set bd type bond active_slave s2
ip -n n link set bd type bond primary s1
$N n grep -E 'Active|Primary' /proc/net/bonding/bd
ip -n n link set bd type bond primary_reselect failure
ip -n o link set w1 down
sleep 1.2
ip -n o link set w1 up
sleep 1.2
$N n grep -E 'Active|Primary' /proc/net/bonding/bd
ip -n n link set bd type bond primary_reselect always
$N n grep -E 'Active|Primary' /proc/net/bonding/bd
ip -n o link set w1 down
ip -n o link set w2 down
sleep 2.4
ip -n n -br link
$N n cat /proc/net/bonding/bd
begin n:bd
ip -n o link set w1 up
ip -n o link set w2 up
sleep 2.4
finish n:bd
ip -n n link set s2 type bond_slave prio 10
ip -n n link set bd type bond primary s2
ip -n n -d link show s2
ip -n n link set bd address 02:00:00:00:00:b0
ip -n n -br link
ip -n n link set s1 nomaster
ip -n n -d link show s1
$N n cat /proc/net/bonding/bd
ip -n n link set s1 master bd
ip -n n link set bd down
ip -n n -br link
ip -n n link set bd up
sleep 2.4
ip -n n -br link
ip -n n link del s1
ip -n n -br link
ip -n n link del bd
ip -n n -d link
