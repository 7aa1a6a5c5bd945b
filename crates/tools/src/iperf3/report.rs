//! What a test prints (iperf_locale.c, `iperf_print_intermediate`, `iperf_print_results`).

use std::fmt::Write as _;

use hairpin_netlink::Address;

use super::NS_PER_S;
use super::flow::{Flow, window};
use super::options::Options;
use super::run::Run;
use crate::c_number::general_to;

pub(super) const SEPARATOR: &str = "- - - - - - - - - - - - - - - - - - - - - - - - -\n";
pub(super) const BANNER: &str = "-----------------------------------------------------------\n";

/// What one side knows of a stream at the end; the other side tells its own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Total {
    pub bytes: u64,
    /// Negative where it is not known.
    pub retransmits: i64,
    pub jitter: f64,
    pub lost: u64,
    pub packets: u64,
    pub seconds: f64,
}

impl Total {
    pub fn of(flow: &Flow, length_ns: u64) -> Total {
        Total {
            bytes: flow.bytes,
            retransmits: if flow.is_sender && !flow.udp { flow.retransmits.into() } else { -1 },
            jitter: flow.jitter,
            lost: flow.lost,
            packets: flow.packets,
            seconds: seconds(length_ns),
        }
    }
}

pub(super) fn seconds(ns: u64) -> f64 {
    ns as f64 / NS_PER_S as f64
}

/// Every line with its title.
pub(super) fn titled(options: &Options, text: &str) -> String {
    match &options.title {
        None => text.to_owned(),
        Some(title) => text
            .split_inclusive('\n')
            .map(|line| if line == "\n" { line.to_owned() } else { format!("{title}:  {line}") })
            .collect(),
    }
}

pub(super) fn parts(end: Address) -> (String, u16) {
    match end {
        Address::Ipv4 { address, port } => (address.to_string(), port),
        Address::Ipv6 { address, port, .. } => (address.to_canonical().to_string(), port),
        Address::Link { .. } | Address::Can { .. } => (String::new(), 0),
    }
}

pub(super) fn connected(run: &Run, options: &Options) -> String {
    let mut out = String::new();
    for flow in &run.flows {
        let ((local, local_port), (remote, remote_port)) = (parts(flow.local), parts(flow.remote));
        let _ = writeln!(
            out,
            "[{:3}] local {local} port {local_port} connected to {remote} port {remote_port}",
            flow.id
        );
    }
    titled(options, &out)
}

/// `unit_snprintf`: bytes as they are (`A`), or as bits.
pub(super) fn amount(value: f64, format: char) -> String {
    const BYTES: [&str; 5] = ["Byte", "KByte", "MByte", "GByte", "TByte"];
    const BITS: [&str; 5] = ["bit", "Kbit", "Mbit", "Gbit", "Tbit"];
    let in_bytes = format.is_ascii_uppercase();
    let (labels, step) = if in_bytes { (BYTES, 1024.0) } else { (BITS, 1000.0) };
    let mut value = if in_bytes { value } else { value * 8.0 };
    let wanted = "BKMGT".find(format.to_ascii_uppercase());
    let mut power = 0;
    while wanted.map_or(value >= step && power < labels.len() - 1, |wanted| power < wanted) {
        value /= step;
        power += 1;
    }
    let label = labels.get(power).copied().unwrap_or("");
    match value {
        value if value < 9.995 => format!("{value:4.2} {label}"),
        value if value < 99.95 => format!("{value:4.1} {label}"),
        value => format!("{value:4.0} {label}"),
    }
}

/// `[  5]   0.00-1.00   sec  12.0 MBytes   101 Mbits/sec`
fn head(out: &mut String, id: &str, (from, to): (f64, f64), bytes: u64, options: &Options) {
    let length = to - from;
    let rate = if length > 0.0 { bytes as f64 / length } else { 0.0 };
    let _ = write!(
        out,
        "[{id:>3}] {from:6.2}-{to:<6.2} sec  {}s  {}s/sec",
        amount(bytes as f64, 'A'),
        amount(rate, options.format)
    );
}

fn percent(part: u64, whole: u64) -> String {
    general_to(if whole > 0 { 100.0 * part as f64 / whole as f64 } else { 0.0 }, 2)
}

