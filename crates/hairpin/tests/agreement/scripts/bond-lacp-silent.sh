# A bond of 802.3ad whose partner falls silent: what is sent while no port may send.
# needs: uml
ip netns add a; ip netns add b
for n in 1 2; do
    ip link add e$n netns a address 02:00:00:00:00:0$n type veth peer name p$n netns b address 02:00:00:00:01:0$n
done
ip -n a link add bond0 type bond mode 802.3ad miimon 100 lacp_rate fast min_links 1
ip -n b link add bond1 type bond mode 802.3ad miimon 100 lacp_rate slow min_links 1
for n in 1 2; do ip -n a link set e$n master bond0; ip -n b link set p$n master bond1; done
ip -n a link set bond0 up
ip -n b link set bond1 up
ip -n a addr add 10.0.1.1/24 dev bond0
ip -n b addr add 10.0.1.2/24 dev bond1
sleep 6.3
ip netns exec a ping -c1 -W0.31 10.0.1.2
ip -n b link set bond1 down
for again in 1 2 3 4 5 6 7 8; do
    ip netns exec a ping -c1 -W0.71 -b 10.0.1.255
    ip -n a -br link show bond0
done
ip -n a -s link show bond0
