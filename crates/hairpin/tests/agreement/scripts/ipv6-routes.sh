# IPv6 routes: listed, chosen, refused.
# runs: by bash alone
v6() { { set +x; } 2>/dev/null; for n in $*; do command ip netns exec $n sh -c 'for i in all default; do echo 0 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done'; done; set -x; }
N="ip netns exec"
ip netns add A
v6 A
ip -n A link set lo up
ip -n A link add a0 address 02:00:00:00:00:01 type veth peer name a1 address 02:00:00:00:00:02
ip -n A link set a0 up; ip -n A link set a1 up
ip -n A addr add 2001:db8:1::1/64 dev a0 nodad
ip -n A addr add 2001:db8:2::1/64 dev a1 nodad
sleep 2.5
ip -n A -6 route
ip -n A -6 route show table all
ip -n A -6 route add 2001:db8:10::/48 via 2001:db8:1::9
ip -n A -6 route add 2001:db8:11::/48 via fe80::9 dev a0 metric 5
ip -n A -6 route add 2001:db8:12::/48 dev a1 src 2001:db8:2::1
ip -n A -6 route add default via 2001:db8:1::fe dev a0 proto static
ip -n A -6 route add default via fe80::fe dev a1 metric 2000 pref low
ip -n A -6 route add blackhole 2001:db8:20::/48
ip -n A -6 route add unreachable 2001:db8:21::/48 metric 7
ip -n A -6 route add prohibit 2001:db8:22::/48
ip -n A -6 route add 2001:db8:23::/48 dev a0 mtu 1400 hoplimit 9 advmss 1300
ip -n A -6 route add 2001:db8:10:1::/64 dev a1
ip -n A -6 route add 2001:db8:24::/48 dev a0 table 100
ip -n A -6 route add 2001:db8:25::/48 nexthop via 2001:db8:1::9 weight 2 nexthop via 2001:db8:2::9
ip -n A -6 route append 2001:db8:10::/48 via 2001:db8:1::8
ip -n A -6 route
ip -n A -6 route show table 100
ip -n A -6 route show table 101
ip -n A -6 route show dev a1
ip -n A -6 route show proto static
ip -n A -6 route show 2001:db8:25::/48
ip -n A -6 route show root 2001:db8:10::/47
ip -n A -6 route show match 2001:db8:10:1::5
ip -n A -6 route show type blackhole
for to in 2001:db8:1::5 2001:db8:1::1 fe80::77 ::1 2001:db8:10:1::1 2001:db8:11::1 2001:db8:12::1 2001:db8:20::1 2001:db8:21::1 2001:db8:22::1 2001:db8:23::1 2400::1 ff02::1; do
    ip -n A -6 route get $to
done
ip -n A -6 route get fe80::77 dev a1
ip -n A -6 route get 2400::1 from 2001:db8:2::1
ip -n A -6 route get 2400::1 oif a1
ip -n A -6 route get ff02::1 dev a1
ip -n A -6 route get 2001:db8:24::1
# Refusals.
ip -n A -6 route add 2001:db8:10::/48 via 2001:db8:1::9
ip -n A -6 route add 2001:db8:30::/48 via 2001:db8:99::1 dev a0
ip -n A -6 route add 2001:db8:30::/48 via 2001:db8:20::1
ip -n A -6 route add 2001:db8:30::/48 via fe80::1
ip -n A -6 route add 2001:db8:30::/48 via 2001:db8:1::1
ip -n A -6 route add 2001:db8:30::/48 via ff02::1 dev a0
ip -n A -6 route add 2001:db8:30::/48 via 2001:db8:10::1
ip -n A -6 route add 2001:db8:30::/48 dev a0 src 2001:db8:77::1
ip -n A -6 route add 2001:db8:30::/48
ip -n A -6 route add 2001:db8:30::/48 dev nothere
ip -n A -6 route del 2001:db8:31::/48
ip -n A -6 route del 2001:db8:10::/48 via 2001:db8:1::7
ip -n A -6 route del 2001:db8:23::/48 metric 9
ip -n A -6 route change 2001:db8:31::/48 dev a0
ip -n A -6 route add 2001:db8:30::/48 via 2001:db8:99::1 dev a0 onlink
ip -n A -6 route replace 2001:db8:30::/48 dev a1
ip -n A -6 route del 2001:db8:10::/48 via 2001:db8:1::9
ip -n A -6 route show 2001:db8:10::/48
ip -n A -6 route del 2001:db8:25::/48
ip -n A -6 route add 2001:db8:1::/64 dev a1
ip -n A -6 route add local 2001:db8:40::/64 dev lo
ip -n A -6 route get 2001:db8:40::5
ip -n A -6 route add 2001:db8:41::/48 dev a0 expires 100
ip -n A -6 route
ip -n A -6 route show table local
ip -n A -6 route flush dev a1
ip -n A -6 route
ip -n A link set a1 down
ip -n A -6 route
ip -n A link set a0 up
ip -n A -6 addr flush dev a0 scope global
ip -n A -6 route show table all
