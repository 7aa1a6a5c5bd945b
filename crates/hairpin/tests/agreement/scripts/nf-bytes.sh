# needs: uml
# runs: with the real programs
# programs: iptables-legacy
# Rates in bytes: how they are read and shown, and what is within them.
# with: router-between.part
for r in "upto 10kb/s" "above 512kb/s --hashlimit-burst 1mb --hashlimit-mode srcip" "upto 100b/s --hashlimit-burst 1kb" "above 1mb/s --hashlimit-mode dstip,dstport" "upto 10kb/min" "upto 3mb/s --hashlimit-burst 10" "above 5000000b/s" "upto 1b/s" "upto 5000mb/s" "upto 10kb" "upto 10/sec --hashlimit-burst 1kb" "upto 300kb/s --hashlimit-burst 400kb --hashlimit-htable-size 16" "upto 7kb/s --hashlimit-htable-expire 60000 --hashlimit-burst 7kb" "upto kb/s" "upto 0b/s" "upto 5000000mb/s" "upto 10/sec --hashlimit-burst 2mb"; do
    n=$((n+1))
    $I -A INPUT -m hashlimit --hashlimit-$r --hashlimit-name n$n
done
$I -S INPUT
$I -L INPUT -n
$I -F
# A second's worth at once, then what the rate gives.
$I -A FORWARD -p icmp --icmp-type 8 -m hashlimit --hashlimit-upto 2kb/s --hashlimit-mode srcip --hashlimit-name up -j ACCEPT
$I -A FORWARD -p icmp --icmp-type 8 -j DROP
$N A ping -e 1 -c 4 -i 0.002 -W 0.5 -s 572 10.0.2.1
$I -S FORWARD -v
sleep 2
# Filled once before its time.
$I -R FORWARD 1 -p icmp --icmp-type 8 -m hashlimit --hashlimit-upto 2kb/s --hashlimit-burst 4kb --hashlimit-mode srcip --hashlimit-name burst -j ACCEPT
$N A ping -e 2 -c 10 -i 0.002 -W 0.5 -s 572 10.0.2.1
$I -S FORWARD -v
# What is longer than a second's worth passes after a full second alone.
$I -R FORWARD 1 -p icmp --icmp-type 8 -m hashlimit --hashlimit-above 512b/s --hashlimit-mode srcip --hashlimit-name long
$N A ping -e 3 -c 2 -i 0.4 -W 0.3 -s 1000 10.0.2.1
$I -S FORWARD -v