/// The lines of an interval; in front of the first what their columns are.
pub(super) fn interval(run: &Run, options: &Options, (from, to): (u64, u64)) -> String {
    let (udp, sends) = (run.params.udp, run.sends);
    let mut out = String::new();
    if !run.reported {
        out.push_str(match (udp, sends) {
            (false, true) => "[ ID] Interval           Transfer     Bitrate         Retr  Cwnd\n",
            (false, false) => "[ ID] Interval           Transfer     Bitrate\n",
            (true, true) => "[ ID] Interval           Transfer     Bitrate         Total Datagrams\n",
            (true, false) => {
                "[ ID] Interval           Transfer     Bitrate         Jitter    Lost/Total Datagrams\n"
            }
        });
    } else if run.flows.len() > 1 {
        out.push_str(SEPARATOR);
    }
    let span = (seconds(from), seconds(to));
    let mut jitter = 0.0;
    for flow in &run.flows {
        head(&mut out, &flow.id.to_string(), span, flow.interval_bytes, options);
        jitter += flow.jitter;
        let _ = match (udp, sends) {
            (false, true) => {
                let window = amount(flow.info.as_ref().map_or(0, window) as f64, 'A');
                writeln!(out, "  {:3}   {window}s       ", flow.interval_retransmits)
            }
            (false, false) => writeln!(out, "                  "),
            (true, true) => writeln!(out, "  {}  ", flow.interval_packets),
            (true, false) => writeln!(
                out,
                "  {:5.3} ms  {}/{} ({}%)  ",
                flow.jitter * 1000.0,
                flow.interval_lost,
                flow.interval_packets,
                percent(flow.interval_lost, flow.interval_packets)
            ),
        };
    }
    if run.flows.len() > 1 {
        let sum = |of: fn(&Flow) -> u64| run.flows.iter().map(of).sum::<u64>();
        head(&mut out, "SUM", span, sum(|flow| flow.interval_bytes), options);
        let (lost, packets) = (sum(|flow| flow.interval_lost), sum(|flow| flow.interval_packets));
        let _ = match (udp, sends) {
            (false, true) => {
                writeln!(out, "  {:3}             ", sum(|flow| flow.interval_retransmits.into()))
            }
            (false, false) => writeln!(out, "                  "),
            (true, true) => writeln!(out, "  {packets}  "),
            (true, false) => writeln!(
                out,
                "  {:5.3} ms  {lost}/{packets} ({}%)  ",
                jitter * 1000.0 / run.flows.len() as f64,
                percent(lost, packets)
            ),
        };
    }
    titled(options, &out)
}

/// The last lines: of the side that sends, of the one that receives, as far as they are known.
pub(super) fn results(
    run: &Run,
    options: &Options,
    senders: Option<&[Total]>,
    receivers: Option<&[Total]>,
) -> String {
    let udp = run.params.udp;
    let mut out = SEPARATOR.to_owned();
    out.push_str(match (udp, senders.is_some()) {
        (true, _) => "[ ID] Interval           Transfer     Bitrate         Jitter    Lost/Total Datagrams\n",
        (false, true) => "[ ID] Interval           Transfer     Bitrate         Retr\n",
        (false, false) => "[ ID] Interval           Transfer     Bitrate\n",
    });
    let line = |out: &mut String, id: &str, total: &Total, role: &str| {
        head(out, id, (0.0, total.seconds), total.bytes, options);
        let _ = match (udp, total.retransmits >= 0) {
            (true, _) => writeln!(
                out,
                "  {:5.3} ms  {}/{} ({}%)  {role}",
                total.jitter * 1000.0,
                total.lost,
                total.packets,
                percent(total.lost, total.packets)
            ),
            (false, true) => writeln!(out, "  {:3}             {role}", total.retransmits),
            (false, false) => writeln!(out, "                  {role}"),
        };
    };
    let sides = [(senders, "sender"), (receivers, "receiver")];
    for (at, flow) in run.flows.iter().enumerate() {
        for (totals, role) in sides {
            if let Some(total) = totals.and_then(|totals| totals.get(at)) {
                line(&mut out, &flow.id.to_string(), total, role);
            }
        }
    }
    if run.flows.len() > 1 {
        for (totals, role) in sides {
            if let Some(totals) = totals {
                line(&mut out, "SUM", &sum(totals), role);
            }
        }
    }
    titled(options, &out)
}

pub(super) fn sum(totals: &[Total]) -> Total {
    let mut sum = Total {
        retransmits: totals.first().map_or(-1, |total| total.retransmits.min(0)),
        ..Total::default()
    };
    for total in totals {
        sum.bytes += total.bytes;
        sum.retransmits += total.retransmits.max(0);
        sum.jitter += total.jitter / totals.len() as f64;
        sum.lost += total.lost;
        sum.packets += total.packets;
        sum.seconds = sum.seconds.max(total.seconds);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_in_four_places() {
        assert_eq!(amount(131_072.0, 'A'), " 128 KByte");
        assert_eq!(amount(12_582_912.0, 'A'), "12.0 MByte");
        assert_eq!(amount(1_048_576.0, 'A'), "1.00 MByte");
        assert_eq!(amount(12_500_000.0, 'a'), " 100 Mbit");
        assert_eq!(amount(131_072.0, 'a'), "1.05 Mbit");
        assert_eq!(amount(131_072.0, 'k'), "1049 Kbit");
        assert_eq!(amount(0.0, 'a'), "0.00 bit");
    }
}
