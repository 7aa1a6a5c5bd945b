# What generated scenarios of bridges and VLANs once found, and the emulation had otherwise.
# needs: uml
for n in sw h1 h2; do ip netns add $n; done
ip -n sw link add br0 address 02:00:00:00:00:03 type bridge
ip -n sw link set br0 up
sleep 2.3
for i in 1 2; do
    ip link add eth0 netns h$i address 02:00:00:00:00:0$i type veth peer name p$i netns sw address 02:00:00:00:01:0$i
    ip -n h$i link set eth0 up
    ip -n sw link set p$i up
    ip -n sw link set p$i master br0
    ip -n h$i addr add 10.0.0.$i/24 dev eth0
done
ip -n sw addr add 10.0.0.3/24 dev br0
sleep 1.5
# What the bridge itself sends to an address that is said to be a port's own leaves by that port.
bridge -n sw fdb append 02:00:00:00:00:02 dev p1 master
ip netns exec h1 tcpdump -l -e -n -t -i eth0 >h1 2>/dev/null &
sleep 0.5
ip netns exec h2 ping -c1 -W0.31 10.0.0.3
sleep 3.6
kill %1
wait
cat h1
bridge -n sw fdb del 02:00:00:00:00:02 dev p1 master
# arping on a port does not see what the bridge has taken.
ip -n sw addr add 10.0.0.4/32 dev p1
ip netns exec sw arping -c1 -w1 -I p1 10.0.0.1
# Without reorder_hdr a tag that is there already counts as the device's own.
ip -n h1 link add link eth0 name w1 type vlan id 1 reorder_hdr off
ip -n h1 link set w1 up
ip -n h1 link add link w1 name q1 type vlan id 2
ip -n h1 link set q1 up
ip -n h1 addr add 10.0.2.1/24 dev q1
ip -n h2 link add link eth0 name w1 type vlan id 2
ip -n h2 link set w1 up
ip -n h2 addr add 10.0.2.2/24 dev w1
ip netns exec h1 ping -c1 -W0.31 10.0.2.2
sleep 3.6
ip -n h1 -s link
ip -n h2 -s link
# A port that was disabled by hand forgets when it goes down.
bridge -n sw link set dev p2 state 0
bridge -n sw fdb show dev p2
ip -n sw link set p2 down
bridge -n sw fdb show dev p2
