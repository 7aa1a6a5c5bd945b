# needs: uml
# runs: by bash alone
# covers: traffic gre gretap ipip
# Packets through gre, ipip, gretap and geneve: on the tunnel and below it, long ones, and those that do not fit.
# (The checksum of GRE is left to a card in Linux, so that captures show none.)
ip netns add a
ip netns add b
ip netns add c
ip link add u0 netns a address 02:00:00:00:00:31 type veth peer name u1 netns b address 02:00:00:00:00:32
ip link add v0 netns c address 02:00:00:00:00:33 type veth peer name v1 netns a address 02:00:00:00:00:34
ip -n a link set u0 up
ip -n b link set u1 up
ip -n c link set v0 up
ip -n a link set v1 up
ip -n a addr add 192.168.0.1/24 dev u0
ip -n b addr add 192.168.0.2/24 dev u1
ip -n a addr add 10.8.0.1/24 dev v1
ip -n c addr add 10.8.0.2/24 dev v0
ip -n c route add default via 10.8.0.1
ip -n a neigh replace 192.168.0.2 lladdr 02:00:00:00:00:32 dev u0
ip -n b neigh replace 192.168.0.1 lladdr 02:00:00:00:00:31 dev u1
ip -n c neigh replace 10.8.0.1 lladdr 02:00:00:00:00:34 dev v0
ip -n a neigh replace 10.8.0.2 lladdr 02:00:00:00:00:33 dev v1
N="ip netns exec"
$N a sysctl -w net.ipv4.ip_forward=1
begin() {
    { set +x; } 2>/dev/null; W= C=$(mktemp -d)
    for p in $*; do $N ${p%.*} tcpdump -l -e -n -t -v -i ${p#*.} >$C/$p.cap 2>/dev/null & W="$W $!"; done
    sleep 2.5; set -x
}
finish() {
    { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W
    for p in $*; do echo "--- $p"; sed -E 's/ id [0-9]+, (offset|ttl)/ \1/; s/ifindex [0-9]+ //; s/ sum 0x[0-9a-f]+,//; s/192.168.0.([12]).[0-9]+ >/192.168.0.\1.P >/' $C/$p.cap | grep -a . ; done; rm -r $C; set -x
}
for k in "gre ttl 9 key 5" "gre seq csum tos inherit" "gre nopmtudisc" "ipip pmtudisc" "gretap pmtudisc" "geneve id 7"; do
    A="remote 192.168.0.2 local 192.168.0.1" B="remote 192.168.0.1 local 192.168.0.2"
    case $k in geneve*) A="remote 192.168.0.2" B="remote 192.168.0.1" ;; esac
    ip -n a link add t0 type ${k%% *} $A ${k#* }
    ip -n b link add t0 type ${k%% *} $B ${k#* }
    case $k in
    ge*|gretap*) ip -n a link set t0 address 02:00:00:00:00:41; ip -n b link set t0 address 02:00:00:00:00:42; P=1 ;;
    *) P= ;;
    esac
    ip -n a link set t0 up
    ip -n b link set t0 up
    ip -n a addr add 10.9.0.1/24 dev t0
    ip -n b addr add 10.9.0.2/24 dev t0
    ip -n b route add 10.8.0.0/24 via 10.9.0.1 dev t0
    if [ $P ]; then
        ip -n a neigh add 10.9.0.2 lladdr 02:00:00:00:00:42 dev t0
        ip -n b neigh add 10.9.0.1 lladdr 02:00:00:00:00:41 dev t0
    fi
    begin a.t0 a.u0
    $N a ping -c1 -W1 10.9.0.2
    $N a ping -c1 -W1 -Q 0x2a -s 1460 10.9.0.2
    $N a ping -c1 -W1 -M do -s 1460 10.9.0.2
    $N c ping -c1 -W1 -s 1460 10.9.0.2
    $N c ping -c2 -W1 -M do -s 1460 10.9.0.2
    finish a.t0 a.u0
    ip -n a route get 10.9.0.2
    ip -n a -s link show t0
    ip -n b -s link show t0
    ip -n c route flush cache
    ip -n a link del t0
    ip -n b link del t0
done
