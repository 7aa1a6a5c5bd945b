//! From a world to the steps that build it.
//!
//! The wires come first, then the hosts with their NICs, then each host's configuration as the command lines a
//! user would type. The order within a host is fixed: bridges must be there before their ports, addresses
//! before the routes that need them. Devices stand behind `dev` or `name`: a bare `br` or `up` would be a keyword.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use crate::model::{Advertised, Bridge, Dns, DnsName, Host, LearnsFromIp, Nic, NicKind, SegmentKind, World};
use crate::words;

const BRIDGE_NETFILTER: &str = "br_netfilter";

/// The steps that build a world, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A wire. For the fields see [`crate::Segment`].
    Segment {
        name: String,
        kind: SegmentKind,
        pad: Option<u16>,
        trunk: Option<Vec<u16>>,
        gateway_learns_from_ip: Option<LearnsFromIp>,
    },
    /// A machine with nothing but `lo`, which is down.
    Host { name: String },
    /// A card, down, its plug in `segment`.
    Nic { host: String, name: String, kind: NicKind, mac: [u8; 6], segment: Option<String> },
    /// A command that must succeed.
    Command { host: String, argv: Vec<String> },
    /// A line for a shell, which must succeed.
    Shell { host: String, line: String },
    /// Packets the host itself sends from this address leave with this TTL.
    ReplyTtl { host: String, ip: IpAddr, ttl: u8 },
    /// The file `path` of this host has this content.
    File { host: String, path: String, text: String },
    /// The host answers questions about these names at its addresses.
    Dns { host: String, servers: Vec<IpAddr>, names: Vec<DnsName> },
    /// A device of the host advertises it as a router over IPv6.
    Advertise { host: String, advertised: Advertised },
}

/// The steps that build `world`.
pub fn plan(world: &World) -> Plan {
    let mut steps = Vec::new();
    for segment in &world.segments {
        steps.push(Step::Segment {
            name: segment.name.clone(),
            kind: segment.kind,
            pad: segment.pad,
            trunk: segment.trunk.clone(),
            gateway_learns_from_ip: segment.gateway_learns_from_ip.clone(),
        });
    }
    for host in &world.hosts {
        let mut on = On { host, steps: &mut steps };
        on.machine();
    }
    for host in &world.hosts {
        let mut on = On { host, steps: &mut steps };
        on.configuration();
    }
    Plan { steps }
}

/// Collects the steps of one host.
struct On<'a> {
    host: &'a Host,
    steps: &'a mut Vec<Step>,
}

impl On<'_> {
    fn machine(&mut self) {
        let host = self.host;
        self.steps.push(Step::Host { name: host.name.clone() });
        self.command(["ip", "link", "set", "dev", "lo", "up"]);
        for nic in &host.nics {
            self.steps.push(Step::Nic {
                host: host.name.clone(),
                name: nic.name.clone(),
                kind: nic.kind,
                mac: nic.mac,
                segment: nic.segment.clone(),
            });
        }
        for nic in &host.nics {
            if let Some(altname) = &nic.altname {
                self.command(["ip", "link", "property", "add", "dev", &nic.name, "altname", altname]);
            }
        }
    }

    fn configuration(&mut self) {
        let host = self.host;
        // Settings of bridges' netfilter are there with its module.
        let needed =
            host.sysctl.iter().any(|variable| variable.key.replace('/', ".").starts_with("net.bridge."));
        let implied =
            (needed && !host.modules.iter().any(|name| name == BRIDGE_NETFILTER)).then_some(BRIDGE_NETFILTER);
        for module in host.modules.iter().map(String::as_str).chain(implied) {
            self.command(["modprobe", module]);
        }
        for variable in &host.sysctl {
            self.sysctl(&variable.key, &variable.value);
        }
        let mut taken: BTreeSet<String> = host
            .bridges
            .iter()
            .map(|bridge| bridge.name.clone())
            .chain(host.nics.iter().map(|nic| nic.name.clone()))
            .collect();
        for (position, bridge) in host.bridges.iter().enumerate() {
            self.bridge(bridge, position, &mut taken);
        }
        for nic in &host.nics {
            self.nic(nic);
        }
        for address in &host.addresses {
            let base = ["ip", "addr", "add", &address.ip, "dev", &address.dev].map(str::to_owned);
            self.argv(base.into_iter().chain(address.opts.iter().cloned()));
        }
        for route in &host.routes {
            self.argv(["ip", "route", "add"].map(str::to_owned).into_iter().chain(route.iter().cloned()));
        }
        for rule in &host.iptables {
            self.argv(std::iter::once("iptables".to_owned()).chain(rule.iter().cloned()));
        }
        for answer in &host.answers {
            let length = if answer.ip.is_ipv4() { 32 } else { 128 };
            self.command(["ip", "addr", "add", &format!("{}/{length}", answer.ip), "dev", "lo"]);
            if let Some(ttl) = answer.ttl {
                // The gateway on the way takes one off.
                let ttl = ttl.saturating_add(1);
                self.steps.push(Step::ReplyTtl { host: host.name.clone(), ip: answer.ip, ttl });
            }
        }
        for file in &host.files {
            let (path, text) = (file.path.clone(), file.text.clone());
            self.steps.push(Step::File { host: host.name.clone(), path, text });
        }
        for line in &host.setup {
            match words::split_command(line) {
                Ok(argv) => self.argv(argv),
                Err(_) => self.steps.push(Step::Shell { host: host.name.clone(), line: line.clone() }),
            }
        }
        for advertised in &host.advertised {
            let advertised = advertised.clone();
            self.steps.push(Step::Advertise { host: host.name.clone(), advertised });
        }
        if let Some(dns) = &host.dns {
            self.dns(dns);
        }
    }

    fn bridge(&mut self, bridge: &Bridge, position: usize, taken: &mut BTreeSet<String>) {
        let name = bridge.name.as_str();
        self.command(["ip", "link", "add", "name", name, "type", "bridge"]);
        self.command(["ip", "link", "set", "dev", name, "up"]);
        if let Some(addr) = &bridge.addr {
            self.command(["ip", "addr", "add", addr, "dev", name]);
        }
        // A bridge that never had a port shows carrier as a new device does; one that has lost its last port has
        // none. Only a port that comes and goes tells the two apart.
        let Some(carrier) = bridge.carrier else { return };
        let port = port_name(name, position, taken);
        self.command(["ip", "link", "add", "name", &port, "type", "dummy"]);
        self.command(["ip", "link", "set", "dev", &port, "master", name, "up"]);
        if carrier {
            taken.insert(port);
        } else {
            self.command(["sleep", "0.2"]);
            self.command(["ip", "link", "del", "dev", &port]);
        }
    }

    fn nic(&mut self, nic: &Nic) {
        let name = nic.name.as_str();
        if !nic.ipv6 {
            // In a sysctl name a dot that is not a separator is written as a slash.
            self.sysctl(&format!("net.ipv6.conf.{}.disable_ipv6", name.replace('.', "/")), "1");
        }
        if let Some(mode) = nic.addrgenmode {
            self.command(["ip", "link", "set", "dev", name, "addrgenmode", mode.as_str()]);
        }
        if let Some(master) = &nic.master {
            self.command(["ip", "link", "set", "dev", name, "master", master]);
        }
        if nic.up {
            self.command(["ip", "link", "set", "dev", name, "up"]);
        }
    }

    fn sysctl(&mut self, key: &str, value: &str) {
        self.command(["sysctl", "-qw", &format!("{key}={value}")]);
    }

    fn command<const N: usize>(&mut self, argv: [&str; N]) {
        self.argv(argv.map(str::to_owned));
    }

    fn argv(&mut self, argv: impl IntoIterator<Item = String>) {
        let argv = argv.into_iter().collect();
        self.steps.push(Step::Command { host: self.host.name.clone(), argv });
    }

    fn dns(&mut self, dns: &Dns) {
        let names = dns.names.clone();
        let servers = dns.servers.clone();
        self.steps.push(Step::Dns { host: self.host.name.clone(), servers, names });
    }
}

