# The way to a host, hop by hop: with UDP, ICMP and TCP, over IPv4 and IPv6; what traceroute says of its command line.
# needs: uml
for n in A R B; do ip netns add $n; ip -n $n link set lo up; done
N="ip netns exec"
for n in A R B; do
  $N $n sh -c 'for i in all default; do echo 0 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done'
  # How many errors a host sends to one in a second is not to hang on what it sent before.
  $N $n sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
done
ip link add a0 netns A type veth peer name r0 netns R
ip link add r1 netns R type veth peer name b0 netns B
ip -n A link set a0 up; ip -n R link set r0 up; ip -n R link set r1 up; ip -n B link set b0 up
ip -n A addr add 10.0.1.1/24 dev a0; ip -n A addr add 2001:db8:1::1/64 dev a0 nodad
ip -n R addr add 10.0.1.254/24 dev r0; ip -n R addr add 2001:db8:1::254/64 dev r0 nodad
ip -n R addr add 10.0.2.254/24 dev r1; ip -n R addr add 2001:db8:2::254/64 dev r1 nodad
ip -n B addr add 10.0.2.1/24 dev b0; ip -n B addr add 2001:db8:2::1/64 dev b0 nodad
ip -n A route add default via 10.0.1.254; ip -n A route add default via 2001:db8:1::254
ip -n B route add default via 10.0.2.254; ip -n B route add default via 2001:db8:2::254
$N R sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n R route add prohibit 10.9.1.0/24; ip -n R route add unreachable 10.9.2.0/24
sleep 3
$N A ping -c1 10.0.2.1; $N A ping -c1 2001:db8:2::1
# Nor on how many errors all hosts together have sent.
trace() { sleep 0.5; $N A traceroute "$@" >out 2>&1; code=$?; sed -E 's/  [0-9.]+ ms/  T ms/g' out; echo "exit code $code"; rm out; }
for to in 10.0.2.1 2001:db8:2::1; do
  trace -n $to
  trace -n -N 1 -q 2 $to
  trace -n -I $to
  trace -n -U $to
  trace -n -T $to
  trace -n -T -q 1 --sport=4000 -N 1 $to
  trace -n -q 1 -t 16 $to
  trace -q 1 $to
done
trace -n 10.0.1.1
for to in 10.9.1.1 10.9.2.1 10.9.3.1; do
  sleep 6
  trace -n -q 1 -N 1 $to
done
trace -n -q 1 2001:db8:9::1
trace -n -w 1 -q 1 -m 3 10.0.2.99
trace -n -s 10.0.1.9 10.0.2.1
trace -n -i nodev 10.0.2.1
trace -n -F -q 1 10.0.2.1 1600
trace -n --mtu -q 1 10.0.2.1
trace -n
trace -z
trace -n nosuch.invalid
trace -n -f 5 -m 4 10.0.2.1
trace -n -w x 10.0.2.1
trace -4 -n 2001:db8:2::1
trace -6 -n 10.0.2.1
trace -M nosuch 10.0.2.1
