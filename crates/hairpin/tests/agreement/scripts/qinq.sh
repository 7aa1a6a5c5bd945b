# needs: uml
# runs: by bash alone
# covers: dumps vlan
# covers: traffic vlan
# Stacked tags: 802.1ad over 802.1Q, through a bridge of either protocol.
begin() {
    { set +x; } 2>/dev/null; W= C=$(mktemp -d)
    for p; do command ip netns exec sw tcpdump -l -e -n -t -i $p >"$C/$p" 2>/dev/null & W="$W $!"; done
    sleep 2; set -x
}
# When neighbours are asked for again hangs on how long programs take: of the order nothing is said.
finish() {
    { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W 2>/dev/null || :
    for p in "$C"/*; do echo "--- ${p##*/}"; sed -E 's/ id [0-9]+,//' "$p" | sort | uniq -c; done; rm -r "$C"; set -x
}
ip netns add sw
for i in 1 2; do
    ip netns add h$i
    ip link add eth0 netns h$i address 02:00:00:00:00:0$i type veth peer name p$i netns sw address 02:00:00:00:01:0$i
    ip -n h$i link set eth0 up
    ip -n h$i link add link eth0 name s5 type vlan proto 802.1ad id 5
    ip -n h$i link add link s5 name c7 type vlan id 7
    ip -n h$i link add link eth0 name q5 type vlan id 5
    ip -n h$i link set s5 up
    ip -n h$i link set c7 up
    ip -n h$i link set q5 up
    ip -n h$i addr add 10.0.0.$i/24 dev eth0
    ip -n h$i addr add 10.0.5.$i/24 dev s5
    ip -n h$i addr add 10.0.7.$i/24 dev c7
    ip -n h$i addr add 10.0.55.$i/24 dev q5
done
ip -n h1 -d link show s5
ip -n h1 -d -j link show c7 >json
sed 's/"num_rx_queues":1,//' json
ip -n h1 link add link eth0 name twice type vlan proto 802.1ad id 5
ip -n h1 link add link eth0 name bad type vlan proto 0x1234 id 5
ip -n sw link add br0 address 02:00:00:00:01:00 type bridge mcast_snooping 0
ip -n sw link set br0 up
for i in 1 2; do
    ip -n sw link set p$i master br0 up
done
sleep 2
traffic() {
    begin p1 p2
    for net in 10.0.0 10.0.5 10.0.7 10.0.55; do
        ip netns exec h1 ping -c1 -W1 $net.2
    done
    sleep 7
    finish
    for i in 1 2; do
        for d in eth0 s5 c7 q5; do
            ip -n h$i neigh flush dev $d
        done
    done
    bridge -n sw fdb show br br0 dynamic
}
traffic
ip -n sw link set br0 type bridge mcast_snooping 0 vlan_filtering 1
traffic
bridge -n sw vlan add vid 5 dev p1
bridge -n sw vlan add vid 5 dev p2
traffic
ip -n sw link set br0 type bridge vlan_protocol 802.1ad
ip -n sw -d link show br0
traffic
bridge -n sw vlan del vid 1 dev p2
traffic
for i in 1 2; do
    ip -n h$i -s link
done
ip -n sw -s link
