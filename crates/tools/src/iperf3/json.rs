//! Reports as JSON, as cJSON prints it (`cJSON_Print`).

use super::flow::{Flow, window};
use super::options::Params;
use super::report::{Total, parts, seconds, sum};
use super::run::Run;
use crate::c_number::general_to;

/// A value whose members keep their order.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    pub fn object<const N: usize>(members: [(&'static str, Json); N]) -> Json {
        Json::Object(members.into())
    }

    pub fn print(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, 0);
        out
    }

    fn write(&self, out: &mut String, depth: usize) {
        match self {
            Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Number(value) => out.push_str(&number(*value)),
            Json::Text(text) => out.push_str(&serde_json::Value::from(text.as_str()).to_string()),
            Json::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push_str(", ");
                    }
                    item.write(out, depth + 1);
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push_str("{\n");
                for (at, (name, value)) in members.iter().enumerate() {
                    out.extend(std::iter::repeat_n('\t', depth + 1));
                    out.push_str(&format!("\"{name}\":\t"));
                    value.write(out, depth + 1);
                    out.push_str(if at + 1 < members.len() { ",\n" } else { "\n" });
                }
                out.extend(std::iter::repeat_n('\t', depth));
                out.push('}');
            }
        }
    }
}

/// `print_number`: as short as brings the number back.
fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return format!("{value:.0}");
    }
    let short = general_to(value, 15);
    if short.parse() == Ok(value) { short } else { general_to(value, 17) }
}

fn int(value: impl TryInto<i64>) -> Json {
    Json::Number(value.try_into().unwrap_or(i64::MAX) as f64)
}

fn rate(bytes: u64, seconds: f64) -> Json {
    Json::Number(if seconds > 0.0 { bytes as f64 * 8.0 / seconds } else { 0.0 })
}

/// To the microsecond.
fn rounded(seconds: f64) -> Json {
    Json::Number((seconds * 1e6).round() / 1e6)
}

/// An interval, from and to nanoseconds behind the start.
pub(super) fn interval(run: &Run, (from, to): (u64, u64)) -> Json {
    let length = seconds(to - from);
    let times = |socket: Option<u32>| {
        let mut members = Vec::new();
        if let Some(socket) = socket {
            members.push(("socket", int(socket)));
        }
        members.extend([
            ("start", rounded(seconds(from))),
            ("end", rounded(seconds(to))),
            ("seconds", Json::Number(length)),
        ]);
        members
    };
    let of_flow = |flow: &Flow| {
        let mut members = times(Some(flow.id));
        members.extend([
            ("bytes", int(flow.interval_bytes)),
            ("bits_per_second", rate(flow.interval_bytes, length)),
        ]);
        members.extend(match (flow.udp, flow.is_sender, &flow.info) {
            (false, true, Some(info)) => vec![
                ("retransmits", int(flow.interval_retransmits)),
                ("snd_cwnd", int(window(info))),
                ("snd_wnd", int(info.send_window)),
                ("rtt", int(info.rtt_us)),
                ("rttvar", int(info.rtt_variance_us)),
                ("pmtu", int(info.path_mtu)),
            ],
            (true, true, _) => vec![("packets", int(flow.interval_packets))],
            (true, false, _) => vec![
                ("jitter_ms", Json::Number(flow.jitter * 1000.0)),
                ("lost_packets", int(flow.interval_lost)),
                ("packets", int(flow.interval_packets)),
                ("lost_percent", percent(flow.interval_lost, flow.interval_packets)),
            ],
            _ => Vec::new(),
        });
        members.extend([("omitted", Json::Bool(false)), ("sender", Json::Bool(flow.is_sender))]);
        Json::Object(members)
    };
    let total = |of: fn(&Flow) -> u64| run.flows.iter().map(of).sum::<u64>();
    let bytes = total(|flow| flow.interval_bytes);
    let (lost, packets) = (total(|flow| flow.interval_lost), total(|flow| flow.interval_packets));
    let mut members = times(None);
    members.extend([("bytes", int(bytes)), ("bits_per_second", rate(bytes, length))]);
    members.extend(match (run.params.udp, run.sends) {
        (false, true) => vec![("retransmits", int(total(|flow| flow.interval_retransmits.into())))],
        (false, false) => Vec::new(),
        (true, true) => vec![("packets", int(packets))],
        (true, false) => vec![
            (
                "jitter_ms",
                Json::Number(
                    run.flows.iter().map(|flow| flow.jitter).sum::<f64>() * 1000.0
                        / run.flows.len().max(1) as f64,
                ),
            ),
            ("lost_packets", int(lost)),
            ("packets", int(packets)),
            ("lost_percent", percent(lost, packets)),
        ],
    });
    members.extend([("omitted", Json::Bool(false)), ("sender", Json::Bool(run.sends))]);
    let streams = Json::List(run.flows.iter().map(of_flow).collect());
    Json::object([("streams", streams), ("sum", Json::Object(members))])
}

