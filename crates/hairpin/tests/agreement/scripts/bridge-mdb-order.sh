# needs: uml
# A port that goes down leaves its groups, the last one it joined first.
ip netns add sw
ip netns add h
ip -n sw link add br0 address 02:00:00:00:00:02 type bridge
ip -n sw link set br0 up
for number in 1 2; do
    ip link add eth$number netns h address 02:00:00:00:01:0$number type veth peer name p$number netns sw address 02:00:00:00:02:0$number
    ip -n h link set eth$number up
    ip -n sw link set p$number up
    ip -n sw link set p$number master br0
done
sleep 4.3
bridge -n sw mdb add dev br0 port p2 grp 239.1.1.3 temp
bridge -n sw mdb add dev br0 port p1 grp 239.1.1.2 temp
bridge -n sw mdb add dev br0 port p1 grp 239.1.1.3 temp
bridge -n sw mdb add dev br0 port p1 grp 239.1.1.1 temp
bridge -n sw mdb add dev br0 port p1 grp 239.1.1.4 permanent
bridge -n sw monitor mdb >told &
sleep 0.7
ip -n sw link set p1 down
sleep 1.3
kill %1
wait
cat told
