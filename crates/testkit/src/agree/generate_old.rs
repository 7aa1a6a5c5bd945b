//! Random scripts about links: a seed always gives the same script.

use std::fmt::Write as _;

use crate::script::Script;

/// The script of a seed.
pub fn script(seed: u64) -> Script {
    let mut generator = Generator::new(seed);
    generator.namespaces();
    for _ in 0..generator.between(14, 26) {
        generator.change();
    }
    generator.line("sleep 1.5");
    generator.look();
    generator.talk();
    for _ in 0..generator.between(3, 8) {
        generator.change();
    }
    generator.line("sleep 1.5");
    generator.look();
    generator.script.insert_str(0, if generator.uml { "# needs: uml\n" } else { "" });
    Script::new(&format!("seed-{seed}"), &generator.script)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Veth,
    Bridge,
    Macvlan,
    Vlan,
    Dummy,
}

#[derive(Clone)]
struct Link {
    /// Index of its namespace.
    ns: usize,
    name: String,
    kind: Kind,
}

struct Generator {
    state: u64,
    script: String,
    namespaces: usize,
    links: Vec<Link>,
    named: usize,
    addresses: Vec<(usize, String)>,
    uml: bool,
}

impl Generator {
    fn new(seed: u64) -> Generator {
        // Every fourth script has devices that need User-Mode Linux.
        let uml = seed.is_multiple_of(4);
        let state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        Generator {
            state,
            script: String::new(),
            namespaces: 0,
            links: Vec::new(),
            named: 0,
            addresses: Vec::new(),
            uml,
        }
    }

