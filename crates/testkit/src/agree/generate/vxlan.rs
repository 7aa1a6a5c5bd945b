//! Hosts over vxlan: one remote end, entries of the forwarding database, or a group; networks that are not the same.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "vxlan", needs_uml: true, build };

const OPTIONS: &[&str] =
    &["", "", "", " ttl 7", " tos inherit", " noudpcsum", " nolearning", " ageing 20", " df set"];

fn build(scenario: &mut Scenario) {
    scenario.namespace("net");
    let mac = scenario.mac();
    scenario.line(format!("ip -n net link add br0 address {mac} type bridge mcast_snooping 0"));
    scenario.up("net", "br0");
    let style = scenario.one(&["remote", "remote", "entries", "entries", "group"]);
    let count = if style == "remote" { 2 } else { scenario.between(2, 3) };
    for number in 1..=count {
        let (ns, port) = (format!("n{number}"), format!("p{number}"));
        scenario.namespace(&ns);
        scenario.veth(&ns, "eth0", "net", &port);
        scenario.line(format!("ip -n net link set {port} master br0"));
        scenario.line(format!("ip -n {ns} addr add 10.9.0.{number}/24 dev eth0"));
    }
    for number in 1..=count {
        endpoint(scenario, number, count, style);
    }
    // Until the groups have been reported.
    scenario.line("sleep 4.6");
    scenario.changes.push("ip -n net link set p1 down".to_owned());
    scenario.changes.push("ip -n n1 link set eth0 mtu 1400".to_owned());
}

fn endpoint(scenario: &mut Scenario, number: usize, count: usize, style: &str) {
    let (ns, mac, options) = (format!("n{number}"), scenario.mac(), scenario.one(OPTIONS));
    let id = if scenario.once_in(6) { 43 } else { 42 };
    let to = match style {
        "remote" => format!(" remote 10.9.0.{} local 10.9.0.{number}", 3 - number),
        "group" => " group 239.1.1.1 dev eth0".to_owned(),
        _ => format!(" local 10.9.0.{number}"),
    };
    // One source port: the real one hangs on chance.
    scenario.line(format!(
        "ip -n {ns} link add vx0 address {mac} type vxlan id {id}{to} dstport 4789 srcport 50000 50001{options}"
    ));
    scenario.up(&ns, "vx0");
    if style == "entries" {
        for other in (1..=count).filter(|other| *other != number) {
            if !scenario.once_in(6) {
                scenario
                    .line(format!("bridge -n {ns} fdb append 00:00:00:00:00:00 dev vx0 dst 10.9.0.{other}"));
            }
            scenario
                .changes
                .push(format!("bridge -n {ns} fdb del 00:00:00:00:00:00 dev vx0 dst 10.9.0.{other}"));
        }
    }
    let (other, entry) = (scenario.between(1, count), scenario.mac());
    let known = scenario.stations.first().and_then(|station| station.mac.clone()).unwrap_or(entry);
    let what = scenario.one(&["add", "append", "replace", "del"]);
    scenario.changes.push(format!("bridge -n {ns} fdb {what} {known} dev vx0 dst 10.9.0.{other}"));
    let option = scenario.one(&["ageing 5", "nolearning", "ttl 9", "id 44", "remote 10.9.0.77"]);
    scenario.changes.push(format!("ip -n {ns} link set vx0 type vxlan {option}"));
    scenario.changes.push(format!("ip -n {ns} link set vx0 mtu 1300"));
    if !scenario.once_in(4) {
        return scenario.address(&ns, "vx0", 1, Some(&mac));
    }
    // A bridge with a host on it, in place of an address.
    let bridge = scenario.mac();
    scenario.line(format!("ip -n {ns} link add br1 address {bridge} type bridge"));
    scenario.up(&ns, "br1");
    scenario.line("sleep 2.3");
    scenario.line(format!("ip -n {ns} link set vx0 master br1"));
    let host = format!("h{number}");
    scenario.namespace(&host);
    let (mac, _) = scenario.veth(&host, "eth0", &ns, "q0");
    scenario.line(format!("ip -n {ns} link set q0 master br1"));
    scenario.address(&host, "eth0", 1, Some(&mac));
}
