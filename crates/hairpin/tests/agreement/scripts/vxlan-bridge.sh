# needs: uml
# Three hosts with bridges over vxlan: a group below, then a list of remotes; and a vxlan device moved into a container.
for h in h1 h2 h3 sw c1 c2; do ip netns add $h; done
ip -n sw link add br0 type bridge mcast_snooping 0
ip -n sw link set br0 up
for i in 1 2 3; do
    ip link add u0 netns h$i address 02:00:00:00:01:0$i type veth peer name p$i netns sw
    ip -n sw link set p$i master br0 up
    ip -n h$i link set u0 up
    ip -n h$i addr add 192.168.0.$i/24 dev u0
    ip -n h$i link add vx0 address 02:00:00:00:02:0$i type vxlan id 10 group 239.1.1.1 dev u0 dstport 4789 srcport 50000 50001
    ip -n h$i link add br0 type bridge mcast_snooping 0
    ip -n h$i link set br0 address 02:00:00:00:03:0$i
    ip -n h$i link set vx0 master br0
    ip -n h$i link set vx0 up
    ip -n h$i link set br0 up
    ip -n h$i addr add 10.0.0.$i/24 dev br0
done
sleep 3
N="ip netns exec"
begin() {
    { set +x; } 2>/dev/null; W= C=$(mktemp -d)
    for p in $*; do $N ${p%.*} tcpdump -l -e -n -t $V -i ${p#*.} >$C/$p.cap 2>/dev/null & W="$W $!"; done
    sleep 1.5; set -x
}
finish() {
    { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W
    for p in $*; do echo "--- $p"; sed -E 's/ id [0-9]+, (offset|ttl)/ \1/; s/ifindex [0-9]+ //' $C/$p.cap | grep -av igmp | grep -a . ; done; rm -r $C; set -x
}
begin h1.any h2.any h3.any
$N h1 ping -c1 -W1 10.0.0.2
ip -n h1 -s link show vx0
finish h1.any h2.any h3.any
for h in h1 h2 h3; do bridge -n $h fdb show dev vx0; done
bridge -n h1 fdb show dev u0
ip -n h1 -d link show vx0
bridge -n h1 -d link show dev vx0
# A list of remotes in place of the group.
for i in 1 2 3; do
    ip -n h$i link del vx0
    ip -n h$i link add vx0 address 02:00:00:00:02:0$i type vxlan id 10 local 192.168.0.$i dstport 4789 srcport 50000 50001 nolearning
    ip -n h$i link set vx0 master br0
    ip -n h$i link set vx0 up
    for j in 1 2 3; do
        test $i = $j || bridge -n h$i fdb append 00:00:00:00:00:00 dev vx0 dst 192.168.0.$j
    done
    ip -n h$i neigh flush dev br0
done
sleep 1
begin h1.u0
$N h1 ping -c1 -W1 10.0.0.2
finish h1.u0
bridge -n h1 fdb show dev vx0
for h in h1 h2; do for i in 1 2; do ip -n $h neigh replace 192.168.0.$i lladdr 02:00:00:00:01:0$i dev u0; done; done
# Containers: the devices move, their packets go on through the hosts.
ip -n h1 link add vxc type vxlan id 20 remote 192.168.0.2 dev u0 dstport 4789 srcport 50000 50001
ip -n h2 link add vxc type vxlan id 20 remote 192.168.0.1 dev u0 dstport 4789 srcport 50000 50001
ip -n h1 link set vxc address 02:00:00:00:04:01 netns c1
ip -n h2 link set vxc address 02:00:00:00:04:02 netns c2
for i in 1 2; do
    ip -n c$i link set vxc up
    ip -n c$i addr add 10.20.0.$i/24 dev vxc
done
begin h1.any c1.any
$N c1 ping -c1 -W1 10.20.0.2
finish h1.any c1.any
ip -n c1 -d link show vxc
bridge -n c1 fdb show dev vxc
ip -n h1 link del u0
ip -n c1 -br link
