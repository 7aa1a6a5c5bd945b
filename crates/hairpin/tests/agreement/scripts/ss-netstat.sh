# needs: uml
# runs: by bash alone
# programs: nc ss netstat
# Sockets as ss and netstat list them: listeners, connections at both ends, datagrams, one that waits a minute.
ip netns add a
ip netns add b
ip link add va netns a type veth peer name vb netns b
ip -n a addr add 10.0.0.1/24 dev va
ip -n b addr add 10.0.0.2/24 dev vb
ip -n a link set lo up
ip -n a link set va up
ip -n b link set vb up
sleep 1
# Hash tables have orders of their own, and processes numbers.
sorted() { { set +x; } 2>/dev/null; "$@" | sed -E 's/pid=[0-9]+/pid=N/; s/ [0-9]+\/nc */ N\/nc/; s/ +$//' | (IFS= read -r first; echo "$first"; sort); set -x; }
{ set +x; } 2>/dev/null
ip netns exec b nc -l -k -p 80 >/dev/null &
N=$!
ip netns exec b nc -l 10.0.0.2 8080 >/dev/null &
M=$!
ip netns exec b nc -u -l -p 5353 >/dev/null &
U=$!
sleep 1
set -x
sorted ip netns exec b ss -4 -tln
sorted ip netns exec b ss -4 -tlnp
sorted ip netns exec b ss -H -4 -tuln
sorted ip netns exec b netstat -4 -tuln
sorted ip netns exec b netstat -4 -tlnp
{ set +x; } 2>/dev/null
# Headings of nothing, and what a wrong word is told.
for o in -x -S -xt -txn; do echo "\$ ss $o"; ip netns exec a ss $o | sed -E 's/pid=[0-9]+/pid=N/; s/$/|/'; done
for o in -h -foo -f '-A foo' --bogus '-f help' -Z 'dst' 'state foo'; do echo "\$ ss $o"; ip netns exec a ss $o 2>&1 || echo "rc $?"; done
# A listener's own end, by options and by operands.
for o in '-s 1.2.3.4 -p 80' '-s 10.0.0.1' '-p 80 10.0.0.1' '' foo '-n -s no.name -p 5' '-6 -s 10.0.0.1 -p 5'; do echo "\$ nc -l $o"; ip netns exec a timeout 2 nc -l $o 2>&1 || echo "rc $?"; done
ip netns exec a nc -l -s 10.0.0.1 -p 65617 &
L=$!
sleep 1
ip netns exec a ss -Htln sport = :81
kill $L
(sleep 25) | ip netns exec a nc -p 40000 -q 1 10.0.0.2 80 &
C=$!
sleep 2
set -x
sorted ip netns exec a ss -tn
sorted ip netns exec a ss -4 -tan
{ set +x; } 2>/dev/null
# Blanks behind what is shown.
for o in -tn -tnp -tnpH; do echo "\$ ss $o"; ip netns exec a ss $o | sed -E 's/pid=[0-9]+/pid=N/; s/$/|/'; done
set -x
sorted ip netns exec b ss -4 -tan
sorted ip netns exec b ss -4 -tn state established
sorted ip netns exec b ss -4 -tan sport = :80
sorted ip netns exec b ss -4 -tan '( dport = :40000 or sport = :8080 )'
sorted ip netns exec b ss -4 -tan dst 10.0.0.0/24 and not sport = :8080
sorted ip netns exec b ss -4 -ua -n
sorted ip netns exec a netstat -tn
sorted ip netns exec b netstat -4 -tan
{ set +x; } 2>/dev/null
wait $C
sleep 1
set -x
sorted ip netns exec a ss -4 -tan
sorted ip netns exec a ss -4 -tan exclude time-wait
sorted ip netns exec a netstat -4 -tan
ip netns exec a netstat -rn
ip netns exec a netstat -i | awk '{ print $1, $2, NF }'
{ set +x; } 2>/dev/null
kill $N $M $U
