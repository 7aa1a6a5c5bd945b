//! What `-i` says of a connection (`tcp_stats_print` of misc/ss.c).

use std::fmt::Write as _;

use hairpin_netlink::sock_diag::TcpInfo;

use crate::c_number::general;

/// Thresholds from here on stand for none.
const THRESHOLD_MAX: u32 = 0xffff;

pub(super) fn text(info: &TcpInfo) -> String {
    let mut out = String::new();
    for (name, is_set) in [("ts", info.timestamps), ("sack", info.sack)] {
        if is_set {
            let _ = write!(out, " {name}");
        }
    }
    if !info.congestion.is_empty() {
        let _ = write!(out, " {}", info.congestion);
    }
    if let Some((send, receive)) = info.scales {
        let _ = write!(out, " wscale:{send},{receive}");
    }
    if info.rto_us != 0 {
        let _ = write!(out, " rto:{}", ms(info.rto_us));
    }
    number(&mut out, "backoff", info.backoff.into());
    if info.rtt_us != 0 {
        let _ = write!(out, " rtt:{}/{}", ms(info.rtt_us), ms(info.rtt_variance_us));
    }
    if info.ato_us != 0 {
        let _ = write!(out, " ato:{}", ms(info.ato_us));
    }
    number(&mut out, "mss", info.send_mss.into());
    number(&mut out, "pmtu", info.path_mtu.into());
    number(&mut out, "rcvmss", info.receive_mss.into());
    number(&mut out, "advmss", info.offered_mss.into());
    number(&mut out, "cwnd", info.window.into());
    let threshold = info.threshold.filter(|threshold| *threshold < THRESHOLD_MAX);
    number(&mut out, "ssthresh", threshold.unwrap_or(0).into());
    number(&mut out, "bytes_sent", info.bytes_sent);
    number(&mut out, "bytes_retrans", info.bytes_sent_again);
    number(&mut out, "bytes_acked", info.bytes_acked);
    number(&mut out, "bytes_received", info.bytes_received);
    number(&mut out, "segs_out", info.segments_out.into());
    number(&mut out, "segs_in", info.segments_in.into());
    number(&mut out, "data_segs_out", info.data_segments_out.into());
    number(&mut out, "data_segs_in", info.data_segments_in.into());
    if info.rtt_us != 0 && info.send_mss != 0 && info.window != 0 {
        let bits = f64::from(info.window) * f64::from(info.send_mss) * 8e6 / f64::from(info.rtt_us);
        let _ = write!(out, " send {}bps", bandwidth(bits));
    }
    number(&mut out, "lastsnd", info.last_sent_ms.into());
    number(&mut out, "lastrcv", info.last_received_ms.into());
    number(&mut out, "lastack", info.last_acked_ms.into());
    for (name, rate) in [("pacing_rate", info.pacing_rate), ("delivery_rate", info.delivery_rate)] {
        if rate != 0 && rate != u64::MAX {
            let _ = write!(out, " {name} {}bps", bandwidth(rate as f64 * 8.0));
        }
    }
    number(&mut out, "delivered", info.delivered.into());
    if info.is_program_limited {
        out.push_str(" app_limited");
    }
    if info.busy_us != 0 {
        let _ = write!(out, " busy:{}ms", info.busy_us / 1000);
    }
    number(&mut out, "unacked", info.unacked.into());
    if info.retransmits != 0 || info.retransmits_total != 0 {
        let _ = write!(out, " retrans:{}/{}", info.retransmits, info.retransmits_total);
    }
    number(&mut out, "lost", info.lost.into());
    number(&mut out, "sacked", info.sacked.into());
    if info.receive_rtt_us != 0 {
        let _ = write!(out, " rcv_rtt:{}", ms(info.receive_rtt_us));
    }
    number(&mut out, "rcv_space", info.receive_space.into());
    number(&mut out, "rcv_ssthresh", info.receive_threshold.into());
    number(&mut out, "notsent", info.unsent.into());
    if info.min_rtt_us != 0 {
        let _ = write!(out, " minrtt:{}", ms(info.min_rtt_us));
    }
    number(&mut out, "snd_wnd", info.send_window.into());
    out
}

/// Where it is not 0.
fn number(out: &mut String, name: &str, value: u64) {
    if value != 0 {
        let _ = write!(out, " {name}:{value}");
    }
}

/// Microseconds as milliseconds (`%g`).
fn ms(us: u32) -> String {
    general(f64::from(us) / 1000.0)
}

/// `sprint_bw`
fn bandwidth(bits: f64) -> String {
    match bits {
        bits if bits > 1e9 => format!("{}G", general(bits / 1e9)),
        bits if bits > 1e6 => format!("{}M", general(bits / 1e6)),
        bits if bits > 1e3 => format!("{}K", general(bits / 1e3)),
        bits => general(bits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_rates_as_c_prints_them() {
        assert_eq!([204_000, 45, 1_234_567, 200_050].map(ms), ["204", "0.045", "1234.57", "200.05"]);
        assert_eq!(bandwidth(231_680_000.0), "231.68M");
        assert_eq!(bandwidth(2_316_800_000.0), "2.3168G");
        assert_eq!(bandwidth(900.0), "900");
    }

    #[test]
    fn a_listener_has_its_window_alone() {
        let info = TcpInfo { congestion: "cubic".to_owned(), window: 10, ..TcpInfo::default() };
        assert_eq!(text(&info), " cubic cwnd:10");
    }
}
