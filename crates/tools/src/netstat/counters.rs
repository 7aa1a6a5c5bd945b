//! `netstat -s`: the counters of `/proc/net/snmp`, `netstat` and `snmp6` in words (net-tools' statistics.c).

use std::fmt::Write as _;

use crate::Program;

/// When a counter is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    /// Where it is not 0.
    Counted,
    /// As a number behind its name.
    Named,
    Never,
}

use When::{Always, Counted, Named, Never};

/// Name, text with `%` for the number, when.
type Word = (&'static str, &'static str, When);

const IP: &[Word] = &[
    ("Forwarding", "Forwarding: %", Named),
    ("DefaultTTL", "", Never),
    ("InReceives", "% total packets received", Always),
    ("InHdrErrors", "% with invalid headers", Counted),
    ("InAddrErrors", "% with invalid addresses", Counted),
    ("ForwDatagrams", "% forwarded", Always),
    ("InUnknownProtos", "% with unknown protocol", Counted),
    ("InDiscards", "% incoming packets discarded", Always),
    ("InDelivers", "% incoming packets delivered", Always),
    ("OutRequests", "% requests sent out", Always),
    ("OutDiscards", "% outgoing packets dropped", Counted),
    ("OutNoRoutes", "% dropped because of missing route", Counted),
    ("ReasmTimeout", "% fragments dropped after timeout", Counted),
    ("ReasmReqds", "% reassemblies required", Counted),
    ("ReasmOKs", "% packets reassembled ok", Counted),
    ("ReasmFails", "% packet reassemblies failed", Counted),
    ("FragOKs", "% outgoing packets fragmented ok", Counted),
    ("FragFails", "% outgoing packets failed fragmentation", Counted),
    ("FragCreates", "% fragments created", Counted),
];

const ICMP: &[Word] = &[
    ("InMsgs", "% ICMP messages received", Always),
    ("InErrors", "% input ICMP message failed", Always),
    ("InCsumErrors", "InCsumErrors: %", Counted),
    ("OutMsgs", "% ICMP messages sent", Always),
    ("OutErrors", "% ICMP messages failed", Always),
];

/// The types of ICMP, which stand in histograms.
const ICMP_TYPES: &[(&str, &str)] = &[
    ("DestUnreachs", "destination unreachable"),
    ("TimeExcds", "timeout in transit"),
    ("ParmProbs", "wrong parameters"),
    ("SrcQuenchs", "source quenches"),
    ("Redirects", "redirects"),
    ("Echos", "echo requests"),
    ("EchoReps", "echo replies"),
    ("Timestamps", "timestamp request"),
    ("TimestampReps", "timestamp reply"),
    ("AddrMasks", "address mask request"),
    ("AddrMaskReps", "address mask replies"),
];

const TCP: &[Word] = &[
    ("RtoAlgorithm", "", Never),
    ("RtoMin", "", Never),
    ("RtoMax", "", Never),
    ("MaxConn", "", Never),
    ("ActiveOpens", "% active connection openings", Always),
    ("PassiveOpens", "% passive connection openings", Always),
    ("AttemptFails", "% failed connection attempts", Always),
    ("EstabResets", "% connection resets received", Always),
    ("CurrEstab", "% connections established", Always),
    ("InSegs", "% segments received", Always),
    ("OutSegs", "% segments sent out", Always),
    ("RetransSegs", "% segments retransmitted", Always),
    ("InErrs", "% bad segments received", Always),
    ("OutRsts", "% resets sent", Always),
];

const UDP: &[Word] = &[
    ("InDatagrams", "% packets received", Always),
    ("NoPorts", "% packets to unknown port received", Always),
    ("InErrors", "% packet receive errors", Always),
    ("OutDatagrams", "% packets sent", Always),
    ("RcvbufErrors", "% receive buffer errors", Always),
    ("SndbufErrors", "% send buffer errors", Always),
    ("IgnoredMulti", "IgnoredMulti: %", Counted),
];

