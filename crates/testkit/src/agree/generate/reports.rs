//! A bridge that looks who has joined which group, and hosts that say all there is to say about groups: reports, leaves and
//! queries of every version of IGMP and MLD, right and wrong ones.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::frames::{datagram, hex, igmp, mac, mld};
use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "reports", needs_uml: true, build };

const HOSTS: usize = 3;
const ALL_HOSTS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);
const ALL_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 2);
/// Where reports of IGMPv3 go.
const REPORTS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 22);
const BRIDGE: &[&str] = &["", "", " mcast_querier 1", " mcast_querier 1", " mcast_router 2"];
/// Settings of a port.
const PORT: &[&str] = &[
    "fastleave on",
    "fastleave off",
    "mcast_to_unicast on",
    "mcast_to_unicast off",
    "mcast_router 0",
    "mcast_router 1",
    "mcast_router 2",
    "mcast_router 3",
    "mcast_router 3",
    "isolated on",
    "mcast_flood off",
];

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    scenario.line("ip netns add sw");
    let (mac, options) = (scenario.mac(), scenario.one(BRIDGE));
    let filtering = if scenario.once_in(3) { " vlan_filtering 1" } else { "" };
    scenario.line(format!(
        "ip -n sw link add br0 address {mac} type bridge mcast_last_member_interval 100 mcast_query_response_interval 200 \
         mcast_startup_query_interval 30000{options}{filtering}"
    ));
    scenario.line("ip -n sw link set br0 up");
    for number in 1..=HOSTS {
        let (ns, port) = (format!("h{number}"), format!("p{number}"));
        scenario.line(format!("ip netns add {ns}"));
        scenario.veth(&ns, "eth0", "sw", &port);
        scenario.line(format!("ip -n sw link set {port} master br0"));
    }
    if scenario.once_in(2) {
        scenario.line("ip -n sw addr add 10.0.1.100/24 dev br0");
    }
    if scenario.once_in(2) {
        let vlan = if filtering.is_empty() { "" } else { " vid 1" };
        scenario.line(format!("bridge -n sw mdb add dev br0 port p2 grp 239.1.1.2 permanent{vlan}"));
    }
    // Until it has reported its own groups, and asked for those of others.
    scenario.line("sleep 4.3");
    scenario.jobs += 1;
    let told = scenario.jobs;
    scenario.line("bridge -n sw monitor mdb >told 2>/dev/null &");
    // When the bridge itself reports a group is chance.
    let seen = format!("(igmp or udp or ip6) and not (ether src {mac} and not dst host 224.0.0.1)");
    let captures: Vec<_> =
        (1..=HOSTS).map(|number| scenario.capture_of("sw", &format!("p{number}"), &seen)).collect();
    scenario.line("sleep 0.7");
    for _ in 0..scenario.between(14, 18) {
        step(scenario);
    }
    scenario.show(&captures);
    scenario.line(format!("kill %{told}"));
    scenario.line("wait");
    scenario.line("cat told");
    scenario.line("bridge -n sw -d link");
    // Until everything is forgotten.
    scenario.line("sleep 310.3");
    database(scenario);
}

fn database(scenario: &mut Scenario) {
    // What is left of times hangs on the moment.
    scenario.line("bridge -n sw -s -d mdb >mdb");
    scenario.line("sed -E 's/ +[0-9]+\\.[0-9]{2}/ T/g' mdb >kinds");
    scenario.line("sort kinds");
}

fn step(scenario: &mut Scenario) {
    let host = scenario.between(1, HOSTS);
    match scenario.below(16) {
        0..=1 => {
            let option = scenario.one(PORT);
            scenario.line(format!("bridge -n sw link set dev p{host} {option}"));
        }
        2 => {
            let option = scenario.one(&[
                "mcast_querier 1",
                "mcast_querier 0",
                "mcast_router 0",
                "mcast_router 1",
                "mcast_router 2",
                "mcast_hash_max 2",
                "mcast_last_member_count 1",
            ]);
            scenario.line(format!("ip -n sw link set br0 type bridge {option}"));
            scenario.line("sleep 2.6");
        }
        3 => {
            scenario.line(format!("ip -n sw link set p{host} down"));
            scenario.line("sleep 1.3");
            database(scenario);
            scenario.line(format!("ip -n sw link set p{host} up"));
            scenario.line("sleep 1.3");
        }
        4 => {
            // Off and on again: what was known is not, and all are asked again.
            scenario.line("ip -n sw link set br0 type bridge mcast_snooping 0");
            scenario.line("sleep 2.6");
            database(scenario);
            inject(scenario, host);
            scenario.line("ip -n sw link set br0 type bridge mcast_snooping 1");
            scenario.line("sleep 4.3");
        }
        _ => inject(scenario, host),
    }
    let wait = scenario.one(&["0.4", "0.4", "3.3"]);
    scenario.line(format!("sleep {wait}"));
    database(scenario);
    data(scenario, host);
}

