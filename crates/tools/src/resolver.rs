//! Host names and addresses as the C library's resolver takes them: `inet_aton`, `/etc/hosts`.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Shell;
use crate::c_number::{integer, is_space};

const HOSTS: &str = "/etc/hosts";
/// More of a hosts file is not read.
const HOSTS_LIMIT: u64 = 16 << 20;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub address: Ipv4Addr,
    /// The first name of its line in the hosts file; for a number the text itself.
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

/// Why `getaddrinfo` finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unresolved {
    /// `EAI_NONAME`
    NotKnown,
    /// `EAI_AGAIN`: no name server answers.
    TryAgain,
    /// It is an address of the other family.
    Ipv6,
}

impl Unresolved {
    /// What `gai_strerror` says. Addresses of the other family are an error only where one was asked for.
    pub fn text(self) -> &'static str {
        match self {
            Unresolved::NotKnown => "Name or service not known",
            Unresolved::TryAgain => "Temporary failure in name resolution",
            Unresolved::Ipv6 => "Address family for hostname not supported",
        }
    }
}

/// `getaddrinfo`: numbers in every form of [`inet_aton`], then the hosts file. Name servers are not asked.
pub(crate) fn lookup(shell: &mut dyn Shell, name: &str) -> Result<Host, Unresolved> {
    let number = inet_aton(name).filter(|_| !name.ends_with(|last: char| last.is_ascii_whitespace()));
    if let Some(address) = number {
        return Ok(Host { address, canonical: name.to_owned() });
    }
    if name.split('%').next().is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()) {
        return Err(Unresolved::Ipv6);
    }
    let hosts = hosts(shell);
    let mut entries = hosts.iter().filter(|entry| entry.is_called(name));
    if let Some((address, canonical)) = entries.clone().find_map(Entry::ipv4) {
        return Ok(Host { address, canonical: canonical.to_owned() });
    }
    if entries.next().is_some() {
        return Err(Unresolved::Ipv6);
    }
    // RFC 6761, 6.3: localhost is the loopback address whatever the files say.
    if name.eq_ignore_ascii_case("localhost") {
        return Ok(Host { address: Ipv4Addr::LOCALHOST, canonical: name.to_owned() });
    }
    Err(if is_domain_name(name) { Unresolved::TryAgain } else { Unresolved::NotKnown })
}

/// `getaddrinfo` where only IPv6 is asked for.
pub(crate) fn lookup_ipv6(shell: &mut dyn Shell, name: &str) -> Result<Host6, Unresolved> {
    let (number, device) =
        name.split_once('%').map_or((name, None), |(number, device)| (number, Some(device)));
    if let Ok(address) = number.parse() {
        return Ok(Host6 { address, device: device.map(str::to_owned), canonical: name.to_owned() });
    }
    if inet_aton(name).is_some() {
        return Err(Unresolved::Ipv6);
    }
    let hosts = hosts(shell);
    let mut entries = hosts.iter().filter(|entry| entry.is_called(name));
    let found = entries.clone().find_map(|entry| match entry.address {
        IpAddr::V6(address) => Some((address, entry.names.first()?)),
        IpAddr::V4(_) => None,
    });
    if let Some((address, canonical)) = found {
        return Ok(Host6 { address, device: None, canonical: canonical.clone() });
    }
    if name.eq_ignore_ascii_case("localhost") {
        return Ok(Host6 { address: Ipv6Addr::LOCALHOST, device: None, canonical: name.to_owned() });
    }
    match entries.next() {
        Some(_) => Err(Unresolved::Ipv6),
        None if is_domain_name(name) => Err(Unresolved::TryAgain),
        None => Err(Unresolved::NotKnown),
    }
}

/// [`lookup`] where only IPv4 is asked for: what looks like a wrong number then is not taken for a name.
pub(crate) fn lookup_ipv4(shell: &mut dyn Shell, name: &str) -> Result<Host, Unresolved> {
    let is_number = name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && !name.ends_with('.');
    if is_number && inet_aton(name).is_none() {
        return Err(Unresolved::NotKnown);
    }
    let found = lookup(shell, name);
    // The loopback address of a hosts file serves both families (glibc, nss/nss_files/files-hosts.c).
    let is_loopback = |entry: &Entry| entry.is_called(name) && entry.address == Ipv6Addr::LOCALHOST;
    if found == Err(Unresolved::Ipv6)
        && let Some(entry) = hosts(shell).into_iter().find(is_loopback)
    {
        let canonical = entry.names.into_iter().next().unwrap_or_default();
        return Ok(Host { address: Ipv4Addr::LOCALHOST, canonical });
    }
    found
}

/// `getnameinfo`: the name of an address in the hosts file.
pub(crate) fn name_of(shell: &mut dyn Shell, address: impl Into<IpAddr>) -> Option<String> {
    let address = address.into();
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
