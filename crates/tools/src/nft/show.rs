//! How a ruleset is printed.

use std::fmt::Write as _;

use hairpin_netlink::netfilter::nft::{
    Base, Chain, ChainKind, Data, Element, Expr, Family, Limit, Log, Nat, NatAddress, NatKind, ObjectKind,
    Op, Reject, Right, Rule, Set, SetOp, SetRef, Span, Statement, Table, Type, Verdict,
};
use hairpin_netlink::netfilter::{Hook, Policy};

use super::expr::type_of;
use super::statement::{ICMPX, LEVELS};
use super::value::{self, Known};
use super::{fields, time};

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
            let wanted = match part {
                Part::All => true,
                Part::Set(name) => set.name == name,
                Part::Sets => set.data.is_none(),
                Part::Maps => set.data.is_some(),
                _ => false,
            };
            if wanted {
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

    pub fn rule(&self, rule: &Rule) -> String {
        let mut words: Vec<String> = rule.statements.iter().map(|found| self.statement(found)).collect();
        if let Some(comment) = &rule.comment {
            words.push(format!("comment \"{comment}\""));
        }
        words.join(" ")
    }

    fn statement(&self, statement: &Statement) -> String {
        match statement {
            Statement::Match { left, op, right } => self.comparison(left, *op, right),
            Statement::Counter { .. } if self.style.stateless => "counter".to_owned(),
            Statement::Counter { packets, bytes } => format!("counter packets {packets} bytes {bytes}"),
            Statement::NamedCounter(name) => format!("counter name \"{name}\""),
            Statement::NamedQuota(name) => format!("quota name \"{name}\""),
            Statement::NamedLimit(name) => format!("limit name \"{name}\""),
            Statement::Verdict(verdict) => shown_verdict(verdict),
            Statement::VerdictMap { key, map } => {
                format!("{} vmap {}", self.exprs(key), self.reference(map))
            }
            Statement::Reject(reject) => self.reject(*reject),
            Statement::Log(log) => shown_log(log),
            Statement::Limit(limit) => shown_limit(limit),
            Statement::Quota { bytes, over, used } => {
                let (amount, unit) = amount(*bytes);
                let over = if *over { "over " } else { "" };
                let mut text = format!("quota {over}{amount} {unit}");
                if *used > 0 && !self.style.stateless {
                    let (amount, unit) = self::amount(*used);
                    let _ = write!(text, " used {amount} {unit}");
                }
                text
            }
            Statement::Nat(nat) => self.nat(nat),
            Statement::SetMeta(meta, expr) => {
                let left = Expr::Meta(*meta);
                format!("{} set {}", setting(&self.expr(&left)), self.assigned(expr, type_of(&left)))
            }
            Statement::SetCtMark(expr) => format!("ct mark set {}", self.assigned(expr, Type::Mark)),
            Statement::SetPayload(field, expr) => {
                let left = Expr::Payload(*field);
                format!("{} set {}", self.expr(&left), self.assigned(expr, field.kind))
            }
            Statement::NoTrack => "notrack".to_owned(),
            Statement::SetMss(Some(size)) => format!("tcp option maxseg size set {size}"),
            Statement::SetMss(None) => "tcp option maxseg size set rt mtu".to_owned(),
            Statement::SetElement { op, set, key, timeout_ms, counter } => {
                let op = match op {
                    SetOp::Add => "add",
                    SetOp::Update => "update",
                    SetOp::Delete => "delete",
                };
                let mut text = format!("{op} @{set} {{ {}", self.exprs(key));
                if let Some(ms) = timeout_ms {
                    let _ = write!(text, " timeout {}", time::show(*ms));
                }
                if *counter {
                    text.push_str(" counter");
                }
                text + " }"
            }
        }
    }

    fn comparison(&self, left: &[Expr], op: Op, right: &Right) -> String {
        let kind = left.first().map_or(Type::Integer, type_of);
        let flags = kind.is_flags();
        // `tcp flags syn / fin,syn`
        if let ([Expr::Bits { of, and, xor: 0 }], Right::Value(value)) = (left, right)
            && flags
        {
            let not = if op == Op::NotEqual { "!= " } else { "" };
            let show = |value: u128| value::flags(kind, value, self.style.numeric, ",");
            return format!("{} {not}{} / {}", self.expr(of), show(*value), show(*and));
        }
        let masked = matches!(left, [Expr::Bits { .. }]);
        let sign = match op {
            Op::Implicit | Op::Equal if masked => "== ",
            Op::Implicit => "",
            Op::Equal if flags && matches!(right, Right::Value(_)) => "== ",
            Op::Equal => "",
            Op::NotEqual => "!= ",
            Op::Less => "< ",
            Op::Greater => "> ",
            Op::LessOrEqual => "<= ",
            Op::GreaterOrEqual => ">= ",
        };
        let right = match right {
            Right::Value(value) if flags && op != Op::Implicit => {
                value::flags(kind, *value, self.style.numeric, " | ")
            }
            Right::Value(value) => self.value(kind, *value),
            Right::Prefix(value, prefix) if kind == Type::IfName => {
                let text = value::text_of(*value);
                let length = usize::from(*prefix / 8).min(text.len());
                format!("\"{}*\"", text.get(..length).unwrap_or(&text))
            }
            Right::Prefix(value, prefix) => format!("{}/{prefix}", self.value(kind, *value)),
            Right::Range(low, high) => format!("{}-{}", self.value(kind, *low), self.value(kind, *high)),
            Right::Set(found) => self.reference(found),
        };
        format!("{} {sign}{right}", self.exprs(left))
    }

    fn exprs(&self, exprs: &[Expr]) -> String {
        exprs.iter().map(|expr| self.expr(expr)).collect::<Vec<_>>().join(" . ")
    }

    pub fn expr(&self, expr: &Expr) -> String {
        match expr {
            Expr::Payload(field) => {
                let (header, name) = fields::names(field);
                format!("{header} {name}")
            }
            Expr::Meta(meta) => {
                let found = fields::METAS.iter().find(|(_, known, ..)| known == meta);
                found.map_or(
                    String::new(),
                    |(name, _, _, bare)| {
                        if *bare { (*name).to_owned() } else { format!("meta {name}") }
                    },
                )
            }
            Expr::Ct(key, direction) => {
                let name =
                    fields::CTS.iter().find(|(_, known, ..)| known == key).map_or("", |(name, ..)| name);
                match direction {
                    None => format!("ct {name}"),
                    Some(0) => format!("ct original {name}"),
                    Some(_) => format!("ct reply {name}"),
                }
            }
            Expr::FibType { source, iif, oif } => {
                let mut words = vec![if *source { "saddr" } else { "daddr" }];
                words.extend(iif.then_some("iif"));
                words.extend(oif.then_some("oif"));
                format!("fib {} type", words.join(" . "))
            }
            Expr::Value(value) => value.to_string(),
            Expr::Bits { of, and, xor } => {
                let kind = type_of(of);
                let show = |value: u128| match kind.is_flags() {
                    true => value::flags(kind, value, self.style.numeric, " | "),
                    false => self.value(kind, value),
                };
                let whole = u128::from(u32::MAX);
                let mut text = self.expr(of);
                match (*and, *xor) {
                    (and, 0) => drop(write!(text, " & {}", show(and))),
                    (and, xor) if and == whole & !xor => drop(write!(text, " | {}", show(xor))),
                    (and, xor) if and == whole => drop(write!(text, " ^ {}", show(xor))),
                    // What is set is kept by the mask too, as the evaluation of nft leaves it.
                    (and, xor) => drop(write!(text, " & {} | {}", show(and | xor), show(xor))),
                }
                text
            }
            Expr::Map { key, map } => format!("{} map {}", self.exprs(key), self.reference(map)),
            Expr::NumberOf { random, modulus, offset, .. } => {
                let mode = if *random { "random" } else { "inc" };
                let offset = if *offset > 0 { format!(" offset {offset}") } else { String::new() };
                format!("numgen {mode} mod {modulus}{offset}")
            }
        }
    }

    fn assigned(&self, expr: &Expr, kind: Type) -> String {
        match expr {
            Expr::Value(value) if kind == Type::Boolean => value.to_string(),
            Expr::Value(value) => self.value(kind, *value),
            other => self.expr(other),
        }
    }

    fn value(&self, kind: Type, value: u128) -> String {
        value::show(kind, value, self.style.numeric, self.known)
    }

    fn reject(&self, reject: Reject) -> String {
        let code = |kind: Type, code: u8| self.value(kind, u128::from(code));
        match reject {
            Reject::TcpReset => "reject with tcp reset".to_owned(),
            Reject::Icmp(3) | Reject::Icmp6(4) | Reject::Icmpx(1) => "reject".to_owned(),
            Reject::Icmp(found) => format!("reject with icmp {}", code(Type::IcmpCode, found)),
            Reject::Icmp6(found) => format!("reject with icmpv6 {}", code(Type::Icmp6Code, found)),
            Reject::Icmpx(found) => {
                let name = ICMPX.iter().find(|(_, code)| *code == found && !self.style.numeric);
                let name = name.map_or(found.to_string(), |(name, _)| (*name).to_owned());
                format!("reject with icmpx {name}")
            }
        }
    }

    fn nat(&self, nat: &Nat) -> String {
        let mut text = nat_name(nat.kind).to_owned();
        if let Some(family) = nat.family {
            let _ = write!(text, " {}", family.name());
        }
        let ports = nat.ports.map_or(String::new(), |(low, high)| match low == high {
            true => format!(":{low}"),
            false => format!(":{low}-{high}"),
        });
        match &nat.address {
            Some(NatAddress::Range(low, high)) => {
                let of_ipv6 = nat.family == Some(Family::Ip6) || *low > u128::from(u32::MAX);
                let kind = if of_ipv6 { Type::Ipv6 } else { Type::Ipv4 };
                let address = match low == high {
                    true => self.value(kind, *low),
                    false => format!("{}-{}", self.value(kind, *low), self.value(kind, *high)),
                };
                let address = if of_ipv6 && !ports.is_empty() { format!("[{address}]") } else { address };
                let _ = write!(text, " to {address}{ports}");
            }
            Some(NatAddress::Of(expr)) => drop(write!(text, " to {}{ports}", self.expr(expr))),
            None if !ports.is_empty() => drop(write!(text, " to {ports}")),
            None => {}
        }
        let flags = nat_flags(nat).join(",");
        if flags.is_empty() { text } else { format!("{text} {flags}") }
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

/// What is set keeps the word `meta`, interfaces' words do not.
fn setting(left: &str) -> String {
    left.to_owned()
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

pub(super) fn nat_name(kind: NatKind) -> &'static str {
    match kind {
        NatKind::Snat => "snat",
        NatKind::Dnat => "dnat",
        NatKind::Masquerade => "masquerade",
        NatKind::Redirect => "redirect",
    }
}

pub(super) fn nat_flags(nat: &Nat) -> Vec<&'static str> {
    let flags = [(nat.random, "random"), (nat.fully_random, "fully-random"), (nat.persistent, "persistent")];
    flags.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect()
}

pub(super) fn shown_verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Accept => "accept".to_owned(),
        Verdict::Drop => "drop".to_owned(),
        Verdict::Continue => "continue".to_owned(),
        Verdict::Return => "return".to_owned(),
        Verdict::Jump(chain) => format!("jump {chain}"),
        Verdict::Goto(chain) => format!("goto {chain}"),
    }
}

