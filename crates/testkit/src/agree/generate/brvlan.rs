//! A bridge that filters VLANs: who is in which, with a tag or without; tags within tags.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "brvlan", needs_uml: true, build };

const HOW: &[&str] = &["", "", " untagged", " pvid untagged", " pvid untagged", " pvid"];

fn build(scenario: &mut Scenario) {
    scenario.namespace("sw");
    let mac = scenario.mac();
    let options = scenario.one(&[
        "",
        "",
        " vlan_default_pvid 0",
        " vlan_default_pvid 2",
        " vlan_stats_enabled 1",
        " vlan_stats_enabled 1",
    ]);
    let outer = scenario.once_in(4);
    let protocol = if outer { " vlan_protocol 802.1ad" } else { "" };
    scenario.line(format!(
        "ip -n sw link add br0 address {mac} type bridge vlan_filtering 1 mcast_snooping 0{protocol}{options}"
    ));
    scenario.up("sw", "br0");
    let hosts = scenario.between(3, 4);
    for number in 1..=hosts {
        let (ns, port) = (format!("h{number}"), format!("p{number}"));
        scenario.namespace(&ns);
        let (mac, _) = scenario.veth(&ns, "eth0", "sw", &port);
        scenario.line(format!("ip -n sw link set {port} master br0"));
        scenario.address(&ns, "eth0", 1, Some(&mac));
        if scenario.once_in(2) {
            tagged(scenario, &ns, outer);
        }
        for _ in 0..scenario.between(0, 2) {
            let (id, how) = (scenario.between(1, 4), scenario.one(HOW));
            scenario.line(format!("bridge -n sw vlan add vid {id} dev {port}{how}"));
        }
        if scenario.once_in(3) {
            scenario.line(format!("bridge -n sw vlan del vid 1 dev {port}"));
        }
        let (id, how, what) =
            (scenario.between(1, 4), scenario.one(HOW), scenario.one(&["add", "add", "del"]));
        let how = if what == "del" { "" } else { how };
        scenario.changes.push(format!("bridge -n sw vlan {what} vid {id} dev {port}{how}"));
        scenario.changes.push(format!("bridge -n sw vlan add vid 2-4 dev {port}"));
        scenario.changes.push(format!("bridge -n sw fdb show br br0 vlan {id}"));
        // Twice, to be chosen more often.
        scenario.changes.push("bridge -n sw -c vlan".to_owned());
        scenario.changes.push("bridge -n sw -c vlan".to_owned());
    }
    own(scenario);
    scenario.line("bridge -n sw vlan");
    scenario.line("bridge -n sw -d vlan");
    scenario.line("bridge -n sw -c vlan");
    scenario.line("sleep 1.3");
    for option in ["vlan_filtering 0", "vlan_protocol 802.1ad", "vlan_default_pvid 3", "vlan_default_pvid 0"]
    {
        scenario.changes.push(format!("ip -n sw link set br0 type bridge {option}"));
    }
}

/// VLAN devices of a host, one within the other once in a while.
fn tagged(scenario: &mut Scenario, ns: &str, outer: bool) {
    let id = scenario.between(1, 4);
    let protocol = if outer && scenario.once_in(2) { " protocol 802.1ad" } else { "" };
    scenario.line(format!("ip -n {ns} link add link eth0 name w{id} type vlan{protocol} id {id}"));
    scenario.up(ns, &format!("w{id}"));
    scenario.address(ns, &format!("w{id}"), id, None);
    if scenario.once_in(3) {
        let inner = scenario.between(1, 4);
        scenario.line(format!("ip -n {ns} link add link w{id} name q{inner} type vlan id {inner}"));
        scenario.up(ns, &format!("q{inner}"));
        scenario.address(ns, &format!("q{inner}"), 20 + inner, None);
    }
}

/// The bridge as a host of some VLANs.
fn own(scenario: &mut Scenario) {
    if scenario.once_in(2) {
        scenario.address("sw", "br0", 1, None);
    }
    if scenario.once_in(2) {
        let id = scenario.between(1, 4);
        scenario.line(format!("bridge -n sw vlan add vid {id} dev br0 self"));
        scenario.line(format!("ip -n sw link add link br0 name br0.{id} type vlan id {id}"));
        scenario.up("sw", &format!("br0.{id}"));
        scenario.address("sw", &format!("br0.{id}"), id, None);
        scenario.changes.push(format!("bridge -n sw vlan del vid {id} dev br0 self"));
    }
}
