//! Host names and addresses as the C library's resolver takes them: `inet_aton`, `/etc/hosts`, name servers.
//!
//! * [`settings`] `/etc/resolv.conf`
//! * [`stub`] questions to name servers

mod settings;
pub(crate) mod stub;

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::{Address, SocketKind};
use hairpin_wire::dns::{Data, Record, kind};

pub(crate) use settings::Settings;
use stub::Failure;

use crate::c_number::{integer, is_space};
use crate::{Program, Shell};

const HOSTS: &str = "/etc/hosts";
/// More of a hosts file is not read.
const HOSTS_LIMIT: u64 = 16 << 20;
/// The port that is asked about where only a route is wanted.
const PROBE_PORT: u16 = 53;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub address: Ipv4Addr,
    /// The first name of its line in the hosts file, or where its aliases lead; for a number the text itself.
    pub canonical: String,
}

/// What a name stands for in IPv6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host6 {
    pub address: Ipv6Addr,
    /// Behind a `%`: a device's name or index.
    pub device: Option<String>,
    pub canonical: String,
}

/// What a name stands for where either family will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    V4(Host),
    V6(Host6),
}

/// Why `getaddrinfo` finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unresolved {
    /// `EAI_NONAME`
    NotKnown,
    /// `EAI_NODATA`: the name is there, but has no such address.
    NoAddress,
    /// `EAI_AGAIN`: no name server answers.
    TryAgain,
    /// `EAI_ADDRFAMILY`: it is an address of the other family.
    OtherFamily,
}

impl Unresolved {
    /// What `gai_strerror` says.
    pub fn text(self) -> &'static str {
        match self {
            Unresolved::NotKnown => "Name or service not known",
            Unresolved::NoAddress => "No address associated with hostname",
            Unresolved::TryAgain => "Temporary failure in name resolution",
            Unresolved::OtherFamily => "Address family for hostname not supported",
        }
    }
}

impl From<Failure> for Unresolved {
    fn from(failure: Failure) -> Unresolved {
        match failure {
            Failure::NoName => Unresolved::NotKnown,
            Failure::NoData => Unresolved::NoAddress,
            Failure::TryAgain | Failure::Interrupted => Unresolved::TryAgain,
        }
    }
}

/// `getaddrinfo` for either family: numbers in every form of [`inet_aton`], then the hosts file, then name servers. Of
/// several addresses the one that is tried first.
pub(crate) fn lookup(program: &mut Program<'_>, name: &str) -> Result<Target, Unresolved> {
    if let Some(host) = number(name) {
        return Ok(Target::V4(host));
    }
    if let Some(host) = number6(name) {
        return Ok(Target::V6(host));
    }
    let hosts = hosts(program.shell);
    if let Some(host) = in_hosts(&hosts, name) {
        return Ok(Target::V4(host));
    }
    if let Some(host) = in_hosts6(&hosts, name) {
        return Ok(Target::V6(host));
    }
    // RFC 6761, 6.3: localhost is the loopback address whatever the files say.
    if name.eq_ignore_ascii_case("localhost") {
        return Ok(Target::V4(Host { address: Ipv4Addr::LOCALHOST, canonical: name.to_owned() }));
    }
    let records = ask(program, name, &[kind::A, kind::AAAA])?;
    match (of_ipv4(&records, name), of_ipv6(&records, name)) {
        (Some(v4), Some(v6)) => match prefers_ipv6(program, v4.address, v6.address) {
            true => Ok(Target::V6(v6)),
            false => Ok(Target::V4(v4)),
        },
        (Some(v4), None) => Ok(Target::V4(v4)),
        (None, Some(v6)) => Ok(Target::V6(v6)),
        (None, None) => Err(Unresolved::NoAddress),
    }
}

/// Which addresses `getaddrinfo` is asked for (`ai_family`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Families {
    #[default]
    Any,
    Ipv4,
    Ipv6,
}

/// An address of a host, and the device without which it says nothing (0: none).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub address: IpAddr,
    pub scope: u32,
}

impl Place {
    /// A port there.
    pub fn end(self, port: u16) -> Address {
        match self.address {
            IpAddr::V4(address) => Address::Ipv4 { address, port },
            IpAddr::V6(address) => Address::Ipv6 { address, port, scope: self.scope },
        }
    }
}

impl From<IpAddr> for Place {
    fn from(address: IpAddr) -> Place {
        Place { address, scope: 0 }
    }
}

