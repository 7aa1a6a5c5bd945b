# covers: traffic macvlan
# Macvlans in vepa mode: siblings, the device below, and the world outside.
# differs after 6.1: a lower device in another namespace makes no LOWERLAYERDOWN
# lines: ^3: mv1@if2: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1400 qdisc noqueue state (DOWN|LOWERLAYERDOWN)
# differs after 6.1: what a device that is down is given to send counts as dropped
# lines: ^             0       0      0       [0-9]       0       0 $
ip netns add out
ip netns add host
ip netns add a
ip netns add b
ip link add low netns host address 02:00:00:00:00:01 type veth peer name wire netns out address 02:00:00:00:00:02
ip -n host link set low up
ip -n out link set wire up
ip -n out addr add 10.0.0.2/24 dev wire
ip -n host addr add 10.0.0.1/24 dev low
ip -n host link add link low name mv1 address 02:00:00:00:00:0a type macvlan mode vepa
ip -n host link add link low name mv2 address 02:00:00:00:00:0b type macvlan mode vepa
ip -n host -d link
ip -n host link set mv1 netns a
ip -n host link set mv2 netns b
ip -n a addr add 10.0.0.10/24 dev mv1
ip -n b addr add 10.0.0.11/24 dev mv2
ip -n a link set mv1 up
ip -n b link set mv2 up
sleep 1.5
ip -n a -d link show mv1
ip -n host -d link show low
bridge -n host fdb
bridge -n a fdb
ip netns exec a ping -c1 -W1 10.0.0.11
ip netns exec a ping -c1 -W1 10.0.0.1
ip netns exec a ping -c1 -W1 10.0.0.2
ip netns exec out ping -c1 -W1 10.0.0.10
ip netns exec host ping -c1 -W1 10.0.0.11
# In the middle between two retries of ARP, so that none of them races with the change.
sleep 0.4
ip -n a link set mv1 type macvlan macaddr add 02:00:00:00:00:02
ip -n b link set mv2 type macvlan macaddr set 02:00:00:00:00:02 02:00:00:00:00:0a
ip -n a -d link show mv1
ip netns exec out ping -c1 -W1 10.0.0.10
ip -n a link set mv1 type macvlan mode bridge
ip -n b link set mv2 type macvlan mode private
ip -n b link set mv2 type macvlan mode passthru
ip netns exec a ping -c1 -W1 10.0.0.11
sleep 0.4
ip -n a link set mv1 promisc on
ip -n host -d link show low
ip -n a link set mv1 promisc off
ip -n a link set mv1 address 02:00:00:00:00:0b
ip -n a link set mv1 address 02:00:00:00:00:1a
sleep 7
ip -n host link set low mtu 1400
ip -n a link show mv1
ip -n a link set mv1 mtu 1500
ip -n host link set low down
sleep 1.2
ip -n a link show mv1
ip -n a route
ip -n host link set low up
sleep 5
for n in host a b out; do
    ip -n $n neigh
    ip -n $n -s link
done
ip -n out link del wire
ip -n a link
ip -n b link