fn percent(part: u64, whole: u64) -> Json {
    Json::Number(if whole > 0 { 100.0 * part as f64 / whole as f64 } else { 0.0 })
}

/// What was known before the data: `start`.
pub(super) struct Start {
    pub host: String,
    pub port: u16,
    pub cookie: String,
    pub mss: u32,
    /// Seconds since 1970.
    pub time: u64,
    pub system: String,
}

pub(super) fn start(run: &Run, start: &Start) -> Json {
    let connected = |flow: &Flow| {
        let ((local, local_port), (remote, remote_port)) = (parts(flow.local), parts(flow.remote));
        Json::object([
            ("socket", int(flow.id)),
            ("local_host", Json::Text(local)),
            ("local_port", int(local_port)),
            ("remote_host", Json::Text(remote)),
            ("remote_port", int(remote_port)),
        ])
    };
    let date = crate::calendar::Date::of(start.time);
    let text = format!(
        "{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
        date.weekday_name(),
        date.day,
        date.month_name(),
        date.year,
        date.hour,
        date.minute,
        date.second
    );
    let time = Json::object([("time", Json::Text(text)), ("timesecs", int(start.time))]);
    let who = Json::object([("host", Json::Text(start.host.clone())), ("port", int(start.port))]);
    let Params { udp, seconds, bytes, blocks, block_size, rate, streams, reverse, tos, .. } = &run.params;
    let target = int(rate.unwrap_or(0));
    let test = Json::object([
        ("protocol", Json::Text(if *udp { "UDP" } else { "TCP" }.to_owned())),
        ("num_streams", int(*streams as u64)),
        ("blksize", int(*block_size as u64)),
        ("omit", int(0)),
        ("duration", int(*seconds)),
        ("bytes", int(*bytes)),
        ("blocks", int(*blocks)),
        ("reverse", int(u8::from(*reverse))),
        ("tos", int(*tos)),
        ("target_bitrate", target.clone()),
    ]);
    let mut members = vec![
        ("connected", Json::List(run.flows.iter().map(connected).collect())),
        ("version", Json::Text("iperf 3.12".to_owned())),
        ("system_info", Json::Text(start.system.clone())),
    ];
    match run.is_server {
        false => members.extend([("timestamp", time), ("connecting_to", who)]),
        true => members.extend([("timestamp", time), ("accepted_connection", who)]),
    }
    members.extend([("cookie", Json::Text(start.cookie.clone()))]);
    if !udp {
        members.push(("tcp_mss_default", int(start.mss)));
    }
    members.extend([
        ("target_bitrate", target),
        ("sock_bufsize", int(0)),
        ("sndbuf_actual", int(16384)),
        ("rcvbuf_actual", int(131_072)),
        ("test_start", test),
    ]);
    Json::Object(members)
}

