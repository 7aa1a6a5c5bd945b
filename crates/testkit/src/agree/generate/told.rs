//! What the kernel tells of changes to those who listen: of links, addresses, routes, neighbours, settings and a bridge's
//! forwarding database. No carrier comes or goes meanwhile: how often the link watch comes, and what it finds, hangs on the
//! moment.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "told", needs_uml: true, build };

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    for ns in ["ta", "tb"] {
        scenario.line(format!("ip netns add {ns}"));
    }
    scenario.veth("ta", "eth0", "tb", "eth0");
    let mac = scenario.mac();
    scenario.line(format!("ip -n ta link add br0 address {mac} type bridge mcast_snooping 0"));
    scenario.line("ip -n ta link set br0 up");
    scenario.line("ip -n ta link set eth0 master br0");
    let (vlan, other) = (scenario.mac(), scenario.mac());
    scenario.line(format!("ip -n ta link add link br0 name w1 address {vlan} type vlan id 1"));
    scenario.line(format!("ip -n ta link add link br0 name m1 address {other} type macvlan mode bridge"));
    for dev in ["w1", "m1"] {
        scenario.line(format!("ip -n ta link set {dev} up"));
    }
    scenario.line("ip -n tb addr add 10.0.1.9/24 dev eth0");
    scenario.line("ip -n ta link add d0 address 02:00:00:00:77:01 type dummy");
    scenario.line("ip -n ta link add d1 address 02:00:00:00:77:02 type dummy");
    scenario.line("ip -n ta addr add 10.0.7.1/24 dev d1");
    scenario.line("sleep 3.3");
    let mut jobs = Vec::new();
    for object in ["link", "address", "route", "neigh", "netconf", "fdb"] {
        let program = if object == "fdb" { "bridge" } else { "ip" };
        scenario.jobs += 1;
        scenario.line(format!("{program} -n ta monitor {object} >told{} 2>/dev/null &", scenario.jobs));
        jobs.push(scenario.jobs);
    }
    scenario.line("sleep 0.7");
    let mut commands = commands(scenario);
    for _ in 0..scenario.between(16, 20) {
        let at = scenario.below(commands.len());
        let command = commands.remove(at);
        scenario.line(command);
        scenario.line("sleep 1.3");
    }
    let end = scenario.one(&["del m1", "del w1", "set eth0 master br0"]);
    scenario.line(format!("ip -n ta link {end}"));
    scenario.line("sleep 1.3");
    for job in &jobs {
        scenario.line(format!("kill %{job}"));
    }
    scenario.line("wait");
    for job in jobs {
        scenario.line(format!("sort -u told{job}"));
    }
}

fn commands(scenario: &mut Scenario) -> Vec<String> {
    let (new, host) = (scenario.mac(), scenario.mac());
    let mut all = vec![
        format!("ip -n ta link set eth0 address {new}"),
        format!("ip -n ta link set m1 address {host}"),
        format!("bridge -n ta fdb add {host} dev eth0 master static"),
        format!("bridge -n ta fdb replace {host} dev eth0 master dynamic"),
        format!("bridge -n ta fdb del {host} dev eth0 master"),
        "ip netns exec tb arping -c1 -w1 -U -I eth0 10.0.1.9".to_owned(),
        "ip -n ta link set br0 type bridge fdb_flush".to_owned(),
    ];
    for change in [
        "eth0 mtu 1400",
        "br0 mtu 1300",
        "m1 mtu 1200",
        "m1 promisc on",
        "w1 allmulticast on",
        "m1 type macvlan mode private",
    ] {
        all.push(format!("ip -n ta link set {change}"));
    }
    for option in ["learning off", "isolated on", "cost 7", "hairpin on"] {
        all.push(format!("bridge -n ta link set dev eth0 {option}"));
    }
    for address in ["add 10.0.1.1/24 dev br0", "add 10.0.2.1/24 dev w1", "del 10.0.2.1/24 dev w1"] {
        all.push(format!("ip -n ta addr {address}"));
    }
    for change in ["d0 up", "d0 down", "d0 up", "d1 up", "d1 down", "d1 mtu 67", "d1 mtu 1500"] {
        all.push(format!("ip -n ta link set {change}"));
    }
    for change in ["d0 name d9", "d0 netns tb", "d1 name d8", "d1 address 02:00:00:00:77:03", "d1 arp off"] {
        all.push(format!("ip -n ta link set {change}"));
    }
    for route in [
        "10.0.8.0/24 via 10.0.7.9",
        "10.0.9.0/24 dev d1",
        "unreachable 10.0.10.0/24",
        "10.0.11.0/24 via 10.0.1.9",
    ] {
        all.push(format!("ip -n ta route add {route}"));
    }
    for setting in ["forwarding", "rp_filter", "proxy_arp", "ignore_routes_with_linkdown"] {
        let dev = scenario.one(&["d1", "eth0", "all", "default"]);
        all.push(format!("ip netns exec ta sysctl -w net.ipv4.conf.{dev}.{setting}=1"));
    }
    for neighbour in [
        "replace 10.0.7.5 lladdr 02:00:00:00:77:09 dev d1",
        "del 10.0.7.5 dev d1",
        "add proxy 10.0.7.6 dev d1",
    ] {
        all.push(format!("ip -n ta neigh {neighbour}"));
    }
    all.push("ip -n ta addr flush dev d1".to_owned());
    all.push("ip -n ta addr add 10.0.7.2/24 dev d1".to_owned());
    all.push("ip -n ta link add d2 address 02:00:00:00:77:04 type dummy".to_owned());
    all.push("ip -n ta link del d0".to_owned());
    all.push("ip -n ta link del d1".to_owned());
    all
}