/// `getaddrinfo`: every address of a name, in the order in which they are tried; at least one.
pub(crate) fn addresses(
    program: &mut Program<'_>,
    name: &str,
    families: Families,
) -> Result<Vec<Place>, Unresolved> {
    if let Some(host) = number6(name) {
        if families == Families::Ipv4 {
            return Err(Unresolved::OtherFamily);
        }
        let scope = match &host.device {
            None => 0,
            Some(device) => device_index(program, device).ok_or(Unresolved::NotKnown)?,
        };
        return Ok(vec![Place { address: host.address.into(), scope }]);
    }
    match families {
        Families::Ipv4 => {
            return lookup_ipv4(program, name).map(|host| vec![IpAddr::V4(host.address).into()]);
        }
        Families::Ipv6 => {
            return lookup_ipv6(program, name).map(|host| vec![IpAddr::V6(host.address).into()]);
        }
        Families::Any => {}
    }
    if let Some(host) = number(name) {
        return Ok(vec![IpAddr::V4(host.address).into()]);
    }
    let of_hosts = hosts(program.shell).into_iter().filter(|entry| entry.is_called(name));
    let mut found: Vec<IpAddr> = of_hosts.map(|entry| entry.address).collect();
    if found.is_empty() && name.eq_ignore_ascii_case("localhost") {
        found.push(Ipv4Addr::LOCALHOST.into());
    }
    if found.is_empty() {
        let records = ask(program, name, &[kind::A, kind::AAAA])?;
        found.extend(records.iter().filter_map(|record| match record.data {
            Data::A(address) => Some(IpAddr::V4(address)),
            Data::Aaaa(address) => Some(IpAddr::V6(address)),
            _ => None,
        }));
    }
    let mut known = Vec::with_capacity(found.len());
    for address in found {
        if !known.contains(&address) {
            known.push(address);
        }
    }
    let first4 = known.iter().find_map(|address| if let IpAddr::V4(v4) = address { Some(*v4) } else { None });
    let first6 = known.iter().find_map(|address| if let IpAddr::V6(v6) = address { Some(*v6) } else { None });
    if let (Some(v4), Some(v6)) = (first4, first6) {
        let prefers = prefers_ipv6(program, v4, v6);
        known.sort_by_key(|address| address.is_ipv6() != prefers);
    }
    match known.is_empty() {
        true => Err(Unresolved::NoAddress),
        false => Ok(known.into_iter().map(Place::from).collect()),
    }
}

/// The number of a device by its name, or the number itself (`if_nametoindex`).
fn device_index(program: &mut Program<'_>, device: &str) -> Option<u32> {
    let devices = crate::interfaces::Interfaces::dump(program.system).ok()?;
    devices.by_name(device).map(crate::interfaces::Interface::index).or_else(|| device.parse().ok())
}

/// Whether a name is an address: what `AI_NUMERICHOST` takes.
pub(crate) fn is_number(name: &str) -> bool {
    number(name).is_some() || number6(name).is_some()
}

/// `getaddrinfo` where only IPv6 is asked for.
pub(crate) fn lookup_ipv6(program: &mut Program<'_>, name: &str) -> Result<Host6, Unresolved> {
    if let Some(host) = number6(name) {
        return Ok(host);
    }
    if inet_aton(name).is_some() {
        return Err(Unresolved::OtherFamily);
    }
    let hosts = hosts(program.shell);
    if let Some(host) = in_hosts6(&hosts, name) {
        return Ok(host);
    }
    if name.eq_ignore_ascii_case("localhost") {
        return Ok(Host6 { address: Ipv6Addr::LOCALHOST, device: None, canonical: name.to_owned() });
    }
    if in_hosts(&hosts, name).is_some() {
        return Err(Unresolved::OtherFamily);
    }
    let records = ask(program, name, &[kind::AAAA])?;
    of_ipv6(&records, name).ok_or(Unresolved::NoAddress)
}

/// `getaddrinfo` where only IPv4 is asked for: what looks like a wrong number then is not taken for a name.
pub(crate) fn lookup_ipv4(program: &mut Program<'_>, name: &str) -> Result<Host, Unresolved> {
    if let Some(host) = number(name) {
        return Ok(host);
    }
    let is_number = name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && !name.ends_with('.');
    if is_number {
        return Err(Unresolved::NotKnown);
    }
    if number6(name).is_some() {
        return Err(Unresolved::OtherFamily);
    }
    let hosts = hosts(program.shell);
    if let Some(host) = in_hosts(&hosts, name) {
        return Ok(host);
    }
    // The loopback address of a hosts file serves both families (glibc, nss/nss_files/files-hosts.c).
    if let Some(host) = in_hosts6(&hosts, name) {
        return match host.address {
            Ipv6Addr::LOCALHOST => Ok(Host { address: Ipv4Addr::LOCALHOST, canonical: host.canonical }),
            _ => Err(Unresolved::OtherFamily),
        };
    }
    if name.eq_ignore_ascii_case("localhost") {
        return Ok(Host { address: Ipv4Addr::LOCALHOST, canonical: name.to_owned() });
    }
    let records = ask(program, name, &[kind::A])?;
    of_ipv4(&records, name).ok_or(Unresolved::NoAddress)
}

