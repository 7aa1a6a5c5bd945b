#!/bin/bash
# The first process of the guest: runs one script after the other, as their names come, until it is told to halt.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /run
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/run
# modprobe looks in lib/modules of the directory that it is given.
mkdir -p /run/root/lib/modules
ln -s "/usr/lib/uml/modules/$(uname -r)" /run/root/lib/modules/
# Namespaces begin without IPv6.
modprobe -d /run/root ipv6 disable_ipv6=1
modprobe -d /run/root -a dummy macvlan macvtap ipvlan ipvtap 8021q veth bridge bonding af_packet_diag inet_diag tcp_diag \
    udp_diag raw_diag vxlan vrf ifb nlmon vcan vxcan can-raw macsec gcm ctr ghash_generic \
    team team_mode_activebackup team_mode_broadcast team_mode_loadbalance \
    team_mode_random team_mode_roundrobin \
    sch_netem sch_tbf sch_fq_codel
# Those of iptables.
(
    cd "/usr/lib/uml/modules/$(uname -r)/kernel/net" || exit
    names=(../lib/ts_*.ko netfilter/xt_*.ko netfilter/ipset/ip_set_*.ko ipv4/netfilter/ip*.ko ipv6/netfilter/ip6*.ko)
    names=("${names[@]##*/}")
    modprobe -d /run/root -a nf_conntrack_netlink "${names[@]%.ko}"
)
# The module makes a bond of its own.
ip link del bond0
# The fallback devices of tunnels (gre0, tunl0, sit0) stay out of the scripts' namespaces.
echo 1 >/proc/sys/net/core/fb_tunnels_only_for_init_net
modprobe -d /run/root -a ip_gre ipip sit ip6_tunnel ip6_gre geneve sch_fq_codel
# As most distributions have it.
echo fq_codel >/proc/sys/net/core/default_qdisc
# What rules log in the scripts' namespaces is in the log.
echo 1 >/proc/sys/net/netfilter/nf_log_all_netns
# A process for each event, or for each device that is missing, would cost more than all else.
echo >/proc/sys/kernel/hotplug
echo >/proc/sys/kernel/modprobe
ip link set lo up
# They inherit what is said for all too: the preamble need not say it in each of them.
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
echo 1 >/proc/sys/net/core/devconf_inherit_init_net
export INHERITED=1
cd "$WORK"
stty -F /dev/console raw -echo
exec <>/dev/console
while echo @@READY >&0 && read -r job && [ "$job" != halt ]; do
    timeout -s KILL 240 unshare --net --mount --pid --fork --kill-child --mount-proc bash "$WORK/real.sh" "$WORK/$job.sh" >"$WORK/$job.real" 2>&1 </dev/null
done
halt -f
