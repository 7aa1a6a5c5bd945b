#!/bin/bash
# The first process of the guest: runs the jobs of the list, a few at a time, and halts.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /run
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/run
for module in ipv6 dummy macvlan macvtap ipvlan ipvtap 8021q veth bridge bonding team team_mode_activebackup team_mode_broadcast team_mode_loadbalance team_mode_random team_mode_roundrobin af_packet_diag vxlan vrf ifb nlmon vcan vxcan can-raw macsec; do
    modprobe $module
done
# The module makes a bond of its own.
ip link del bond0
echo /bin/false >/proc/sys/kernel/modprobe
ip link set lo up
cd "$WORK"
job() {
    timeout 90 unshare --net --mount --pid --fork --kill-child --mount-proc bash "$WORK/real.sh" "$WORK/$1.sh" >"$WORK/$1.real" 2>&1
}
export -f job
# An exit code of 255 would end xargs.
xargs -P 4 -I{} bash -c 'job {}; true' <"$WORK/jobs"
halt -f
