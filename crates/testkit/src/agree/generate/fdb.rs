//! A bridge's forwarding database against what really stands behind its ports: entries on wrong ports, that may move or
//! not, that age or not; ports that do not learn or are not flooded.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "fdb", needs_uml: false, build };

const FLAGS: &[&str] =
    &["learning off", "flood off", "bcast_flood off", "mcast_flood off", "isolated on", "hairpin on"];

fn build(scenario: &mut Scenario) {
    scenario.namespace("sw");
    let mac = scenario.mac();
    // In hundredths of a second: shorter than what comes in between, or longer.
    let ageing = scenario.one(&["200", "30000"]);
    // The timer that ends the forward delay runs without STP too: it may not strike when a state is set by hand.
    scenario.line(format!(
        "ip -n sw link add br0 address {mac} type bridge ageing_time {ageing} forward_delay 200"
    ));
    scenario.up("sw", "br0");
    // Until it has reported its groups.
    scenario.line("sleep 2.3");
    scenario.address("sw", "br0", 1, Some(&mac));
    let hosts = scenario.between(3, 4);
    let mut macs = vec![mac];
    for number in 1..=hosts {
        let (ns, port) = (format!("h{number}"), format!("p{number}"));
        scenario.namespace(&ns);
        let (mac, _) = scenario.veth(&ns, "eth0", "sw", &port);
        scenario.line(format!("ip -n sw link set {port} master br0"));
        scenario.address(&ns, "eth0", 1, Some(&mac));
        macs.push(mac);
    }
    scenario.line("sleep 1.5");
    for _ in 0..scenario.between(2, 4) {
        let (mac, port) = (scenario.below(macs.len()), scenario.between(1, hosts));
        let how = scenario.one(&["static", "static", "dynamic", "", "local", "sticky static"]);
        let mac = macs.get(mac).cloned().unwrap_or_default();
        scenario.line(format!("bridge -n sw fdb replace {mac} dev p{port} master {how}"));
    }
    if scenario.once_in(2) {
        for port in ["p1", "p2"] {
            scenario.line(format!("bridge -n sw link set dev {port} isolated on"));
        }
    }
    for _ in 0..scenario.between(1, 3) {
        let (port, flag) = (scenario.between(1, hosts), scenario.one(FLAGS));
        scenario.line(format!("bridge -n sw link set dev p{port} {flag}"));
    }
    scenario.line("bridge -n sw fdb show br br0");
    for number in 1..=hosts {
        let to = scenario.below(hosts + 1);
        let to = scenario.stations.get(to).map(|to| to.address.clone()).unwrap_or_default();
        scenario.line(format!("ip netns exec h{number} ping -c1 -W0.31 {to}"));
        // A group that nobody has joined.
        if number < 3 {
            scenario.line(format!("ip netns exec h{number} ping -c1 -W0.31 -I eth0 239.1.1.{number}"));
        }
        scenario.line("bridge -n sw fdb show br br0");
    }
    // What is learned is looked through once it is old enough.
    scenario.line("sleep 7.3");
    scenario.line("bridge -n sw fdb show br br0");
    for number in 1..=hosts {
        let (port, state) = (scenario.between(1, hosts), scenario.one(&["0", "1", "2", "3"]));
        scenario.changes.push(format!("bridge -n sw link set dev p{port} state {state}"));
        scenario.changes.push(format!("ip -n sw link set p{number} down"));
        let flag = scenario.one(FLAGS);
        scenario.changes.push(format!("bridge -n sw link set dev p{port} {flag}"));
    }
}
