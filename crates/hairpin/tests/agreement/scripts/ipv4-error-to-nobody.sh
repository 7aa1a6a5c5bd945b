# An error about a packet that went out without a source address comes back to this host by its loopback.
ip netns add a
ip netns add b
ip link add v0 netns a address 02:00:00:00:00:01 type veth peer name v1 netns b address 02:00:00:00:00:02
ip -n a link set v0 up
ip -n b link set v1 up
ip -n a link set lo up
sleep 1.5
ip netns exec a tcpdump -l -n -t -i lo >lo.cap 2>/dev/null &
sleep 0.7
ip netns exec a ping -c1 -W0.31 -I v0 10.0.1.3
ip -n a neigh
sleep 3.6
kill %1
wait
cat lo.cap
ip -n a -s link show lo
ip -n a neigh
