//! Links as they are set up and changed, each rule in every scenario: names and labels, MACs and MTUs that follow those of
//! other links, carriers and lists that are passed on, what a macvlan in source mode is told.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "odds", needs_uml: true, build };

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    for part in [names, addresses, lengths, carriers, lists, sources] {
        part(scenario);
    }
}

/// One namespace with a veth whose other end is in another one; both up.
fn pair(scenario: &mut Scenario, one: &str, other: &str) -> (String, String) {
    for ns in [one, other] {
        scenario.line(format!("ip netns add {ns}"));
    }
    let macs = scenario.veth(one, "eth0", other, "eth0");
    scenario.line("sleep 2.3");
    macs
}

/// Runs commands in a chosen order, and looks after each.
fn each(scenario: &mut Scenario, mut commands: Vec<String>, count: usize, look: &[String]) {
    for _ in 0..count {
        if commands.is_empty() {
            return;
        }
        let command = commands.remove(scenario.below(commands.len()));
        scenario.line(command);
        // Until the link watch has come to it.
        scenario.line("sleep 2.3");
        for line in look {
            scenario.line(line);
        }
    }
}

/// What may be a name, what has it, and what is named after it.
fn names(scenario: &mut Scenario) {
    pair(scenario, "na", "nb");
    for name in ["a:b", "..", "lo", "eth0", "averyverylongnam", "all"] {
        scenario.line(format!("ip -n na link add {name} type dummy"));
    }
    scenario.line("ip -n na addr add 10.0.1.1/24 dev eth0 label eth0:one");
    scenario.line("ip -n na addr add 10.0.2.1/24 dev eth0");
    scenario.line("ip -n na addr add 10.0.3.1/24 dev eth0 label eth0");
    scenario.line("ip -n na route add 10.0.9.0/24 via 10.0.1.2");
    scenario.line("ip -n na link property add dev eth0 altname wan0");
    scenario.line("ip -n na link add wan0 type dummy");
    scenario.line("ip -n na link set eth0 name port0");
    scenario.line("ip -n na link set eth0 down");
    let name = scenario.one(&["port0", "wan0", "lo", "eth1"]);
    scenario.line(format!("ip -n na link set eth0 name {name}"));
    scenario.line("ip -n na addr");
    scenario.line("ip -n na link set wan0 up");
    scenario.line("ip -n na addr flush label port0:one");
    scenario.line("ip -n na addr show label 'port*'");
    scenario.line("ip -n na addr show label 'eth*'");
    scenario.line("ip -n na route");
    scenario.line("ip netns exec na cat /proc/net/route");
    let name = scenario.one(&["port0", "wan0", "wan1"]);
    scenario.line(format!("ip -n nb link add {name} type dummy"));
    scenario.line("ip -n na link set wan0 netns nb");
    scenario.line("sleep 2.3");
    scenario.line("ip -n na link");
    scenario.line("ip -n nb link");
    scenario.line("ip -n nb link property del dev wan0 altname wan0");
    scenario.line("ip -n nb link show dev wan0");
}

