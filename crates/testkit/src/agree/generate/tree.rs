//! Bridges with a spanning tree and more wires between them than a tree has: at rest, and after a wire, a bridge, a cost or
//! a priority has changed.
//!
//! A look falls between what happens: ports begin within two seconds after a change, or when six seconds have passed without
//! a word of the root, and listen and learn for four seconds each.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "tree", needs_uml: true, build };

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    scenario.line("ip netns add sw");
    let bridges = scenario.between(2, 3);
    for number in 1..=bridges {
        let mac = scenario.mac();
        let options = scenario.one(&["", "", " priority 4096", " priority 61440"]);
        // Whose times are in force can be told from the last digit.
        let times = format!("forward_delay 40{number} hello_time 10{number} max_age 60{number}");
        scenario.line(format!(
            "ip -n sw link add br{number} address {mac} type bridge stp_state 1 {times} mcast_snooping 0{options}"
        ));
        let ns = format!("h{number}");
        scenario.line(format!("ip netns add {ns}"));
        wire(scenario, &format!("p{number}"), number, None);
        scenario.line(format!("ip -n sw link set q{number} netns {ns}"));
        scenario.line(format!("ip -n {ns} link set q{number} up"));
        scenario.line(format!("ip -n {ns} addr add 10.0.1.{number}/24 dev q{number}"));
    }
    let wires = match bridges {
        2 => [(1, 2), (1, 2), (2, 1)],
        _ => [(1, 2), (2, 3), (3, 1)],
    };
    let count = if bridges == 2 { scenario.between(2, 3) } else { 3 };
    for (number, (one, other)) in wires.into_iter().take(count).enumerate() {
        wire(scenario, &format!("w{}", number + 1), one, Some(other));
    }
    if scenario.once_in(3) {
        // Both ends of a wire in one bridge.
        wire(scenario, "w9", 1, Some(1));
    }
    scenario.line("sleep 1.5");
    for number in 1..=bridges {
        scenario.line(format!("ip -n sw link set br{number} up"));
    }
    watch(scenario, bridges);
    scenario.jobs += 1;
    let told = scenario.jobs;
    scenario.line("bridge -n sw monitor link >told 2>/dev/null &");
    // While the tree counts as changed, what is learned is old after four seconds.
    for number in 1..=bridges {
        scenario.line(format!("bridge -n sw fdb show br br{number} dynamic >fdb"));
        scenario.line("sort fdb");
    }
    messages(scenario);
    for change in changes(scenario, bridges) {
        scenario.line(&change);
        watch(scenario, bridges);
        if let Some(dev) = change.strip_suffix(" down") {
            scenario.line(format!("{dev} up"));
            watch(scenario, bridges);
        }
    }
    messages(scenario);
    scenario.line(format!("kill %{told}"));
    scenario.line("wait");
    scenario.line("sort -u told");
}

/// A veth whose ends are ports of two bridges, or one of them; the names differ in their letter.
fn wire(scenario: &mut Scenario, name: &str, one: usize, other: Option<usize>) {
    let (mac, peer_mac) = (scenario.mac(), scenario.mac());
    let peer = name.replace('w', "x").replace('p', "q");
    scenario.line(format!(
        "ip -n sw link add {name} address {mac} type veth peer name {peer} address {peer_mac}"
    ));
    scenario.line(format!("ip -n sw link set {name} master br{one} up"));
    if let Some(other) = other {
        scenario.line(format!("ip -n sw link set {peer} master br{other} up"));
    }
}

/// What becomes of it, in time.
fn watch(scenario: &mut Scenario, bridges: usize) {
    for seconds in ["2.6", "5", "4", "4"] {
        scenario.line(format!("sleep {seconds}"));
        scenario.line("bridge -n sw link");
        // When what was learned on the old way is forgotten hangs on the moment.
        for number in 1..=bridges {
            scenario.line(format!("ip -n sw link set br{number} type bridge fdb_flush"));
        }
        scenario.line("ip netns exec h1 ping -c1 -W0.31 10.0.1.2");
    }
    if bridges > 2 {
        scenario.line("ip netns exec h2 ping -c1 -W0.31 10.0.1.3");
    }
    // Whether a port waits to speak again hangs on the moment.
    scenario.line("ip -n sw -d link >links");
    scenario.line("sed -E 's/config_pending [01]/config_pending N/' links");
    scenario.line("sleep 12.3");
    scenario.line("ip -n sw link show type bridge");
    scenario.line("ip -n sw -d link show br1 >links");
    scenario.line("sed -E 's/config_pending [01]/config_pending N/' links");
}

/// The kinds of messages on some wire.
fn messages(scenario: &mut Scenario) {
    let dev = scenario.one(&["w1", "x1", "w2", "x2", "q1"]);
    let (ns, dev) = if dev == "q1" { ("h1", dev) } else { ("sw", dev) };
    scenario.jobs += 1;
    let job = scenario.jobs;
    scenario.line(format!("ip netns exec {ns} tcpdump -l -e -n -v -t -i {dev} stp >{job}.cap 2>/dev/null &"));
    scenario.line("sleep 7.3");
    scenario.line(format!("kill %{job}"));
    scenario.line(format!("wait %{job}"));
    scenario.line(format!("sed -E 's/message-age [0-9.]+s/message-age N/' {job}.cap >kinds"));
    scenario.line("sort -u kinds");
}

/// Some of what may change, in an order of chance.
fn changes(scenario: &mut Scenario, bridges: usize) -> Vec<String> {
    let (bridge, other) = (scenario.between(1, bridges), scenario.between(1, bridges));
    let mac = scenario.mac();
    let mut all = Vec::new();
    for port in ["w1", "x2"] {
        all.push(format!("ip -n sw link set {port} down"));
    }
    for (port, option) in [
        (scenario.one(&["w1", "x1", "w2", "x2"]), "cost 200"),
        (scenario.one(&["w1", "x1", "w2", "x2"]), "cost 1"),
        (scenario.one(&["w1", "x1", "w2", "x2"]), "priority 8"),
        (scenario.one(&["w1", "x1", "w2", "x2"]), "priority 63"),
        (scenario.one(&["w1", "x1", "w2", "x2"]), "root_block on"),
        (scenario.one(&["w1", "x1", "w2", "x2"]), "guard on"),
    ] {
        all.push(format!("bridge -n sw link set dev {port} {option}"));
    }
    all.push("ip -n sw link set w1 nomaster".to_owned());
    for option in ["priority 0", "priority 8192", "max_age 900"] {
        all.push(format!("ip -n sw link set br{bridge} type bridge {option}"));
    }
    all.push(format!("ip -n sw link set br{other} down"));
    all.push(format!("ip -n sw link set br{bridge} address {mac}"));
    let count = scenario.between(2, 4);
    let mut chosen = Vec::new();
    while chosen.len() < count {
        chosen.push(all.swap_remove(scenario.below(all.len())));
    }
    chosen
}
