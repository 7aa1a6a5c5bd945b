//! A bridge that looks who has joined which group: hosts that join and leave, by themselves and by hand, with a querier and
//! without, router ports, and settings of all that.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "groups", needs_uml: true, build };

const HOSTS: usize = 3;
/// Settings of a port.
const PORT: &[&str] = &[
    "mcast_router 3",
    "mcast_router 2",
    "mcast_router 1",
    "mcast_router 0",
    "fastleave on",
    "mcast_flood off",
    "mcast_to_unicast on",
    "hairpin on",
    "isolated on",
];

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    scenario.line("ip netns add sw");
    let mac = scenario.mac();
    scenario.line(format!(
        "ip -n sw link add br0 address {mac} type bridge mcast_query_response_interval 200 \
         mcast_last_member_interval 100 mcast_membership_interval 30000 mcast_startup_query_interval 30000"
    ));
    scenario.line("ip -n sw link set br0 up");
    for number in 1..=HOSTS {
        let (ns, port) = (format!("h{number}"), format!("p{number}"));
        scenario.line(format!("ip netns add {ns}"));
        scenario.veth(&ns, "eth0", "sw", &port);
        scenario.line(format!("ip -n {ns} addr add 10.0.1.{number}/24 dev eth0"));
        scenario.line(format!("ip -n {ns} route add 224.0.0.0/4 dev eth0"));
        scenario.line(format!("ip -n sw link set {port} master br0"));
    }
    if scenario.once_in(2) {
        scenario.line("ip -n sw addr add 10.0.1.100/24 dev br0");
    }
    // Two hosts behind one port, once in a while.
    if scenario.once_in(2) {
        let mac = scenario.mac();
        scenario.line(format!("ip -n h2 link add link eth0 name m1 address {mac} type macvlan mode bridge"));
        scenario.line("ip -n h2 link set m1 up");
    }
    scenario.line("sleep 4.3");
    scenario.jobs += 1;
    let told = scenario.jobs;
    scenario.line("bridge -n sw monitor mdb >told 2>/dev/null &");
    if scenario.once_in(2) {
        querier(scenario, 1);
    }
    // Somebody is there to be left alone by what follows.
    join(scenario, 2, 1);
    for _ in 0..scenario.between(4, 6) {
        step(scenario);
        talk(scenario);
    }
    other(scenario);
    for _ in 0..scenario.between(2, 3) {
        step(scenario);
        talk(scenario);
    }
    // Nobody asks any more: until all is forgotten.
    scenario.line("ip -n sw link set br0 type bridge mcast_querier 0");
    scenario.line("ip -n h4 link set eth0 down");
    scenario.line("sleep 310.3");
    database(scenario);
    talk(scenario);
    for ns in ["h1", "h2", "h3", "sw"] {
        scenario.line(format!("ip -n {ns} maddr"));
    }
    scenario.line("bridge -n sw -d link");
    scenario.line(format!("kill %{told}"));
    scenario.line("wait");
    scenario.line("sort -u told");
    asked(scenario);
}

/// How often the bridge asks when it begins to, and then.
fn asked(scenario: &mut Scenario) {
    scenario.line("ip -n sw link set br0 up");
    let count = scenario.between(2, 3);
    scenario.line(format!(
        "ip -n sw link set br0 type bridge mcast_snooping 1 mcast_querier 0 mcast_startup_query_interval 300 \
         mcast_startup_query_count {count} mcast_query_interval 1000"
    ));
    scenario.line("ip -n sw link set p1 up");
    scenario.line("sleep 3.3");
    let capture = scenario.capture_of("sw", "p1", "igmp and dst host 224.0.0.1");
    scenario.line("sleep 0.7");
    scenario.line("ip -n sw link set br0 type bridge mcast_querier 1");
    scenario.line("sleep 14.3");
    scenario.show(&[capture]);
}

fn database(scenario: &mut Scenario) {
    // What is left of times hangs on the moment.
    scenario.line("bridge -n sw -s -d mdb >mdb");
    scenario.line("sed -E 's/ +[0-9]+\\.[0-9]{2}/ T/g' mdb >kinds");
    scenario.line("sort kinds");
}

fn querier(scenario: &mut Scenario, on: usize) {
    scenario.line(format!("ip -n sw link set br0 type bridge mcast_querier {on}"));
    scenario.line("sleep 5.3");
    database(scenario);
}

