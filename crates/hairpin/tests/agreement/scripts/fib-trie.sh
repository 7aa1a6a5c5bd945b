# needs: uml
# The tries of routes in /proc/net/fib_trie.
ip netns add a
ip -n a link add v0 type veth peer name v1
ip -n a link set v0 up
ip -n a link set v1 up
ip -n a addr add 10.0.0.1/24 dev v0
ip netns exec a cat /proc/net/fib_trie
ip -n a link set lo up
ip netns exec a cat /proc/net/fib_trie
ip -n a route add default via 10.0.0.2
ip -n a addr add 192.168.1.1/24 dev v1
ip -n a route add 10.2.0.0/16 via 10.0.0.2
ip -n a route add blackhole 10.0.0.128/25
ip netns exec a cat /proc/net/fib_trie
