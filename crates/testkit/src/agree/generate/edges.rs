//! Rules that a scenario meets by chance only, each in every one: addresses that are used are not forgotten, a port has
//! a backup, a bridge its ports' MAC; who answers ARP for what; options, errors and MTUs on the way through a router.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "edges", needs_uml: true, build };

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    for name in ["sw", "a", "b", "r", "far"] {
        scenario.line(format!("ip netns add {name}"));
        scenario.line(format!("ip -n {name} link set lo up"));
        scenario.namespaces.push(name.to_owned());
    }
    // In hundredths of a second.
    let ageing = scenario.one(&["200", "300"]);
    scenario.line(format!("ip -n sw link add br0 type bridge mcast_snooping 0 ageing_time {ageing}"));
    scenario.up("sw", "br0");
    scenario.line("sleep 2.3");
    let mut macs = Vec::new();
    for (number, ns) in ["r", "b", "a"].into_iter().enumerate() {
        let port = format!("p{}", number + 1);
        let (mac, _) = scenario.veth(ns, "eth0", "sw", &port);
        scenario.line(format!("ip -n sw link set {port} master br0"));
        macs.push(mac);
    }
    scenario.veth("r", "eth1", "far", "eth0");
    for (ns, dev, address) in [
        ("a", "eth0", "10.0.1.1"),
        ("b", "eth0", "10.0.1.2"),
        ("r", "eth0", "10.0.1.3"),
        ("r", "eth1", "10.0.9.1"),
        ("far", "eth0", "10.0.9.2"),
    ] {
        scenario.line(format!("ip -n {ns} addr add {address}/24 dev {dev}"));
    }
    scenario.line("ip -n a route add default via 10.0.1.3");
    scenario.line("ip -n far route add default via 10.0.9.1");
    scenario.line("ip netns exec r sysctl -w net.ipv4.ip_forward=1");
    scenario.line("sleep 1.5");
    scenario.line("ip -n sw link show dev br0");
    questions(scenario);
    way(scenario);
    used(scenario);
    let mac = macs.get(1).cloned().unwrap_or_default();
    backup(scenario, &mac);
    shared(scenario);
    tunnel(scenario);
    for ns in ["a", "b", "r", "far"] {
        scenario.line(format!("ip -n {ns} neigh"));
        scenario.line(format!("ip -n {ns} -s link"));
    }
    scenario.line("ip -n sw -s link show dev p1");
}

/// Who answers for an address of another device, and for those of the link.
fn questions(scenario: &mut Scenario) {
    scenario.line("ip -n b addr add 10.0.7.7/32 dev lo");
    let value = scenario.one(&["1", "2"]);
    for ignore in ["0", value] {
        scenario.line(format!("ip netns exec b sysctl -w net.ipv4.conf.eth0.arp_ignore={ignore}"));
        scenario.line("ip netns exec a arping -c1 -w1 -I eth0 10.0.7.7");
        scenario.line("ip netns exec a arping -c1 -w1 -I eth0 10.0.1.2");
    }
    for nobody in ["127.0.0.1", "224.0.0.1", "10.0.1.255"] {
        scenario.line(format!("ip netns exec a arping -c1 -w1 -I eth0 {nobody}"));
    }
    scenario.line("ip netns exec r sysctl -w net.ipv4.neigh.eth0.proxy_delay=0");
    for name in ["proxy_arp", "proxy_arp_pvlan"] {
        scenario.line(format!("ip netns exec r sysctl -w net.ipv4.conf.eth0.{name}=1"));
        scenario.line("ip netns exec a arping -c1 -w1 -I eth0 10.0.1.99");
        scenario.line("ip netns exec a arping -c1 -w1 -I eth0 10.0.9.2");
        scenario.line(format!("ip netns exec r sysctl -w net.ipv4.conf.eth0.{name}=0"));
    }
}

/// Through the router, to networks that are there and not.
fn way(scenario: &mut Scenario) {
    let capture = scenario.capture("a", "eth0");
    scenario.line("sleep 0.7");
    scenario.line("ip netns exec a ping -c1 -W0.31 -R 10.0.9.2");
    let kind = scenario.one(&["unreachable", "prohibit", "blackhole"]);
    scenario.line(format!("ip -n r route add {kind} 10.0.8.0/24"));
    scenario.line("ip netns exec a ping -c9 -i0.1 -W0.31 10.0.8.1");
    scenario.line("ip netns exec far ping -c9 -i0.1 -W0.31 -t 1 10.0.1.1");
    for (ns, dev) in [("r", "eth1"), ("far", "eth0")] {
        scenario.line(format!("ip -n {ns} link set {dev} mtu 1000"));
    }
    scenario.line("ip netns exec a ping -c3 -i0.3 -W0.31 -s 1200 -M do 10.0.9.2");
    scenario.line("ip netns exec a ping -c1 -W0.31 -s 1200 10.0.9.2");
    scenario.line("ip -n a route get 10.0.9.2");
    scenario.line("sleep 3.6");
    scenario.show(&[capture]);
}

/// What is heard again and again is not forgotten: nothing of it goes to others.
fn used(scenario: &mut Scenario) {
    scenario.line("ip netns exec a ping -c6 -i0.9 -W0.31 10.0.1.2");
    scenario.line("ip -n r -s link show dev eth0");
    scenario.line("sleep 4.3");
    scenario.line("bridge -n sw fdb show br br0");
}

