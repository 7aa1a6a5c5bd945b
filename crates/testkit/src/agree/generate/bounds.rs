//! Where a rule begins and ends, each in every scenario: how long the frames of a tunnel may be, what may be a port of a
//! bridge and what it leaves behind, names that count, ARP that few answer, VLANs that stand for tunnels, groups of
//! devices.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "bounds", needs_uml: true, build };

/// Tunnels, with the lengths about which something changes.
const TUNNELS: &[(&str, &[&str])] = &[
    ("vxlan id 5 dstport 4789 remote 10.0.1.2 dev eth0", &["1450", "1451", "1500", "68", "67"]),
    ("vxlan id 6 dstport 4789 remote 10.0.1.2", &["1500", "65450", "65535", "65536"]),
    ("vxlan id 7 dstport 4789 remote 2001:db8::2 dev eth0", &["1430", "1431", "1500"]),
    ("geneve id 5 remote 10.0.1.2", &["1450", "65465", "65535", "68", "60"]),
    ("ipip remote 10.0.1.2 local 10.0.1.1", &["1480", "65515", "65516", "68", "67"]),
    ("gre remote 10.0.1.2 local 10.0.1.1 key 5", &["1472", "65507", "65508", "67"]),
    ("gretap remote 10.0.1.2 local 10.0.1.1", &["1462", "65511", "65497", "67"]),
    ("sit remote 10.0.1.2 local 10.0.1.1", &["1480", "1279", "65515", "65516"]),
    ("ip6tnl local 2001:db8::1 remote 2001:db8::2", &["1452", "1279", "65487", "65535", "68"]),
    ("ip6gre local 2001:db8::1 remote 2001:db8::2", &["1448", "1280", "65483", "65535"]),
    ("ip6gretap local 2001:db8::1 remote 2001:db8::2", &["1434", "67", "65535"]),
    ("macsec encrypt on", &["1468", "1469", "1400", "67"]),
];

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    for part in [lengths, ports, own, left_behind, names, answers, tunnels, groups] {
        part(scenario);
    }
}

/// Two namespaces, the second one with an address, and a wire between them.
fn pair(scenario: &mut Scenario, one: &str, other: &str) -> (String, String) {
    for ns in [one, other] {
        scenario.line(format!("ip netns add {ns}"));
    }
    let macs = scenario.veth(one, "eth0", other, "eth0");
    for (ns, last) in [(one, 1), (other, 2)] {
        scenario.line(format!("ip -n {ns} addr add 10.0.1.{last}/24 dev eth0"));
    }
    macs
}

/// The longest and the shortest that a tunnel takes.
fn lengths(scenario: &mut Scenario) {
    pair(scenario, "ba", "bb");
    scenario.line("sleep 1.5");
    for (number, (kind, lengths)) in scenario.some(TUNNELS, 6).into_iter().enumerate() {
        let dev = format!("t{number}");
        let link = if kind.starts_with("macsec") { " link eth0" } else { "" };
        scenario.line(format!("ip -n ba link add{link} name {dev} type {kind}"));
        for mtu in scenario.some(lengths, 3) {
            scenario.line(format!("ip -n ba link set {dev} mtu {mtu}"));
            scenario.line("ip -n ba -br link");
            scenario.line(format!("ip netns exec ba cat /sys/class/net/{dev}/mtu"));
        }
        if !link.is_empty() {
            let mac = scenario.mac();
            for change in ["up".to_owned(), "allmulticast on".to_owned(), format!("address {mac}")] {
                scenario.line(format!("ip -n ba link set {dev} {change}"));
            }
            scenario.line("ip -n ba maddr show dev eth0");
            scenario.line("bridge -n ba fdb show dev eth0");
        }
        scenario.line(format!("ip -n ba link del {dev}"));
    }
    let mtu = scenario.one(&["1300", "1400"]);
    scenario.line(format!("ip -n ba link set eth0 mtu {mtu}"));
    scenario.line("ip -n ba link add t9 type vxlan id 9 dstport 4789 remote 10.0.1.2 dev eth0");
    scenario.line("ip -n ba link add t10 type ipip remote 10.0.1.2 local 10.0.1.1 dev eth0");
    scenario.line("ip -n ba -br link");
    scenario.line("ip netns exec ba cat /sys/class/net/t9/mtu /sys/class/net/t10/mtu");
}

