# What ethtool says of every kind of device, and of settings that none of them has.
# needs: uml
# runs: by bash alone
# programs: ethtool
ip link add d0 type dummy
ip link add v0 type veth peer name v1
ip link add w0 type veth peer name w1
ip link add br0 type bridge
ip link add br1 type bridge
ip link set w0 master br1
ip link add d2 type dummy
ip link add br2 type bridge
ip link set d2 master br2
ip link add m0 link v0 type macvlan
ip link add m1 link d0 type macvlan
ip link add m2 link br2 type macvlan
ip link add vl0 link v0 name vl0 type vlan id 5
ip link add vl1 link d0 name vl1 type vlan id 5
ip link add vl2 link br2 name vl2 type vlan id 7
ip link add i0 link w1 type ipvlan
ip link add mt0 link v1 type macvtap
ip link add bo0 type bond
ip link add bo1 type bond mode active-backup
ip link add d3 type dummy
ip link set d3 master bo1
ip link add t0 type team
ip link add vx0 type vxlan id 5 remote 10.0.0.1 dstport 4789
ip link add g0 type geneve id 5 remote 10.0.0.1
ip link add vr0 type vrf table 9
ip link add if0 type ifb
ip link add gt0 type gretap remote 10.0.0.1 local 10.0.0.2
ip link add ip1 type ipip remote 10.0.0.1 local 10.0.0.2
ip link add nl0 type nlmon
ip link add vc0 type vcan
for dev in lo d0 v0 br0 br1 br2 m0 m1 m2 vl0 vl1 vl2 i0 mt0 bo0 bo1 t0 vx0 g0 vr0 if0 gt0 ip1 nl0 vc0; do
  ethtool -k $dev
done
for dev in lo v0 vl0 bo1 nodev; do
  for option in -l -g -a -c -T -x -n -m -r -p -t --show-eee --show-fec --show-priv-flags; do
    ethtool $option $dev 2>&1; echo "$option $dev: $?"
  done
  ethtool -s $dev speed 1000 2>&1; echo $?
  ethtool -s $dev mtu 1 2>&1; echo $?
  ethtool -G $dev rx 10 2>&1; echo $?
  ethtool -A $dev rx off 2>&1; echo $?
  ethtool -L $dev combined 2 2>&1; echo $?
done
for dev in v0 br1 m0 vl0 nodev; do
  for words in "tx off" "tx on" "gro off" "gro on" "tso off gso off" "rx on" "sg off" "sg on" "lro on" \
    "rxvlan on txvlan on" "tx-checksum-ip-generic off" "gro off nosuch on" "tx maybe" "" "rx-gro-list on" "ufo off"; do
    ethtool -K $dev $words 2>&1; echo "$dev $words: $?"
  done
  ethtool -k $dev 2>&1
done
# What a port or a device below has is seen above.
ethtool -K w0 tx off sg off; ethtool -k br1
ethtool -K v0 tx off rx off; ethtool -k m0; ethtool -k vl0
ip link set w0 nomaster; ethtool -k br1
# Settings, and the counters of a veth's queues.
ip link set d3 nomaster
ip link add s0 type veth peer name s1
ip link add s2 type veth peer name s3
ip link set s1 up; ip link set s3 up
for dev in m1 vl1 bo0 bo1 t0; do ethtool $dev; echo $?; done
ip link set s0 master bo0; ip link set s2 master bo1; ip link set bo0 up; ip link set bo1 up
sleep 1
ethtool bo0; ethtool bo1
ethtool -S w1
