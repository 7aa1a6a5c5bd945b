//! `net.ipv4.*` beside `conf` and `neigh` (net/ipv4/sysctl_net_ipv4.c, route.c, ip_fragment.c of Linux 6.1).

use hairpin_netlink::Errno;

use super::key::{
    Key, bitmap, fixed, int, integers, long, range, small, switch, text, trigger, unsigned, words,
};
use crate::netns::NsId;
use crate::sysctl::Sysctl;
use crate::world::World;

const U8: i64 = u8::MAX as i64;
const U16: i64 = u16::MAX as i64;
const U32: i64 = u32::MAX as i64;
const INT: i64 = i32::MAX as i64;
/// Groups up to here may use ping sockets (`GROUP_RANGE_MAX`).
const GROUP_MAX: i64 = U32 - 1;

const CONGESTION_CONTROL: &[&str] = &["reno", "cubic"];

/// Setters of the fields of [`Sysctl`] that a single number fills.
macro_rules! field {
    ($key:expr, $field:ident: bool) => {
        $key.field(
            |sysctl| vec![i64::from(sysctl.$field)],
            |world, ns, values| set(world, ns, values, |sysctl, value| sysctl.$field = value != 0),
        )
    };
    ($key:expr, $field:ident: $type:ty) => {
        $key.field(
            |sysctl| vec![i64::from(sysctl.$field)],
            |world, ns, values| {
                set(world, ns, values, |sysctl, value| {
                    sysctl.$field = <$type>::try_from(value).unwrap_or(<$type>::MAX);
                })
            },
        )
    };
}

/// The same for the settings of new connections.
macro_rules! tcp {
    ($key:expr, $field:ident: bool) => {
        $key.field(
            |sysctl| vec![i64::from(sysctl.tcp.$field)],
            |world, ns, values| set(world, ns, values, |sysctl, value| sysctl.tcp.$field = value != 0),
        )
    };
    ($key:expr, $field:ident: $type:ty) => {
        $key.field(
            |sysctl| vec![i64::from(sysctl.tcp.$field)],
            |world, ns, values| {
                set(world, ns, values, |sysctl, value| {
                    sysctl.tcp.$field = <$type>::try_from(value).unwrap_or(<$type>::MAX);
                })
            },
        )
    };
}

