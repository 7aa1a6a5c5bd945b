# Groups that a user adds to a device, and what `ip ntable` shows.
# needs: uml
# runs: with the real programs
ip netns add n
N="ip -n n"
$N link add d0 address 02:00:00:00:00:01 type dummy
$N link add v0 address 02:00:00:00:00:02 type veth peer name v1 address 02:00:00:00:00:03
$N link add br0 address 02:00:00:00:00:04 type bridge
$N maddr show
$N maddr add 01:00:5e:00:00:05 dev d0
$N maddr add 01:00:5e:00:00:05 dev d0
$N maddr add address 33:33:00:00:00:99 dev v0
$N maddr add 02:00:00:00:00:77 dev br0
$N maddr show dev d0
$N -j maddr show dev v0
$N maddr show
$N maddr add 01:00:5e:00:00:05 dev lo
$N maddr add 01:00:5e:00:00:05 dev nope
$N maddr add zz dev d0
$N maddr add 224.0.0.5 dev d0
$N maddr add 01:00 dev d0
$N maddr add 01:00:5e:00:00:05
$N maddr add
$N maddr add 01:00:5e:00:00:05 01:00:5e:00:00:06 dev d0
$N maddr add 01:00:5e:00:00:05 dev d0 dev v0
$N maddr del 01:00:5e:00:00:06 dev d0
$N maddr del 01:00:5e:00:00:05 dev d0
$N maddr del 01:00:5e:00:00:05 dev d0
$N maddr del 33:33:00:00:00:01 dev v0
$N maddr show dev d0
$N link add link v0 name mv0 address 02:00:00:00:00:05 type macvlan mode bridge
$N link set v0 up
$N link set v1 up
$N link set mv0 up
$N addr add 10.0.0.1/24 dev mv0
$N maddr add 01:00:5e:00:00:42 dev mv0
$N maddr show dev mv0
$N maddr show dev v0
$N maddr del 01:00:5e:00:00:42 dev mv0
$N maddr show dev v0
$N ntable show name arp_cache
$N ntable show dev v0
$N -j -p ntable show dev d0 name ndisc_cache
$N -o ntable show dev lo
$N -4 ntable show dev none
$N -6 ntable show dev none
$N ntable show name nosuch
$N ntable show dev nosuch
$N ntable show bogus
$N ntable bogus
ip netns exec n sysctl -w net.ipv4.neigh.v0.base_reachable_time_ms=20000
ip netns exec n sysctl -w net.ipv4.neigh.v0.unres_qlen_bytes=65536
ip netns exec n sysctl -w net.ipv4.neigh.v0.ucast_solicit=5
ip netns exec n sysctl -w net.ipv4.neigh.v0.proxy_qlen=7
$N neigh add 10.0.0.9 lladdr 02:00:00:00:00:99 dev v0
$N ntable show dev v0 name arp_cache
$N link set v1 xdp off
