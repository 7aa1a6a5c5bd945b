//! How a ruleset is printed: tables, chains and sets here, [`statement`] what rules are made of.

pub(super) mod statement;

use std::fmt::Write as _;

use hairpin_netlink::netfilter::nft::{
    Base, Chain, ChainKind, Data, Element, ObjectKind, Set, SetRef, Span, Statement, Table, Type,
};
use hairpin_netlink::netfilter::{Hook, Policy};

use self::statement::{shown_limit, shown_verdict};
use super::time;
use super::value::{self, Known};

/// What options ask for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style {
    /// `-a`
    pub handles: bool,
    /// `-s`
    pub stateless: bool,
    /// `-n`
    pub numeric: bool,
    /// `-y`
    pub numeric_priority: bool,
    /// `-t`
    pub terse: bool,
}

/// What of a table is shown.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'a> {
    All,
    Chain(&'a str),
    /// Names and bases only, or the whole.
    Chains,
    Set(&'a str),
    Sets,
    Maps,
    Counters,
    Counter(&'a str),
    /// Quotas or limits; one of them.
    Objects(&'static str),
    Object(&'static str, &'a str),
}

impl Part<'_> {
    pub(super) fn has_set(self, set: &Set) -> bool {
        match self {
            Part::All => true,
            Part::Set(name) => set.name == name,
            Part::Sets => set.data.is_none(),
            Part::Maps => set.data.is_some(),
            _ => false,
        }
    }
}

pub(super) struct Printer<'a> {
    pub style: Style,
    pub known: &'a Known,
    /// On the monotonic clock.
    pub now_ns: u64,
}

impl Printer<'_> {
    pub fn table(&self, table: &Table, part: Part<'_>) -> String {
        let mut text = format!("table {} {} {{", table.family.name(), table.name);
        let apart = matches!(part, Part::All);
        if apart {
            self.handle(&mut text, table.handle);
        }
        text.push('\n');
        let mut pieces: Vec<String> = Vec::new();
        let mut objects: Vec<(u64, String)> = Vec::new();
        if apart {
            if let Some(comment) = &table.comment {
                let _ = writeln!(text, "\tcomment \"{comment}\"");
            }
            if table.dormant {
                text.push_str("\tflags dormant\n");
            }
        }
        for counter in &table.counters {
            let wanted = match part {
                Part::All | Part::Counters => true,
                Part::Counter(name) => counter.name == name,
                _ => false,
            };
            if wanted {
                let mut piece = format!("\tcounter {} {{", counter.name);
                self.handle(&mut piece, counter.handle);
                if let Some(comment) = &counter.comment {
                    let _ = write!(piece, "\n\t\tcomment \"{comment}\"");
                }
                let _ = match self.style.stateless {
                    true => write!(piece, "\n\t}}\n"),
                    false => {
                        write!(piece, "\n\t\tpackets {} bytes {}\n\t}}\n", counter.packets, counter.bytes)
                    }
                };
                objects.push((counter.handle, piece));
            }
        }
        for object in &table.objects {
            let kind = object.kind.name();
            let wanted = match part {
                Part::All => true,
                Part::Objects(wanted) => wanted == kind,
                Part::Object(wanted, name) => wanted == kind && object.name == name,
                _ => false,
            };
            if wanted {
                let mut piece = format!("\t{kind} {} {{", object.name);
                self.handle(&mut piece, object.handle);
                if let Some(comment) = &object.comment {
                    let _ = write!(piece, "\n\t\tcomment \"{comment}\"");
                }
                let _ = write!(piece, "\n\t\t{}\n\t}}\n", self.object(&object.kind));
                objects.push((object.handle, piece));
            }
        }
        // In the order in which they were made.
        objects.sort();
        pieces.extend(objects.into_iter().map(|(_, piece)| piece));
        for set in &table.sets {
            if part.has_set(set) {
                pieces.push(self.set(set, !matches!(part, Part::Sets | Part::Maps) || !self.style.terse));
            }
        }
        for chain in &table.chains {
            match part {
                Part::All => pieces.push(self.chain(chain, true)),
                Part::Chain(name) if chain.name == name => pieces.push(self.chain(chain, true)),
                Part::Chains => pieces.push(self.chain(chain, false)),
                _ => {}
            }
        }
        text.push_str(&pieces.join(if apart { "\n" } else { "" }));
        text + "}\n"
    }

    /// What a quota or limit is, without the word itself.
    fn object(&self, kind: &ObjectKind) -> String {
        let text = match kind {
            ObjectKind::Limit(limit) => shown_limit(limit),
            ObjectKind::Quota { bytes, over, used } => {
                self.statement(&Statement::Quota { bytes: *bytes, over: *over, used: *used })
            }
        };
        text.split_once(' ').map_or_else(String::new, |(_, rest)| rest.to_owned())
    }

    fn handle(&self, text: &mut String, handle: u64) {
        if self.style.handles {
            let _ = write!(text, " # handle {handle}");
        }
    }

    fn chain(&self, chain: &Chain, with_rules: bool) -> String {
        let mut text = format!("\tchain {} {{", chain.name);
        self.handle(&mut text, chain.handle);
        text.push('\n');
        if let Some(comment) = &chain.comment {
            let _ = writeln!(text, "\t\tcomment \"{comment}\"");
        }
        if let Some(base) = chain.base {
            let policy = if base.policy == Policy::Drop { "drop" } else { "accept" };
            let _ = writeln!(
                text,
                "\t\ttype {} hook {} priority {}; policy {policy};",
                kind_name(base.kind),
                hook_name(base.hook),
                self.priority(&base)
            );
        }
        if with_rules {
            for rule in &chain.rules {
                let _ = write!(text, "\t\t{}", self.rule(rule));
                self.handle(&mut text, rule.handle);
                text.push('\n');
            }
        }
        text + "\t}\n"
    }

    /// `filter`, `filter - 10`, `5` (`prio2str`).
    fn priority(&self, base: &Base) -> String {
        let priority = base.priority;
        if self.style.numeric || self.style.numeric_priority {
            return priority.to_string();
        }
        let near = PRIORITIES.iter().find(|(_, value, hooks)| {
            (priority - value).abs() <= 10 && hooks.is_none_or(|hooks| hooks.contains(&base.hook))
        });
        match near {
            None => priority.to_string(),
            Some((name, value, _)) => match priority - value {
                0 => (*name).to_owned(),
                more if more > 0 => format!("{name} + {more}"),
                less => format!("{name} - {}", -less),
            },
        }
    }

    fn reference(&self, found: &SetRef) -> String {
        match found {
            SetRef::Named(name) => format!("@{name}"),
            SetRef::Anonymous(set) => {
                let elements: Vec<String> =
                    set.elements.iter().map(|element| self.element(set, element)).collect();
                format!("{{ {} }}", elements.join(", "))
            }
        }
    }

    fn set(&self, set: &Set, with_elements: bool) -> String {
        let word = if set.data.is_some() { "map" } else { "set" };
        let mut text = format!("\t{word} {} {{", set.name);
        self.handle(&mut text, set.handle);
        text.push('\n');
        let names =
            |kinds: &[Type]| kinds.iter().map(|kind| value::type_name(*kind)).collect::<Vec<_>>().join(" . ");
        match &set.type_of {
            Some(words) => drop(writeln!(text, "\t\ttypeof {words}")),
            None => {
                let data = set.data.as_ref().map_or(String::new(), |data| format!(" : {}", names(data)));
                let _ = writeln!(text, "\t\ttype {}{data}", names(&set.key));
            }
        }
        if let Some(size) = set.size {
            let _ = writeln!(text, "\t\tsize {size}");
        }
        let flags = [
            (set.constant, "constant"),
            (set.interval, "interval"),
            (set.dynamic, "dynamic"),
            (set.timeouts, "timeout"),
        ];
        let flags: Vec<&str> = flags.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
        if !flags.is_empty() {
            let _ = writeln!(text, "\t\tflags {}", flags.join(","));
        }
        if let Some(ms) = set.timeout_ms {
            let _ = writeln!(text, "\t\ttimeout {}", time::show(ms));
        }
        if let Some(ms) = set.gc_interval_ms {
            let _ = writeln!(text, "\t\tgc-interval {}", time::show(ms));
        }
        if set.auto_merge {
            text.push_str("\t\tauto-merge\n");
        }
        if set.counter {
            text.push_str("\t\tcounter\n");
        }
        if let Some(comment) = &set.comment {
            let _ = writeln!(text, "\t\tcomment \"{comment}\"");
        }
        let alive: Vec<&Element> =
            set.elements.iter().filter(|element| !element.has_expired(self.now_ns)).collect();
        if with_elements && !self.style.terse && !alive.is_empty() {
            text.push_str("\t\telements = { ");
            let a_line = elements_a_line(set);
            for (at, element) in alive.iter().enumerate() {
                if at > 0 {
                    text.push_str(if at % a_line == 0 { ",\n\t\t\t     " } else { ", " });
                }
                text.push_str(&self.element(set, element));
            }
            text.push_str(" }\n");
        }
        text + "\t}\n"
    }

    pub fn element(&self, set: &Set, element: &Element) -> String {
        let places = element.key.iter().zip(&set.key);
        let mut text = places.map(|(span, kind)| self.span(*span, *kind)).collect::<Vec<_>>().join(" . ");
        if let Some(ms) = element.timeout_ms {
            let _ = write!(text, " timeout {}", time::show(ms));
        }
        if let (Some(at), false) = (element.expires_ns, self.style.stateless) {
            let _ = write!(text, " expires {}", time::show(at.saturating_sub(self.now_ns) / 1_000_000));
        }
        if let Some((packets, bytes)) = element.counter {
            match self.style.stateless {
                true => text.push_str(" counter"),
                false => drop(write!(text, " counter packets {packets} bytes {bytes}")),
            }
        }
        if let Some(comment) = &element.comment {
            let _ = write!(text, " comment \"{comment}\"");
        }
        match &element.data {
            None => {}
            Some(Data::Verdict(verdict)) => drop(write!(text, " : {}", shown_verdict(verdict))),
            Some(Data::Values(values)) => {
                let kinds = set.data.as_deref().unwrap_or(&[]);
                let shown: Vec<String> =
                    values.iter().zip(kinds).map(|(span, kind)| self.span(*span, *kind)).collect();
                let _ = write!(text, " : {}", shown.join(" . "));
            }
        }
        text
    }

    pub fn span(&self, span: Span, kind: Type) -> String {
        if span.is_one() {
            return self.value(kind, span.first);
        }
        if (span.first, span.last) == (0, u128::MAX) {
            return "*".to_owned();
        }
        let prefix = value::bits(kind).filter(|_| matches!(kind, Type::Ipv4 | Type::Ipv6 | Type::IfName));
        match prefix.and_then(|bits| value::prefix_of(span, bits)) {
            Some(prefix) if kind == Type::IfName => {
                let text = value::text_of(span.first);
                format!("\"{}*\"", text.get(..usize::from(prefix / 8).min(text.len())).unwrap_or(&text))
            }
            Some(prefix) => format!("{}/{prefix}", self.value(kind, span.first)),
            None => format!("{}-{}", self.value(kind, span.first), self.value(kind, span.last)),
        }
    }
}

