# needs: uml
# covers: dumps bond
# covers: refusals bond
# Every option of a bond in every mode: which are refused, up and down, with slaves and without.
for i in 1 2; do
    ip link add s$i address 02:00:00:00:00:0$i type veth peer name w$i address 02:00:00:00:00:2$i
    ip link set w$i up
done
# While a monitor is being changed the links are no matter of this script.
show() {
    { set +x; } 2>/dev/null
    ip -d link show $1 | sed -E 's/link_failure_count [0-9]+/link_failure_count N/'
    set -x
}
json() {
    { set +x; } 2>/dev/null
    ip -d -j link show $1 | sed -E 's/"num_.x_queues":[0-9]+,?//g'
    set -x
}
for mode in balance-rr active-backup balance-xor broadcast 802.3ad balance-tlb balance-alb; do
    ip link add bd type bond mode $mode
    ip -d link show bd
    json bd
    ip link set s1 master bd
    ip link set s2 master bd
    ip -d link show bd
    ip -d link show s1
    ip -d link show s2
    ip link set bd up
    sleep 1.2
    ip -d link show bd
    ip link set bd type bond mode 802.3ad
    ip link set bd type bond mode balance-rr
    ip link set bd type bond active_slave s2
    ip link set bd type bond active_slave w1
    ip link set bd type bond clear_active_slave
    ip link set bd type bond miimon 0
    ip link set bd type bond miimon 100
    ip link set bd type bond updelay 200
    ip link set bd type bond updelay 250
    ip link set bd type bond downdelay 100
    ip link set bd type bond peer_notify_delay 100
    ip link set bd type bond use_carrier 0
    ip link set bd type bond use_carrier 1
    ip link set bd type bond use_carrier 2
    ip link set bd type bond arp_interval 100
    ip link set bd type bond arp_ip_target 10.0.0.2
    ip link set bd type bond arp_ip_target 10.0.0.2,10.0.0.2
    ip link set bd type bond arp_ip_target
    ip link set bd type bond arp_ip_target 0.0.0.0
    ip link set bd type bond arp_validate all
    ip link set bd type bond arp_validate filter
    ip link set bd type bond arp_validate none
    ip link set bd type bond arp_all_targets all
    ip link set bd type bond arp_missed_max 0
    ip link set bd type bond arp_missed_max 4
    ip link set bd type bond primary s2
    ip link set bd type bond primary w1
    ip link set bd type bond primary lo
    ip link set bd type bond primary_reselect failure
    ip link set bd type bond primary_reselect better
    ip link set bd type bond primary_reselect always
    ip link set bd type bond fail_over_mac active
    ip link set bd type bond xmit_hash_policy layer3+4
    ip link set bd type bond xmit_hash_policy vlan+srcmac
    ip link set bd type bond resend_igmp 300
    ip link set bd type bond resend_igmp 3
    ip link set bd type bond num_grat_arp 4
    ip link set bd type bond all_slaves_active 1
    ip link set bd type bond all_slaves_active 2
    ip link set bd type bond min_links 2
    ip link set bd type bond min_links 0
    ip link set bd type bond lp_interval 0
    ip link set bd type bond lp_interval 5
    ip link set bd type bond packets_per_slave 0
    ip link set bd type bond packets_per_slave 70000
    ip link set bd type bond packets_per_slave 3
    ip link set bd type bond lacp_rate fast
    ip link set bd type bond lacp_active off
    ip link set bd type bond ad_select count
    ip link set bd type bond ad_user_port_key 5
    ip link set bd type bond ad_user_port_key 2000
    ip link set bd type bond ad_actor_sys_prio 0
    ip link set bd type bond ad_actor_sys_prio 5
    ip link set bd type bond ad_actor_system 02:00:00:00:00:99
    ip link set bd type bond ad_actor_system 01:00:00:00:00:00
    ip link set bd type bond tlb_dynamic_lb 0
    ip link set bd type bond arp_interval 100 miimon 100
    ip link set bd type bond arp_validate all miimon 100
    ip link set bd type bond updelay 100 miimon 0
    ip link set bd type bond miimon 0 arp_interval 200 arp_ip_target 10.0.0.9
    ip link set bd type bond miimon 100
    # The monitor's first look is a worker's.
    sleep 0.5
    show bd
    ip link set bd down
    ip link set bd type bond lacp_rate fast
    ip link set bd type bond lacp_active off
    ip link set bd type bond ad_select bandwidth
    ip link set bd type bond tlb_dynamic_lb 0
    ip link set bd type bond ad_user_port_key 5
    ip link set bd type bond ad_actor_sys_prio 7
    ip link set bd type bond mode balance-xor
    show bd
    ip link set s2 nomaster
    show s2
    ip link set s1 nomaster
    ip -d link show bd
    ip link set bd type bond mode 802.3ad
    ip -d link show bd
    ip link del bd
    ip -br link
done
ip link add bd type bond mode 7
ip link add bd type bond miimon 100 arp_interval 100
ip link add bd type bond active_slave s1
ip link add bd type bond mode active-backup active_slave s1
ip link add bd type bond mode active-backup primary s1 miimon 100
ip -d link show bd
ip link set s2 master bd
ip link set s1 master bd
ip -d link show bd
ip link set s2 type bond_slave queue_id 3
ip link set s1 type bond_slave queue_id 3
ip link set s1 type bond_slave queue_id 17
ip link set s1 type bond_slave prio -5
ip -d link show s1
json s1
ip link add b2 type bond
ip link set lo master bd
ip link set bd master bd
ip link set b2 master bd
ip link set bd master b2
ip link add brg type bridge
ip link set brg master bd
sleep 1.2
ip -br link
ip link set brg nomaster
ip link set b2 nomaster
ip link set w1 master bd
ip link set s1 nomaster
ip link add link s1 name mv type macvlan
ip link set s1 master bd
ip link del mv
ip link set s1 mtu 1400
ip link set s1 master bd
ip link show s1
ip link set bd mtu 1300
ip link show s1
ip link set s1 mtu 1200
ip link show bd
ip link set s1 nomaster
ip link show s1
ip netns add n
ip link set bd netns n
ip link set s2 netns n
ip -n n -br link
ip link show bd
