# needs: uml
# runs: by bash alone
# programs: iptables-legacy conntrack
# How ports are read: of TCP and SCTP a number of 16 bits or a name, of UDP what getaddrinfo makes of it.
# with: router-between.part
for p in tcp udp sctp; do
    for o in "--dport x" "--dport 80:70" "--dport 1:70000" "--sport 5:" "--sport :7" "--dport 80x" "--dport -5" "--dport 99999999999" "--dport 0x50" "--dport 080" "--dport domain" "! --dport 5:9" "--dport 1:2:3" "--dport 65536"; do
        $I -A INPUT -p $p $o
    done
done
for p in tcp udp; do $I -A INPUT -p $p --dport 5 --dport 6; done
for o in "--ctorigdstport 70000" "--ctorigsrcport 5:" "--ctreplsrcport y" "--ctrepldstport 0x5"; do
    $I -A INPUT -m conntrack $o
done
$I -S
$I -L INPUT -n
# What ICMP says of a connection that nobody knows is an error.
$I -A INPUT -m conntrack --ctstate INVALID
$N A sysctl -w net.ipv4.ip_forward=1
$N R ping -e 1 -c 1 -W 1 10.0.1.1
$N R conntrack -F
$N R conntrack -S | sed -E 's/cpu=[0-9]+//'
