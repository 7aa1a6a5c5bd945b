# needs: uml
# A change of a tunnel keeps what it does not name, and takes away what it names so.
ip netns add a
ip -n a link add d0 address 02:00:00:00:00:01 type dummy
ip -n a addr add 10.0.0.1/24 dev d0
ip -n a link set d0 up
ip -n a link add g1 type gre local 10.0.0.1 remote 10.0.0.2 ttl 9 tos 4 key 7 csum seq
ip -n a -d link show g1
ip -n a link set g1 type gre ttl 12
ip -n a -d link show g1
ip -n a link set g1 type gre remote 10.0.0.3 nokey
ip -n a -d link show g1
ip -n a link set g1 type gre ikey 5 noocsum noiseq
ip -n a -d -j link show g1
ip -n a link set g1 type gre okey 6 noicsum nooseq tos inherit
ip -n a -d link show g1
ip -n a link set g1 type gre noikey dev d0 nopmtudisc ttl 0
ip -n a -d link show g1
ip -n a link set g1 type gre ignore-df
ip -n a link set g1 type gre nookey
ip -n a -d link show g1
ip -n a link add t1 type gretap local 10.0.0.1 remote 10.0.0.9 key 1.2.3.4
ip -n a link set t1 type gretap ttl 3
ip -n a -d link show t1
ip -n a link set t1 type gre ttl 3
ip -n a link add i1 type ipip local 10.0.0.1 remote 10.0.0.4 ttl 5
ip -n a link set i1 type ipip tos 8
ip -n a -d link show i1
ip -n a link set i1 type ipip remote 10.0.0.5 mode any
ip -n a -d link show i1
ip -n a link add s1 type sit local 10.0.0.1 remote 10.0.0.6 ttl 5
ip -n a link set s1 type sit ttl 6
ip -n a -d link show s1
ip -n a link set nope type gre ttl 6
ip -n a link set d0 type gre ttl 6
