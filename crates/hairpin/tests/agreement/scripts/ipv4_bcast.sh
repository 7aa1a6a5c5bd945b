# Broadcast and multicast.
for n in A R B; do ip netns add $n; ip -n $n link set lo up; done
ip link add a0 netns A type veth peer name r0 netns R
ip link add r1 netns R type veth peer name b0 netns B
ip -n A link set a0 address 02:00:00:00:00:01 up
ip -n R link set r0 address 02:00:00:00:00:02 up
ip -n R link set r1 address 02:00:00:00:00:03 up
ip -n B link set b0 address 02:00:00:00:00:04 up
ip -n A addr add 10.0.1.1/24 dev a0
ip -n R addr add 10.0.1.254/24 dev r0
ip -n R addr add 10.0.2.254/24 dev r1
ip -n B addr add 10.0.2.1/24 dev b0
ip -n B route add default via 10.0.2.254
N="ip netns exec"
begin() {
    { set +x; } 2>/dev/null; W= C=$(mktemp -d)
    for p in $*; do $N ${p%.*} tcpdump -l -e -n -v -t -i ${p#*.} >$C/$p.cap 2>/dev/null & W="$W $!"; done
    sleep 1.5; set -x
}
finish() {
    { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W
    # Identifications and the ports of programs are chosen by chance; when an ARP probe comes, by milliseconds.
    for p in $*; do echo "--- $p"; sed -E 's/ id [0-9]+, (offset|ttl)/ \1/' $C/$p.cap | grep -a . | grep -av ARP; done; rm -r $C; set -x
}
sleep 0.3
begin A.a0 A.lo R.r0
$N A ping -c1 -W1 10.0.1.255
$N A ping -c1 -W1 -b 10.0.1.255
$N A ping -c1 -W1 -b 255.255.255.255
$N A ping -c1 -W1 255.255.255.255
$N A ping -c1 -W5 10.0.1.0
$N R sysctl -w net.ipv4.icmp_echo_ignore_broadcasts=0
$N A ping -c1 -W1 -b 10.0.1.255
$N A ping -c1 -W5 -b 10.0.1.0
$N A ping -c1 -W1 -b 255.255.255.255
$N A ping -c1 -W1 224.0.0.1
$N A ping -c1 -W1 -I a0 224.0.0.1
$N A ping -c1 -W1 -I a0 -L 224.0.0.1
$N A ping -c1 -W1 -I a0 -t 3 239.1.1.1
$N A ping -c1 -W1 -I 10.0.1.1 239.1.1.1
ip -n A route add 224.0.0.0/4 dev a0
$N A ping -c1 -W1 239.1.1.1
$N A sysctl -w net.ipv4.icmp_echo_ignore_broadcasts=0
$N A ping -c1 -W1 -b 10.0.1.255
$N A ping -c1 -W1 224.0.0.1
$N R ping -c1 -W1 -I r0 224.0.0.1
$N A ping -c1 -W1 240.0.0.1
ip -n A route get 224.0.0.1
ip -n A route get 255.255.255.255
ip -n A route get 10.0.1.255
ip -n A route get 10.0.1.0
finish A.a0 A.lo R.r0
