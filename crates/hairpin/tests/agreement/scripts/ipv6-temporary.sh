# runs: by bash alone
# Temporary addresses beside one that manages them: made, preferred, replaced, gone.
ip netns add A
v6 A
ip -n A link set lo up
ip -n A link add a0 address 02:00:00:00:00:01 type veth peer name a1 address 02:00:00:00:00:02
ip netns exec A sysctl -w net.ipv6.conf.a0.use_tempaddr=2 net.ipv6.conf.a0.max_desync_factor=0
ip -n A link set a0 up
ip -n A link set a1 up
sleep 2.5
# Their identifiers are of chance.
shown() {
    { set +x; } 2>/dev/null; ip -n A -6 addr show dev a0 scope global >addresses
    sed -E 's/inet6 [0-9a-f:]+(.64 scope global.* temporary)/inet6 RANDOM\1/; s/inet6 [0-9a-f:]+(.64 scope global temporary)/inet6 RANDOM\1/' addresses; set -x
}
ip -n A addr add 2001:db8::1/64 dev a0 mngtmpaddr
shown
sleep 2.5
shown
ip -n A -6 route get 2001:db8::2 | sed -E 's/src 2001:db8::[0-9a-f]+:[0-9a-f:]+/src RANDOM/'
ip -n A addr del 2001:db8::1/64 dev a0 mngtmpaddr
sleep 1
shown
# For a time.
ip netns exec A sysctl -w net.ipv6.conf.a0.temp_prefered_lft=20 net.ipv6.conf.a0.temp_valid_lft=30
ip -n A addr add 2001:db8:1::1/64 dev a0 mngtmpaddr
sleep 2.5
shown
# The first one is deprecated by now and has a successor, which will have none.
sleep 20.3
shown
ip netns exec A sysctl -w net.ipv6.conf.a0.use_tempaddr=0
sleep 9
shown
ip netns exec A sysctl -w net.ipv6.conf.a0.use_tempaddr=2
# What lives shorter has none for longer.
ip -n A addr del 2001:db8:1::1/64 dev a0 mngtmpaddr
ip -n A addr add 2001:db8:2::1/64 dev a0 mngtmpaddr valid_lft 30 preferred_lft 12
sleep 2.5
shown
sleep 12
shown
ip netns exec A sysctl -w net.ipv6.conf.a0.use_tempaddr=0
ip -n A addr add 2001:db8:3::1/64 dev a0 mngtmpaddr
sleep 2.5
shown
