# needs: uml
# runs: by bash alone
# ipvlans in mode l3s with each flag: siblings, the device below, and the world outside; what each device sees.
MODE=l3s
N="ip netns exec"
ALL="a.iv1 b.iv2 h.low o.wire"
declare -A shown
begin() {
    { set +x; } 2>/dev/null
    W= C=$(mktemp -d)
    for p in $ALL; do
        shown[$p]=0
        : >$C/$p.err
        $N ${p%.*} tcpdump -p --immediate-mode -l -e -n -t -i ${p#*.} >$C/$p 2>$C/$p.err & W="$W $!"
    done
    for p in $ALL; do until read -r -d '' text <$C/$p.err; [[ $text == *listening* ]]; do sleep 0.1; done; done
    set -x
}
# The frames on all devices while a command runs, each once: how often a question is asked again hangs on how long
# programs take. Then nobody knows anybody any more.
seen() {
    "$@"
    { set +x; } 2>/dev/null
    sleep 0.2
    for n in a b h o; do ip -n $n neigh flush all; done
    for p in $ALL; do
        echo "--- $p"
        mapfile -t -s ${shown[$p]} lines <$C/$p
        (( shown[$p] += ${#lines[@]} ))
        local -A known=()
        for line in "${lines[@]}"; do
            [[ $line =~ ^(.*),\ id\ [0-9]+(.*)$ ]] && line=${BASH_REMATCH[1]}${BASH_REMATCH[2]}
            [ -n "${known[$line]}" ] || echo "$line"
            known[$line]=1
        done
    done
    set -x
}
for n in h o a b; do ip netns add $n; ip -n $n link set lo up; done
ip link add low netns h address 02:00:00:00:00:01 type veth peer name wire netns o address 02:00:00:00:00:02
ip -n h link set low up
ip -n o link set wire up
ip -n o addr add 10.0.0.2/24 dev wire
ip -n o addr add 10.7.0.1/24 dev wire
ip -n o route add 10.5.0.0/24 via 10.0.0.1
ip -n o neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev wire
ip -n h addr add 10.0.0.1/24 dev low
ip -n h route add 10.7.0.0/24 via 10.0.0.2
ip -n h link add link low name iv1 netns a type ipvlan mode $MODE
ip -n h link add link low name iv2 netns b type ipvlan mode $MODE
ip -n a addr add 10.0.0.10/24 dev iv1
ip -n b addr add 10.0.0.11/24 dev iv2
ip -n a addr add 10.5.0.10/32 dev iv1
ip -n a link set iv1 up
ip -n b link set iv2 up
ip -n a route add default dev iv1
ip -n b route add default dev iv2
begin
for flag in bridge private vepa; do
    ip -n a link set iv1 type ipvlan $flag
    seen $N a ping -c1 -W0.4 10.0.0.11
    seen $N a ping -c1 -W0.4 10.0.0.1
    seen $N a ping -c1 -W0.4 10.0.0.2
    seen $N o ping -c1 -W0.4 10.0.0.10
    seen $N h ping -c1 -W0.4 10.0.0.10
    seen $N a ping -c1 -W0.4 -b 10.0.0.255
    seen $N a ping -c1 -W0.4 -I 10.5.0.10 10.7.0.1
    seen $N o ping -c1 -W0.4 10.5.0.10
    seen $N a ping -c1 -W0.4 9.9.9.9
done
{ set +x; } 2>/dev/null
kill $W; wait $W
rm -r $C
