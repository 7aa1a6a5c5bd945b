//! Links of the newer kinds in any order: made, joined, set, moved, deleted, and refused; what they look like.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "kinds", needs_uml: true, build };

/// What follows `type`; `LINK` is a device of the namespace to stand on.
const KINDS: &[&str] = &[
    "dummy",
    "ifb",
    "nlmon",
    "vcan",
    "bridge vlan_filtering 1",
    "bond mode active-backup miimon 100",
    "bond mode balance-xor xmit_hash_policy layer3+4",
    "bond mode 802.3ad lacp_rate fast",
    "bond mode balance-alb",
    "team",
    "vrf table 10",
    "vrf table 20",
    "vxlan id 5 dstport 4789 remote 10.8.0.2",
    "vxlan id 6 dstport 4789 group 239.1.1.1 dev LINK",
    "vxlan id 7 dstport 8472 nolearning l2miss l3miss",
    "geneve id 5 remote 10.8.0.2",
    "gre remote 10.8.0.2 local 10.8.0.1 ttl 9",
    "gretap remote 10.8.0.2 local 10.8.0.1 key 5",
    "ipip remote 10.8.0.2 local 10.8.0.1",
    "sit remote 10.8.0.2 local 10.8.0.1",
    "ip6tnl local 2001:db8::1 remote 2001:db8::2 encaplimit none",
    "ip6gre local 2001:db8::1 remote 2001:db8::2 key 5 tclass inherit",
    "ip6gretap local 2001:db8::1 remote 2001:db8::2",
    "vxlan id 8 dstport 4789 remote 2001:db8::2",
    "geneve id 6 remote 2001:db8::2",
];
/// The same for those that stand on a device.
const UPPER: &[&str] = &[
    "ipvlan mode l2",
    "ipvlan mode l3 private",
    "ipvlan mode l3s vepa",
    "ipvtap mode l2",
    "macvtap mode bridge",
    "macvtap mode vepa",
    "macvlan mode private",
    "vlan id 5",
    "vlan protocol 802.1ad id 5 reorder_hdr off",
];
const SETTINGS: &[&str] = &[
    "up",
    "up",
    "down",
    "mtu 1400",
    "mtu 9000",
    "mtu 60",
    "promisc on",
    "allmulticast on",
    "multicast off",
    "arp off",
    "txqueuelen 50",
    "alias here",
    "nomaster",
    "group 7",
    "address 02:00:00:00:77:01",
    "type ipvlan mode l3",
    "type bond miimon 50",
    "type bond active_slave d1",
    "type vxlan ageing 20",
    "type bridge vlan_filtering 0",
    "type macvtap mode private",
    "type vrf table 30",
    "type dummy",
];
/// Options at the making that are refused, mostly.
const REFUSED: &[&str] = &[
    "bond mode 9",
    "bond mode active-backup lacp_rate fast",
    "bond miimon 100 arp_interval 100",
    "vxlan id 5",
    "vxlan id 99999999 dstport 4789",
    "vrf",
    "vrf table 0",
    "ipvlan mode l2",
    "macvtap mode bridge",
    "geneve",
    "gre key 5 remote 300.1.1.1",
    "vlan id 5000",
    "nothing",
    "team foo",
];

fn build(scenario: &mut Scenario) {
    for ns in ["n0", "n1"] {
        scenario.namespace(ns);
    }
    scenario.line("ip -n n0 link add d1 address 02:00:00:00:99:01 type dummy");
    scenario.line("ip -n n0 addr add 10.8.0.1/24 dev d1");
    scenario.up("n0", "d1");
    let mut links = vec!["d1".to_owned()];
    for _ in 0..scenario.between(10, 20) {
        let known = links.get(scenario.below(links.len())).cloned().unwrap_or_default();
        match scenario.below(12) {
            0..=2 => add(scenario, &mut links, KINDS, ""),
            3..=4 => add(scenario, &mut links, UPPER, &known),
            5 => {
                let other = links.get(scenario.below(links.len())).cloned().unwrap_or_default();
                if !refused_by_name(scenario, &known, &other) {
                    scenario.line(format!("ip -n n0 link set {known} master {other}"));
                }
            }
            6..=8 => {
                let setting = scenario.one(SETTINGS);
                scenario.line(format!("ip -n n0 link set {known} {setting}"));
            }
            9 => {
                let refused = scenario.one(REFUSED);
                scenario.line(format!("ip -n n0 link add x0 address 02:00:00:00:99:02 type {refused}"));
            }
            10 => {
                let (net, number) = (scenario.between(1, 3), scenario.between(1, 9));
                scenario.line(format!("ip -n n0 addr add 10.0.{net}.{number}/24 dev {known}"));
            }
            _ if scenario.once_in(2) => scenario.line(format!("ip -n n0 link del {known}")),
            _ => scenario.line(format!("ip -n n0 link set {known} netns n1")),
        }
    }
    scenario.line("sleep 1.3");
    for link in links {
        scenario.line(format!("ip -n n0 -d -j link show dev {link}"));
        // Messages that an nlmon shows are as long in Linux as attributes make them that nothing prints.
        if !link.starts_with("n") {
            scenario.note("n0", &link);
        }
    }
}

/// Whether a bond or team would get another than an Ethernet device, which the emulation says that it does not do.
fn refused_by_name(scenario: &Scenario, port: &str, master: &str) -> bool {
    let is = |name: &str, kinds: &[&str]| {
        let made = format!(" name {name} ");
        let mut lines = scenario.text.lines().filter(|line| line.contains(&made));
        lines.any(|line| kinds.iter().any(|kind| format!("{line} ").contains(&format!(" type {kind} "))))
    };
    is(master, &["bond", "team"]) && is(port, &["nlmon", "vcan", "gre", "ipip", "sit", "ip6tnl", "ip6gre"])
}

fn add(scenario: &mut Scenario, links: &mut Vec<String>, of: &[&str], below: &str) {
    let (kind, mac) = (scenario.one(of), scenario.mac());
    let kind = kind.replace("LINK", "d1");
    let name = format!("{}{}", &kind[..1], links.len() + 1);
    // These have no such address, or take another one's.
    let bare = ["ipvlan", "ipvtap", "nlmon", "vcan", "gre ", "ipip", "sit", "ip6tnl", "ip6gre "]
        .iter()
        .any(|of| kind.starts_with(of));
    let address = if bare { String::new() } else { format!(" address {mac}") };
    let link = if below.is_empty() { String::new() } else { format!(" link {below}") };
    scenario.line(format!("ip -n n0 link add{link} name {name}{address} type {kind}"));
    if !scenario.once_in(3) {
        scenario.line(format!("ip -n n0 link set {name} up"));
    }
    links.push(name);
}