/// Whose MAC is whose.
fn addresses(scenario: &mut Scenario) {
    let (low, _) = pair(scenario, "ma", "mb");
    let (high, other) = ("02:00:00:00:ee:01", "02:00:00:00:dd:01");
    scenario.line("ip -n ma link add link eth0 name w5 type vlan id 5");
    scenario.line("ip -n ma link add link eth0 name w6 address 02:00:00:00:66:06 type vlan id 6");
    scenario.line(format!("ip -n ma link add br0 address {high} type bridge"));
    scenario.line("ip -n ma link add br1 type bridge");
    for (dev, bridge) in [("d0", "br0"), ("d1", "br1"), ("d2", "br1")] {
        let mac = scenario.mac();
        scenario.line(format!("ip -n ma link add {dev} address {mac} type dummy"));
        scenario.line(format!("ip -n ma link set {dev} master {bridge}"));
    }
    scenario.line("ip -n ma link add tm0 type team");
    scenario.line("ip -n ma link add d3 address 02:00:00:00:dd:03 type dummy");
    scenario.line("ip -n ma link set d3 master tm0");
    for dev in ["w5", "w6", "d0", "d1", "d2", "tm0", "d3"] {
        scenario.line(format!("ip -n ma link set {dev} up"));
    }
    scenario.line("sleep 2.3");
    scenario.line("ip -n ma link");
    let (mac, one, two) = (scenario.mac(), scenario.mac(), scenario.mac());
    let commands = vec![
        format!("ip -n ma link set w5 address {low}"),
        format!("ip -n ma link set w6 address {low}"),
        format!("ip -n ma link set eth0 address {mac}"),
        format!("ip -n ma link set w5 address {other}"),
        "ip -n ma link set w5 down".to_owned(),
        "ip -n ma link set w5 up".to_owned(),
        format!("ip -n ma link set eth0 address {other}"),
        format!("ip -n ma link set d1 address {one}"),
        "ip -n ma link set d1 nomaster".to_owned(),
        "ip -n ma link set d0 nomaster".to_owned(),
        format!("ip -n ma link set br1 address {two}"),
        format!("ip -n ma link set d2 address {two}"),
        format!("ip -n ma link set d2 address {one}"),
        format!("ip -n ma link set br0 address {low}"),
        "ip -n ma link set d1 address 01:00:5e:00:00:01".to_owned(),
        "ip -n ma link set d1 address 00:00:00:00:00:00".to_owned(),
        format!("ip -n ma link set lo address {one}"),
        "ip -n ma link set tm0 address 02:00:00:00:dd:04".to_owned(),
        "ip -n ma link set d3 address 02:00:00:00:dd:05".to_owned(),
    ];
    let look = ["ip -n ma -br link", "bridge -n ma fdb"].map(str::to_owned);
    each(scenario, commands, 11, &look);
    scenario.line("ip -n ma -d link");
    let mac = scenario.mac();
    scenario.line(format!("ip -n ma link add link eth0 name p0 address {mac} type macvlan mode passthru"));
    scenario.line("ip -n ma link set p0 up");
    scenario.line("sleep 2.3");
    scenario.line("ip -n ma -br link");
    let commands = vec![
        format!("ip -n ma link set p0 address {one}"),
        format!("ip -n ma link set eth0 address {two}"),
        format!("ip -n ma link set p0 address {high}"),
        "ip -n ma link set p0 down".to_owned(),
        "ip -n ma link set eth0 down".to_owned(),
    ];
    each(scenario, commands, 3, &["ip -n ma -d link".to_owned()]);
    scenario.line("ip -n ma link del p0");
    scenario.line("ip -n ma -d link show dev eth0");
}