pub(super) const KEYS: &[Key] = &[
    small("ipv4/fib_multipath_hash_fields", "7", U16),
    range("ipv4/fib_multipath_hash_policy", "0", 0, 3)
        .field(|sysctl| vec![sysctl.fib_multipath_hash_policy.into()], set_hash_policy),
    field!(switch("ipv4/fib_multipath_use_neigh", "0"), fib_multipath_use_neigh: bool),
    small("ipv4/fib_notify_on_flag_change", "0", 2),
    range("ipv4/fib_sync_mem", "524288", 65_536, 67_108_864).first(),
    small("ipv4/fwmark_reflect", "0", U8),
    switch("ipv4/icmp_echo_enable_probe", "0"),
    field!(switch("ipv4/icmp_echo_ignore_all", "0"), icmp_echo_ignore_all: bool),
    field!(switch("ipv4/icmp_echo_ignore_broadcasts", "1"), icmp_echo_ignore_broadcasts: bool),
    field!(switch("ipv4/icmp_errors_use_inbound_ifaddr", "0"), icmp_errors_use_inbound_ifaddr: bool),
    field!(switch("ipv4/icmp_ignore_bogus_error_responses", "1"), icmp_ignore_bogus_error_responses: bool),
    field!(range("ipv4/icmp_msgs_burst", "50", 0, INT), icmp_msgs_burst: u32),
    field!(range("ipv4/icmp_msgs_per_sec", "1000", 0, INT), icmp_msgs_per_sec: u32),
    range("ipv4/icmp_ratelimit", "1000", 0, INT)
        .field(|sysctl| vec![sysctl.icmp_ratelimit_ms.into()], set_rate_limit),
    field!(range("ipv4/icmp_ratemask", "6168", 0, U32), icmp_ratemask: u32),
    small("ipv4/igmp_link_local_mcast_reports", "1", U8),
    int("ipv4/igmp_max_memberships", "20"),
    int("ipv4/igmp_max_msf", "10"),
    range("ipv4/igmp_qrv", "2", 1, INT),
    int("ipv4/inet_peer_maxttl", "600").first(),
    int("ipv4/inet_peer_minttl", "120").first(),
    int("ipv4/inet_peer_threshold", "65664").first(),
    switch("ipv4/ip_autobind_reuse", "0"),
    field!(range("ipv4/ip_default_ttl", "64", 1, 255), ip_default_ttl: u8),
    small("ipv4/ip_dynaddr", "0", U8),
    small("ipv4/ip_early_demux", "1", U8),
    int("ipv4/ip_forward", "0")
        .field(|sysctl| vec![sysctl.all.get(crate::sysctl::Conf::Forwarding).into()], set_forward),
    switch("ipv4/ip_forward_update_priority", "1"),
    field!(small("ipv4/ip_forward_use_pmtu", "0", U8), ip_forward_use_pmtu: bool),
    integers("ipv4/ip_local_port_range", "32768\t60999", 2, 1, U16).field(
        |sysctl| vec![sysctl.ip_local_port_range.0.into(), sysctl.ip_local_port_range.1.into()],
        set_port_range,
    ),
    bitmap("ipv4/ip_local_reserved_ports", "", 65_536),
    field!(small("ipv4/ip_no_pmtu_disc", "0", U8), ip_no_pmtu_disc: u8),
    field!(small("ipv4/ip_nonlocal_bind", "0", U8), ip_nonlocal_bind: bool),
    range("ipv4/ip_unprivileged_port_start", "1024", 0, U16),
    long("ipv4/ipfrag_high_thresh", "4194304"),
    long("ipv4/ipfrag_low_thresh", "3145728"),
    range("ipv4/ipfrag_max_dist", "64", 0, INT),
    int("ipv4/ipfrag_secret_interval", "0").first(),
    int("ipv4/ipfrag_time", "30"),
    switch("ipv4/nexthop_compat_mode", "1"),
    integers("ipv4/ping_group_range", "1\t0", 2, 0, GROUP_MAX).field(
        |sysctl| vec![sysctl.ping_group_range.0.into(), sysctl.ping_group_range.1.into()],
        set_ping_groups,
    ),
    switch("ipv4/raw_l3mdev_accept", "1"),
    int("ipv4/route/error_burst", "1250").first(),
    int("ipv4/route/error_cost", "250").first(),
    trigger("ipv4/route/flush"),
    int("ipv4/route/gc_elasticity", "8").first(),
    int("ipv4/route/gc_interval", "60").first(),
    int("ipv4/route/gc_min_interval", "0").first(),
    int("ipv4/route/gc_min_interval_ms", "500").first(),
    int("ipv4/route/gc_thresh", "-1").first(),
    int("ipv4/route/gc_timeout", "300").first(),
    int("ipv4/route/max_size", "2147483647").first(),
    int("ipv4/route/min_adv_mss", "256"),
    range("ipv4/route/min_pmtu", "552", 68, INT),
    int("ipv4/route/mtu_expires", "600"),
    int("ipv4/route/redirect_load", "5").first(),
    int("ipv4/route/redirect_number", "9").first(),
    int("ipv4/route/redirect_silence", "5120").first(),
    small("ipv4/tcp_abort_on_overflow", "0", U8),
    range("ipv4/tcp_adv_win_scale", "1", -31, 31),
    words("ipv4/tcp_allowed_congestion_control", "reno cubic", CONGESTION_CONTROL),
    range("ipv4/tcp_app_win", "31", 0, 31),
    switch("ipv4/tcp_autocorking", "1"),
    fixed("ipv4/tcp_available_congestion_control", "reno cubic"),
    fixed("ipv4/tcp_available_ulp", "").first(),
    int("ipv4/tcp_base_mss", "1024"),
    int("ipv4/tcp_challenge_ack_limit", "2147483647"),
    range("ipv4/tcp_child_ehash_entries", "0", 0, 16_777_216),
    long("ipv4/tcp_comp_sack_delay_ns", "1000000"),
    small("ipv4/tcp_comp_sack_nr", "44", U8),
    long("ipv4/tcp_comp_sack_slack_ns", "100000"),
    words("ipv4/tcp_congestion_control", "cubic", CONGESTION_CONTROL),
    tcp!(small("ipv4/tcp_dsack", "1", U8), duplicate_sack: bool),
    small("ipv4/tcp_early_demux", "1", U8),
    tcp!(range("ipv4/tcp_early_retrans", "3", 0, 4), early_retransmit: u8),
    range("ipv4/tcp_ecn", "2", 0, 2),
    switch("ipv4/tcp_ecn_fallback", "1"),
    fixed("ipv4/tcp_ehash_entries", "-262144"),
    small("ipv4/tcp_fack", "0", U8),
    int("ipv4/tcp_fastopen", "1"),
    range("ipv4/tcp_fastopen_blackhole_timeout_sec", "0", 0, INT),
    text("ipv4/tcp_fastopen_key", "00000000-00000000-00000000-00000000"),
    int("ipv4/tcp_fin_timeout", "60"),
    small("ipv4/tcp_frto", "2", U8),
    small("ipv4/tcp_fwmark_accept", "0", U8),
    int("ipv4/tcp_invalid_ratelimit", "500"),
    int("ipv4/tcp_keepalive_intvl", "75"),
    small("ipv4/tcp_keepalive_probes", "9", U8),
    int("ipv4/tcp_keepalive_time", "7200"),
    field!(switch("ipv4/tcp_l3mdev_accept", "0"), tcp_l3mdev_accept: bool),
    int("ipv4/tcp_limit_output_bytes", "1048576"),
    int("ipv4/tcp_low_latency", "0").first(),
    int("ipv4/tcp_max_orphans", "131072").first(),
    int("ipv4/tcp_max_reordering", "300"),
    int("ipv4/tcp_max_syn_backlog", "2048"),
    int("ipv4/tcp_max_tw_buckets", "131072"),
    integers("ipv4/tcp_mem", "287901\t383868\t575802", 3, 0, i64::MAX).first(),
    switch("ipv4/tcp_migrate_req", "0"),
    range("ipv4/tcp_min_rtt_wlen", "300", 0, 86_400),
    range("ipv4/tcp_min_snd_mss", "48", 48, 65_535),
    range("ipv4/tcp_min_tso_segs", "2", 1, U8),
    small("ipv4/tcp_moderate_rcvbuf", "1", U8),
    range("ipv4/tcp_mtu_probe_floor", "48", 48, 65_535),
    small("ipv4/tcp_mtu_probing", "0", U8),
    small("ipv4/tcp_no_metrics_save", "0", U8),
    switch("ipv4/tcp_no_ssthresh_metrics_save", "1"),
    unsigned("ipv4/tcp_notsent_lowat", "4294967295"),
    small("ipv4/tcp_orphan_retries", "0", U8),
    range("ipv4/tcp_pacing_ca_ratio", "120", 0, 1000),
    range("ipv4/tcp_pacing_ss_ratio", "200", 0, 1000),
    range("ipv4/tcp_probe_interval", "600", 0, U32 / 250),
    int("ipv4/tcp_probe_threshold", "8"),
    small("ipv4/tcp_recovery", "1", U8),
    switch("ipv4/tcp_reflect_tos", "0"),
    int("ipv4/tcp_reordering", "3"),
    small("ipv4/tcp_retrans_collapse", "1", U8),
    small("ipv4/tcp_retries1", "3", U8),
    tcp!(small("ipv4/tcp_retries2", "15", U8), retries: u32),
    small("ipv4/tcp_rfc1337", "0", U8),
    integers("ipv4/tcp_rmem", "4096\t131072\t6291456", 3, 1, INT).field(
        |sysctl| {
            let tcp = &sysctl.tcp;
            vec![tcp.receive_buffer_min.into(), tcp.receive_buffer.into(), tcp.receive_buffer_max.into()]
        },
        set_receive_buffer,
    ),
    tcp!(small("ipv4/tcp_sack", "1", U8), sack: bool),
    switch("ipv4/tcp_shrink_window", "0"),
    small("ipv4/tcp_slow_start_after_idle", "1", U8),
    small("ipv4/tcp_stdurg", "0", U8),
    tcp!(range("ipv4/tcp_syn_retries", "6", 1, 127), syn_retries: u32),
    tcp!(small("ipv4/tcp_synack_retries", "5", U8), syn_ack_retries: u32),
    field!(small("ipv4/tcp_syncookies", "1", U8), tcp_syncookies: u8),
    small("ipv4/tcp_thin_linear_timeouts", "0", U8),
    tcp!(small("ipv4/tcp_timestamps", "1", U8), timestamps: bool),
    small("ipv4/tcp_tso_rtt_log", "9", U8),
    small("ipv4/tcp_tso_win_divisor", "3", U8),
    field!(range("ipv4/tcp_tw_reuse", "2", 0, 2), tcp_tw_reuse: u8),
    tcp!(small("ipv4/tcp_window_scaling", "1", U8), window_scaling: bool),
    integers("ipv4/tcp_wmem", "4096\t16384\t4194304", 3, 1, INT),
    small("ipv4/tcp_workaround_signed_windows", "0", U8),
    small("ipv4/udp_early_demux", "1", U8),
    field!(switch("ipv4/udp_l3mdev_accept", "0"), udp_l3mdev_accept: bool),
    integers("ipv4/udp_mem", "575802\t767736\t1151604", 3, 0, i64::MAX).first(),
    range("ipv4/udp_rmem_min", "4096", 1, INT),
    range("ipv4/udp_wmem_min", "4096", 1, INT),
    int("ipv4/xfrm4_gc_thresh", "32768"),
];

