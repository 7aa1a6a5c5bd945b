//! How the statements and expressions of rules are printed.

use std::fmt::Write as _;

use hairpin_netlink::netfilter::nft::{
    Expr, Family, Limit, Log, Nat, NatAddress, NatKind, Op, Reject, Right, Rule, SetOp, Statement, Type,
    Verdict,
};

use super::Printer;
use crate::nft::expr::type_of;
use crate::nft::statement::{ICMPX, LEVELS};
use crate::nft::value;
use crate::nft::{fields, time};

impl Printer<'_> {
    pub fn rule(&self, rule: &Rule) -> String {
        let mut words: Vec<String> = rule.statements.iter().map(|found| self.statement(found)).collect();
        if let Some(comment) = &rule.comment {
            words.push(format!("comment \"{comment}\""));
        }
        words.join(" ")
    }

    pub(super) fn statement(&self, statement: &Statement) -> String {
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

    pub(super) fn exprs(&self, exprs: &[Expr]) -> String {
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

    pub(super) fn value(&self, kind: Type, value: u128) -> String {
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
}

/// What is set keeps the word `meta`, interfaces' words do not.
fn setting(left: &str) -> String {
    left.to_owned()
}

pub(in crate::nft) fn nat_name(kind: NatKind) -> &'static str {
    match kind {
        NatKind::Snat => "snat",
        NatKind::Dnat => "dnat",
        NatKind::Masquerade => "masquerade",
        NatKind::Redirect => "redirect",
    }
}

pub(in crate::nft) fn nat_flags(nat: &Nat) -> Vec<&'static str> {
    let flags = [(nat.random, "random"), (nat.fully_random, "fully-random"), (nat.persistent, "persistent")];
    flags.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect()
}

pub(in crate::nft) fn shown_verdict(verdict: &Verdict) -> String {
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
pub(in crate::nft) fn amount(bytes: u64) -> (u64, &'static str) {
    match bytes {
        0 => (0, "bytes"),
        bytes if bytes.is_multiple_of(1024 * 1024) => (bytes / (1024 * 1024), "mbytes"),
        bytes if bytes.is_multiple_of(1024) => (bytes / 1024, "kbytes"),
        bytes => (bytes, "bytes"),
    }
}

pub(in crate::nft) fn per(unit_s: u64) -> &'static str {
    match unit_s {
        1 => "second",
        60 => "minute",
        3600 => "hour",
        86_400 => "day",
        _ => "week",
    }
}

pub(super) fn shown_limit(limit: &Limit) -> String {
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
