//! Tables, chains and rules.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Match, Target};

/// The address family that a table is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Family {
    Ipv4,
    Ipv6,
}

impl Family {
    /// `NFPROTO_*`, which is the address family's number.
    pub fn number(self) -> u8 {
        match self {
            Family::Ipv4 => 2,
            Family::Ipv6 => 10,
        }
    }
}

/// A table by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TableKind {
    Raw,
    Mangle,
    Nat,
    Filter,
    Security,
}

impl TableKind {
    pub const ALL: &[TableKind] =
        &[TableKind::Raw, TableKind::Mangle, TableKind::Nat, TableKind::Filter, TableKind::Security];

    pub fn name(self) -> &'static str {
        match self {
            TableKind::Raw => "raw",
            TableKind::Mangle => "mangle",
            TableKind::Nat => "nat",
            TableKind::Filter => "filter",
            TableKind::Security => "security",
        }
    }

    pub fn by_name(name: &str) -> Option<TableKind> {
        TableKind::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// The hooks at which it has a chain, in their order.
    pub fn hooks(self) -> &'static [Hook] {
        use Hook::{Forward, Input, Output, Postrouting, Prerouting};
        match self {
            TableKind::Raw => &[Prerouting, Output],
            TableKind::Mangle => &[Prerouting, Input, Forward, Output, Postrouting],
            TableKind::Nat => &[Prerouting, Input, Output, Postrouting],
            TableKind::Filter | TableKind::Security => &[Input, Forward, Output],
        }
    }
}

/// A point in a packet's way (`NF_INET_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Hook {
    Prerouting = 0,
    Input = 1,
    Forward = 2,
    Output = 3,
    Postrouting = 4,
}

impl Hook {
    pub const ALL: &[Hook] = &[Hook::Prerouting, Hook::Input, Hook::Forward, Hook::Output, Hook::Postrouting];

    /// The name of the chains there.
    pub fn name(self) -> &'static str {
        match self {
            Hook::Prerouting => "PREROUTING",
            Hook::Input => "INPUT",
            Hook::Forward => "FORWARD",
            Hook::Output => "OUTPUT",
            Hook::Postrouting => "POSTROUTING",
        }
    }
}

/// What becomes of a packet at the end of a built-in chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Policy {
    Accept,
    Drop,
}

impl Policy {
    pub fn name(self) -> &'static str {
        match self {
            Policy::Accept => "ACCEPT",
            Policy::Drop => "DROP",
        }
    }
}

/// Packets and bytes (of the IP packet) that a rule or policy applied to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    pub packets: u64,
    pub bytes: u64,
}

/// A table with its chains: first the built-in ones in the order of their hooks, then the user's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    pub kind: TableKind,
    pub chains: Vec<Chain>,
}

impl Table {
    /// A table that accepts everything.
    pub fn empty(kind: TableKind) -> Table {
        let chain = |hook: &Hook| Chain {
            name: hook.name().to_owned(),
            builtin: Some((*hook, Policy::Accept)),
            id: 0,
            counters: Counters::default(),
            rules: Vec::new(),
        };
        Table { kind, chains: kind.hooks().iter().map(chain).collect() }
    }

    pub fn chain(&self, name: &str) -> Option<&Chain> {
        self.chains.iter().find(|chain| chain.name == name)
    }

    pub fn chain_mut(&mut self, name: &str) -> Option<&mut Chain> {
        self.chains.iter_mut().find(|chain| chain.name == name)
    }

    /// Whether some built-in chain leads into a chain that leads back to itself.
    pub fn has_loop(&self) -> bool {
        let place = |name: &str| self.chains.iter().position(|chain| chain.name == name);
        // A walk in depth over every chain: 0 not seen, 1 on the way down to here, 2 done.
        let mut seen = vec![0u8; self.chains.len()];
        for start in 0..self.chains.len() {
            if self.chains[start].builtin.is_none() || seen[start] != 0 {
                continue;
            }
            let mut way = vec![(start, 0)];
            seen[start] = 1;
            while let Some((at, next)) = way.last_mut() {
                let Some(rule) = self.chains[*at].rules.get(*next) else {
                    seen[*at] = 2;
                    way.pop();
                    continue;
                };
                *next += 1;
                match rule.target.chain().and_then(place) {
                    Some(to) if seen[to] == 1 => return true,
                    Some(to) if seen[to] == 0 => {
                        seen[to] = 1;
                        way.push((to, 0));
                    }
                    _ => {}
                }
            }
        }
        false
    }