fn set(
    world: &mut World,
    ns: NsId,
    values: &[i64],
    change: impl FnOnce(&mut Sysctl, i64),
) -> Result<(), Errno> {
    let value = *values.first().ok_or(Errno::EINVAL)?;
    change(&mut world.netns.get_mut(ns).ok_or(Errno::ENOENT)?.sysctl, value);
    Ok(())
}

fn set_receive_buffer(world: &mut World, ns: NsId, values: &[i64]) -> Result<(), Errno> {
    let [least, default, most] = values else { return Err(Errno::EINVAL) };
    let number = |value: &i64| u32::try_from(*value).map_err(|_| Errno::EINVAL);
    let (least, default, most) = (number(least)?, number(default)?, number(most)?);
    let tcp = &mut world.netns.get_mut(ns).ok_or(Errno::ENOENT)?.sysctl.tcp;
    (tcp.receive_buffer_min, tcp.receive_buffer, tcp.receive_buffer_max) = (least, default, most);
    Ok(())
}

/// `ipv4_sysctl_forward`
fn set_forward(world: &mut World, ns: NsId, values: &[i64]) -> Result<(), Errno> {
    let value = *values.first().ok_or(Errno::EINVAL)?;
    world.set_forwarding_of_all(ns, i32::try_from(value).map_err(|_| Errno::EINVAL)?);
    Ok(())
}

