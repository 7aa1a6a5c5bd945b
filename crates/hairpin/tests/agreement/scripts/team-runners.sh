# needs: uml
# runs: by bash alone
# programs: teamd teamdctl teamnl
# covers: refusals team
# covers: traffic team
# Teams: the device by itself, refusals, and what the runners of teamd make of it. Whether announcements take the old
# or the new active port is a race in Linux; they are left out.
# with: two-wires.part
ip -n o link add sw address 02:00:00:00:00:30 type bridge
ip -n o link set sw up
# Or the probe of a stale neighbour, five seconds after traffic, comes just before the end of a capture or just after it.
$N o sysctl -q -w net.ipv4.neigh.sw.delay_first_probe_time=60
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
    for p in $*; do echo "--- $p"; grep -a . $C/$p.cap | grep -v "who-has 10.0.0.1 tell"; done; rm -r $C; set -x
}
# Without a mode.
ip -n n link add t0 address 02:00:00:00:00:40 type team
ip -n n -d link show t0
ip -n n link set lo master t0
ip -n n link set t0 master t0
ip -n n link set s1 up
ip -n n link set s1 master t0
ip -n n link set s1 down
ip -n n link set s1 mtu 1400
ip -n n link set s1 master t0
ip -n n link set s1 mtu 1300
ip -n n -d link show s1
ip -n n -d link show t0
ip -n n link set t0 up
sleep 1.5
ip -n n link show t0
ip -n n link set t0 mtu 1450
ip -n n link show s1
ip -n n link set t0 address 02:00:00:00:00:41
ip -n n link show s1
ip -n n link set s1 nomaster
ip -n n link show s1
ip -n n link show t0
ip -n n link set t0 netns o
$N n teamnl t0 ports
ip -n n link del t0
ip -n n link set s1 mtu 1500
# The program.
$N n teamd -d -t t1 -c '{"runner": {"name": "nonesuch"}}'
$N n teamd -d -t t1 -c '{"runner": '
$N n teamd -d -t t1 -f /nonesuch.conf
$N n teamd -k -c '{}'
$N n teamd -k -t t1
$N n teamdctl t1 state
$N n teamnl t1 ports
for runner in activebackup roundrobin broadcast; do
    $N n teamd -o -n -U -d -t t1 -c '{"runner": {"name": "'$runner'"}, "link_watch": {"name": "ethtool"}}'
    ip -n n link show t1 >/dev/null
    ip -n n link set s1 master t1
    sleep 0.5
    ip -n n link set s2 master t1
    sleep 0.5
    ip -n n link set t1 up
    $N n sysctl -q -w net.ipv4.neigh.t1.delay_first_probe_time=60
    ip -n n addr add 10.0.0.1/24 dev t1
    sleep 2.5
    ip -n n link show
    $N n teamdctl t1 state
    $N n teamdctl t1 config dump
    $N n teamnl t1 ports
    # Who still knows the other would be asked again at some time.
    ip -n n neigh flush all
    ip -n o neigh flush all
    begin n:s1 n:s2 n:t1
    $N n ping -c 2 -i 0.5 10.0.0.9
    ip -n n link set s1 down
    sleep 0.5
    $N n teamdctl t1 state view
    $N n ping -c 1 10.0.0.9
    ip -n n link set s1 up
    sleep 0.5
    $N n teamdctl t1 state view
    $N n ping -c 1 10.0.0.9
    finish n:s1 n:s2 n:t1
    $N n teamdctl t1 port remove s1
    sleep 0.5
    ip -n n link show s1
    ip -n n link show t1
    $N n teamdctl t1 port add s1
    sleep 0.5
    $N n teamdctl t1 state
    $N n teamd -k -t t1
    sleep 0.5
    ip -n n link show
done
# Priorities, and a port that stays the active one.
cat >/tmp/hairpin-team.conf <<END
{"device": "t1", "runner": {"name": "activebackup"}, "link_watch": {"name": "ethtool"},
 "ports": {"s1": {"prio": 10}, "s2": {"prio": 100, "sticky": true}}}
END
$N n teamd -U -d -f /tmp/hairpin-team.conf
rm /tmp/hairpin-team.conf
ip -n n link set t1 up
sleep 0.5
$N n teamdctl t1 state
ip -n n link set s2 down
sleep 0.5
$N n teamdctl t1 state
ip -n n link set s2 up
sleep 0.5
$N n teamdctl t1 state
$N n teamdctl t1 config dump
$N n teamdctl t1 config dump noports
{ set +x; } 2>/dev/null; $N n teamd -d -t t1 -c '{}' 2>&1 | sed 's/PID [0-9]*/PID N/'; set -x
$N n teamdctl t1 nonesuch
$N n teamdctl t1 port add nonesuch
$N n teamnl t1 nonesuch
$N n teamnl t1 getoption mode
$N n teamnl t1 getoption activeport
$N n teamnl t1 options
$N n teamnl -p s1 t1 setoption priority 200
sleep 0.5
$N n teamdctl t1 state view
$N n teamnl t1 ports
$N n teamdctl t1 state item get runner.active_port
$N n teamdctl t1 port present s1; echo $?
{ set +x; } 2>/dev/null; $N n teamdctl -v t1 state | grep -v PID; set -x
$N n teamdctl -o t1 config dump
{ set +x; } 2>/dev/null; $N n teamdctl t1 state dump | grep -v pid; set -x
$N n teamnl t1 getoption nonesuch
$N n teamnl -p s1 t1 getoption priority
ip -n n link del t1
sleep 0.5
$N n teamdctl t1 state
ip -n n link show
