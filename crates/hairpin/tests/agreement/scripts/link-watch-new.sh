# needs: uml
# What a device is said to be right behind the command that makes it, or sets it up: the link watch looks at once only where it
# has not looked in the second before, or where it presses.
sleep 5
ip netns add a
ip netns exec a sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
ip -n a link add br0 address 02:00:00:00:00:b0 type bridge
ip -n a link set br0 up
ip -n a link show br0
ip -n a link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02
ip -n a link set v0 up
ip -n a link show v0
ip -n a link set v1 up
ip -n a link show v0
ip -n a link add link v1 name m0 address 02:00:00:00:00:10 type macvlan mode bridge
ip -n a link set m0 up
ip -n a link show m0
ip -n a link add link v1 name v1.5 up type vlan id 5
ip -n a link show v1.5
ip -n a link set v0 master br0
ip -n a link show br0
sleep 0.5
ip -n a link
sleep 0.7
ip -n a link
sleep 2
ip -n a link set br0 down
ip -n a link set br0 up
ip -n a link show br0
ip -n a link set v0 down
ip -n a link show br0
sleep 1.2
ip -n a link
ip -n a link add d0 address 02:00:00:00:00:d0 type dummy
ip -n a link set d0 up
ip -n a link set d0 carrier off
ip -n a link show d0
ip -n a link set d0 carrier on
ip -n a link show d0
ip -n a link set d0 carrier off
ip -n a link show d0
sleep 1.2
ip -n a link show d0
# One that fails has its turn too.
sleep 2
ip -n a link add v2 type veth peer name v2
ip -n a link add v3 address 02:00:00:00:00:03 type veth peer name v4 address 02:00:00:00:00:04
ip -n a link set v3 up
ip -n a link show v3
sleep 1.2
ip -n a link show v3
# What goes has it as well.
ip -n a link del v3
ip -n a link add v5 address 02:00:00:00:00:05 type veth peer name v6 address 02:00:00:00:00:06
ip -n a link set v5 up
ip -n a link show v5
