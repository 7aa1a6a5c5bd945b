//! `net.netfilter.*` (net/netfilter/nf_conntrack_standalone.c of Linux 6.1).

use hairpin_netlink::Errno;
use hairpin_netlink::netfilter::conntrack::TcpState;

use super::key::{Key, fixed, int, long, range, small, unsigned};
use crate::netfilter::Settings;
use crate::netns::NsId;
use crate::world::World;

const INT: i64 = i32::MAX as i64;

/// A timeout in seconds, or a bound, that connection tracking uses.
macro_rules! field {
    ($key:expr, $settings:ident => $place:expr) => {
        $key.field(
            |sysctl| {
                let $settings = &sysctl.conntrack;
                vec![i64::from($place)]
            },
            |world, ns, values| {
                set(world, ns, values, |$settings, value| $place = u32::try_from(value).unwrap_or(u32::MAX))
            },
        )
    };
}

/// A switch that connection tracking uses.
macro_rules! switched {
    ($name:literal, $default:literal, $field:ident) => {
        small($name, $default, 1).field(
            |sysctl| vec![i64::from(sysctl.conntrack.$field)],
            |world, ns, values| set(world, ns, values, |settings, value| settings.$field = value != 0),
        )
    };
}

pub(super) const KEYS: &[Key] = &[
    switched!("netfilter/nf_conntrack_acct", "0", acct),
    int("netfilter/nf_conntrack_buckets", "262144").of_the_kernel(),
    switched!("netfilter/nf_conntrack_checksum", "1", checksum),
    fixed("netfilter/nf_conntrack_count", "0"),
    small("netfilter/nf_conntrack_dccp_loose", "1", 1),
    unsigned("netfilter/nf_conntrack_dccp_timeout_closereq", "64"),
    unsigned("netfilter/nf_conntrack_dccp_timeout_closing", "64"),
    unsigned("netfilter/nf_conntrack_dccp_timeout_open", "43200"),
    unsigned("netfilter/nf_conntrack_dccp_timeout_partopen", "480"),
    unsigned("netfilter/nf_conntrack_dccp_timeout_request", "240"),
    unsigned("netfilter/nf_conntrack_dccp_timeout_respond", "480"),
    unsigned("netfilter/nf_conntrack_dccp_timeout_timewait", "240"),
    small("netfilter/nf_conntrack_events", "2", 2),
    range("netfilter/nf_conntrack_expect_max", "4096", 1, INT).of_the_kernel(),
    long("netfilter/nf_conntrack_frag6_high_thresh", "4194304"),
    long("netfilter/nf_conntrack_frag6_low_thresh", "3145728"),
    int("netfilter/nf_conntrack_frag6_timeout", "60"),
    field!(unsigned("netfilter/nf_conntrack_generic_timeout", "600"), settings => settings.generic),
    unsigned("netfilter/nf_conntrack_gre_timeout", "30"),
    unsigned("netfilter/nf_conntrack_gre_timeout_stream", "180"),
    field!(unsigned("netfilter/nf_conntrack_icmp_timeout", "30"), settings => settings.icmp),
    field!(unsigned("netfilter/nf_conntrack_icmpv6_timeout", "30"), settings => settings.icmpv6),
    small("netfilter/nf_conntrack_log_invalid", "0", 255),
    range("netfilter/nf_conntrack_max", "262144", 0, INT)
        .of_the_kernel()
        .field(|sysctl| vec![i64::from(sysctl.conntrack.max)], set_max),
    unsigned("netfilter/nf_conntrack_sctp_timeout_closed", "10"),
    unsigned("netfilter/nf_conntrack_sctp_timeout_cookie_echoed", "3"),
    unsigned("netfilter/nf_conntrack_sctp_timeout_cookie_wait", "3"),
    unsigned("netfilter/nf_conntrack_sctp_timeout_established", "210"),
    unsigned("netfilter/nf_conntrack_sctp_timeout_heartbeat_sent", "30"),
    unsigned("netfilter/nf_conntrack_sctp_timeout_shutdown_ack_sent", "3"),
    unsigned("netfilter/nf_conntrack_sctp_timeout_shutdown_recd", "3"),
    unsigned("netfilter/nf_conntrack_sctp_timeout_shutdown_sent", "3"),
    switched!("netfilter/nf_conntrack_tcp_be_liberal", "0", tcp_be_liberal),
    switched!("netfilter/nf_conntrack_tcp_ignore_invalid_rst", "0", tcp_ignore_invalid_rst),
    switched!("netfilter/nf_conntrack_tcp_loose", "1", tcp_loose),
    field!(small("netfilter/nf_conntrack_tcp_max_retrans", "3", 255), settings => settings.tcp_max_retrans),
    field!(unsigned("netfilter/nf_conntrack_tcp_timeout_close", "10"), settings => settings.tcp[TcpState::Close as usize]),
    field!(unsigned("netfilter/nf_conntrack_tcp_timeout_close_wait", "60"), settings => settings.tcp[TcpState::CloseWait as usize]),
    field!(unsigned("netfilter/nf_conntrack_tcp_timeout_established", "432000"), settings => settings.tcp[TcpState::Established as usize]),
    field!(unsigned("netfilter/nf_conntrack_tcp_timeout_fin_wait", "120"), settings => settings.tcp[TcpState::FinWait as usize]),
    field!(unsigned("netfilter/nf_conntrack_tcp_timeout_last_ack", "30"), settings => settings.tcp[TcpState::LastAck as usize]),
    field!(unsigned("netfilter/nf_conntrack_tcp_timeout_max_retrans", "300"), settings => settings.tcp_retransmitted),
    field!(unsigned("netfilter/nf_conntrack_tcp_timeout_syn_recv", "60"), settings => settings.tcp[TcpState::SynRecv as usize]),
    field!(unsigned("netfilter/nf_conntrack_tcp_timeout_syn_sent", "120"), settings => settings.tcp[TcpState::SynSent as usize]),
    field!(unsigned("netfilter/nf_conntrack_tcp_timeout_time_wait", "120"), settings => settings.tcp[TcpState::TimeWait as usize]),
    field!(unsigned("netfilter/nf_conntrack_tcp_timeout_unacknowledged", "300"), settings => settings.tcp_unacknowledged),
    small("netfilter/nf_conntrack_timestamp", "0", 1),
    field!(unsigned("netfilter/nf_conntrack_udp_timeout", "30"), settings => settings.udp),
    field!(unsigned("netfilter/nf_conntrack_udp_timeout_stream", "120"), settings => settings.udp_stream),
    switched!("netfilter/nf_log_all_netns", "0", log_all_netns).first(),
];

fn set(
    world: &mut World,
    ns: NsId,
    values: &[i64],
    change: impl FnOnce(&mut Settings, i64),
) -> Result<(), Errno> {
    let netns = world.netns.get_mut(ns).ok_or(Errno::ENOENT)?;
    change(&mut netns.sysctl.conntrack, values.first().copied().unwrap_or(0));
    Ok(())
}

/// One bound for each namespace of the kernel, which the first one sets.
fn set_max(world: &mut World, ns: NsId, values: &[i64]) -> Result<(), Errno> {
    let host = world.netns.get(ns).ok_or(Errno::ENOENT)?.host;
    let max = values.first().and_then(|value| u32::try_from(*value).ok()).ok_or(Errno::EINVAL)?;
    for netns in world.netns.values_mut().filter(|netns| netns.host == host) {
        netns.sysctl.conntrack.max = max as _;
    }
    Ok(())
}
