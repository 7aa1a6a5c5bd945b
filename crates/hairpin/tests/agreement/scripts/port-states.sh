# States of bridge ports, the MAC that a passthru macvlan leaves behind, and a veth that cannot pass a frame on.
ip link add br0 type bridge
ip link set br0 up
for i in 1 2; do
  ip link add p$i type veth peer name h$i
  ip link set p$i address 02:00:00:00:01:0$i
  ip link set h$i address 02:00:00:00:02:0$i
  ip link set p$i master br0
  ip link set p$i up
  ip link set h$i up
done
sleep 1.2
for state in 0 4 2 3 1 4 3; do
  echo "state $state"
  bridge link set dev p1 state $state
  bridge link show dev p1
  cat /sys/class/net/p1/brport/state
  sleep 1.2
  ip -br link show br0
done
bridge link set dev p1 state 5
bridge link set dev br0 state 3
ip link set h1 down
sleep 1.2
bridge link set dev p1 state 3
bridge link set dev p1 state 0
bridge link show dev p1

echo "passthru"
ip link add low type veth peer name wire
ip link set low address 02:00:00:00:00:01
ip link set low up
ip link set wire up
ip link add link low name p type macvlan mode passthru
ip link set p up
ip link set p address 02:00:00:00:00:aa
ip link del p
cat /sys/class/net/low/address
ip link add link low name p type macvlan mode passthru
ip link set p address 02:00:00:00:00:bb
cat /sys/class/net/low/address
ip link set low address 02:00:00:00:00:cc
cat /sys/class/net/p/address
ip link del p
cat /sys/class/net/low/address

echo "a peer that takes less"
ip netns add far
ip link add big type veth peer name small netns far
ip link set big mtu 9000
ip link set big up
ip addr add 10.0.0.1/24 dev big
ip -n far link set small up
ip -n far addr add 10.0.0.2/24 dev small
sleep 1.2
ping -c 1 -q 10.0.0.2 | grep loss
ping -c 1 -W 1 -s 4000 10.0.0.2 | grep loss
echo $?
cat /sys/class/net/big/statistics/tx_dropped
sysctl net.ipv4.icmp_msgs_per_sec net.ipv4.icmp_msgs_burst
ip netns exec far sysctl net.ipv4.icmp_msgs_per_sec
for d in big p1 low; do
  bridge fdb add 02:00:00:00:00:64 dev $d self static
  bridge fdb del 02:00:00:00:00:64 dev $d self dynamic
done
