# needs: uml
# runs: by bash alone
# covers: traffic gre gretap ipip
# Packets through gre, ipip, gretap and geneve: on the tunnel and below it, long ones, and those that do not fit.
# (The checksum of GRE is left to a card in Linux, so that captures show none.)
# with: tunnels-three-hosts.part
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
