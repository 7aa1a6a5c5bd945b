//! `netstat -s`: the counters of `/proc/net/snmp` in words (net-tools' statistics.c). Those of `/proc/net/netstat` are shown
//! where the kernel has the file.

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

/// Which parts are wanted; none chosen means all.
pub(super) fn show(program: &mut Program<'_>, tcp: bool, udp: bool, raw: bool, ipv6: bool) -> i32 {
    if ipv6 {
        let _ = writeln!(program.shell.err(), "netstat: the counters of IPv6 are not supported here");
        return 1;
    }
    let bytes = match program.system.read_file("/proc/net/snmp") {
        Ok(bytes) => bytes,
        Err(errno) => {
            let _ = writeln!(program.shell.err(), "error parsing /proc/net/snmp: {errno}");
            return 1;
        }
    };
    let any = tcp || udp || raw;
    let text = text(&String::from_utf8_lossy(&bytes), [!any || raw, !any || tcp, !any || udp]);
    let _ = program.shell.out().write_all(text.as_bytes());
    0
}

fn text(snmp: &str, [ip, tcp, udp]: [bool; 3]) -> String {
    let mut out = String::new();
    let lines: Vec<&str> = snmp.lines().collect();
    for pair in lines.chunks_exact(2) {
        let [names, values] = pair else { continue };
        let (Some((title, names)), Some((_, values))) = (names.split_once(':'), values.split_once(':'))
        else {
            continue;
        };
        let counters: Vec<(&str, &str)> = names.split_whitespace().zip(values.split_whitespace()).collect();
        let words = match title {
            "Ip" if ip => IP,
            "Icmp" if ip => ICMP,
            "IcmpMsg" if ip => &[],
            "Tcp" if tcp => TCP,
            "Udp" if udp => UDP,
            "UdpLite" if udp => &[],
            _ => continue,
        };
        let _ = writeln!(out, "{title}:");
        match title {
            "Icmp" => icmp(&mut out, &counters),
            "IcmpMsg" => counters.iter().for_each(|(name, value)| {
                let _ = writeln!(out, "        {name}: {value}");
            }),
            _ => counters.iter().for_each(|counter| one(&mut out, words, *counter)),
        }
    }
    out
}

fn one(out: &mut String, words: &[Word], (name, value): (&str, &str)) {
    let Some((_, text, when)) = words.iter().find(|(known, ..)| *known == name) else { return };
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
        assert_eq!(text(snmp, [true; 3]), expected);
    }
}
