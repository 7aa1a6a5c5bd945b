//! What other topologies reach by chance only, each in every scenario, in namespaces of its own: VLANs that the bridge is
//! no member of, groups on a VLAN, a VRF that is younger than its port, ipvlans that go by the switch, bonds whose links
//! fail and come back, ARP that is refused, macvlans that change.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "corners", needs_uml: true, build };

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    let parts: [fn(&mut Scenario); 9] =
        [groups, foreign, young, routed, turns, primary, shared, states, joins];
    for part in scenario.some(&parts, 8) {
        part(scenario);
    }
}

/// Two namespaces with a wire between them.
fn pair(scenario: &mut Scenario, one: &str, other: &str) -> (String, String) {
    for ns in [one, other] {
        scenario.line(format!("ip netns add {ns}"));
    }
    scenario.veth(one, "eth0", other, "eth0")
}

/// Groups and broadcasts of a VLAN: who counts them.
fn groups(scenario: &mut Scenario) {
    pair(scenario, "ta", "tb");
    let flags = scenario.one(&["", " reorder_hdr off"]);
    for (ns, last) in [("ta", 1), ("tb", 2)] {
        scenario.line(format!("ip -n {ns} link add link eth0 name w5 type vlan id 5{flags}"));
        scenario.up(ns, "w5");
        scenario.line(format!("ip -n {ns} addr add 10.0.5.{last}/24 dev w5"));
    }
    scenario.line("sleep 1.5");
    for to in ["-I w5 239.1.1.7", "-I w5 224.0.0.1", "-b 10.0.5.255", "10.0.5.2"] {
        scenario.line(format!("ip netns exec ta ping -c1 -W0.31 {to}"));
        scenario.line("ip -n tb -s link show dev w5");
    }
    scenario.line("ip -n tb link set w5 mtu 1600");
    scenario.line("ip -n tb link add link eth0 name w6 type vlan id 6 loose_binding on");
    scenario.up("tb", "w6");
    for state in ["down", "up"] {
        scenario.line(format!("ip -n tb link set eth0 {state}"));
        scenario.line("ip -n tb link");
    }
    scenario.line("sleep 1.5");
    scenario.line("ip -n tb link set w5 allmulticast on");
    scenario.line("ip -n tb -d link show dev eth0");
    scenario.line("ip -n tb link set w5 down");
    scenario.line("ip netns exec ta ping -c1 -W0.31 10.0.5.2");
    scenario.line("ip -n tb -s link");
}

/// A VLAN whose frames pass the bridge, which is no member of it; what it counts for each.
fn foreign(scenario: &mut Scenario) {
    for ns in ["bs", "g1", "g2"] {
        scenario.line(format!("ip netns add {ns}"));
    }
    let mac = scenario.mac();
    scenario.line(format!(
        "ip -n bs link add br0 address {mac} type bridge vlan_filtering 1 mcast_snooping 0 vlan_stats_enabled 1"
    ));
    scenario.up("bs", "br0");
    scenario.line("ip -n bs addr add 10.0.1.3/24 dev br0");
    for (ns, port, last) in [("g1", "p1", 1), ("g2", "p2", 2)] {
        scenario.veth(ns, "eth0", "bs", port);
        scenario.line(format!("ip -n bs link set {port} master br0"));
        scenario.line(format!("bridge -n bs vlan add vid 3 dev {port}"));
        scenario.line(format!("ip -n {ns} addr add 10.0.1.{last}/24 dev eth0"));
        scenario.line(format!("ip -n {ns} link add link eth0 name w3 type vlan id 3"));
        scenario.up(ns, "w3");
        scenario.line(format!("ip -n {ns} addr add 10.0.3.{last}/24 dev w3"));
    }
    scenario.line("sleep 1.5");
    scenario.line("ip netns exec g1 ping -c1 -W0.31 -b 10.0.3.255");
    scenario.line("ip -n bs -s link show dev br0");
    scenario.line("ip netns exec g1 ping -c1 -W0.31 10.0.3.2");
    scenario.line("ip netns exec g1 ping -c1 -W0.31 10.0.1.3");
    scenario.line("bridge -n bs -s vlan");
    scenario.line("bridge -n bs fdb show br br0 vlan 3");
    let change = scenario.one(&[
        "vlan del vid 3 dev p2",
        "vlan add vid 3 dev p2 untagged",
        "vlan del vid 1 dev br0 self",
    ]);
    scenario.line(format!("bridge -n bs {change}"));
    scenario.line("ip netns exec g1 ping -c1 -W0.31 10.0.3.2");
    scenario.line("ip netns exec g1 ping -c1 -W0.31 10.0.1.3");
    scenario.line("bridge -n bs -s vlan");
    scenario.line("ip -n bs -s link");
    scenario.line("sleep 3.6");
}