/// Another bridge asks who has joined, behind a port of its own: that leads to a router, and this one falls silent.
fn other(scenario: &mut Scenario) {
    let mac = scenario.mac();
    scenario.line("ip netns add h4");
    scenario.veth("h4", "eth0", "sw", "p4");
    scenario.line(format!(
        "ip -n h4 link add br4 address {mac} type bridge mcast_querier 1 mcast_query_use_ifaddr 1 \
         mcast_query_response_interval 200 mcast_startup_query_interval 30000"
    ));
    scenario.line("ip -n h4 addr add 10.0.1.44/24 dev br4");
    scenario.line("ip -n h4 link set br4 up");
    scenario.line("ip -n sw link set p4 master br0");
    scenario.line("ip -n h4 link set eth0 master br4");
    scenario.line("sleep 6.3");
    database(scenario);
    talk(scenario);
}

fn join(scenario: &mut Scenario, host: usize, group: usize) {
    let dev = if host == 2 && scenario.once_in(3) { "m1" } else { "eth0" };
    scenario.line(format!("ip -n h{host} addr add 239.1.1.{group}/32 dev {dev} autojoin"));
    // Who has joined says so again within ten seconds.
    scenario.line("sleep 11.3");
    database(scenario);
}

fn step(scenario: &mut Scenario) {
    let (host, group) = (scenario.between(1, HOSTS), scenario.between(1, 2));
    match scenario.below(16) {
        0..=3 => return join(scenario, host, group),
        4..=5 => {
            let (host, group) = if scenario.once_in(2) { (2, 1) } else { (host, group) };
            let dev = if host == 2 && scenario.once_in(3) { "m1" } else { "eth0" };
            let capture = scenario.capture_of("sw", &format!("p{host}"), "igmp and dst host 224.0.0.1");
            scenario.line("sleep 0.7");
            scenario.line(format!("ip -n h{host} addr del 239.1.1.{group}/32 dev {dev}"));
            scenario.line("sleep 0.6");
            database(scenario);
            scenario.line("sleep 4.3");
            scenario.show(&[capture]);
        }
        6 => {
            let on = scenario.below(2);
            return querier(scenario, on);
        }
        7..=10 => {
            let option = scenario.one(PORT);
            scenario.line(format!("bridge -n sw link set dev p{host} {option}"));
        }
        11 => {
            let option = scenario.one(&[
                "mcast_router 2",
                "mcast_router 1",
                "mcast_router 0",
                "mcast_snooping 0",
                "mcast_snooping 0",
                "mcast_snooping 1",
                "mcast_snooping 1",
                "mcast_query_use_ifaddr 1",
                "mcast_hash_max 1",
            ]);
            scenario.line(format!("ip -n sw link set br0 type bridge {option}"));
            scenario.line("sleep 2.3");
        }
        12..=13 => {
            let what = scenario.one(&["add", "add", "del"]);
            let how = if what == "add" { scenario.one(&[" permanent", " temp", ""]) } else { "" };
            let port = scenario.one(&["p1", "p2", "p3", "br0"]);
            scenario.line(format!("bridge -n sw mdb {what} dev br0 port {port} grp 239.1.1.{group}{how}"));
        }
        14 => {
            scenario.line(format!("ip -n sw addr add 239.1.1.{group}/32 dev br0 autojoin"));
            scenario.line("sleep 11.3");
        }
        _ => {
            let dev = scenario.one(&["p1", "p2", "p3", "br0"]);
            scenario.line(format!("ip -n sw link set {dev} down"));
            scenario.line("sleep 2.3");
            database(scenario);
            scenario.line(format!("ip -n sw link set {dev} up"));
            scenario.line("sleep 4.3");
        }
    }
    database(scenario);
}

/// To a group somebody has joined, or nobody has, or all have.
fn talk(scenario: &mut Scenario) {
    let captures: Vec<_> = (1..=HOSTS).map(|number| format!("p{number}")).collect();
    let captures: Vec<_> = captures
        .iter()
        .map(|port| scenario.capture_of("sw", port, "icmp or (igmp and dst host 224.0.0.1)"))
        .collect();
    scenario.line("sleep 0.7");
    for host in [1, 3] {
        let group = scenario.one(&["239.1.1.1", "239.1.1.1", "239.1.1.2", "224.0.0.9"]);
        scenario.line(format!("ip netns exec h{host} ping -c1 -W0.31 -t 4 {group}"));
    }
    scenario.line("ip netns exec sw ping -c1 -W0.31 -t 4 -I br0 239.1.1.1");
    scenario.show(&captures);
}
