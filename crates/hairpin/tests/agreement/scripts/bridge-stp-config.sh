# needs: uml
# runs: by bash alone
# Spanning tree's settings: ranges, units, and what takes effect when.
# What a pipe prints of its commands first is chance.
showstp() {
    { set +x; } 2>/dev/null; ip netns exec n1 brctl showstp $1 >stp; grep -v timer stp; set -x
}
ip netns add n1
ip -n n1 link add br0 address 02:00:00:00:01:00 type bridge
ip netns exec n1 brctl showstp br0
ip -n n1 link set br0 type bridge forward_delay 100
ip -n n1 link set br0 type bridge stp_state 1
ip -n n1 -d link show br0
ip -n n1 link set br0 type bridge forward_delay 100
ip -n n1 link set br0 type bridge forward_delay 3001
ip -n n1 link set br0 type bridge hello_time 99
ip -n n1 link set br0 type bridge hello_time 1001
ip -n n1 link set br0 type bridge max_age 599
ip -n n1 link set br0 type bridge max_age 4001
ip -n n1 link set br0 type bridge forward_delay 2000 hello_time 300 max_age 1000
ip -n n1 -d link show br0
ip netns exec n1 brctl setfd br0 10
ip netns exec n1 brctl sethello br0 1
ip netns exec n1 brctl setmaxage br0 12.5
ip netns exec n1 brctl setmaxage br0 100
ip netns exec n1 brctl setbridgeprio br0 4097
ip netns exec n1 brctl showstp br0
ip -n n1 link set br0 up
sleep 1.5
ip -n n1 link show br0
ip -n n1 link add p1 address 02:00:00:00:00:01 type veth peer name q1 address 02:00:00:00:00:11
ip -n n1 link set q1 up
ip -n n1 link set p1 up
ip -n n1 link set p1 master br0
sleep 1.5
ip -n n1 link show br0
bridge -n n1 link
bridge -n n1 link set dev p1 state 3
bridge -n n1 vlan set vid 1 dev p1 state 3
bridge -n n1 link set dev p1 priority 64
bridge -n n1 link set dev p1 cost 65536
bridge -n n1 link set dev p1 cost 100 priority 8
ip netns exec n1 brctl setpathcost br0 p1 0
ip netns exec n1 brctl setportprio br0 p1 70
showstp br0
ip -n n1 link add d0 address 02:00:00:00:00:0d type dummy
ip -n n1 link set d0 master br0
ip -n n1 link add link q1 name q1.5 type vlan id 5
ip -n n1 link set q1.5 master br0
bridge -n n1 -d link
ip -n n1 link set br0 address 02:00:00:00:09:09
showstp br0
ip -n n1 link set br0 type bridge ageing_time 1000
sleep 22
bridge -n n1 link
ip -n n1 -d link show br0
showstp br0
sleep 24
ip -n n1 -d link show br0
ip -n n1 link set br0 down
bridge -n n1 link
ip -n n1 link set br0 up
bridge -n n1 link
ip -n n1 link set br0 type bridge stp_state 0
bridge -n n1 link
ip -n n1 link set p1 nomaster
ip -n n1 link set d0 nomaster
ip -n n1 link set q1.5 nomaster
ip -n n1 -d link show br0
ip -n n1 link add br1 type bridge
ip -n n1 -d link show br1
