# needs: uml
# runs: with the real programs
# What `ip tunnel` deletes: tunnels, and nothing else.
ip netns add a
ip -n a link add v0 type veth peer name v1
ip -n a link add t1 type gre local 10.0.0.1 remote 10.0.0.2
ip -n a link add t2 type ipip local 10.0.0.1 remote 10.0.0.2
ip -n a tunnel del v0
ip -n a tunnel del t1
ip -n a tunnel del t1
ip -n a tunnel del nothing
ip -n a tunnel
ip -n a -br link show type veth
