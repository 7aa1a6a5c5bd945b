# What Linux refuses, and how.
# needs: uml
ip netns add n1
ip netns add n1
ip netns add bad/name
ip netns del nothere
ip netns exec nothere true
ip -n nothere link
ip -n n1 link add v1 type veth peer name v1
ip -n n1 link add v1 type veth peer name v2
ip -n n1 link add v1 type veth peer name v3
ip -n n1 link add v3 type veth peer name v2
ip -n n1 link add averyverylongname type bridge
ip -n n1 link add v3 type nothing
ip -n n1 link add link nothere name m type macvlan
ip -n n1 link add name m type macvlan
ip -n n1 link add link lo name m type macvlan
ip -n n1 link add link v1 name m type macvlan mode nothing
ip -n n1 link add link v1 name m address 01:00:00:00:00:01 type macvlan
ip -n n1 link add link v1 name m mtu 9000 type macvlan
ip -n n1 link add link v1 name m1 type macvlan mode passthru
ip -n n1 link add link v1 name m2 type macvlan mode bridge
ip -n n1 link del m1
ip -n n1 link add link v1 name m1 type macvlan mode bridge
ip -n n1 link add link v1 name m2 type macvlan mode passthru
ip -n n1 link add br0 type bridge
ip -n n1 link set v1 master br0
ip -n n1 link set lo master br0
ip -n n1 link set br0 master br0
ip -n n1 link add br1 type bridge
ip -n n1 link set br1 master br0
ip -n n1 link set v2 master v1
ip -n n1 link set v2 master nothere
ip -n n1 link set v2 master br0
ip -n n1 link set v2 master br0
ip -n n1 link add link v2 name m3 type macvlan
ip -n n1 link add link br0 name m4 type macvlan
ip -n n1 link set m4 master br0
ip -n n1 link set nothere up
ip -n n1 link set v1 mtu 20
ip -n n1 link set v1 mtu 70000
ip -n n1 link set v1 mtu nothing
ip -n n1 link set v1 address 1:2:3
ip -n n1 link set v1 address 00:00:00:00:00:00
ip -n n1 link set v1 name v2
ip -n n1 link set v1 name bad/name
ip -n n1 link set v1 up
# The kernel looks at carriers once a second.
sleep 1.1
ip -n n1 link set v1 name v9
ip -n n1 link set lo name loop
ip -n n1 link set lo address 02:00:00:00:00:01
ip -n n1 link set br0 netns 1
ip -n n1 link set lo netns 1
ip -n n1 link set v1 netns nothere
ip -n n1 link del lo
ip -n n1 link del nothere
ip -n n1 link set m1 type macvlan mode passthru
ip -n n1 link set m1 type bridge mode bridge
ip -n n1 link set v1 type veth
ip -n n1 link set m1 type macvlan macaddr add 02:00:00:00:00:05
ip -n n1 link set m1 type macvlan bcqueuelen 7
ip -n n1 link set br0 type bridge ageing_time nothing
ip -n n1 link set br0 type bridge forward_delay 1
bridge -n n1 link set dev m1 hairpin on
bridge -n n1 link set dev v2 hairpin maybe
bridge -n n1 link set dev v2 state 9
bridge -n n1 link set dev nothere hairpin on
bridge -n n1 fdb add 02:00:00:00:00:05 dev m1
bridge -n n1 fdb add 02:00:00:00:00:05 dev v1 master
bridge -n n1 fdb add 0:0 dev v1
ip -n n1 addr add 10.0.0.1/33 dev v1
ip -n n1 addr add 10.0.0.1/24 dev nothere
ip -n n1 addr add 10.0.0.1/24 dev v1
ip -n n1 addr add 10.0.0.1/24 dev v1
ip -n n1 addr del 10.0.0.2/24 dev v1
ip -n n1 route add default via 10.9.9.9
ip -n n1 link
