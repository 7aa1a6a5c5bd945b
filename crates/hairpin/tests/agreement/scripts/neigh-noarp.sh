# Neighbours that need no resolution: groups, broadcasts, devices without ARP.
# needs: uml
for n in A B; do ip netns add $n; ip -n $n link set lo up; done
N="ip netns exec"
ip link add a0 netns A type veth peer name b0 netns B
ip -n A link set a0 address 02:00:00:00:00:01 up
ip -n B link set b0 address 02:00:00:00:00:02 up
ip -n A addr add 10.0.0.1/24 brd + dev a0
ip -n B addr add 10.0.0.2/24 brd + dev b0
ip -n A monitor neigh >mon 2>&1 &
sleep 0.5
all() { ip -n A neigh show nud all >out; sort out; rm out; }
all
$N A ping -c1 -W1 127.0.0.1
$N A ping -c1 -W1 10.0.0.1
$N A ping -c1 -W1 10.0.0.2
$N A ping -b -c1 -W1 10.0.0.255
$N A ping -c1 -W1 -I a0 224.0.0.1
$N A ping -c1 -W1 -I a0 239.1.2.3
$N A ping -b -c1 -W1 -I a0 255.255.255.255
all
ip -n A neigh
ip -n A neigh show nud noarp dev lo
ip -n A neigh show 224.0.0.1
ip -n A neigh show 224.0.0.1 nud all
ip -n A neigh get 224.0.0.1 dev a0
$N A cat /proc/net/arp
$N A arp -n
ip -n A -s neigh show 239.1.2.3 nud all >out; sed -E 's/ ref [0-9]+//' out
# By hand.
ip -n A neigh del 224.0.0.1 dev a0
ip -n A neigh add 224.0.0.1 lladdr 02:00:00:00:00:09 dev a0
ip -n A neigh add 224.0.0.1 lladdr 02:00:00:00:00:09 dev a0
$N A ping -c1 -W1 -I a0 224.0.0.1
ip -n A neigh add 224.0.0.5 dev a0
ip -n A neigh add 224.0.0.6 dev a0 nud stale
ip -n A neigh add 224.0.0.7 dev a0 nud noarp
ip -n A neigh add 10.0.0.77 dev a0 nud noarp
ip -n A neigh add 10.0.0.78 lladdr 02:00:00:00:00:78 dev a0 nud noarp
ip -n A neigh add 10.0.0.79 dev a0
$N A cat /proc/net/arp >out; sort out; rm out
$N A ping -c1 -W1 10.0.0.78
ip -n A neigh change 239.1.2.3 lladdr 02:00:00:00:00:05 dev a0 nud reachable
all
ip -n A neigh flush dev a0
all
ip -n A neigh flush dev a0 nud noarp
all
ip -n A neigh flush dev a0 nud all
all
# A device without ARP knows everybody.
$N A ping -c1 -W1 10.0.0.2
ip -n A neigh add proxy 10.0.0.50 dev a0
ip -n A link set a0 arp off
all
ip -n A neigh show proxy
$N A ping -c1 -W1 10.0.0.2
$N A ping -c1 -W1 -I a0 224.0.0.1
all
ip -n A neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev a0
ip -n A neigh add 10.0.0.10 dev a0
ip -n A neigh add 10.0.0.11 lladdr 02:00:00:00:00:0b dev a0 nud stale
all
ip -n A link set a0 arp on
all
$N A ping -c1 -W1 10.0.0.2
$N A ping -c1 -W1 -I a0 224.0.0.1
ip -n A link set a0 address 02:00:00:00:00:11
all
ip -n A neigh show proxy
$N A ping -c1 -W1 10.0.0.2
$N A ping -c1 -W1 -I a0 224.0.0.1
ip -n B link set b0 down
sleep 0.3
all
ip -n B link set b0 up
# Kinds that have no ARP.
ip -n A link add d0 type dummy
ip -n A link set d0 address 02:00:00:00:00:20 up
ip -n A addr add 10.1.0.1/24 dev d0
$N A ping -c1 -W1 10.1.0.2
ip -n A link add t0 type ipip local 10.0.0.1 remote 10.0.0.2
ip -n A link set t0 up
ip -n A addr add 10.2.0.1 peer 10.2.0.2 dev t0
$N A ping -c1 -W1 10.2.0.2
$N A ping -c1 -W1 -I t0 224.0.0.1
ip -n A neigh add 10.2.0.9 dev t0
ip -n A link add g0 type gretap local 10.0.0.1 remote 10.0.0.2
ip -n A link set g0 address 02:00:00:00:00:30 up
all
ip -n A link del t0
ip -n A link set d0 down
ip -n A link set a0 down
all
sleep 0.3
kill %1
wait
sort mon
