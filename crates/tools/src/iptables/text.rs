//! Rules as text: the form of `-S`, `iptables-save` and `iptables-restore`, which is also how tables are exchanged
//! with Linux.

use hairpin_netlink::netfilter::{Counters, Family, Interface, Network, Rule, Table, Target};

use super::matches;
use super::names::{Names, mask_text};
use super::targets;

/// Where a rule's counters stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    No,
    /// `[1:2] -A …`
    Front,
    /// `… -c 1 2 …`
    Inside,
}

/// A word in quotes, if it needs them (`xtables_save_string`).
pub(super) fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        if matches!(letter, '"' | '\\' | '\'') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push('"');
    quoted
}

/// One rule as a line, without its end.
pub(super) fn rule(chain: &str, rule: &Rule, count: Count, names: &mut Names<'_>) -> String {
    let family = names.family;
    let Counters { packets, bytes } = rule.counters;
    let mut line = match count {
        Count::Front => format!("[{packets}:{bytes}] -A {chain}"),
        _ => format!("-A {chain}"),
    };
    let header = &rule.header;
    line += &network("-s", header.source.as_ref());
    line += &network("-d", header.destination.as_ref());
    line += &interface("-i", header.input.as_ref());
    line += &interface("-o", header.output.as_ref());
    if let Some((number, invert)) = header.protocol {
        let not = if invert { " !" } else { "" };
        let name = names.protocol(number).unwrap_or_else(|| number.to_string());
        line += &format!("{not} -p {name}");
    }
    match header.fragment {
        Some(true) => line += " -f",
        Some(false) => line += " ! -f",
        None => {}
    }
    for found in &rule.matches {
        line += &matches::saved(found, family);
    }
    if count == Count::Inside {
        line += &format!(" -c {packets} {bytes}");
    }
    match &rule.target {
        Target::None => {}
        Target::Goto(chain) => line += &format!(" -g {chain}"),
        target => {
            line += &format!(" -j {}", targets::name_of(target, family));
            line += &targets::saved(target, family);
        }
    }
    line
}

fn network(option: &str, network: Option<&Network>) -> String {
    let Some(network) = network else { return String::new() };
    let not = if network.invert { " !" } else { "" };
    // A single host has its mask too.
    let host = if network.mask.is_ipv4() { "/32" } else { "/128" };
    let mask = mask_text(network);
    format!("{not} {option} {}{}", network.address, if mask.is_empty() { host } else { &mask })
}

fn interface(option: &str, interface: Option<&Interface>) -> String {
    let Some(Interface { name, invert }) = interface else { return String::new() };
    if name == "+" && !invert {
        return String::new();
    }
    format!("{} {option} {name}", if *invert { " !" } else { "" })
}

/// A table between `*NAME` and `COMMIT`.
pub(super) fn table(table: &Table, counters: bool, names: &mut Names<'_>) -> String {
    let mut text = format!("*{}\n", table.kind.name());
    for chain in &table.chains {
        let policy = chain.builtin.map_or("-", |(_, policy)| policy.name());
        let Counters { packets, bytes } =
            if chain.builtin.is_some() { chain.counters } else { Counters::default() };
        text += &format!(":{} {policy} [{packets}:{bytes}]\n", chain.name);
    }
    let count = if counters { Count::Front } else { Count::No };
    for chain in &table.chains {
        for found in &chain.rules {
            text += &rule(&chain.name, found, count, names);
            text.push('\n');
        }
    }
    text + "COMMIT\n"
}

/// A table as `iptables-restore -c` takes it.
pub fn to_text(family: Family, found: &Table) -> String {
    let mut shell = crate::quiet::QuietShell::default();
    table(found, true, &mut Names::new(&mut shell, family))
}

/// The table in what `iptables-save -c -t NAME` prints.
///
/// # Errors
/// What hairpin does not know, in words.
pub fn from_text(family: Family, text: &str) -> Result<Option<Table>, String> {
    let mut shell = crate::quiet::QuietShell::default();
    let mut table = super::restore::read(text, &mut Names::new(&mut shell, family))?;
    for chain in table.iter_mut().flat_map(|table| &mut table.chains) {
        // Its counters are the kernel's.
        chain.id = u64::MAX;
    }
    Ok(table)
}
