# needs: uml
# A bond announces its addresses again when it next looks at its slaves, and finds then that the last one has lost its link:
# what it says is captured on the bond, and dropped.
ip netns add a
ip netns add sw
ip link add e1 netns a address 02:00:00:00:00:02 type veth peer name p1 netns sw address 02:00:00:00:00:03
ip link add e2 netns a address 02:00:00:00:00:04 type veth peer name p2 netns sw address 02:00:00:00:00:05
ip -n a link add bond0 type bond mode active-backup miimon 1000 num_grat_arp 3
ip -n a link set e1 master bond0
ip -n a link set e2 master bond0
ip -n sw link set p1 up
ip -n sw link set p2 up
ip -n a link set bond0 up
sleep 8.3
ip -n a addr add 10.0.1.3/24 dev bond0
ip netns exec a cat /proc/net/bonding/bond0
ip netns exec a tcpdump -l -e -n -t -i bond0 arp >bond0.cap 2>/dev/null &
ip netns exec a tcpdump -l -e -n -t -i e2 arp >e2.cap 2>/dev/null &
sleep 0.7
ip -n a link set e1 nomaster
ip -n sw link set p2 down
sleep 4.3
ip netns exec a cat /proc/net/bonding/bond0
ip -n a -s link show bond0
# The link is back: all three of them.
ip -n sw link set p2 up
sleep 5.3
kill %1 %2
wait
cat bond0.cap
cat e2.cap
ip -n a -s link show bond0
