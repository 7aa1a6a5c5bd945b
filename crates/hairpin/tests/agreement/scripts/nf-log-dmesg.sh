# needs: uml
# runs: by bash alone
# programs: dmesg iptables-legacy
# What rules log is in the kernel's log.
# The emulated kernel logs of its first namespace, the guest of every one.
ip netns add b
ip link add e0 address 02:00:00:00:00:01 type veth peer name e1 netns b address 02:00:00:00:00:02
ip link set e0 up
ip -n b link set e1 up
ip addr add 10.0.0.1/24 dev e0
ip -n b addr add 10.0.0.2/24 dev e1
I=iptables-legacy
$I -A INPUT -p icmp -j LOG --log-prefix 'heard: '
$I -A OUTPUT -p icmp -j LOG --log-prefix 'said: ' --log-level info
$I -t raw -A PREROUTING -p icmp -m icmp --icmp-type 8 -j TRACE
ip netns exec b ping -e 7 -c 1 -W 1 10.0.0.1
ip netns exec b ping -e 8 -c 1 -W 1 -s 8 -Q 4 10.0.0.1
dmesg -t | grep -E '^(heard|said): ' | sed -E 's/ ID=[0-9]+/ ID=N/'
dmesg -t -l info | grep -E '^(heard|said): ' | sed -E 's/ ID=[0-9]+/ ID=N/'
dmesg -x -t | grep -E ': (heard|said): ' | cut -c 1-40
dmesg | grep -c '^\[ *[0-9]*\.[0-9]\{6\}\] heard: '
dmesg -r | grep -o '>\[ *[0-9]*\.[0-9]\{6\}\] heard: IN' | tr -d '0-9 '
dmesg -t | grep -o '^TRACE: [^ ]*'
dmesg -l loud
dmesg word
