# IPv6's neighbours that need no resolution.
# needs: uml
# ipv6: on
N="ip netns exec"
for n in A B; do ip netns add $n; done
for n in A B; do ip -n $n link set lo up; done
ip link add a0 netns A address 02:00:00:00:00:01 type veth peer name b0 netns B address 02:00:00:00:00:02
ip -n A link set a0 up; ip -n B link set b0 up
ip -n A addr add 2001:db8::1/64 dev a0 nodad
ip -n B addr add 2001:db8::2/64 dev b0 nodad
sleep 4
all() { ip -n A -6 neigh show nud all >out; grep -v -e ff02::2 out >some; sort some; rm out; rm some; }
all
$N A ping -c1 -W1 ::1
$N A ping -c1 -W1 2001:db8::1
$N A ping -c1 -W1 2001:db8::2
$N A ping -c1 -W1 ff02::1%a0
$N A ping -c1 -W1 ff05::1:3%a0
all
ip -n A -6 neigh
ip -n A -6 neigh get ff02::1 dev a0
ip -n A -6 neigh del ff02::1 dev a0
ip -n A -6 neigh add ff02::5 dev a0
ip -n A -6 neigh add ff02::6 lladdr 02:00:00:00:00:06 dev a0
all
ip -n A -6 neigh flush dev a0
all
ip -n A link set a0 arp off
sleep 2
all
$N A ping -c1 -W1 2001:db8::2
all
ip -n A link set a0 arp on
sleep 3
$N A ping -c1 -W1 2001:db8::2
all
ip -n A link set a0 down
all
