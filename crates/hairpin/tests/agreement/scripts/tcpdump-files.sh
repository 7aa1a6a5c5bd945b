# A capture in several files.
# runs: by bash alone
# runs: with the real programs
ip netns add a
ip netns add b
ip link add v0 netns a address 02:00:00:00:00:01 type veth peer name v1 netns b address 02:00:00:00:00:02
ip -n a addr add 10.0.0.1/24 dev v0
ip -n b addr add 10.0.0.2/24 dev v1
ip -n a link set v0 up
ip -n b link set v1 up
d=$(mktemp -d); cd $d
ip netns exec a ping -c 1 10.0.0.2 >/dev/null
ip netns exec a tcpdump -Z root -U -i v0 -w all.pcap icmp 2>/dev/null & p=$!
while [ ! -e all.pcap ]; do sleep 0.2; done
ip netns exec a ping -q -c 3 -i 0.2 -s 60000 10.0.0.2 >/dev/null
ip netns exec a ping -q -f -c 15 -s 65000 10.0.0.2 >/dev/null
sleep 1
kill -INT $p; wait $p
tcpdump -n -t -r all.pcap | wc -l
tcpdump -Z root -C 1 -r all.pcap -w one
ls
for f in one*; do tcpdump -n -r $f | wc -l; done
rm one*
tcpdump -Z root -C 1 -W 2 -r all.pcap -w two
ls
for f in two*; do tcpdump -n -r $f | wc -l; done
tcpdump -Z root -C 1 -W 11 -r all.pcap -w eleven
ls
tcpdump -Z root -G 100000 -r all.pcap -w 'by%%%yday'
ls | wc -l
tcpdump -C 1k -r all.pcap
tcpdump -C 0 -r all.pcap
tcpdump -G -1 -r all.pcap
tcpdump -W 0 -r all.pcap
ip netns exec a tcpdump -Z root -n -i v0 -G 2 -W 2 -w 'r%S.pcap' icmp 2>err & p=$!
while ! grep -q listening err; do sleep 0.2; done
ip netns exec a ping -q -c 8 -i 1 10.0.0.2 >/dev/null
wait $p; echo $?
grep Maximum err
ls r* | wc -l
cd /; rm -rf $d
