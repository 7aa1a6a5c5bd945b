# needs: uml
# runs: by bash alone
# What a bond counts is what its slaves count, also those that have left.
# with: two-wires.part
ip -n o link add sw address 02:00:00:00:00:30 type bridge
ip -n o link set sw up
ip -n o addr add 10.0.0.9/24 dev sw
ip -n o link set w1 master sw
ip -n o link set w2 master sw
# Once the bridge has reported its groups.
sleep 3
ip -n o neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev sw
for mode in active-backup balance-rr; do
    ip -n n link add bd type bond mode $mode miimon 100 resend_igmp 0
    ip -n n link set s1 master bd
    ip -n n link set s2 master bd
    ip -n n link set bd up
    ip -n n addr add 10.0.0.1/24 dev bd
    ip -n n neigh add 10.0.0.9 lladdr 02:00:00:00:00:30 dev bd
    sleep 2.4
    $N n ping -c4 -i0.2 -W1 10.0.0.9
    $N n ping -c2 -i0.2 -W1 10.0.0.255
    ip -n n -s link
    ip -n n link set s1 nomaster
    ip -n n -s link show bd
    $N n grep -c bd: /proc/net/dev
    ip -n n link set s2 nomaster
    $N n ping -c1 -W1 10.0.0.9
    ip -n n -s link show bd
    ip -n n link del bd
done
