# needs: uml
# Which table has a chain at which hook, in what order a packet meets them, and what captures see of it.
# with: router-between.part
# The matrix.
for t in raw mangle nat filter security; do
  for c in PREROUTING INPUT FORWARD OUTPUT POSTROUTING; do
    $I -t $t -A $c -p 253 || echo no $t $c
  done
done
for t in raw mangle nat filter security; do $I -t $t -F; done
# Each rule sees the mark that the one before it has set: every counter is 1 where the order is this.
step() { $I -t $1 -A $2 -p icmp --icmp-type 8 -m mark --mark $3 -j MARK --set-mark $4; }
step raw PREROUTING 0 1
step mangle PREROUTING 1 2
step nat PREROUTING 2 3
step mangle FORWARD 3 4
step filter FORWARD 4 5
step security FORWARD 5 6
step mangle POSTROUTING 6 7
step nat POSTROUTING 7 8
step mangle INPUT 3 10
step filter INPUT 10 11
step security INPUT 11 12
step nat INPUT 12 13
step raw OUTPUT 0 20
step mangle OUTPUT 20 21
step nat OUTPUT 21 22
step filter OUTPUT 22 23
step security OUTPUT 23 24
step mangle POSTROUTING 24 25
step nat POSTROUTING 25 26
counted() { for t in raw mangle nat filter security; do $I -t $t -S -v | grep mark; $I -t $t -Z; done; }
# Forwarded.
$N A ping -e 1 -c 1 -W 1 10.0.2.1
counted
# Delivered.
$N A ping -e 2 -c 1 -W 1 10.0.1.254
counted
# Its own.
$N R ping -e 3 -c 1 -W 1 10.0.2.1
counted
for t in raw mangle nat filter security; do $I -t $t -F; done
# Captures see what comes in before the first hook, and what goes out behind the last.
C=$(mktemp -d)
begin() { for d in r0 r1; do $N R tcpdump -l -n -t -v -i $d icmp >$C/$d 2>/dev/null & done; sleep 0.7; }
finish() { { set +x; } 2>/dev/null; sleep 0.5; kill %1 %2; wait; for d in r0 r1; do echo "--- $d"; sed -E 's/id [0-9]+, offset/offset/' $C/$d; done; set -x; }
begin
$I -t raw -A PREROUTING -i r0 -j DROP
$N A ping -e 4 -c 1 -W 0.3 10.0.2.1
$I -t raw -F
$I -t mangle -A POSTROUTING -o r1 -j DROP
$N A ping -e 5 -c 1 -W 0.3 10.0.2.1
$I -t mangle -F
$I -t mangle -A PREROUTING -i r0 -j TTL --ttl-set 40
$I -t mangle -A POSTROUTING -o r1 -j TOS --set-tos 0x10
$I -t nat -A PREROUTING -d 10.9.9.9 -j DNAT --to-destination 10.0.2.1
$I -t nat -A POSTROUTING -o r1 -j MASQUERADE
$N A ping -e 6 -c 1 -W 1 10.9.9.9
finish
rm -r $C
# Two hosts ask one address with the same number behind one address: the second gets another number outside.
ip -n A addr add 10.0.1.2/24 dev a0
$N A ping -e 50 -c 1 -W 1 -I 10.0.1.1 10.0.2.1
$N A ping -e 50 -c 1 -W 1 -I 10.0.1.2 10.0.2.1
$N R grep -c 'code=0 id=50 src' /proc/net/nf_conntrack
$N R grep -c 'dst=10.0.2.254 type=0 code=0 id=50 ' /proc/net/nf_conntrack
