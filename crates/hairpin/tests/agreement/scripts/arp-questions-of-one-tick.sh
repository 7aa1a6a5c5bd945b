# needs: uml
# Three neighbours whose timers share a slot of the wheel: all are asked, the latest first, before an answer is heard.
for n in a b; do ip netns add $n; done
ip link add eth0 netns a address 02:00:00:00:00:01 type veth peer name eth0 netns b address 02:00:00:00:00:02
for n in a b; do ip -n $n link set eth0 up; done
ip -n a addr add 10.0.1.1/24 dev eth0
sleep 1.5
ip netns exec a tcpdump -l -e -n -t -i eth0 arp >seen 2>/dev/null &
sleep 0.7
for to in 10.0.1.2 10.0.1.3 10.0.1.4; do
    ip -n a neigh replace $to nud none use dev eth0
done
sleep 0.5
ip -n b addr add 10.0.1.2/24 dev eth0
ip -n b addr add 10.0.1.3/24 dev eth0
ip -n b addr add 10.0.1.4/24 dev eth0
sleep 4.3
kill %1
wait
cat seen
