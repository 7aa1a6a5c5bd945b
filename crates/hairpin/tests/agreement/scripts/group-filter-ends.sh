# needs: uml
# A macvlan and an ipvlan look at the last four bytes of a group's address: a frame for 03:00:00:00:00:01 is taken by
# who takes 33:33:00:00:00:01, and so is an answer that goes to a group because a group asked.
for n in k m i; do ip netns add $n; done
ip link add low netns m address 02:00:00:00:00:02 type veth peer name wire netns k address 02:00:00:00:00:01
ip -n k link set wire up
ip -n m link set low up
ip -n m link add m1 link low address 02:00:00:00:00:11 type macvlan mode bridge
ip -n m link add m2 link low address 02:00:00:00:00:12 type macvlan mode bridge
ip link add low netns i address 02:00:00:00:00:04 type veth peer name other netns k address 02:00:00:00:00:03
ip -n k link set other up
ip -n i link set low up
ip -n i link add i1 link low type ipvlan mode l2
ip -n i link add i2 link low type ipvlan mode l2
for n in m i; do
    for at in 1 2; do
        ip -n $n link set $n$at up
        ip -n $n addr add 10.0.$at.2/24 dev $n$at
    done
done
sleep 4
for device in wire other; do
    for group in 030000000001 05115e000001 333300000001 071122334455; do
        ip netns exec k inject $device ${group}020000aa000188b500000000000000000000000000000000000000000000000000000000000000000000000000000000
        sleep 0.1
        ip -n m -s link
        ip -n i -s link
    done
    ip netns exec k inject $device ffffffffffff030000000001080600010800060400010300000000010a0002090000000000000a000202000000000000000000000000000000000000
    sleep 0.1
    ip -n m -s link
    ip -n i -s link
done
