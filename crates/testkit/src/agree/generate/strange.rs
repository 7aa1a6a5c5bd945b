//! Frames of every form, as they come from a wire: tags of both protocols, one in another, of no VLAN or a priority; from
//! addresses that nobody can have, to those that few listen to; for a host with VLANs, macvlans, ipvlans or a bridge.

use std::net::Ipv4Addr;

use super::frames::{ARP, BROADCAST, IPV4, Mac, arp, ether, hex, ipv4, llc, mac, of_group, tagged};
use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "strange", needs_uml: true, build };

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    for ns in ["h", "k", "g"] {
        scenario.line(format!("ip netns add {ns}"));
    }
    let (mac, own) = (scenario.mac(), "02:00:00:00:0e:01");
    scenario.line(format!(
        "ip link add eth0 netns k address {mac} type veth peer name eth0 netns h address {own}"
    ));
    scenario.up("k", "eth0");
    scenario.up("h", "eth0");
    let devices = match scenario.below(5) {
        0 => vlans(scenario),
        1 => macvlans(scenario),
        2 => ipvlans(scenario),
        _ => bridge(scenario),
    };
    scenario.line("sleep 4.3");
    let mut captures = vec![scenario.capture_of("k", "eth0", "not igmp")];
    if let Some(dev) = devices.get(scenario.below(devices.len())) {
        let (ns, dev) = if *dev == "g" { ("g", "eth0") } else { ("h", *dev) };
        captures.push(scenario.capture_of(ns, dev, "not igmp"));
    }
    scenario.line("sleep 0.7");
    for _ in 0..scenario.between(9, 12) {
        for _ in 0..scenario.between(2, 4) {
            let frame = hex(&frame(scenario));
            scenario.line(format!("ip netns exec k inject eth0 {frame}"));
            // What macvlans and ipvlans leave to a worker comes in an order of its own.
            scenario.line("sleep 0.05");
        }
        // Until nobody is asked for any more.
        scenario.line("sleep 3.3");
        scenario.line("ip -n h neigh");
        scenario.line("bridge -n h fdb");
    }
    scenario.show(&captures);
    scenario.line("ip -n h -s link");
    scenario.line("ip -n g -s link");
    scenario.line("bridge -n h -s vlan");
}

fn with_address(scenario: &mut Scenario, dev: &str, net: usize) {
    scenario.line(format!("ip -n h link set {dev} up"));
    scenario.probes_late("h", dev);
    scenario.line(format!("ip -n h addr add 10.0.{net}.2/24 dev {dev}"));
}

fn vlans(scenario: &mut Scenario) -> Vec<&'static str> {
    scenario.line("ip -n h addr add 10.0.1.2/24 dev eth0");
    let options = scenario.one(&["", " reorder_hdr off", " loose_binding on"]);
    scenario.line(format!("ip -n h link add link eth0 name w5 type vlan id 5{options}"));
    scenario.line("ip -n h link add link eth0 name q7 type vlan protocol 802.1ad id 7");
    scenario.line("ip -n h link add link q7 name q7.5 address 02:00:00:00:0e:07 type vlan id 5");
    if scenario.once_in(2) {
        scenario.line("ip -n h link add link eth0 name w0 type vlan id 0");
        with_address(scenario, "w0", 4);
    }
    if scenario.once_in(2) {
        scenario.line("ip -n h link set w5 type vlan ingress-qos-map 3:4");
    }
    for (dev, net) in [("w5", 1), ("q7", 2), ("q7.5", 3)] {
        with_address(scenario, dev, net);
    }
    if scenario.once_in(3) {
        scenario.line("ip -n h link set q7 down");
    }
    vec!["eth0", "w5", "q7"]
}

fn macvlans(scenario: &mut Scenario) -> Vec<&'static str> {
    scenario.line("ip -n h addr add 10.0.1.2/24 dev eth0");
    let mode = scenario.one(&["bridge", "private", "vepa", "source", "passthru"]);
    scenario.line(format!(
        "ip -n h link add link eth0 name m1 address 02:00:00:00:0e:11 type macvlan mode {mode}"
    ));
    with_address(scenario, "m1", 1);
    if mode == "source" {
        scenario.line("ip -n h link set m1 type macvlan macaddr add 02:00:00:00:aa:01");
    }
    let other = scenario.one(&["bridge", "private", "vepa", "source"]);
    scenario.line(format!(
        "ip -n h link add link eth0 name m2 address 02:00:00:00:0e:12 type macvlan mode {other}"
    ));
    with_address(scenario, "m2", 2);
    if scenario.once_in(2) {
        scenario.line("ip -n h maddr add 01:00:5e:01:01:01 dev m2");
    }
    if scenario.once_in(3) {
        scenario.line("ip -n h link set m1 type macvlan bcqueuelen 2");
    }
    vec!["eth0", "m1"]
}

