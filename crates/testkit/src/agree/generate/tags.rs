//! VLAN devices with MACs and flags of their own, on a card, a bond or within one another; what captures on them see.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "tags", needs_uml: true, build };

const FLAGS: &[&str] = &[
    "",
    " reorder_hdr off",
    " reorder_hdr off",
    " loose_binding on",
    " egress-qos-map 0:5",
    " reorder_hdr off egress-qos-map 0:3",
];

fn build(scenario: &mut Scenario) {
    for ns in ["a", "b"] {
        scenario.namespace(ns);
    }
    scenario.veth("a", "eth0", "b", "eth0");
    let mut captures = Vec::new();
    let count = scenario.between(1, 2);
    for id in 1..=count {
        let outer = if scenario.once_in(3) { " protocol 802.1ad" } else { "" };
        for ns in ["a", "b"] {
            let (dev, mac, flags) = (format!("w{id}"), scenario.mac(), scenario.one(FLAGS));
            let address = if scenario.once_in(3) { String::new() } else { format!(" address {mac}") };
            // The other side's protocol, once in a while.
            let protocol = if scenario.once_in(6) { "" } else { outer };
            scenario.line(format!(
                "ip -n {ns} link add link eth0 name {dev}{address} type vlan{protocol} id {id}{flags}"
            ));
            scenario.up(ns, &dev);
            scenario.address(ns, &dev, id, None);
            captures.push(scenario.capture(ns, &dev));
            if scenario.once_in(3) {
                let mac = scenario.mac();
                let flags = scenario.one(FLAGS);
                scenario.line(format!(
                    "ip -n {ns} link add link {dev} name q{id} address {mac} type vlan id 7{flags}"
                ));
                scenario.up(ns, &format!("q{id}"));
                scenario.address(ns, &format!("q{id}"), 20 + id, None);
            }
            let to = scenario.one(&["reorder_hdr off", "reorder_hdr on", "loose_binding on"]);
            scenario.changes.push(format!("ip -n {ns} link set {dev} type vlan {to}"));
            let mac = scenario.mac();
            scenario.changes.push(format!("ip -n {ns} link set {dev} address {mac}"));
            scenario.changes.push(format!("ip -n {ns} link set eth0 address {mac}"));
            scenario.changes.push(format!("ip -n {ns} link set {dev} mtu 1600"));
            scenario.changes.push(format!("ip -n {ns} link set eth0 mtu 1400"));
        }
    }
    scenario.line("sleep 1.5");
    let stations = scenario.stations.clone();
    for from in stations.iter().filter(|station| station.ns == "a") {
        for to in stations.iter().filter(|station| station.ns == "b") {
            scenario.line(format!("ip netns exec a ping -c1 -W0.31 -I {} {}", from.dev, to.address));
        }
        let net = from.address.rsplit_once('.').map_or("", |(net, _)| net);
        scenario.line(format!("ip netns exec a ping -c1 -W0.31 -b {net}.255"));
        if scenario.once_in(2) {
            scenario.line(format!("ip netns exec a ping -c1 -W0.31 -I {} 224.0.0.1", from.dev));
        }
    }
    scenario.line("sleep 3.6");
    scenario.show(&captures);
}
