# needs: uml
# ipv6: on
# covers: dumps vxlan geneve
# covers: traffic vxlan geneve
# vxlan and geneve over IPv6: what they say of themselves, what they refuse, packets on the device and below it.
ip netns add a
ip netns add b
ip link add u0 netns a address 02:00:00:00:00:31 type veth peer name u0 netns b address 02:00:00:00:00:32
ip -n a link set lo up
ip -n b link set lo up
ip -n a link set u0 up
ip -n b link set u0 up
ip -n a addr add 2001:db8::1/64 dev u0 nodad
ip -n b addr add 2001:db8::2/64 dev u0 nodad
sleep 4
ip netns exec a sysctl -qw net.ipv6.conf.default.disable_ipv6=1
ip netns exec b sysctl -qw net.ipv6.conf.default.disable_ipv6=1
ip -n a neigh replace 2001:db8::2 lladdr 02:00:00:00:00:32 dev u0
ip -n b neigh replace 2001:db8::1 lladdr 02:00:00:00:00:31 dev u0
ip -n a link add x type vxlan id 4 dstport 4789 remote 2001:db8::2 local 10.0.0.1
ip -n a link add x type vxlan id 4 dstport 4789 remote fe80::2
ip -n a link add x type vxlan id 4 dstport 4789 remote fe80::2 local 2001:db8::1 dev u0
ip -n a link add x type vxlan id 4 dstport 4789 group ff05::5
ip -n a link add x type vxlan id 4 dstport 4789 remote 10.0.0.1 flowlabel 5
ip -n a link add x type geneve id 4 remote fe80::2
ip -n a link add x type geneve id 4 remote ff05::5
for k in "vxlan id 4 dstport 4789" "vxlan id 4 dstport 4789 udp6zerocsumtx udp6zerocsumrx flowlabel 0x12345 ttl 7 tos inherit" "vxlan id 4 dstport 4789 udp6zerocsumtx" "geneve id 4" "geneve id 4 udp6zerocsumtx udp6zerocsumrx flowlabel 0x12345 ttl inherit"; do
    ip -n a link add t0 address 02:00:00:00:00:41 type $k remote 2001:db8::2
    ip -n b link add t0 address 02:00:00:00:00:42 type $k remote 2001:db8::1
    ip -n a -d link show t0
    ip -n a -d -j link show t0
    ip -n a link set t0 type vxlan remote 10.0.0.1
    ip -n a link set t0 type geneve remote 10.0.0.1
    ip -n a link set t0 up
    ip -n b link set t0 up
    ip -n a addr add 10.9.0.1/24 dev t0
    ip -n b addr add 10.9.0.2/24 dev t0
    ip netns exec a tcpdump -l -e -n -t -v -i t0 'icmp or arp' >t0.cap 2>/dev/null &
    W=$!
    ip netns exec a tcpdump -l -e -n -t -v -i u0 udp >u0.cap 2>/dev/null &
    W="$W $!"
    sleep 1
    ip netns exec a ping -c1 -W1 10.9.0.2
    ip netns exec a ping -c1 -W1 -Q 0x28 -s 1400 10.9.0.2
    ip netns exec a ping -c1 -W1 -M do -s 1422 10.9.0.2
    sleep 1
    kill $W
    wait
    cat t0.cap
    cat u0.cap
    bridge -n a fdb show dev t0
    bridge -n a fdb add 02:00:00:00:00:99 dev t0 dst 10.0.0.1
    bridge -n a fdb add 02:00:00:00:00:99 dev t0 dst 2001:db8::9
    bridge -n a fdb show dev t0
    ip -n a -s link show t0
    ip -n b -s link show t0
    ip -n a link del t0
    ip -n b link del t0
done
ip -n a link add t0 address 02:00:00:00:00:41 type vxlan id 4 dstport 4789 group ff05::5 dev u0
ip -n a link set t0 up
ip -n a -d link show t0
bridge -n a fdb show dev t0
ip -n a maddress show dev u0
