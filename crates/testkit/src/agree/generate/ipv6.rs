//! IPv6 over a bridge, macvlans, ipvlans or VLANs: neighbours, routes through a router, and what is not there.
//!
//! Reports of groups, probes for duplicates and solicitations of routers come at random times: captures look at what
//! is asked and answered for a ping, and nothing counts packets.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "ipv6", needs_uml: true, build };

/// Echoes, errors, and neighbours asked for by those who have an address.
const SEEN: &str = "icmp6 and (ip6[40] < 130 or ip6[40] = 137)";

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    scenario.line("# ipv6: on");
    for name in ["r", "far", "h1", "h2"] {
        scenario.namespace(name);
    }
    scenario.line("ip netns exec r sysctl -w net.ipv6.conf.all.forwarding=1");
    let gateway = hosts(scenario);
    // The link watch, which may take a second for one device and no time for the next, has seen what was before.
    scenario.line("sleep 1.3");
    scenario.veth("r", "x1", "far", "eth0");
    for (ns, dev) in [("r", "x1"), ("far", "eth0")] {
        address(scenario, ns, dev, 2);
    }
    let to = scenario.six.iter().find(|(ns, dev, _)| ns == "r" && dev == "x1").map(|(.., to)| to.clone());
    scenario.line(format!("ip -n far route add default via {}", to.unwrap_or_default()));
    for ns in ["h1", "h2"] {
        match scenario.below(5) {
            0 => {}
            1 => scenario.line(format!("ip -n {ns} route add unreachable 2001:db8:2::/64")),
            2 => scenario.line(format!("ip -n {ns} route add 2001:db8:2::/64 via {gateway}")),
            _ => scenario.line(format!("ip -n {ns} route add default via {gateway}")),
        }
    }
    // Until all addresses have been tried and all groups reported.
    scenario.line("sleep 6.3");
    talk(scenario);
}

/// Two hosts and the router on one network; returns the router's address there.
fn hosts(scenario: &mut Scenario) -> String {
    let kind = scenario.one(&["bridge", "macvlan", "ipvlan", "vlan"]);
    if kind == "bridge" {
        let mac = scenario.mac();
        scenario.line(format!("ip -n r link add br0 address {mac} type bridge"));
        scenario.line("ip -n r link set br0 up");
        scenario.line("sleep 2.3");
        address(scenario, "r", "br0", 1);
        for ns in ["h1", "h2"] {
            let port = format!("p{ns}");
            scenario.veth(ns, "eth0", "r", &port);
            scenario.line(format!("ip -n r link set {port} master br0"));
            address(scenario, ns, "eth0", 1);
        }
        return scenario.six.first().map(|(.., address)| address.clone()).unwrap_or_default();
    }
    scenario.namespace("low");
    scenario.veth("low", "low0", "r", "x0");
    let mut router = "x0";
    if kind == "vlan" {
        scenario.line("ip -n r link add link x0 name x0.5 type vlan id 5");
        scenario.line("ip -n r link set x0.5 up");
        router = "x0.5";
    }
    address(scenario, "r", router, 1);
    let mode = match kind {
        "macvlan" => scenario.one(&["bridge", "private", "vepa"]),
        _ => scenario.one(&["l2", "l2", "l3", "l3s"]),
    };
    for (number, ns) in ["h1", "h2"].into_iter().enumerate() {
        let (mac, id) = (scenario.mac(), 5 + number * scenario.below(2));
        match kind {
            "macvlan" => scenario.line(format!(
                "ip -n low link add link low0 name eth0 netns {ns} address {mac} type macvlan mode {mode}"
            )),
            "ipvlan" => scenario
                .line(format!("ip -n low link add link low0 name eth0 netns {ns} type ipvlan mode {mode}")),
            _ => {
                scenario.line(format!("ip -n low link add link low0 name eth0 netns {ns} type vlan id {id}"))
            }
        }
        scenario.line(format!("ip -n {ns} link set eth0 up"));
        address(scenario, ns, "eth0", 1);
    }
    scenario.six.first().map(|(.., address)| address.clone()).unwrap_or_default()
}

fn address(scenario: &mut Scenario, ns: &str, dev: &str, net: usize) {
    let number = scenario.six.len() + 1;
    let address = format!("2001:db8:{net}::{number}");
    let dad = scenario.one(&[" nodad", " nodad", " nodad", ""]);
    scenario.line(format!("ip -n {ns} addr add {address}/64 dev {dev}{dad}"));
    scenario.six.push((ns.to_owned(), dev.to_owned(), address));
}

fn look(scenario: &mut Scenario) {
    for ns in scenario.namespaces.clone() {
        for command in ["-d link", "-6 addr", "-6 route", "-6 neigh"] {
            scenario.line(format!("ip -n {ns} {command}"));
        }
    }
}

fn talk(scenario: &mut Scenario) {
    look(scenario);
    for _ in 0..2 {
        let mut captures = Vec::new();
        for (ns, dev, _) in scenario.some(&scenario.six.clone(), 2) {
            captures.push(scenario.capture_of(&ns, &dev, SEEN));
        }
        scenario.line("sleep 0.7");
        round(scenario);
        scenario.show(&captures);
        let changes = changes(scenario);
        for change in scenario.some(&changes, 2) {
            scenario.line(change);
        }
        scenario.line("sleep 3.3");
    }
    look(scenario);
}

fn round(scenario: &mut Scenario) {
    let six = scenario.six.clone();
    let mut pairs = Vec::new();
    for (ns, dev, own) in &six {
        for (.., to) in six.iter().filter(|(.., to)| to != own) {
            pairs.push((ns.clone(), dev.clone(), to.clone()));
        }
        pairs.push((ns.clone(), dev.clone(), "2001:db8:1::99".to_owned()));
        pairs.push((ns.clone(), dev.clone(), format!("ff02::1%{dev}")));
    }
    for (ns, dev, to) in scenario.some(&pairs, 9) {
        let options = match scenario.below(8) {
            0 => format!(" -I {dev}"),
            1 => " -s 1600".to_owned(),
            2 => " -s 1452 -M do".to_owned(),
            3 => " -t 1".to_owned(),
            _ => String::new(),
        };
        scenario.line(format!("ip netns exec {ns} ping -6 -c1 -W0.31{options} {to}"));
    }
    scenario.line("sleep 3.6");
}

fn changes(scenario: &mut Scenario) -> Vec<String> {
    let mut changes = vec![
        "ip netns exec r sysctl -w net.ipv6.conf.all.forwarding=0".to_owned(),
        "ip -n far link set eth0 mtu 1400".to_owned(),
        "ip -n h1 link set eth0 down".to_owned(),
        "ip -n r route add blackhole 2001:db8:2::/65".to_owned(),
        "ip -n r route add prohibit 2001:db8:1::/65".to_owned(),
        "ip netns exec h1 sysctl -w net.ipv6.conf.eth0.disable_ipv6=1".to_owned(),
        "ip -n h2 neigh flush dev eth0".to_owned(),
    ];
    for (ns, dev, address) in scenario.six.clone() {
        let mac = scenario.mac();
        changes.push(format!("ip -n {ns} addr del {address}/64 dev {dev}"));
        changes.push(format!("ip -n {ns} neigh replace 2001:db8:1::2 lladdr {mac} nud permanent dev {dev}"));
    }
    changes
}