/// Frames to groups, to see who gets them.
fn data(scenario: &mut Scenario, host: usize) {
    let mut texts = Vec::new();
    for group in 1..=2 {
        let from = (mac(host as u8), Ipv4Addr::new(10, 0, 1, host as u8));
        texts.push(hex(&datagram(from, Ipv4Addr::new(239, 1, 1, group))));
    }
    scenario.line(format!("ip netns exec h{host} inject eth0 {}", texts.join(" ")));
}

/// One message of a host, or of another one behind its port.
fn inject(scenario: &mut Scenario, host: usize) {
    let speaker = if scenario.once_in(4) { 10 + host as u8 } else { host as u8 };
    let from = (mac(speaker), Ipv4Addr::new(10, 0, 1, speaker));
    let group = Ipv4Addr::new(239, 1, 1, scenario.between(1, 2) as u8);
    let group = if scenario.once_in(12) { Ipv4Addr::new(224, 0, 0, 9) } else { group };
    let of = |kind: u8, code: u8, group: Ipv4Addr| [&[kind, code, 0, 0][..], &group.octets()].concat();
    let frame = match scenario.below(24) {
        0..=4 => igmp(from, group, &of(0x16, 0, group)),
        5 => igmp(from, group, &of(0x12, 0, group)),
        6..=8 => igmp(from, ALL_ROUTERS, &of(0x17, 0, group)),
        9..=11 => {
            let kind = scenario.between(1, 6) as u8;
            let sources: &[[u8; 4]] = if scenario.once_in(3) { &[[10, 0, 1, 9]] } else { &[] };
            igmp(from, REPORTS, &records(&[(kind, group, sources)]))
        }
        12 => {
            let other = Ipv4Addr::new(239, 1, 1, 3);
            let (one, two) = (scenario.between(1, 4) as u8, scenario.between(1, 4) as u8);
            igmp(from, REPORTS, &records(&[(one, group, &[]), (two, other, &[])]))
        }
        13..=15 => {
            // Of whom there are several, the lowest address counts.
            let querier = Ipv4Addr::new(10, 0, 1, [5, 50, 200][scenario.below(3)]);
            let querier = if scenario.once_in(4) { Ipv4Addr::UNSPECIFIED } else { querier };
            let message = of(0x11, [0, 20, 100][scenario.below(3)], Ipv4Addr::UNSPECIFIED);
            let longer = [&message[..], &[2, 125, 0, 0]].concat();
            let message = if scenario.once_in(2) { longer } else { message };
            let to = if scenario.once_in(6) { group } else { ALL_HOSTS };
            igmp((from.0, querier), to, &message)
        }
        16..=17 => {
            let message = of(0x11, [0, 10, 20][scenario.below(3)], group);
            let longer = [&message[..], &[2, 125, 0, 0]].concat();
            igmp(from, group, if scenario.once_in(2) { &longer } else { &message })
        }
        18 => {
            // Wrong checksums, cut short, of no kind.
            let mut frame = igmp(from, group, &of(0x16, 0, group));
            let (at, value) = [(36, 0x55), (17, 24), (34, 0x33), (24, 0x11)][scenario.below(4)];
            if let Some(byte) = frame.get_mut(at) {
                *byte = value;
            }
            frame
        }
        _ => six(scenario, speaker),
    };
    scenario.line(format!("ip netns exec h{host} inject eth0 {}", hex(&frame)));
}

/// A report of IGMPv3: kind, group, and sources of each record.
fn records(of: &[(u8, Ipv4Addr, &[[u8; 4]])]) -> Vec<u8> {
    let mut message = vec![0x22, 0, 0, 0, 0, 0, 0, of.len() as u8];
    for (kind, group, sources) in of {
        message.extend([*kind, 0, 0, sources.len() as u8]);
        message.extend(group.octets());
        message.extend(sources.concat());
    }
    message
}

/// The same of MLD.
fn six(scenario: &mut Scenario, speaker: u8) -> Vec<u8> {
    let from = (mac(speaker), Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, u16::from(speaker)));
    let group = Ipv6Addr::new(0xff15, 0, 0, 0, 0, 0, 0, scenario.between(1, 2) as u16);
    let group = if scenario.once_in(12) { Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1) } else { group };
    let (nodes, routers) =
        (Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1), Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2));
    let of = |kind: u8, response: u8, group: Ipv6Addr| {
        [&[kind, 0, 0, 0, 0, response, 0, 0][..], &group.octets()].concat()
    };
    match scenario.below(8) {
        0..=2 => mld(from, group, &of(131, 0, group)),
        3 => mld(from, routers, &of(132, 0, group)),
        4 => {
            let kind = scenario.between(1, 6) as u8;
            let mut message = vec![143, 0, 0, 0, 0, 0, 0, 1, kind, 0, 0, 0];
            message.extend(group.octets());
            mld(from, Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x16), &message)
        }
        5 => mld(from, group, &[&of(130, 200, group)[..], &[2, 125, 0, 0]].concat()),
        6 => {
            let group = Ipv6Addr::UNSPECIFIED;
            mld(from, nodes, &of(130, 200, group))
        }
        _ => {
            let group = Ipv6Addr::UNSPECIFIED;
            mld(from, nodes, &[&of(130, 200, group)[..], &[2, 125, 0, 0]].concat())
        }
    }
}
