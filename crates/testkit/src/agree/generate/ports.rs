//! A bridge whose ports are not like one another: blocked, locked, isolated, with a backup; hosts that send to everybody,
//! to groups, to nobody, and to the addresses that a bridge keeps for itself.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "ports", needs_uml: true, build };

const OPTIONS: &[&str] = &["", "", " mcast_snooping 0", " group_fwd_mask 16392"];
/// What some port is told.
const FLAGS: &[&str] = &[
    "state 0",
    "state 1",
    "state 2",
    "state 4",
    "locked on",
    "learning off",
    "hairpin on",
    "flood off",
    "mcast_flood off",
    "bcast_flood off",
    "group_fwd_mask 8",
];
/// The last octets of 01:80:c2:00:00:XX that somebody sends to.
const RESERVED: &[&str] = &["00", "01", "03", "0e", "21"];

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    scenario.namespace("sw");
    let (mac, options) = (scenario.mac(), scenario.one(OPTIONS));
    // The timer that ends the forward delay runs without spanning tree too: it may not strike when a state is set.
    scenario.line(format!("ip -n sw link add br0 address {mac} type bridge forward_delay 200{options}"));
    scenario.up("sw", "br0");
    scenario.line("sleep 2.3");
    scenario.address("sw", "br0", 1, Some(&mac));
    let hosts = scenario.between(3, 4);
    let mut macs = Vec::new();
    for number in 1..=hosts {
        let (ns, port) = (format!("h{number}"), format!("p{number}"));
        scenario.namespace(&ns);
        let (mac, _) = scenario.veth(&ns, "eth0", "sw", &port);
        scenario.line(format!("ip -n sw link set {port} master br0"));
        scenario.line(format!("ip -n {ns} addr add 10.0.1.{}/24 dev eth0", 10 + number));
        macs.push(mac);
    }
    scenario.line("sleep 5.3");
    reserved(scenario, hosts);
    for number in 1..=hosts {
        if !scenario.once_in(3) {
            let flag = scenario.one(FLAGS);
            scenario.line(format!("bridge -n sw link set dev p{number} {flag}"));
        }
    }
    if scenario.once_in(3) {
        for port in ["p1", "p2"] {
            scenario.line(format!("bridge -n sw link set dev {port} isolated on"));
        }
    }
    entries(scenario, hosts, &macs);
    let captured = scenario.between(1, hosts);
    let mut captures = vec![scenario.capture(&format!("h{captured}"), "eth0")];
    if scenario.once_in(2) {
        captures.push(scenario.capture("sw", "br0"));
    }
    scenario.line("sleep 0.7");
    traffic(scenario, hosts);
    backup(scenario, hosts, &macs);
    traffic(scenario, hosts);
    scenario.show(&captures);
    look(scenario, hosts);
}

/// The first that is heard of a host may be a frame for the bridge.
fn reserved(scenario: &mut Scenario, hosts: usize) {
    for number in 1..=hosts {
        for _ in 0..scenario.between(1, 3) {
            let (last, to) = (scenario.one(RESERVED), 70 + scenario.below(9));
            scenario.line(format!(
                "ip -n h{number} neigh replace 10.0.1.{to} lladdr 01:80:c2:00:00:{last} nud permanent dev eth0"
            ));
            scenario.line(format!("ip netns exec h{number} ping -c1 -W0.31 10.0.1.{to}"));
        }
    }
    scenario.line("bridge -n sw fdb show br br0");
    look(scenario, hosts);
}

fn entries(scenario: &mut Scenario, hosts: usize, macs: &[String]) {
    for _ in 0..scenario.between(1, 3) {
        let port = scenario.between(1, hosts);
        let mac = macs.get(scenario.below(hosts)).cloned().unwrap_or_default();
        let how = scenario.one(&["static", "static", "sticky static", "dynamic", "local"]);
        scenario.line(format!("bridge -n sw fdb replace {mac} dev p{port} master {how}"));
    }
    for group in 1..=2 {
        if scenario.once_in(2) {
            let port = scenario.between(1, hosts);
            scenario.line(format!("bridge -n sw mdb add dev br0 port p{port} grp 239.1.1.{group} permanent"));
        }
    }
    scenario.line("bridge -n sw -d link");
}

/// Each host to everybody, to a group, to nobody, to the bridge and to the next one.
fn traffic(scenario: &mut Scenario, hosts: usize) {
    for number in 1..=hosts {
        let ns = format!("h{number}");
        for _ in 0..scenario.between(2, 4) {
            let next = number % hosts + 1;
            let command = match scenario.below(6) {
                0 => "ping -c1 -W0.31 -b 10.0.1.255".to_owned(),
                1 => format!("ping -c1 -W0.31 -I eth0 239.1.1.{}", scenario.between(1, 3)),
                2 => "arping -c1 -w1 -I eth0 10.0.1.250".to_owned(),
                3 => "ping -c1 -W0.31 10.0.1.1".to_owned(),
                _ => format!("ping -c1 -W0.31 10.0.1.{}", 10 + next),
            };
            scenario.line(format!("ip netns exec {ns} {command}"));
        }
    }
    scenario.line("ip netns exec sw ping -c1 -W0.31 -b 10.0.1.255");
    // Until nobody is asked for any more.
    scenario.line("sleep 3.6");
}

/// What is for a port without a link.
fn backup(scenario: &mut Scenario, hosts: usize, macs: &[String]) {
    if scenario.once_in(2) {
        let number = scenario.between(1, hosts);
        scenario.line(format!("ip -n sw link set p{number} down"));
        return scenario.line("sleep 2.3");
    }
    let (gone, other, from) = (1, 2, hosts);
    let mac = macs.first().cloned().unwrap_or_default();
    scenario.line(format!("bridge -n sw fdb replace {mac} dev p{gone} master static"));
    scenario.line(format!("bridge -n sw link set dev p{gone} backup_port p{other}"));
    scenario.line(format!("ip -n h{gone} link set eth0 down"));
    scenario.line("sleep 2.3");
    scenario.line(format!("ip -n h{from} neigh replace 10.0.1.11 lladdr {mac} nud permanent dev eth0"));
    scenario.line(format!("ip netns exec h{from} ping -c1 -W0.31 10.0.1.11"));
}

fn look(scenario: &mut Scenario, hosts: usize) {
    scenario.line("bridge -n sw fdb show br br0");
    scenario.line("ip -n sw -s link");
    for number in 1..=hosts {
        scenario.line(format!("ip -n h{number} -s link show dev eth0"));
        scenario.line(format!("ip -n h{number} neigh"));
    }
}
