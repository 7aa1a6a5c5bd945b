//! Names of hosts and networks, from `/etc/hosts` and `/etc/networks`. Name servers are not asked.

use std::io::Read;
use std::net::Ipv4Addr;

use crate::Shell;
use crate::c_number::strtol;

/// The files, read when the first name is looked up.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    hosts: Option<Vec<(Ipv4Addr, Vec<String>)>>,
    networks: Option<Vec<(Ipv4Addr, Vec<String>)>>,
}

/// A resolved name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub address: Ipv4Addr,
    /// `default` or a name from `/etc/networks`.
    pub is_network: bool,
}

impl Resolver {
    /// An address, `default`, or a name; `host_first` prefers hosts to networks of the same name.
    pub(crate) fn resolve(
        &mut self,
        shell: &mut dyn Shell,
        name: &str,
        host_first: bool,
    ) -> Option<Resolved> {
        let host = |address| Some(Resolved { address, is_network: false });
        let network = |address| Some(Resolved { address, is_network: true });
        if name == "default" {
            return network(Ipv4Addr::UNSPECIFIED);
        }
        if let Some(address) = inet_aton(name) {
            return host(address);
        }
        let in_networks = find_name(self.networks(shell), name);
        let in_hosts = find_name(self.hosts(shell), name);
        match (in_hosts, in_networks) {
            (Some(address), None) => host(address),
            (Some(address), Some(_)) if host_first => host(address),
            (_, Some(address)) => network(address),
            (None, None) => None,
        }
    }

    /// The name of a host.
    pub(crate) fn host_name(&mut self, shell: &mut dyn Shell, address: Ipv4Addr) -> Option<String> {
        find_address(self.hosts(shell), address)
    }

    /// The name of a network.
    pub(crate) fn network_name(&mut self, shell: &mut dyn Shell, address: Ipv4Addr) -> Option<String> {
        find_address(self.networks(shell), address)
    }

    fn hosts(&mut self, shell: &mut dyn Shell) -> &[(Ipv4Addr, Vec<String>)] {
        self.hosts.get_or_insert_with(|| {
            // Address first; IPv6 lines do not parse and are left out.
            table(&read(shell, "/etc/hosts"), |first, names| {
                inet_aton(first).map(|address| (address, names.to_vec()))
            })
        })
    }

    fn networks(&mut self, shell: &mut dyn Shell) -> &[(Ipv4Addr, Vec<String>)] {
        self.networks.get_or_insert_with(|| {
            table(&read(shell, "/etc/networks"), |name, rest| {
                let (number, aliases) = rest.split_first()?;
                let missing = 3_usize.saturating_sub(number.matches('.').count());
                let address = format!("{number}{}", ".0".repeat(missing)).parse().ok()?;
                let mut names = vec![name.to_owned()];
                names.extend(aliases.iter().cloned());
                Some((address, names))
            })
        })
    }
}

/// What `herror` says of a name that is not in the files, where hosts are looked up last and first: a name server
/// could still know the host, but `/etc/networks` is all there is of networks.
pub(crate) fn not_resolved(host_first: bool) -> &'static str {
    if host_first { "Unknown host" } else { "Host name lookup failure" }
}

fn find_name(table: &[(Ipv4Addr, Vec<String>)], name: &str) -> Option<Ipv4Addr> {
    let same = |names: &Vec<String>| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    table.iter().find(|(_, names)| same(names)).map(|(address, _)| *address)
}

fn find_address(table: &[(Ipv4Addr, Vec<String>)], address: Ipv4Addr) -> Option<String> {
    table.iter().find(|(known, _)| *known == address).and_then(|(_, names)| names.first().cloned())
}

fn read(shell: &mut dyn Shell, path: &str) -> String {
    let mut text = Vec::new();
    if let Ok(mut file) = shell.open(path) {
        // A file that cannot be read to its end is as good as read so far.
        let _ = file.read_to_end(&mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn table<T>(text: &str, parse: fn(&str, &[String]) -> Option<T>) -> Vec<T> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or(""));
    let entries = lines.filter_map(|line| {
        let mut words = line.split_whitespace().map(str::to_owned);
        let first = words.next()?;
        let rest: Vec<String> = words.collect();
        parse(&first, &rest)
    });
    entries.collect()
}

/// `inet_aton`: one to four numbers, decimal, octal or hexadecimal; the last fills what is left.
pub(crate) fn inet_aton(text: &str) -> Option<Ipv4Addr> {
    let mut value: u32 = 0;
    let mut rest = text;
    for part in 0..4 {
        if !rest.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let (number, length) = strtol(rest, 0);
        let number = u32::try_from(number).ok()?;
        rest = rest.get(length..)?;
        match rest.strip_prefix('.') {
            Some(after) if part < 3 => {
                value = value << 8 | u32::from(u8::try_from(number).ok()?);
                rest = after;
            }
            _ => {
                if !rest.is_empty() && !rest.starts_with(|c: char| c.is_ascii_whitespace()) {
                    return None;
                }
                let left = 8 * (4 - part);
                let fits = left == 32 || number >> left == 0;
                return fits.then(|| Ipv4Addr::from(value.unbounded_shl(left) | number));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_based_addresses() {
        assert_eq!(inet_aton("10.0.0.1"), Some(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!(inet_aton("10.1"), Some(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!(inet_aton("0x7f000001"), Some(Ipv4Addr::LOCALHOST));
        assert_eq!(inet_aton("010.0.0.1"), Some(Ipv4Addr::new(8, 0, 0, 1)));
        for bad in ["", "10.0.0.256", "1.2.3.4.5", "host", "10.", "10.0.0.1x", "4294967296"] {
            assert_eq!(inet_aton(bad), None, "{bad}");
        }
    }
}
