# needs: uml
# runs: by bash alone
# What /proc/net, /proc/sys and /sys say of a namespace after traffic, and who may write there.
for n in n1 n2; do ip netns add $n; ip -n $n link set lo up; done
v6 n1 n2
N="ip netns exec"
ip -n n1 link add br0 address 02:00:00:00:00:f1 type bridge mcast_snooping 0
ip -n n1 link add p0 address 02:00:00:00:00:01 type veth peer name e0 netns n2 address 02:00:00:00:00:02
ip -n n1 link set p0 master br0; ip -n n1 link set p0 up; ip -n n1 link set br0 up; ip -n n2 link set e0 up
ip -n n1 addr add 10.0.0.1/24 dev br0; ip -n n2 addr add 10.0.0.2/24 dev e0
ip -n n1 addr add 2001:db8::1/64 dev br0 nodad; ip -n n2 addr add 2001:db8::2/64 dev e0 nodad
sleep 3
$N n2 ping -c1 -W1 10.0.0.1
for f in fib_triestat psched xfrm_stat ip_mr_cache ip_mr_vif anycast6; do
    echo "# $f"; $N n2 cat /proc/net/$f
done
# What other scripts have had loaded is there too.
$N n2 grep -v -i -e can -e mrp /proc/net/protocols
$N n2 grep -v -i -e can -e mrp /proc/net/ptype
ip -n n1 route add 10.5.0.0/16 via 10.0.0.2 table 7
$N n1 cat /proc/net/fib_triestat
ip -n n1 route del 10.5.0.0/16 via 10.0.0.2 table 7
$N n1 cat /proc/net/fib_triestat
$N n1 sysctl -w net.ipv6.conf.all.forwarding=1
$N n1 cat /proc/net/anycast6
ip -n n1 addr add 2001:db8::11/64 dev br0 nodad
$N n1 cat /proc/net/anycast6
$N n1 sysctl -w net.ipv6.conf.all.forwarding=0
$N n1 cat /proc/net/anycast6
# Its lines and words alone (one processor, fifteen columns): the counts hang on how often the kernel polled.
$N n2 sh -c 'wc -l </proc/net/softnet_stat; wc -w </proc/net/softnet_stat'
# A bridge's addresses: the first is the port's, in no VLAN and in the first; the last byte of an age is no matter here.
$N n1 sh -c 'od -An -v -w16 -tx1 /sys/class/net/br0/brforward' | cut -c 1-24 | grep -v '^ 33' | sort
# Four settings are those of kernels that forward multicast, hurry with addresses and sign source routes.
$N n2 ls /proc/sys/net/core /proc/sys/net/ipv6
$N n2 ls /proc/sys/net/ipv6/conf/e0 | grep -v -e mc_forwarding -e optimistic -e hmac
# Who may write.
$N n1 sh -c 'cd /sys/class/net/br0; stat -c "%A %n" *[a-z] bridge/* statistics/rx_bytes | grep -v ^d'
$N n1 sh -c 'cd /sys/class/net/p0; stat -c "%A %n" *[a-z] brport/* | grep -v ^d'
$N n1 sh -c 'cd /proc/sys/net/ipv4; stat -c "%A %n" ip_forward route/flush conf/p0/*'
$N n1 sh -c 'stat -L -c "%A %n" /proc/net/dev /proc/net/tcp /proc/net/snmp /proc/net/fib_triestat'
$N n1 bash -c 'echo 5 >/sys/class/net/p0/ifindex; echo x >/sys/class/net/p0/mtu; echo 1 >/sys/class/net/p0/statistics/rx_bytes'
$N n1 bash -c 'cat /sys/class/net/br0/bridge/flush; echo 1 >/sys/class/net/br0/bridge/flush; echo 1 >/sys/class/net/br0/brforward'
$N n1 bash -c 'echo 1 >/proc/sys/net/ipv4/conf/p0/mc_forwarding; cat /proc/sys/net/ipv4/route/flush; echo 1 >/proc/net/tcp; echo 1 >/proc/net/dev'
$N n1 bash -c 'echo 1 >/sys/class/net/p0/nothing; echo 1 >/proc/sys/net/ipv4/nothing'
# Not counted as a network's: what nobody can be asked for.
$N n2 ping -c1 -W1 2001:db9::9
$N n2 ping -c1 -W1 2001:db9::9
$N n2 grep NoRoutes /proc/net/snmp6
# Nor a tunnel's that looks how long its packets may be, or sends by IPv6 alone; but a geneve's that sends.
ip -n n2 link add g6 address 02:00:00:00:00:67 type geneve id 7 remote 2001:db9::9
ip -n n2 link add t6 type ip6tnl local 2001:db8::2 remote 2001:db9::9
ip -n n2 addr add 10.6.0.1/24 dev t6
ip -n n2 link set t6 up
$N n2 ping -c1 -W1 10.6.0.2
$N n2 grep NoRoutes /proc/net/snmp6
ip -n n2 addr add 10.7.0.1/24 dev g6
ip -n n2 neigh add 10.7.0.2 lladdr 02:00:00:00:00:68 dev g6
ip -n n2 link set g6 up
$N n2 ping -c1 -W1 10.7.0.2
$N n2 grep -c 'NoRoutes *[1-9]' /proc/net/snmp6
ip -n n2 link del g6
ip -n n2 link del t6
# The same of IPv4, and what this host tells of its groups counts as sent.
$N n2 ping -c1 -W1 239.9.9.9
$N n2 ping -c1 -W1 10.9.9.9
$N n2 grep -h -e Ip: -e IpExt /proc/net/snmp /proc/net/netstat
ip -n n2 addr add 239.7.7.7/32 dev e0 autojoin
sleep 3
$N n2 grep -h -e Ip: -e IpExt /proc/net/snmp /proc/net/netstat
# What a host sends to a group that it listens to comes in again.
ip netns add n3
v6 n3
ip -n n3 link add d0 address 02:00:00:00:00:03 type dummy
ip -n n3 link set d0 up
sleep 3
$N n3 ping -c2 -i0.2 -W1 ff02::1%d0
$N n3 grep -e Ip6In -e Ip6OutReq -e Ip6OutM /proc/net/snmp6
