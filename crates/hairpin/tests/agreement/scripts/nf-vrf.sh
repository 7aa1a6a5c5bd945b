# needs: uml
# What comes in by a port of a VRF meets the first hook twice, as the port's and as the VRF's, and is the VRF's from then on;
# what goes out meets the hooks of this host's own packets twice.
# with: router-between.part
ip -n R link add red type vrf table 10
ip -n R link set red up
ip -n R link set r0 master red
ip -n R link set r1 master red
sleep 0.3
for d in red r0 r1 lo; do
    $I -t raw -A PREROUTING -i $d
    $I -t mangle -A PREROUTING -i $d -p icmp
    $I -t mangle -A INPUT -i $d
    $I -A INPUT -i $d
    $I -A FORWARD -i $d
    $I -A FORWARD -o $d
    $I -A OUTPUT -o $d
    $I -t raw -A OUTPUT -o $d
    $I -t mangle -A POSTROUTING -o $d
done
$N A ping -e 1 -c 2 -i 0.2 -W 1 10.0.2.1
$N A ping -e 2 -c 1 -W 1 10.0.1.254
$N R ping -e 3 -c 1 -W 1 -I red 10.0.2.1
for t in raw mangle filter; do $I -t $t -S -v | grep -v ^-P; $I -t $t -Z; done
# Of which connections: none at the VRF on the way out.
$I -A OUTPUT -m conntrack --ctstate UNTRACKED
$I -A OUTPUT -m conntrack --ctstate NEW
$I -t mangle -A PREROUTING -m conntrack --ctstate NEW
$I -t mangle -A POSTROUTING -m conntrack --ctstate UNTRACKED
$N R ping -e 4 -c 1 -W 1 -I red 10.0.2.1
$N A ping -e 5 -c 1 -W 1 10.0.1.254
$I -S OUTPUT -v | grep ctstate
$I -t mangle -S -v | grep ctstate
$N R grep -c . /proc/net/nf_conntrack
# A destination is changed at the port or not at all.
$I -t nat -A PREROUTING -i red -p icmp -d 10.9.9.9 -j DNAT --to-destination 10.0.2.1
$N A ping -e 6 -c 1 -W 1 10.9.9.9
$I -t nat -I PREROUTING -i r0 -p icmp -d 10.9.9.9 -j DNAT --to-destination 10.0.2.1
$N A ping -e 7 -c 1 -W 1 10.9.9.9
$I -t nat -S -v
# A drop at the VRF.
$I -t raw -I PREROUTING -i red -p icmp -j DROP
$N A ping -e 8 -c 1 -W 1 10.0.2.1
$I -t raw -D PREROUTING -i red -p icmp -j DROP
$I -I OUTPUT -o red -j DROP
$N R ping -e 9 -c 1 -W 1 -I red 10.0.2.1
$N A ping -e 10 -c 1 -W 1 10.0.1.254
$I -D OUTPUT -o red -j DROP
$I -I FORWARD -i red -j REJECT
$N A ping -e 11 -c 1 -W 1 10.0.2.1
