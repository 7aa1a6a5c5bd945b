# The group of all IPv6 nodes in a device's filter, with IPv6 on and off.
ip netns add n1
ip -n n1 link add v1 address 02:00:00:00:00:01 type veth peer name v2 address 02:00:00:00:00:02
bridge -n n1 fdb show dev v1
ip -n n1 link set v1 up
bridge -n n1 fdb show dev v1
ip -n n1 link set v1 down
bridge -n n1 fdb show dev v1
ip -n n1 link set v1 up
bridge -n n1 fdb show dev v1
ip netns exec n1 sh -c 'echo 0 >/proc/sys/net/ipv6/conf/v1/disable_ipv6'
bridge -n n1 fdb show dev v1
ip -n n1 link set v1 down
bridge -n n1 fdb show dev v1
ip -n n1 link set v1 up
bridge -n n1 fdb show dev v1
ip netns exec n1 sh -c 'echo 1 >/proc/sys/net/ipv6/conf/v1/disable_ipv6'
bridge -n n1 fdb show dev v1
ip -n n1 link set v1 down
bridge -n n1 fdb show dev v1
ip netns exec n1 sh -c 'echo 0 >/proc/sys/net/ipv6/conf/v1/disable_ipv6'
bridge -n n1 fdb show dev v1
ip -n n1 link set v1 up
bridge -n n1 fdb show dev v1
ip -n n1 link set v1 down
bridge -n n1 fdb show dev v1
ip -n n1 link set v1 mtu 1200
bridge -n n1 fdb show dev v1
ip -n n1 link set v1 mtu 1500
bridge -n n1 fdb show dev v1
