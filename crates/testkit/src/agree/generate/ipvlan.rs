//! Ipvlans in every mode with every flag, the device below, and what is at the other end of its wire.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "ipvlan", needs_uml: true, build };

const MODES: &[&str] = &["l2", "l3", "l3s"];
const FLAGS: &[&str] = &["bridge", "bridge", "private", "vepa"];

fn build(scenario: &mut Scenario) {
    for name in ["host", "out"] {
        scenario.namespace(name);
    }
    let (low, wire) = scenario.veth("host", "low", "out", "wire");
    let mut outside = "wire";
    if !scenario.once_in(3) {
        // A switch that may reflect.
        let mac = scenario.mac();
        scenario.line(format!("ip -n out link add br0 address {mac} type bridge"));
        scenario.up("out", "br0");
        // Until it has reported its groups.
        scenario.line("sleep 2.3");
        scenario.line("ip -n out link set wire master br0");
        if !scenario.once_in(3) {
            scenario.line("bridge -n out link set dev wire hairpin on");
        }
        scenario.address("out", "br0", 1, Some(&mac));
        outside = "br0";
    } else {
        scenario.address("out", "wire", 1, Some(&wire));
    }
    let router = scenario.stations.last().map(|station| station.address.clone()).unwrap_or_default();
    let (mode, flag) = (scenario.one(MODES), scenario.one(FLAGS));
    if mode != "l2" {
        scenario.bare = &["m"];
    }
    let of_host = mode != "l2" || scenario.once_in(2);
    if of_host {
        scenario.address("host", "low", 1, Some(&low));
    }
    let host = scenario.stations.last().map(|station| station.address.clone()).unwrap_or_default();
    let count = scenario.between(2, 4);
    for number in 1..=count {
        // Two of one namespace, once in a while.
        let ns = if number == 2 && scenario.once_in(6) { "c1".to_owned() } else { format!("c{number}") };
        let dev = format!("m{number}");
        if !scenario.namespaces.contains(&ns) {
            scenario.namespace(&ns);
        }
        scenario.line(format!(
            "ip -n host link add link low name {dev} netns {ns} type ipvlan mode {mode} {flag}"
        ));
        scenario.up(&ns, &dev);
        // In l3 mode each may have a network of its own, which those outside have a route to.
        let net = if mode == "l2" || scenario.once_in(2) { 1 } else { 10 + number };
        scenario.address(&ns, &dev, net, None);
        match (mode, scenario.below(3)) {
            ("l2", 0) => scenario.line(format!("ip -n {ns} route add default via {router}")),
            ("l2", _) => {}
            _ => scenario.line(format!("ip -n {ns} route add default dev {dev}")),
        }
        changes(scenario, &ns, &dev, mode);
    }
    if of_host {
        scenario.line(format!("ip -n out route add 10.0.0.0/16 via {host}"));
        if scenario.once_in(2) {
            scenario.line("ip netns exec host sysctl -w net.ipv4.ip_forward=1");
        }
    }
    below(scenario, outside);
}

fn changes(scenario: &mut Scenario, ns: &str, dev: &str, mode: &str) {
    let (other, flag) = (scenario.one(MODES), scenario.one(FLAGS));
    if mode != "l2" {
        scenario.changes.push(format!("ip -n {ns} link set {dev} type ipvlan mode {other}"));
    }
    scenario.changes.push(format!("ip -n {ns} link set {dev} type ipvlan {flag}"));
    let at = scenario.below(scenario.stations.len());
    let taken = scenario.stations.get(at).map(|station| station.address.clone()).unwrap_or_default();
    scenario.changes.push(format!("ip -n {ns} addr add {taken}/24 dev {dev}"));
    if let Some(own) = scenario.stations.last().map(|station| station.address.clone()) {
        scenario.changes.push(format!("ip -n {ns} addr del {own}/24 dev {dev}"));
    }
    let what = scenario.one(&["mtu 1400", "arp off", "promisc on", "multicast off", "allmulticast on"]);
    scenario.changes.push(format!("ip -n {ns} link set {dev} {what}"));
    let mac = scenario.mac();
    scenario.changes.push(format!("ip -n {ns} link set {dev} address {mac}"));
}

/// What does not go together with ipvlans, and what happens to the device below.
fn below(scenario: &mut Scenario, outside: &str) {
    match scenario.below(6) {
        0 => scenario.line("ip -n host link add link low name m9 type macvlan mode bridge"),
        1 => scenario.line("ip -n c1 link add link m1 name m8 type ipvlan mode l2"),
        2 => scenario.line("ip -n host link add link low name m7 type ipvlan mode l4"),
        3 => {
            scenario.line("ip -n host link add br0 type bridge");
            scenario.line("ip -n host link set low master br0");
        }
        _ => {}
    }
    let mac = scenario.mac();
    scenario.changes.push(format!("ip -n host link set low address {mac}"));
    scenario.changes.push("ip -n host link set low mtu 1400".to_owned());
    scenario.changes.push(format!("ip -n out link set {outside} down"));
}
