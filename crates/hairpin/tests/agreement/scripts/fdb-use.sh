# needs: uml
# An entry that is said to be used is as if it had been learned, whatever else is said of it.
ip netns add sw
ip -n sw link add br0 address 02:00:00:00:00:02 type bridge mcast_snooping 0
ip -n sw link set br0 up
ip -n sw link add d1 address 02:00:00:00:00:03 type dummy
ip -n sw link add d2 address 02:00:00:00:00:04 type dummy
ip -n sw link set d1 master br0
ip -n sw link set d2 master br0
ip -n sw link set d1 up
bridge -n sw monitor fdb >told 2>/dev/null &
sleep 2.3
bridge -n sw fdb add 02:00:00:00:99:07 dev d1 master use
bridge -n sw fdb add 02:00:00:00:99:08 dev d1 master use static
bridge -n sw fdb add 02:00:00:00:99:09 dev d1 master use dynamic
bridge -n sw fdb add 02:00:00:00:99:0a dev d1 master use extern_learn
bridge -n sw fdb add 02:00:00:00:99:0b dev d1 master static
bridge -n sw fdb add 02:00:00:00:99:0c dev d1 master extern_learn dynamic
bridge -n sw fdb replace 02:00:00:00:99:0b dev d1 master use
bridge -n sw fdb add 02:00:00:00:99:07 dev d1 master use vlan 1
bridge -n sw fdb add 02:00:00:00:99:0d dev br0 self use
# The port is down: nothing is learned, and nobody complains.
bridge -n sw fdb add 02:00:00:00:99:0e dev d2 master use
bridge -n sw fdb show br br0
bridge -n sw fdb show br br0 dynamic
ip -n sw link set d2 up
sleep 1.3
bridge -n sw fdb replace 02:00:00:00:99:0c dev d2 master use
bridge -n sw fdb replace 02:00:00:00:99:07 dev d2 master use
bridge -n sw fdb show br br0
sleep 0.3
kill %1
wait
cat told