/// Named priorities: value, and the hooks they are for where not all.
const PRIORITIES: &[(&str, i32, Option<&[Hook]>)] = &[
    ("raw", -300, None),
    ("mangle", -150, None),
    ("dstnat", -100, Some(&[Hook::Prerouting])),
    ("filter", 0, None),
    ("security", 50, None),
    ("srcnat", 100, Some(&[Hook::Postrouting])),
];

pub(super) fn priority_named(name: &str, hook: Hook) -> Option<i32> {
    let found = PRIORITIES
        .iter()
        .find(|(known, _, hooks)| *known == name && hooks.is_none_or(|hooks| hooks.contains(&hook)));
    found.map(|(_, value, _)| *value)
}

pub(super) fn kind_name(kind: ChainKind) -> &'static str {
    match kind {
        ChainKind::Filter => "filter",
        ChainKind::Nat => "nat",
        ChainKind::Route => "route",
    }
}

pub(super) fn hook_name(hook: Hook) -> &'static str {
    match hook {
        Hook::Prerouting => "prerouting",
        Hook::Input => "input",
        Hook::Forward => "forward",
        Hook::Output => "output",
        Hook::Postrouting => "postrouting",
    }
}

/// How many elements stand on a line (`calculate_delim`).
fn elements_a_line(set: &Set) -> usize {
    match set.key.as_slice() {
        [Type::Ipv4 | Type::CtState] => 2,
        [Type::Service | Type::InetProto | Type::Mark | Type::Integer | Type::Time | Type::NfProto] => 5,
        _ => 1,
    }
}