fn number(name: &str) -> Option<Host> {
    let address = inet_aton(name).filter(|_| !name.ends_with(|last: char| last.is_ascii_whitespace()))?;
    Some(Host { address, canonical: name.to_owned() })
}

fn number6(name: &str) -> Option<Host6> {
    let (number, device) =
        name.split_once('%').map_or((name, None), |(number, device)| (number, Some(device)));
    let address: Ipv6Addr = number.parse().ok()?;
    // `__inet6_scopeid_pton`: elsewhere only a number will do.
    let on_link =
        address.is_unicast_link_local() || matches!(address.octets(), [0xff, flags, ..] if flags & 15 == 2);
    if device.is_some_and(|device| !on_link && device.parse::<u32>().is_err()) {
        return None;
    }
    Some(Host6 { address, device: device.map(str::to_owned), canonical: name.to_owned() })
}

fn in_hosts(hosts: &[Entry], name: &str) -> Option<Host> {
    let (address, canonical) = hosts.iter().filter(|entry| entry.is_called(name)).find_map(Entry::ipv4)?;
    Some(Host { address, canonical: canonical.to_owned() })
}

fn in_hosts6(hosts: &[Entry], name: &str) -> Option<Host6> {
    hosts.iter().filter(|entry| entry.is_called(name)).find_map(|entry| match entry.address {
        IpAddr::V6(address) => Some(Host6 { address, device: None, canonical: entry.names.first()?.clone() }),
        IpAddr::V4(_) => None,
    })
}

/// Records of a name that can be one.
fn ask(program: &mut Program<'_>, name: &str, kinds: &[u16]) -> Result<Vec<Record>, Unresolved> {
    if !is_domain_name(name) {
        return Err(Unresolved::NotKnown);
    }
    Ok(stub::search(program, name, kinds)?)
}

fn of_ipv4(records: &[Record], name: &str) -> Option<Host> {
    records.iter().find_map(|record| match record.data {
        Data::A(address) => Some(Host { address, canonical: canonical(records, record, name) }),
        _ => None,
    })
}

fn of_ipv6(records: &[Record], name: &str) -> Option<Host6> {
    records.iter().find_map(|record| match record.data {
        Data::Aaaa(address) => {
            Some(Host6 { address, device: None, canonical: canonical(records, record, name) })
        }
        _ => None,
    })
}

/// The name that an address belongs to: below a domain of the search list that is a longer one than was asked for.
fn canonical(records: &[Record], of: &Record, name: &str) -> String {
    match records.iter().any(|record| record.kind == kind::CNAME) {
        true => stub::canonical(records, name),
        false => of.name.clone(),
    }
}

/// Which of two addresses comes first (RFC 6724, section 6, rules 1, 2, 5 and 6).
fn prefers_ipv6(program: &mut Program<'_>, v4: Ipv4Addr, v6: Ipv6Addr) -> bool {
    let source6 = source_for(program, Address::Ipv6 { address: v6, port: PROBE_PORT, scope: 0 });
    let source4 = source_for(program, Address::Ipv4 { address: v4, port: PROBE_PORT });
    let Some(Address::Ipv6 { address: source, .. }) = source6 else { return false };
    if source4.is_none() {
        return true;
    }
    let is_local = |address: Ipv6Addr| address.is_unicast_link_local() || address.is_loopback();
    let is_unique_local = |address: Ipv6Addr| address.is_unique_local();
    // Scopes that do not fit, labels that differ; of what is left IPv6 has the higher precedence, unless it is unique
    // local.
    is_local(source) == is_local(v6) && is_unique_local(source) == is_unique_local(v6) && !is_unique_local(v6)
}

/// The source address of packets to there, if there is a way.
fn source_for(program: &mut Program<'_>, to: Address) -> Option<Address> {
    let kind = if matches!(to, Address::Ipv6 { .. }) { SocketKind::UdpIpv6 } else { SocketKind::UdpIpv4 };
    let socket = program.system.socket(kind).ok()?;
    let connected = program.system.connect(socket, to);
    let source = connected.ok().and_then(|()| program.system.local_address(socket).ok());
    let _ = program.system.close(socket);
    source
}

