//! Macvlans in every mode on a card, and what is at the other end of its wire.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "macvlan", needs_uml: false, build };

fn build(scenario: &mut Scenario) {
    for name in ["host", "out"] {
        scenario.namespace(name);
    }
    // The other end: a host, or a bridge that may reflect.
    let reflects = scenario.once_in(2);
    let (low, wire) = scenario.veth("host", "low", "out", "wire");
    if reflects {
        let mac = scenario.mac();
        scenario.line(format!("ip -n out link add br0 address {mac} type bridge"));
        scenario.up("out", "br0");
        scenario.line("sleep 2.3");
        scenario.line("ip -n out link set wire master br0");
        scenario.address("out", "br0", 1, Some(&mac));
        if scenario.once_in(2) {
            scenario.line("bridge -n out link set dev wire hairpin on");
        }
        scenario.changes.push("bridge -n out link set dev wire hairpin on".to_owned());
        scenario.changes.push("bridge -n out link set dev wire hairpin off".to_owned());
    } else {
        scenario.address("out", "wire", 1, Some(&wire));
    }
    if scenario.once_in(2) {
        scenario.address("host", "low", 1, Some(&low));
    }
    let common = scenario.one(&["bridge", "bridge", "private", "vepa", "passthru", "source", "mixed"]);
    let count = if common == "passthru" { 1 } else { scenario.between(2, 4) };
    let mut macs = vec![low, wire];
    for number in 1..=count {
        let (ns, dev) = (format!("c{number}"), format!("m{number}"));
        scenario.namespace(&ns);
        let mode = match common {
            "mixed" => scenario.one(&["bridge", "bridge", "private", "vepa", "source"]),
            mode => mode,
        };
        let options = scenario.one(&["", "", "", " bcqueuelen 5", " nopromisc"]);
        let options = if options == " nopromisc" && mode != "passthru" { "" } else { options };
        let options = if mode == "source" && scenario.once_in(3) { " nodst" } else { options };
        let mac = scenario.mac();
        scenario.line(format!(
            "ip -n host link add link low name {dev} netns {ns} address {mac} type macvlan mode {mode}{options}"
        ));
        scenario.up(&ns, &dev);
        scenario.address(&ns, &dev, 1, Some(&mac));
        if mode == "source" && !scenario.once_in(3) {
            let of = scenario.below(macs.len());
            let source = macs.get(of).cloned().unwrap_or_default();
            scenario.line(format!("ip -n {ns} link set {dev} type macvlan macaddr add {source}"));
        }
        macs.push(mac);
        let to = scenario.one(&["bridge", "private", "vepa", "source", "passthru"]);
        scenario.changes.push(format!("ip -n {ns} link set {dev} type macvlan mode {to}"));
        let source = macs.get(scenario.below(macs.len())).cloned().unwrap_or_default();
        let what = scenario.one(&["add", "del"]);
        scenario.changes.push(format!("ip -n {ns} link set {dev} type macvlan macaddr {what} {source}"));
        scenario.changes.push(format!("ip -n {ns} link set {dev} promisc on"));
        let mac = scenario.mac();
        scenario.changes.push(format!("ip -n {ns} link set {dev} address {mac}"));
    }
    if common == "passthru" && !scenario.once_in(3) {
        down(scenario, if reflects { "br0" } else { "wire" }, &macs);
    }
    scenario.changes.push("ip -n host link set low promisc on".to_owned());
    scenario.changes.push("ip -n host link set low mtu 1400".to_owned());
    if scenario.once_in(3) {
        // Its MAC is another one's already.
        let taken = macs.get(scenario.below(macs.len())).cloned().unwrap_or_default();
        scenario
            .line(format!("ip -n host link add link low name m7 address {taken} type macvlan mode bridge"));
        scenario.line("ip -n host link set m7 up");
    }
    scenario.changes.push("ip -n c1 link set m1 mtu 1600".to_owned());
    // A second one that does not go with the first, or a macvlan on a macvlan.
    match scenario.below(4) {
        0 => scenario.line("ip -n host link add link low name m9 type macvlan mode passthru"),
        1 => {
            let (mode, mac) = (scenario.one(&["bridge", "private", "vepa"]), scenario.mac());
            scenario
                .line(format!("ip -n c1 link add link m1 name m8 address {mac} type macvlan mode {mode}"));
            scenario.up("c1", "m8");
            scenario.address("c1", "m8", 2, Some(&mac));
        }
        _ => {}
    }
}

/// Nobody gets what is for a passthru macvlan that is down, be it for the device below.
fn down(scenario: &mut Scenario, outside: &str, macs: &[String]) {
    let low = macs.first().cloned().unwrap_or_default();
    scenario.line("ip -n host addr add 10.0.9.1/24 dev low");
    scenario.line(format!("ip -n out addr add 10.0.9.2/24 dev {outside}"));
    scenario.line("ip -n c1 link set m1 down");
    scenario.line(format!("ip -n out neigh replace 10.0.9.1 lladdr {low} nud permanent dev {outside}"));
    scenario.line("sleep 1.5");
    scenario.line("ip netns exec out ping -c1 -W0.31 10.0.9.1");
    scenario.line("sleep 3.6");
    scenario.line("ip -n host -s link");
    scenario.line("ip -n c1 link set m1 up");
}
