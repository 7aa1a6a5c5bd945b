# real.sh SCRIPT: the surroundings of a script on a real kernel. Runs in mount and network namespaces of its own.
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/real
mount -t sysfs sysfs /sys 2>/dev/null
mount --bind /dev/null /etc/resolv.conf 2>/dev/null
# Duplicate address detection and listener reports come at times of their own: IPv6 is off everywhere.
cat >/run/real/ip <<'END'
#!/bin/sh
/usr/sbin/ip "$@"
status=$?
case " $* " in
*" netns add "*)
    for name; do :; done
    /usr/sbin/ip netns exec "$name" sh -c \
        'for i in all default; do echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done' 2>/dev/null ;;
esac
exit $status
END
chmod +x /run/real/ip
for i in all default; do echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done
/usr/sbin/ip link set lo up
export PATH=/run/real:/usr/sbin:/usr/bin:/sbin:/bin
cd /run
exec bash "$1"
