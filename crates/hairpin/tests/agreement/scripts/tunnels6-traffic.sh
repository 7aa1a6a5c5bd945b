# needs: uml
# ipv6: on
# covers: traffic ip6gre ip6gretap ip6tnl
# Packets through ip6tnl, ip6gre and ip6gretap: on the tunnel and below it, long ones, and those that do not fit.
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
ip netns exec a sysctl -qw net.ipv6.conf.default.router_solicitations=0
ip netns exec b sysctl -qw net.ipv6.conf.default.router_solicitations=0
ip -n a neigh replace 2001:db8::2 lladdr 02:00:00:00:00:32 dev u0
ip -n b neigh replace 2001:db8::1 lladdr 02:00:00:00:00:31 dev u0
for k in "type ip6tnl hoplimit 9" "type ip6tnl mode ipip6 encaplimit none tclass 0x1c" "type ip6tnl mode ip6ip6 tclass inherit hoplimit inherit dscp inherit" "type ip6gre key 5" "type ip6gre seq encaplimit none tclass inherit" "address 02:00:00:00:00:41 type ip6gretap" "address 02:00:00:00:00:41 type ip6gretap key 9 encaplimit none"; do
    ip -n a link add t0 $k local 2001:db8::1 remote 2001:db8::2
    ip -n b link add t0 $k local 2001:db8::2 remote 2001:db8::1
    ip -n b link set t0 address 02:00:00:00:00:42
    ip -n a link set t0 up
    ip -n b link set t0 up
    ip -n a addr add 10.9.0.1/24 dev t0
    ip -n b addr add 10.9.0.2/24 dev t0
    ip -n a addr add 2001:db8:9::1/64 dev t0 nodad
    ip -n b addr add 2001:db8:9::2/64 dev t0 nodad
    sleep 7
    ip netns exec a tcpdump -l -e -n -t -v -i t0 'icmp or icmp6 and (ip6[40] < 130 or ip6[40] > 137)' >t0.cap 2>/dev/null &
    W=$!
    ip netns exec a tcpdump -l -e -n -t -v -i u0 'ip6 proto 4 or ip6 proto 41 or ip6 proto 47 or ip6 proto 60' >u0.cap 2>/dev/null &
    W="$W $!"
    sleep 1
    ip netns exec a ping -c1 -W1 10.9.0.2
    ip netns exec a ping -6 -c1 -W1 2001:db8:9::2
    ip netns exec a ping -c1 -W1 -Q 0x2a -s 1400 10.9.0.2
    ip netns exec a ping -c1 -W1 -M do -s 1430 10.9.0.2
    ip netns exec a ping -6 -c1 -W1 -s 1430 2001:db8:9::2
    ip netns exec a ping -c1 -W1 -s 1430 10.9.0.2
    sleep 1
    kill $W
    wait
    grep -v 'fe80::' t0.cap
    grep -v 'fe80::' u0.cap
    ip -n a route get 10.9.0.2
    ip -n a -s link show t0
    ip -n b -s link show t0
    ip -n a link del t0
    ip -n b link del t0
done
ip -n a link add t0 type ip6tnl local 2001:db8::1 remote 2001:db8:77::2
ip -n a link set t0 up
ip -n a addr add 10.9.0.1/24 dev t0
ip netns exec a ping -c1 -W1 10.9.0.2
ip -n a -s link show t0
ip -n a link set t0 type ip6tnl remote 2001:db8::2 local 2001:db8::99
ip netns exec a ping -c1 -W1 10.9.0.2
ip -n a -s link show t0
