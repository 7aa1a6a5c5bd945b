# needs: uml
# runs: by bash alone
# covers: traffic bridge
# VLAN filtering: who is in which VLAN, what the ports send with which tags, and the forwarding database by VLAN.
begin() {
    { set +x; } 2>/dev/null; W= C=$(mktemp -d)
    for p; do command ip netns exec sw tcpdump -l -e -n -t -i $p >"$C/$p" 2>/dev/null & W="$W $!"; done
    sleep 2; set -x
}
finish() {
    { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W 2>/dev/null || :
    for p in "$C"/*; do echo "--- ${p##*/}"; grep -a . "$p"; done; rm -r "$C"; set -x
}
ip netns add sw
for i in 1 2 3 4; do
    ip netns add h$i
    ip link add eth0 netns h$i address 02:00:00:00:00:0$i type veth peer name p$i netns sw address 02:00:00:00:01:0$i
    ip -n h$i link set eth0 up
    ip -n h$i addr add 10.0.0.$i/24 dev eth0
done
ip -n sw link add br0 address 02:00:00:00:01:00 type bridge mcast_snooping 0 vlan_filtering 1
ip -n sw link set br0 up
for i in 1 2 3 4; do
    ip -n sw link set p$i master br0 up
done
sleep 2
bridge -n sw vlan
bridge -n sw -j vlan
bridge -n sw fdb show br br0
ip netns exec h1 ping -c1 -W1 10.0.0.2
bridge -n sw fdb show dynamic
sleep 8
# Port 1 and 2 in VLAN 10, port 3 a trunk, port 4 stays.
bridge -n sw vlan add vid 10 dev p1 pvid untagged
bridge -n sw vlan add vid 10 dev p2 pvid untagged
bridge -n sw vlan add vid 10 dev p3
bridge -n sw vlan add vid 20-25 dev p3
bridge -n sw vlan del vid 1 dev p1
bridge -n sw vlan
bridge -n sw -c vlan
bridge -n sw -d vlan
bridge -n sw -j -p -d vlan show dev p3
bridge -n sw vlan show vid 10
bridge -n sw vlan show vid 22 dev p3
bridge -n sw -c vlan show vid 22
bridge -n sw fdb show br br0
ip -n h3 link add link eth0 name eth0.10 type vlan id 10
ip -n h3 link set eth0.10 up
ip -n h3 addr add 10.0.0.30/24 dev eth0.10
sleep 2
begin p1 p2 p3 p4 'br0 -p'
ip netns exec h1 ping -c1 -W1 10.0.0.2
sleep 7
ip netns exec h1 ping -c1 -W1 10.0.0.30
sleep 4
ip netns exec h1 ping -c1 -W1 10.0.0.4
sleep 4
ip netns exec h4 ping -c1 -W1 10.0.0.3
sleep 7
finish
bridge -n sw fdb show dynamic
# The bridge device's own VLANs.
bridge -n sw vlan add vid 10 dev br0 self
ip -n sw link add link br0 name br0.10 type vlan id 10
ip -n sw link set br0.10 up
ip -n sw addr add 10.0.0.100/24 dev br0.10
sleep 2
bridge -n sw vlan show dev br0
bridge -n sw fdb show br br0
ip netns exec h1 ping -c1 -W1 10.0.0.100
ip netns exec sw ping -c1 -W1 10.0.0.2
bridge -n sw vlan add vid 10 dev br0 self pvid untagged
bridge -n sw vlan show dev br0
ip netns exec h1 ping -c1 -W1 10.0.0.100
bridge -n sw vlan del vid 10 dev br0 self
bridge -n sw vlan show dev br0
ip -n sw link set br0 type bridge vlan_filtering 0
ip netns exec h1 ping -c1 -W1 10.0.0.4
bridge -n sw vlan
ip -n sw link set br0 type bridge mcast_snooping 0 vlan_filtering 1
ip netns exec h1 ping -c1 -W1 10.0.0.4
ip -n sw link set p3 nomaster
bridge -n sw vlan
bridge -n sw vlan global
ip -n sw link set p3 master br0
bridge -n sw vlan show dev p3
sleep 8
for n in sw h1 h2 h3 h4; do
    ip -n $n -s link
done
ip -n sw -d link show br0
bridge -n sw -d link
