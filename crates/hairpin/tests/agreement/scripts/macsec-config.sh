# needs: uml
# runs: with the real programs
# covers: dumps macsec
# covers: refusals macsec
# How MACsec devices are made, what they show, and what is refused.
ip netns add a
ip netns add b
ip -n a link add va address 02:00:00:00:00:0a type veth peer name vb address 02:00:00:00:00:0b
ip link help macsec
ip -n a link add link va type macsec
ip -n a link show macsec0
ip -n a link del macsec0
ip -n a link add link va name m0 type macsec
ip -n a link add link va name m1 type macsec port 1
ip -n a link add link va name m1 type macsec port 2
ip -n a link add link va name m2 type macsec sci 0011223344556677 cipher gcm-aes-256 icvlen 12 send_sci off
ip -n a link add link va name m2 type macsec sci 0011223344556677 cipher gcm-aes-256 icvlen 12
ip -n a link add link va name m3 type macsec port 7 cipher gcm-aes-xpn-256 send_sci off end_station on
ip -n a link add link va name m4 address 02:00:00:00:00:44 mtu 1000 type macsec encrypt on validate check replay on window 9 encodingsa 2
ip -n a link add link va name m5 type macsec port 3 protect off scb on send_sci off
ip -n a link add link va name x type macsec icvlen 9
ip -n a link add link va name x type macsec port 0
ip -n a link add link va name x type macsec encodingsa 4
ip -n a link add link va name x type macsec cipher aes
ip -n a link add link va name x type macsec encrypt maybe
ip -n a link add link va name x type macsec validate never
ip -n a link add link va name x type macsec window 4
ip -n a link add link va name x type macsec replay on
ip -n a link add link va name x type macsec scb on end_station on
ip -n a link add link va name x type macsec offload mac
ip -n a link add link va name x type macsec offload phony
ip -n a link add link va name x type macsec nonsense
ip -n a link add link lo name x type macsec
ip -n a link add name x type macsec
ip -n a link add link va name x type macvlan
ip -n a link add link va name x type ipvlan
ip -n a link add mv link vb address 02:00:00:00:00:33 type macvlan
ip -n a link add link vb name x type macsec
ip -n a link add link mv name m6 type macsec port 9
ip -n a link add link m0 name m7 type macsec port 8
ip -n a link add link m0 name m0.5 type vlan id 5
ip -n a -d link
ip -n a -d -j link show m4
ip -n a macsec show
ip -n a -s macsec show m3
ip -n a -j -s macsec show m4
ip -n a link set m0 type macsec cipher gcm-aes-256
ip -n a link set m0 type macsec icvlen 12
ip -n a link set m0 type macsec port 5
ip -n a link set m0 type macsec encrypt on protect off validate disabled
ip -n a link set m0 type macsec replay on window 5
ip -n a link set m0 type macsec encodingsa 1
ip -n a -d link show m0
ip -n a link set m0 type macsec replay off
ip -n a -d link show m0
ip -n a macsec add va rx port 1 address 02:00:00:00:00:0b
ip -n a macsec add nope rx port 1 address 02:00:00:00:00:0b
ip -n a macsec add m0 rx port 1 address 02:00:00:00:00:0b
ip -n a macsec add m0 rx port 1 address 02:00:00:00:00:0b
ip -n a macsec add m1 rx port 1 address 02:00:00:00:00:0b
ip -n a macsec add m0 rx sci 2 off
ip -n a macsec add m0 rx port 1 address 02:00:00:00:00:0b sa 0 pn 1 on key 02 81818181818181818181818181818181
ip -n a macsec add m0 rx port 1 address 02:00:00:00:00:0b sa 0 pn 1 on key 02 81818181818181818181818181818181
ip -n a macsec add m0 rx port 1 address 02:00:00:00:00:0b sa 3 pn 7 key 0203 81818181818181818181818181818182
ip -n a macsec add m0 rx port 2 address 02:00:00:00:00:0b sa 3 pn 7 key 0203 81818181818181818181818181818182
ip -n a macsec add m0 tx sa 0 pn 1 on key 01 0909
ip -n a macsec add m0 tx sa 0 pn 1 on key 01 09090909090909090909090909090909
ip -n a macsec add m0 tx sa 0 pn 1 on key 01 09090909090909090909090909090909
ip -n a macsec add m0 tx sa 1 xpn 1 on salt 01 ssci 1 key 01 09090909090909090909090909090909
ip -n a macsec add m3 tx sa 0 pn 1 on key 01 0909090909090909090909090909090909090909090909090909090909090909
ip -n a macsec add m3 tx sa 0 xpn 5000000000 on salt 0102030405060708090a0b0c ssci 11 key 01 0909090909090909090909090909090909090909090909090909090909090909
ip -n a macsec set m3 tx sa 0 pn 3
ip -n a macsec add m0 tx sa 9
ip -n a macsec add m0 tx sa 1 on
ip -n a macsec add m0 tx sa 1 on key 01 09090909090909090909090909090909
ip -n a macsec add m0 tx sa 1 pn 0
ip -n a macsec add m0 tx sa 1 pn 1 pn 2
ip -n a macsec add m0 tx sa 1 on off
ip -n a macsec add m0 tx sa 1 key zz 01
ip -n a macsec set m0 tx sa 0 key 01 0909
ip -n a macsec set m0 tx sa 2 on
ip -n a macsec show m0
ip -n a macsec show m3
ip -n a -j macsec show m0
ip -n a macsec del m0 tx sa 0
ip -n a macsec set m0 tx sa 0 off pn 77
ip -n a macsec show m0
ip -n a macsec del m0 tx sa 0
ip -n a macsec del m0 tx sa 0
ip -n a macsec del m0 rx port 1 address 02:00:00:00:00:0b sa 0
ip -n a macsec set m0 rx port 1 address 02:00:00:00:00:0b sa 0 off
ip -n a macsec del m0 rx port 1 address 02:00:00:00:00:0b sa 0
ip -n a macsec set m0 rx port 1 address 02:00:00:00:00:0b off
ip -n a macsec show m0
ip -n a macsec del m0 rx port 1 address 02:00:00:00:00:0b
ip -n a macsec del m0 rx port 1 address 02:00:00:00:00:0b
ip -n a macsec set m0 rx sci 3 off
ip -n a macsec foo
ip macsec help
ip -n a macsec add m0 rx
ip -n a macsec add m0 rx port 1
ip -n a macsec add m0 rx sci 5 perhaps
ip -n a macsec add m0 both
ip -n a macsec offload m0 mac
ip -n a macsec offload m0 off
ip -n a macsec offload m0 foo
ip -n a macsec show nope
# Up and down, MTUs, other namespaces.
ip -n a link set m0 up
sleep 1.3
ip -n a link show m0
ip -n a link set va up
ip -n a link set vb up
sleep 1.3
ip -n a -d link show m0
ip -n a -d link show va
ip -n a link set va down
sleep 1.3
ip -n a link show m0
ip -n a link set va up
ip -n a link set m0 mtu 1469
ip -n a link set m0 mtu 1468
ip -n a link set va mtu 1400
ip -n a link show m0
ip -n a link show m4
ip -n a link set m0 mtu 1369
ip -n a link set va mtu 1500
ip -n a link show m0
ip -n a link set m0 address 02:00:00:00:00:99
ip -n a -d link show m0
ip -n a link set m0 down
ip -n a -d link show va
ip -n a link set m1 netns b
ip -n b -d link show m1
ip -n b macsec show
ip -n b macsec add m1 rx port 1 address 02:00:00:00:00:0b
ip -n b macsec show
ip -n a link del m0
ip -n a link del va
ip -n a link
ip -n b link
