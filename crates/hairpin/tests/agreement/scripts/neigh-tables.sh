# needs: uml
# runs: by bash alone
# The tables of neighbours: numbers of the kernel, parameters of devices, and who may change them.
ip netns add n
ip -n n link add v0 type veth peer name v1
ip -n n link set v0 up
ip -n n link set v1 up
show() { ip -n n ntable show dev v0 name $1 | sed 's/ reachable [0-9]*//'; }
show arp_cache
ip -n n ntable change name arp_cache dev v0 base_reachable 5000 retrans 260 gc_stale 7000 delay_probe 1000
ip -n n ntable change name arp_cache dev v0 queue 7 app_probes 1 ucast_probes 2 mcast_probes 4
ip -n n ntable change name arp_cache dev v0 anycast_delay 40 proxy_delay 60 proxy_queue 8 locktime 0
show arp_cache
show ndisc_cache
ip netns exec n grep -H . /proc/sys/net/ipv4/neigh/v0/{base_reachable_time_ms,retrans_time_ms,gc_stale_time,delay_first_probe_time,unres_qlen,unres_qlen_bytes,app_solicit,ucast_solicit,mcast_solicit,anycast_delay,proxy_delay,proxy_qlen,locktime}
ip -n n ntable change name ndisc_cache dev v0 ucast_probes 1 retrans 500
show ndisc_cache
ip netns exec n cat /proc/sys/net/ipv6/neigh/v0/ucast_solicit /proc/sys/net/ipv6/neigh/v0/retrans_time_ms
ip -n n -4 ntable change name arp_cache dev v0 ucast_probes 9
ip -n n -6 ntable change name arp_cache dev v0 ucast_probes 8
show arp_cache
# Not another namespace's, nor what is not there.
ip -n n ntable change name arp_cache ucast_probes 9
ip -n n ntable change name arp_cache thresh1 9
ip -n n ntable change name arp_cache dev v0 ucast_probes 6 thresh1 9
show arp_cache
ip -n n ntable change name nothing dev v0 ucast_probes 9
ip -n n ntable change name arp_cache dev nothing ucast_probes 9
ip -n n ntable change dev v0 ucast_probes 9
ip -n n ntable change name arp_cache dev v0
ip -n n ntable change name arp_cache name arp_cache
ip -n n ntable change name arp_cache dev v0 ucast_probes x
ip -n n ntable change name arp_cache dev v0 retrans -1
ip -n n ntable change name arp_cache dev v0 nothing 1
ip -n n ntable change name arp_cache dev v0 retrans
