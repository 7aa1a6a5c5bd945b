# needs: uml
# Numbers anywhere in a packet, times of the day, lists that are read and written by hand, and what only the first
# namespace may set.
# with: router-between.part
# Numbers.
$I -A FORWARD -m u32 --u32 "0&0xFFFF=0x54:0x100"
$I -A FORWARD -m u32 --u32 "6&0xFF=1 && 0>>22&0x3C@0>>24=8"
$I -A FORWARD -m u32 ! --u32 "8 & 0xff0000 >> 16 = 6, 17"
$I -A FORWARD -m u32 --u32 "0>>22&0x3C@12>>26&0x3C@0=0x70"
$I -A FORWARD -m u32 --u32 "2000=0:0xFFFFFFFF"
$I -A FORWARD -m u32 --u32 "0&0xFFFF" || true
$I -A FORWARD -m u32 --u32 "=1" || true
$I -A FORWARD -m u32 --u32 "0<1=1" || true
$I -A FORWARD -m u32 --u32 "0=1&2" || true
$I -A FORWARD -m u32 --u32 "0=x" || true
$I -A FORWARD -m u32 || true
# Times.
$I -A FORWARD -m time
$I -A FORWARD -m time --timestart 00:00 --timestop 23:59
$I -A FORWARD -m time --timestart 9:5:7 --timestop 9:5:8
$I -A FORWARD -m time --weekdays Mon,Tue,We,4,5,Sat,Sunday
$I -A FORWARD -m time ! --weekdays 1,2
$I -A FORWARD -m time --monthdays 1,2,3,4,21,31 --kerneltz
$I -A FORWARD -m time ! --monthdays 31
$I -A FORWARD -m time --datestart 2020 --datestop 2037-12-31T23:59:59
$I -A FORWARD -m time --datestop 2001-02-03T4:5
$I -A FORWARD -m time --timestart 12:00 --timestop 11:59:59 --contiguous
$I -A FORWARD -m time --timestart 25:00 || true
$I -A FORWARD -m time --weekdays Foo || true
$I -A FORWARD -m time --monthdays 32 || true
$I -A FORWARD -m time --datestart 12 || true
$I -A FORWARD -m time --timestart 9:00 --timestop 10:00 --contiguous || true
$I -S FORWARD
$I -nL FORWARD
$N A ping -e 1 -c 2 -i 0.2 -W 1 10.0.2.1
echo x | $N A nc -n -u -p 4000 -w 1 10.0.2.1 112
$I -S FORWARD -v
$I -F FORWARD
# Lists.
$I -A FORWARD -p icmp -m recent --name seen --set
$I -A INPUT -m recent --name seen --rcheck -j DROP
shown() { $N R cat /proc/net/xt_recent/seen | sed -E 's/[0-9]{6,}/T/g' | sort; }
$N A ping -e 2 -c 2 -i 0.2 -W 1 10.0.2.1
shown
$N A ping -e 3 -c 1 -W 0.3 10.0.1.254 || true
$N R sh -c 'echo -10.0.1.1 >/proc/net/xt_recent/seen'
$N A ping -e 4 -c 1 -W 0.3 10.0.1.254
$N R sh -c 'echo +10.0.1.1 >/proc/net/xt_recent/seen'
shown
$N R sh -c 'echo / >/proc/net/xt_recent/seen'
shown
$I -F INPUT
$I -F FORWARD
# Tracking by the name.
$I -t raw -A PREROUTING -j CT
$I -t raw -A PREROUTING -p tcp -j CT --helper none || true
$I -A FORWARD -j CT || true
$I -t raw -S PREROUTING
$I -t raw -nL PREROUTING
# No status is no status that a connection could have.
$I -A FORWARD -m conntrack --ctstatus NONE
$I -A FORWARD -m conntrack ! --ctstatus NONE
$N A ping -e 6 -c 1 -W 1 10.0.2.1
$I -S FORWARD -v
# What is the kernel's.
$N R sysctl -w net.netfilter.nf_conntrack_max=9 || true
for kv in tcp_ecn=5 tcp_syncookies=9 tcp_autocorking=3 tcp_min_tso_segs=0; do $N R sysctl -w net.ipv4.$kv || true; done
$N R sysctl net.ipv4.tcp_ecn net.ipv4.tcp_syncookies net.netfilter.nf_conntrack_dccp_timeout_open net.netfilter.nf_conntrack_frag6_timeout net.netfilter.nf_conntrack_gre_timeout net.netfilter.nf_conntrack_sctp_timeout_established
