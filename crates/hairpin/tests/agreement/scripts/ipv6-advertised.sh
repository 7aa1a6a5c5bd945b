# needs: uml
# runs: by bash alone
# programs: nc
# What routers advertise and queriers ask, on devices of every kind: addresses, routes, neighbours, answers. Frames
# are put on the wire by a datagram to a vxlan.
ip netns add I; ip netns add R
for n in H1 M H2 P H3; do ip netns add $n; done
v6 H1 M H2 P H3
ip link add i0 netns I type veth peer name u0 netns R
ip -n I link set i0 up; ip -n I addr add 192.168.0.2/24 dev i0
ip -n R link set u0 up; ip -n R addr add 192.168.0.1/24 dev u0
ip -n R link add sw type bridge mcast_snooping 0
ip -n R link add vx type vxlan id 7 dstport 4789 nolearning
ip -n R link set vx master sw up
ip -n R link set sw up
for i in 1 2 3; do
    ip link add eth0 netns H$i address 02:00:00:00:00:0$i type veth peer name p$i netns R
    ip -n R link set p$i master sw up
    ip -n H$i link set lo up
done
ip -n H1 link add link eth0 name mv netns M address 02:00:00:00:00:0a type macvlan mode bridge
ip -n H2 link add link eth0 name iv netns P type ipvlan mode l2
ip -n H3 link add br0 address 02:00:00:00:00:30 type bridge
ip -n H3 link set eth0 master br0
ip -n H3 link add link eth0 name eth0.5 type vlan id 5
for n in H1 H2 H3; do ip -n $n link set eth0 up; done
ip -n M link set mv up
ip -n P link set iv up
ip -n H3 link set br0 up
ip -n H3 link set eth0.5 up
# inject [-t TAG] TO FROM DESTINATION MESSAGE [HOP]: an ICMPv6 message; MACs and addresses in hexadecimal. With HOP 01 it
# has the router alert of queries.
inject() {
    { set +x; } 2>/dev/null
    local tag= at sum all=$2$3$4 head= next=3a hop=${5:-ff}
    [ $1 = -t ] && { tag=8100$2; shift 2; all=$2$3$4 hop=${5:-ff}; }
    sum=$(( ${#4} / 2 + 58 ))
    for ((at = 0; at < ${#all}; at += 4)); do (( sum += 0x${all:at:4} )); done
    while (( sum >> 16 )); do (( sum = (sum & 0xffff) + (sum >> 16) )); done
    [ $hop = 01 ] && { next=00 head=3a00050200000100; }
    all=$head${4:0:4}$(printf %04x $(( ~sum & 0xffff )))${4:8}
    all=0800000000000700${1}020000000099${tag}86dd60000000$(printf %04x $(( ${#all} / 2 )))$next$hop$2$3$all
    # A pipe would get it line by line.
    printf "$(sed 's/../\\x&/g' <<<$all)" >datagram
    ip netns exec I nc -n -u -p 5555 -w 1 192.168.0.1 4789 <datagram
    set -x
}
# An advertisement: the flags and the lifetime of the router, and options.
router=fe800000000000000000000000000099
advertise() {
    local tag=
    { set +x; } 2>/dev/null
    [ $1 = -t ] && { tag="-t $2"; shift 2; }
    local message=8600000040$1$20000000000000000
    shift 2
    for option; do message=$message$option; done
    inject $tag 333300000001 $router ff020000000000000000000000000001 $message
}
mac=0101020000000099
mtu=0501000000000578
# prefix FLAGS VALID PREFERRED BYTES
prefix() { echo 030440$1$2$300000000$40000000000000000; }
told() {
    { set +x; } 2>/dev/null; echo "--- $*"; for n; do ip -n $n -6 addr show dynamic; ip -n $n -6 route | grep -v "^fe80::/64"; ip -n $n -6 neigh show fe80::99 | sort; done; set -x
}
sleep 3
ip -n H1 monitor label prefix >heard &
M=$!
sleep 0.5
advertise 00 0708 $mac $mtu $(prefix c0 00000e10 00000708 20010db800010000)
sleep 2.5
told H1 M H2 P H3
ip -n H1 -d link show eth0
ip netns exec H1 sysctl net.ipv6.conf.eth0.mtu net.ipv6.conf.eth0.hop_limit
ip netns exec H1 ping -6 -c1 -W2 2001:db8:1:0:0:ff:fe00:2
ip netns exec M ping -6 -c1 -W2 2001:db8:1::ff:fe00:3
ip netns exec H3 ping -6 -c1 -W2 2001:db8:1::ff:fe00:a
ip -n M -6 route get 2400::1
# A VLAN's own.
advertise -t 0005 00 0708 $mac $(prefix c0 ffffffff ffffffff 20010db800050000)
sleep 2.5
told H3
# It is no router any more, and its prefix is of the past.
advertise 00 0000 $mac $(prefix c0 00000000 00000000 20010db800010000)
sleep 1
told H1 P
# Preference, a second prefix that is not for addresses, one that is not on the link.
advertise 08 0708 $mac $(prefix 80 00000e10 00000708 20010db800020000) $(prefix 40 00000e10 00000000 20010db800030000)
sleep 2.5
told H1 P
# Not for those who route, nor for those who do not want it.
ip netns exec H1 sysctl -w net.ipv6.conf.all.forwarding=1
ip netns exec P sysctl -w net.ipv6.conf.iv.accept_ra=0
ip netns exec M sysctl -w net.ipv6.conf.mv.accept_ra_pinfo=0
told H1
advertise 00 0708 $mac $(prefix c0 00000e10 00000708 20010db800060000)
sleep 2.5
told H1 M P
# Two that are not believed: from a global address, and with less than the greatest hop limit.
inject 333300000001 20010db8000000000000000000000099 ff020000000000000000000000000001 86000000400007080000000000000000
inject 333300000001 $router ff020000000000000000000000000001 86000000400007080000000000000000 fe
# Its neighbours.
inject 020000000002 $router fe80000000000000000000fffe000002 8800000040000000${router}0201020000000099
inject 3333ff000002 $router ff0200000000000000000001ff000002 8700000000000000fe80000000000000000000fffe0000020101020000000099
sleep 0.5
told H2
# Somebody else has the address that is made of the prefix.
ip -n H1 addr add 2001:db8:7::ff:fe00:2/64 dev eth0 nodad
advertise 00 0708 $mac $(prefix c0 00000e10 00000708 20010db800070000)
sleep 2.5
ip -n H2 -6 addr show dev eth0
# Who listens? Asked for all groups, and for one. groups [SED]: what was said, each once.
groups() {
    { set +x; } 2>/dev/null; sleep 1.4; kill $W; wait $W
    sed -E "s/flowlabel 0x[0-9a-f]+, //; $1" mld | sort -u; set -x
}
listen() { { set +x; } 2>/dev/null; command ip netns exec $1 tcpdump -l -e -n -v -t -i $2 'ip6[6] = 0' >mld 2>/dev/null & W=$!; sleep 2; set -x; }
all=ff020000000000000000000000000001
any=00000000000000000000000000000000
one=ff0200000000000000000001ff00000a
listen H2 eth0
inject 333300000001 $router $all 8200000003e80000${any}027d0000 01
groups
listen M mv
inject 3333ff00000a $router $one 8200000000640000${one}027d0000 01
groups
listen H3 br0
inject 333300000001 $router $all 8200000003e80000$any 01
# In version 1 the first who answers spares the others, and who that is is chance.
groups 's/^[^>]*> //; s/fe80:[^ ]+ >/LOCAL >/'
listen H3 br0
# At once: the report is on its way two ticks after the address.
printf '%s\n' 'addr add 2001:db8::77/64 dev br0 nodad' 'addr del 2001:db8::77/64 dev br0' >both
ip -n H3 -batch both
groups
ip netns exec H3 grep br0 /proc/net/igmp6 | sed 's/ [0-9]*$//'
# An identifier of one's own, and another; then that of the MAC again.
ip -n H3 token set ::5 dev br0
advertise 00 0708 $mac $(prefix c0 00000e10 00000708 20010db800080000)
sleep 2.5
told H3
ip -n H3 token set 2001:db8::1:6 dev br0
advertise 00 0708 $mac $(prefix c0 00000e10 00000708 20010db800080000)
sleep 2.5
told H3
ip -n H3 token del dev br0
advertise 00 0708 $mac $(prefix c0 00000e10 00000708 20010db800080000)
sleep 2.5
told H3
ip -n H3 token
kill $M
wait $M 2>/dev/null
cat heard
