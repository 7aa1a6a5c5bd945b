//! Names of protocols, services and addresses, as the C library's databases have them.

use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::netfilter::{Family, Network};

use super::fail::Fail;
use crate::{Shell, resolver};

/// More of a file of names is not read.
const LIMIT: u64 = 1 << 20;

/// Protocols by name (IANA, as Debian's `/etc/protocols` spells them), then other names of libxtables.
pub(crate) const PROTOCOLS: &[(&str, u8)] = &[
    ("icmp", 1),
    ("igmp", 2),
    ("ggp", 3),
    ("ipencap", 4),
    ("st", 5),
    ("tcp", 6),
    ("egp", 8),
    ("igp", 9),
    ("pup", 12),
    ("udp", 17),
    ("hmp", 20),
    ("xns-idp", 22),
    ("rdp", 27),
    ("iso-tp4", 29),
    ("dccp", 33),
    ("xtp", 36),
    ("ddp", 37),
    ("idpr-cmtp", 38),
    ("ipv6", 41),
    ("ipv6-route", 43),
    ("ipv6-frag", 44),
    ("idrp", 45),
    ("rsvp", 46),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("skip", 57),
    ("ipv6-icmp", 58),
    ("ipv6-nonxt", 59),
    ("ipv6-opts", 60),
    ("rspf", 73),
    ("vmtp", 81),
    ("eigrp", 88),
    ("ospf", 89),
    ("ax.25", 93),
    ("ipip", 94),
    ("etherip", 97),
    ("encap", 98),
    ("pim", 103),
    ("ipcomp", 108),
    ("vrrp", 112),
    ("l2tp", 115),
    ("isis", 124),
    ("sctp", 132),
    ("fc", 133),
    ("mobility-header", 135),
    ("udplite", 136),
    ("mpls-in-ip", 137),
    ("manet", 138),
    ("hip", 139),
    ("shim6", 140),
    ("wesp", 141),
    ("rohc", 142),
    ("ethernet", 143),
    ("icmpv6", 58),
    ("mh", 135),
    ("ipv6-mh", 135),
    ("all", 0),
];

/// The databases, read when first asked for.
pub(super) struct Names<'a> {
    pub shell: &'a mut dyn Shell,
    pub family: Family,
    /// The kernel's sets and their families; `None` where nobody has asked it.
    pub sets: Option<Vec<(String, Option<Family>)>>,
    services: Option<Vec<Service>>,
}

struct Service {
    name: String,
    port: u16,
    protocol: String,
}

impl<'a> Names<'a> {
    pub fn new(shell: &'a mut dyn Shell, family: Family) -> Self {
        Names { shell, family, sets: None, services: None }
    }

    fn file(&mut self, path: &str) -> String {
        let mut text = String::new();
        if let Ok(file) = self.shell.open(path) {
            let _ = file.take(LIMIT).read_to_string(&mut text);
        }
        text
    }

    fn services(&mut self) -> &[Service] {
        if self.services.is_none() {
            let text = self.file("/etc/services");
            let mut services = Vec::new();
            for line in text.lines() {
                let mut words = line.split('#').next().unwrap_or("").split_whitespace();
                let (Some(name), Some(place)) = (words.next(), words.next()) else { continue };
                let Some((port, protocol)) = place.split_once('/') else { continue };
                let Ok(port) = port.parse() else { continue };
                for name in std::iter::once(name).chain(words) {
                    let (name, protocol) = (name.to_owned(), protocol.to_owned());
                    services.push(Service { name, port, protocol });
                }
            }
            self.services = Some(services);
        }
        self.services.as_deref().unwrap_or(&[])
    }

    /// `xtables_parse_protocol`
    pub fn parse_protocol(&self, text: &str) -> Result<u8, Fail> {
        let name = text.to_lowercase();
        if let Some(number) = number(&name, u64::from(u8::MAX)) {
            return Ok(number as u8);
        }
        if name == "all" {
            return Ok(0);
        }
        let known = PROTOCOLS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
        known.ok_or_else(|| Fail::parameter(format!("unknown protocol \"{name}\" specified")))
    }

    /// The name of a protocol (`proto_to_name`).
    pub fn protocol(&self, number: u8) -> Option<String> {
        PROTOCOLS.iter().find(|(_, known)| *known == number).map(|(name, _)| (*name).to_owned())
    }

    /// `xtables_parse_port`
    pub fn parse_port(&mut self, text: &str, protocol: &str) -> Result<u16, Fail> {
        if let Some(port) = number(text, u64::from(u16::MAX)) {
            return Ok(port as u16);
        }
        let found = self.services().iter().find(|known| known.name == text && known.protocol == protocol);
        found
            .map(|known| known.port)
            .ok_or_else(|| Fail::parameter(format!("invalid port/service `{text}' specified")))
    }

    /// A port by its name, where it has one and names are wanted.
    pub fn port(&mut self, port: u16, protocol: &str, numeric: bool) -> String {
        if !numeric {
            let known = self.services().iter().find(|s| s.port == port && s.protocol == protocol);
            if let Some(known) = known {
                return known.name.clone();
            }
        }
        port.to_string()
    }

