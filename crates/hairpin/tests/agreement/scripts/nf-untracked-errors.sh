# An ICMP error about a packet that is not tracked: it belongs to no connection, and no rule takes it out of tracking.
# needs: uml
# ipv6: on
ip netns add r
ip -n r link set lo up
ip -n r addr add 10.0.1.1/24 dev lo
ip -n r addr add fd00:1::1/64 dev lo nodad
sleep 3.3
for t in iptables-legacy ip6tables-legacy; do
    ip netns exec r $t -t raw -A OUTPUT -j CT --notrack
    ip netns exec r $t -A OUTPUT -m conntrack --ctstate UNTRACKED -j REJECT
    ip netns exec r $t -A OUTPUT -m conntrack --ctstate INVALID
    ip netns exec r $t -A OUTPUT -m conntrack --ctstate RELATED
    ip netns exec r $t -A INPUT -m conntrack --ctstate UNTRACKED
    ip netns exec r $t -A INPUT -m conntrack --ctstate INVALID
    ip netns exec r $t -A INPUT -m conntrack --ctstate RELATED
done
ip netns exec r ping -c1 -W0.31 10.0.1.1
ip netns exec r ping -6 -c1 -W0.31 fd00:1::1
for t in iptables-legacy ip6tables-legacy; do ip netns exec r $t -L -n -v -x; ip netns exec r $t -t raw -L -n -v -x; done