/// What is known of TCP beyond the standard's counters.
const TCP_MORE: &[Word] = &[
    ("SyncookiesSent", "% SYN cookies sent", Counted),
    ("SyncookiesRecv", "% SYN cookies received", Counted),
    ("SyncookiesFailed", "% invalid SYN cookies received", Counted),
    ("EmbryonicRsts", "% resets received for embryonic SYN_RECV sockets", Counted),
    ("TW", "% TCP sockets finished time wait in fast timer", Counted),
    ("TWRecycled", "% time wait sockets recycled by time stamp", Counted),
    ("TWKilled", "% TCP sockets finished time wait in slow timer", Counted),
    ("DelayedACKs", "% delayed acks sent", Counted),
    ("DelayedACKLocked", "% delayed acks further delayed because of locked socket", Counted),
    ("DelayedACKLost", "Quick ack mode was activated % times", Counted),
    ("ListenOverflows", "% times the listen queue of a socket overflowed", Counted),
    ("ListenDrops", "% SYNs to LISTEN sockets dropped", Counted),
    ("TCPHPHits", "% packet headers predicted", Always),
    ("TCPPureAcks", "% acknowledgments not containing data payload received", Counted),
    ("TCPHPAcks", "% predicted acknowledgments", Counted),
    ("TCPTimeouts", "% other TCP timeouts", Counted),
    ("TCPLostRetransmit", "% retransmits lost", Counted),
    ("TCPFastRetrans", "% fast retransmits", Counted),
    ("TCPDSACKOldSent", "% DSACKs sent for old packets", Counted),
    ("TCPDSACKOfoSent", "% DSACKs sent for out of order packets", Counted),
    ("TCPDSACKRecv", "% DSACKs received", Counted),
    ("TCPDSACKOfoRecv", "% DSACKs for out of order packets received", Counted),
    ("TCPAbortOnData", "% connections reset due to unexpected data", Counted),
    ("TCPAbortOnClose", "% connections reset due to early user close", Counted),
    ("TCPAbortOnTimeout", "% connections aborted due to timeout", Counted),
];

const IP6: &[Word] = &[
    ("Ip6InReceives", "% total packets received", Always),
    ("Ip6InHdrErrors", "% with invalid headers", Counted),
    ("Ip6InTooBigErrors", "% with packets too big", Counted),
    ("Ip6InNoRoutes", "% incoming packets with no route", Counted),
    ("Ip6InAddrErrors", "% with invalid addresses", Counted),
    ("Ip6InUnknownProtos", "% with unknown protocol", Counted),
    ("Ip6InTruncatedPkts", "% with truncated packets", Counted),
    ("Ip6InDiscards", "% incoming packets discarded", Always),
    ("Ip6InDelivers", "% incoming packets delivered", Always),
    ("Ip6OutForwDatagrams", "% forwarded", Always),
    ("Ip6OutRequests", "% requests sent out", Always),
    ("Ip6OutDiscards", "% outgoing packets dropped", Counted),
    ("Ip6OutNoRoutes", "% dropped because of missing route", Counted),
    ("Ip6ReasmTimeout", "% fragments dropped after timeout", Counted),
    ("Ip6ReasmReqds", "% reassemblies required", Counted),
    ("Ip6ReasmOKs", "% packets reassembled ok", Counted),
    ("Ip6ReasmFails", "% packet reassemblies failed", Counted),
    ("Ip6FragOKs", "% outgoing packets fragmented ok", Counted),
    ("Ip6FragFails", "% outgoing packets failed fragmentation", Counted),
    ("Ip6FragCreates", "% fragments created", Counted),
    ("Ip6InMcastPkts", "% incoming multicast packets", Counted),
    ("Ip6OutMcastPkts", "% outgoing multicast packets", Counted),
];

const ICMP6: &[Word] = &[
    ("Icmp6InMsgs", "% ICMP messages received", Always),
    ("Icmp6InErrors", "% input ICMP message failed", Always),
    ("Icmp6OutMsgs", "% ICMP messages sent", Always),
];

