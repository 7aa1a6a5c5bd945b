# needs: uml
# runs: by bash alone
# programs: teamd teamdctl
# Whose MAC is whose, with the runner activebackup of teamd.
ip netns add n
ip netns add o
N="ip netns exec"
for i in 1 2; do
    ip link add s$i netns n address 02:00:00:00:00:0$i type veth peer name w$i netns o address 02:00:00:00:00:2$i
    ip -n o link set w$i up
done
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