    /// How many rules lead into a chain.
    pub fn references(&self, name: &str) -> usize {
        let rules = self.chains.iter().flat_map(|chain| &chain.rules);
        rules.filter(|rule| rule.target.chain() == Some(name)).count()
    }
}

/// A chain of rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    pub name: String,
    /// The hook and the policy of a built-in chain.
    pub builtin: Option<(Hook, Policy)>,
    /// The kernel's number of the policy; 0: its counters are those given here.
    pub id: u64,
    /// Of the policy.
    pub counters: Counters,
    pub rules: Vec<Rule>,
}

/// A rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The kernel's number of it; 0 for one that is new, or whose counters are to be set.
    pub id: u64,
    pub counters: Counters,
    pub header: Header,
    pub matches: Vec<Match>,
    pub target: Target,
}

impl Rule {
    /// Whether two rules say the same, whatever their counters.
    pub fn same(&self, other: &Rule) -> bool {
        self.header == other.header && self.matches == other.matches && self.target == other.target
    }
}

/// What a rule asks of the IP header and of the devices (`struct ipt_ip`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub source: Option<Network>,
    pub destination: Option<Network>,
    pub input: Option<Interface>,
    pub output: Option<Interface>,
    /// The protocol, and whether it must be another.
    pub protocol: Option<(u8, bool)>,
    /// `-f`: fragments but the first; `! -f`: whole packets and first fragments.
    pub fragment: Option<bool>,
}

/// Addresses under a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    pub address: IpAddr,
    pub mask: IpAddr,
    pub invert: bool,
}

impl Network {
    /// The length of the mask, where it is a prefix.
    pub fn prefix(&self) -> Option<u32> {
        let (bits, width) = match self.mask {
            IpAddr::V4(mask) => (u128::from(u32::from(mask)) << 96, 32),
            IpAddr::V6(mask) => (u128::from(mask), 128),
        };
        let ones = bits.leading_ones();
        (bits.count_ones() == ones && ones <= width).then_some(ones)
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        let inside = match (self.address, self.mask, address) {
            (IpAddr::V4(network), IpAddr::V4(mask), IpAddr::V4(address)) => {
                (u32::from(address) ^ u32::from(network)) & u32::from(mask) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(mask), IpAddr::V6(address)) => {
                (u128::from(address) ^ u128::from(network)) & u128::from(mask) == 0
            }
            _ => return false,
        };
        inside != self.invert
    }
}

/// A device by its name; a final `+` stands for any ending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    pub name: String,
    pub invert: bool,
}

impl Interface {
    /// Whether a device with this name (empty: none) is meant.
    pub fn matches(&self, name: &str) -> bool {
        named(&self.name, name) != self.invert
    }
}

/// Whether a name fits a pattern that may end in `+`.
pub fn named(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('+') {
        Some(front) => name.starts_with(front),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_addresses() {
        let network = |mask: &str, invert| Network {
            address: "10.1.0.0".parse().expect("an address"),
            mask: mask.parse().expect("a mask"),
            invert,
        };
        let address = |text: &str| -> IpAddr { text.parse().expect("an address") };
        assert_eq!(network("255.255.0.0", false).prefix(), Some(16));
        assert_eq!(network("255.0.255.0", false).prefix(), None);
        assert_eq!(network("0.0.0.0", false).prefix(), Some(0));
        assert!(network("255.255.0.0", false).contains(address("10.1.9.9")));
        assert!(!network("255.255.0.0", true).contains(address("10.1.9.9")));
        assert!(!network("255.255.0.0", false).contains(address("10.2.0.1")));
    }

    #[test]
    fn a_plus_stands_for_any_ending() {
        assert!(named("eth+", "eth0") && named("+", "x") && named("eth0", "eth0"));
        assert!(!named("eth+", "wlan0") && !named("eth0", "eth01"));
    }

    #[test]
    fn an_empty_table_has_a_chain_a_hook() {
        let names: Vec<_> = Table::empty(TableKind::Nat).chains.into_iter().map(|chain| chain.name).collect();
        assert_eq!(names, ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"]);
    }
}
