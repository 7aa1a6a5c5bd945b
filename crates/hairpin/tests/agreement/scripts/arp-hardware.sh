# needs: uml
# ARP of Ethernet, of frames with a length (IEEE 802) and of something else: of the last nobody takes notice.
ip netns add h
ip netns add k
ip link add eth0 netns h address 02:00:00:00:00:02 type veth peer name eth0 netns k address 02:00:00:00:00:01
ip -n h link set eth0 up
ip -n k link set eth0 up
ip -n h addr add 10.0.0.2/24 dev eth0
sleep 1.3
ip netns exec k tcpdump -l -e -n -t -i eth0 arp >arp &
sleep 0.7
for kind in 1 6 7; do
    ip netns exec k inject eth0 ffffffffffff0200000000010806000${kind}08000604000102000000000${kind}0a00000${kind}0000000000000a000002
    sleep 0.3
    ip -n h neigh
done
kill %1
wait
cat arp
ip -n h -s link show dev eth0
