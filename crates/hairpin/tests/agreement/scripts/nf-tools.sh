# needs: uml
# runs: by bash alone
# programs: conntrack ipset iptables-legacy nc
# What the tools tell of translated connections, and of sets that change their names.
# with: router-between.part
# Translations.
$I -t nat -A POSTROUTING -o r1 -p udp -j MASQUERADE
ct() { $N R conntrack "$@" 2>&1 | sed -E 's/ [0-9]+ src/ T src/; s/use=[0-9]/use=N/' | sort; }
$N R conntrack -F
echo x | $N A nc -n -u -p 4001 -w 1 10.0.2.1 53
$N A ping -e 5 -c 1 -W 1 10.0.2.1
for how in -n -g -j; do ct -L $how; done
ct -L -n 10.0.2.254
ct -L -g 10.0.2.254
ct -U -p udp --mark 5
ct -L -o xml -p udp | sed -E 's/<(timeout|id)>[0-9]+/<\1>N/g'
# Sets that change their names.
S="ip netns exec R ipset"
for s in one two three; do $S create $s hash:ip; done
$S create four hash:ip comment
$S add four 10.0.0.1 comment "a host"
$S add one 10.0.0.9
$S swap one three
$S list -n
$S list four | grep -v Header