/// What may be a port of a bridge, whose MAC the bridge has, and which ports it wants every frame of.
fn ports(scenario: &mut Scenario) {
    pair(scenario, "pa", "pb");
    let (own, mac) = (scenario.mac(), "02:00:00:00:00:00");
    scenario.line("ip -n pa link add br0 type bridge mcast_snooping 0");
    scenario.line(format!("ip -n pa link add br1 address {own} type bridge mcast_snooping 0"));
    scenario.line("ip -n pa link add t0 type ipip remote 10.0.1.2 local 10.0.1.1");
    scenario.line("ip -n pa link add link eth0 name m0 type macvlan mode bridge");
    for (dev, last) in [("d0", 9), ("d1", 5), ("d2", 7)] {
        scenario.line(format!("ip -n pa link add {dev} address 02:00:00:00:77:0{last} type dummy"));
        scenario.line(format!("ip -n pa link set {dev} up"));
    }
    for dev in ["t0", "lo", "br1"] {
        scenario.line(format!("ip -n pa link set {dev} master br0"));
    }
    scenario.line("ip -n pa link set br0 up");
    scenario.line("ip -n pa link set br1 up");
    scenario.line("sleep 2.3");
    let mut commands: Vec<String> = Vec::new();
    for (dev, bridge) in [("d0", "br0"), ("d1", "br0"), ("d2", "br0"), ("d2", "br1"), ("m0", "br1")] {
        commands.push(format!("ip -n pa link set {dev} master {bridge}"));
    }
    for change in ["d1 nomaster", "d0 nomaster", "br0 address 02:00:00:00:77:0b", "br1 promisc on", "d2 down"]
    {
        commands.push(format!("ip -n pa link set {change}"));
    }
    for change in ["d0 flood off", "d0 learning off", "d1 learning off", "d1 flood off", "d0 backup_port d1"]
    {
        commands.push(format!("bridge -n pa link set dev {change}"));
    }
    commands.push(format!("ip -n pa link set d1 address {mac}"));
    commands.push(format!("bridge -n pa fdb add {own} dev d1 master static"));
    for _ in 0..12 {
        let at = scenario.below(commands.len());
        let command = commands.remove(at);
        scenario.line(command);
        scenario.line("sleep 1.3");
        scenario.line("ip -n pa -d link");
        scenario.line("bridge -n pa -d link");
        scenario.line("bridge -n pa fdb");
    }
    // A cost that was given stays when the port comes again, one that was not does not; a backup that is no port is none.
    for command in [
        "ip -n pa link set d0 master br0",
        "ip -n pa link set d1 master br0",
        "ip -n pa link set d2 master br0",
        "bridge -n pa link set dev d0 cost 7",
        "bridge -n pa link set dev d1 backup_port d2",
        "bridge -n pa link set dev d0 backup_port d1",
        "ip -n pa link set d0 carrier off",
        "ip -n pa link set d0 carrier on",
        "ip -n pa link set d2 nomaster",
    ] {
        scenario.line(command);
        scenario.line("sleep 1.3");
        scenario.line("bridge -n pa -d link");
        scenario.line("ip -n pa -d link show master br0");
    }
}

