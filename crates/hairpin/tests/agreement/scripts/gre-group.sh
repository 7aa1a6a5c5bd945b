# needs: uml
# GRE to a group of hosts: the keys are the group's address, where none are given.
ip link set lo up
ip link add d0 type veth peer name d1
ip link set d0 up
ip link set d1 up
ip addr add 10.0.0.1/24 dev d0
ip link add g1 type gre remote 239.1.1.1
ip link add g1 type gre remote 239.1.1.1 local 10.0.0.1
ip -d link show g1 | grep remote
ip link add g2 type gre remote 239.1.1.1 local 10.0.0.1 key 5
ip -d link show g2 | grep remote
ip link add g3 type gre remote 239.1.1.2 local 10.0.0.1 ikey 5
ip -d link show g3 | grep remote
ip link add g4 type gretap remote 239.1.1.1 local 10.0.0.1
ip -d link show g4 | grep remote
ip link add g5 type gretap remote 239.1.1.2
ip tunnel add g7 mode gre remote 239.1.1.7 local 10.0.0.1
ip -d link show g7 | grep remote
ip tunnel add g8 mode gre remote 239.1.1.8
ip tunnel add g9 mode ipip remote 239.1.1.8 local 10.0.0.1
ip -d link show g9 | grep remote
ip link add g11 type ipip remote 239.1.1.8 local 10.0.0.1
ip -d link show g11 | grep remote
