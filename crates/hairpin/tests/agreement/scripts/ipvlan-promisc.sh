# needs: uml
# Who captures while the mode changes leaves the device promiscuous.
for n in a b h; do ip netns add $n; done
ip link add low netns h address 02:00:00:00:00:01 type veth peer name wire netns b address 02:00:00:00:00:02
ip -n h link set low up
ip -n b link set wire up
for i in 1 2; do
    ip -n h link add link low name iv$i netns a type ipvlan mode l2
    ip -n a link set iv$i up
done
sleep 1.5
ip netns exec a tcpdump -l -n -t -i iv1 >cap 2>/dev/null &
sleep 0.7
ip -n a -d link show iv1
ip -n a link set iv1 type ipvlan mode l2 private
ip -n a -d link show iv1
ip -n a link set iv2 type ipvlan mode l3
ip -n a -d link
kill %1
wait
ip -n a -d link
ip -n a link set iv1 type ipvlan mode l3s
ip -n a -d link
ip -n a link set iv1 promisc off
ip -n a -d link
