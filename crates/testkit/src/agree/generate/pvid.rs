//! Which VLANs a bridge and its ports are in, changed in every way while hosts talk: the VLAN of untagged frames, the
//! bridge's default, states of VLANs, counters by port, and what becomes of addresses that were learned.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "pvid", needs_uml: true, build };

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    scenario.line("ip netns add sw");
    let mac = scenario.mac();
    let options =
        scenario.one(&["", " vlan_stats_per_port 1", " vlan_default_pvid 3", " vlan_default_pvid 0"]);
    scenario.line(format!(
        "ip -n sw link add br0 address {mac} type bridge vlan_filtering 1 mcast_snooping 0 vlan_stats_enabled 1{options}"
    ));
    scenario.up("sw", "br0");
    scenario.line("ip -n sw addr add 10.0.1.9/24 dev br0");
    scenario.line("ip -n sw link add link br0 name br0.2 type vlan id 2");
    scenario.up("sw", "br0.2");
    scenario.line("ip -n sw addr add 10.0.2.9/24 dev br0.2");
    for number in 1..=3 {
        let (ns, port) = (format!("h{number}"), format!("p{number}"));
        scenario.line(format!("ip netns add {ns}"));
        scenario.veth(&ns, "eth0", "sw", &port);
        scenario.line(format!("ip -n sw link set {port} master br0"));
        scenario.line(format!("ip -n {ns} addr add 10.0.1.{number}/24 dev eth0"));
        scenario.line(format!("ip -n {ns} link add link eth0 name w2 type vlan id 2"));
        scenario.up(&ns, "w2");
        scenario.line(format!("ip -n {ns} addr add 10.0.2.{number}/24 dev w2"));
    }
    scenario.line("sleep 1.5");
    for _ in 0..scenario.between(9, 11) {
        let command = change(scenario);
        scenario.line(command);
        scenario.line("bridge -n sw vlan");
        for _ in 0..2 {
            let (from, net, to) =
                (scenario.between(1, 3), scenario.between(1, 2), scenario.one(&["1", "2", "3", "9", "9"]));
            scenario.line(format!("ip netns exec h{from} ping -c1 -W0.31 10.0.{net}.{to}"));
        }
        scenario.line("bridge -n sw fdb show br br0");
        scenario.line("bridge -n sw -s vlan");
    }
    scenario.line("sleep 3.6");
    scenario.line("bridge -n sw -d vlan");
    scenario.line("ip -n sw -d link show dev br0");
    scenario.line("ip -n sw -s link");
}

fn change(scenario: &mut Scenario) -> String {
    let (port, vid) = (scenario.between(1, 3), scenario.between(1, 3));
    let dev = if scenario.once_in(4) { "br0 self".to_owned() } else { format!("p{port}") };
    match scenario.below(14) {
        0..=3 => {
            let how = scenario.one(&["", " untagged", " pvid", " pvid untagged"]);
            format!("bridge -n sw vlan add vid {vid} dev {dev}{how}")
        }
        4 => format!("bridge -n sw vlan add vid 2-4 dev p{port}"),
        5..=6 => format!("bridge -n sw vlan del vid {vid} dev {dev}"),
        7 => format!("bridge -n sw vlan del vid 1-3 dev {dev}"),
        8..=9 => {
            let pvid = scenario.one(&["0", "1", "2", "3"]);
            let command = format!("ip -n sw link set br0 type bridge vlan_default_pvid {pvid}");
            if scenario.once_in(3) {
                return command;
            }
            // Only a bridge that does not filter takes it.
            scenario.line("ip -n sw link set br0 type bridge vlan_filtering 0");
            scenario.line(command);
            "ip -n sw link set br0 type bridge vlan_filtering 1".to_owned()
        }
        10 => {
            let state = scenario.one(&["0", "1", "2", "3", "4"]);
            format!("bridge -n sw vlan set vid {vid} dev p{port} state {state}")
        }
        11 => {
            let filtering = scenario.one(&["0", "1"]);
            format!("ip -n sw link set br0 type bridge vlan_filtering {filtering}")
        }
        12 => {
            let how = scenario.one(&["master static", "master", "self", "master local"]);
            format!("bridge -n sw fdb add 02:00:00:00:77:0{port} dev p{port} vlan {vid} {how}")
        }
        _ => {
            let what = scenario.one(&["nomaster", "master br0", "down", "address 02:00:00:00:55:01"]);
            format!("ip -n sw link set p{port} {what}")
        }
    }
}
