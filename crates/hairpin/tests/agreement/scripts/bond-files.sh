# needs: uml
# runs: by bash alone
# Bonds by way of sysfs.
for i in 1 2 3; do
    ip link add s$i address 02:00:00:00:00:0$i type veth peer name w$i address 02:00:00:00:00:2$i
    ip link set w$i up
done
files() {
    { set +x; } 2>/dev/null
    for f in $1/*; do echo "${f##*/}: $(cat $f)"; done
    set -x
}
write() {
    { set +x; } 2>/dev/null
    echo "write $1 '$2'"
    printf '%s\n' "$2" 2>/dev/null >/sys/class/net/$1 || echo refused
    cat /sys/class/net/$1
    set -x
}
ip link add bd type bond mode active-backup miimon 100
ip link add b2 type bond
cat /sys/class/net/bonding_masters
ls /proc/net/bonding
ls /sys/class/net
files /sys/class/net/bd/bonding
ip link set bd address 02:00:00:00:00:bb
write bd/bonding/slaves +s1
write bd/bonding/slaves +s2
ip link set bd up
sleep 1.3
ls /sys/class/net/bd
ls /sys/class/net/s1
files /sys/class/net/bd/bonding
files /sys/class/net/s1/bonding_slave
for f in addr_assign_type uevent speed duplex flags carrier operstate; do cat /sys/class/net/bd/$f; done
for f in addr_assign_type uevent flags; do cat /sys/class/net/s1/$f; done
ethtool -i bd
write bd/bonding/mode 4
write bd/bonding/mode balance-xor
write bd/bonding/slaves +s3
write bd/bonding/slaves -s3
write bd/bonding/slaves s3
write bd/bonding/slaves +nope
write bd/bonding/slaves -s3
write bd/bonding/active_slave s2
write bd/bonding/active_slave ''
write bd/bonding/active_slave nope
write bd/bonding/primary s2
write bd/bonding/primary ''
write bd/bonding/primary zzz
write bd/bonding/arp_ip_target +10.0.0.7
write bd/bonding/arp_ip_target -10.0.0.7
write bd/bonding/arp_ip_target -10.0.0.7
write bd/bonding/arp_ip_target 10.0.0.7
write bd/bonding/arp_ip_target +x
write bd/bonding/miimon 50
write bd/bonding/miimon x
write bd/bonding/miimon -1
write bd/bonding/xmit_hash_policy layer2+3
write bd/bonding/xmit_hash_policy 1
write bd/bonding/xmit_hash_policy 9
write bd/bonding/num_grat_arp default
write bd/bonding/num_unsol_na 7
write bd/bonding/queue_id s1:2
write bd/bonding/queue_id s2:2
write bd/bonding/queue_id s9:1
write bd/bonding/queue_id s2
write bd/bonding/packets_per_slave 2
write bd/bonding/lacp_rate fast
write bd/bonding/updelay 100
write bd/bonding/fail_over_mac 1
write bd/bonding/min_links 1
write bd/bonding/ad_actor_system 02:00:00:00:00:12
write bd/bonding/tlb_dynamic_lb 0
write b2/bonding/mode 802.3ad
write b2/bonding/ad_actor_system 02:00:00:00:00:12
write b2/bonding/lacp_rate fast
write b2/bonding/ad_user_port_key 1024
files /sys/class/net/b2/bonding
write b2/bonding/slaves +s3
files /sys/class/net/s3/bonding_slave
cat /proc/net/bonding/b2
ip -d link show bd
cat /proc/net/bonding/bd
ip -d link show s1
write bonding_masters +bx
write bonding_masters +bx
write bonding_masters -b9
write bonding_masters bx
write bonding_masters -bx
write bonding_masters +
write bonding_masters +a/b
ip link set bd down
ip link set bd name bb
ls /proc/net/bonding
cat /sys/class/net/bonding_masters
ip link add d1 type dummy
ip link set d1 master bb
ip link set bb up
sleep 1.3
ip -d link show d1
cat /proc/net/bonding/bb
ip link del bb
ip -d link show d1
