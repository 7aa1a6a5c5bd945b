//! Links of all kinds in any order: made, joined, moved, renamed, deleted, and refused.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "links", needs_uml: false, build };

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Veth,
    Bridge,
    Macvlan,
    Vlan,
    Dummy,
}

#[derive(Clone)]
struct Known {
    ns: usize,
    name: String,
    kind: Kind,
}

struct Links<'a> {
    scenario: &'a mut Scenario,
    namespaces: usize,
    known: Vec<Known>,
    named: usize,
}

fn build(scenario: &mut Scenario) {
    let namespaces = scenario.between(2, 4);
    for number in 0..namespaces {
        scenario.namespace(&format!("n{number}"));
    }
    let count = scenario.between(14, 30);
    let mut links = Links { scenario, namespaces, known: Vec::new(), named: 0 };
    for _ in 0..count {
        links.change();
    }
    let known = links.known.clone();
    for link in known {
        let ns = format!("n{}", link.ns);
        scenario.probes_late(&ns, &link.name);
        scenario.note(&ns, &link.name);
    }
}

impl Links<'_> {
    fn name(&mut self, prefix: &str) -> String {
        self.named += 1;
        format!("{prefix}{}", self.named)
    }

    fn any(&mut self) -> Option<(usize, Known)> {
        let at = self.scenario.below(self.known.len());
        self.known.get(at).map(|link| (at, link.clone()))
    }

    fn of(&mut self, kinds: &[Kind]) -> Option<Known> {
        let fitting: Vec<Known> =
            self.known.iter().filter(|link| kinds.contains(&link.kind)).cloned().collect();
        fitting.get(self.scenario.below(fitting.len())).cloned()
    }

    fn change(&mut self) {
        let uml = !self.scenario.running;
        match self.scenario.below(30) {
            0..=4 => self.add_veth(),
            5..=6 => self.add_bridge(),
            7..=9 => self.add_on("macvlan"),
            10 if uml => self.add_on("vlan"),
            11 if uml => self.add_dummy(),
            10..=12 => self.enslave(),
            13..=15 => self.up_or_down(),
            16..=18 => self.add_address(),
            19 => self.rename(),
            20 => self.move_away(),
            21 => self.delete(),
            22..=25 => self.property(),
            _ => self.refused(),
        }
    }

    fn maybe_up(&mut self, ns: usize, name: &str) {
        if !self.scenario.once_in(5) {
            self.scenario.line(format!("ip -n n{ns} link set {name} up"));
        }
    }

    fn add_veth(&mut self) {
        let (one, two) = (self.name("v"), self.name("v"));
        let (ns, other) = (self.scenario.below(self.namespaces), self.scenario.below(self.namespaces));
        let (mac, peer_mac) = (self.scenario.mac(), self.scenario.mac());
        self.scenario.line(format!(
            "ip link add {one} netns n{ns} address {mac} type veth peer name {two} netns n{other} address {peer_mac}"
        ));
        for (ns, name) in [(ns, one), (other, two)] {
            self.maybe_up(ns, &name);
            self.known.push(Known { ns, name, kind: Kind::Veth });
        }
    }

    fn add_bridge(&mut self) {
        let (name, ns, mac) = (self.name("br"), self.scenario.below(self.namespaces), self.scenario.mac());
        let options = self.scenario.one(&["", "", " stp_state 0", " ageing_time 25000", " mcast_snooping 0"]);
        let address = if self.scenario.once_in(3) { String::new() } else { format!(" address {mac}") };
        self.scenario.line(format!("ip -n n{ns} link add {name}{address} type bridge{options}"));
        if !self.scenario.once_in(4) {
            self.scenario.line(format!("ip -n n{ns} link set {name} up"));
            self.scenario.line("sleep 2.3");
        }
        self.known.push(Known { ns, name, kind: Kind::Bridge });
    }

    /// A macvlan or VLAN on some device.
    fn add_on(&mut self, kind: &str) {
        let lowers = [Kind::Veth, Kind::Veth, Kind::Bridge, Kind::Dummy, Kind::Macvlan];
        let Some(lower) = self.of(&lowers) else { return self.add_veth() };
        let (name, mac, ns) =
            (self.name(if kind == "vlan" { "w" } else { "m" }), self.scenario.mac(), lower.ns);
        let options = match kind {
            "vlan" => {
                let id = self.scenario.between(1, 4);
                let more = self.scenario.one(&[
                    "",
                    "",
                    " reorder_hdr off",
                    " loose_binding on",
                    " protocol 802.1ad",
                ]);
                format!("type vlan id {id}{more}")
            }
            _ => {
                let modes =
                    ["bridge", "bridge", "vepa", "private", "source", "passthru", "passthru nopromisc"];
                format!("address {mac} type macvlan mode {}", self.scenario.one(&modes))
            }
        };
        self.scenario.line(format!("ip -n n{ns} link add link {} name {name} {options}", lower.name));
        let other = self.scenario.below(self.namespaces * 2);
        let moves = kind == "macvlan" && other < self.namespaces && other != ns;
        let home = if moves { other } else { ns };
        if moves {
            self.scenario.line(format!("ip -n n{ns} link set {name} netns n{other}"));
        }
        self.maybe_up(home, &name);
        let kind = if kind == "vlan" { Kind::Vlan } else { Kind::Macvlan };
        self.known.push(Known { ns: home, name, kind });
    }

    fn add_dummy(&mut self) {
        let (name, ns, mac) = (self.name("d"), self.scenario.below(self.namespaces), self.scenario.mac());
        self.scenario.line(format!("ip -n n{ns} link add {name} address {mac} type dummy"));
        self.maybe_up(ns, &name);
        self.known.push(Known { ns, name, kind: Kind::Dummy });
    }

    fn enslave(&mut self) {
        let Some(bridge) = self.of(&[Kind::Bridge]) else { return self.add_bridge() };
        let ports: Vec<Known> = self
            .known
            .iter()
            .filter(|link| link.ns == bridge.ns && link.kind != Kind::Bridge)
            .cloned()
            .collect();
        let Some(port) = ports.get(self.scenario.below(ports.len())) else { return };
        let (ns, port) = (bridge.ns, &port.name);
        if self.scenario.once_in(6) {
            self.scenario.line(format!("ip -n n{ns} link set {port} nomaster"));
        } else {
            self.scenario.line(format!("ip -n n{ns} link set {port} master {}", bridge.name));
        }
    }

    fn up_or_down(&mut self) {
        let Some((_, link)) = self.any() else { return };
        let state = self.scenario.one(&["up", "up", "down"]);
        self.scenario.line(format!("ip -n n{} link set {} {state}", link.ns, link.name));
        if link.kind == Kind::Bridge {
            self.scenario.line("sleep 2.3");
        }
    }

    fn add_address(&mut self) {
        let Some((_, link)) = self.any() else { return };
        let net = self.scenario.between(1, 2);
        self.scenario.address(&format!("n{}", link.ns), &link.name, net, None);
    }

    fn rename(&mut self) {
        let Some((at, link)) = self.any() else { return };
        let name = self.name("r");
        self.scenario.line(format!("ip -n n{} link set {} name {name}", link.ns, link.name));
        // A device that is up is not renamed.
        self.known[at].name = name;
    }

    fn move_away(&mut self) {
        let Some((at, link)) = self.any() else { return };
        if matches!(link.kind, Kind::Bridge | Kind::Vlan) {
            return;
        }
        let to = self.scenario.below(self.namespaces);
        // The link watch has seen what was before.
        self.scenario.line("sleep 1.2");
        self.scenario.line(format!("ip -n n{} link set {} netns n{to}", link.ns, link.name));
        self.known[at].ns = to;
    }

    fn delete(&mut self) {
        let Some((at, link)) = self.any() else { return };
        self.scenario.line(format!("ip -n n{} link del {}", link.ns, link.name));
        if link.kind != Kind::Veth {
            self.known.remove(at);
        }
    }

    fn property(&mut self) {
        let Some((_, link)) = self.any() else { return };
        let mac = self.scenario.mac();
        let (ns, name) = (link.ns, link.name);
        let command = match self.scenario.below(14) {
            0 => format!("ip -n n{ns} link set {name} mtu 1400"),
            1 => format!("ip -n n{ns} link set {name} mtu 60"),
            2 => format!("ip -n n{ns} link set {name} address {mac}"),
            3 => format!("ip -n n{ns} link set {name} promisc on"),
            4 => format!("ip -n n{ns} link set {name} promisc off"),
            5 => format!("ip -n n{ns} link set {name} allmulticast on"),
            6 => format!("ip -n n{ns} link set {name} txqueuelen 50"),
            7 => format!("ip -n n{ns} link set {name} alias here"),
            8 | 9 => {
                let flag =
                    self.scenario.one(&["hairpin on", "isolated on", "learning off", "flood off", "cost 7"]);
                format!("bridge -n n{ns} link set dev {name} {flag}")
            }
            10 | 11 => {
                let how = self.scenario.one(&["", " master", " master static", " self", " local"]);
                let what = self.scenario.one(&["add", "append", "replace", "del"]);
                format!("bridge -n n{ns} fdb {what} {mac} dev {name}{how}")
            }
            12 => {
                let mode = self.scenario.one(&["bridge", "private", "passthru", "vepa", "source"]);
                format!("ip -n n{ns} link set {name} type macvlan mode {mode}")
            }
            _ => {
                let option = self.scenario.one(&[
                    "ageing_time 20000",
                    "group_fwd_mask 8",
                    "mcast_snooping 0",
                    "priority 100",
                ]);
                format!("ip -n n{ns} link set {name} type bridge {option}")
            }
        };
        self.scenario.line(&command);
        if command.contains("mcast_snooping") {
            // It leaves its groups, and says so twice within a second.
            self.scenario.line("sleep 2.3");
        }
    }

    /// A command that Linux refuses, mostly.
    fn refused(&mut self) {
        let Some((_, link)) = self.any() else { return };
        let Some((_, other)) = self.any() else { return };
        let (ns, name, other) = (link.ns, link.name, other.name);
        let command = match self.scenario.below(14) {
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
        self.scenario.line(command);
    }
}
