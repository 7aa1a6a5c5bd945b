//! Random scenarios: a seed always gives the same script.
//!
//! A scenario is a topology around one kind of device ([`TOPOLOGIES`]), then what all of them share ([`talk`]): captures
//! on some devices, pings between all that have an address, changes and refused commands in between, and at the end
//! everything that can be looked at. To cover a new device add a file with a [`Topology`] and an entry to the list.
//!
//! Timing: what Linux does at times of its own must not fall together with a command. Carriers are looked at once a
//! second, a bridge reports its groups in its first second, an address is asked for three times a second apart.

mod bond;
mod bounds;
mod bpdus;
mod bridge;
mod brvlan;
mod chains;
mod corners;
mod edges;
mod fdb;
mod firewall;
mod frames;
mod groups;
mod ipv6;
mod ipvlan;
mod kinds;
mod lan;
mod links;
mod macvlan;
mod odds;
mod ports;
mod proxy;
mod pvid;
mod questions;
mod quiet;
mod reflect;
mod reports;
mod routed;
mod strange;
mod tags;
mod talk;
mod told;
mod tree;
mod tunnels;
mod twice;
mod vlan;
mod vrf;
mod vxlan;

use std::fmt::Write as _;

use super::script::Script;

/// A way to start a scenario.
pub struct Topology {
    /// What `--only` names.
    pub name: &'static str,
    /// The running kernel may lack its devices.
    pub needs_uml: bool,
    /// Writes the commands and notes what there is to talk about.
    pub build: fn(&mut Scenario),
}

/// Every topology.
pub const TOPOLOGIES: &[Topology] = &[
    bridge::TOPOLOGY,
    macvlan::TOPOLOGY,
    vlan::TOPOLOGY,
    routed::TOPOLOGY,
    links::TOPOLOGY,
    lan::TOPOLOGY,
    reflect::TOPOLOGY,
    fdb::TOPOLOGY,
    proxy::TOPOLOGY,
    tags::TOPOLOGY,
    ipvlan::TOPOLOGY,
    bond::TOPOLOGY,
    vxlan::TOPOLOGY,
    vrf::TOPOLOGY,
    brvlan::TOPOLOGY,
    tunnels::TOPOLOGY,
    kinds::TOPOLOGY,
    ipv6::TOPOLOGY,
    firewall::TOPOLOGY,
    ports::TOPOLOGY,
    twice::TOPOLOGY,
    chains::TOPOLOGY,
    edges::TOPOLOGY,
    corners::TOPOLOGY,
    tree::TOPOLOGY,
    groups::TOPOLOGY,
    quiet::TOPOLOGY,
    odds::TOPOLOGY,
    told::TOPOLOGY,
    pvid::TOPOLOGY,
    reports::TOPOLOGY,
    questions::TOPOLOGY,
    bpdus::TOPOLOGY,
    strange::TOPOLOGY,
    bounds::TOPOLOGY,
];

/// Whether a name is among those of a list with commas.
fn names(list: &str, name: &str) -> bool {
    list.split(',').any(|one| one == name)
}

/// The topologies of a list of names with commas, or all; `running` leaves out those that need User-Mode Linux.
///
/// # Errors
/// There is no topology of a name; the text is for the user.
pub fn topologies(only: Option<&str>, running: bool) -> Result<Vec<&'static Topology>, String> {
    let fits = |topology: &&Topology| {
        only.is_none_or(|list| names(list, topology.name)) && !(running && topology.needs_uml)
    };
    let unknown = |name: &&str| !TOPOLOGIES.iter().any(|topology| topology.name == *name);
    if let Some(name) = only.and_then(|list| list.split(',').find(unknown)) {
        let known: Vec<&str> = TOPOLOGIES.iter().map(|topology| topology.name).collect();
        return Err(format!("no topology '{name}'; there are: {}", known.join(", ")));
    }
    Ok(TOPOLOGIES.iter().filter(fits).collect())
}

/// The script of a seed, and the topology it starts with, one of [`topologies`].
///
/// # Errors
/// There is no topology of a name, or none is left.
pub fn script(seed: u64, only: Option<&str>, running: bool) -> Result<(Script, &'static str), String> {
    let topologies = topologies(only, running)?;
    let mut scenario = Scenario::new(seed);
    scenario.running = running;
    let at = scenario.below(topologies.len());
    let topology = topologies.get(at).ok_or("each of these topologies needs User-Mode Linux")?;
    (topology.build)(&mut scenario);
    if !scenario.talked {
        talk::talk(&mut scenario);
    }
    Ok((Script::new(&format!("{}-{seed}", topology.name), &scenario.text)?, topology.name))
}

/// Something with an address.
#[derive(Clone, Debug)]
pub struct Station {
    pub ns: String,
    pub dev: String,
    pub address: String,
    pub mac: Option<String>,
}

/// A link that may be changed, looked at, captured on.
#[derive(Clone, Debug)]
pub struct Link {
    pub ns: String,
    pub dev: String,
}

/// A script as it grows.
pub struct Scenario {
    state: u64,
    pub text: String,
    pub stations: Vec<Station>,
    /// IPv6 addresses, each with its namespace and device.
    pub six: Vec<(String, String, String)>,
    /// Links whose captures show no link header, by how their names start. A tap can share the frame's bytes with what
    /// comes after it (an ipvlan in l3 mode, a VRF, a router that puts fragments together), which writes its own header
    /// there: what a capture without a ring sees is chance.
    pub bare: &'static [&'static str],
    /// It talks in a way of its own.
    pub talked: bool,
    pub links: Vec<Link>,
    pub namespaces: Vec<String>,
    /// Commands of which some are run between two rounds of pings.
    pub changes: Vec<String>,
    /// Nothing that the running kernel may lack.
    pub running: bool,
    /// Jobs started so far, for their numbers.
    jobs: usize,
    macs: u32,
}

