//! A bridge that answers ARP for others, or keeps it from ports that need not see it, and ports that are told all kinds of
//! things; who is asked, and who answers.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "quiet", needs_uml: true, build };

const HOSTS: usize = 4;
const SETTINGS: &[&str] = &[
    "neigh_suppress on",
    "neigh_suppress on",
    "neigh_suppress off",
    "proxy_arp on",
    "proxy_arp off",
    "proxy_arp_wifi on",
    "proxy_arp_wifi off",
    "isolated on",
    "hairpin on",
    "learning off",
];

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    scenario.line("ip netns add sw");
    scenario.namespaces.push("sw".to_owned());
    let (mac, filtering) = (scenario.mac(), scenario.one(&["", "", " vlan_filtering 1"]));
    scenario.line(format!("ip -n sw link add br0 address {mac} type bridge mcast_snooping 0{filtering}"));
    scenario.up("sw", "br0");
    scenario.line("ip -n sw addr add 10.0.1.100/24 dev br0");
    let mut macs = Vec::new();
    for number in 1..=HOSTS {
        let (ns, port) = (format!("h{number}"), format!("p{number}"));
        scenario.line(format!("ip netns add {ns}"));
        scenario.namespaces.push(ns.clone());
        let (mac, _) = scenario.veth(&ns, "eth0", "sw", &port);
        scenario.line(format!("ip -n {ns} addr add 10.0.1.{number}/24 dev eth0"));
        scenario.line(format!("ip -n sw link set {port} master br0"));
        macs.push(mac);
    }
    scenario.line("sleep 2.3");
    for number in 1..=HOSTS {
        let mac = macs.get(number - 1).cloned().unwrap_or_default();
        if !scenario.once_in(3) {
            scenario.line(format!("bridge -n sw fdb replace {mac} dev p{number} master static"));
        }
        let mac = if scenario.once_in(6) { scenario.mac() } else { mac };
        if !scenario.once_in(4) {
            let how = scenario.one(&["permanent", "permanent", "stale", "failed"]);
            scenario.line(format!("ip -n sw neigh replace 10.0.1.{number} lladdr {mac} dev br0 nud {how}"));
        }
    }
    for _ in 0..scenario.between(3, 5) {
        for _ in 0..scenario.between(1, 2) {
            let (port, setting) = (scenario.between(1, HOSTS), scenario.one(SETTINGS));
            scenario.line(format!("ip -n sw link set p{port} type bridge_slave {setting}"));
        }
        ask(scenario);
    }
    scenario.line("sleep 3.6");
    scenario.line("bridge -n sw -d link");
    scenario.line("bridge -n sw fdb show br br0");
    for ns in scenario.namespaces.clone() {
        scenario.line(format!("ip -n {ns} neigh"));
        scenario.line(format!("ip -n {ns} -s link"));
    }
}

/// Questions of some hosts, and what some ports see of them.
fn ask(scenario: &mut Scenario) {
    let ports = scenario.some(&["p1", "p2", "p3", "p4", "br0"], 2);
    let captures: Vec<_> = ports.iter().map(|port| scenario.capture("sw", port)).collect();
    scenario.line("sleep 0.7");
    for _ in 0..scenario.between(3, 5) {
        let (host, to) = (scenario.between(1, HOSTS), scenario.one(&["1", "2", "3", "4", "100", "77"]));
        let command = match scenario.below(8) {
            0 => format!("arping -c1 -w1 -U -I eth0 10.0.1.{host}"),
            1 => format!("arping -c1 -w1 -A -I eth0 10.0.1.{host}"),
            2 => format!("arping -D -c1 -w1 -I eth0 10.0.1.{to}"),
            3 => format!("ping -c1 -W0.31 10.0.1.{to}"),
            _ => format!("arping -c1 -w1 -I eth0 10.0.1.{to}"),
        };
        scenario.line(format!("ip netns exec h{host} {command}"));
    }
    let to = scenario.between(1, HOSTS);
    scenario.line(format!("ip netns exec sw arping -c1 -w1 -I br0 10.0.1.{to}"));
    scenario.show(&captures);
}