/// What is for a port without a link leaves by another one.
fn backup(scenario: &mut Scenario, mac: &str) {
    scenario.line(format!("bridge -n sw fdb replace {mac} dev p2 master static"));
    scenario.line("bridge -n sw link set dev p2 backup_port p1");
    scenario.line(format!("ip -n a neigh replace 10.0.1.2 lladdr {mac} nud permanent dev eth0"));
    scenario.line("ip netns exec a ping -c1 -W0.31 10.0.1.2");
    scenario.line("ip -n b link set eth0 down");
    scenario.line("sleep 2.3");
    scenario.line("ip netns exec a ping -c1 -W0.31 10.0.1.2");
    scenario.line("ip -n sw -s link show dev p1");
}

/// Macvlans, one of which has joined a group; one in passthru mode that is down.
fn shared(scenario: &mut Scenario) {
    for name in ["host", "out", "c1", "c2"] {
        scenario.line(format!("ip netns add {name}"));
    }
    let (low, _) = scenario.veth("host", "low", "out", "wire");
    scenario.line("ip -n out addr add 10.0.5.9/24 dev wire");
    for (ns, dev) in [("c1", "m1"), ("c2", "m2")] {
        let (mode, mac) = (scenario.one(&["bridge", "private", "vepa"]), scenario.mac());
        scenario.line(format!(
            "ip -n host link add link low name {dev} netns {ns} address {mac} type macvlan mode {mode}"
        ));
        scenario.up(ns, dev);
    }
    scenario.line("ip -n c1 maddr add 01:00:5e:01:01:07 dev m1");
    scenario.line("sleep 1.5");
    scenario.line("ip netns exec out ping -c1 -W0.31 -I wire 239.1.1.7");
    scenario.line("ip netns exec out ping -c1 -W0.31 -I wire 239.1.1.8");
    for (ns, dev) in [("c1", "m1"), ("c2", "m2")] {
        scenario.line(format!("ip -n {ns} -s link show dev {dev}"));
        scenario.line(format!("ip -n {ns} link set {dev} mtu 1600"));
        scenario.line(format!("ip -n {ns} link del {dev}"));
    }
    scenario.line(format!(
        "ip -n host link add link low name m3 netns c1 address {low} type macvlan mode passthru"
    ));
    scenario.line("ip -n host addr add 10.0.5.8/24 dev low");
    scenario.line(format!("ip -n out neigh replace 10.0.5.8 lladdr {low} nud permanent dev wire"));
    scenario.line("ip netns exec out ping -c1 -W0.31 10.0.5.8");
    scenario.up("c1", "m3");
    scenario.line("ip netns exec out ping -c1 -W0.31 10.0.5.8");
    scenario.line("sleep 3.6");
    scenario.line("ip -n host -d link show dev low");
    scenario.line("ip -n host -s link");
    scenario.line("ip -n c1 -s link");
}

/// Two ends of a vxlan: what its outer packets are like, another network, an entry that says otherwise, and one that ages.
fn tunnel(scenario: &mut Scenario) {
    for name in ["n1", "n2"] {
        scenario.line(format!("ip netns add {name}"));
    }
    scenario.veth("n1", "eth0", "n2", "eth0");
    let mut own = Vec::new();
    for (at, ns) in [(1, "n1"), (2, "n2")] {
        let (other, mac) = (3 - at, scenario.mac());
        scenario.line(format!("ip -n {ns} addr add 10.8.0.{at}/24 dev eth0"));
        scenario.line(format!(
            "ip -n {ns} link add vx0 address {mac} type vxlan id 42 remote 10.8.0.{other} local 10.8.0.{at} dstport 4789 \
             srcport 50000 50001 ageing 3 tos inherit df set"
        ));
        scenario.up(ns, "vx0");
        scenario.line(format!("ip -n {ns} addr add 10.0.6.{at}/24 dev vx0"));
        own.push(mac);
    }
    let mac = scenario.mac();
    scenario.line(format!(
        "ip -n n1 link add vx1 address {mac} type vxlan id 43 remote 10.8.0.2 dstport 4789 srcport 50000 50001"
    ));
    scenario.up("n1", "vx1");
    scenario.line("ip -n n1 addr add 10.0.16.1/24 dev vx1");
    scenario.line("sleep 1.5");
    scenario.line("ip netns exec n2 tcpdump -l -n -t -v -i eth0 udp >n2.eth0.cap 2>/dev/null &");
    scenario.line("sleep 0.7");
    scenario.line("ip netns exec n1 ping -e 77 -c1 -W0.31 -Q 0x10 10.0.6.2");
    scenario.line("ip netns exec n1 ping -e 78 -c1 -W0.31 -b 10.0.16.255");
    scenario.line("sleep 0.5");
    scenario.line("kill %2");
    scenario.line("wait");
    scenario.line("cat n2.eth0.cap");
    scenario.line("bridge -n n1 fdb show dev vx0");
    scenario.line("ip -n n2 -s link show dev vx0");
    // Whatever comes in between: each end looks every ten seconds.
    scenario.line("sleep 24.3");
    scenario.line("bridge -n n1 fdb show dev vx0");
    let mac = own.first().cloned().unwrap_or_default();
    scenario.line(format!("bridge -n n2 fdb replace {mac} dev vx0 dst 10.8.0.77"));
    scenario.line("ip netns exec n1 ping -c1 -W0.31 10.0.6.2");
    scenario.line("ip -n n2 -s link show dev vx0");
    scenario.line("bridge -n n2 fdb show dev vx0");
}
