# needs: uml
# runs: by bash alone
# programs: tc
# What is taught from outside, disciplines that are put in the place of others, addresses that manage others, and what
# programs keep back until they end.
ip netns add a
ip -n a link add br0 address 02:00:00:00:00:b0 type bridge
ip -n a link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02
ip -n a link set v0 master br0 up
ip -n a link set v1 up
ip -n a link set br0 up
sleep 2
bridge -n a fdb add 02:00:00:00:99:0a dev v0 master extern_learn
bridge -n a fdb add 02:00:00:00:99:0a dev v0 master extern_learn
bridge -n a fdb add 02:00:00:00:99:0b dev br0 self extern_learn local
bridge -n a fdb add 02:00:00:00:99:0c dev br0 self extern_learn dynamic
bridge -n a fdb show br br0
bridge -n a -d fdb show dynamic
bridge -n a monitor mdb >only.txt &
bridge -n a monitor all >all.txt &
sleep 0.5
bridge -n a mdb add dev br0 port v0 grp 239.1.1.1 permanent
ip -n a link set v0 nomaster
sleep 1
kill %1 %2
wait
cat only.txt
grep -v NEIGH all.txt
tc -n a qdisc add dev v0 root netem delay 10ms
tc -n a qdisc add dev v0 root foo
tc -n a qdisc add dev v0 root netem delay 20ms
tc -n a qdisc add dev v0 root tbf rate 1mbit burst 10k latency 50ms
tc -n a -d qdisc show dev v0 | sed 's/ 8[0-9a-f]*:/ H:/'
tc -n a qdisc change dev v0 root pfifo limit 7
tc -n a qdisc show dev v0 | sed 's/ 8[0-9a-f]*:/ H:/'
ip netns exec a sh -c 'cd /proc/sys/net/ipv6/conf; for i in all default v1; do echo 0 >$i/disable_ipv6; done'
ip -n a addr add 2001:db8::5/128 dev v1 mngtmpaddr
ip link set lo up
tcpdump -i lo -n -w f.pcap 2>/dev/null &
sleep 0.5
ping -q -c1 127.0.0.1
sleep 2
tcpdump -n -t -r f.pcap
tcpdump -i lo -n -t >g.txt 2>/dev/null &
sleep 0.5
ping -q -c1 127.0.0.1
sleep 2
wc -l <g.txt
kill %1 %2
wait
wc -l <g.txt
