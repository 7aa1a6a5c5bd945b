//! `snmp` (net/ipv4/proc.c): the counters that the stack keeps, 0 for others.

use std::fmt::Write as _;

use crate::netns::{Netns, NsId};
use crate::sock::tcp::Role;
use crate::tcp::connection::State;
use crate::world::World;

/// A counter's name and value.
type Counter = (&'static str, fn(&Netns) -> i64);

const fn none(_: &Netns) -> i64 {
    0
}

fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

const IP: &[Counter] = &[
    ("Forwarding", |netns| if netns.sysctl.ip_forward() { 1 } else { 2 }),
    ("DefaultTTL", |netns| netns.sysctl.ip_default_ttl.into()),
    ("InReceives", |netns| count(netns.counters.in_receives)),
    ("InHdrErrors", |netns| count(netns.counters.in_header_errors)),
    ("InAddrErrors", |netns| count(netns.counters.in_address_errors)),
    ("ForwDatagrams", |netns| count(netns.counters.forwarded)),
    ("InUnknownProtos", none),
    ("InDiscards", none),
    ("InDelivers", |netns| count(netns.counters.in_delivers)),
    ("OutRequests", |netns| count(netns.counters.out_requests)),
    ("OutDiscards", |netns| count(netns.counters.out_discards)),
    ("OutNoRoutes", |netns| count(netns.counters.out_no_routes)),
    ("ReasmTimeout", |netns| count(netns.counters.reassembly_timeouts)),
    ("ReasmReqds", |netns| count(netns.counters.reassembly_fragments)),
    ("ReasmOKs", |netns| count(netns.counters.reassembled)),
    ("ReasmFails", |netns| count(netns.counters.reassembly_failures)),
    ("FragOKs", |netns| count(netns.counters.fragmented)),
    ("FragFails", |netns| count(netns.counters.fragmentation_failures)),
    ("FragCreates", |netns| count(netns.counters.fragments_made)),
];

const ICMP: &[Counter] = &[
    ("InMsgs", |netns| count(netns.counters.icmp_in)),
    ("InErrors", |netns| count(netns.counters.icmp_in_errors)),
    ("InCsumErrors", |netns| count(netns.counters.icmp_in_checksums)),
    ("InDestUnreachs", |netns| count(netns.counters.icmp_in_types[3])),
    ("InTimeExcds", |netns| count(netns.counters.icmp_in_types[11])),
    ("InParmProbs", |netns| count(netns.counters.icmp_in_types[12])),
    ("InSrcQuenchs", |netns| count(netns.counters.icmp_in_types[4])),
    ("InRedirects", |netns| count(netns.counters.icmp_in_types[5])),
    ("InEchos", |netns| count(netns.counters.icmp_in_types[8])),
    ("InEchoReps", |netns| count(netns.counters.icmp_in_types[0])),
    ("InTimestamps", |netns| count(netns.counters.icmp_in_types[13])),
    ("InTimestampReps", |netns| count(netns.counters.icmp_in_types[14])),
    ("InAddrMasks", |netns| count(netns.counters.icmp_in_types[17])),
    ("InAddrMaskReps", |netns| count(netns.counters.icmp_in_types[18])),
    ("OutMsgs", |netns| count(netns.counters.icmp_out)),
    ("OutErrors", none),
    ("OutRateLimitGlobal", |netns| count(netns.counters.icmp_limited)),
    ("OutRateLimitHost", |netns| count(netns.counters.icmp_limited_host)),
    ("OutDestUnreachs", |netns| count(netns.counters.icmp_out_types[3])),
    ("OutTimeExcds", |netns| count(netns.counters.icmp_out_types[11])),
    ("OutParmProbs", |netns| count(netns.counters.icmp_out_types[12])),
    ("OutSrcQuenchs", |netns| count(netns.counters.icmp_out_types[4])),
    ("OutRedirects", |netns| count(netns.counters.icmp_out_types[5])),
    ("OutEchos", |netns| count(netns.counters.icmp_out_types[8])),
    ("OutEchoReps", |netns| count(netns.counters.icmp_out_types[0])),
    ("OutTimestamps", |netns| count(netns.counters.icmp_out_types[13])),
    ("OutTimestampReps", |netns| count(netns.counters.icmp_out_types[14])),
    ("OutAddrMasks", |netns| count(netns.counters.icmp_out_types[17])),
    ("OutAddrMaskReps", |netns| count(netns.counters.icmp_out_types[18])),
];

const CURRENT: &str = "CurrEstab";

/// `TCP_MIB_CURRESTAB`
fn established(world: &World, netns: &Netns) -> usize {
    let is_established = |id: &crate::sock::SockId| match world.tcp_of(*id).map(|tcp| &tcp.role) {
        Some(Role::Connection(connection)) => {
            matches!(connection.state, State::Established | State::CloseWait)
        }
        _ => false,
    };
    netns.tcp.sockets().iter().filter(|id| is_established(id)).count()
}

const TCP: &[Counter] = &[
    ("RtoAlgorithm", |_| 1),
    ("RtoMin", |_| 200),
    ("RtoMax", |_| 120_000),
    ("MaxConn", |_| -1),
    ("ActiveOpens", |netns| count(netns.counters.tcp_active_opens)),
    ("PassiveOpens", |netns| count(netns.counters.tcp_passive_opens)),
    ("AttemptFails", |netns| count(netns.counters.tcp.attempts_failed)),
    ("EstabResets", |netns| count(netns.counters.tcp.resets)),
    // Counted where the sockets are known.
    (CURRENT, none),
    ("InSegs", |netns| count(netns.counters.tcp_in)),
    // What goes again is no segment anew (`__tcp_transmit_skb`).
    ("OutSegs", |netns| count(netns.counters.tcp_out.saturating_sub(netns.counters.tcp.uncounted))),
    ("RetransSegs", |netns| count(netns.counters.tcp.sent_again)),
    ("InErrs", none),
    ("OutRsts", |netns| count(netns.counters.tcp_out_resets)),
    ("InCsumErrors", none),
];

const UDP: &[Counter] = &[
    ("InDatagrams", |netns| count(netns.counters.udp_in)),
    ("NoPorts", |netns| count(netns.counters.udp_no_ports)),
    ("InErrors", none),
    ("OutDatagrams", |netns| count(netns.counters.udp_out)),
    ("RcvbufErrors", none),
    ("SndbufErrors", none),
    ("InCsumErrors", none),
    ("IgnoredMulti", none),
    ("MemErrors", none),
];

const UDP_LITE: &[Counter] = &[
    ("InDatagrams", none),
    ("NoPorts", none),
    ("InErrors", none),
    ("OutDatagrams", none),
    ("RcvbufErrors", none),
    ("SndbufErrors", none),
    ("InCsumErrors", none),
    ("IgnoredMulti", none),
    ("MemErrors", none),
];

const PROTOCOLS: &[(&str, &[Counter])] =
    &[("Ip", IP), ("Icmp", ICMP), ("Tcp", TCP), ("Udp", UDP), ("UdpLite", UDP_LITE)];

pub(super) fn snmp(world: &World, ns: NsId) -> String {
    let mut text = String::new();
    let Some(netns) = world.netns.get(ns) else { return text };
    for (protocol, counters) in PROTOCOLS {
        let names: Vec<&str> = counters.iter().map(|(name, _)| *name).collect();
        let value = |(name, value): &Counter| match *name {
            CURRENT => established(world, netns).to_string(),
            _ => value(netns).to_string(),
        };
        let values: Vec<String> = counters.iter().map(value).collect();
        let _ = writeln!(text, "{protocol}: {}\n{protocol}: {}", names.join(" "), values.join(" "));
        if *protocol == "Icmp" {
            text += &icmp_types(netns);
        }
    }
    text
}

/// `icmpmsg_put`: the types of which there were messages, nothing where there were none.
fn icmp_types(netns: &Netns) -> String {
    let counters = &netns.counters;
    let sides = [("InType", &counters.icmp_in_types), ("OutType", &counters.icmp_out_types)];
    let (mut names, mut values) = (String::new(), String::new());
    for (side, types) in sides {
        for (kind, seen) in types.iter().enumerate().filter(|(_, seen)| **seen != 0) {
            let _ = write!(names, " {side}{kind}");
            let _ = write!(values, " {seen}");
        }
    }
    if names.is_empty() { names } else { format!("IcmpMsg:{names}\nIcmpMsg:{values}\n") }
}
