# needs: uml
# Settings of IPv4 that change, and addresses whose device has another name: those who listen are told.
ip netns add n
ip -n n link add d1 address 02:00:00:00:00:01 type dummy
ip -n n addr add 10.0.1.1/24 dev d1
ip -n n addr add 10.0.2.1/24 dev d1 label d1:two
sleep 1.3
ip -n n monitor netconf >settings &
ip -n n monitor address >addresses &
sleep 0.7
for setting in rp_filter proxy_arp forwarding ignore_routes_with_linkdown bc_forwarding accept_local; do
    ip netns exec n sysctl -w net.ipv4.conf.d1.$setting=1
    ip netns exec n sysctl -w net.ipv4.conf.d1.$setting=1
done
ip netns exec n sysctl -w net.ipv4.conf.default.proxy_arp=1
ip netns exec n sysctl -w net.ipv4.conf.default.forwarding=1
ip netns exec n sysctl -w net.ipv4.conf.all.rp_filter=2
ip netns exec n sysctl -w net.ipv4.ip_forward=1
ip netns exec n sysctl -w net.ipv4.conf.all.forwarding=0
ip -n n link set d1 name d9
sleep 0.7
kill %1 %2
wait
cat settings
cat addresses
# Too short for IPv6, too short for IPv4 as well, and long enough again.
ip -n n monitor netconf >settings &
sleep 0.7
for mtu in 1000 67 1000 1500; do
    ip -n n link set d9 mtu $mtu
done
ip -n n link del d9
sleep 0.7
kill %3
wait
sort -u settings