    fn next(&mut self) -> u64 {
        // xorshift64*
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.script, "{line}");
    }

    fn namespaces(&mut self) {
        self.namespaces = self.between(2, 4);
        for ns in 0..self.namespaces {
            self.line(&format!("ip netns add n{ns}"));
            if self.below(3) > 0 {
                self.line(&format!("ip -n n{ns} link set lo up"));
            }
        }
    }

    fn name(&mut self, prefix: &str) -> String {
        self.named += 1;
        format!("{prefix}{}", self.named)
    }

    fn mac(&mut self) -> String {
        format!("02:00:00:00:{:02x}:{:02x}", self.named % 256, self.below(200))
    }

    fn any(&mut self) -> Option<(usize, Link)> {
        let at = self.below(self.links.len());
        self.links.get(at).map(|link| (at, link.clone()))
    }

    fn of(&mut self, kinds: &[Kind]) -> Option<Link> {
        let fitting: Vec<Link> =
            self.links.iter().filter(|link| kinds.contains(&link.kind)).cloned().collect();
        let at = self.below(fitting.len());
        fitting.get(at).cloned()
    }

    /// One command that changes something, or is refused.
    fn change(&mut self) {
        match self.below(30) {
            0..=4 => self.add_veth(),
            5..=6 => self.add_bridge(),
            7..=9 => self.add_macvlan(),
            10 if self.uml => self.add_vlan(),
            11 if self.uml => self.add_dummy(),
            10..=12 => self.enslave(),
            13..=15 => self.up_or_down(),
            16..=18 => self.add_address(),
            19 => self.rename(),
            20 => self.move_away(),
            21 => self.delete(),
            22..=23 => self.port_flag(),
            24 => self.bridge_option(),
            25 => self.property(),
            26 => self.fdb(),
            27 => self.macvlan_mode(),
            _ => self.refused(),
        }
    }

    fn add_veth(&mut self) {
        let (one, two) = (self.name("v"), self.name("v"));
        let (ns, other) = (self.below(self.namespaces), self.below(self.namespaces));
        let (mac, peer_mac) = (self.mac(), self.mac());
        self.line(&format!(
            "ip link add {one} netns n{ns} address {mac} type veth peer name {two} netns n{other} address {peer_mac}"
        ));
        for (ns, name) in [(ns, one), (other, two)] {
            if self.below(5) > 0 {
                self.line(&format!("ip -n n{ns} link set {name} up"));
            }
            self.links.push(Link { ns, name, kind: Kind::Veth });
        }
    }

    fn add_bridge(&mut self) {
        let (name, ns, mac) = (self.name("br"), self.below(self.namespaces), self.mac());
        let options = self.one(&[
            "",
            "",
            " stp_state 0",
            " ageing_time 1000",
            " mcast_snooping 0",
            " forward_delay 200",
        ]);
        let address = if self.below(3) == 0 { String::new() } else { format!(" address {mac}") };
        self.line(&format!("ip -n n{ns} link add {name}{address} type bridge{options}"));
        if self.below(4) > 0 {
            self.line(&format!("ip -n n{ns} link set {name} up"));
            // Until it has reported its groups.
            self.line("sleep 1.2");
        }
        self.links.push(Link { ns, name, kind: Kind::Bridge });
    }

    fn add_macvlan(&mut self) {
        let Some(lower) = self.of(&[Kind::Veth, Kind::Veth, Kind::Bridge, Kind::Dummy, Kind::Macvlan]) else {
            return self.add_veth();
        };
        let (name, mac) = (self.name("m"), self.mac());
        let mode = self.one(&[
            "",
            " mode bridge",
            " mode bridge",
            " mode vepa",
            " mode private",
            " mode source",
            " mode passthru",
            " mode bridge bcqueuelen 5",
            " mode passthru nopromisc",
        ]);
        let ns = lower.ns;
        self.line(&format!(
            "ip -n n{ns} link add link {} name {name} address {mac} type macvlan{mode}",
            lower.name
        ));
        let other = self.below(self.namespaces * 2);
        let home = if other < self.namespaces && other != ns {
            self.line(&format!("ip -n n{ns} link set {name} netns n{other}"));
            other
        } else {
            ns
        };
        if self.below(5) > 0 {
            self.line(&format!("ip -n n{home} link set {name} up"));
        }
        self.links.push(Link { ns: home, name, kind: Kind::Macvlan });
    }

    fn add_vlan(&mut self) {
        let Some(lower) = self.of(&[Kind::Veth, Kind::Bridge, Kind::Dummy, Kind::Macvlan]) else {
            return self.add_veth();
        };
        let id = self.between(1, 4);
        let name = self.name("w");
        let options = self.one(&[
            "",
            "",
            " reorder_hdr off",
            " loose_binding on",
            " bridge_binding on",
            " protocol 802.1ad",
        ]);
        let ns = lower.ns;
        self.line(&format!(
            "ip -n n{ns} link add link {} name {name} type vlan id {id}{options}",
            lower.name
        ));
        if self.below(4) > 0 {
            self.line(&format!("ip -n n{ns} link set {name} up"));
        }
        self.links.push(Link { ns, name, kind: Kind::Vlan });
    }

    fn add_dummy(&mut self) {
        let (name, ns, mac) = (self.name("d"), self.below(self.namespaces), self.mac());
        self.line(&format!("ip -n n{ns} link add {name} address {mac} type dummy"));
        if self.below(4) > 0 {
            self.line(&format!("ip -n n{ns} link set {name} up"));
        }
        self.links.push(Link { ns, name, kind: Kind::Dummy });
    }

    fn enslave(&mut self) {
        let Some(bridge) = self.of(&[Kind::Bridge]) else { return self.add_bridge() };
        let ports: Vec<Link> = self
            .links
            .iter()
            .filter(|link| link.ns == bridge.ns && link.kind != Kind::Bridge)
            .cloned()
            .collect();
        if ports.is_empty() {
            return;
        }
        let port = ports[self.below(ports.len())].name.clone();
        let ns = bridge.ns;
        match self.below(6) {
            0 => self.line(&format!("ip -n n{ns} link set {port} nomaster")),
            _ => self.line(&format!("ip -n n{ns} link set {port} master {}", bridge.name)),
        }
    }

    fn up_or_down(&mut self) {
        let Some((_, link)) = self.any() else { return };
        let state = self.one(&["up", "up", "down"]);
        self.line(&format!("ip -n n{} link set {} {state}", link.ns, link.name));
        if link.kind == Kind::Bridge {
            self.line("sleep 1.2");
        }
    }

    fn add_address(&mut self) {
        let Some((_, link)) = self.any() else { return };
        let subnet = self.between(1, 2);
        let host = self.addresses.len() + 1;
        let address = format!("10.0.{subnet}.{host}");
        self.line(&format!("ip -n n{} addr add {address}/24 dev {}", link.ns, link.name));
        self.addresses.push((link.ns, address));
    }

    fn rename(&mut self) {
        let Some((at, link)) = self.any() else { return };
        let name = self.name("r");
        self.line(&format!("ip -n n{} link set {} name {name}", link.ns, link.name));
        // A device that is up is not renamed.
        self.links[at].name = name;
    }

    fn move_away(&mut self) {
        let Some((at, link)) = self.any() else { return };
        if matches!(link.kind, Kind::Bridge | Kind::Vlan) {
            return;
        }
        let to = self.below(self.namespaces);
        self.line(&format!("ip -n n{} link set {} netns n{to}", link.ns, link.name));
        self.links[at].ns = to;
    }

    fn delete(&mut self) {
        let Some((at, link)) = self.any() else { return };
        self.line(&format!("ip -n n{} link del {}", link.ns, link.name));
        if link.kind != Kind::Veth {
            self.links.remove(at);
        }
    }

    fn port_flag(&mut self) {
        let Some(link) = self.of(&[Kind::Veth, Kind::Macvlan, Kind::Dummy]) else { return };
        let flag = self.one(&[
            "hairpin on",
            "hairpin on",
            "isolated on",
            "learning off",
            "flood off",
            "mcast_flood off",
            "bcast_flood off",
            "guard on",
            "cost 7",
            "priority 9",
            "fastleave on",
            "neigh_suppress on",
            "root_block on",
            "state 3",
            "state 4",
        ]);
        self.line(&format!("bridge -n n{} link set dev {} {flag}", link.ns, link.name));
    }

    fn bridge_option(&mut self) {
        let Some(link) = self.of(&[Kind::Bridge]) else { return };
        let option = self.one(&[
            "ageing_time 20000",
            "forward_delay 300",
            "group_fwd_mask 8",
            "vlan_filtering 1",
            "mcast_snooping 0",
            "priority 100",
            "fdb_flush",
            "hello_time 9",
        ]);
        self.line(&format!("ip -n n{} link set {} type bridge {option}", link.ns, link.name));
        self.line("sleep 1.2");
    }

    fn property(&mut self) {
        let Some((_, link)) = self.any() else { return };
        let mac = self.mac();
        let property = match self.below(8) {
            0 => "mtu 1400".to_owned(),
            1 => "mtu 60".to_owned(),
            2 => format!("address {mac}"),
            3 => "promisc on".to_owned(),
            4 => "promisc off".to_owned(),
            5 => "allmulticast on".to_owned(),
            6 => "txqueuelen 50".to_owned(),
            _ => "alias here".to_owned(),
        };
        self.line(&format!("ip -n n{} link set {} {property}", link.ns, link.name));
    }

    fn fdb(&mut self) {
        let Some(link) = self.of(&[Kind::Veth, Kind::Bridge, Kind::Macvlan]) else { return };
        let mac = self.mac();
        let what = self.one(&["add", "add", "append", "replace", "del"]);
        let how = self.one(&["", " master", " master static", " self", " master dynamic", " local"]);
        self.line(&format!("bridge -n n{} fdb {what} {mac} dev {}{how}", link.ns, link.name));
    }

    fn macvlan_mode(&mut self) {
        let Some(link) = self.of(&[Kind::Macvlan]) else { return };
        let mac = self.mac();
        let what = match self.below(6) {
            0 => "mode bridge".to_owned(),
            1 => "mode private".to_owned(),
            2 => "mode passthru".to_owned(),
            3 => format!("macaddr add {mac}"),
            4 => "macaddr flush".to_owned(),
            _ => "mode vepa".to_owned(),
        };
        self.line(&format!("ip -n n{} link set {} type macvlan {what}", link.ns, link.name));
    }

    /// A command that Linux refuses, mostly.
    fn refused(&mut self) {
        let Some((_, link)) = self.any() else { return };
        let Some((_, other)) = self.any() else { return };
        let (ns, name, other) = (link.ns, link.name, other.name);
        let command = match self.below(14) {
            0 => format!("ip -n n{ns} link add {name} type bridge"),
            1 => format!("ip -n n{ns} link set nothere up"),
            2 => format!("ip -n n{ns} link set {name} name averyverylongname"),
            3 => format!("ip -n n{ns} link set {name} mtu 70000"),
            4 => format!("ip -n n{ns} link add link {name} name x0 type macvlan mode funny"),
            5 => format!("ip -n n{ns} link set {name} master {other}"),
            6 => format!("ip -n n{ns} link set {name} address 01:00:00:00:00:01"),
            7 => format!("ip -n n{ns} link add link nothere name x0 type macvlan"),
            8 => format!("ip -n n{ns} link set {name} netns nothere"),
            9 => format!("ip -n n{ns} link add {other} type veth peer name {name}"),
            10 => "ip netns add n0".to_owned(),
            11 => format!("ip -n n{ns} link set {name} name {other}"),
            12 => format!("ip -n n{ns} link add link lo name x1 type macvlan"),
            _ => "ip netns del nothere".to_owned(),
        };
        self.line(&command);
    }

    /// All that can be seen.
    fn look(&mut self) {
        for ns in 0..self.namespaces {
            for command in ["link", "addr", "route"] {
                self.line(&format!("ip -n n{ns} {command}"));
            }
            self.line(&format!("ip -n n{ns} -d link"));
            self.line(&format!("ip -n n{ns} -br link"));
            self.line(&format!("ip -n n{ns} -br addr"));
            self.line(&format!("bridge -n n{ns} -d link"));
            self.line(&format!("bridge -n n{ns} fdb"));
        }
        self.line("ip netns");
    }

    /// Pings between the addresses, then what they left behind.
    fn talk(&mut self) {
        let addresses = self.addresses.clone();
        let mut pairs: Vec<(usize, &str)> = Vec::new();
        for (ns, _) in &addresses {
            for (_, to) in &addresses {
                if !pairs.contains(&(*ns, to)) {
                    pairs.push((*ns, to));
                }
            }
        }
        // Six at most: entries of the neighbour tables must not grow old in between.
        while pairs.len() > 6 {
            let at = self.below(pairs.len());
            pairs.remove(at);
        }
        for (ns, to) in pairs {
            self.line(&format!("ip netns exec n{ns} ping -c1 -W1 {to}"));
        }
        self.line("sleep 7");
        for ns in 0..self.namespaces {
            self.line(&format!("ip -n n{ns} neigh"));
            self.line(&format!("ip -n n{ns} -s link"));
            self.line(&format!("bridge -n n{ns} fdb"));
        }
    }
}

#[test]
fn a_seed_gives_one_script() {
    assert_eq!(script(7).text, script(7).text);
    assert_ne!(script(7).text, script(8).text);
}
