# needs: uml
# What is told of a bond and its slaves: they come and go, fail and return, in several modes; of what stands on it; of a team.
# runs: by bash alone
# with: told.part
# The kernel looks at carriers once a second.
PAUSE=1.3
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip netns add s
ip netns exec s sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
for i in 1 2; do
    ip link add e$i address 02:00:00:00:00:0$i type veth peer name p$i netns s address 02:00:00:00:01:0$i
    ip -n s link set p$i up
done
ip -d monitor link address netconf >$LOG &
M=$!
sleep 1
say ip link add b0 address 02:00:00:00:00:b0 type bond mode active-backup miimon 100
say ip link add link b0 name b0.5 type vlan id 5
say ip link set e1 master b0
say ip link set e2 master b0
say ip link set b0 up
say ip link set b0.5 up
say ip addr add 10.77.0.1/24 dev b0
say ip -n s link set p1 down
say ip -n s link set p1 up
say ip link set b0 type bond active_slave e1
say ip link set b0 type bond primary e2
say ip link set b0 address 02:00:00:00:00:b1
say ip link set b0 mtu 1400
say ip link set e1 nomaster
say ip link set e1 master b0
say ip link set e1 down
say ip link set e1 master b0
say ip link set b0 down
say ip link del b0
for mode in balance-rr balance-xor 802.3ad balance-tlb balance-alb; do
    say ip link add b0 address 02:00:00:00:00:b0 type bond mode $mode miimon 100
    say ip link set e1 master b0
    say ip link set b0 up
    say ip link set e2 master b0
    say ip -n s link set p1 down
    say ip -n s link set p1 up
    say ip link set e1 nomaster
    say ip link del b0
done
say ip link add b0 type bond mode active-backup miimon 100 fail_over_mac active
say ip link set e1 master b0
say ip link set e2 master b0
say ip link set b0 up
say ip link set e1 nomaster
say ip link set e2 nomaster
say ip link del b0
say ip link add t0 address 02:00:00:00:00:70 type team
say ip link set e1 master t0
say ip link set t0 up
say ip link set e1 nomaster
say ip link set e1 master t0
say ip link del e1
say ip link set e2 master t0
say ip link del t0
kill $M
wait $M 2>/dev/null
rm $LOG
