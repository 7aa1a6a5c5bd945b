//! Tunnels of every kind between two hosts, with a router in between or without; hosts behind them; ends that do not fit.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "tunnels", needs_uml: true, build };

const KINDS: &[&str] = &["gre", "gre", "ipip", "gretap", "geneve", "sit"];

fn build(scenario: &mut Scenario) {
    for name in ["a", "b"] {
        scenario.namespace(name);
    }
    let far = below(scenario);
    let kind = scenario.one(KINDS);
    end(scenario, kind, "a", "10.8.1.1", far);
    end(scenario, kind, "b", far, "10.8.1.1");
    behind(scenario);
    scenario.line("sleep 1.3");
}

/// What the tunnel goes over; returns the address of its far end.
fn below(scenario: &mut Scenario) -> &'static str {
    if !scenario.once_in(3) {
        scenario.veth("a", "u0", "b", "u0");
        scenario.line("ip -n a addr add 10.8.1.1/24 dev u0");
        scenario.line("ip -n b addr add 10.8.1.2/24 dev u0");
        scenario.changes.push("ip -n a link set u0 mtu 1400".to_owned());
        return "10.8.1.2";
    }
    scenario.namespace("r");
    scenario.line("ip netns exec r sysctl -w net.ipv4.ip_forward=1");
    scenario.veth("a", "u0", "r", "r1");
    scenario.veth("b", "u0", "r", "r2");
    scenario.line("ip -n a addr add 10.8.1.1/24 dev u0");
    scenario.line("ip -n r addr add 10.8.1.9/24 dev r1");
    scenario.line("ip -n r addr add 10.8.2.9/24 dev r2");
    scenario.line("ip -n b addr add 10.8.2.2/24 dev u0");
    scenario.line("ip -n a route add 10.8.2.0/24 via 10.8.1.9");
    scenario.line("ip -n b route add 10.8.1.0/24 via 10.8.2.9");
    scenario.changes.push("ip -n r link set r2 mtu 1300".to_owned());
    "10.8.2.2"
}

fn end(scenario: &mut Scenario, kind: &str, ns: &str, local: &str, remote: &str) {
    let remote = if scenario.once_in(8) { "10.8.1.77" } else { remote };
    let (ttl, key) = (scenario.one(&["", "", " ttl 3", " ttl 64"]), scenario.one(&["5", "5", "5", "6"]));
    let address = scenario.mac();
    let (mac, ends, more) = match kind {
        "geneve" => {
            let id = if scenario.once_in(6) { 8 } else { 7 };
            (format!(" address {address}"), format!("id {id} remote {remote}"), String::new())
        }
        "gre" | "gretap" => {
            let flags = scenario.one(&["", "", " seq", " csum", " nopmtudisc", " tos inherit"]);
            let key = if scenario.once_in(3) { format!(" key {key}") } else { String::new() };
            let mac = if kind == "gretap" { format!(" address {address}") } else { String::new() };
            (mac, format!("remote {remote} local {local}"), format!("{key}{flags}"))
        }
        "sit" => (String::new(), format!("remote {remote} local {local} mode any"), String::new()),
        _ => {
            let flags = scenario.one(&["", "", " pmtudisc", " nopmtudisc", " tos inherit"]);
            (String::new(), format!("remote {remote} local {local}"), flags.to_owned())
        }
    };
    scenario.line(format!("ip -n {ns} link add t0{mac} type {kind} {ends}{more}{ttl}"));
    scenario.up(ns, "t0");
    scenario.address(ns, "t0", 1, if mac.is_empty() { None } else { Some(&address) });
    let option = match kind {
        "geneve" => scenario.one(&["id 9", "ttl 5", "remote 10.8.1.50"]).to_owned(),
        _ => format!("{} {ends}", scenario.one(&["ttl 5", "nopmtudisc", "tos 0x10"])),
    };
    scenario.changes.push(format!("ip -n {ns} link set t0 type {kind} {option}"));
    scenario.changes.push(format!("ip -n {ns} link set t0 mtu 1000"));
    scenario.changes.push(format!("ip -n {ns} link add t1 type {kind} {ends}{more}"));
    scenario.changes.push(format!("ip -n {ns} link set t0 netns {}", if ns == "a" { "b" } else { "a" }));
}

/// A host behind each end, once in a while.
fn behind(scenario: &mut Scenario) {
    let ends: Vec<String> = scenario.stations.iter().map(|station| station.address.clone()).collect();
    for (at, ns) in ["a", "b"].into_iter().enumerate() {
        if scenario.once_in(2) {
            continue;
        }
        let (host, net) = (format!("h{ns}"), 5 + at);
        scenario.namespace(&host);
        let (mac, own) = scenario.veth(&host, "eth0", ns, "v0");
        scenario.address(ns, "v0", net, Some(&own));
        let gateway = scenario.stations.last().map(|station| station.address.clone()).unwrap_or_default();
        scenario.address(&host, "eth0", net, Some(&mac));
        scenario.line(format!("ip -n {host} route add default via {gateway}"));
        scenario.line(format!("ip netns exec {ns} sysctl -w net.ipv4.ip_forward=1"));
        let other = if ns == "a" { "b" } else { "a" };
        if let Some(end) = ends.get(at) {
            scenario.line(format!("ip -n {other} route add 10.0.{net}.0/24 via {end} dev t0"));
        }
    }
}
