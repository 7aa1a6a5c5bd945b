# needs: uml
# Transfers between two namespaces: the lines of both ends, without what depends on a machine's speed.
ip netns add a
ip netns add b
ip link add va netns a type veth peer name vb netns b
ip -n a addr add 10.0.0.1/24 dev va
ip -n b addr add 10.0.0.2/24 dev vb
ip -n a link set lo up
ip -n b link set lo up
ip -n a link set va up
ip -n b link set vb up
sleep 1
try() { { set +x; } 2>/dev/null; "$@" 2>&1 | sed -E 's/port [0-9]{5}/port P/; s/ +[0-9.]+ [KM]?Bytes/ N Bytes/g; s/ +[0-9.]+ [KM]?bits/ N bits/; s/-[0-9.]+ +sec/-T sec/; s/[0-9.]+ ms +[0-9]+\/[0-9]+ \([0-9.]+%\)/JITTER/; s/ +$//'; set -x; }
ip netns exec b iperf3 -s >log &
S=$!
sleep 0.5
try ip netns exec a iperf3 -c 10.0.0.2 -t 2 -b 1M
try ip netns exec a iperf3 -c 10.0.0.2 -u -t 1 -b 100K
try ip netns exec a iperf3 -c 10.0.0.2 -R -P 2 -t 1 -b 1M
try ip netns exec a iperf3 -c 10.0.0.2 -p 5202
kill $S