/// `end`
pub(super) fn end(run: &Run, senders: &[Total], receivers: &[Total]) -> Json {
    let udp = run.params.udp;
    let is_sender = Json::Bool(run.sends);
    let head = |total: &Total| {
        vec![
            ("start", int(0)),
            ("end", rounded(total.seconds)),
            ("seconds", rounded(total.seconds)),
            ("bytes", int(total.bytes)),
            ("bits_per_second", rate(total.bytes, total.seconds)),
        ]
    };
    let datagrams = |total: &Total| {
        vec![
            ("jitter_ms", Json::Number(total.jitter * 1000.0)),
            ("lost_packets", int(total.lost)),
            ("packets", int(total.packets)),
            ("lost_percent", percent(total.lost, total.packets)),
        ]
    };
    let stream = |(flow, (sender, receiver)): (&Flow, (&Total, &Total))| {
        let with_socket = |total: &Total| {
            let mut members = vec![("socket", int(flow.id))];
            members.extend(head(total));
            members
        };
        if udp {
            let mut members = with_socket(receiver);
            members.extend(datagrams(receiver));
            members.extend([("out_of_order", int(0)), ("sender", is_sender.clone())]);
            return Json::object([("udp", Json::Object(members))]);
        }
        let mut sent = with_socket(sender);
        if run.sends {
            let times = &flow.round_trips_us;
            let mean = times.iter().map(|us| u64::from(*us)).sum::<u64>() / times.len().max(1) as u64;
            sent.extend([
                ("retransmits", int(sender.retransmits.max(0))),
                ("max_snd_cwnd", int(flow.max_window)),
                ("max_snd_wnd", int(flow.max_peer_window)),
                ("max_rtt", int(times.iter().max().copied().unwrap_or(0))),
                ("min_rtt", int(times.iter().min().copied().unwrap_or(0))),
                ("mean_rtt", int(mean)),
            ]);
        } else if sender.retransmits >= 0 {
            sent.push(("retransmits", int(sender.retransmits)));
        }
        sent.push(("sender", is_sender.clone()));
        let mut received = with_socket(receiver);
        received.push(("sender", is_sender.clone()));
        Json::object([("sender", Json::Object(sent)), ("receiver", Json::Object(received))])
    };
    let streams = run.flows.iter().zip(senders.iter().zip(receivers)).map(stream).collect();
    let mut members = vec![("streams", Json::List(streams))];
    let (sent, received) = (sum(senders), sum(receivers));
    let total = |total: &Total, with_retransmits: bool| {
        let mut members = head(total);
        if udp {
            members.extend(datagrams(total));
        } else if with_retransmits && total.retransmits >= 0 {
            members.push(("retransmits", int(total.retransmits)));
        }
        members.push(("sender", is_sender.clone()));
        Json::Object(members)
    };
    if udp {
        members.push(("sum", total(&received, false)));
    }
    members.extend([("sum_sent", total(&sent, true)), ("sum_received", total(&received, false))]);
    // Nothing in virtual time keeps a processor busy.
    let idle = ["host_total", "host_user", "host_system", "remote_total", "remote_user", "remote_system"];
    members.push(("cpu_utilization_percent", Json::Object(idle.map(|name| (name, int(0))).into())));
    if !udp {
        for (name, known) in [
            ("sender_tcp_congestion", !run.is_server || run.sends),
            ("receiver_tcp_congestion", !run.is_server || !run.sends),
        ] {
            if known {
                members.push((name, Json::Text("cubic".to_owned())));
            }
        }
    }
    Json::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_of_cjson() {
        let inner = Json::object([("b", Json::Number(1.5)), ("c", Json::Bool(true))]);
        let document = Json::object([
            ("a", Json::List(vec![inner.clone(), inner])),
            ("d", Json::Text("x\"".to_owned())),
        ]);
        assert_eq!(
            document.print(),
            "{\n\t\"a\":\t[{\n\t\t\t\"b\":\t1.5,\n\t\t\t\"c\":\ttrue\n\t\t}, {\n\t\t\t\"b\":\t1.5,\n\t\t\t\"c\":\ttrue\n\t\t}],\n\t\
             \"d\":\t\"x\\\"\"\n}"
        );
        assert_eq!([1e6, 0.0, 1_048_434.519_090_1].map(number), ["1000000", "0", "1048434.5190901"]);
    }
}
