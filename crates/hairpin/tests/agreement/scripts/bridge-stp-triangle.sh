# needs: uml
# runs: by bash alone
# Three bridges in a ring with the default times: at rest after 30 s, and again after the root is gone.
begin() {
    { set +x; } 2>/dev/null; W= C=$(mktemp -d)
    for p; do command ip netns exec sw tcpdump -l -e -n -v -t -i $p >"$C/$p" 2>/dev/null & W="$W $!"; done
    sleep 2; set -x
}
finish() {
    { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W 2>/dev/null || :
    for p in "$C"/*; do echo "--- ${p##*/}"; grep -a . "$p" | sed -E 's/message-age [0-9.]+s/message-age N/' | sort -u; done; rm -r "$C"; set -x
}
# What a pipe prints of its commands first is chance.
showstp() {
    { set +x; } 2>/dev/null; ip netns exec sw brctl showstp $1 >stp; grep -v timer stp; set -x
}
ip netns add sw
for i in 1 2 3; do
    ip netns add h$i
    ip -n sw link add br$i address 02:00:00:00:01:0$i type bridge stp_state 1 mcast_snooping 0
    ip link add eth0 netns h$i address 02:00:00:00:00:0$i type veth peer name p$i netns sw address 02:00:00:00:02:0$i
    ip -n h$i link set eth0 up
    ip -n h$i addr add 10.0.0.$i/24 dev eth0
    ip -n sw link set p$i master br$i up
done
join() {
    ip -n sw link add r$1$2 address 02:00:00:00:03:$1$2 type veth peer name r$2$1 address 02:00:00:00:03:$2$1
    ip -n sw link set r$1$2 master br$1 up
    ip -n sw link set r$2$1 master br$2 up
}
join 1 2
join 2 3
join 3 1
for i in 1 2 3; do
    ip -n sw link set br$i up
done
sleep 33
bridge -n sw link
for i in 2 3; do
    ip netns exec h1 ping -c1 -W1 10.0.0.$i
done
ip netns exec h2 ping -c1 -W1 10.0.0.3
bridge -n sw fdb show dynamic >fdb
sort fdb
ip -n sw -d link show br3
sleep 40
ip -n sw -d link show br3
begin r12 r32
sleep 7
finish
ip -n sw link set br1 down
sleep 55
bridge -n sw link
showstp br3
ip netns exec h2 ping -c1 -W1 10.0.0.3