fn ipvlans(scenario: &mut Scenario) -> Vec<&'static str> {
    let mode = scenario.one(&["l2", "l2", "l3", "l3s"]);
    let flag = scenario.one(&["bridge", "private", "vepa"]);
    for (dev, net) in [("i1", 1), ("i2", 2)] {
        scenario.line(format!("ip -n h link add link eth0 name {dev} type ipvlan mode {mode} {flag}"));
        with_address(scenario, dev, net);
    }
    // It writes its own header where a capture still looks.
    if mode == "l2" { vec!["eth0", "i1"] } else { vec![] }
}

fn bridge(scenario: &mut Scenario) -> Vec<&'static str> {
    let (mac, peer) = (scenario.mac(), scenario.mac());
    let options = scenario.one(&[
        "vlan_filtering 1",
        "vlan_filtering 1 vlan_protocol 802.1ad",
        "vlan_filtering 1 vlan_default_pvid 0",
        "vlan_filtering 0",
        "vlan_filtering 0 group_fwd_mask 16392",
        "vlan_filtering 0 no_linklocal_learn 1",
        "vlan_filtering 0 stp_state 1 forward_delay 200",
        "vlan_filtering 0 ageing_time 0",
    ]);
    scenario.line(format!(
        "ip -n h link add br0 address {mac} type bridge mcast_snooping 0 vlan_stats_enabled 1 {options}"
    ));
    scenario.line(format!(
        "ip link add g0 netns h address {peer} type veth peer name eth0 netns g address 02:00:00:00:0e:21"
    ));
    for dev in ["eth0", "g0"] {
        scenario.line(format!("ip -n h link set {dev} master br0"));
    }
    scenario.up("h", "g0");
    scenario.up("g", "eth0");
    with_address(scenario, "br0", 1);
    scenario.line("ip -n g addr add 10.0.1.3/24 dev eth0");
    if options.starts_with("vlan_filtering 1") {
        for _ in 0..scenario.between(2, 4) {
            let (dev, vid) = (scenario.one(&["eth0", "g0", "br0"]), scenario.one(&["1", "5", "7"]));
            let how = scenario.one(&["", " untagged", " pvid", " pvid untagged"]);
            let own = if dev == "br0" { " self" } else { "" };
            scenario.line(format!("bridge -n h vlan add vid {vid} dev {dev}{how}{own}"));
        }
        scenario.line("bridge -n h vlan");
    }
    for _ in 0..scenario.between(0, 2) {
        let what = scenario.one(&[
            "learning off",
            "locked on",
            "hairpin on",
            "flood off",
            "group_fwd_mask 16392",
            "guard on",
        ]);
        scenario.line(format!("bridge -n h link set dev eth0 {what}"));
    }
    vec!["g", "br0", "eth0"]
}

fn frame(scenario: &mut Scenario) -> Vec<u8> {
    let own: Mac = [0x02, 0, 0, 0, 0x0e, [0x01, 0x01, 0x11, 0x12, 0x21][scenario.below(5)]];
    let speaker = mac(scenario.between(1, 3) as u8);
    let from = match scenario.below(14) {
        0 => [0; 6],
        1 => [0x03, 0, 0, 0, 0, 1],
        2 => own,
        _ => speaker,
    };
    let to = match scenario.below(12) {
        0..=3 => BROADCAST,
        4 => of_group(Ipv4Addr::new(239, 1, 1, 1)),
        5 => [1, 0x80, 0xc2, 0, 0, [0, 1, 3, 0x0e, 0x21][scenario.below(5)]],
        6 => mac(99),
        _ => own,
    };
    let net = scenario.between(1, 3) as u8;
    let (here, there) = (Ipv4Addr::new(10, 0, net, 9), Ipv4Addr::new(10, 0, net, 2));
    let there = if scenario.once_in(8) { Ipv4Addr::new(10, 0, net, 255) } else { there };
    let frame = match scenario.below(12) {
        0..=5 => ether(to, from, ARP, &arp(1, (from, here), ([0; 6], there))),
        6..=8 => {
            let echo = [8, 0, 0xf7, 0xfe, 0, 0, 0, 1];
            ether(to, from, IPV4, &ipv4(1, 64, here, there, &echo))
        }
        9 => ether(to, from, 0x88b5, b"experiment"),
        10 => llc(to, from, &[0xaa, 0xaa, 3, 0, 0, 0, 0x88, 0xb5, 1, 2]),
        _ => ether(to, from, 0x9000, &[0; 8]),
    };
    let priority = [0, 0, 0x6000][scenario.below(3)];
    match scenario.below(14) {
        0..=2 => tagged(&frame, 0x8100, 5 | priority),
        3 => tagged(&frame, 0x8100, 7 | priority),
        4 => tagged(&frame, 0x8100, priority),
        5..=6 => tagged(&frame, 0x88a8, 7 | priority),
        7..=8 => tagged(&tagged(&frame, 0x8100, 5), 0x88a8, 7 | priority),
        9 => tagged(&tagged(&frame, 0x8100, 7), 0x8100, 5),
        10 => tagged(&frame, [0x8100, 0x9100][scenario.below(2)], 4095),
        _ => frame,
    }
}
