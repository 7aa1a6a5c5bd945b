//! Hosts on a bridge: port flags, static entries, options.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "bridge", needs_uml: false, build };

/// Flags of ports; each is set on some port, and more of them later.
const FLAGS: &[&str] = &[
    "hairpin on",
    "hairpin on",
    "hairpin off",
    "isolated on",
    "isolated on",
    "isolated off",
    "learning off",
    "learning on",
    "flood off",
    "flood on",
    "mcast_flood off",
    "bcast_flood off",
    "bcast_flood on",
    "guard on",
    "cost 7",
    // A port that listens or learns goes on when its forward delay is over, which may be 0.64 s late in Linux: other
    // topologies have ports in these states, and do not look then.
    "state 0",
    "state 0",
    "state 4",
    "state 3",
    "state 4",
];
const OPTIONS: &[&str] =
    &["", "", "", " mcast_snooping 0", " ageing_time 20000", " forward_delay 200", " group_fwd_mask 8"];

fn build(scenario: &mut Scenario) {
    scenario.namespace("sw");
    let hosts = scenario.between(2, 4);
    let (mac, options) = (scenario.mac(), scenario.one(OPTIONS));
    scenario.line(format!("ip -n sw link add br0 address {mac} type bridge{options}"));
    scenario.up("sw", "br0");
    // Until it has reported its groups.
    scenario.line("sleep 2.3");
    if scenario.once_in(2) {
        scenario.address("sw", "br0", 1, Some(&mac));
    }
    let mut macs = Vec::new();
    for number in 1..=hosts {
        let (ns, port) = (format!("h{number}"), format!("p{number}"));
        scenario.namespace(&ns);
        let (mac, _) = scenario.veth(&ns, "eth0", "sw", &port);
        scenario.line(format!("ip -n sw link set {port} master br0"));
        scenario.address(&ns, "eth0", 1, Some(&mac));
        macs.push(mac);
    }
    // Two bridges with a cable in between, once in a while.
    if scenario.once_in(4) {
        let mac = scenario.mac();
        scenario.line(format!("ip -n sw link add br1 address {mac} type bridge"));
        scenario.up("sw", "br1");
        scenario.line("sleep 2.3");
        scenario.veth("sw", "x0", "sw", "x1");
        scenario.line("ip -n sw link set x0 master br0");
        scenario.line("ip -n sw link set x1 master br1");
        let moved = scenario.between(1, hosts);
        scenario.line(format!("ip -n sw link set p{moved} master br1"));
    }
    for _ in 0..scenario.below(4) {
        let (port, flag) = (scenario.between(1, hosts), scenario.one(FLAGS));
        scenario.line(format!("bridge -n sw link set dev p{port} {flag}"));
    }
    for _ in 0..scenario.below(3) {
        let entry = entry(scenario, hosts, &macs);
        scenario.line(entry);
    }
    for _ in 0..4 {
        let (port, flag) = (scenario.between(1, hosts), scenario.one(FLAGS));
        let entry = entry(scenario, hosts, &macs);
        scenario.changes.push(format!("bridge -n sw link set dev p{port} {flag}"));
        scenario.changes.push(entry);
        scenario.changes.push(format!("ip -n sw link set p{port} nomaster"));
        scenario.changes.push(format!("bridge -n sw fdb flush dev p{port}"));
    }
    let option = scenario.one(&["mcast_snooping 0", "ageing_time 15000", "group_fwd_mask 4", "fdb_flush"]);
    scenario.changes.push(format!("ip -n sw link set br0 type bridge {option}"));
}

/// A command about an entry of the forwarding database: of a host, mostly, on some port.
fn entry(scenario: &mut Scenario, hosts: usize, macs: &[String]) -> String {
    let port = scenario.between(1, hosts);
    let mac = match macs.get(scenario.below(macs.len() + 1)) {
        Some(mac) => mac.clone(),
        None => scenario.mac(),
    };
    let what = scenario.one(&["add", "add", "append", "replace", "del"]);
    let how = scenario.one(&["master static", "master static", "master", "master dynamic", "self", "local"]);
    format!("bridge -n sw fdb {what} {mac} dev p{port} {how}")
}
