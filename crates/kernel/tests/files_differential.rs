//! The files of fresh real network namespaces beside those of emulated ones with the same devices: which there
//! are, and what they say.
//!
//! Needs root, `unshare` and iproute2; elsewhere the test says so and passes. The running kernel may be newer than
//! the emulated Linux 6.1 or configured otherwise: what differs for that reason is named below.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use common::{DEVICES, Lab};

/// Files by path: content, or the text of the error.
type Files = BTreeMap<String, String>;

/// Trees whose listings and contents are compared.
const TREES: &[&str] = &[
    "/proc/sys/net/ipv4",
    "/proc/sys/net/ipv6",
    "/proc/sys/net/bridge",
    "/proc/sys/net/core",
    "/sys/class/net",
];

/// IPv6 is off, for the emulated kernel sends none of its control packets.
const UP: &[&str] = &[
    "ip link set br0 up",
    "ip link set v0 up",
    "ip link set v1 up",
    "ip link set mv0 up",
    "ip link set lo up",
];

/// Keys that came after Linux 6.1 (and in which release), by the last name of the path.
const NEWER: &[&str] = &[
    // 6.2
    "tcp_plb_cong_thresh",
    "tcp_plb_enabled",
    "tcp_plb_idle_rehash_rounds",
    "tcp_plb_rehash_rounds",
    "tcp_plb_suspend_rto_sec",
    "udp_child_hash_entries",
    "udp_hash_entries",
    // 6.3
    "rps_default_mask",
    // 6.5
    "error_anycast_as_unicast",
    "tcp_shrink_window",
    "tcp_syn_linear_timeouts",
    // 6.6 to 6.8
    "accept_ra_min_lft",
    "ra_honor_pio_life",
    "tcp_backlog_ack_defer",
    "tcp_pingpong_thresh",
    "optmem_max",
    "regen_min_advance",
    // 6.11 to 6.18
    "fib_multipath_hash_seed",
    "force_forwarding",
    "icmp_msgs_burst",
    "icmp_msgs_per_sec",
    "ra_honor_pio_pflag",
    "rmem_default",
    "rmem_max",
    "tcp_ecn_option",
    "tcp_ecn_option_beacon",
    "tcp_rto_max_ms",
    "tcp_rto_min_us",
    "tcp_tw_reuse_delay",
    "tstamp_allow_data",
    "wmem_default",
    "wmem_max",
];

/// Files that depend on how a kernel is configured: VLAN filtering of bridges, other congestion controls.
const CONFIGURED: &[&str] = &[
    "default_pvid",
    "vlan_filtering",
    "vlan_protocol",
    "vlan_stats_enabled",
    "vlan_stats_per_port",
    "brforward",
];

/// Files that all devices have in Linux 6.1, and later only those whose drivers fill them.
const HIDDEN_LATER: &[&str] = &[
    "phys_port_id",
    "phys_port_name",
    "phys_switch_id",
    "hold_time",
    "inflight",
    "limit",
    "limit_max",
    "limit_min",
];

/// Contents that differ, and why.
const OTHERWISE: &[(&str, &str)] = &[
    ("ipv4/tcp_allowed_congestion_control", "configuration"),
    ("ipv4/tcp_available_congestion_control", "configuration"),
    ("ipv4/tcp_congestion_control", "configuration"),
    ("ipv4/tcp_rmem", "33554432 since 6.17"),
    ("ipv4/tcp_limit_output_bytes", "4194304 since 6.17"),
    ("ipv4/tcp_ehash_entries", "memory of the machine"),
    ("ipv4/tcp_max_syn_backlog", "memory of the machine"),
    ("ipv4/tcp_max_tw_buckets", "memory of the machine"),
    ("ipv6/icmp/ratelimit", "100 since 6.17"),
    ("ipv6/route/max_size", "2147483647 since 6.3"),
    ("tx-0/traffic_class", "a veth has a queue for each processor of the machine"),
    ("tx-0/xps_cpus", "a veth has a queue for each processor of the machine"),
    ("bridge/gc_timer", "time goes by"),
    ("brport/forward_delay_timer", "time goes by"),
    ("statistics/multicast", "IGMP reports are not emulated"),
    ("statistics/rx_bytes", "IGMP reports are not emulated"),
    ("statistics/rx_packets", "IGMP reports are not emulated"),
    ("statistics/rx_dropped", "IGMP reports are not emulated"),
    ("statistics/tx_bytes", "IGMP reports are not emulated"),
    ("statistics/tx_packets", "IGMP reports are not emulated"),
    ("statistics/tx_dropped", "IGMP reports are not emulated"),
];