/// What a bridge takes for itself, what its ports keep from each other, and what it forgets at once.
fn own(scenario: &mut Scenario) {
    for ns in ["os", "o1", "o2"] {
        scenario.line(format!("ip netns add {ns}"));
    }
    let mac = scenario.mac();
    scenario
        .line(format!("ip -n os link add br0 address {mac} type bridge mcast_snooping 0 vlan_filtering 1"));
    for (ns, port, last) in [("o1", "p1", 1), ("o2", "p2", 2)] {
        scenario.veth(ns, "eth0", "os", port);
        scenario.line(format!("ip -n os link set {port} master br0"));
        scenario.line(format!("ip -n {ns} addr add 10.0.1.{last}/24 dev eth0"));
    }
    scenario.up("os", "br0");
    scenario.line("ip -n os addr add 10.0.1.9/24 dev br0");
    scenario.line("sleep 2.3");
    let mut changes: Vec<String> = Vec::new();
    for change in [
        "add vid 7 dev br0 self pvid untagged",
        "del vid 7 dev br0 self",
        "add vid 7 dev p1",
        "del vid 1 dev p2",
    ] {
        changes.push(format!("bridge -n os vlan {change}"));
    }
    changes.push("ip -n os link set br0 type bridge vlan_default_pvid 7".to_owned());
    for change in
        ["dev p1 neigh_suppress on", "dev p2 isolated on", "dev p1 isolated on", "dev p2 bcast_flood off"]
    {
        changes.push(format!("bridge -n os link set {change}"));
    }
    for change in scenario.some(&changes, 5) {
        scenario.line(change);
        for to in ["10.0.1.9", "10.0.1.2"] {
            scenario.line(format!("ip netns exec o1 ping -c1 -W0.31 {to}"));
        }
        for to in ["127.0.0.1", "224.0.0.1", "10.0.1.1", "10.0.1.2"] {
            scenario.line(format!("ip netns exec o2 arping -c1 -w1 -I eth0 {to}"));
        }
        scenario.line("bridge -n os vlan");
        scenario.line("ip -n os -s link show dev p1");
        scenario.line("sleep 3.6");
        scenario.line("ip -n os neigh");
        scenario.line("bridge -n os fdb show br br0");
    }
    scenario.line("ip -n os link set br0 type bridge ageing_time 0");
    scenario.line("ip netns exec o1 ping -c1 -W0.31 10.0.1.2");
    scenario.line("sleep 3.6");
    scenario.line("bridge -n os fdb show br br0");
    scenario.line("ip -n os -s link");
}

/// What is told when a bridge gets its first port, and when it ends with all it has learned.
fn left_behind(scenario: &mut Scenario) {
    let (_, other) = pair(scenario, "la", "lb");
    let mac = scenario.mac();
    scenario.line("ip -n la addr flush dev eth0");
    scenario.line("ip -n la link add br0 type bridge mcast_snooping 0 vlan_filtering 1");
    scenario.line(format!("ip -n la link add d0 address {mac} type dummy"));
    scenario.line("ip -n la link add link d0 name i0 type ipvlan mode l2");
    scenario.line("sleep 1.5");
    let mut jobs = Vec::new();
    for object in ["fdb", "link", "vlan"] {
        scenario.jobs += 1;
        scenario.line(format!("bridge -n la monitor {object} >told{} 2>/dev/null &", scenario.jobs));
        jobs.push(scenario.jobs);
    }
    scenario.jobs += 1;
    scenario.line(format!("ip -n la monitor link >told{} 2>/dev/null &", scenario.jobs));
    jobs.push(scenario.jobs);
    scenario.line("sleep 0.7");
    let mode = scenario.one(&["mode l3", "mode l3s", "private", "vepa", "mode l2"]);
    let ends =
        scenario.one(&["ip -n la link del br0", "ip -n la link del eth0", "ip -n la link set eth0 nomaster"]);
    let carrier = scenario.one(&["ip -n la link set eth0 master br0", "ip -n la link set br0 up"]);
    for command in [
        &format!("ip -n la link set i0 type ipvlan {mode}"),
        carrier,
        "ip -n la link set br0 up",
        "ip -n la link set eth0 master br0",
        "ip -n lb addr add 10.0.1.9/24 dev eth0",
        "ip netns exec lb arping -c1 -w1 -U -I eth0 10.0.1.9",
        &format!("bridge -n la fdb append {other} dev eth0 master static vlan 1"),
        "bridge -n la vlan add vid 7 dev eth0 pvid untagged",
        ends,
        "ip -n la link del i0",
    ] {
        scenario.line(command);
        scenario.line("sleep 2.3");
    }
    for job in &jobs {
        scenario.line(format!("kill %{job}"));
    }
    scenario.line("wait");
    for job in jobs {
        scenario.line(format!("sort -u told{job}"));
    }
}

