# needs: uml
# covers: traffic macsec
# MACsec with the other suites, short check values, without the channel's name in the tag, and through a bridge.
ip netns add a
ip netns add b
ip link add va netns a address 02:00:00:00:00:0a type veth peer name vb netns b address 02:00:00:00:00:0b
ip -n a link set va up
ip -n b link set vb up
ip -n a link add link va name m1 type macsec port 1 cipher gcm-aes-256 icvlen 8 encrypt on
ip -n b link add link vb name m1 type macsec port 1 cipher gcm-aes-256 icvlen 8 encrypt on
ip -n a macsec add m1 tx sa 0 pn 4294967294 on key 01 0909090909090909090909090909090909090909090909090909090909090909
ip -n b macsec add m1 rx port 1 address 02:00:00:00:00:0a
ip -n b macsec add m1 rx port 1 address 02:00:00:00:00:0a sa 0 pn 1 on key 01 0909090909090909090909090909090909090909090909090909090909090909
ip -n a link set m1 up
ip -n a addr add 10.3.0.1/24 dev m1
ip -n b link set m1 up
ip netns exec b tcpdump -i vb -e -n -xx -c 2 &
sleep 1
# There is no number for the third.
ip netns exec a arping -c 1 -w 1 -I m1 10.3.0.2
ip netns exec a arping -c 1 -w 1 -I m1 10.3.0.2
ip netns exec a arping -c 1 -w 1 -I m1 10.3.0.2
ip netns exec a arping -c 1 -w 1 -I m1 10.3.0.2
sleep 1
ip -n a -s macsec show m1
ip -n b -s macsec show m1
ip -n a -s link show m1
ip -n b -s link show m1
ip -n a link del m1
ip -n b link del m1
ip -n a link add link va name m2 type macsec cipher gcm-aes-xpn-128 icvlen 13 encrypt on send_sci off end_station on
ip -n b link add link vb name m2 type macsec cipher gcm-aes-xpn-128 icvlen 13
ip -n a macsec add m2 tx sa 3 xpn 4294967294 on salt 0102030405060708090a0b0c ssci 5 key 01 09090909090909090909090909090909
ip -n a link set m2 type macsec encodingsa 3
ip -n b macsec add m2 rx port 0 address 02:00:00:00:00:0a
ip -n b macsec add m2 rx sci 02000000000a0001
ip -n b macsec add m2 rx sci 02000000000a0001 sa 3 xpn 4294967290 on salt 0102030405060708090a0b0c ssci 5 key 01 09090909090909090909090909090909
ip -n a link set m2 up
ip -n a addr add 10.3.0.1/24 dev m2
ip -n b link set m2 up
ip netns exec b tcpdump -i vb -e -n -xx -c 3 &
sleep 1
ip netns exec a arping -c 1 -w 1 -I m2 10.3.0.2
ip netns exec a arping -c 1 -w 1 -I m2 10.3.0.2
ip netns exec a arping -c 1 -w 1 -I m2 10.3.0.2
sleep 1
ip -n a -s macsec show
ip -n b -s macsec show
ip -n b -s link show m2
ip -n a link set m2 type macsec send_sci off end_station off scb on
ip netns exec a arping -c 1 -w 1 -I m2 10.3.0.2
ip -n b -s macsec show