#[test]
fn a_namespace_has_the_files_of_a_real_one() {
    if let Some(reason) = unfit() {
        return say(&format!("skipped: {reason}"));
    }
    let off = "sysctl -q -w net.ipv6.conf.all.disable_ipv6=1";
    let down: Vec<&str> = DEVICES.to_vec();
    let up: Vec<&str> = [&[off][..], DEVICES, UP].concat();
    for (state, commands) in [("down", down), ("up", up)] {
        let real = real_files(&commands);
        let mut lab = Lab::new();
        if std::path::Path::new("/proc/sys/net/bridge").exists() {
            lab.run("modprobe br_netfilter");
        }
        for command in &commands {
            lab.run(command);
        }
        // Until the link watch has looked at every device.
        let later = lab.world.now() + std::time::Duration::from_millis(2300);
        lab.world.advance_to(later);
        let ours = emulated_files(&mut lab);
        let mut report = Vec::new();
        let mut same = 0;
        for path in real.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
            match (real.get(path), ours.get(path)) {
                _ if [NEWER, CONFIGURED, HIDDEN_LATER].iter().any(|names| is_last(path, names)) => {}
                (Some(real), Some(ours)) if real == ours => same += 1,
                (Some(_), Some(_)) if OTHERWISE.iter().any(|(end, _)| path.ends_with(end)) => {}
                (real, ours) => report.push(format!("{path}: real {real:?} ours {ours:?}")),
            }
        }
        say(&format!("{state}: {same} of {} files agree", real.len()));
        assert!(report.is_empty(), "{state}: {} differ\n{}", report.len(), report.join("\n"));
    }
}

/// Addresses, neighbours and routes beside the devices.
const ADDRESSED: &[&str] = &[
    "ip addr add 10.0.0.1/24 dev v1",
    "ip addr add 10.9.0.1/16 dev br0",
    "ip route add 10.1.0.0/16 via 10.0.0.9 metric 5",
    "ip route add unreachable 10.2.0.0/16",
    "ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev v1",
    "ip neigh add proxy 10.0.0.77 dev v1",
];

/// Files of `/proc/net` that say the same whatever the kernel.
const PROC_NET: &[&str] = &[
    "arp",
    "dev",
    "dev_mcast",
    "igmp",
    "packet",
    "raw",
    "raw6",
    "route",
    "tcp",
    "tcp6",
    "udp",
    "udp6",
    "unix",
];

#[test]
fn proc_net_says_what_a_real_one_says() {
    if let Some(reason) = unfit() {
        return say(&format!("skipped: {reason}"));
    }
    let off = "sysctl -q -w net.ipv6.conf.all.disable_ipv6=1";
    let commands = [&[off][..], DEVICES, UP, ADDRESSED].concat();
    let script = format!(
        "{}; cd /proc/net; for f in {}; do echo; echo @@$f; cat $f; done",
        commands.join("; "),
        PROC_NET.join(" ")
    );
    let output = Command::new("unshare").args(["-n", "sh", "-c", &script]).output().expect("unshare");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut lab = Lab::new();
    for command in &commands {
        lab.run(command);
    }
    for piece in text.split("\n@@").skip(1) {
        let (name, real) = piece.split_once('\n').expect("a name");
        let ours = lab.shown(&format!("/proc/net/{name}"));
        let (real, ours) = (without_counters(name, real), without_counters(name, &ours));
        assert_eq!(real, ours, "{name}");
    }
}

/// Lines, those of `dev` without counters: IGMP reports are not emulated.
fn without_counters(name: &str, text: &str) -> Vec<String> {
    let lines = text.trim_end_matches('\n').lines();
    let shown = |line: &str| match name {
        "dev" => {
            line.replace(|c: char| c.is_ascii_digit(), " ").split_whitespace().collect::<Vec<_>>().join(" ")
        }
        _ => line.to_owned(),
    };
    lines.map(shown).collect()
}

