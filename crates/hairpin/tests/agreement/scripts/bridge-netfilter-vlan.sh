# needs: uml
# modules: br_netfilter
# ipv6: on
# Tagged frames pass rules by unless asked for; IPv6 has its own switch.
for n in A R B; do ip netns add $n; ip -n $n link set lo up; done
ip link add a0 netns A type veth peer name p0 netns R
ip link add b0 netns B type veth peer name p1 netns R
ip -n A link set a0 address 02:00:00:00:00:01 up
ip -n B link set b0 address 02:00:00:00:00:02 up
ip -n R link add br0 address 02:00:00:00:00:09 type bridge mcast_snooping 0
for p in p0 p1; do ip -n R link set $p master br0; ip -n R link set $p up; done
ip -n R link set br0 up
ip -n R link add link br0 name br0.5 type vlan id 5
ip -n R link set br0.5 up
add() {
    ip -n $1 link add link $2 name $2.5 type vlan id 5
    ip -n $1 link set $2.5 up
    ip -n $1 addr add 10.0.5.$3/24 dev $2.5
    ip -n $1 addr add 10.0.0.$3/24 dev $2
    ip -n $1 addr add 2001:db8::$3/64 dev $2 nodad
}
add A a0 1
add B b0 2
N="ip netns exec"
I="ip netns exec R iptables-legacy"
J="ip netns exec R ip6tables-legacy"
sleep 3
for i in br0 br0.5 p0; do $I -A FORWARD -i $i; done
$I -A FORWARD -o br0
$I -A FORWARD -j DROP
$J -A FORWARD -p icmpv6 --icmpv6-type echo-request -i br0 -j DROP
show() { $I -S -v; $I -Z; $J -S -v | grep DROP; $J -Z; }
ping_all() { $N A ping -c 1 -W 1 10.0.0.2; $N A ping -c 1 -W 1 10.0.5.2; $N A ping -c 1 -W 1 2001:db8::2; show; }
ping_all
$N R sysctl -w net.bridge.bridge-nf-filter-vlan-tagged=1
ping_all
$N R sysctl -w net.bridge.bridge-nf-pass-vlan-input-dev=1
ping_all
$N R sysctl -w net.bridge.bridge-nf-call-ip6tables=0
ping_all
$N R sysctl -w net.bridge.bridge-nf-call-iptables=0
ping_all
ip -n R link set br0 type bridge nf_call_ip6tables 1
ping_all
