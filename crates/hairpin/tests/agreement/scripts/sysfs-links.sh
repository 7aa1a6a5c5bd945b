# runs: by bash alone
# Where the links below /sys/class/net lead: devices that stand on no bus have their directories elsewhere.
ip netns add n
N="ip netns exec n"
ip -n n link add br0 type bridge
ip -n n link add v0 type veth peer name v1
ip -n n link set v0 master br0
ip -n n link add m0 link v1 type macvlan mode bridge
$N find /sys/class/net -maxdepth 1 -type l -printf '%f %l\n' | sort
$N find /sys/class/net/ -maxdepth 1 -type d -printf '%f\n' | sort
$N ls /sys/devices/virtual/net
for d in br0 v0 v1 m0; do
    $N find /sys/class/net/$d/ -type l -printf "$d %P %l\n" | grep -v -E 'power|queues' | sort
    $N readlink -f /sys/class/net/$d/subsystem
done
$N readlink -f /sys/class/net/m0/lower_v1 /sys/class/net/br0/brif/v0 /sys/class/net/v0/brport/bridge /sys/class/net/v0/master
$N cat /sys/devices/virtual/net/m0/mtu /sys/class/net/m0/lower_v1/ifindex /sys/class/net/v0/brport/bridge/address | head -2
$N sh -c 'echo 1400 >/sys/devices/virtual/net/m0/mtu'
$N cat /sys/class/net/m0/mtu
$N test -e /sys/devices/virtual/net/gone/mtu
$N readlink /sys/class/net/br0/mtu
ip -n n link set m0 name m9
$N readlink /sys/class/net/m9 /sys/class/net/v1/upper_m9
ip -n n link del m9
$N ls /sys/devices/virtual/net