/// Names that are counted up, and other names that move along.
fn names(scenario: &mut Scenario) {
    for ns in ["na", "nb"] {
        scenario.line(format!("ip netns add {ns}"));
    }
    for name in ["d%d", "d%d", "d%dx", "%d%d", "d%s", "x/y", "%"] {
        scenario.line(format!("ip -n na link add {name} type dummy"));
    }
    scenario.line("ip -n na link set d0 name e%d");
    scenario.line("ip -n na link property add dev d1 altname long-name-of-a-device altname d7");
    scenario.line("ip -n na link add d7 type dummy");
    scenario.line("ip -n na link add d%d type dummy");
    scenario.line("ip -n na -br link");
    let to = scenario.one(&["d1", "d7", "long-name-of-a-device"]);
    scenario.line(format!("ip -n na link set {to} netns nb"));
    scenario.line("ip -n nb link show dev long-name-of-a-device");
    scenario.line("ip -n nb link add d7 type dummy");
    scenario.line("ip -n na link add d7 type dummy");
    scenario.line("ip -n nb link set d7 mtu 1300");
    scenario.line("ip -n nb link set long-name-of-a-device netns na name d%d");
    for ns in ["na", "nb"] {
        scenario.line(format!("ip -n {ns} -br link"));
    }
}

/// Who answers a question of ARP: not for every scope, not at once, not one that is no question.
fn answers(scenario: &mut Scenario) {
    let (_, asked) = pair(scenario, "aa", "ab");
    let scope = scenario.one(&["host", "link", "global"]);
    scenario.line("ip -n ab link set lo up");
    scenario.line(format!("ip -n ab addr add 10.0.1.5/24 dev eth0 scope {scope}"));
    scenario.line("ip -n ab addr add 10.0.7.7/32 dev lo scope host");
    scenario.line("sleep 1.5");
    for ignore in 0..=4 {
        scenario.line(format!("ip netns exec ab sysctl -w net.ipv4.conf.eth0.arp_ignore={}", ignore * 2 % 9));
        for to in ["10.0.1.2", "10.0.1.5", "10.0.7.7"] {
            scenario.line(format!("ip netns exec aa arping -c1 -w1 -I eth0 {to}"));
        }
        scenario.line("ip netns exec aa arping -c1 -w1 -s 10.0.9.9 -I eth0 10.0.1.2");
        if ignore == 1 {
            scenario.line("ip netns exec ab sysctl -w net.ipv4.conf.eth0.arp_ignore=3");
            scenario.line("ip netns exec aa arping -c1 -w1 -I eth0 10.0.1.5");
            scenario.line("ip netns exec aa arping -c1 -w1 -I eth0 10.0.7.7");
        }
    }
    scenario.line("ip netns exec ab sysctl -w net.ipv4.conf.eth0.arp_ignore=0");
    scenario.line("ip netns exec ab sysctl -w net.ipv4.neigh.eth0.proxy_delay=20");
    scenario.line("ip -n ab neigh add proxy 10.0.1.200 dev eth0");
    scenario.line("ip netns exec aa arping -c1 -w1 -I eth0 10.0.1.200");
    // Heard without having asked: from here, and from another network.
    for accept in 0..=2 {
        scenario.line(format!("ip netns exec ab sysctl -w net.ipv4.conf.eth0.arp_accept={accept}"));
        for from in [format!("10.0.1.{}", 50 + accept), format!("10.0.2.{}", 50 + accept)] {
            scenario.line(format!("ip -n aa addr add {from}/32 dev eth0"));
            scenario.line(format!("ip netns exec aa arping -c1 -w1 -U -I eth0 {from}"));
        }
        scenario.line("ip -n ab neigh");
    }
    // Tags without what should follow.
    for rest in ["", "00", "0005", "000508", "00050806"] {
        let to = asked.replace(':', "");
        scenario.line(format!("ip netns exec aa inject eth0 {to}02000000aa018100{rest}"));
    }
    // Lengths of addresses, the operation, the kind of hardware, the protocol: each wrong once.
    let sender = "02000000aa010a000163";
    for head in ["000108000604", "000108000704", "000108000606", "000686dd0604", "001808000604"] {
        for operation in ["0001", "0003"] {
            let to = asked.replace(':', "");
            scenario.line(format!(
                "ip netns exec aa inject eth0 {to}02000000aa010806{head}{operation}{sender}0000000000000a000102"
            ));
        }
        scenario.line("sleep 0.2");
        scenario.line("ip -n ab neigh");
    }
    scenario.line("ip -n ab -s link show dev eth0");
}