impl Scenario {
    fn new(seed: u64) -> Self {
        Scenario {
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            text: String::new(),
            stations: Vec::new(),
            six: Vec::new(),
            bare: &[],
            talked: false,
            links: Vec::new(),
            namespaces: Vec::new(),
            changes: Vec::new(),
            running: false,
            jobs: 0,
            macs: 0,
        }
    }

    fn next(&mut self) -> u64 {
        // xorshift64*
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    /// 0 up to, but not with, `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of.get(self.below(of.len())).copied().unwrap_or_default()
    }

    /// Some `count` of a list, in its order.
    pub fn some<T: Clone>(&mut self, of: &[T], count: usize) -> Vec<T> {
        let mut chosen = of.to_vec();
        while chosen.len() > count {
            let at = self.below(chosen.len());
            chosen.remove(at);
        }
        chosen
    }

    pub fn line(&mut self, line: impl AsRef<str>) {
        let _ = writeln!(self.text, "{}", line.as_ref());
    }

    pub fn namespace(&mut self, name: &str) {
        self.line(format!("ip netns add {name}"));
        if !self.once_in(3) {
            self.line(format!("ip -n {name} link set lo up"));
        }
        self.namespaces.push(name.to_owned());
    }

    /// A MAC that no other device of the script has.
    pub fn mac(&mut self) -> String {
        self.macs += 1;
        format!("02:00:00:00:{:02x}:{:02x}", self.macs / 200, self.macs % 200 + 1)
    }

    /// A veth pair, both up; returns the MACs.
    pub fn veth(&mut self, ns: &str, dev: &str, peer_ns: &str, peer: &str) -> (String, String) {
        let (one, two) = (self.mac(), self.mac());
        self.line(format!(
            "ip link add {dev} netns {ns} address {one} type veth peer name {peer} netns {peer_ns} address {two}"
        ));
        self.up(ns, dev);
        self.up(peer_ns, peer);
        (one, two)
    }

    /// Sets a link up and notes it.
    pub fn up(&mut self, ns: &str, dev: &str) {
        self.line(format!("ip -n {ns} link set {dev} up"));
        self.probes_late(ns, dev);
        self.note(ns, dev);
    }

    /// The wheel of the kernel's timers strikes those of one moment, 80 ms long, in the reverse order: what is probed
    /// five seconds after it was used comes in an order of its own. Named scripts look at such probes.
    pub fn probes_late(&mut self, ns: &str, dev: &str) {
        self.line(format!("ip netns exec {ns} sysctl -w net/ipv4/neigh/{dev}/delay_first_probe_time=600"));
    }

    pub fn note(&mut self, ns: &str, dev: &str) {
        self.links.push(Link { ns: ns.to_owned(), dev: dev.to_owned() });
    }

    /// Gives an address of a /24 and notes the station; once in a while a wrong subnet.
    pub fn address(&mut self, ns: &str, dev: &str, net: usize, mac: Option<&str>) {
        let number = self.stations.len() + 1;
        let wrong = if self.once_in(12) { 100 } else { 0 };
        let address = format!("10.0.{}.{number}", net + wrong);
        self.line(format!("ip -n {ns} addr add {address}/24 dev {dev}"));
        self.stations.push(Station {
            ns: ns.to_owned(),
            dev: dev.to_owned(),
            address,
            mac: mac.map(str::to_owned),
        });
    }

    /// Starts a capture; returns its job and its file.
    pub fn capture(&mut self, ns: &str, dev: &str) -> (usize, String) {
        self.capture_of(ns, dev, "")
    }

    /// The same for what an expression selects.
    pub fn capture_of(&mut self, ns: &str, dev: &str, expression: &str) -> (usize, String) {
        self.jobs += 1;
        let file = format!("{ns}.{dev}.{}.cap", self.jobs);
        let expression = if expression.is_empty() { String::new() } else { format!(" '{expression}'") };
        let header = if self.bare.iter().any(|start| dev.starts_with(start)) { "" } else { " -e" };
        self.line(format!(
            "ip netns exec {ns} tcpdump -l{header} -n -t -i {dev}{expression} >{file} 2>/dev/null &"
        ));
        (self.jobs, file)
    }

    /// Ends captures and shows what they saw.
    pub fn show(&mut self, captures: &[(usize, String)]) {
        let jobs: Vec<String> = captures.iter().map(|(job, _)| format!("%{job}")).collect();
        if !jobs.is_empty() {
            self.line(format!("kill {}", jobs.join(" ")));
            // Another program may go on.
            self.line(format!("wait {}", jobs.join(" ")));
        }
        for (_, file) in captures {
            self.line(format!("cat {file}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agree::shell::parse;

    #[test]
    fn a_seed_gives_one_script() {
        for topology in TOPOLOGIES {
            let of = |seed| script(seed, Some(topology.name), false).expect("a script").0.text;
            assert_eq!(of(7), of(7));
            assert_ne!(of(7), of(8));
        }
    }

    #[test]
    fn scripts_are_in_the_language_of_the_runner() {
        for seed in 0..200 {
            let (script, _) = script(seed, None, false).expect("a script");
            parse::parse(&script.text).unwrap_or_else(|error| panic!("{}: {error}", script.name));
        }
    }
}
