# needs: uml
# A port with a guard goes out of use by whatever begins as a BPDU: cut short or of an unknown type, but not one of another
# version, nor while the bridge takes no part in the tree.
for n in sw h; do ip netns add $n; done
ip -n sw link add br0 address 02:00:00:00:00:10 type bridge stp_state 1 forward_delay 200 mcast_snooping 0
ip link add e1 netns h address 02:00:00:00:00:01 type veth peer name p1 netns sw address 02:00:00:00:00:02
ip -n h link set e1 up
ip -n sw link set p1 master br0
ip -n sw link set p1 up
ip -n sw link set br0 up
bridge -n sw link set dev p1 guard on
sleep 6.3
for payload in 0003424203 0006424203000000 000742420300000280 000742420300000081 0014424203000000000070000200000000aa0200 000742420300000080; do
    ip netns exec h inject e1 0180c2000000020000000001${payload}00000000000000000000000000000000000000000000000000000000000000000000
    sleep 0.3
    bridge -n sw link
    ip -n sw link set p1 down
    ip -n sw link set p1 up
    sleep 6.3
    bridge -n sw link
done
ip -n sw link set br0 type bridge stp_state 0
ip netns exec h inject e1 0180c200000002000000000100074242030000008000000000000000000000000000000000000000000000000000000000000000000000
sleep 0.3
bridge -n sw link
