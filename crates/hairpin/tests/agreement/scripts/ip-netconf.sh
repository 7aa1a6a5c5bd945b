# needs: uml
# ipv6: on
# runs: with the real programs
# The IP settings of devices in one list.
ip netns add a
ip -n a link add v0 type veth peer name v1
ip -n a link set lo up
ip netns exec a sysctl -w net.ipv4.conf.v0.rp_filter=1
ip netns exec a sysctl -w net.ipv4.conf.v1.rp_filter=2
ip netns exec a sysctl -w net.ipv4.conf.default.proxy_arp=1
ip netns exec a sysctl -w net.ipv6.conf.v1.proxy_ndp=1
ip netns exec a sysctl -w net.ipv6.conf.all.forwarding=1
ip -n a netconf
ip -n a netconf show dev v1
ip -n a -4 netconf
ip -n a -6 netconf show
ip -n a -j netconf show dev v0
ip -n a netconf show none
ip -n a netconf show dev none
ip -n a netconf lst
ip -n a netconf of
ip netconf help