fn shown_log(log: &Log) -> String {
    let mut text = "log".to_owned();
    if let Some(prefix) = &log.prefix {
        let _ = write!(text, " prefix \"{prefix}\"");
    }
    if let Some(group) = log.group {
        let _ = write!(text, " group {group}");
        if let Some(length) = log.snaplen {
            let _ = write!(text, " snaplen {length}");
        }
        if let Some(threshold) = log.queue_threshold {
            let _ = write!(text, " queue-threshold {threshold}");
        }
    }
    if let Some(level) = log.level.filter(|level| *level != 4) {
        let _ = write!(text, " level {}", LEVELS.get(usize::from(level)).unwrap_or(&"warn"));
    }
    if log.flags == 0x2f {
        return text + " flags all";
    }
    match log.flags & 3 {
        1 => text.push_str(" flags tcp sequence"),
        2 => text.push_str(" flags tcp options"),
        3 => text.push_str(" flags tcp sequence,options"),
        _ => {}
    }
    for (bit, name) in [(4, " flags ip options"), (8, " flags skuid"), (32, " flags ether")] {
        if log.flags & bit != 0 {
            text.push_str(name);
        }
    }
    text
}

/// A number of bytes in the largest unit that divides it.
pub(super) fn amount(bytes: u64) -> (u64, &'static str) {
    match bytes {
        0 => (0, "bytes"),
        bytes if bytes.is_multiple_of(1024 * 1024) => (bytes / (1024 * 1024), "mbytes"),
        bytes if bytes.is_multiple_of(1024) => (bytes / 1024, "kbytes"),
        bytes => (bytes, "bytes"),
    }
}

pub(super) fn per(unit_s: u64) -> &'static str {
    match unit_s {
        1 => "second",
        60 => "minute",
        3600 => "hour",
        86_400 => "day",
        _ => "week",
    }
}

fn shown_limit(limit: &Limit) -> String {
    let over = if limit.over { "over " } else { "" };
    let per = per(limit.unit_s);
    if limit.bytes {
        let (rate, unit) = amount(limit.rate);
        let mut text = format!("limit rate {over}{rate} {unit}/{per}");
        if limit.burst != 0 {
            let (burst, unit) = amount(u64::from(limit.burst));
            let _ = write!(text, " burst {burst} {unit}");
        }
        return text;
    }
    let mut text = format!("limit rate {over}{}/{per}", limit.rate);
    if limit.burst != 5 {
        let _ = write!(text, " burst {} packets", limit.burst);
    }
    text
}

/// How many elements stand on a line (`calculate_delim`).
fn elements_a_line(set: &Set) -> usize {
    match set.key.as_slice() {
        [Type::Ipv4 | Type::CtState] => 2,
        [Type::Service | Type::InetProto | Type::Mark | Type::Integer | Type::Time | Type::NfProto] => 5,
        _ => 1,
    }
}