/// How long a frame may be, on links that stand on one another.
fn lengths(scenario: &mut Scenario) {
    pair(scenario, "la", "lb");
    scenario.line("ip -n la addr add 10.0.1.1/24 dev eth0");
    scenario.line("ip -n lb addr add 10.0.1.2/24 dev eth0");
    scenario.line("ip -n la link add link eth0 name w5 type vlan id 5");
    scenario.line("ip -n la link add link w5 name w6 type vlan id 6");
    let (mac, other) = (scenario.mac(), scenario.mac());
    scenario.line(format!("ip -n la link add link w5 name m1 address {mac} type macvlan mode bridge"));
    scenario.line("ip -n la link add d8 mtu 1400 type dummy");
    scenario.line("ip -n la link add link d8 name i1 type ipvlan mode l2");
    scenario.line(format!("ip -n la link add br0 address {other} type bridge"));
    for (dev, mtu) in [("d0", 1400), ("d1", 1300)] {
        let mac = scenario.mac();
        scenario.line(format!("ip -n la link add {dev} address {mac} mtu {mtu} type dummy"));
        scenario.line(format!("ip -n la link set {dev} master br0"));
    }
    for dev in ["w5", "w6", "m1", "d8", "i1", "br0"] {
        scenario.line(format!("ip -n la link set {dev} up"));
    }
    scenario.line("ip -n la addr add 10.0.5.1/24 dev m1");
    scenario.line("ip -n la addr add 10.0.6.1/24 dev w5");
    scenario.line("ip -n la route add 10.0.7.0/24 via 10.0.6.2");
    scenario.line("sleep 2.3");
    scenario.line("ip -n la -br link");
    let mut commands = Vec::new();
    for (dev, mtus) in [
        ("eth0", &["67", "68", "1000", "1500", "2000"][..]),
        ("w5", &["1500", "1200", "68"]),
        ("m1", &["60", "1600", "1500"]),
        ("i1", &["1300", "1500"]),
        ("d8", &["1300", "1600"]),
        ("d1", &["1500", "1000"]),
        ("br0", &["1350", "1500"]),
    ] {
        for mtu in mtus {
            commands.push(format!("ip -n la link set {dev} mtu {mtu}"));
        }
    }
    commands.push("ip -n la link set d1 nomaster".to_owned());
    let look = [
        "ip -n la -br link",
        "ip -n la addr show dev m1",
        "ip netns exec la ping -c1 -W0.31 -s 1100 -M do 10.0.1.2",
    ];
    each(scenario, commands, 10, &look.map(str::to_owned));
    // A VLAN may be too narrow for IPv4; what stands on it may not.
    for (dev, mtu) in [("eth0", 68), ("w5", 68), ("w5", 67), ("w5", 68), ("eth0", 1500)] {
        scenario.line(format!("ip -n la link set {dev} mtu {mtu}"));
        scenario.line("ip -n la addr show dev w5");
        scenario.line("ip -n la -br link");
        scenario.line("ip -n la route");
    }
    scenario.line("ip -n la -d link");
}

/// Who has a carrier when another one loses it, or has none from the start.
fn carriers(scenario: &mut Scenario) {
    for ns in ["ca", "cb"] {
        scenario.line(format!("ip netns add {ns}"));
    }
    let (one, two, three, four) = (scenario.mac(), scenario.mac(), scenario.mac(), scenario.mac());
    scenario.line(format!(
        "ip link add eth0 netns ca address {one} type veth peer name eth0 netns cb address {two}"
    ));
    if scenario.once_in(2) {
        scenario.line("ip -n ca link set eth0 up");
    }
    scenario.line(format!("ip -n ca link add link eth0 name m1 address {three} type macvlan mode bridge"));
    scenario.line("ip -n ca link add link eth0 name w5 type vlan id 5");
    scenario.line("ip -n ca link add link eth0 name w7 type vlan id 7 loose_binding on");
    scenario.line("ip -n ca link add link w5 name w6 type vlan id 6");
    scenario.line(format!("ip -n ca link add br0 address {four} type bridge"));
    scenario.line("ip -n ca link add d0 address 02:00:00:00:77:01 type dummy");
    scenario.line("ip -n ca link set w6 master br0");
    scenario.line("ip -n ca -d link");
    let mut commands: Vec<String> = Vec::new();
    for dev in ["eth0", "m1", "w5", "w6", "w7", "br0", "d0"] {
        for state in ["up", "up", "down"] {
            commands.push(format!("ip -n ca link set {dev} {state}"));
        }
    }
    for state in ["up", "up", "down"] {
        commands.push(format!("ip -n cb link set eth0 {state}"));
    }
    for rest in ["d0 carrier off", "d0 carrier on", "w6 nomaster", "m1 netns cb"] {
        commands.push(format!("ip -n ca link set {rest}"));
    }
    commands.push("ip -n ca link set w7 type vlan loose_binding off".to_owned());
    let look = ["ip -n ca link", "ip -n cb link", "bridge -n ca link"].map(str::to_owned);
    scenario.line("ip -n ca link set eth0 up");
    scenario.line("ip -n cb link set eth0 up");
    each(scenario, commands, 12, &look);
    for ns in ["ca", "cb"] {
        for count in ["up", "down"] {
            scenario.line(format!("ip netns exec {ns} cat /sys/class/net/eth0/carrier_{count}_count"));
        }
    }
}