/// A VRF that was made after its port: whose packets are they?
fn young(scenario: &mut Scenario) {
    pair(scenario, "vr", "vh");
    scenario.line("ip -n vr addr add 10.0.1.1/24 dev eth0");
    scenario.line("ip -n vh addr add 10.0.1.2/24 dev eth0");
    let mac = scenario.mac();
    scenario.line(format!("ip -n vr link add red address {mac} type vrf table 10"));
    scenario.up("vr", "red");
    scenario.line("ip -n vr link set eth0 master red");
    scenario.line("sleep 1.5");
    for from in ["red", "eth0"] {
        scenario.line(format!("ip netns exec vr ping -c1 -W0.31 -I {from} 10.0.1.2"));
    }
    scenario.line("ip netns exec vr ping -c1 -W0.31 10.0.1.2");
    scenario.line("ip netns exec vh ping -c1 -W0.31 10.0.1.1");
    scenario.line("ip -n vr -s link show dev red");
}

/// Ipvlans of one port that reach each other by the switch alone, or not at all.
fn routed(scenario: &mut Scenario) {
    let mode = scenario.one(&["l3", "l3s", "l2"]);
    for ns in ["ih", "io", "i1", "i2"] {
        scenario.line(format!("ip netns add {ns}"));
    }
    scenario.veth("ih", "low", "io", "wire");
    scenario.line("ip -n ih addr add 10.0.1.9/24 dev low");
    scenario.line("ip -n io addr add 10.0.1.8/24 dev wire");
    for (ns, dev, last) in [("i1", "m1", 1), ("i2", "m2", 2)] {
        scenario
            .line(format!("ip -n ih link add link low name {dev} netns {ns} type ipvlan mode {mode} bridge"));
        scenario.up(ns, dev);
        scenario.line(format!("ip -n {ns} addr add 10.0.1.{last}/24 dev {dev}"));
    }
    scenario.line("sleep 1.5");
    for flag in ["bridge", "private", "vepa"] {
        scenario.line(format!("ip -n i1 link set m1 type ipvlan {flag}"));
        for to in ["10.0.1.2", "10.0.1.8"] {
            scenario.line(format!("ip netns exec i1 ping -c1 -W0.31 {to}"));
        }
        scenario.line("ip netns exec io ping -c1 -W0.31 10.0.1.2");
        for (ns, dev) in [("ih", "low"), ("i1", "m1"), ("i2", "m2")] {
            scenario.line(format!("ip -n {ns} -s link show dev {dev}"));
        }
    }
    scenario.line("ip -n ih link set low mtu 1400");
    scenario.line("ip -n i2 link show dev m2");
    scenario.line("ip -n i2 addr add 10.0.1.1/24 dev m2");
    scenario.line("ip -n i2 link set m2 down");
    scenario.line("ip netns exec i1 ping -c1 -W0.31 10.0.1.2");
    scenario.line("sleep 3.6");
    scenario.line("ip -n ih -s link");
}

/// Two bonds that face each other, and a link between them that fails and comes back.
fn facing(scenario: &mut Scenario, mode: &str) {
    for ns in ["ba", "bb"] {
        scenario.line(format!("ip netns add {ns}"));
    }
    for number in 1..=2 {
        let (one, two) = (scenario.mac(), scenario.mac());
        scenario.line(format!(
            "ip link add e{number} netns ba address {one} type veth peer name e{number} netns bb address {two}"
        ));
    }
    for (ns, last) in [("ba", 1), ("bb", 2)] {
        scenario.line(format!("ip -n {ns} link add bond0 type bond mode {mode} miimon 100"));
        for number in 1..=2 {
            scenario.line(format!("ip -n {ns} link set e{number} master bond0"));
        }
        scenario.up(ns, "bond0");
        scenario.line(format!("ip -n {ns} addr add 10.0.1.{last}/24 dev bond0"));
    }
    scenario.line("sleep 2.3");
}

