# needs: uml
# runs: by bash alone
# programs: ipset
# Sets: their types and elements, what is refused, and rules that ask and change them.
show() { ipset list -s "$@" | sed 's/initval .*/initval I/; s/^Size in memory: .*/Size in memory: S/'; }
r() { ipset "$@" 2>&1 || echo "exit $?"; }
set +x
r create a hash:ip
r create a hash:ip
r create -exist a hash:ip
r create b hash:net timeout 100 counters comment
r create c hash:ip,port
r create d bitmap:port range 80-100
r create e list:set
r create f hash:ip family inet6
r create g bitmap:ip range 10.0.0.0/24
r create h hash:mac
r create i hash:net,iface
r create j hash:ip,port,net
r create k hash:ip netmask 24 maxelem 5 hashsize 64
r create l foo:bar
r create m hash:ip,mark markmask 0xff
r create n bitmap:port
r create p hash:ip nosuch 1
r create q hash:ip maxelem
r create averyveryveryverylongnamethatistoolong hash:ip
r add a 1.2.3.4
r add a 1.2.3.4
r add -exist a 1.2.3.4
r add a 1.2.3.4,80
r add a 1.2.3.0/30
r add a 1.2.3.10-1.2.3.12
r add a foo
r add a 1.2.3.4 timeout 5
r del a 1.2.3.4
r del a 1.2.3.4
r test a 1.2.3.4
r test a 1.2.3.1
r -q test a 1.2.3.1
r add b 10.0.0.0/8 timeout 0
r add b 10.1.0.0/16 nomatch timeout 0 comment "hi there" packets 3 bytes 7
r add b 10.0.0.1-10.0.0.6 timeout 0
r add b 0.0.0.0/0
r add b 1.1.1.1/33
r test b 10.1.1.1
r test b 10.2.1.1
r test b 11.2.1.1
r test b 10.1.0.0/16
r add c 1.1.1.1,tcp:80
r add c 1.1.1.1,udp:53
r add c 1.1.1.1,53
r create c2 hash:ip,port
r add c2 1.1.1.1,icmp:echo-request
r add c 1.1.1.1,tcp:80-82
r create c3 hash:ip,port
r add c3 1.1.1.1,vrrp:0
r add c 1.1.1.1
r add c 1.1.1.1,foo:80
r add d 85
r add d 90-92
r add d 200
r add d http
r add e a
r add e b
r add e nope
r add e c before a
r add e a
r add e e
r test e c before a
r test e b after c
r add f 2001:db8::1
r add f 1.1.1.1
r add g 10.0.0.5
r add g 10.0.1.5
r add h 02:00:00:00:00:01
r add i 10.0.0.0/24,eth0
r add j 1.1.1.1,tcp:80,10.0.0.0/8
for x in 1 2 3 4 5 6; do r add k 10.0.$x.1; done
r add m 1.1.1.1,0x1234
show
r list -n
show -t a
r list nosuch
r save -s | sed 's/initval .*/initval I/'
r list g -o xml | sed 's/memsize>[0-9]*/memsize>S/'
r swap a c
r swap a nosuch
r swap a k
r swap a k
r rename a zz
r rename d b
r rename d dd
r destroy b
r flush b
show b
r foo
r
r add
r add a
r list a b
r -V
ipset restore <<X 2>&1
create q hash:ip
add q 1.1.1.1
add q 1.1.1.1
X
ipset -! restore <<X 2>&1
create q hash:ip
add q 1.1.1.1
add q 1.1.1.2
flush q
add q 1.1.1.9
X
show q
# Rules.
for n in A R; do ip netns add $n; ip -n $n link set lo up; done
ip link add a0 netns A type veth peer name r0 netns R
ip -n A link set a0 address 02:00:00:00:00:01 up
ip -n R link set r0 address 02:00:00:00:00:02 up
for i in 1 2 3; do ip -n A addr add 10.0.1.$i/24 dev a0; done
ip -n R addr add 10.0.1.254/24 dev r0
R="ip netns exec R"
S="ip netns exec R ipset"
I="ip netns exec R iptables-legacy"
i() { $I "$@" 2>&1 || echo "exit $?"; }
$S create ips hash:ip counters
$S create nets hash:net
$S create both hash:ip,port
$S create macs hash:mac
$S create seen hash:ip timeout 1000
$S create all list:set
$S add ips 10.0.1.1
$S add nets 10.0.1.0/24
$S add nets 10.0.1.2 nomatch
$S add both 10.0.1.1,icmp:echo-request
$S add macs 02:00:00:00:00:01
$S add all ips
$S add all nets
i -A INPUT -m set --match-set ips src
i -A INPUT -m set ! --match-set ips src
i -A INPUT -m set --match-set nets src
i -A INPUT -m set --match-set nets src --return-nomatch
i -A INPUT -m set --match-set nets dst
i -A INPUT -m set --match-set both src,src
i -A INPUT -m set --match-set both src
i -A INPUT -m set --match-set macs src
i -A INPUT -m set ! --match-set macs src
i -A INPUT -m set --match-set all src
i -A INPUT -m set --match-set ips src --packets-gt 5 ! --update-counters
i -A INPUT -j SET --add-set seen src --exist
i -A INPUT -m set --match-set seen src
i -A OUTPUT -j SET --del-set ips dst
i -A INPUT -m set --match-set nosuch src
i -A INPUT -m set --match-set ips foo
i -A INPUT -m set
i -A INPUT -m set --match-set ips src --packets-eq 5 --packets-gt 3
i -A INPUT -j SET
i -A INPUT -j SET --add-set nosuch src
i -A INPUT -j SET --add-set seen src --timeout 5 --del-set both src,dst
for n in 1 2 3; do ip netns exec A ping -c 2 -i 0.2 -W 1 -I 10.0.1.$n 10.0.1.254 | grep received | sed 's/, time.*//'; done
# By loopback a packet has no MAC.
ip netns exec R ping -c 1 -W 1 10.0.1.254 | grep received | sed 's/, time.*//'
i -S -v
i -L -n
$S list -s ips | sed 1,6d
$S list -s seen | sed '1,6d; s/timeout.*/timeout T/'
r destroy ips
$S destroy ips 2>&1
$S destroy 2>&1
i -F
$S destroy 2>&1
$S destroy all
$S destroy
$S list -n
