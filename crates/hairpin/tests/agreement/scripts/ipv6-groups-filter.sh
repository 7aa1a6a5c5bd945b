# When a device takes frames to the groups of IPv6: from its beginning on, and after it had IPv6 and lost it no more.
# needs: uml
ip netns add a; ip netns add b
ip link add v0 netns a address 02:00:00:00:00:01 type veth peer name v1 netns b address 02:00:00:00:00:02
ip -n a link add d0 address 02:00:00:00:00:03 type dummy
look() { ip netns exec a cat /proc/net/igmp6; ip netns exec a cat /proc/net/dev_mcast; bridge -n a fdb; }
look
ip -n a link set v0 up
ip -n a link set d0 up
look
ip -n a link set v0 down
look
ip -n a link set v0 up
look
ip netns exec a sysctl -w net.ipv6.conf.d0.disable_ipv6=1
look
ip netns exec a sysctl -w net.ipv6.conf.d0.disable_ipv6=0
look
ip netns exec a sysctl -w net.ipv6.conf.all.disable_ipv6=0
look
ip -n b link set v1 up
sleep 3.3
look
ip netns exec a sysctl -w net.ipv6.conf.all.disable_ipv6=1
look
ip -n a link set d0 down
look
ip -n a link set d0 up
look
ip netns exec a sysctl -w net.ipv6.conf.all.disable_ipv6=0
ip -n a addr add 2001:db8::1/64 dev d0
sleep 3.3
look
ip -n a link set d0 down
look
ip -n a link set d0 up
sleep 3.3
look
ip -n a link set d0 mtu 1000
look