/// Frames in turns, while one link is gone.
fn turns(scenario: &mut Scenario) {
    let mode = scenario.one(&["balance-rr", "balance-rr", "balance-xor", "broadcast"]);
    facing(scenario, mode);
    scenario.line("ip netns exec ba ping -c3 -i0.3 -W0.31 10.0.1.2");
    let number = scenario.between(1, 2);
    scenario.line(format!("ip -n bb link set e{number} down"));
    scenario.line("sleep 1.3");
    scenario.line("ip netns exec ba ping -c4 -i0.3 -W0.31 10.0.1.2");
    scenario.line("ip -n ba -s link");
    scenario.line("ip netns exec ba cat /proc/net/bonding/bond0");
    for ns in ["ba", "bb"] {
        scenario.line(format!("ip netns del {ns}"));
    }
}

/// A primary whose link fails and comes back.
fn primary(scenario: &mut Scenario) {
    let how = scenario.one(&["always", "always", "better", "failure"]);
    pair(scenario, "pa", "pb");
    let (one, two) = (scenario.mac(), scenario.mac());
    scenario.line(format!(
        "ip link add eth1 netns pa address {one} type veth peer name eth1 netns pb address {two}"
    ));
    scenario.line("ip -n pb link set eth1 up");
    scenario.line("ip -n pa link set eth0 down");
    scenario.line("ip -n pa link add bond0 type bond mode active-backup miimon 100");
    for dev in ["eth0", "eth1"] {
        scenario.line(format!("ip -n pa link set {dev} master bond0"));
    }
    scenario.line(format!("ip -n pa link set bond0 type bond primary eth1 primary_reselect {how}"));
    scenario.up("pa", "bond0");
    scenario.line("sleep 2.3");
    for state in ["up", "down", "up"] {
        scenario.line(format!("ip -n pb link set eth1 {state}"));
        scenario.line("sleep 2.3");
        scenario.line("ip netns exec pa cat /proc/net/bonding/bond0");
    }
}

/// Macvlans of one device that change while they are used: mode, MAC, state; what is for whom then.
fn shared(scenario: &mut Scenario) {
    for ns in ["mh", "mo", "mc", "md"] {
        scenario.line(format!("ip netns add {ns}"));
    }
    let (_, outside) = scenario.veth("mh", "low", "mo", "wire");
    scenario.line("ip -n mo addr add 10.0.1.9/24 dev wire");
    scenario.line("ip -n mh addr add 10.0.1.8/24 dev low");
    let mut macs = Vec::new();
    for (ns, dev, last) in [("mc", "m1", 1), ("md", "m2", 2)] {
        let mac = scenario.mac();
        scenario.line(format!(
            "ip -n mh link add link low name {dev} netns {ns} address {mac} type macvlan mode bridge"
        ));
        scenario.up(ns, dev);
        scenario.line(format!("ip -n {ns} addr add 10.0.1.{last}/24 dev {dev}"));
        macs.push(mac);
    }
    scenario.line("sleep 1.5");
    let everybody = |scenario: &mut Scenario| {
        scenario.line("ip netns exec mc ping -c1 -W0.31 10.0.1.2");
        scenario.line("ip netns exec mc arping -c1 -w1 -I m1 10.0.1.250");
        scenario.line("ip netns exec mo ping -c1 -W0.31 10.0.1.2");
        scenario.line("ip netns exec md ping -c1 -W0.31 -I m2 239.1.1.7");
        for (ns, dev) in [("mh", "low"), ("mc", "m1"), ("md", "m2")] {
            scenario.line(format!("ip -n {ns} -s link show dev {dev}"));
        }
    };
    let mac = scenario.mac();
    scenario.line(format!("ip -n mh link add link low name m3 address {mac} type macvlan mode source"));
    scenario.line(format!("ip -n mh link set m3 type macvlan macaddr add {outside}"));
    for state in ["down", "up"] {
        scenario.line(format!("ip -n mh link set m3 {state}"));
        everybody(scenario);
        scenario.line("ip -n mh -s link show dev m3");
    }
    let mac = scenario.mac();
    let source = macs.first().cloned().unwrap_or_default();
    let changes = [
        "ip -n md link set m2 type macvlan mode private".to_owned(),
        "ip -n md link set m2 type macvlan mode vepa".to_owned(),
        "ip -n md link set m2 down".to_owned(),
        "ip -n mh link set low down".to_owned(),
        format!("ip -n md link set m2 address {mac}"),
        format!("ip -n mh link set low address {mac}"),
        format!("ip -n md link set m2 address {source}"),
        "ip -n md link set m2 allmulticast on".to_owned(),
        "ip -n md link set m2 promisc on".to_owned(),
        "ip -n md link set m2 arp off".to_owned(),
        "ip -n md link set m2 multicast off".to_owned(),
        "ip -n md link set m2 netns mh".to_owned(),
        format!("ip -n md neigh replace 10.0.1.9 lladdr {outside} nud permanent dev m2"),
    ];
    for change in scenario.some(&changes, 2) {
        scenario.line(change);
    }
    scenario.line("sleep 2.3");
    everybody(scenario);
    scenario.line("sleep 3.6");
    scenario.line("ip -n md -d link");
    scenario.line("ip -n mh -d link");
    scenario.line("ip -n md neigh");
}