    /// The addresses of `-s` and `-d`: hosts and networks, parted by commas (`xtables_ipparse_multiple`).
    pub fn parse_networks(&mut self, text: &str, invert: bool) -> Result<Vec<Network>, Fail> {
        let mut networks: Vec<Network> = Vec::new();
        for part in text.split(',') {
            for network in self.parse_network(part, invert)? {
                // The same network twice is one.
                if !networks.contains(&network) {
                    networks.push(network);
                }
            }
        }
        Ok(networks)
    }

    fn parse_network(&mut self, text: &str, invert: bool) -> Result<Vec<Network>, Fail> {
        let (host, mask) = match text.rsplit_once('/') {
            Some((host, mask)) => (host, Some(mask)),
            None => (text, None),
        };
        let mask = match mask {
            Some(mask) => self.parse_mask(mask)?,
            None => mask_of(self.family, 128),
        };
        let hosts = if matches!(mask, IpAddr::V4(Ipv4Addr::UNSPECIFIED)) {
            vec![IpAddr::V4(Ipv4Addr::UNSPECIFIED)]
        } else {
            self.parse_hosts(host)?
        };
        Ok(hosts.into_iter().map(|host| Network { address: under(host, mask), mask, invert }).collect())
    }

    /// `parse_ipmask`
    pub fn parse_mask(&mut self, text: &str) -> Result<IpAddr, Fail> {
        let bad = || Fail::parameter(format!("invalid mask `{text}' specified"));
        let longest = if self.family == Family::Ipv4 { 32 } else { 128 };
        if let Ok(mask) = text.parse::<IpAddr>() {
            return match (mask, self.family) {
                (IpAddr::V4(_), Family::Ipv4) | (IpAddr::V6(_), Family::Ipv6) => Ok(mask),
                _ => Err(bad()),
            };
        }
        number(text, longest).map(|bits| mask_of(self.family, bits as u32)).ok_or_else(bad)
    }

    /// An address, or the addresses of a name.
    fn parse_hosts(&mut self, text: &str) -> Result<Vec<IpAddr>, Fail> {
        let missing = || Fail::parameter(format!("host/network `{text}' not found"));
        match self.family {
            Family::Ipv4 => {
                if let Some(address) = dotted(text) {
                    return Ok(vec![address.into()]);
                }
                let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                if text.is_empty() || digits {
                    return Err(missing());
                }
                // Name servers are not asked.
                let host = resolver::ipv4_in_files(self.shell, text).ok_or_else(missing)?;
                Ok(vec![host.into()])
            }
            Family::Ipv6 => {
                text.parse::<Ipv6Addr>().map(|address| vec![address.into()]).map_err(|_| missing())
            }
        }
    }

    /// One host, by its name if it must be (`xtopt_parse_host`).
    pub fn one_host(&mut self, text: &str) -> Result<IpAddr, Fail> {
        // Name servers are not asked.
        let why = match (text.parse::<IpAddr>(), self.family) {
            (Ok(IpAddr::V4(_)), Family::Ipv6) | (Ok(IpAddr::V6(_)), Family::Ipv4) => {
                "Address family for hostname not supported"
            }
            _ => "Temporary failure in name resolution",
        };
        let unknown = || Fail::parameter(format!("getaddrinfo: {why}\n"));
        match self.parse_hosts(text) {
            Ok(hosts) => hosts.first().copied().ok_or_else(unknown),
            Err(_) => Err(unknown()),
        }
    }

    /// `HOST[/MASK]`; a prefix longer than an address counts as its length (`xtopt_parse_hostmask`).
    pub fn parse_host_mask(&mut self, text: &str, invert: bool) -> Result<Network, Fail> {
        let (host, mask) = match text.rsplit_once('/') {
            Some((host, mask)) => (host, Some(mask)),
            None => (text, None),
        };
        let mask = match mask {
            None => mask_of(self.family, 128),
            Some(mask) => match number(mask, u64::from(u32::MAX)) {
                Some(bits) => mask_of(self.family, bits.min(128) as u32),
                None => self.parse_mask(mask)?,
            },
        };
        Ok(Network { address: self.one_host(host)?, mask, invert })
    }

    /// `LOW:HIGH` as ports of TCP, of which only the low bits are looked at (`xtopt_parse_mport`).
    pub fn parse_port_range(&mut self, text: &str) -> Result<(u16, u16), Fail> {
        let mut port = |part: &str, missing: u16| -> Result<u16, Fail> {
            if part.is_empty() {
                return Ok(missing);
            }
            // `xtables_getportbyname`, whose numbers glibc cuts to the length of a port.
            if part.bytes().all(|byte| byte.is_ascii_digit()) {
                return Ok(part.parse::<u64>().unwrap_or(u64::MAX) as u16);
            }
            let unknown = || Fail::parameter(format!("Port \"{part}\" does not resolve to anything.\n"));
            let known = self.services().iter().find(|known| known.name == part);
            known.map(|known| known.port).ok_or_else(unknown)
        };
        match text.split_once(':') {
            Some((low, high)) => Ok((port(low, 0)?, port(high, u16::MAX)?)),
            None => port(text, 0).map(|only| (only, only)),
        }
    }

