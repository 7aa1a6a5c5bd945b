# Errors and answers of the kernel's own that generated scenarios once found, and the emulation had otherwise.
# needs: uml
for n in a b; do ip netns add $n; ip -n $n link set lo up; done
ip link add e0 netns a address 02:00:00:00:00:01 type veth peer name e0 netns b address 02:00:00:00:00:02
for n in a b; do ip -n $n link set e0 up; done
ip -n a addr add 10.0.0.1/24 dev e0
ip -n b addr add 10.0.0.2/24 dev e0
sleep 1.5
# An error carries the options of what it is about.
ip netns exec a ping -c1 -W4 -R 10.0.0.9
ip -n a -s link show dev lo
# A reset goes out by a socket, which is nobody's; that of a rule does not.
ip netns exec b iptables-legacy -A OUTPUT -p tcp -m owner --socket-exists
ip netns exec b iptables-legacy -A OUTPUT -p tcp -m owner --uid-owner 0
ip netns exec b iptables-legacy -A OUTPUT -p tcp -m owner ! --uid-owner 0
ip netns exec a nc -n -v -z -w 1 -p 4001 10.0.0.2 80
ip netns exec b iptables-legacy -A INPUT -p tcp --dport 81 -j REJECT --reject-with tcp-reset
ip netns exec a nc -n -v -z -w 1 -p 4002 10.0.0.2 81
ip netns exec b iptables-legacy -L OUTPUT -n -v -x
# A tunnel of the kind sit takes long IPv4 packets in errors for IPv6, and does not mind them.
ip -n a link add t0 type sit remote 10.0.0.99 local 10.0.0.1 mode any
ip -n a link set t0 up
ip -n a addr add 10.7.0.1/24 dev t0
ip netns exec a ping -c1 -W0.3 10.7.0.2
sleep 3.6
ip netns exec a ping -c1 -W0.3 10.7.0.2
ip netns exec a ping -c1 -W0.3 -s 8 10.7.0.2
sleep 3.6
ip netns exec a ping -c1 -W0.3 -s 8 10.7.0.2
ip -n a -s link show dev t0
# A vxlan whose remote end is no group any more leaves it.
ip -n a link add vx0 type vxlan id 5 dstport 4789 group 239.1.1.1 dev e0
ip -n a link set vx0 address 02:00:00:00:00:0e
ip -n a link set vx0 up
bridge -n a fdb show dev e0
ip netns exec b tcpdump -l -e -n -t -i e0 igmp >igmp.cap 2>/dev/null &
sleep 0.7
ip -n a link set vx0 type vxlan remote 10.0.0.2
bridge -n a fdb show dev e0
bridge -n a fdb show dev vx0
sleep 2.3
ip -n a link set vx0 type vxlan group 239.1.1.2
bridge -n a fdb show dev e0
sleep 2.3
kill %1
wait
# How many reports there are in this time is by chance.
sort -u igmp.cap
# A device that is down takes no frames to groups that were joined before, one that is up again does.
ip -n a link add vx1 type vxlan id 6 dstport 4790 group 239.1.1.3 dev e0
ip -n a link set vx1 up
ip -n a link set e0 down
bridge -n a fdb show dev e0
ip netns exec a cat /proc/net/igmp
ip -n a link add vx2 type vxlan id 7 dstport 4791 group 239.1.1.4 dev e0
ip -n a link set vx2 up
bridge -n a fdb show dev e0
ip -n a link set e0 up
bridge -n a fdb show dev e0
ip -n a maddr show dev e0
ip -n a link set e0 down
ip -n a link del vx1
ip -n a link del vx0
ip -n a link set e0 up
bridge -n a fdb show dev e0
