//! A router with VRFs: hosts that share one, hosts of different ones, routes from one to the other.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "vrf", needs_uml: true, build };

const TABLES: [(&str, usize); 2] = [("red", 10), ("blue", 20)];

fn build(scenario: &mut Scenario) {
    scenario.bare = &["red", "blue"];
    scenario.namespace("r");
    scenario.line("ip netns exec r sysctl -w net.ipv4.ip_forward=1");
    if scenario.once_in(2) {
        scenario.line("ip netns exec r sysctl -w net.ipv4.icmp_echo_ignore_broadcasts=0");
    }
    for (name, table) in TABLES {
        let mac = scenario.mac();
        scenario.line(format!("ip -n r link add {name} address {mac} type vrf table {table}"));
        scenario.up("r", name);
        if scenario.once_in(2) {
            scenario.line(format!("ip -n r route add table {table} unreachable default metric 4278198272"));
        }
    }
    let hosts = scenario.between(3, 4);
    for number in 1..=hosts {
        let (ns, port, (vrf, table)) = (format!("h{number}"), format!("p{number}"), TABLES[number % 2]);
        scenario.namespace(&ns);
        let (mac, own) = scenario.veth(&ns, "eth0", "r", &port);
        // Before it has its address or afterwards.
        let early = scenario.once_in(2);
        if early {
            scenario.line(format!("ip -n r link set {port} master {vrf}"));
        }
        scenario.address("r", &port, number, Some(&own));
        let gateway = scenario.stations.last().map(|station| station.address.clone()).unwrap_or_default();
        if !early && !scenario.once_in(5) {
            scenario.line(format!("ip -n r link set {port} master {vrf}"));
        }
        scenario.address(&ns, "eth0", number, Some(&mac));
        scenario.line(format!("ip -n {ns} route add default via {gateway}"));
        let (other, _) = TABLES[(number + 1) % 2];
        scenario.changes.push(format!("ip -n r link set {port} master {other}"));
        scenario.changes.push(format!("ip -n r link set {port} nomaster"));
        scenario.changes.push(format!("ip -n r route add 10.0.{number}.0/24 dev {port} vrf {other}"));
        scenario.changes.push(format!("ip -n r route add 10.77.{number}.0/24 dev {port} table {table}"));
    }
    for (name, table) in TABLES {
        scenario.changes.push(format!("ip -n r link set {name} down"));
        scenario.changes.push(format!("ip -n r link del {name}"));
        scenario.line(format!("ip -n r route show vrf {name}"));
        scenario.line(format!("ip -n r route show table {table}"));
        let to = scenario.below(scenario.stations.len());
        let to = scenario.stations.get(to).map(|station| station.address.clone()).unwrap_or_default();
        scenario.line(format!("ip netns exec r ping -c1 -W0.31 -I {name} {to}"));
        scenario.line(format!("ip -n r route get vrf {name} {to}"));
    }
    scenario.line("ip -n r rule");
    scenario.line("ip -n r vrf");
    scenario.changes.push("ip -n r rule add from all lookup 20 pref 900".to_owned());
    scenario.changes.push("ip -n r link add green type vrf table 10".to_owned());
    let value = scenario.below(2);
    scenario.changes.push(format!("ip netns exec r sysctl -w net.ipv4.raw_l3mdev_accept={value}"));
}
