# needs: uml
# runs: by bash alone
# programs: conntrack
# conntrack: connections listed, made, changed and forgotten, and what it tells of changes.
for n in A R; do ip netns add $n; ip -n $n link set lo up; done
ip link add a0 netns A type veth peer name r0 netns R
ip -n A link set a0 address 02:00:00:00:00:01 up
ip -n R link set r0 address 02:00:00:00:00:02 up
ip -n A addr add 10.0.1.1/24 dev a0
ip -n R addr add 10.0.1.254/24 dev r0
set +x
C="ip netns exec R conntrack"
c() { echo "\$ conntrack $*"; $C "$@" 2>&1 || echo "exit $?"; }
t() { c "$@" | sed -E 's/ ([0-9]+) ((NONE|SYN_SENT|ESTABLISHED|CLOSE|TIME_WAIT) )?src/ T \2src/; s/use=[0-9]/use=U/; s/ id=[0-9]{5,}/ id=I/; s/<timeout>[0-9]*/<timeout>T/; s/<id>[0-9]*/<id>I/g; s/<use>[0-9]/<use>U/g'; }
ip netns exec R iptables-legacy -A INPUT -m conntrack --ctstate NEW
sleep 0.5
$C -E >all 2>all.err &
all=$!
$C -E -e NEW -p icmp -o extended >new 2>new.err &
new=$!
sleep 1
ip netns exec A ping -e 77 -c 2 -i 0.2 -W 1 10.0.1.254 | grep -c from
echo x | ip netns exec A nc -n -u -w 1 -p 4000 10.0.1.254 5000
t -L -p icmp
t -L -p icmp -o extended
t -L -o xml -p udp | grep -v entries
t -U -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 77 -s 10.0.1.1 -d 10.0.1.254 -t 100 -m 6
t -L -p icmp
t -L -m 6
t -G -p icmp -s 10.0.1.1 -d 10.0.1.254 --icmp-type 8 --icmp-code 0 --icmp-id 77
t -G -p icmp -s 10.0.1.1 -d 10.0.1.253 --icmp-type 8 --icmp-code 0 --icmp-id 77
t -I -p tcp -s 1.1.1.1 -d 2.2.2.2 --sport 10 --dport 20 --state SYN_SENT -t 50 -m 9
t -I -p tcp -s 1.1.1.1 -d 2.2.2.2 --sport 10 --dport 20 --state SYN_SENT -t 50
t -I -p udp -s 1.1.1.1 -d 2.2.2.2 --sport 10 --dport 20 -t 50 -u ASSURED,SEEN_REPLY
t -I -p udp -s 1.1.1.1 -d 2.2.2.2 --sport 10 --dport 21
t -I
t -L -p tcp
t -L -s 1.1.1.1 -p udp
c -L -o save,id
c -L -o save | sed -E 's/ -t [0-9]+/ -t T/' | sort
c -G -p udp -s 1.1.1.1 -d 2.2.2.2 --sport 10 --dport 20 | grep -o 'use=.*'
# Of no family the kernel knows nothing; what stays the same is left alone.
c -U -p icmp -m 8
t -U -p icmp -f ipv4 -m 8
c -U -p icmp -f ipv4 -m 8
c -C expect
c -D -j 1.1.1.1
for w in 1x x -1 010; do t -L -w $w | sort; done
t -D -p tcp
c -C
ip netns exec R sysctl -n net.netfilter.nf_conntrack_expect_max net.netfilter.nf_conntrack_buckets | wc -l
# What is counted is told at the end alone.
ip netns exec R sysctl -w net.netfilter.nf_conntrack_acct=1
ip netns exec A ping -e 78 -c 1 -W 1 10.0.1.254 | grep -c from
t -I -p udp -s 4.4.4.4 -d 2.2.2.2 --sport 10 --dport 20 -t 50
t -L -s 4.4.4.4
t -D -s 4.4.4.4
t -D -p icmp --icmp-id 78
t -I -p udp -s 3.3.3.3 -d 2.2.2.2 --sport 10 --dport 20 -t 1
sleep 4
t -L -s 3.3.3.3
kill $all $new
wait
sed -E 's/ portid=.*//; s/ [0-9]+ src/ T src/; s/ [0-9]+ SYN/ T SYN/' all
cat all.err
sed -E 's/ [0-9]+ src/ T src/' new
cat new.err