/// Links that want every frame, or every group, and what that means for those below.
fn lists(scenario: &mut Scenario) {
    pair(scenario, "pa", "pb");
    let (one, two, mac) = (scenario.mac(), scenario.mac(), scenario.mac());
    scenario.line("ip -n pa link add link eth0 name w5 type vlan id 5");
    scenario.line(format!("ip -n pa link add link w5 name m1 address {one} type macvlan mode bridge"));
    scenario.line(format!("ip -n pa link add link eth0 name m2 address {two} type macvlan mode vepa"));
    scenario.line(format!("ip -n pa link add br0 address {mac} type bridge"));
    for dev in ["w5", "m1", "m2", "br0"] {
        scenario.line(format!("ip -n pa link set {dev} up"));
    }
    let mut commands: Vec<String> = Vec::new();
    for dev in ["eth0", "w5", "m1", "m2", "br0"] {
        for setting in ["promisc on", "promisc off", "allmulticast on", "allmulticast off", "down", "up"] {
            commands.push(format!("ip -n pa link set {dev} {setting}"));
        }
        commands.push(format!("ip -n pa maddr add 01:00:5e:01:01:01 dev {dev}"));
        commands.push(format!("ip -n pa maddr del 01:00:5e:01:01:01 dev {dev}"));
    }
    for rest in ["m1 master br0", "m1 nomaster", "m2 master br0", "m2 type macvlan mode private"] {
        commands.push(format!("ip -n pa link set {rest}"));
    }
    for rest in ["learning off", "flood off"] {
        commands.push(format!("bridge -n pa link set dev m2 {rest}"));
    }
    commands.push("ip -n pa link del m1".to_owned());
    let look = ["ip -n pa -d link", "ip -n pa maddr"].map(str::to_owned);
    each(scenario, commands, 14, &look);
}

/// What a macvlan in source mode is told, and what it hears then; the modes that go together.
fn sources(scenario: &mut Scenario) {
    let (_, outside) = pair(scenario, "sa", "sb");
    scenario.line("ip -n sa addr add 10.0.1.1/24 dev eth0");
    scenario.line("ip -n sb addr add 10.0.1.2/24 dev eth0");
    let (mac, own) = (scenario.mac(), scenario.mac());
    scenario.line(format!("ip -n sa link add link eth0 name m1 address {own} type macvlan mode source"));
    scenario.line("ip -n sa link set m1 up");
    scenario.line("sleep 2.3");
    let commands = vec![
        format!("ip -n sa link set m1 type macvlan macaddr add {outside}"),
        format!("ip -n sa link set m1 type macvlan macaddr add {mac}"),
        format!("ip -n sa link set m1 type macvlan macaddr del {outside}"),
        format!("ip -n sa link set m1 type macvlan macaddr set {outside} {mac}"),
        "ip -n sa link set m1 type macvlan macaddr flush".to_owned(),
        "ip -n sa link set m1 type macvlan macaddr set".to_owned(),
        "ip -n sa link set m1 type macvlan mode source nodst".to_owned(),
        "ip -n sa link set m1 type macvlan mode bridge".to_owned(),
        "ip -n sa link set m1 type macvlan mode source".to_owned(),
        "ip -n sa link set m1 type macvlan mode passthru".to_owned(),
        "ip -n sa link set m1 type macvlan bcqueuelen 7".to_owned(),
        "ip -n sa link set m1 down".to_owned(),
        "ip -n sa link set m1 up".to_owned(),
        "ip -n sa link add link eth0 name m2 type macvlan mode passthru".to_owned(),
        "ip -n sa link add link m1 name m3 address 02:00:00:00:77:03 type macvlan mode vepa".to_owned(),
    ];
    let look = [
        "ip netns exec sb ping -c1 -W0.31 10.0.1.1",
        "ip netns exec sb ping -c1 -W0.31 -b 10.0.1.255",
        "ip -n sa -d link show dev m1",
        "ip -n sa -s link",
    ];
    each(scenario, commands, 10, &look.map(str::to_owned));
}
