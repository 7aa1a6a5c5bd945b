# needs: uml
# runs: by bash alone
# What was learned of the way to one destination by IPv6, as routes of the cache; addresses that are a mobile host's own.
for n in a r b; do ip netns add $n; ip -n $n link set lo up; done
v6 a r b
N="ip netns exec"
ip link add e0 netns a address 02:00:00:00:00:01 type veth peer name r0 netns r address 02:00:00:00:00:02
ip link add e0 netns b address 02:00:00:00:00:04 type veth peer name r1 netns r address 02:00:00:00:00:03
ip -n b link set e0 mtu 1280; ip -n r link set r1 mtu 1280
for d in a.e0 b.e0 r.r0 r.r1; do ip -n ${d%.*} link set ${d#*.} up; done
$N r sysctl -w net.ipv6.conf.all.forwarding=1
ip -n a addr add 2001:db8:1::1/64 dev e0 nodad
ip -n r addr add 2001:db8:1::ff/64 dev r0 nodad
ip -n r addr add 2001:db8:2::ff/64 dev r1 nodad
ip -n b addr add 2001:db8:2::1/64 dev e0 nodad
ip -n b addr add 2001:db8:2::2/64 dev e0 nodad
ip -n b route add default via 2001:db8:2::ff
ip -n a route add default via 2001:db8:1::ff
sleep 3
ip -n a -6 route show cache
$N a ping -c1 -W1 -s 1400 2001:db8:2::1
$N a ping -c2 -i0.3 -W1 -s 1400 2001:db8:2::1 | grep -c 'bytes from'
ip -n a -6 route show cache | sed 's/expires [0-9]*sec/expires N/'
ip -n a -6 route show table cache | sed 's/expires [0-9]*sec/expires N/'
ip -n a -6 route get 2001:db8:2::1 | sed 's/expires [0-9]*sec/expires N/'
$N a ping -c1 -W1 -s 1400 2001:db8:2::2
ip -n a -6 route show cache | sed 's/expires [0-9]*sec/expires N/' | sort
ip -n a -6 route show cache dev lo
ip -n a -6 route show
ip -n a -6 route flush cache
ip -n a -6 route show cache
$N a ping -c1 -W1 -s 1400 2001:db8:2::1 | grep -c 'bytes from'
ip -n a -6 route del default
ip -n a -6 route show cache
ip -n a addr add 2001:db8:1::5/64 dev e0 home nodad
ip -n a -6 addr show dev e0 to 2001:db8:1::5
ip -n a addr change 2001:db8:1::5/64 dev e0
ip -n a -6 addr show dev e0 to 2001:db8:1::5
ip -n a addr add 2001:db8:1::6/64 dev e0 home
ip -n a -6 addr show dev e0 to 2001:db8:1::6 | sed 's/tentative *//'
$N a sysctl net.ipv6.conf.e0.accept_ra_min_lft net.ipv6.conf.all.accept_ra_min_lft
