# needs: uml
# runs: by bash alone
# programs: iptables-legacy
# Rates in bytes: how they are read and shown, and what is within them.
# with: router-between.part
for r in "upto 10kb/s --hashlimit-name na" "above 512kb/s --hashlimit-burst 1mb --hashlimit-mode srcip --hashlimit-name nb" "upto 100b/s --hashlimit-burst 1kb --hashlimit-name nc" "above 1mb/s --hashlimit-mode dstip,dstport --hashlimit-name nd" "upto 10kb/min --hashlimit-name ne" "upto 3mb/s --hashlimit-burst 10 --hashlimit-name nf" "above 5000000b/s --hashlimit-name ng" "upto 1b/s --hashlimit-name nh" "upto 5000mb/s --hashlimit-name ni" "upto 10kb --hashlimit-name nj" "upto 10/sec --hashlimit-burst 1kb --hashlimit-name nk" "upto 300kb/s --hashlimit-burst 400kb --hashlimit-htable-size 16 --hashlimit-name nl" "upto 7kb/s --hashlimit-htable-expire 60000 --hashlimit-burst 7kb --hashlimit-name nm" "upto kb/s --hashlimit-name nn" "upto 0b/s --hashlimit-name no" "upto 5000000mb/s --hashlimit-name np" "upto 10/sec --hashlimit-burst 2mb --hashlimit-name nq"; do
    $I -A INPUT -m hashlimit --hashlimit-$r
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
