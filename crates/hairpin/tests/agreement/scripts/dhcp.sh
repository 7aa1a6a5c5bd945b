# needs: uml
# runs: by bash alone
# programs: dnsmasq dhclient udhcpc
# Leases: a server on a bridge, clients on a veth and on macvlans, every frame, a host that is known, a release.
ip netns add s
ip netns add c
ip -n s link add br0 type bridge
ip link add vs netns s type veth peer name vc netns c
ip -n s link set br0 address 02:00:00:00:00:01
ip -n s link set vs address 02:00:00:00:00:0a
ip -n c link set vc address 02:00:00:00:00:02
ip -n s link set vs master br0
ip -n s addr add 10.0.0.1/24 dev br0
ip -n s link set lo up
ip -n c link set lo up
ip -n s link set br0 up
ip -n s link set vs up
ip -n c link set vc up
ip -n c link add m1 link vc address 02:00:00:00:00:77 type macvlan mode bridge
ip -n c link add m2 link vc address 02:00:00:00:00:03 type macvlan mode private
ip -n c link set m1 up
ip -n c link set m2 up
sleep 1
{ set +x; } 2>/dev/null
cd "$(mktemp -d)"
C=$PWD
# The machine's own files are left alone.
touch $C/leases
cat >$C/script <<'E'
#!/bin/sh
echo "script $*"
for v in interface ip siaddr mask subnet router dns domain lease serverid broadcast ntpsrv opt53 opt58 opt59 message; do
    eval "[ -z \"\$$v\" ] || echo \"$v=\$$v\""
done
E
chmod +x $C/script
ip netns exec s dnsmasq --keep-in-foreground --no-resolv --no-hosts --conf-file=/dev/null --pid-file= --user=root --interface=br0 --bind-interfaces --no-ping --dhcp-range=10.0.0.100,10.0.0.150,1h --dhcp-host=02:00:00:00:00:77,10.0.0.77 --dhcp-host=02:00:00:00:00:03,10.0.0.33 --dhcp-option=42,10.0.0.9 --domain=lab --dhcp-leasefile=$C/leases >/dev/null 2>&1 &
S=$!
sleep 1
ip netns exec s tcpdump -n -l -t -v -i br0 udp >$C/cap 2>/dev/null &
W=$!
sleep 1.5
clean() { { set +x; } 2>/dev/null; "$@" 2>&1 | sed -E 's/interval [0-9]+/interval N/; s/renewal in [0-9]+/renewal in N/; /^(Internet|Copyright|All rights|For info|Killed)/d; /send_packet|Failed to send/d'; echo "${PIPESTATUS[0]}"; set -x; }
leases() { { set +x; } 2>/dev/null; sed -E 's/^[0-9]+ /T /; s/ [^ ]+ ([^ ]+)$/ NAME \1/' leases | sort; set -x; }
dh() { ip netns exec c dhclient -v -1 -sf /bin/true -lf $C/dh.leases -pf $C/dh.pid "$@"; }
set -x
clean ip netns exec c udhcpc -i vc -n -q -s ./script
clean ip netns exec c udhcpc -i m1 -n -q -s /bin/true
clean ip netns exec c udhcpc -i nope -n -q -s /bin/true
clean dh m2
leases
grep -E 'interface|fixed-address|subnet|routers|lease-time|identifier|domain-name ' dh.leases
clean dh -r m2
leases
{ set +x; } 2>/dev/null
sleep 0.6; kill $W $S; wait $W
# The machine has a name of its own, which makes packets longer or not; ids are drawn.
sed -E 's/\(17\), length [0-9]+/(17), length L/; s/xid 0x[0-9a-f]+/xid X/; s/id [0-9]+, offset/id N, offset/; s/, secs [0-9]+//; /Hostname \(12\)/d; s/, length 3[0-9]+/, length L/' $C/cap
{ set +x; } 2>/dev/null; sleep 0.5; set -x
clean ip netns exec c udhcpc -i vc -n -q -t 2 -T 1 -s ./script
