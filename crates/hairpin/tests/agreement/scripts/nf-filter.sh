# needs: uml
# Netfilter: the order of tables and chains, policies, jumps, what REJECT answers.
# with: router-one-way.part
ip -n B route add default via 10.0.2.254
for c in PREROUTING OUTPUT; do $I -t raw -A $c -p icmp; done
for c in PREROUTING INPUT FORWARD OUTPUT POSTROUTING; do $I -t mangle -A $c -p icmp; done
for c in PREROUTING INPUT OUTPUT POSTROUTING; do $I -t nat -A $c -p icmp; done
for c in INPUT FORWARD OUTPUT; do $I -t filter -A $c -p icmp; $I -t security -A $c -p icmp; done
show() { for t in raw mangle nat filter security; do $I -t $t -S -v | grep icmp; $I -t $t -Z; done; }
$N A ping -c 2 -i 0.2 -W 1 10.0.1.254
show
$I -A INPUT -m conntrack --ctstate INVALID
$N A ping -c 2 -i 0.2 -W 1 10.0.1.254
show
$N A ping -c 2 -i 0.2 -W 1 10.0.2.1
show
$N R ping -c 2 -i 0.2 -W 1 10.0.1.1
show
$N R ping -c 1 -W 1 10.0.1.254
show
$N A ping -c 1 -W 1 10.0.2.99
show
$N A ping -c 1 -t 1 -W 1 10.0.2.1
show
$N A ping -c 1 -W 1 -s 3000 10.0.2.1
show
for t in raw mangle nat filter security; do $I -t $t -F; done
# Jumps, goto, RETURN, the policy.
$I -N one; $I -N two; $I -N three
$I -A FORWARD -j one
$I -A FORWARD -m comment --comment behind
$I -A one -s 10.0.1.1 -j two
$I -A one -m comment --comment "after two"
$I -A one -g three
$I -A one -m comment --comment never
$I -A two -p icmp --icmp-type echo-request -j RETURN
$I -A two -m comment --comment "not requests"
$I -A three -s 10.0.2.0/24 -j RETURN
$I -A three -s 10.0.1.2 -j DROP
$I -A three
$N A ping -c 1 -W 1 10.0.2.1
$N A ping -c 1 -W 1 -I 10.0.1.2 10.0.2.1
$I -P FORWARD DROP
$N A ping -c 1 -W 1 10.0.2.1
# Behind the error about 10.0.2.99, which is due three seconds after that ping: now.
sleep 0.5
$I -S -v
$I -F; $I -X; $I -P FORWARD ACCEPT
# Dropped at every hook.
for c in "raw PREROUTING" "mangle PREROUTING" "mangle INPUT" "filter INPUT" "raw OUTPUT" "mangle OUTPUT" "filter OUTPUT" "mangle POSTROUTING"; do
    $I -t ${c% *} -A ${c#* } -p icmp -j DROP
    $N A ping -c 1 -W 1 10.0.1.254
    $N R ping -c 1 -W 1 10.0.1.1
    $I -t ${c% *} -S ${c#* } -v
    $I -t ${c% *} -F
done
# What REJECT answers, seen by who is rejected.
sleep 6
for w in icmp-net-unreachable icmp-host-unreachable icmp-proto-unreachable icmp-port-unreachable icmp-net-prohibited icmp-host-prohibited icmp-admin-prohibited; do
    $I -A FORWARD -p icmp -j REJECT --reject-with $w
    $I -A INPUT -p icmp -j REJECT --reject-with $w
    $N A ping -c 1 -W 1 10.0.2.1
    sleep 1.2
    $N A ping -c 1 -W 1 10.0.1.254
    $I -F
    sleep 1.2
done
$I -A OUTPUT -p icmp -j REJECT
$N R ping -c 1 -W 1 10.0.1.1
$N A ping -c 1 -W 1 10.0.1.254
$I -S -v
$I -F
