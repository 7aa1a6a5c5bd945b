# What generated firewalls once found, and the emulation had otherwise.
# needs: uml
# programs: nc iptables-legacy
for n in a r b; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns a address 02:00:00:00:00:01 type veth peer name r1 netns r address 02:00:00:00:01:01
ip link add eth0 netns b address 02:00:00:00:00:02 type veth peer name r2 netns r address 02:00:00:00:01:02
ip -n a link set eth0 up
ip -n b link set eth0 up
ip -n r link set r1 up
ip -n r link set r2 up
ip -n a addr add 10.0.1.1/24 dev eth0
ip -n b addr add 10.0.2.1/24 dev eth0
ip -n r addr add 10.0.1.254/24 dev r1
ip -n r addr add 10.0.2.254/24 dev r2
ip -n a route add default via 10.0.1.254
ip netns exec r sysctl -w net.ipv4.ip_forward=1
I="ip netns exec r iptables-legacy"
sleep 1.2
# Who refuses a connection ends it, and the refusal is still translated back.
$I -t nat -A POSTROUTING -o r2 -j MASQUERADE
$I -t mangle -A PREROUTING -m conntrack --ctstatus CONFIRMED
$I -A INPUT
$I -A FORWARD
ip netns exec a nc -n -z -w 1 -p 4001 10.0.2.1 80
$I -L -n -v -x
$I -t mangle -L PREROUTING -n -v -x
ip netns exec r cat /proc/net/nf_conntrack
ip netns exec a nc -n -z -w 1 -p 4001 10.0.2.1 80
$I -L -n -v -x
# An error about a port that is closed is of no connection before it is looked at.
$I -t raw -A OUTPUT -m conntrack --ctstatus CONFIRMED
echo x | ip netns exec a nc -n -u -p 4002 -w 1 10.0.1.254 5001
$I -t raw -L OUTPUT -n -v -x
# A change of the table begins every limit anew.
$I -A INPUT -m limit --limit 1/min --limit-burst 2
ip netns exec a ping -e 1 -c3 -i0.2 -W0.31 10.0.1.254
$I -L INPUT -n -v -x
$I -A FORWARD -p udp
ip netns exec a ping -e 2 -c3 -i0.2 -W0.31 10.0.1.254
$I -L INPUT -n -v -x
# What may not be sent is waited for, and no failure.
$I -A OUTPUT -p udp --dport 5002 -j DROP
$I -A OUTPUT -p udp --dport 5003 -j REJECT
$I -A OUTPUT -p udp --dport 5004 -j REJECT --reject-with icmp-host-prohibited
for port in 5001 5002 5003 5004; do
    echo x | ip netns exec r nc -n -u -p 4005 -w 1 10.0.1.1 $port
    echo x | ip netns exec r nc -n -u -p 4005 -w 1 10.0.1.1 $port
done
echo x | ip netns exec r nc -n -u -p 4006 -w 1 10.9.9.9 5001
$I -L OUTPUT -n -v -x