/// `proc_dointvec_ms_jiffies`
fn set_rate_limit(world: &mut World, ns: NsId, values: &[i64]) -> Result<(), Errno> {
    set(world, ns, values, |sysctl, value| {
        sysctl.icmp_ratelimit_ms = u32::try_from(super::number::whole_ticks(value)).unwrap_or(u32::MAX);
    })
}

/// `proc_fib_multipath_hash_policy`
fn set_hash_policy(world: &mut World, ns: NsId, values: &[i64]) -> Result<(), Errno> {
    let policy = *values.first().ok_or(Errno::EINVAL)? as u8;
    set(world, ns, values, |sysctl, _| sysctl.fib_multipath_hash_policy = policy)?;
    if let Some(fib) = world.fib.get_mut(ns) {
        fib.set_multipath_hash_policy(policy);
    }
    Ok(())
}

/// `ipv4_local_port_range`: in order, and not below the ports that need a privilege.
fn set_port_range(world: &mut World, ns: NsId, values: &[i64]) -> Result<(), Errno> {
    let [low, high] = values else { return Err(Errno::EINVAL) };
    let (Ok(low), Ok(high)) = (u16::try_from(*low), u16::try_from(*high)) else { return Err(Errno::EINVAL) };
    let sysctl = &mut world.netns.get_mut(ns).ok_or(Errno::ENOENT)?.sysctl;
    let privileged = sysctl.other.get("ipv4/ip_unprivileged_port_start");
    let privileged = privileged.and_then(|value| value.parse().ok()).unwrap_or(1024);
    if high < low || low < privileged {
        return Err(Errno::EINVAL);
    }
    sysctl.ip_local_port_range = (low, high);
    Ok(())
}

/// `ipv4_ping_group_range`: a range that ends before it starts is empty.
fn set_ping_groups(world: &mut World, ns: NsId, values: &[i64]) -> Result<(), Errno> {
    let [low, high] = values else { return Err(Errno::EINVAL) };
    let (Ok(low), Ok(high)) = (u32::try_from(*low), u32::try_from(*high)) else { return Err(Errno::EINVAL) };
    let range = if high < low { (1, 0) } else { (low, high) };
    world.netns.get_mut(ns).ok_or(Errno::ENOENT)?.sysctl.ping_group_range = range;
    Ok(())
}
