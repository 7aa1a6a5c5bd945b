//! Hosts, a router and a switch on one segment, another network behind the router: redirects, proxy ARP, reverse paths,
//! prefixes within prefixes, how many errors a host sends, a switch that does not flood.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "lan", needs_uml: false, build };

fn build(scenario: &mut Scenario) {
    for name in ["sw", "h1", "h2", "r", "far"] {
        scenario.namespace(name);
    }
    let mac = scenario.mac();
    scenario.line(format!("ip -n sw link add br0 address {mac} type bridge"));
    scenario.up("sw", "br0");
    // Until it has reported its groups.
    scenario.line("sleep 2.3");
    let mut at = Vec::new();
    for (number, ns) in ["h1", "h2", "r"].into_iter().enumerate() {
        let port = format!("p{}", number + 1);
        let (mac, _) = scenario.veth(ns, "eth0", "sw", &port);
        scenario.line(format!("ip -n sw link set {port} master br0"));
        scenario.address(ns, "eth0", 1, Some(&mac));
        at.extend(scenario.stations.last().map(|station| station.address.clone()));
    }
    let [_, h2, r] = &at[..] else { return };
    let (one, two) = scenario.veth("r", "eth1", "far", "eth0");
    scenario.address("r", "eth1", 2, Some(&one));
    let behind = scenario.stations.last().map(|station| station.address.clone()).unwrap_or_default();
    scenario.address("far", "eth0", 2, Some(&two));
    scenario.line(format!("ip -n far route add default via {behind}"));
    if !scenario.once_in(6) {
        scenario.line("ip netns exec r sysctl -w net.ipv4.ip_forward=1");
    }
    router(scenario, h2);
    hosts(scenario, h2, r);
    groups(scenario);
    errors(scenario, r);
}

/// What the router minds and where it sends.
fn router(scenario: &mut Scenario, h2: &str) {
    for name in ["rp_filter", "arp_ignore", "arp_filter", "accept_local", "bc_forwarding"] {
        if scenario.once_in(4) {
            scenario.line(format!("ip netns exec r sysctl -w net.ipv4.conf.eth0.{name}=1"));
        }
    }
    if scenario.once_in(2) {
        scenario.line("ip netns exec r sysctl -w net.ipv4.neigh.eth0.proxy_delay=0");
        scenario.line("ip netns exec r sysctl -w net.ipv4.conf.eth0.proxy_arp=1");
    }
    // Back to where it came from: the sender is redirected.
    scenario.line(format!("ip -n r route add 10.0.3.0/24 via {h2}"));
    let kind = scenario.one(&["unreachable", "prohibit", "blackhole", "throw"]);
    scenario.line(format!("ip -n r route add {kind} 10.0.4.0/24"));
    if scenario.once_in(2) {
        let kind = scenario.one(&["unreachable", "prohibit"]);
        scenario.line(format!("ip -n r route add {kind} 10.0.0.0/16"));
    }
}

fn hosts(scenario: &mut Scenario, h2: &str, r: &str) {
    let far = scenario.one(&["via", "via", "on-link"]);
    match far {
        "via" => scenario.line(format!("ip -n h1 route add 10.0.2.0/24 via {r}")),
        // Only proxy ARP answers for them.
        _ => scenario.line("ip -n h1 route add 10.0.2.0/24 dev eth0"),
    }
    if scenario.once_in(2) {
        scenario.line(format!("ip -n h1 route add 10.0.0.0/14 via {h2}"));
    }
    scenario.line(format!("ip -n h1 route add 10.0.3.0/24 via {r}"));
    scenario.line(format!("ip -n h1 route add 10.0.4.0/24 via {r}"));
    scenario.line("ip -n h2 addr add 10.0.3.9/24 dev eth0");
    scenario.line("ip netns exec h1 ping -c2 -i0.5 -W0.31 10.0.3.9");
    // An address of the network behind the router, on the wrong side of it.
    if scenario.once_in(2) {
        scenario.line("ip -n h1 addr add 10.0.2.77/32 dev eth0");
        scenario.line(format!("ip netns exec h1 ping -c1 -W0.31 -I 10.0.2.77 {r}"));
        scenario.line("sleep 3.6");
    }
}

/// A ping to everybody, past a port that may not be flooded.
fn groups(scenario: &mut Scenario) {
    let flag = scenario.one(&["mcast_flood off", "bcast_flood off", "flood off", "learning off"]);
    let port = scenario.between(1, 3);
    scenario.line(format!("bridge -n sw link set dev p{port} {flag}"));
    scenario.line("ip netns exec h2 ping -c1 -W0.31 -b 10.0.1.255");
}

/// More errors than a host sends.
fn errors(scenario: &mut Scenario, r: &str) {
    let what = match scenario.below(3) {
        0 => "10.0.4.1",
        1 => "-t1 10.0.3.9",
        _ => "-t1 10.0.2.5",
    };
    scenario.line(format!("ip netns exec h1 ping -c9 -i0.1 -W0.31 {what}"));
    scenario.line(format!("ip netns exec h1 ping -c1 -W0.31 {r}"));
    scenario.line("sleep 3.6");
}
