# needs: uml
# covers: dumps macsec
# covers: traffic macsec
# MACsec between two hosts with static keys: what goes over the wire is the same to the last byte.
ip netns add a
ip netns add b
ip link add va netns a address 02:00:00:00:00:0a type veth peer name vb netns b address 02:00:00:00:00:0b
ip -n a link set va up
ip -n b link set vb up
ip -n a link add link va name m0 type macsec encrypt on
ip -n b link add link vb name m0 type macsec encrypt on
ip -n a macsec add m0 tx sa 0 pn 1 on key 01 09090909090909090909090909090909
ip -n a macsec add m0 rx port 1 address 02:00:00:00:00:0b
ip -n a macsec add m0 rx port 1 address 02:00:00:00:00:0b sa 0 pn 1 on key 02 81818181818181818181818181818181
ip -n b macsec add m0 tx sa 0 pn 1 on key 01 81818181818181818181818181818181
ip -n b macsec add m0 rx port 1 address 02:00:00:00:00:0a
ip -n b macsec add m0 rx port 1 address 02:00:00:00:00:0a sa 0 pn 1 on key 02 09090909090909090909090909090909
ip -n a addr add 10.3.0.1/24 dev m0
ip -n b addr add 10.3.0.2/24 dev m0
ip -n a link set m0 up
ip -n b link set m0 up
# The id of an echo request is chance, and all behind it in the ciphertext: the MACs of ARP and UDP tell.
ip -n a neigh add 10.3.0.2 lladdr 02:00:00:00:00:0b dev m0
ip -n b neigh add 10.3.0.1 lladdr 02:00:00:00:00:0a dev m0
ip netns exec b tcpdump -i vb -e -n -vv -XX -c 4 &
sleep 1
ip netns exec a arping -c 1 -I m0 10.3.0.2
ip netns exec b arping -c 1 -I m0 10.3.0.1
sleep 1
ip netns exec b tcpdump -i vb -e -n -x -c 2 &
sleep 1
ip -n a link set m0 type macsec encrypt off
ip netns exec a arping -c 1 -I m0 10.3.0.2
sleep 1
ip -n a link set m0 type macsec encrypt on
ip netns exec a ping -c 2 -i 0.2 10.3.0.2
ip netns exec a ping -c 1 -s 1440 10.3.0.2
ip netns exec a ping -c 1 -s 1441 -M do 10.3.0.2
ip netns exec a ping -c 1 -s 3000 10.3.0.2
ip -n a -d link show m0
ip -n a -d link show va
ip -n a -d -j link show m0
ip -n a macsec show
ip -n a -s macsec show m0
ip -n b -s macsec show
ip -n b -j macsec show
ip -n b -j -p -s macsec show
ip -n b -o macsec show
ip -n a -s link show m0
ip netns exec a ethtool -i m0
ip netns exec a ethtool m0
# What comes without a tag, and where that is no matter.
ip -n a addr add 10.4.0.1/24 dev va
ip -n b addr add 10.4.0.2/24 dev vb
ip -n a neigh add 10.4.0.2 lladdr 02:00:00:00:00:0b dev va
ip -n b neigh add 10.4.0.1 lladdr 02:00:00:00:00:0a dev vb
ip netns exec a ping -c 1 10.4.0.2
ip -n b link set m0 type macsec validate check
ip netns exec a ping -c 1 -W 0.5 10.4.0.2
ip -n b -s macsec show m0
ip -n b -s link show m0
# Keys, channels and associations that do not fit.
ip -n b macsec set m0 rx port 1 address 02:00:00:00:00:0a sa 0 off
ip netns exec a ping -c 1 -W 0.3 10.3.0.2
ip -n b macsec set m0 rx port 1 address 02:00:00:00:00:0a sa 0 on
ip -n b link set m0 type macsec validate strict
ip netns exec a ping -c 1 -W 0.3 10.3.0.2
ip -n b macsec set m0 rx port 1 address 02:00:00:00:00:0a sa 0 pn 100
ip -n b link set m0 type macsec replay on window 5
ip netns exec a ping -c 1 -W 0.3 10.3.0.2
ip -n a macsec set m0 tx sa 0 pn 96
ip netns exec a ping -c 1 -W 0.3 10.3.0.2
ip -n a macsec set m0 tx sa 0 pn 94
ip netns exec a ping -c 1 -W 0.3 10.3.0.2
ip -n b -s macsec show m0
ip -n a macsec set m0 tx sa 0 off
ip netns exec a ping -c 1 -W 0.3 10.3.0.2
ip -n a macsec set m0 tx sa 0 on pn 200
ip -n b macsec del m0 rx port 1 address 02:00:00:00:00:0a
ip netns exec a ping -c 1 -W 0.3 10.3.0.2
ip -n b -s macsec show m0
ip -n b -s link show m0
ip -n b -s link show vb
ip -n a -s macsec show m0
ip -n a -s link show m0