    pub fn user_id(&mut self, name: &str) -> Option<u32> {
        self.account("/etc/passwd", |fields| fields.first() == Some(&name)).and_then(|(_, id)| id)
    }

    pub fn group_id(&mut self, name: &str) -> Option<u32> {
        self.account("/etc/group", |fields| fields.first() == Some(&name)).and_then(|(_, id)| id)
    }

    pub fn user(&mut self, id: u32) -> Option<String> {
        let id = id.to_string();
        self.account("/etc/passwd", |fields| fields.get(2) == Some(&id.as_str())).map(|(name, _)| name)
    }

    pub fn group(&mut self, id: u32) -> Option<String> {
        let id = id.to_string();
        self.account("/etc/group", |fields| fields.get(2) == Some(&id.as_str())).map(|(name, _)| name)
    }

    /// The name and id of the first line of a file whose fields are as wanted.
    fn account(&mut self, path: &str, wanted: impl Fn(&[&str]) -> bool) -> Option<(String, Option<u32>)> {
        let text = self.file(path);
        let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let fields = lines.find(|fields| wanted(fields))?;
        Some(((*fields.first()?).to_owned(), fields.get(2).and_then(|id| id.parse().ok())))
    }

    /// One address in digits (`xtables_numeric_to_ipaddr`).
    pub fn parse_address(&self, text: &str) -> Option<IpAddr> {
        match self.family {
            Family::Ipv4 => dotted(text).map(IpAddr::V4),
            Family::Ipv6 => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        }
    }

    /// An address with its mask as `-L` shows it.
    pub fn network(&mut self, network: Option<&Network>, numeric: bool) -> String {
        let Some(network) = network else {
            return match (numeric, self.family) {
                (false, _) => "anywhere".to_owned(),
                (true, Family::Ipv4) => "0.0.0.0/0".to_owned(),
                (true, Family::Ipv6) => "::/0".to_owned(),
            };
        };
        self.host(network.address, numeric) + &mask_text(network)
    }

    /// An address by its name, where it has one and names are wanted.
    pub fn host(&mut self, address: IpAddr, numeric: bool) -> String {
        if !numeric
            && let IpAddr::V4(address) = address
            && let Some(name) = resolver::name_in_files(self.shell, address.into())
        {
            return name;
        }
        address.to_string()
    }
}

/// One to four parts, as `xtables_numeric_to_ipaddr` takes them: those that are missing are 0 at the end.
fn dotted(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() > 4 {
        return None;
    }
    for (place, part) in octets.iter_mut().zip(&parts) {
        *place = number(part, 255)? as u8;
    }
    // A single number is no address.
    (parts.len() > 1).then(|| octets.into())
}

/// Behind an address: nothing for one host, else its mask.
pub(super) fn mask_text(network: &Network) -> String {
    let host = if network.mask.is_ipv4() { 32 } else { 128 };
    match network.prefix() {
        Some(bits) if bits == host => String::new(),
        Some(bits) => format!("/{bits}"),
        None => format!("/{}", network.mask),
    }
}

/// The mask of a prefix of so many bits (no more than the family's addresses have).
pub(super) fn mask_of(family: Family, bits: u32) -> IpAddr {
    match family {
        Family::Ipv4 => {
            let bits = bits.min(32);
            IpAddr::V4(u32::MAX.checked_shl(32 - bits).unwrap_or(0).into())
        }
        Family::Ipv6 => {
            let bits = bits.min(128);
            IpAddr::V6(u128::MAX.checked_shl(128 - bits).unwrap_or(0).into())
        }
    }
}

/// An address with the host part cleared.
pub(super) fn under(address: IpAddr, mask: IpAddr) -> IpAddr {
    match (address, mask) {
        (IpAddr::V4(address), IpAddr::V4(mask)) => IpAddr::V4((u32::from(address) & u32::from(mask)).into()),
        (IpAddr::V6(address), IpAddr::V6(mask)) => {
            IpAddr::V6((u128::from(address) & u128::from(mask)).into())
        }
        (address, _) => address,
    }
}

/// A number up to `max`, decimal, octal with a leading 0, or hexadecimal with 0x (`xtables_strtoul`).
pub(super) fn number(text: &str, max: u64) -> Option<u64> {
    let value = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(digits) if digits.starts_with(|first: char| first.is_ascii_hexdigit()) => {
            u64::from_str_radix(digits, 16)
        }
        Some(_) => return None,
        None if text.len() > 1 && text.starts_with('0') => u64::from_str_radix(text, 8),
        None if text.starts_with(|first: char| first.is_ascii_digit()) => text.parse(),
        None => return None,
    };
    value.ok().filter(|value| *value <= max)
}
