//! VLAN devices on cards, bridges and macvlans; matching ids and others.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "vlan", needs_uml: true, build };

const OPTIONS: &[&str] = &["", "", "", " reorder_hdr off", " loose_binding on", " protocol 802.1ad"];

fn build(scenario: &mut Scenario) {
    scenario.namespace("a");
    scenario.namespace("b");
    let (_, _) = if scenario.once_in(2) {
        // A switch in between.
        scenario.namespace("sw");
        let mac = scenario.mac();
        scenario.line(format!("ip -n sw link add br0 address {mac} type bridge"));
        scenario.up("sw", "br0");
        scenario.line("sleep 2.3");
        let (one, _) = scenario.veth("a", "eth0", "sw", "p1");
        let (two, _) = scenario.veth("b", "eth0", "sw", "p2");
        for port in ["p1", "p2"] {
            scenario.line(format!("ip -n sw link set {port} master br0"));
        }
        if scenario.once_in(2) {
            let id = scenario.between(1, 3);
            scenario.line(format!("ip -n sw link add link br0 name br0.{id} type vlan id {id}"));
            scenario.up("sw", &format!("br0.{id}"));
            scenario.address("sw", &format!("br0.{id}"), id, None);
        }
        (one, two)
    } else {
        scenario.veth("a", "eth0", "b", "eth0")
    };
    if scenario.once_in(3) {
        // Tags with a priority only; the answers come without.
        scenario.line("ip -n a link add link eth0 name z0 type vlan id 0");
        scenario.up("a", "z0");
        scenario.address("a", "z0", 7, None);
        scenario.address("b", "eth0", 7, None);
    }
    for ns in ["a", "b"] {
        scenario.address(ns, "eth0", 0, None);
        let count = scenario.between(1, 3);
        for number in 1..=count {
            let (id, options) = (scenario.between(1, 3), scenario.one(OPTIONS));
            let dev = format!("w{number}");
            scenario.line(format!("ip -n {ns} link add link eth0 name {dev} type vlan id {id}{options}"));
            scenario.up(ns, &dev);
            scenario.address(ns, &dev, id, None);
            let flag = scenario.one(&["reorder_hdr off", "reorder_hdr on", "loose_binding on"]);
            scenario.changes.push(format!("ip -n {ns} link set {dev} type vlan {flag}"));
            scenario.changes.push(format!("ip -n {ns} link set {dev} mtu 1496"));
        }
        match scenario.below(5) {
            // A tag within a tag.
            0 => {
                let id = scenario.between(1, 3);
                scenario.line(format!("ip -n {ns} link add link w1 name q1 type vlan id {id}"));
                scenario.up(ns, "q1");
                scenario.address(ns, "q1", 20 + id, None);
            }
            1 => {
                let (mode, mac) = (scenario.one(&["bridge", "private", "vepa"]), scenario.mac());
                scenario.line(format!(
                    "ip -n {ns} link add link w1 name m1 address {mac} type macvlan mode {mode}"
                ));
                scenario.up(ns, "m1");
                scenario.address(ns, "m1", 1, Some(&mac));
            }
            _ => {}
        }
        let mac = scenario.mac();
        scenario.changes.push(format!("ip -n {ns} link set eth0 address {mac}"));
        scenario.changes.push(format!("ip -n {ns} link set eth0 mtu 1400"));
    }
}
