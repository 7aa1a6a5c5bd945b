#!/bin/bash
# The first process of the guest: runs the jobs of the list, a few at a time, and halts.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /run
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/run
for module in ipv6 dummy macvlan macvtap ipvlan 8021q veth bridge af_packet_diag vxlan vrf ifb nlmon vcan vxcan can-raw macsec; do
    modprobe $module
done
# Their fallback devices (gre0, tunl0, sit0) stay out of the scripts' namespaces.
echo 1 >/proc/sys/net/core/fb_tunnels_only_for_init_net
for module in ip_gre ipip sit geneve; do
    modprobe $module
done
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
