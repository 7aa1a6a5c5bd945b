# needs: uml
# Kinds that this kernel lacks or never makes: what becomes of their words, and what is said in the end.
ip netns add n
I="ip -n n"
$I link add u0 address 02:00:00:00:00:01 type veth peer name u1
$I link add v0 type vcan
for k in amt bareudp dsa rmnet wwan xfrm virt_wifi wireguard netkit tun lowpan; do
    $I link add x type $k
    $I link add x type $k nonsense 1
    $I link add x link u0 type $k help
done
$I link add x type amt mode relay relay_port 5000 gateway_port 6000 max_tunnels 9 dev u0 local 10.0.0.1 discovery 10.0.0.2
$I link add x type amt mode nothing
$I link add x type amt relay_port many
$I link add x type amt dev nothere
$I link add x type amt local nowhere
$I link add x type bareudp dstport 6635 ethertype mpls_uc srcportmin 100 multiproto
$I link add x type bareudp dstport 6635 ethertype ip nomultiproto
$I link add x type bareudp dstport 6635
$I link add x type bareudp ethertype 0x800
$I link add x type bareudp dstport 1 dstport 2
$I link add x type bareudp multiproto nomultiproto
$I link add x type bareudp dstport 6635 ethertype nothing
$I link add x type dsa conduit u0
$I link add x type rmnet mux_id 5
$I link add x type rmnet mux_id
$I link add x type rmnet mux_id no
$I link add x type wwan linkid 1
$I link add x type wwan linkid one
$I link add x type xfrm dev u0 if_id 7
$I link add x type xfrm if_id 0
$I link add x type xfrm dev u0
$I link add x type xfrm external
$I link add x type xfrm external if_id 5
$I link add x type vti key one
$I link add x type vti remote
$I link add x type vti nonsense
$I link add x type vti6 local 10.0.0.1
$I link add x type gtp
$I link add x type gtp role nothing
$I link add x type gtp role sgsn hsize 1000000
$I link add x type hsr slave1 nothere
$I link add x type hsr supervision 256
$I link add x type hsr nonsense
$I link add x type batadv nonsense
$I link add x type erspan erspan 0
$I link add x type erspan erspan_ver 3
$I link add x type erspan erspan_dir sideways
$I link add x type ip6erspan erspan_hwid x
$I link add x type erspan nonsense
$I link set v0 type can bitrate 500000 sample-point 0.875
$I link set v0 type can bitrate fast
$I link set v0 type can tq 125 prop-seg 6 phase-seg1 7 phase-seg2 2 sjw 1 dbitrate 2000000 fd on
$I link set v0 type can loopback maybe
$I link set v0 type can tdc-mode some
$I link set v0 type can tdc-mode auto tdcv 5 restart-ms 100 termination 120 restart
$I link set v0 type can nonsense
$I link set u0 type can bitrate 500000
$I link set u0 type amt mode relay
$I link show x
