//! A host that hears ARP of every kind: questions, answers, announcements and probes of hosts that are there, or not, or in
//! another subnet; of unknown operations; with addresses that nobody can have. What it answers, and what it takes down.

use std::net::Ipv4Addr;

use super::frames::{ARP, BROADCAST, Mac, arp, ether, hex, mac, text};
use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "questions", needs_uml: true, build };

/// What the host may be told of a device's ARP.
const SETTINGS: &[&str] = &[
    "arp_accept=1",
    "arp_accept=2",
    "arp_ignore=1",
    "arp_ignore=2",
    "arp_ignore=8",
    "arp_announce=1",
    "arp_announce=2",
    "arp_filter=1",
    "arp_notify=1",
    "arp_evict_nocarrier=0",
    "drop_gratuitous_arp=1",
    "proxy_arp=1",
    "proxy_arp_pvlan=1",
    "forwarding=1",
    "rp_filter=1",
];
const TIMES: &[&str] = &["locktime=0", "unres_qlen_bytes=300", "unres_qlen_bytes=0", "gc_stale_time=5"];

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    for ns in ["h", "k"] {
        scenario.line(format!("ip netns add {ns}"));
    }
    let (_, own) = scenario.veth("k", "eth0", "h", "eth0");
    let (_, second) = scenario.veth("k", "eth1", "h", "eth1");
    let own = parse(&own);
    let second = parse(&second);
    scenario.line("ip -n h addr add 10.0.1.2/24 dev eth0");
    scenario.line("ip -n h addr add 10.0.1.9/24 dev eth0");
    scenario.line("ip -n h addr add 10.0.2.2/24 dev eth1");
    scenario.line("ip -n h addr add 10.0.3.3/32 dev lo");
    scenario.line("ip -n h link set lo up");
    scenario.line("ip -n h route add 10.0.4.0/24 dev eth1");
    if scenario.once_in(2) {
        scenario.line("ip -n h route add default via 10.0.2.1");
    }
    scenario.line("sleep 1.3");
    for _ in 0..scenario.between(0, 3) {
        let setting = scenario.one(SETTINGS);
        scenario.line(format!("ip netns exec h sysctl -w net.ipv4.conf.eth0.{setting}"));
    }
    if scenario.once_in(3) {
        let time = scenario.one(TIMES);
        scenario.line(format!("ip netns exec h sysctl -w net.ipv4.neigh.eth0.{time}"));
    }
    for last in 1..=3 {
        if !scenario.once_in(3) {
            let how = scenario.one(&["permanent", "stale", "reachable", "noarp", "failed"]);
            let lladdr = if how == "failed" { String::new() } else { format!(" lladdr {}", text(mac(last))) };
            scenario.line(format!("ip -n h neigh replace 10.0.1.1{last} dev eth0{lladdr} nud {how}"));
        }
    }
    scenario.jobs += 1;
    let told = scenario.jobs;
    scenario.line("ip -n h monitor neigh >told 2>/dev/null &");
    let captures = [scenario.capture_of("h", "eth0", "arp"), scenario.capture_of("h", "eth1", "arp")];
    scenario.line("sleep 0.7");
    for _ in 0..scenario.between(12, 16) {
        step(scenario, own, second);
        scenario.line("ip -n h neigh");
    }
    // Until nobody is asked for any more.
    scenario.line("sleep 3.6");
    scenario.line("ip -n h neigh");
    scenario.show(&captures);
    scenario.line(format!("kill %{told}"));
    scenario.line("wait");
    scenario.line("sort -u told");
    scenario.line("ip -n h -s link");
}

fn parse(mac: &str) -> Mac {
    let mut bytes = [0; 6];
    for (byte, digits) in bytes.iter_mut().zip(mac.split(':')) {
        *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
    }
    bytes
}

fn step(scenario: &mut Scenario, own: Mac, second: Mac) {
    match scenario.below(10) {
        0 => {
            // Somebody is asked for, and may have been heard of.
            let last = scenario.between(11, 16);
            return scenario.line(format!("ip netns exec h ping -c1 -W0.31 10.0.1.{last}"));
        }
        1 => {
            let last = scenario.between(11, 14);
            let how = scenario.one(&["nud stale", "nud failed", "nud none", "nud probe", "nud delay", "use"]);
            let lladdr = if how.ends_with("failed") || how.ends_with("none") || how == "use" {
                String::new()
            } else {
                format!(" lladdr {}", text(mac(last as u8)))
            };
            scenario.line(format!("ip -n h neigh replace 10.0.1.{last} dev eth0{lladdr} {how}"));
            // Until the next tick, at which it may be asked.
            return scenario.line("sleep 0.3");
        }
        2 => {
            let last = scenario.between(11, 14);
            return scenario.line(format!("ip -n h neigh del 10.0.1.{last} dev eth0"));
        }
        _ => {}
    }
    let (dev, to) = if scenario.once_in(6) { ("eth1", second) } else { ("eth0", own) };
    let last = scenario.between(11, 14) as u8;
    let speaker = mac(if scenario.once_in(4) { last + 20 } else { last - 10 });
    let from = Ipv4Addr::new(10, 0, 1, last);
    let from = match scenario.below(12) {
        0 => Ipv4Addr::UNSPECIFIED,
        1 => Ipv4Addr::new(10, 0, 7, 7),
        2 => Ipv4Addr::new(10, 0, 1, 2),
        3 => [Ipv4Addr::new(239, 1, 1, 1), Ipv4Addr::BROADCAST, Ipv4Addr::LOCALHOST][scenario.below(3)],
        _ => from,
    };
    let asked = [
        Ipv4Addr::new(10, 0, 1, 2),
        Ipv4Addr::new(10, 0, 1, 2),
        Ipv4Addr::new(10, 0, 1, 9),
        Ipv4Addr::new(10, 0, 2, 2),
        Ipv4Addr::new(10, 0, 3, 3),
        Ipv4Addr::new(10, 0, 4, 4),
        Ipv4Addr::new(10, 0, 1, 99),
        Ipv4Addr::new(10, 0, 1, 255),
        Ipv4Addr::new(239, 1, 1, 1),
        Ipv4Addr::LOCALHOST,
        from,
        from,
    ][scenario.below(12)];
    let operation = [1, 1, 1, 1, 2, 2, 2, 3, 8, 0][scenario.below(10)];
    let said = if scenario.once_in(8) { mac(77) } else { speaker };
    let target = if operation == 2 { to } else { [0; 6] };
    let destination = match scenario.below(8) {
        0..=3 => BROADCAST,
        4 => mac(99),
        _ => to,
    };
    let mut packet = arp(operation, (said, from), (target, asked));
    if scenario.once_in(10) {
        // Of another hardware, another protocol, other lengths, or cut short.
        match scenario.below(4) {
            0 => packet[1] = 6,
            1 => packet[2] = 0x86,
            2 => packet[4] = 8,
            _ => packet.truncate(20),
        }
    }
    let mut frame = ether(destination, speaker, ARP, &packet);
    if packet.len() < 28 {
        frame.truncate(14 + packet.len());
    }
    scenario.line(format!("ip netns exec k inject {dev} {}", hex(&frame)));
}
