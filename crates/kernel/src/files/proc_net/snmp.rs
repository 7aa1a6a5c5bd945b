//! `snmp` (net/ipv4/proc.c): the counters that the stack keeps, 0 for others.

use std::fmt::Write as _;

use crate::netns::{Netns, NsId};
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
    ("OutDiscards", none),
    ("OutNoRoutes", |netns| count(netns.counters.out_no_routes)),
    ("ReasmTimeout", none),
    ("ReasmReqds", none),
    ("ReasmOKs", none),
    ("ReasmFails", none),
    ("FragOKs", none),
    ("FragFails", none),
    ("FragCreates", none),
];

const ICMP: &[Counter] = &[
    ("InMsgs", |netns| count(netns.counters.icmp_in)),
    ("InErrors", none),
    ("InCsumErrors", none),
    ("InDestUnreachs", none),
    ("InTimeExcds", none),
    ("InParmProbs", none),
    ("InSrcQuenchs", none),
    ("InRedirects", none),
    ("InEchos", none),
    ("InEchoReps", none),
    ("InTimestamps", none),
    ("InTimestampReps", none),
    ("InAddrMasks", none),
    ("InAddrMaskReps", none),
    ("OutMsgs", |netns| count(netns.counters.icmp_out)),
    ("OutErrors", none),
    ("OutDestUnreachs", none),
    ("OutTimeExcds", none),
    ("OutParmProbs", none),
    ("OutSrcQuenchs", none),
    ("OutRedirects", none),
    ("OutEchos", none),
    ("OutEchoReps", none),
    ("OutTimestamps", none),
    ("OutTimestampReps", none),
    ("OutAddrMasks", none),
    ("OutAddrMaskReps", none),
];

const TCP: &[Counter] = &[
    ("RtoAlgorithm", |_| 1),
    ("RtoMin", |_| 200),
    ("RtoMax", |_| 120_000),
    ("MaxConn", |_| -1),
    ("ActiveOpens", none),
    ("PassiveOpens", none),
    ("AttemptFails", none),
    ("EstabResets", none),
    ("CurrEstab", none),
    ("InSegs", none),
    ("OutSegs", none),
    ("RetransSegs", none),
    ("InErrs", none),
    ("OutRsts", none),
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
        let values: Vec<String> = counters.iter().map(|(_, value)| value(netns).to_string()).collect();
        let _ = writeln!(text, "{protocol}: {}\n{protocol}: {}", names.join(" "), values.join(" "));
    }
    text
}
