# needs: uml
# What hardly anybody asks for: names with per cent signs, labels that are too long, one promiscuous user fewer than none,
# an MTU too small for IPv6 and back while that is switched off.
ip netns add a
ip -n a link add name a%s type dummy
ip -n a link add name a% type dummy
ip -n a link add name a%d%d type dummy
ip -n a link add name a%s%d type dummy
ip -n a link add name a%d type dummy
ip -n a link add name a%dx type dummy
ip -n a -br link
ip -n a link set a0 name b%s
ip -n a link set a0 name b%d
ip -n a addr add 10.27.0.4/24 label b0:verylonglabelname dev b0
ip -n a addr add 10.27.0.5/24 label b0:short dev b0
ip -n a addr show dev b0
ip -n a link add e0 address 02:00:00:00:00:01 type dummy
ip -n a link set e0 up
ip -n a link add link e0 name m0 address 02:00:00:00:00:02 type macvlan mode passthru
ip -n a -d link show e0
ip -n a link set m0 type macvlan mode passthru nopromisc
ip -n a -d link show e0
ip -n a link set e0 promisc on
ip -n a -d link show e0
ip -n a link set e0 promisc off
ip -n a -d link show e0
ip -n a link add d1 address 02:00:00:00:00:03 type dummy
ip -n a link add d2 address 02:00:00:00:00:04 type dummy
ip -n a link set d1 up
ip -n a link set d2 up
ip -n a link set d1 mtu 1000
ip -n a link set d1 mtu 1400
bridge -n a fdb
ip -n a link set d1 down
ip -n a link set d2 down
bridge -n a fdb
ip -n a maddr show dev d1
ip -n a link set d1 up
bridge -n a fdb