fn is_last(path: &str, names: &[&str]) -> bool {
    path.rsplit('/').next().is_some_and(|last| names.contains(&last))
}

fn say(what: &str) {
    eprintln!("{what}");
}

fn unfit() -> Option<&'static str> {
    let script =
        "test $(id -u) = 0 && mount -t sysfs sysfs /sys && ip link add type veth && ip link add type bridge";
    let fit = Command::new("unshare").args(["-n", "-m", "sh", "-c", script]).output();
    match fit {
        Ok(output) if output.status.success() => None,
        _ => Some("needs root, namespaces, veth and bridge"),
    }
}

fn real_files(commands: &[&str]) -> Files {
    let trees = TREES.join(" ");
    // Paths, with what each file or link says.
    let script = format!(
        "set -e; mount -t sysfs sysfs /sys; {}; sleep 2.3; set +e
         for d in {trees}; do find $d/ ! -type d; done | sort | while read f; do
             if test -d $f; then echo; echo \"@$f\"; echo @@link; else echo; echo \"@$f\"; cat $f 2>&1; fi
         done
         for d in /sys/class/net/*; do find $d/ ! -type d; done | while read f; do
             if test -d $f; then echo; echo \"@$f\"; echo @@link; else echo; echo \"@$f\"; cat $f 2>&1; fi
         done",
        commands.join("; ")
    );
    let output = Command::new("unshare").args(["-n", "-m", "sh", "-c", &script]).output().expect("unshare");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut found = BTreeMap::new();
    for piece in format!("\n{text}").split("\n@/").skip(1) {
        let (path, content) = piece.split_once('\n').unwrap_or((piece, ""));
        let path = format!("/{path}").replace("//", "/");
        let content = match content.split_once(": ") {
            Some((_, rest)) if content.starts_with("cat: ") => {
                rest.rsplit(": ").next().unwrap_or(rest).trim_end().to_owned()
            }
            _ => content.trim_end_matches('\n').to_owned(),
        };
        // A device's own link in the class is no file of its own.
        if path.split('/').count() > 5 {
            found.insert(path, content);
        }
    }
    let mut macs = BTreeMap::new();
    found
        .into_iter()
        .map(|(path, content)| {
            let content = normal(&content, &mut macs);
            (path, content)
        })
        .collect()
}

fn emulated_files(lab: &mut Lab) -> Files {
    let mut names = BTreeMap::new();
    let mut found = BTreeSet::new();
    let mut pending: Vec<String> = TREES.iter().map(|tree| (*tree).to_owned()).collect();
    let mut files = Files::new();
    while let Some(path) = pending.pop() {
        let last = path.rsplit('/').next().unwrap_or_default();
        let in_port = path.contains("/brport/") && last == "bridge";
        let link = path.starts_with("/sys/class/net/")
            && (["master", "subsystem"].contains(&last)
                || last.starts_with("upper_")
                || last.starts_with("lower_")
                || path.contains("/brif/")
                || in_port);
        if link {
            assert!(lab.list(&path).is_ok(), "{path}");
            files.insert(path, "@@link".to_owned());
            continue;
        }
        match lab.list(&path) {
            Ok(below) => pending.extend(below.iter().map(|name| format!("{path}/{name}"))),
            Err(_) => {
                found.insert(path);
            }
        }
    }
    for path in found {
        let content = lab.shown(&path);
        files.insert(path, normal(content.trim_end_matches('\n'), &mut names));
    }
    files
}

/// MACs by the order in which they appear.
fn normal(content: &str, macs: &mut BTreeMap<String, usize>) -> String {
    let hexadecimal = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bare = content.replace(':', "");
    let (front, mac) = match content.split_once('.') {
        Some((priority, mac)) if priority.len() == 4 && hexadecimal(mac) => (priority, mac.to_owned()),
        _ if content.len() == 17 && hexadecimal(&bare) => ("", bare),
        _ => return content.to_owned(),
    };
    if ["000000000000", "ffffffffffff", "0180c2000000"].contains(&mac.as_str()) {
        return content.to_owned();
    }
    let next = macs.len();
    format!("{front} mac {}", macs.entry(mac).or_insert(next))
}
