# needs: uml
# runs: by bash alone
# programs: nc ethtool iptables-legacy
# Checksums that are left to the device: captures see them undone until a device without the feature completes them.
# with: three-in-a-row.part
N="ip netns exec"
ip -n A addr add fd00:1::1/64 dev a0 nodad
ip -n R addr add fd00:1::2/64 dev r0 nodad
ip -n A route add default via 10.0.1.254
ip -n B route add default via 10.0.2.254
$N R sysctl -q -w net.ipv4.ip_forward=1
sleep 0.3
# Of segments the sum that is to be depends on the clock.
show() { { set +x; } 2>/dev/null; sleep 0.6; kill $W; wait $W; for f in $*; do echo "--- $f"; sed -n -e 's/-> 0x[0-9a-f]*)/-> SUM)/' -e 's/cksum 0x[0-9a-f]* (correct)/cksum SUM (correct)/' -e 's/.*\(10\.0\..* > [^:]*: Flags [^,]*, cksum [^)]*)\).*/\1/p' -e 's/.*\(fd00:.* > [^:]*: Flags [^,]*, cksum [^)]*)\).*/\1/p' -e '/UDP/p' -e '/GRE/p' $f | sed 's/^ *//'; rm $f; done; set -x; }
begin() { { set +x; } 2>/dev/null; W=; for p in $*; do $N ${p%:*} tcpdump -l -n -t -vvv -i ${p#*:} not arp and not icmp6 >${p#*:}.cap 2>/dev/null & W="$W $!"; done; sleep 1; set -x; }
udp() { { set +x; } 2>/dev/null; echo hello | $N $1 nc -n -u -p $2 -w 1 $3 $4 2>/dev/null || true; set -x; }
tcp() { { set +x; } 2>/dev/null; echo hello | $N $1 nc -n -p $2 -w 1 $3 $4 2>/dev/null || true; set -x; }
# By a router; nobody listens.
begin A:a0 R:r1 B:b0
udp A 4000 10.0.2.1 5000
tcp A 4001 10.0.2.1 5001
show a0.cap r1.cap b0.cap
# The answer of a closed port over IPv6, and datagrams.
begin A:a0
udp A 4000 fd00:1::2 5000
tcp A 4001 fd00:1::2 5001
show a0.cap
# A device that leaves nothing undone.
$N A ethtool -K a0 tx off >/dev/null
begin A:a0 B:b0
udp A 4002 10.0.2.1 5002
tcp A 4003 10.0.2.1 5003
show a0.cap b0.cap
$N A ethtool -K a0 tx on >/dev/null
# Loopback.
begin A:lo
udp A 4004 10.0.1.1 5004
tcp A 4005 10.0.1.1 5005
show lo.cap
# What leaves the router in fragments is completed there, and what its sender cuts.
ip -n R link set r1 mtu 600
begin A:a0 B:b0
{ set +x; } 2>/dev/null; printf %900d 7 | $N A nc -n -u -p 4006 -w 1 10.0.2.1 5006; printf %2000d 7 | $N A nc -n -u -p 4007 -w 1 10.0.2.1 5007; set -x
show a0.cap b0.cap
ip -n R link set r1 mtu 1500
# Translated addresses and ports.
$N R iptables-legacy -t nat -A POSTROUTING -o r1 -p udp -j SNAT --to-source 10.0.2.254:17000
$N R iptables-legacy -t nat -A POSTROUTING -o r1 -p tcp -j SNAT --to-source 10.0.2.254
$N R iptables-legacy -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.0.2.1:8080
begin B:b0 A:a0
udp A 4008 10.0.2.1 5008
tcp A 4009 10.0.1.254 80
show b0.cap a0.cap
# A refusal by rule.
$N R iptables-legacy -A FORWARD -p tcp --dport 81 -j REJECT --reject-with tcp-reset
begin A:a0
tcp A 4010 10.0.2.1 81
show a0.cap
# The smaller MSS is written into what is not yet summed.
$N R iptables-legacy -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 700
begin B:b0
tcp A 4011 10.0.2.1 82
show b0.cap
$N R iptables-legacy -t nat -F
$N R iptables-legacy -t mangle -F
# Stacked devices: a VLAN, a macvlan on it, a bridge on the way.
ip -n A link add link a0 name a0.5 type vlan id 5
ip -n A link add m0 link a0.5 type macvlan mode bridge
ip -n A addr add 10.5.0.1/24 dev m0
ip -n A link set a0.5 up
ip -n A link set m0 address 02:00:00:00:00:11 up
ip -n R link add br0 address 02:00:00:00:00:12 type bridge
ip -n R link add link r0 name r0.5 type vlan id 5
ip -n R link set r0.5 master br0
ip -n R link set r0.5 up
ip -n R link set br0 up
ip -n R addr add 10.5.0.2/24 dev br0
sleep 1
begin A:m0 A:a0 R:br0
udp A 4012 10.5.0.2 5012
udp R 4013 10.5.0.1 5013
tcp R 4014 10.5.0.1 5014
show m0.cap a0.cap br0.cap
# Tunnels: the sum of the outer packet counts on the inner one, or is itself left to the device.
ip -n A link add gre1 type gretap local 10.0.1.1 remote 10.0.1.254 csum
ip -n R link add gre1 type gretap local 10.0.1.254 remote 10.0.1.1 csum
ip -n A link add vx1 type vxlan id 1 local 10.0.1.1 remote 10.0.1.254 dstport 4789 udpcsum
ip -n R link add vx1 type vxlan id 1 local 10.0.1.254 remote 10.0.1.1 dstport 4789 udpcsum
for h in A R; do
    i=1; [ $h = A ] || i=2
    for d in gre1:6 vx1:7; do
        ip -n $h link set ${d%:*} address 02:00:00:00:0${d#*:}:0$i up
        ip -n $h addr add 10.${d#*:}.0.$i/24 dev ${d%:*}
        for p in A:1 R:2; do [ ${p%:*} = $h ] || ip -n $h neigh add 10.${d#*:}.0.${p#*:} lladdr 02:00:00:00:0${d#*:}:0${p#*:} dev ${d%:*}; done
    done
done
sleep 1
begin A:a0 A:gre1
udp A 4015 10.6.0.2 5015
show a0.cap gre1.cap
begin A:a0 A:vx1
udp A 4016 10.7.0.2 5016
$N A ping -q -c 1 10.7.0.2 >/dev/null
show a0.cap vx1.cap
# A device that computes no sums for what is inside of another packet.
$N A ethtool -K a0 tx off >/dev/null
begin A:a0
udp A 4017 10.6.0.2 5017
udp A 4018 10.7.0.2 5018
show a0.cap
