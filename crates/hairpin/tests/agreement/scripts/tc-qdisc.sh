# needs: uml
# runs: by bash alone
# programs: tc
# Queueing disciplines: what is shown, what is refused, and what netem and tbf do to pings.
{ set +x; } 2>/dev/null
ending() { command tc "$@" | sed 's/ *$//'; local code=${PIPESTATUS[0]}; [ $code = 0 ] || echo "code $code"; }
tc() { { set +x; } 2>/dev/null; ending "$@"; set -x; }
shown() { { set +x; } 2>/dev/null; ending qdisc show dev va; set -x; }
# How long round trips took, in steps of 100 ms.
trips() { { set +x; } 2>/dev/null; measured "$@"; set -x; }
measured() { ping -n "$@" 10.0.0.2 | awk -F'time=' '/time=/ { print int($2 / 100) } /transmitted/ { print $1 }' | sed 's/, time.*//'; }
ip netns add b
ip link add va address 02:00:00:00:00:01 type veth peer name vb address 02:00:00:00:00:02 netns b
ip addr add 10.0.0.1/24 dev va
ip -n b addr add 10.0.0.2/24 dev vb
set -x
tc qdisc show
ip link set va up
ip -n b link set vb up
shown
tc -j qdisc show dev va
tc -s qdisc show dev va
tc qdisc add dev va root netem delay 250ms
shown
tc qdisc show
tc -j -p qdisc show dev va
ip link show va
trips -c 2 -i 0.5
trips -c 2 -i 0.5
tc qdisc add dev va root netem delay 1ms
tc qdisc change dev va root netem loss 100%
trips -c 2 -i 0.2 -W 1
tc qdisc replace dev va root netem delay 20ms 5ms 25% loss 0.3% 25% duplicate 1% corrupt 0.1% limit 500
shown
tc -j qdisc show dev va
tc qdisc change dev va root netem delay 10ms reorder 25% 50% gap 5
shown
tc qdisc change dev va root netem rate 1mbit
shown
tc qdisc change dev va root netem delay 100
shown
tc qdisc del dev va root
tc qdisc del dev va root
shown
tc qdisc add dev va root handle 5: netem rate 8kbit
trips -c 1
tc qdisc del dev va root handle 6:
tc qdisc del dev va root handle 5:
tc qdisc add dev va root tbf rate 256kbit buffer 1600 limit 3000
shown
tc qdisc replace dev va root tbf rate 8kbit burst 2kb latency 10s
shown
tc -j qdisc show dev va
trips -c 3 -i 0.01 -s 972
tc qdisc replace dev va root pfifo
shown
tc qdisc replace dev va root bfifo
shown
tc qdisc replace dev va root pfifo limit 5
shown
tc qdisc replace dev va root fq_codel
shown
tc -j qdisc show dev va
tc qdisc replace dev va root pfifo_fast
shown
tc -j qdisc show dev va
trips -c 1
ip link set va down
shown
tc qdisc del dev va root
ip link show va
ip link set va up
shown
tc qdisc change dev va root netem delay 1ms
tc qdisc del dev va
tc qdisc add dev va netem delay 1ms
tc qdisc add dev va root nosuch
tc qdisc add dev va root nosuch 1
tc qdisc add dev nope root netem
tc qdisc show dev nope
tc qdisc add root netem
tc qdisc add dev va root netem dleay 1ms
tc qdisc add dev va root netem delay abc
tc qdisc add dev va root netem delay
tc qdisc add dev va root netem loss 101%
tc qdisc add dev va root netem reorder 5%
tc qdisc add dev va root netem gap 5
tc qdisc add dev va root tbf rate 1mbit
tc qdisc add dev va root tbf rate x
tc qdisc add dev va root tbf foo
tc qdisc add dev va root pfifo foo
tc foo
tc qdisc foo
tc qdisc show foo
tc -x
tc qdisc help
tc class show dev va
tc filter show dev va
ip link del va
