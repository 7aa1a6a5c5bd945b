//! ARP as its settings have it: a router that answers for what is behind it, hosts with an address too many or on a second
//! link, addresses that nobody has.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "proxy", needs_uml: false, build };

fn build(scenario: &mut Scenario) {
    for name in ["left", "r", "right", "two"] {
        scenario.namespace(name);
    }
    // Hosts that take everybody for a neighbour, and the router between them.
    let (left, one) = scenario.veth("left", "eth0", "r", "e0");
    let (right, other) = scenario.veth("right", "eth0", "r", "e1");
    for (ns, dev, net, mac) in [("left", "eth0", 1, &left), ("right", "eth0", 2, &right)] {
        wide(scenario, ns, dev, net, mac);
    }
    scenario.address("r", "e0", 1, Some(&one));
    scenario.address("r", "e1", 2, Some(&other));
    scenario.line("ip netns exec r sysctl -w net.ipv4.ip_forward=1");
    for dev in ["e0", "e1"] {
        scenario.line(format!("ip netns exec r sysctl -w net.ipv4.neigh.{dev}.proxy_delay=0"));
        if !scenario.once_in(4) {
            scenario.line(format!("ip netns exec r sysctl -w net.ipv4.conf.{dev}.proxy_arp=1"));
        }
        scenario.changes.push(format!("ip netns exec r sysctl -w net.ipv4.conf.{dev}.proxy_arp=0"));
    }
    if scenario.once_in(2) {
        scenario.line("ip -n r neigh add proxy 10.0.1.200 dev e1");
        scenario.line("ip -n r neigh show proxy");
    }
    // A host with two links to the router's neighbour, and addresses on both.
    let (a, b) = scenario.veth("two", "e0", "right", "e1");
    let (_, _) = scenario.veth("two", "e1", "right", "e2");
    scenario.address("two", "e0", 5, Some(&a));
    scenario.address("two", "e1", 6, None);
    scenario.address("right", "e1", 5, Some(&b));
    let ns = scenario.one(&["two", "two", "right"]);
    for name in ["arp_ignore", "arp_announce", "arp_filter", "arp_accept", "rp_filter"] {
        if scenario.once_in(2) {
            let value = scenario.between(1, 2);
            scenario.line(format!("ip netns exec {ns} sysctl -w net.ipv4.conf.e0.{name}={value}"));
        }
    }
    ask(scenario);
}

/// An address of a /16, so that the other network is a neighbour too.
fn wide(scenario: &mut Scenario, ns: &str, dev: &str, net: usize, mac: &str) {
    scenario.address(ns, dev, net, Some(mac));
    if let Some(station) = scenario.stations.last().cloned() {
        let address = station.address;
        scenario.line(format!("ip -n {ns} addr del {address}/24 dev {dev}"));
        scenario.line(format!("ip -n {ns} addr add {address}/16 dev {dev}"));
    }
}

/// Questions: about everybody, about nobody, about an address of the other link.
fn ask(scenario: &mut Scenario) {
    scenario.line("sleep 1.5");
    let captures = [scenario.capture("left", "eth0"), scenario.capture("two", "e0")];
    scenario.line("sleep 0.7");
    let solicit = scenario.between(1, 4);
    if scenario.once_in(2) {
        scenario.line(format!("ip netns exec left sysctl -w net.ipv4.neigh.eth0.mcast_solicit={solicit}"));
    }
    scenario.line("ip netns exec left ping -c1 -W0.31 10.0.1.99");
    scenario.line("sleep 4.6");
    let targets: Vec<String> = scenario.stations.iter().map(|station| station.address.clone()).collect();
    for _ in 0..3 {
        let to = targets.get(scenario.below(targets.len())).cloned().unwrap_or_default();
        scenario.line(format!("ip netns exec left arping -c1 -w1 -I eth0 {to}"));
    }
    scenario.line("ip netns exec right arping -c1 -w1 -I e1 10.0.1.1");
    scenario.line("ip netns exec right arping -c1 -w1 -I eth0 10.0.1.200");
    scenario.line("ip netns exec left arping -c1 -w1 -I eth0 10.0.1.201");
    for dev in ["e1", "e2"] {
        let to = targets.get(4 + scenario.below(2)).cloned().unwrap_or_default();
        scenario.line(format!("ip netns exec right arping -c1 -w1 -I {dev} {to}"));
    }
    scenario.show(&captures);
}
