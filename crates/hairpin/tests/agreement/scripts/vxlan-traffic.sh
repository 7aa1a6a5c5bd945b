# needs: uml
# covers: traffic vxlan
# Two hosts over vxlan: frames on the device and below, learning and its end, what does not come through.
ip netns add a
ip netns add b
ip link add u0 netns a address 02:00:00:00:00:31 type veth peer name u1 netns b address 02:00:00:00:00:32
ip -n a link set u0 up
ip -n b link set u1 up
ip -n a addr add 192.168.0.1/24 dev u0
ip -n b addr add 192.168.0.2/24 dev u1
N="ip netns exec"
begin() {
    { set +x; } 2>/dev/null; W= C=$(mktemp -d)
    for p in $*; do $N ${p%.*} tcpdump -l -e -n -t $V -i ${p#*.} >$C/$p.cap 2>/dev/null & W="$W $!"; done
    sleep 2.5; set -x
}
finish() {
    { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W
    for p in $*; do echo "--- $p"; sed -E 's/ id [0-9]+, (offset|ttl)/ \1/; s/ifindex [0-9]+ //' $C/$p.cap | grep -a . ; done; rm -r $C; set -x
}
ip -n a link add vx0 address 02:00:00:00:00:41 type vxlan id 4 remote 192.168.0.2 dstport 4789 srcport 50000 50001
ip -n b link add vx0 address 02:00:00:00:00:42 type vxlan id 4 remote 192.168.0.1 dstport 4789 srcport 50000 50001 ageing 11
ip -n a link set vx0 up
ip -n b link set vx0 up
ip -n a addr add 10.3.0.1/24 dev vx0
ip -n b addr add 10.3.0.2/24 dev vx0
sleep 1
begin a.any b.any
$N a ping -c1 -W1 10.3.0.2
finish a.any b.any
bridge -n a fdb show dev vx0
bridge -n b fdb show dev vx0
ip -n a neigh
ip -n a -s link show vx0
ip -n b -s link show vx0
ip -n a neigh replace 192.168.0.2 lladdr 02:00:00:00:00:32 dev u0
ip -n b neigh replace 192.168.0.1 lladdr 02:00:00:00:00:31 dev u1
sleep 6
V=-v
begin a.u0 a.vx0
$N a ping -c1 -W1 -Q 0x28 10.3.0.2
$N a ping -s 1450 -c2 -W1 10.3.0.2
finish a.u0 a.vx0
V=
ip -n a route get 10.3.0.2
$N a ping -c1 -W1 -s 1423 -M do 10.3.0.2
$N a ping -c1 -W1 -s 1422 -M do 10.3.0.2
ip -n a -s link show vx0
ip -n b -s link show vx0
sleep 22
bridge -n b fdb show dev vx0
