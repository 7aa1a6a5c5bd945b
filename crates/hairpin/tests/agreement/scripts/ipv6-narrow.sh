# A link that was too narrow for IPv6, or comes from another namespace, begins with the settings of new ones.
# needs: uml
# ipv6: on
# runs: with the real programs
ip netns add a
ip netns add b
ip -n a link add d7 address 02:00:00:00:00:07 type dummy
ip -n a link set d7 up
ip netns exec a sysctl -w net.ipv6.conf.d7.accept_ra=2 net.ipv6.conf.d7.hop_limit=33 net.ipv6.conf.d7.disable_ipv6=1
ip -n a link set d7 addrgenmode none
ip -n a -d link show d7
ip -n a link set d7 mtu 1200
ip -n a -d link show d7
ip netns exec a sysctl net.ipv6.conf.d7.accept_ra
ip -n a -6 addr add 2001:db8::1/64 dev d7
ip -n a -6 route add 2001:db8:9::/64 dev d7
ip -n a -6 neigh add 2001:db8::2 lladdr 02:00:00:00:00:01 dev d7
ip -n a link set d7 mtu 1500
ip netns exec a sysctl net.ipv6.conf.d7.accept_ra net.ipv6.conf.d7.hop_limit net.ipv6.conf.d7.disable_ipv6
ip -n a -d link show d7
sleep 0.2
ip -n a -6 addr show d7
ip -n a -6 maddr show d7
ip netns exec a sysctl -w net.ipv6.conf.d7.accept_ra=2 net.ipv6.conf.d7.disable_ipv6=1 net.ipv6.neigh.d7.ucast_solicit=9
ip -n a link set d7 addrgenmode none
ip -n a link set d7 netns b
ip netns exec b sysctl net.ipv6.conf.d7.accept_ra net.ipv6.conf.d7.disable_ipv6 net.ipv6.neigh.d7.ucast_solicit
ip -n b -d link show d7
ip netns exec a sysctl -w net.ipv6.conf.default.addr_gen_mode=1
ip -n a link add d8 address 02:00:00:00:00:08 type dummy
ip -n a link add d9 address 02:00:00:00:00:09 mtu 1000 type dummy
ip -n a -d link
ip -n b link set d7 netns a
ip -n a -d link show d7
ip -n a link add v type veth peer name w
ip -n a link add vrf0 type vrf table 10
ip -n a link add link v name v.5 type vlan id 5
ip netns exec a grep -o 'priv_flags: .*' /proc/net/vlan/v.5
ip -n a link set v.5 master vrf0
ip netns exec a grep -o 'priv_flags: .*' /proc/net/vlan/v.5
