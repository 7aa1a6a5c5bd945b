# needs: uml
# runs: by bash alone
# programs: nc
# TCP: connections made, used and ended, and ports that nobody listens to, frame by frame.
ip netns add a
ip netns add b
ip link add va netns a type veth peer name vb netns b
ip -n a link set va address 02:00:00:00:00:01
ip -n b link set vb address 02:00:00:00:00:02
ip -n a addr add 10.0.0.1/24 dev va
ip -n b addr add 10.0.0.2/24 dev vb
ip -n a link set va up
ip -n b link set vb up
sleep 1
begin() { { set +x; } 2>/dev/null; C=$(mktemp -d); ip netns exec a tcpdump -n -l -t -i va tcp >$C/cap 2>/dev/null & W=$!; sleep 1.5; set -x; }
finish() {
    { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W
    sed -E 's/seq [0-9]{5,}/seq N/; s/ack [0-9]{5,}/ack N/; s/ecr [1-9][0-9]*/ecr N/; s/val [0-9]+/val N/' $C/cap; rm -r $C; set -x
}
begin
ip netns exec b nc -n -l 80 &
sleep 0.5
echo hello | ip netns exec a nc -n -N -v -p 40000 10.0.0.2 80
sleep 0.5
finish
begin
ip netns exec a nc -n -z -v -p 40001 10.0.0.2 81
ip netns exec a nc -n -z -v -w 2 10.0.0.77 81
finish
begin
echo request | ip netns exec b nc -n -N -l 82 &
sleep 0.5
ip netns exec a nc -n -p 40002 10.0.0.2 82 </dev/null
finish
# The one that ended first waits a minute.
ip netns exec b sh -c 'cat /proc/net/tcp' | awk 'NR > 1 { print $2, $3, $4 }'
ip netns exec a sh -c 'cat /proc/net/tcp' | awk 'NR > 1 { print $2, $3, $4 }'
