# How many redirects a router sends: by whom the packets are for, and by who sent them.
# needs: uml
# ipv6: on
ip netns add A; ip netns add R
N="ip netns exec"
$N A sysctl -w net.ipv6.conf.default.accept_ra=0
$N R sysctl -w net.ipv6.conf.all.forwarding=1
ip link add a0 netns A address 02:00:00:00:00:01 type veth peer name r0 netns R address 02:00:00:00:00:02
ip -n A link set lo up; ip -n A link set a0 up; ip -n R link set r0 up
$N A sysctl -w net.ipv6.conf.a0.accept_redirects=0
for a in 2001:db8:1::1 2001:db8:1::3 2001:db8:1::5 2001:db8:77::1; do
    ip -n A addr add $a/64 dev a0 nodad
    ip -n R neigh add $a lladdr 02:00:00:00:00:01 dev r0 nud permanent
done
ip -n R addr add 2001:db8:1::fe/64 dev r0 nodad
ip -n R -6 route add 2001:db8:77::/64 via 2001:db8:1::1
for d in 8 9; do
    ip -n R neigh add 2001:db8:1::$d lladdr 02:00:00:00:00:99 dev r0 nud permanent
    ip -n A -6 route add 2001:db8:1::$d via 2001:db8:1::fe
done
sleep 4.3
round() {
    $N R tcpdump -l -e -n -t -i r0 'icmp6 and ip6[40] = 137' >cap 2>/dev/null &
    sleep 0.7
    for way in "$@"; do
        $N A ping -6 -c4 -i0.2 -W0.31 -I $way
    done
    kill %$job
    wait
    job=$((job + 1))
    cat cap
}
job=1
# Both ask for one: it is told of six times at once, and once more a second.
round '2001:db8:1::1 2001:db8:1::9' '2001:db8:1::3 2001:db8:1::9'
sleep 3.3
# One asks for both.
round '2001:db8:1::5 2001:db8:1::8' '2001:db8:1::5 2001:db8:1::9'
sleep 8.3
# Who is behind another router is not told.
round '2001:db8:77::1 2001:db8:1::8'
# A packet longer than the least MTU is quoted as far as that goes.
$N R tcpdump -l -e -n -t -i r0 'icmp6 and ip6[40] = 137' >cap 2>/dev/null &
sleep 0.7
$N A ping -6 -c1 -s 1400 -W0.31 2001:db8:1::8
kill %$job
wait
cat cap
