# Rules of IPv6.
# ipv6: on
ip netns add A
ip -n A link set lo up
ip -n A link add a0 address 02:00:00:00:00:01 type veth peer name a1 address 02:00:00:00:00:02
ip -n A link set a0 up; ip -n A link set a1 up
sleep 1.2
ip -n A addr add 2001:db8:1::1/64 dev a0 nodad
ip -n A addr add 2001:db8:2::1/64 dev a1 nodad
ip -n A -6 rule
ip -n A -6 -d rule
ip -n A -6 route add default via 2001:db8:1::fe table 100
ip -n A -6 route add default via 2001:db8:2::fe
ip -n A -6 rule add from 2001:db8:1::/64 table 100
ip -n A -6 rule add to 2001:db8:77::/48 prohibit pref 50
ip -n A -6 rule add to 2001:db8:78::/48 unreachable pref 51
ip -n A -6 rule add to 2001:db8:79::/48 blackhole pref 52
ip -n A -6 rule add fwmark 5 table 100 pref 60
ip -n A -6 rule add iif a1 table 100 pref 61
ip -n A -6 rule add oif nothere table 100 pref 62
ip -n A -6 rule
ip -n A rule
ip -n A -6 route get 2400::1
ip -n A -6 route get 2400::1 from 2001:db8:1::1
ip -n A -6 route get 2400::1 mark 5
ip -n A -6 route get 2001:db8:77::1
ip -n A -6 route get 2001:db8:78::1
ip -n A -6 route get 2001:db8:79::1
ip -n A -6 rule add from 2001:db8:1::/64 table 100
ip -n A -6 rule add from 10.0.0.0/8 table 100
ip -n A -6 rule add from all
ip -n A -6 rule del pref 99
ip -n A -6 rule del pref 61
ip -n A -6 rule del from 2001:db8:1::/64
ip -n A -6 rule add pref 70 goto 32766
ip -n A -6 rule add pref 71 goto 60
ip -n A -6 rule add suppress_prefixlength 0 table main pref 72
ip -n A -6 rule add from all table 200 pref 73
ip -n A -6 rule
ip -n A -6 rule flush
ip -n A -6 rule
ip -n A -6 route get 2001:db8:1::9