/// The types of ICMPv6, in histograms; of what is out one has a blank too many to be known.
const ICMP6_TYPES: &[(&str, &str)] = &[
    ("InDestUnreachs", "destination unreachable"),
    ("InPktTooBigs", "packets too big"),
    ("InTimeExcds", "received ICMPv6 time exceeded"),
    ("InParmProblems", "parameter problem"),
    ("InEchos", "echo requests"),
    ("InEchoReplies", "echo replies"),
    ("InGroupMembQueries", "group member queries"),
    ("InGroupMembResponses", "group member responses"),
    ("InGroupMembReductions", "group member reductions"),
    ("InRouterSolicits", "router solicits"),
    ("InRouterAdvertisements", "router advertisement"),
    ("InNeighborSolicits", "neighbour solicits"),
    ("InNeighborAdvertisements", "neighbour advertisement"),
    ("InRedirects", "redirects"),
    ("OutDestUnreachs", "destination unreachable"),
    ("OutPktTooBigs", "packets too big"),
    ("OutTimeExcds", "sent ICMPv6 time exceeded"),
    ("OutParmProblems", "parameter problem"),
    ("OutEchos", "echo requests"),
    ("OutEchoReplies", "echo replies"),
    ("OutGroupMembQueries", "group member queries"),
    ("OutGroupMembResponses", "group member responses"),
    ("OutGroupMembReductions", "group member reductions"),
    ("OutRouterSolicits", "router solicits"),
    ("OutNeighborSolicits", "neighbor solicits"),
    ("OutNeighborAdvertisements", "neighbor advertisements"),
    ("OutRedirects", "redirects"),
];

const UDP6: &[Word] = &[
    ("Udp6InDatagrams", "% packets received", Always),
    ("Udp6NoPorts", "% packets to unknown port received", Always),
    ("Udp6InErrors", "% packet receive errors", Always),
    ("Udp6OutDatagrams", "% packets sent", Always),
];

/// Which parts are wanted.
#[derive(Clone, Copy)]
struct Parts {
    raw: bool,
    tcp: bool,
    udp: bool,
}

/// Which parts are wanted; none chosen means all.
pub(super) fn show(program: &mut Program<'_>, tcp: bool, udp: bool, raw: bool, ipv6: bool) -> i32 {
    let any = tcp || udp || raw;
    let parts = Parts { raw: !any || raw, tcp: !any || tcp, udp: !any || udp };
    let mut read =
        |path: &str| program.system.read_file(path).map(|b| String::from_utf8_lossy(&b).into_owned());
    let text = match ipv6 {
        true => read("/proc/net/snmp6").and_then(|snmp6| {
            // Of the other file what the two protocols share.
            let tcp = Parts { raw: false, udp: false, ..parts };
            Ok(ipv6_text(&snmp6, parts) + &text(&read("/proc/net/snmp")?, tcp, true))
        }),
        false => read("/proc/net/snmp").map(|snmp| {
            text(&snmp, parts, false)
                + &read("/proc/net/netstat").map_or(String::new(), |more| text(&more, parts, false))
        }),
    };
    match text {
        Ok(text) => {
            let _ = program.shell.out().write_all(text.as_bytes());
            0
        }
        Err(errno) => {
            let _ = writeln!(program.shell.err(), "error parsing /proc/net/snmp: {errno}");
            1
        }
    }
}

/// Pairs of lines, names and values; `only_tcp`: besides IPv6's counters.
fn text(snmp: &str, parts: Parts, only_tcp: bool) -> String {
    let mut out = String::new();
    let lines: Vec<&str> = snmp.lines().collect();
    for pair in lines.chunks_exact(2) {
        let [names, values] = pair else { continue };
        let (Some((title, names)), Some((_, values))) = (names.split_once(':'), values.split_once(':'))
        else {
            continue;
        };
        let counters: Vec<(&str, &str)> = names.split_whitespace().zip(values.split_whitespace()).collect();
        // What has no table is shown whatever is chosen.
        let (is_wanted, words): (bool, &[Word]) = match title {
            "Ip" => (parts.raw, IP),
            "Icmp" => (parts.raw, ICMP),
            "Tcp" => (parts.tcp, TCP),
            "Udp" => (parts.udp, UDP),
            "TcpExt" => (parts.tcp, TCP_MORE),
            _ => (!only_tcp, &[]),
        };
        if !is_wanted || only_tcp && title != "Tcp" {
            continue;
        }
        let _ = writeln!(out, "{title}:");
        match title {
            "Icmp" => icmp(&mut out, &counters),
            // Where ICMP's histogram stands before them they are set as deep.
            "IcmpMsg" => counters.iter().for_each(|(name, value)| {
                let indent = if parts.raw { 8 } else { 4 };
                let _ = writeln!(out, "{:indent$}{name}: {value}", "");
            }),
            _ => counters.iter().for_each(|counter| one(&mut out, words, *counter)),
        }
    }
    out
}

