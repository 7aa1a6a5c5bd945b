//! A host with two links to one network, a router with a network behind it, and settings of ARP and routes that make a
//! difference there: who answers, by which link, as whom; rules, sources and types of service.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "twice", needs_uml: true, build };

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    for name in ["sw", "a", "b", "far"] {
        scenario.line(format!("ip netns add {name}"));
        scenario.line(format!("ip -n {name} link set lo up"));
        scenario.namespaces.push(name.to_owned());
    }
    let mac = scenario.mac();
    scenario.line(format!("ip -n sw link add br0 address {mac} type bridge mcast_snooping 0"));
    scenario.up("sw", "br0");
    scenario.line("sleep 2.3");
    for (ns, dev, port) in [("a", "eth0", "p1"), ("a", "eth1", "p2"), ("b", "eth0", "p3")] {
        scenario.veth(ns, dev, "sw", port);
        scenario.line(format!("ip -n sw link set {port} master br0"));
    }
    scenario.veth("b", "eth1", "far", "eth0");
    let second = scenario.one(&["10.0.1.2", "10.0.2.2"]);
    for (ns, dev, address) in [
        ("a", "eth0", "10.0.1.1"),
        ("a", "eth1", second),
        ("b", "eth0", "10.0.1.3"),
        ("b", "eth0", "10.0.2.3"),
        ("b", "eth1", "10.0.9.1"),
        ("far", "eth0", "10.0.9.2"),
    ] {
        scenario.line(format!("ip -n {ns} addr add {address}/24 dev {dev}"));
    }
    scenario.line("ip -n far route add default via 10.0.9.1");
    scenario.line("ip netns exec b sysctl -w net.ipv4.ip_forward=1");
    scenario.line("sleep 1.5");
    settings(scenario);
    routes(scenario, second);
    let captures = vec![scenario.capture("b", "eth0"), scenario.capture("a", "eth1")];
    scenario.line("sleep 0.7");
    let all = commands(scenario, second);
    let count = scenario.between(10, 14);
    for command in scenario.some(&all, count) {
        scenario.line(command);
    }
    // Until nobody is asked for any more.
    scenario.line("sleep 3.6");
    scenario.show(&captures);
    for ns in scenario.namespaces.clone() {
        scenario.line(format!("ip -n {ns} neigh"));
        scenario.line(format!("ip -n {ns} -s link"));
    }
    scenario.line("ip -n a route show cache");
}

fn settings(scenario: &mut Scenario) {
    for (ns, dev) in [("a", "eth0"), ("a", "eth1"), ("b", "eth0")] {
        for name in ["arp_ignore", "arp_announce", "arp_filter", "arp_accept", "rp_filter", "accept_local"] {
            if scenario.once_in(4) {
                let value =
                    if name == "arp_filter" || name == "accept_local" { 1 } else { scenario.between(1, 2) };
                scenario.line(format!("ip netns exec {ns} sysctl -w net.ipv4.conf.{dev}.{name}={value}"));
            }
        }
    }
}

fn routes(scenario: &mut Scenario, second: &str) {
    let source = scenario.one(&["", &format!(" src {second}")]).to_owned();
    scenario.line(format!("ip -n a route add 10.0.9.0/24 via 10.0.1.3{source}"));
    if scenario.once_in(2) {
        scenario.line("ip -n a route add 10.0.9.0/24 tos 0x10 via 10.0.1.99");
    }
    let kind = scenario.one(&["unreachable", "prohibit", "blackhole", "throw"]);
    scenario.line(format!("ip -n a route add {kind} 10.0.8.0/24"));
    if scenario.once_in(2) {
        let kind = scenario.one(&["unreachable", "prohibit", "blackhole", "throw"]);
        scenario.line(format!("ip -n a route add {kind} default table 100"));
        let what = scenario.one(&["to 10.0.9.0/25", "from 10.0.1.1", "iif lo", "tos 0x10"]);
        scenario.line(format!("ip -n a rule add {what} table 100"));
    }
    if scenario.once_in(2) {
        // Whoever says so has the address of another one.
        scenario.line("ip -n b addr add 10.0.1.1/32 dev lo");
    }
    if scenario.once_in(2) {
        for ns in ["b", "far"] {
            let dev = if ns == "b" { "eth1" } else { "eth0" };
            scenario.line(format!("ip -n {ns} link set {dev} mtu 1000"));
        }
    }
    scenario.line("ip -n a route");
    scenario.line("ip -n a rule");
}

fn commands(scenario: &mut Scenario, second: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut of = |ns: &str, command: &str| all.push(format!("ip netns exec {ns} {command}"));
    of("b", "ping -c1 -W0.31 10.0.1.1");
    of("b", &format!("ping -c1 -W0.31 {second}"));
    of("a", "ping -c1 -W0.31 10.0.1.1");
    of("a", "ping -c1 -W0.31 10.0.1.3");
    of("a", "ping -c1 -W0.31 -I eth1 10.0.1.3");
    of("a", &format!("ping -c1 -W0.31 -I {second} 10.0.1.3"));
    of("a", &format!("ping -c1 -W0.31 -I {second} 10.0.1.77"));
    of("a", "ping -c1 -W0.31 10.0.9.2");
    of("a", "ping -c1 -W0.31 -Q 0x10 10.0.9.2");
    of("a", "ping -c1 -W0.31 -s 1000 -t 1 10.0.9.2");
    of("a", "ping -c1 -W0.31 -R 10.0.9.2");
    of("a", "ping -c2 -i0.5 -W0.31 -s 1200 -M do 10.0.9.2");
    of("a", "ping -c1 -W0.31 10.0.8.1");
    of("b", "ping -c1 -W0.31 -I 10.0.1.1 10.0.2.2");
    of("b", &format!("ping -c1 -W0.31 -I 10.0.1.1 {second}"));
    of("far", &format!("ping -c1 -W0.31 {second}"));
    of("far", "ping -c1 -W0.31 -s 1000 10.0.7.7");
    of("a", "arping -D -c1 -w1 -I eth0 10.0.1.3");
    of("b", "arping -D -c1 -w1 -I eth0 10.0.1.1");
    of("a", "arping -U -c1 -w1 -I eth0 10.0.1.1");
    of("a", &format!("arping -A -c1 -w1 -I eth1 {second}"));
    of("b", "arping -c1 -w1 -I eth0 10.0.1.1");
    of("b", &format!("arping -c1 -w1 -I eth0 {second}"));
    let flush = scenario.one(&["ip -n b neigh flush dev eth0", "ip -n a neigh flush dev eth0"]);
    all.insert(scenario.below(all.len()), flush.to_owned());
    all
}
