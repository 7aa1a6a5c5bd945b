# needs: nftables
# runs: by bash alone
# programs: iptables-legacy conntrack
# Zones of connections: the same addresses and ports twice, each with a connection of its own. User-Mode Linux is built without;
# a kernel with them shows zone 0 too.
# with: router-between.part
T="$I -t raw"
for o in "--zone-orig 6" "--zone-reply 7" "--zone mark" "--zone-orig mark" "--zone-reply mark" "--zone 5 --zone-orig 6" "--zone-orig 6 --zone-reply 7" "--zone 0" "--zone 65535" "--zone 65536" "--zone x"; do
    $T -A PREROUTING -j CT $o
done
$T -S
$T -L PREROUTING -n
$T -F
table() { $N R cat /proc/net/nf_conntrack | sed -E 's/ +[0-9]+ ([A-Z_]+ )?src/ T \1src/; s/zone=0 //' | sort; }
$I -A FORWARD -m conntrack --ctstate NEW
$T -A PREROUTING -i r0 -j CT --zone 9
$N A ping -e 1 -c 1 -W 1 10.0.2.1
table
# Its answers came by another zone: they belong to nothing. With both in one they do.
$T -A PREROUTING -i r1 -j CT --zone 9
$N A ping -e 2 -c 1 -W 1 10.0.2.1
table
$T -F
$T -A PREROUTING -i r0 -j CT --zone-orig 4
$N A ping -e 3 -c 1 -W 1 10.0.2.1
table
$T -F
$T -A PREROUTING -i r1 -j CT --zone-reply 8
$N A ping -e 4 -c 1 -W 1 10.0.2.1
$T -F
$T -A PREROUTING -i r0 -j CT --zone-reply 8
$T -A PREROUTING -i r1 -j CT --zone-reply 8
$N A ping -e 5 -c 1 -W 1 10.0.2.1
table
$I -S FORWARD -v
# The mark is the zone.
$T -F
$T -A PREROUTING -m mac ! --mac-source 02:00:00:00:00:99 -j MARK --set-mark 3
$T -A PREROUTING -j CT --zone mark
$N A ping -e 6 -c 1 -W 1 10.0.2.1
table
for w in "-w 9" "--zone 3" "--orig-zone 4" "--reply-zone 8" "-w 77"; do
    $N R conntrack -L $w 2>&1 | sed -E 's/ +1 [0-9]+ src/ 1 T src/' | sort
done
$N R conntrack -D -w 9 >/dev/null
table
# One port outside for the same ones inside, in each zone.
$T -F
$N R conntrack -F
$T -A PREROUTING -i r0 -j CT --zone-orig 1
$I -t nat -A POSTROUTING -o r1 -p icmp -j SNAT --to-source 10.0.2.254
$N A ping -e 7 -c 1 -W 1 10.0.2.1
$T -R PREROUTING 1 -i r0 -j CT --zone-orig 2
$N A ping -e 7 -c 1 -W 1 10.0.2.1
table | sed -E 's/(type=0 code=0 id=)[0-9]+/\1I/'
