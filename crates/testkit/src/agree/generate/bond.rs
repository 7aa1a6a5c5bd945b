//! Bonds of every mode, on a switch or with a bond at the other end; links that fail and come back.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "bond", needs_uml: true, build };

const MODES: &[&str] = &[
    "balance-rr",
    "active-backup",
    "active-backup",
    "balance-xor",
    "broadcast",
    "802.3ad",
    "balance-tlb",
    "balance-alb",
];
const HASHES: &[&str] = &["layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4", "vlan+srcmac"];

fn build(scenario: &mut Scenario) {
    for name in ["a", "sw"] {
        scenario.namespace(name);
    }
    let mode = scenario.one(MODES);
    let count = scenario.between(2, 3);
    for number in 1..=count {
        let (one, two) = (scenario.mac(), scenario.mac());
        scenario.line(format!(
            "ip link add e{number} netns a address {one} type veth peer name p{number} netns sw address {two}"
        ));
        // A device that is up cannot become a port.
        scenario.note("a", &format!("e{number}"));
    }
    bond(scenario, "a", "bond0", "e", mode, count);
    let facing = match mode {
        "802.3ad" => !scenario.once_in(4),
        "active-backup" | "balance-tlb" | "balance-alb" => false,
        _ => scenario.once_in(2),
    };
    if facing {
        bond(scenario, "sw", "bond1", "p", mode, count);
        scenario.address("sw", "bond1", 1, None);
    } else {
        switch(scenario, count);
        // Until announcements of a first active slave are over: whether the bond has an address by then is chance.
        scenario.line("sleep 2.3");
    }
    scenario.address("a", "bond0", 1, None);
    if scenario.once_in(4) {
        scenario.line("ip -n a link add link bond0 name bond0.5 type vlan id 5");
        scenario.up("a", "bond0.5");
        scenario.address("a", "bond0.5", 5, None);
    }
    // Until every link has been looked at, and a partner has been found.
    scenario.line("sleep 4.3");
    changes(scenario, mode, count);
    scenario.line("ip netns exec a cat /proc/net/bonding/bond0");
    if scenario.once_in(2) {
        let number = scenario.between(1, count);
        scenario.line(format!("ip -n sw link set p{number} down"));
        scenario.line("sleep 1.3");
        scenario.line("ip netns exec a cat /proc/net/bonding/bond0");
        if scenario.once_in(2) {
            scenario.line(format!("ip -n sw link set p{number} up"));
            scenario.line("sleep 1.3");
            scenario.line("ip -n a -d link show bond0");
        }
    }
}

/// A bond with its ports.
fn bond(scenario: &mut Scenario, ns: &str, dev: &str, port: &str, mode: &str, count: usize) {
    let mut options = String::from(" miimon 100");
    let hash = scenario.one(HASHES);
    match mode {
        "balance-rr" if scenario.once_in(2) => options.push_str(" packets_per_slave 2"),
        "active-backup" => {
            let primary = scenario.between(1, count);
            if scenario.once_in(2) {
                let how = scenario.one(&["always", "better", "failure"]);
                options.push_str(&format!(" primary {port}{primary} primary_reselect {how}"));
            }
            let (mac, times) = (scenario.one(&["none", "none", "active", "follow"]), scenario.between(1, 3));
            options.push_str(&format!(" fail_over_mac {mac} num_grat_arp {times}"));
        }
        "balance-xor" => options.push_str(&format!(" xmit_hash_policy {hash}")),
        "802.3ad" => {
            let (rate, select) =
                (scenario.one(&["slow", "fast"]), scenario.one(&["stable", "bandwidth", "count"]));
            let least = scenario.one(&["0", "1", "2"]);
            options.push_str(&format!(
                " lacp_rate {rate} ad_select {select} min_links {least} xmit_hash_policy {hash}"
            ));
        }
        "balance-tlb" => {
            let dynamic = scenario.below(2);
            options.push_str(&format!(" tlb_dynamic_lb {dynamic} lp_interval 3600"));
        }
        "balance-alb" => options.push_str(" lp_interval 3600"),
        _ => {}
    }
    let delay = scenario.one(&["", "", " updelay 300", " downdelay 200", " all_slaves_active 1"]);
    scenario.line(format!("ip -n {ns} link add {dev} type bond mode {mode}{options}{delay}"));
    for number in 1..=count {
        scenario.line(format!("ip -n {ns} link set {port}{number} master {dev}"));
    }
    scenario.up(ns, dev);
}

/// Each port of the bond on a port of a switch, and a host behind it.
fn switch(scenario: &mut Scenario, count: usize) {
    let mac = scenario.mac();
    scenario.line(format!("ip -n sw link add br0 address {mac} type bridge"));
    scenario.up("sw", "br0");
    // Until it has reported its groups.
    scenario.line("sleep 2.3");
    for number in 1..=count {
        scenario.line(format!("ip -n sw link set p{number} master br0"));
        scenario.up("sw", &format!("p{number}"));
    }
    scenario.namespace("b");
    let (mac, _) = scenario.veth("b", "eth0", "sw", "p9");
    scenario.line("ip -n sw link set p9 master br0");
    scenario.address("b", "eth0", 1, Some(&mac));
    if scenario.once_in(2) {
        scenario.address("sw", "br0", 1, None);
    }
}

fn changes(scenario: &mut Scenario, mode: &str, count: usize) {
    for number in 1..=count {
        scenario.changes.push(format!("ip -n sw link set p{number} down"));
        scenario.changes.push(format!("ip -n a link set e{number} nomaster"));
        scenario.changes.push(format!("ip -n a link set bond0 type bond active_slave e{number}"));
        if mode == "active-backup" {
            scenario.changes.push(format!("ip -n a link set bond0 type bond primary e{number}"));
        }
    }
    let other = scenario.one(MODES);
    scenario.changes.push(format!("ip -n a link set bond0 type bond mode {other}"));
    let hash = scenario.one(HASHES);
    scenario.changes.push(format!("ip -n a link set bond0 type bond xmit_hash_policy {hash}"));
    let option = scenario.one(&[
        "miimon 50",
        "updelay 250",
        "num_grat_arp 2",
        "all_slaves_active 1",
        "min_links 2",
        "lacp_rate fast",
        "fail_over_mac active",
        "clear_active_slave",
        "resend_igmp 3",
        "packets_per_slave 4",
    ]);
    scenario.changes.push(format!("ip -n a link set bond0 type bond {option}"));
    let mac = scenario.mac();
    scenario.changes.push(format!("ip -n a link set bond0 address {mac}"));
    scenario.changes.push("ip -n a link set bond0 mtu 1400".to_owned());
}
