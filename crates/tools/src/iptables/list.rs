//! Listings: `-L`.

use hairpin_netlink::netfilter::{Chain, Counters, Rule, Table, Target};

use super::matches;
use super::names::Names;
use super::targets;

/// What is shown, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Format {
    pub verbose: bool,
    pub numeric: bool,
    pub exact: bool,
    pub line_numbers: bool,
    /// One rule on a line of its own, as `-v -A` prints it.
    pub single: bool,
}

impl Format {
    fn counters(self) -> bool {
        self.verbose && !self.single
    }

    fn padded(self, text: &str, width: usize) -> String {
        if self.single { format!("{text} ") } else { format!("{text:<width$} ") }
    }

    /// `xtables_print_num`
    fn number(self, number: u64, padded: bool) -> String {
        if self.exact {
            return if padded { format!("{number:>8} ") } else { format!("{number} ") };
        }
        if number <= 99_999 {
            return if padded { format!("{number:>5} ") } else { format!("{number} ") };
        }
        let mut rest = number;
        let mut unit = 'T';
        for letter in ['K', 'M', 'G'] {
            rest = (rest + 500) / 1000;
            if rest <= 9999 {
                unit = letter;
                break;
            }
        }
        if unit == 'T' {
            rest = (rest + 500) / 1000;
        }
        if padded { format!("{rest:>4}{unit} ") } else { format!("{rest}{unit} ") }
    }
}

/// A chain with its title, or one rule of it.
pub(super) fn chain(table: &Table, chain: &Chain, format: Format, names: &mut Names<'_>) -> String {
    let mut text = title(table, chain, format);
    for (number, rule) in chain.rules.iter().enumerate() {
        text += &line(rule, number + 1, format, names);
    }
    text
}

fn title(table: &Table, chain: &Chain, format: Format) -> String {
    let mut text = format!("Chain {}", chain.name);
    match chain.builtin {
        Some((_, policy)) => {
            text += &format!(" (policy {}", policy.name());
            if format.counters() {
                let Counters { packets, bytes } = chain.counters;
                text += &format!(
                    " {}packets, {}bytes",
                    format.number(packets, false),
                    format.number(bytes, false)
                );
            }
            text += ")\n";
        }
        None => text += &format!(" ({} references)\n", table.references(&chain.name)),
    }
    if format.line_numbers {
        text += &format!("{:<4} ", "num");
    }
    if format.counters() {
        text += &match format.exact {
            true => format!("{:>8} {:>10} ", "pkts", "bytes"),
            false => format!("{:>5} {:>5} ", "pkts", "bytes"),
        };
    }
    text += &format!("{:<9}  prot opt", "target");
    if format.verbose {
        text += &format!(" {:<6} {:<6} ", "in", "out");
    }
    text + &format!(" {:<19}  {:<19} \n", "source", "destination")
}

/// One rule.
pub(super) fn line(rule: &Rule, number: usize, format: Format, names: &mut Names<'_>) -> String {
    let numeric = format.numeric;
    let family = names.family;
    let mut text = String::new();
    if format.line_numbers {
        text += &format!("{number:<4} ");
    }
    if format.counters() {
        text += &format.number(rule.counters.packets, true);
        text += &format.number(rule.counters.bytes, true);
    }
    // Its own name is forgotten by now.
    let target = match &rule.target {
        Target::NoTrack { .. } => "CT",
        target => targets::name_of(target, family),
    };
    text += &format.padded(target, 9);
    let header = &rule.header;
    let (protocol, invert) = header.protocol.unwrap_or((0, false));
    text.push(if invert { '!' } else { ' ' });
    let name = match numeric && !format.single {
        true => None,
        false => names.protocol(protocol),
    };
    text += &format.padded(&name.unwrap_or_else(|| protocol.to_string()), 4);
    if format.single {
        text += "opt ";
    }
    text += match header.fragment {
        None => "--",
        Some(true) => "-f",
        Some(false) => "!f",
    };
    text.push(' ');
    if format.verbose || format.single {
        let shown = |interface: &Option<hairpin_netlink::netfilter::Interface>| match interface {
            Some(interface) => format!("{}{}", if interface.invert { "!" } else { "" }, interface.name),
            None => if numeric { "*" } else { "any" }.to_owned(),
        };
        let (input, output) = (shown(&header.input), shown(&header.output));
        text += &match format.single {
            true => format!("in {input} out {output} "),
            false => format!(" {input:<6} {output:<6} "),
        };
    }
    let networks = [&header.source, &header.destination];
    for (place, network) in networks.into_iter().enumerate() {
        text.push(if network.as_ref().is_some_and(|network| network.invert) { '!' } else { ' ' });
        let shown = names.network(network.as_ref(), numeric);
        text += &match (format.single, place) {
            (true, 0) => format!("{shown} "),
            (true, _) => format!("-> {shown}  "),
            (false, _) => format!("{shown:<19} "),
        };
    }
    if let Target::Goto(_) = rule.target {
        text += "[goto] ";
    }
    let protocol = header.protocol.map(|(number, _)| number);
    for found in &rule.matches {
        text += &matches::listed(found, names, numeric, protocol);
    }
    text += &targets::listed(&rule.target, family, numeric);
    text.push('\n');
    text
}
