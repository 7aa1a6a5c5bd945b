# needs: uml
# runs: by bash alone
# programs: dnsmasq dig nslookup host
# A name server and those who ask it: answers, names that are not there, servers that are not there, and the frames.
# with: two-hosts.part
{ set +x; } 2>/dev/null
C=$(mktemp -d)
ip netns exec b dnsmasq --keep-in-foreground --no-resolv --no-hosts --conf-file=/dev/null --pid-file= --user=root --listen-address=10.0.0.2 --bind-interfaces --address=/www.lab/10.0.0.5 --host-record=two.lab,10.0.0.6,fd00::6 --cname=alias.lab,two.lab --local=/lab/ --mx-host=lab,mail.lab,10 --txt-record=t.lab,hello --ptr-record=5.0.0.10.in-addr.arpa,www.lab --local=/10.in-addr.arpa/ >/dev/null 2>&1 &
S=$!
sleep 1
ip netns exec a tcpdump -n -l -t -i va port 53 >$C/cap 2>/dev/null &
W=$!
sleep 1.5
# Numbers and times, and the version of the distribution.
clean() { { set +x; } 2>/dev/null; "$@" 2>&1 | sed -E 's/id: [0-9]+/id: N/; s/DiG [^ ]+/DiG V/; s/WHEN: .*/WHEN/; s/Query time: [0-9]+/Query time: N/'; echo "${PIPESTATUS[0]}"; set -x; }
set -x
clean ip netns exec a dig @10.0.0.2 www.lab
clean ip netns exec a dig @10.0.0.2 +short alias.lab
clean ip netns exec a dig @10.0.0.2 two.lab AAAA +short
clean ip netns exec a dig @10.0.0.2 -x 10.0.0.5 +noall +answer
clean ip netns exec a dig @10.0.0.2 nothing.lab
clean ip netns exec a dig @10.0.0.2 lab MX +nostats
clean ip netns exec a dig @10.0.0.2 t.lab TXT +short
clean ip netns exec a dig @10.0.0.2 alias.lab +noall +answer +question
clean ip netns exec a dig @10.0.0.3 www.lab +tries=2 +time=1
clean ip netns exec a dig @10.0.0.2 -p 54 www.lab +tries=1
clean ip netns exec a dig @10.9.0.2 www.lab +tries=1
clean ip netns exec a nslookup two.lab 10.0.0.2
clean ip netns exec a nslookup alias.lab 10.0.0.2
clean ip netns exec a nslookup nothing.lab 10.0.0.2
clean ip netns exec a nslookup 10.0.0.5 10.0.0.2
clean ip netns exec a nslookup 10.0.0.77 10.0.0.2
clean ip netns exec a nslookup -type=mx lab 10.0.0.2
clean ip netns exec a nslookup -timeout=1 two.lab 10.0.0.3
clean ip netns exec a host two.lab 10.0.0.2
clean ip netns exec a host alias.lab 10.0.0.2
clean ip netns exec a host nothing.lab 10.0.0.2
clean ip netns exec a host 10.0.0.5 10.0.0.2
clean ip netns exec a host 10.0.0.77 10.0.0.2
clean ip netns exec a host -t txt t.lab 10.0.0.2
clean ip netns exec a host -t mx two.lab 10.0.0.2
clean ip netns exec a host -W 1 two.lab 10.0.0.3
{ set +x; } 2>/dev/null
sleep 0.6; kill $W; wait $W
sed -E 's/10\.0\.0\.1\.[0-9]+/10.0.0.1.P/; s/: [0-9]+/: N/; s/\.53: N.*cookie.*//' $C/cap
kill $S; rm -r $C