/// A bridge's VLANs by one vxlan device, each a network of its own.
fn tunnels(scenario: &mut Scenario) {
    for ns in ["va", "vb", "ha", "hb"] {
        scenario.line(format!("ip netns add {ns}"));
    }
    scenario.veth("va", "eth0", "vb", "eth0");
    for (at, ns, host) in [(1, "va", "ha"), (2, "vb", "hb")] {
        let (bridge, own) = (scenario.mac(), scenario.mac());
        scenario.line(format!("ip -n {ns} addr add 10.8.0.{at}/24 dev eth0"));
        scenario.line(format!(
            "ip -n {ns} link add br0 address {bridge} type bridge vlan_filtering 1 mcast_snooping 0"
        ));
        scenario.line(format!("ip -n {ns} link add vx0 address {own} type vxlan dstport 4789 external"));
        scenario.line(format!("ip -n {ns} link set vx0 master br0"));
        scenario.line(format!("bridge -n {ns} link set dev vx0 vlan_tunnel on learning off"));
        scenario.veth(host, "eth0", ns, "p1");
        scenario.line(format!("ip -n {ns} link set p1 master br0"));
        for dev in ["vx0", "br0"] {
            scenario.line(format!("ip -n {ns} link set {dev} up"));
        }
        for vlan in [10, 11] {
            scenario.line(format!("bridge -n {ns} vlan add vid {vlan} dev p1"));
            scenario.line(format!("bridge -n {ns} vlan add vid {vlan} dev vx0"));
            scenario
                .line(format!("bridge -n {ns} vlan add vid {vlan} dev vx0 tunnel_info id {}", 1000 + vlan));
            scenario.line(format!(
                "bridge -n {ns} fdb append 00:00:00:00:00:00 dev vx0 dst 10.8.0.{} src_vni {}",
                3 - at,
                1000 + vlan
            ));
            scenario.line(format!("ip -n {host} link add link eth0 name w{vlan} type vlan id {vlan}"));
            scenario.line(format!("ip -n {host} link set w{vlan} up"));
            scenario.line(format!("ip -n {host} addr add 10.0.{vlan}.{at}/24 dev w{vlan}"));
        }
    }
    scenario.line("sleep 2.3");
    let ping = |scenario: &mut Scenario| {
        for vlan in [10, 11] {
            scenario.line(format!("ip netns exec ha ping -c1 -W0.31 10.0.{vlan}.2"));
        }
        // Which of two networks' entries comes first hangs on where the hash puts them.
        scenario.line("bridge -n va fdb show br br0 >known");
        scenario.line("sort known");
        scenario.line("bridge -n vb -s vlan");
        scenario.line("ip -n vb -s link show dev vx0");
    };
    ping(scenario);
    let change = scenario.one(&[
        "bridge -n vb vlan del vid 10 dev vx0 tunnel_info id 1010",
        "bridge -n vb link set dev vx0 vlan_tunnel off",
        "bridge -n vb vlan add vid 11 dev vx0 tunnel_info id 1012",
        "bridge -n vb vlan del vid 11 dev vx0",
        "bridge -n vb vlan add vid 11 dev vx0 pvid untagged",
    ]);
    scenario.line(change);
    scenario.line("bridge -n vb vlan tunnelshow");
    ping(scenario);
    scenario.line("sleep 3.6");
}

/// Rules of routing and netfilter by groups of devices.
fn groups(scenario: &mut Scenario) {
    pair(scenario, "ga", "gb");
    let group = scenario.between(1, 9);
    for (rule, fits) in
        [("--src-group 7", "INPUT"), ("! --src-group 0", "INPUT"), ("--dst-group 0x7", "OUTPUT")]
    {
        scenario.line(format!("ip netns exec gb iptables-legacy -A {fits} -m devgroup {rule}"));
    }
    scenario.line("sleep 1.5");
    for group in [0, group, 7] {
        scenario.line(format!("ip -n gb link set eth0 group {group}"));
        scenario.line("ip netns exec ga ping -c1 -W0.31 10.0.1.2");
        scenario.line("ip netns exec gb iptables-legacy -L -n -v -x");
        scenario.line(format!("ip -n gb -br link show group {group}"));
    }
    scenario.line("ip -n gb link set group 7 down");
    scenario.line("ip -n gb link");
    scenario.line("ip -n gb link del group 7");
    scenario.line("ip -n gb link");
}
