//! Random numbers and random sessions, the same for the same seed.

use std::fmt::Write as _;

/// splitmix64
pub(super) struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }
}

const DEVICES: &[&str] = &["v0", "v1", "v2"];
const GATEWAYS: &[&str] =
    &["10.0.0.9", "10.0.1.9", "10.0.0.1", "10.0.0.255", "10.1.0.5", "9.9.9.9", "127.0.0.1"];
const PREFIXES: &[&str] = &[
    "default",
    "10.0.0.0/8",
    "10.0.0.0/16",
    "10.0.0.0/24",
    "10.0.0.0/25",
    "10.0.0.1/32",
    "10.0.0.0/32",
    "10.1.0.0/16",
    "10.1.0.0/24",
    "20.0.0.0/8",
    "20.1.0.0/16",
    "127.5.0.0/16",
    "10.0.0.128/25",
];
const TABLES: &[&str] = &["main", "local", "default", "100", "300"];
const TARGETS: &[&str] = &[
    "10.0.0.1",
    "10.0.0.9",
    "10.0.1.9",
    "10.1.0.5",
    "20.1.2.3",
    "20.2.2.3",
    "127.5.0.1",
    "8.8.8.8",
    "10.0.0.255",
];

/// A session of `length` commands. With `multipath` it asks for no single routes: Linux chooses among ways
/// out by a hash with a random seed.
pub(super) fn session(seed: u64, length: usize, multipath: bool) -> Vec<String> {
    let random = &mut Random(seed);
    let mut commands = vec!["ip link set lo up".to_owned()];
    for device in ["v0", "p0", "v1", "p1"] {
        commands.push(format!("ip link set {device} up"));
    }
    commands.push("ip addr add 10.0.0.1/24 dev v0".to_owned());
    while commands.len() < length {
        match random.below(14) {
            0..2 => commands.push(address(random)),
            2 => {
                let device = random.pick(&["v0", "v1", "v2", "p0", "p1", "p2", "lo"]);
                let state = if random.one_in(2) { "down" } else { "up" };
                commands.push(format!("ip link set {device} {state}"));
                commands.push("sleep 0.05".to_owned());
            }
            3 => commands.push(rule(random)),
            4 | 5 if !multipath => commands.push(get(random)),
            4 | 5 => commands.push(ways(random)),
            _ => commands.push(route(random)),
        }
        if random.one_in(4) {
            commands.push("ip -4 route show table all".to_owned());
        }
    }
    commands.push("ip -4 route show table all".to_owned());
    commands.push("ip rule show".to_owned());
    commands.push("cat /proc/net/route".to_owned());
    commands
}

fn address(random: &mut Random) -> String {
    let action = if random.one_in(3) { "del" } else { "add" };
    let address = random.pick(&["10.0.0.1", "10.0.0.2", "10.0.1.1", "10.0.1.2", "10.1.0.1"]);
    let length = random.pick(&["24", "24", "25", "16", "31", "32"]);
    let mut command = format!("ip addr {action} {address}/{length}");
    if action == "add" {
        if random.one_in(3) && length != "31" && length != "32" {
            command += " brd +";
        }
        if random.one_in(8) {
            command += " metric 50";
        }
        if random.one_in(8) {
            command += " noprefixroute";
        }
    }
    command + " dev " + random.pick(DEVICES)
}

fn route(random: &mut Random) -> String {
    let action = random.pick(&["add", "add", "append", "prepend", "replace", "change", "del", "del"]);
    let mut command = format!("ip route {action}");
    let rejecting = random.one_in(6);
    if rejecting {
        command += " ";
        command += random.pick(&["blackhole", "unreachable", "prohibit", "throw"]);
    } else if random.one_in(10) {
        command += " local";
    }
    command += " ";
    command += random.pick(PREFIXES);
    if !rejecting || random.one_in(20) {
        let by_device = random.one_in(2);
        if by_device {
            let _ = write!(command, " dev {}", random.pick(DEVICES));
        }
        if !by_device || random.one_in(3) {
            let _ = write!(command, " via {}", random.pick(GATEWAYS));
        }
        if random.one_in(10) {
            command += " onlink";
        }
    }
    if random.one_in(3) {
        let _ = write!(command, " metric {}", random.below(3));
    }
    if random.one_in(6) {
        command += " tos 0x10";
    }
    if random.one_in(3) {
        let _ = write!(command, " table {}", random.pick(TABLES));
    }
    if random.one_in(6) {
        let _ = write!(command, " src {}", random.pick(&["10.0.0.1", "10.0.1.1", "10.1.0.1", "9.9.9.9"]));
    }
    if random.one_in(8) {
        let _ = write!(command, " scope {}", random.pick(&["host", "link", "site", "global"]));
    }
    if random.one_in(8) {
        let _ = write!(command, " mtu {}", random.pick(&["1400", "lock 1300"]));
    }
    if random.one_in(8) {
        command += " proto static";
    }
    command
}

/// A multipath route.
fn ways(random: &mut Random) -> String {
    let action = random.pick(&["add", "append", "replace", "del"]);
    let mut command = format!("ip route {action} {}", random.pick(PREFIXES));
    for _ in 0..2 + random.below(2) {
        command += " nexthop";
        if random.one_in(4) {
            let _ = write!(command, " dev {}", random.pick(DEVICES));
        } else {
            let _ = write!(command, " via {}", random.pick(&GATEWAYS[..2]));
        }
        if random.one_in(3) {
            let _ = write!(command, " weight {}", 1 + random.below(5));
        }
    }
    command
}

fn rule(random: &mut Random) -> String {
    let action = if random.one_in(3) { "del" } else { "add" };
    let mut command = format!("ip rule {action}");
    if random.one_in(2) {
        let _ = write!(command, " from {}", random.pick(&["10.0.0.1", "10.0.0.0/24", "all"]));
    }
    if random.one_in(3) {
        let _ = write!(command, " to {}", random.pick(&["10.0.1.0/24", "20.0.0.0/8"]));
    }
    if random.one_in(5) {
        let _ = write!(command, " fwmark {}", 1 + random.below(2));
    }
    if random.one_in(6) {
        let _ = write!(command, " {} {}", random.pick(&["iif", "oif"]), random.pick(&["v0", "v1", "v9"]));
    }
    if random.one_in(2) {
        let _ = write!(command, " pref {}", 10 * random.below(6));
    }
    if random.one_in(4) {
        command += " ";
        command += random.pick(&["prohibit", "unreachable", "blackhole", "nop", "goto 30", "goto 40"]);
    } else {
        let _ = write!(command, " table {}", random.pick(TABLES));
        if random.one_in(4) {
            let _ = write!(command, " suppress_prefixlength {}", random.pick(&["0", "16"]));
        }
    }
    command
}

fn get(random: &mut Random) -> String {
    let fibmatch = if random.one_in(4) { "fibmatch " } else { "" };
    let mut command = format!("ip route get {fibmatch}{}", random.pick(TARGETS));
    if random.one_in(4) {
        let _ = write!(command, " from {}", random.pick(&["10.0.0.1", "10.0.1.1", "10.0.0.7", "10.0.1.7"]));
        if random.one_in(2) {
            let _ = write!(command, " iif {}", random.pick(DEVICES));
        }
    } else if random.one_in(4) {
        let _ = write!(command, " oif {}", random.pick(DEVICES));
    }
    if random.one_in(6) {
        let _ = write!(command, " mark {}", 1 + random.below(2));
    }
    if random.one_in(6) {
        command += " tos 0x10";
    }
    command
}
