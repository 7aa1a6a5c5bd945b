# needs: uml
# runs: by bash alone
# What `bridge monitor` tells of VLANs that come and go with a bridge and its ports, and `ip monitor` of a bridge's links.
# with: told.part
PAUSE=0.3
stdbuf -oL bridge monitor vlan >$LOG &
M=$!
sleep 1
say ip link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02
say ip link add br0 address 02:00:00:00:00:30 type bridge
say ip link set v0 master br0
say bridge vlan add dev v0 vid 5
say bridge vlan add dev v0 vid 7-9
say bridge vlan add dev br0 vid 5 self
say ip link set v0 nomaster
say ip link set v0 master br0
say ip link del br0
say ip link add br0 address 02:00:00:00:00:30 type bridge vlan_default_pvid 0
say ip link set v0 master br0
say ip link del br0
kill $M
wait
: >$LOG
seen=0
ip -d monitor link >$LOG &
M=$!
sleep 1
say ip link add br0 address 02:00:00:00:00:30 type bridge
say ip link set br0 up
say ip link set v0 master br0
say ip link set v0 nomaster
say ip link add link br0 name br0.5 address 02:00:00:00:00:35 type vlan id 5
say ip link set br0.5 up
say ip link del br0
kill $M
wait
ip link del v0
