# needs: uml
# covers: dumps macvtap ipvtap
# covers: refusals macvtap ipvtap
# macvtap and ipvtap while no program holds their queue: what they are made from, what they show, who answers for them.
ip netns add h
ip netns add o
ip link add low netns h address 02:00:00:00:00:01 type veth peer name wire netns o address 02:00:00:00:00:02
ip -n h link set low up
ip -n o link set wire up
ip -n o addr add 10.0.0.2/24 dev wire
# Who answers for an address first is not the question here.
ip netns exec h sysctl -q -w net.ipv4.conf.all.arp_ignore=1
ip -n h link add name x type macvtap
ip -n h link add link lo name x type macvtap
ip -n h link add link low name x type macvtap mode funny
ip -n h link add link low name mt0 address 02:00:00:00:00:0a type macvtap mode bridge
ip -n h link add link low name mt1 address 02:00:00:00:00:0b type macvtap
ip -n h link add link mt0 name mv2 address 02:00:00:00:00:0c type macvlan mode bridge
ip -n h link add link mv2 name mt3 address 02:00:00:00:00:0d txqueuelen 7 type macvtap mode private
ip -n h -d link
ip -n h -d -j link show mt0
ip -n h link set mt0 type macvtap mode passthru
ip -n h link set mt0 type macvlan mode vepa
ip -n h link set mt0 type macvtap mode vepa
ip -n h -d link show mt0
ip -n h link set mt0 type macvtap mode bridge
ip -n h link add link mt0 name x type ipvlan
ip -n h link add link low name x type ipvtap
ip -n h link add br0 type bridge
ip -n h link set mt0 master br0
ip -n h link add link mt0 name w5 type vlan id 5
ip -n h link del w5
ip -n h link set mt0 up
ip -n h link set mv2 up
# The kernel looks at links whose devices are not stacked on others but once a second.
sleep 1.3
ip -n h link show mt0 | sed 's/qdisc [a-z_]*/qdisc DEFAULT/'
ip -n h addr add 10.0.0.10/24 dev mt0
ip netns exec o ping -c1 -W0.5 10.0.0.10
ip netns exec h ping -c1 -W0.5 10.0.0.2
ip -n h -s link show mt0 | sed 's/qdisc [a-z_]*/qdisc DEFAULT/'
ip netns exec h ethtool -i mt0
ip netns exec h ethtool mt0
ip netns exec h cat /sys/class/net/mt0/tx_queue_len /sys/class/net/mt0/iflink /sys/class/net/mt0/uevent /sys/class/net/mt0/speed
ip -n h link set mt0 netns o
ip -n o link show mt0
ip -n o link del mt0
ip -n h link del mt1
ip -n h link del mv2
ip -n h link del mt3
ip -n h link add link low name it0 type ipvtap mode l2
ip -n h link add link it0 name iv1 type ipvlan mode l2 private
ip -n h -d link
ip -n h -d -j link show it0
ip -n h link set it0 type ipvtap mode l3s vepa
ip -n h -d link show iv1
ip -n h link set it0 type ipvlan mode l2
ip -n h link set it0 type ipvtap mode l2 bridge
ip -n h link set it0 master br0
ip -n h link add link it0 name x type macvlan
ip -n h link set it0 up
ip -n h addr add 10.0.0.20/24 dev it0
ip -n h addr add 10.0.0.20/24 dev iv1
ip -n h link show it0 | sed 's/qdisc [a-z_]*/qdisc DEFAULT/'
ip netns exec o ping -c1 -W0.5 10.0.0.20
ip netns exec h ping -c1 -W0.5 10.0.0.2
ip netns exec h ethtool -i it0
ip netns exec h cat /sys/class/net/it0/dev_id /sys/class/net/it0/uevent
ip -n h link del low
ip -n h link
ip link help macvtap
