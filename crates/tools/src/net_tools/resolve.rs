//! Names of hosts and networks, from `/etc/hosts` and `/etc/networks`. Name servers are not asked.

use std::io::Read;
use std::net::Ipv4Addr;

use crate::Shell;
use crate::resolver::{self, inet_aton};

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
        self.hosts.get_or_insert_with(|| resolver::hosts_ipv4(shell))
    }

    fn networks(&mut self, shell: &mut dyn Shell) -> &[(Ipv4Addr, Vec<String>)] {
        self.networks.get_or_insert_with(|| networks(&read(shell, "/etc/networks")))
    }
}

/// What `herror` says of a name that is not in the files, where hosts are looked up last and first: a name server
/// could still know the host, but `/etc/networks` is all there is of networks. What looks like an address is no name that
/// anybody is asked for.
pub(crate) fn not_resolved(name: &str, host_first: bool) -> &'static str {
    let looks_like_address = name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if host_first || looks_like_address { "Unknown host" } else { "Host name lookup failure" }
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

/// Lines of a name, a network number of one to four parts, and further names.
fn networks(text: &str) -> Vec<(Ipv4Addr, Vec<String>)> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or(""));
    let entries = lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        let (name, number) = (words.next()?, words.next()?);
        let missing = 3_usize.saturating_sub(number.matches('.').count());
        let address = format!("{number}{}", ".0".repeat(missing)).parse().ok()?;
        Some((address, std::iter::once(name).chain(words).map(str::to_owned).collect()))
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_may_be_short() {
        let found = networks("# none\nloopback 127.0.0.0\nlan 10.1 office # here\nbad x\n");
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            found,
            [
                (Ipv4Addr::new(127, 0, 0, 0), names(&["loopback"])),
                (Ipv4Addr::new(10, 1, 0, 0), names(&["lan", "office"])),
            ]
        );
    }
}
