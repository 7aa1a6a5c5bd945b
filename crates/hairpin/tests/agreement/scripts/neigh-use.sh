# needs: uml
# A neighbour that is said to be used is asked for where it has to be, and is permanent no longer.
ip netns add h
ip netns add k
ip link add eth0 netns k address 02:00:00:00:00:02 type veth peer name eth0 netns h address 02:00:00:00:00:03
ip -n k link set eth0 up
ip -n h link set eth0 up
ip -n h addr add 10.0.1.2/24 dev eth0
ip -n k addr add 10.0.1.1/24 dev eth0
ip -n h neigh add 10.0.1.12 dev eth0 lladdr 02:00:00:00:aa:02 nud permanent
ip -n h neigh add 10.0.1.13 dev eth0 lladdr 02:00:00:00:aa:03 nud noarp
ip -n h neigh add 10.0.1.14 dev eth0 lladdr 02:00:00:00:aa:04 nud stale
ip -n h neigh add 10.0.1.1 dev eth0 lladdr 02:00:00:00:aa:01 nud permanent
ip -n h monitor neigh >told 2>/dev/null &
ip netns exec h tcpdump -l -e -n -t -i eth0 arp >eth0.cap 2>/dev/null &
sleep 0.7
ip -n h neigh replace 10.0.1.12 dev eth0 use
ip -n h neigh replace 10.0.1.13 dev eth0 use
ip -n h neigh replace 10.0.1.14 dev eth0 use
ip -n h neigh replace 10.0.1.15 dev eth0 use
ip -n h neigh replace 10.0.1.1 dev eth0 use
sleep 0.3
ip -n h neigh
sleep 3.3
ip -n h neigh
sleep 5.3
kill %1 %2
wait
sort -u told
sort -u eth0.cap
