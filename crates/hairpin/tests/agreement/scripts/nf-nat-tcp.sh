# needs: uml
# TCP through address translation: what is refused, what is closed, and what is rejected with a reset.
# with: three-in-a-row.part
ip -n A route add default via 10.0.1.254
N="ip netns exec"
I="ip netns exec R iptables-legacy"
$N R sysctl -w net.ipv4.ip_forward=1
sleep 0.3
table() { $N R cat /proc/net/nf_conntrack | sed -E 's/ +[0-9]+ ([A-Z_]+ )?src/ T \1src/' | sort; }
$I -t nat -A POSTROUTING -s 10.0.1.0/24 -o r1 -j MASQUERADE
$I -t nat -A PREROUTING -i r0 -p tcp --dport 8080 -j DNAT --to-destination 10.0.2.1:80
# Nobody listens: the reset finds its way back, and no connection stays.
$N A nc -n -z -v -w 2 -p 4000 10.0.2.1 80 || echo refused
$N A nc -n -z -v -w 2 -p 4001 10.9.9.9 8080 || echo refused
table
$N B nc -n -l -k -p 80 >/dev/null 2>&1 &
sleep 0.5
$N A nc -n -z -v -w 2 -p 4002 10.0.2.1 80
$N A nc -n -z -v -w 2 -p 4003 10.9.9.9 8080
sleep 0.5
table
# An answer that is rejected with a reset closes the connection.
$I -A FORWARD -p tcp --sport 80 -j REJECT --reject-with tcp-reset
$N A nc -n -z -v -w 1 -p 4004 10.0.2.1 80 || echo no answer
table
$I -L -n -v -x
# One that is rejected at once leaves none.
$I -F
$I -A FORWARD -p tcp --dport 80 -j REJECT --reject-with tcp-reset
$N A nc -n -z -v -w 1 -p 4005 10.0.2.1 80 || echo refused
$I -R FORWARD 1 -p tcp --dport 80 -j REJECT --reject-with icmp-admin-prohibited
$N A nc -n -z -v -w 1 -p 4006 10.0.2.1 80 || echo refused
table
$I -t nat -L -n -v -x
kill %1
wait
