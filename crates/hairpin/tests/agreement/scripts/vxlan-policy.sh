# needs: uml
# A vxlan device with `gbp`: what it says of itself and refuses, and a packet's mark that goes with it as a policy.
ip netns add a
ip netns add b
ip link add u1 netns a address 02:00:00:00:00:31 type veth peer name u2 netns b address 02:00:00:00:00:32
for i in 1 2; do
    [ $i = 1 ] && ns=a || ns=b
    ip -n $ns addr add 192.168.0.$i/24 dev u$i
    ip -n $ns link set u$i up
    ip -n $ns link add vx$i address 02:00:00:00:01:0$i type vxlan id 46 remote 192.168.0.$((3 - i)) dstport 4789 gbp
    ip -n $ns addr add 10.0.0.$i/24 dev vx$i
    ip -n $ns link set vx$i up
done
ip -n a -d link show vx1
ip -n a -d -j link show vx1
ip -n a link add vx3 type vxlan id 47 dstport 4790 gbp gpe
ip -n a link add vx3 type vxlan id 47 dstport 4790 gpe
ip -n a link set vx1 type vxlan id 46 gbp
ip -n a link add vx3 type vxlan id 46 dstport 4789 remote 192.168.0.2
ip -n a -d link show vx3
ip -n a link set vx3 up
ip -n a link del vx3
ip netns exec b tcpdump -l -n -t -xx -i u2 udp port 4789 >u2.cap 2>/dev/null &
sleep 0.5
ip netns exec a ping -c 1 -W 1 10.0.0.2
ip netns exec a ping -c 1 -W 1 -m 0x481234 10.0.0.2
ip -n b link del vx2
ip -n b link add vx2 address 02:00:00:00:01:02 type vxlan id 46 remote 192.168.0.1 dstport 4789
ip -n b addr add 10.0.0.2/24 dev vx2
ip -n b link set vx2 up
ip netns exec a ping -c 1 -W 1 10.0.0.2
ip netns exec a ping -c 1 -W 1 -m 7 10.0.0.2
ip -n b -s link show vx2
kill %1
wait
# Ports and sums are chance; the header of vxlan begins with flags and policy.
grep '0x0020:' u2.cap | sed -E 's/^.*0x0020: +([0-9a-f]+ ){5}//'