/// `getnameinfo`: the name of an address, of the hosts file or a name server, or the address itself where it has none.
/// Nothing where no name server answers.
pub(crate) fn name_of(program: &mut Program<'_>, address: impl Into<IpAddr>) -> Option<String> {
    let address = address.into();
    if let Some(name) = name_in_files(program.shell, address) {
        return Some(name);
    }
    match stub::reverse(program, address) {
        Ok(name) => Some(name),
        Err(Failure::NoName | Failure::NoData) => Some(address.to_string()),
        Err(Failure::TryAgain | Failure::Interrupted) => None,
    }
}

/// The same by the hosts file alone.
pub(crate) fn name_in_files(shell: &mut dyn Shell, address: IpAddr) -> Option<String> {
    hosts(shell).into_iter().find(|entry| entry.address == address)?.names.into_iter().next()
}

/// One to four numbers, decimal, octal or hexadecimal; the last fills what is left (`10.1` is 10.0.0.1).
pub(crate) fn inet_aton(text: &str) -> Option<Ipv4Addr> {
    let mut rest = text;
    let mut address = 0u32;
    for position in 0..4u32 {
        if !rest.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        let number = integer(rest, 0);
        let value = u32::try_from(number.magnitude).ok()?;
        rest = rest.get(number.length..)?;
        if let Some(next) = rest.strip_prefix('.') {
            if value > 255 || position == 3 {
                return None;
            }
            address |= value << (24 - 8 * position);
            rest = next;
            continue;
        }
        let end = rest.is_empty() || rest.bytes().next().is_some_and(is_space);
        let room = u32::MAX >> (8 * position);
        return (end && value <= room).then(|| Ipv4Addr::from(address | value));
    }
    None
}

/// A line of the hosts file.
struct Entry {
    address: IpAddr,
    names: Vec<String>,
}

impl Entry {
    fn is_called(&self, name: &str) -> bool {
        self.names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Its address and first name, if it is of IPv4.
    fn ipv4(&self) -> Option<(Ipv4Addr, &str)> {
        match self.address {
            IpAddr::V4(address) => Some((address, self.names.first()?)),
            IpAddr::V6(_) => None,
        }
    }
}

/// The IPv4 address of a name in the hosts file.
pub(crate) fn ipv4_in_files(shell: &mut dyn Shell, name: &str) -> Option<Ipv4Addr> {
    in_hosts(&hosts(shell), name).map(|host| host.address)
}

/// The lines of the hosts file with an IPv4 address, with their names.
pub(crate) fn hosts_ipv4(shell: &mut dyn Shell) -> Vec<(Ipv4Addr, Vec<String>)> {
    let of_ipv4 = |entry: Entry| match entry.address {
        IpAddr::V4(address) => Some((address, entry.names)),
        IpAddr::V6(_) => None,
    };
    hosts(shell).into_iter().filter_map(of_ipv4).collect()
}

fn hosts(shell: &mut dyn Shell) -> Vec<Entry> {
    let mut text = Vec::new();
    if let Ok(file) = shell.open(HOSTS) {
        // What cannot be read is a file without entries, as for the C library.
        let _ = file.take(HOSTS_LIMIT).read_to_end(&mut text);
    }
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or(""));
    lines
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            let address = words.next()?.parse().ok()?;
            Some(Entry { address, names: words.map(str::to_owned).collect() })
        })
        .collect()
}

/// Whether a name server could be asked for it: labels of 1 to 63 bytes, 253 in all (RFC 1035, 2.3.4), of
/// letters, digits, hyphens and underscores.
fn is_domain_name(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(known);
    let labels = name.strip_suffix('.').unwrap_or(name);
    name == "." || (labels.len() <= 253 && labels.split('.').all(is_label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_inet_aton() {
        let cases = [
            ("10.1", Some([10, 0, 0, 1])),
            ("0", Some([0, 0, 0, 0])),
            ("127.1", Some([127, 0, 0, 1])),
            ("0x7f.1", Some([127, 0, 0, 1])),
            ("10.1.258", Some([10, 1, 1, 2])),
            ("010.0.0.1", Some([8, 0, 0, 1])),
            ("4294967295", Some([255, 255, 255, 255])),
            ("4294967296", None),
            ("1.2.3.4 x", Some([1, 2, 3, 4])),
            ("1.2.3.256", None),
            ("1.2.3.4.5", None),
            ("256.1", None),
            ("1.", None),
            ("", None),
            ("a", None),
            ("-1", None),
        ];
        for (text, address) in cases {
            assert_eq!(inet_aton(text), address.map(Ipv4Addr::from), "{text}");
        }
    }

    #[test]
    fn impossible_names_are_not_asked_for() {
        assert!(is_domain_name("foo.bar."));
        assert!(is_domain_name("."));
        assert!(!is_domain_name("foo bar"));
        assert!(!is_domain_name(""));
        assert!(!is_domain_name("foo..bar"));
        assert!(!is_domain_name(&"x".repeat(64)));
    }
}
