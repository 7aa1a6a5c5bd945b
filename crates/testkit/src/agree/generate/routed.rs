//! A chain of routers: routes that are there, wrong or missing.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "routed", needs_uml: false, build };

fn build(scenario: &mut Scenario) {
    let hops = scenario.between(2, 4);
    for number in 0..=hops {
        scenario.namespace(&format!("r{number}"));
    }
    for number in 0..hops {
        let (left, right) = (format!("r{number}"), format!("r{}", number + 1));
        let (one, two) = scenario.veth(&left, "e1", &right, "e0");
        scenario.address(&left, "e1", number, Some(&one));
        scenario.address(&right, "e0", number, Some(&two));
    }
    for number in 0..=hops {
        let ns = format!("r{number}");
        if number > 0 && number < hops && !scenario.once_in(6) {
            scenario.line(format!("ip netns exec {ns} sysctl -w net.ipv4.ip_forward=1"));
        }
        for net in 0..hops {
            if net == number || net + 1 == number || scenario.once_in(8) {
                continue;
            }
            // The next station towards that network.
            let towards = if net < number { number - 1 } else { number };
            let gateway = scenario
                .stations
                .iter()
                .find(|station| station.address.starts_with(&format!("10.0.{towards}.")) && station.ns != ns);
            let Some(gateway) = gateway.map(|station| station.address.clone()) else { continue };
            let how = scenario.one(&["", "", "", " metric 50", " mtu 600", " onlink"]);
            let dev = if net < number { "e0" } else { "e1" };
            let how = if how == " onlink" { format!(" dev {dev} onlink") } else { how.to_owned() };
            scenario.line(format!("ip -n {ns} route add 10.0.{net}.0/24 via {gateway}{how}"));
        }
        let net = scenario.below(hops);
        let kind = scenario.one(&["unreachable", "prohibit", "blackhole", "throw"]);
        scenario.changes.push(format!("ip -n {ns} route add {kind} 10.0.{net}.0/25"));
        scenario.changes.push(format!("ip -n {ns} route del 10.0.{net}.0/24"));
        scenario.changes.push(format!("ip -n {ns} rule add from 10.0.{net}.0/24 unreachable"));
        let value = scenario.below(3);
        let (name, dev) = (
            scenario.one(&["rp_filter", "arp_ignore", "arp_announce", "proxy_arp"]),
            scenario.one(&["e0", "e1"]),
        );
        if number > 0 && number < hops {
            scenario.changes.push(format!("ip netns exec {ns} sysctl -w net.ipv4.conf.{dev}.{name}={value}"));
        }
        scenario.changes.push(format!("ip -n {ns} link set {dev} mtu 700"));
    }
}