/// The name of the device that gives the bridge at this position of its host carrier. It begins as the bridge's,
/// as far as IFNAMSIZ allows.
fn port_name(bridge: &str, position: usize, taken: &BTreeSet<String>) -> String {
    let end = bridge.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= 8).last();
    let stem = bridge.get(..end.unwrap_or(0)).unwrap_or_default();
    let mut name = format!("{stem}-p");
    for number in position.saturating_add(1).. {
        if !taken.contains(&name) {
            break;
        }
        name = format!("{stem}-p{number}");
    }
    name
}

/// A command line that a shell splits into these words.
fn quoted(argv: &[String]) -> String {
    let plain = |word: &String| {
        !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./:=,+@%!".contains(c))
    };
    let words: Vec<String> = argv
        .iter()
        .map(|word| if plain(word) { word.clone() } else { format!("'{}'", word.replace('\'', "'\\''")) })
        .collect();
    words.join(" ")
}

/// One line a step, for people.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segment { name, kind, pad, trunk, gateway_learns_from_ip } => {
                write!(f, "segment {name}: {}", kind.as_str())?;
                if let Some(pad) = pad {
                    write!(f, ", pad {pad}")?;
                }
                if let Some(trunk) = trunk {
                    write!(f, ", trunk {trunk:?}")?;
                }
                if let Some(learns) = gateway_learns_from_ip {
                    let LearnsFromIp { host, dev, prefix, prefix_len } = learns;
                    write!(f, ", {host} learns {prefix}/{prefix_len} on {dev} from IP")?;
                }
                Ok(())
            }
            Self::Host { name } => write!(f, "host {name}"),
            Self::Nic { host, name, kind, mac, segment } => {
                let [a, b, c, d, e, g] = mac;
                let of_kind = match kind {
                    NicKind::Ethernet => "",
                    NicKind::Infiniband => "InfiniBand ",
                };
                write!(f, "{host}: {of_kind}NIC {name} {a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")?;
                match segment {
                    Some(segment) => write!(f, " in {segment}"),
                    None => write!(f, " unplugged"),
                }
            }
            Self::Command { host, argv } => write!(f, "{host}: {}", quoted(argv)),
            Self::Shell { host, line } => write!(f, "{host}: {line}"),
            Self::ReplyTtl { host, ip, ttl } => write!(f, "{host}: packets from {ip} leave with ttl {ttl}"),
            Self::File { host, path, text } => write!(f, "{host}: file {path}, {} bytes", text.len()),
            Self::Dns { host, servers, names } => {
                let servers: Vec<String> = servers.iter().map(ToString::to_string).collect();
                write!(f, "{host}: DNS server at {}, {} names", servers.join(", "), names.len())
            }
            Self::Advertise { host, advertised } => {
                let prefixes: Vec<String> =
                    advertised.prefixes.iter().map(|(prefix, length)| format!("{prefix}/{length}")).collect();
                write!(f, "{host}: {} advertises {}", advertised.dev, prefixes.join(", "))
            }
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}