/// What is known of a neighbour, state by state, and what becomes of that when a device changes.
fn states(scenario: &mut Scenario) {
    pair(scenario, "sa", "sb");
    for (ns, last) in [("sa", 1), ("sb", 2)] {
        scenario.line(format!("ip -n {ns} addr add 10.0.1.{last}/24 dev eth0"));
    }
    scenario.line("sleep 1.5");
    scenario.line("ip netns exec sa ping -c1 -W0.31 10.0.1.2");
    scenario.line("ip -n sa neigh show nud reachable");
    scenario.line("ip -n sb neigh show nud delay");
    scenario.line("ip netns exec sa ping -c1 -W0.31 10.0.1.99");
    scenario.line("ip -n sa neigh show nud incomplete");
    scenario.line("sleep 3.6");
    scenario.line("ip -n sa neigh show nud failed");
    let mac = scenario.mac();
    let changes = [
        format!("ip -n sa link set eth0 address {mac}"),
        "ip -n sa link set eth0 arp off".to_owned(),
        "ip -n sa link set eth0 mtu 60".to_owned(),
        "ip -n sa link set eth0 down".to_owned(),
        "ip -n sb link set eth0 down".to_owned(),
        "ip -n sa addr del 10.0.1.1/24 dev eth0".to_owned(),
        "ip -n sb neigh replace 10.0.1.1 nud failed dev eth0".to_owned(),
    ];
    for change in scenario.some(&changes, 2) {
        scenario.line(change);
        scenario.line("sleep 1.5");
        scenario.line("ip -n sa neigh");
        scenario.line("ip -n sa addr show dev eth0");
        scenario.line("ip netns exec sa ping -c1 -W0.31 10.0.1.2");
    }
    for ns in ["sa", "sb"] {
        scenario.line(format!("ip -n {ns} link set eth0 up"));
    }
    scenario.line("sleep 3.6");
    for ns in ["sa", "sb"] {
        scenario.line(format!("ip -n {ns} -s -s link"));
        scenario.line(format!("ip -n {ns} neigh"));
    }
}

/// What may be a port of a bridge, when a port begins to forward, and what goes with it.
fn joins(scenario: &mut Scenario) {
    for ns in ["js", "j1", "j2"] {
        scenario.line(format!("ip netns add {ns}"));
    }
    for name in ["br0", "br1"] {
        let mac = scenario.mac();
        scenario.line(format!("ip -n js link add {name} address {mac} type bridge mcast_snooping 0"));
    }
    for (ns, port, last) in [("j1", "p1", 1), ("j2", "p2", 2)] {
        scenario.veth(ns, "eth0", "js", port);
        scenario.line(format!("ip -n js link set {port} master br0"));
        scenario.line(format!("ip -n {ns} addr add 10.0.1.{last}/24 dev eth0"));
        // Both have it.
        scenario.line(format!("ip -n {ns} addr add 10.0.1.77/32 dev eth0"));
    }
    // Its ports are there before it is up.
    scenario.up("js", "br0");
    scenario.line("ip -n js addr add 10.0.1.9/24 dev br0");
    scenario.line("bridge -n js -d link");
    scenario.line("sleep 2.3");
    let mac = scenario.mac();
    scenario.line("ip -n js link set br1 master br0");
    scenario.line(format!("ip -n js link add link br0 name m1 address {mac} type macvlan mode bridge"));
    scenario.line("ip -n js link set m1 master br0");
    scenario.line("ip -n js link set m1 master br1");
    scenario.line("ip -n js link set lo master br0");
    scenario.line("ip netns exec js ping -c1 -W0.31 10.0.1.77");
    scenario.line("ip -n js neigh");
    scenario.line("ip netns exec j1 ping -c1 -W0.31 10.0.1.2");
    let how = scenario.one(&["master static", "master", "master dynamic"]);
    scenario.line(format!("bridge -n js fdb add 02:00:00:00:77:01 dev p1 {how}"));
    scenario.line("bridge -n js fdb show br br0");
    scenario.line("ip -n js link set p1 nomaster");
    scenario.line("bridge -n js fdb show br br0");
    scenario.line("ip -n js -d link");
    scenario.line("sleep 3.6");
}
