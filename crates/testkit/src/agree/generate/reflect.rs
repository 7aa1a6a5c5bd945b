//! Macvlans of several modes in one port, behind a switch that reflects: who hears whose broadcasts, and who reaches whom
//! by way of the switch.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "reflect", needs_uml: false, build };

const MODES: &[&str] = &["private", "private", "vepa", "vepa", "bridge", "bridge", "source"];

fn build(scenario: &mut Scenario) {
    for name in ["host", "sw", "other"] {
        scenario.namespace(name);
    }
    let (low, _) = scenario.veth("host", "low", "sw", "wire");
    let mac = scenario.mac();
    let snooping = scenario.one(&["", " mcast_snooping 0"]);
    scenario.line(format!("ip -n sw link add br0 address {mac} type bridge{snooping}"));
    scenario.up("sw", "br0");
    // Until it has reported its groups.
    scenario.line("sleep 2.3");
    let (outside, _) = scenario.veth("other", "eth0", "sw", "p1");
    for port in ["wire", "p1"] {
        scenario.line(format!("ip -n sw link set {port} master br0"));
    }
    scenario.line("bridge -n sw link set dev wire hairpin on");
    scenario.address("other", "eth0", 1, Some(&outside));
    if scenario.once_in(2) {
        scenario.address("host", "low", 1, Some(&low));
    }
    let count = scenario.between(3, 5);
    let mut macs = vec![low, outside];
    for number in 1..=count {
        let (ns, dev, mac) = (format!("c{number}"), format!("m{number}"), scenario.mac());
        let mode = scenario.one(MODES);
        scenario.namespace(&ns);
        let flag = if mode == "source" && scenario.once_in(2) { " nodst" } else { "" };
        scenario.line(format!(
            "ip -n host link add link low name {dev} netns {ns} address {mac} type macvlan mode {mode}{flag}"
        ));
        scenario.up(&ns, &dev);
        scenario.address(&ns, &dev, 1, Some(&mac));
        if mode == "source" {
            let source = macs.get(scenario.below(macs.len())).cloned().unwrap_or_default();
            scenario.line(format!("ip -n {ns} link set {dev} type macvlan macaddr add {source}"));
        }
        macs.push(mac);
        let other = scenario.one(&["private", "vepa", "bridge"]);
        scenario.changes.push(format!("ip -n {ns} link set {dev} type macvlan mode {other}"));
    }
    scenario.changes.push("bridge -n sw link set dev wire hairpin off".to_owned());
    scenario.changes.push("bridge -n sw link set dev wire learning off".to_owned());
    everybody(scenario);
}

/// Each one broadcasts: a ping to all, or a question about an address that nobody has.
fn everybody(scenario: &mut Scenario) {
    scenario.line("sleep 1.5");
    for station in scenario.stations.clone() {
        let (ns, dev) = (&station.ns, &station.dev);
        if scenario.once_in(3) {
            // A group that nobody has joined.
            scenario.line(format!("ip netns exec {ns} ping -c1 -W0.31 -I {dev} 239.1.1.1"));
        } else if scenario.once_in(2) {
            scenario.line(format!("ip netns exec {ns} ping -c1 -W0.31 -b 10.0.1.255"));
        } else {
            scenario.line(format!("ip netns exec {ns} arping -c1 -w1 -I {dev} 10.0.1.250"));
        }
        scenario.line(format!("ip -n {ns} -s link show dev {dev}"));
    }
}
