# needs: uml
# runs: by bash alone
# covers: traffic bridge
# Two bridges with two wires between them: a loop comes to rest, and pings pass once ports forward.
begin() {
    { set +x; } 2>/dev/null; W= C=$(mktemp -d)
    for p; do command ip netns exec sw tcpdump -l -e -n -v -t -i $p stp >"$C/$p" 2>/dev/null & W="$W $!"; done
    sleep 2; set -x
}
# The clocks of the two kernels do not tick together: of what is sent every other second only the kinds count.
finish() {
    { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W 2>/dev/null || :
    for p in "$C"/*; do echo "--- ${p##*/}"; grep -a . "$p" | sed -E 's/message-age [0-9.]+s/message-age N/' | sort -u; done; rm -r "$C"; set -x
}
# What a pipe prints of its commands first is chance.
showstp() {
    { set +x; } 2>/dev/null; ip netns exec sw brctl showstp $1 >stp; grep -v timer stp | sed 's/CONFIG_PENDING //'; set -x
}
# Until so many ports are in a state.
await() { { set +x; } 2>/dev/null; until [ "$(bridge -n sw link | grep -c "state $1 ")" = $2 ]; do sleep 0.5; done; set -x; }
ip netns add sw
ip netns add h1
ip netns add h2
for i in 1 2; do
    ip -n sw link add br$i address 02:00:00:00:01:0$i type bridge stp_state 1 forward_delay 400 mcast_snooping 0
    ip link add eth0 netns h$i address 02:00:00:00:00:0$i type veth peer name p$i netns sw address 02:00:00:00:02:0$i
    ip -n h$i link set eth0 up
    ip -n h$i addr add 10.0.0.$i/24 dev eth0
    ip -n sw link set p$i master br$i up
done
for i in 3 4; do
    ip -n sw link add a$i address 02:00:00:00:03:0$i type veth peer name b$i address 02:00:00:00:04:0$i
    ip -n sw link set a$i master br1 up
    ip -n sw link set b$i master br2 up
done
bridge -n sw link
ip -n sw link set br1 up
ip -n sw link set br2 up
await blocking 1
bridge -n sw link
ip -n sw -br link show type bridge
ip netns exec h1 ping -c1 -W1 10.0.0.2
await learning 5
bridge -n sw link
showstp br1
await forwarding 5
bridge -n sw link
# Once it is acknowledged that the topology has changed, and while it counts as changed.
sleep 4
begin p1 a3 b4
sleep 6
finish
ip netns exec h1 ping -c1 -W1 10.0.0.2
ip -n sw -d link show br1
ip -n sw -d link show br2
ip -n sw -d link show a3
ip -n sw -d link show b4
ip netns exec sw brctl show
showstp br1
showstp br2
ip netns exec sw sh -c 'cd /sys/class/net/br2/bridge; grep . root_id bridge_id root_port root_path_cost topology_change topology_change_detected ageing_time forward_delay max_age hello_time stp_state'
ip netns exec sw sh -c 'cd /sys/class/net/b4/brport; grep . designated_* port_id port_no state path_cost priority change_ack'
# The active wire breaks.
ip -n sw link set b3 down
await listening 1
bridge -n sw link
await forwarding 4
bridge -n sw link
ip netns exec h1 ping -c1 -W1 10.0.0.2
ip -n sw link set b3 up
await blocking 1
bridge -n sw link
await forwarding 5
# Priorities and costs decide.
ip -n sw link set br2 type bridge priority 4096
# The first notification leaves by the port that was the root port for a moment; the second one is heard.
sleep 4.5
await forwarding 5
showstp br1
bridge -n sw link set dev b3 cost 50
bridge -n sw link set dev a3 cost 50
await listening 1
bridge -n sw link
bridge -n sw link set dev a3 priority 1
ip netns exec sw brctl setportprio br1 a4 2
bridge -n sw -d link show dev a4
bridge -n sw link set dev a3 state 3
await forwarding 5
ip netns exec h1 ping -c1 -W1 10.0.0.2
bridge -n sw link
# Guards.
bridge -n sw link set dev b4 guard on
bridge -n sw link set dev a3 root_block on
sleep 3
bridge -n sw link
bridge -n sw link set dev b4 guard off
bridge -n sw link set dev a3 root_block off
ip -n sw link set b4 down
ip -n sw link set b4 up
# Off again.
ip -n sw link set br1 type bridge stp_state 0
bridge -n sw link
ip netns exec sw brctl stp br2 off
bridge -n sw link