/// A name and a value a line; a title where the protocol changes.
fn ipv6_text(snmp6: &str, parts: Parts) -> String {
    let mut out = String::new();
    let mut title = "";
    let (mut indent, mut seen) = (4, [false; 2]);
    for line in snmp6.lines() {
        let mut words = line.split_whitespace();
        let (Some(name), Some(value)) = (words.next(), words.next()) else { continue };
        let of = name.find('6').and_then(|at| name.get(..=at)).unwrap_or("");
        let (is_wanted, table): (bool, &[Word]) = match of {
            "Ip6" => (parts.raw, IP6),
            "Icmp6" => (parts.raw, ICMP6),
            "Udp6" => (parts.udp, UDP6),
            _ => (true, &[]),
        };
        if !is_wanted {
            continue;
        }
        if of != title {
            (title, indent) = (of, 4);
            let _ = writeln!(out, "{title}:");
        }
        let rest = name.get(of.len()..).unwrap_or("");
        let Some((_, text)) = ICMP6_TYPES.iter().find(|(known, _)| of == "Icmp6" && *known == rest) else {
            match table.iter().any(|(known, ..)| *known == name) {
                true => one(&mut out, table, (name, value)),
                false if value != "0" => {
                    let _ = writeln!(out, "{:indent$}{name}: {value}", "");
                }
                false => {}
            }
            continue;
        };
        let side = usize::from(rest.starts_with("Out"));
        if !std::mem::replace(&mut seen[side], true) {
            let _ =
                writeln!(out, "{:indent$}ICMP {} histogram:", "", if side == 0 { "input" } else { "output" });
            indent = 8;
        }
        if value != "0" {
            let _ = writeln!(out, "{:indent$}{text}: {value}", "");
        }
    }
    out
}

fn one(out: &mut String, words: &[Word], (name, value): (&str, &str)) {
    let Some((_, text, when)) = words.iter().find(|(known, ..)| *known == name) else {
        if value != "0" {
            let _ = writeln!(out, "    {name}: {value}");
        }
        return;
    };
    let shown = match when {
        Always | Named => true,
        Counted => value != "0",
        Never => false,
    };
    if shown {
        let _ = writeln!(out, "    {}", text.replace('%', value));
    }
}

fn icmp(out: &mut String, counters: &[(&str, &str)]) {
    for (start, title) in [("In", "ICMP input histogram:"), ("Out", "ICMP output histogram:")] {
        for (name, value) in counters {
            if name.starts_with(start) && ICMP.iter().any(|(known, ..)| known == name) {
                one(out, ICMP, (*name, *value));
            }
        }
        let mut is_first = true;
        for (name, value) in counters {
            let Some(rest) = name.strip_prefix(start) else { continue };
            let Some((_, text)) = ICMP_TYPES.iter().find(|(known, _)| *known == rest) else { continue };
            if *value == "0" {
                continue;
            }
            if std::mem::take(&mut is_first) {
                let _ = writeln!(out, "    {title}");
            }
            let _ = writeln!(out, "        {text}: {value}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_in_words() {
        let snmp = "Ip: Forwarding DefaultTTL InReceives InHdrErrors FragOKs FragFails\nIp: 2 64 6 0 3 1\n\
                    Icmp: InMsgs InErrors InEchos OutMsgs OutErrors\nIcmp: 2 0 1 2 0\n\
                    IcmpMsg: InType8\nIcmpMsg: 1\nUdp: InDatagrams IgnoredMulti\nUdp: 1 0\n";
        let expected = "Ip:\n    Forwarding: 2\n    6 total packets received\n    3 outgoing packets fragmented \
                        ok\n    1 outgoing packets failed fragmentation\nIcmp:\n    2 ICMP messages received\n    \
                        0 input ICMP message failed\n    ICMP input histogram:\n        echo requests: 1\n    2 ICMP \
                        messages sent\n    0 ICMP messages failed\nIcmpMsg:\n        InType8: 1\nUdp:\n    1 packets \
                        received\n";
        assert_eq!(text(snmp, Parts { raw: true, tcp: true, udp: true }, false), expected);
    }
}
