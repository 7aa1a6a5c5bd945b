//! Rules: the statements of one, as they are written.

use hairpin_netlink::netfilter::nft::{
    Ct, Expr, Family, Limit, Log, Meta, Nat, NatAddress, NatKind, ObjectKind, Op, Reject, Right, SetOp,
    SetRef, Statement, Type, Verdict,
};

use super::conflict;
use super::expr::types_of;
use super::fail::{Fail, KEYWORDS, Place};
use super::fields;
use super::parser::Parser;
use super::token::{Kind, Token};
use super::value;

/// The statements and the comment of a rule.
pub(super) fn rule(parser: &mut Parser<'_>) -> Result<(Vec<Statement>, Option<String>), Fail> {
    let mut statements: Vec<Statement> = Vec::new();
    let mut comment = None;
    let mut terminal: Option<Place> = None;
    while !parser.is_end() {
        if parser.take_word("comment") {
            comment = Some(parser.text()?);
            continue;
        }
        let start = parser.place();
        let first = parser.peek_word();
        let behind = parser.at() + 1;
        let found = statement(parser).map_err(|fail| unknown(fail, first, parser, behind, start))?;
        let place = start.to(parser.place_before());
        if let Some(terminal) = terminal {
            return Err(Fail::between("Statement after terminal statement has no effect", terminal, place));
        }
        if is_terminal(&found) {
            terminal = Some(place);
        }
        conflict::check(parser, &statements, &found, behind - 1, place)?;
        add(&mut statements, found);
    }
    if statements.is_empty() {
        return Err(parser.unexpected());
    }
    Ok((statements, comment))
}

/// A word that means nothing, with another one behind it, is a symbol without a type.
fn unknown(fail: Fail, first: Option<&str>, parser: &mut Parser<'_>, behind: usize, start: Place) -> Fail {
    let is_symbol = first
        .is_some_and(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()) && !KEYWORDS.contains(&word));
    parser.back_to(behind);
    match is_symbol && fail.text == "syntax error, unexpected string" && fail.place == Some(parser.place()) {
        true => Fail::at("No symbol type information", start),
        false => fail,
    }
}

fn is_terminal(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Verdict(
            Verdict::Accept | Verdict::Drop | Verdict::Return | Verdict::Jump(_) | Verdict::Goto(_)
        ) | Statement::Reject(_)
            | Statement::Nat(_)
    )
}

/// Adds a statement; a match on a protocol that the header behind it implies goes (`payload_dependency_kill`).
fn add(statements: &mut Vec<Statement>, found: Statement) {
    if let Statement::Match { left, .. } = &found
        && let [Expr::Payload(field)] = left.as_slice()
        && let Some(number) = fields::protocol(field.header)
        && let Some(Statement::Match {
            left: before,
            op: Op::Implicit | Op::Equal,
            right: Right::Value(value),
        }) = statements.last()
        && *value == u128::from(number)
        && let [Expr::Payload(known)] = before.as_slice()
        && known.kind == Type::InetProto
    {
        statements.pop();
    } else if let Statement::Match { left, .. } = &found
        && let [Expr::Payload(field)] = left.as_slice()
        && let Some(number) = fields::protocol(field.header)
        && let Some(Statement::Match {
            left: before,
            op: Op::Implicit | Op::Equal,
            right: Right::Value(value),
        }) = statements.last()
        && *value == u128::from(number)
        && before.as_slice() == [Expr::Meta(Meta::L4Proto)]
    {
        statements.pop();
    }
    statements.push(found);
}

fn statement(parser: &mut Parser<'_>) -> Result<Statement, Fail> {
    let Some(word) = parser.peek_word() else { return Err(parser.unexpected()) };
    let start = parser.at();
    if let Some(verdict) = verdict(parser)? {
        return Ok(Statement::Verdict(verdict));
    }
    match word {
        "counter" => {
            parser.next();
            if parser.take_word("name") {
                return Ok(Statement::NamedCounter(parser.text()?));
            }
            let (mut packets, mut bytes) = (0, 0);
            if parser.take_word("packets") {
                packets = parser.number()?;
                if !parser.take_word("bytes") {
                    return Err(parser.unexpected());
                }
                bytes = parser.number()?;
            }
            Ok(Statement::Counter { packets, bytes })
        }
        "log" => log(parser),
        "limit" => {
            parser.next();
            match parser.take_word("name") {
                true => Ok(Statement::NamedLimit(parser.text()?)),
                false => limit(parser),
            }
        }
        "quota" => {
            parser.next();
            match parser.take_word("name") {
                true => Ok(Statement::NamedQuota(parser.text()?)),
                false => quota(parser),
            }
        }
        "reject" => reject(parser),
        "notrack" => {
            parser.next();
            Ok(Statement::NoTrack)
        }
        "snat" | "dnat" | "masquerade" | "redirect" => nat(parser),
        "add" | "update" | "delete" => set_element(parser),
        "set" => set_element(parser),
        "tcp" if is_option(parser) => {
            parser.back_to(start);
            mss(parser)
        }
        _ => {
            parser.back_to(start);
            on_expression(parser)
        }
    }
}

/// `tcp option …`
fn is_option(parser: &mut Parser<'_>) -> bool {
    parser.next();
    parser.is_word("option")
}

pub(super) fn verdict(parser: &mut Parser<'_>) -> Result<Option<Verdict>, Fail> {
    let simple = match parser.peek_word() {
        Some("accept") => Verdict::Accept,
        Some("drop") => Verdict::Drop,
        Some("continue") => Verdict::Continue,
        Some("return") => Verdict::Return,
        Some(word @ ("jump" | "goto")) => {
            parser.next();
            let name = parser.text()?;
            return Ok(Some(if word == "jump" { Verdict::Jump(name) } else { Verdict::Goto(name) }));
        }
        _ => return Ok(None),
    };
    parser.next();
    Ok(Some(simple))
}

fn log(parser: &mut Parser<'_>) -> Result<Statement, Fail> {
    parser.next();
    let mut found = Log::default();
    loop {
        match parser.peek_word() {
            Some("prefix") => {
                parser.next();
                found.prefix = Some(parser.text()?);
            }
            Some("group") => {
                parser.next();
                found.group = Some(parser.number()? as u16);
            }
            Some("snaplen") => {
                parser.next();
                found.snaplen = Some(parser.number()? as u32);
            }
            Some("queue-threshold") => {
                parser.next();
                found.queue_threshold = Some(parser.number()? as u16);
            }
            Some("level") => {
                parser.next();
                let word = parser.word()?;
                let level = LEVELS.iter().position(|name| *name == word);
                found.level = Some(level.ok_or_else(|| parser.unexpected())? as u8);
            }
            Some("flags") => {
                parser.next();
                found.flags |= log_flags(parser)?;
            }
            _ => return Ok(Statement::Log(found)),
        }
    }
}

pub(super) const LEVELS: &[&str] =
    &["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit"];

fn log_flags(parser: &mut Parser<'_>) -> Result<u8, Fail> {
    Ok(match parser.word()? {
        "all" => 0x2f,
        "skuid" => 8,
        "ether" => 32,
        "ip" => {
            if !parser.take_word("options") {
                return Err(parser.unexpected());
            }
            4
        }
        "tcp" => {
            let mut flags = 0;
            loop {
                flags |= match parser.word()? {
                    "sequence" => 1,
                    "options" => 2,
                    _ => return Err(parser.unexpected()),
                };
                if !parser.take_sign(",") {
                    break flags;
                }
            }
        }
        _ => return Err(parser.unexpected()),
    })
}

/// What `quota NAME` or `limit NAME` is of.
pub(super) fn object(parser: &mut Parser<'_>, kind: &str) -> Result<ObjectKind, Fail> {
    let found = if kind == "quota" { quota(parser)? } else { limit(parser)? };
    match found {
        Statement::Limit(limit) => Ok(ObjectKind::Limit(limit)),
        Statement::Quota { bytes, over, used } => Ok(ObjectKind::Quota { bytes, over, used }),
        _ => Err(parser.unexpected()),
    }
}

/// `limit rate [over] N[ UNIT]/TIME [burst N packets|UNIT]`
fn limit(parser: &mut Parser<'_>) -> Result<Statement, Fail> {
    if !parser.take_word("rate") {
        return Err(parser.unexpected());
    }
    let over = parser.take_word("over");
    if !over {
        parser.take_word("until");
    }
    let place = parser.place();
    let bad = || Fail::at("syntax error, unexpected string", place);
    let first = parser.word()?;
    let (amount, time, bytes) = match first.split_once('/') {
        Some((amount, time)) => (amount.to_owned(), time.to_owned(), false),
        None => {
            let unit = parser.word()?;
            let (unit, time) = unit.split_once('/').ok_or_else(bad)?;
            let amount = first.parse::<u64>().map_err(|_| bad())?;
            (amount.saturating_mul(bytes_of(unit).ok_or_else(bad)?).to_string(), time.to_owned(), true)
        }
    };
    let rate = amount.parse().ok().filter(|rate| *rate > 0).ok_or_else(bad)?;
    let unit_s = match time.as_str() {
        "second" => 1,
        "minute" => 60,
        "hour" => 3600,
        "day" => 86_400,
        "week" => 604_800,
        _ => return Err(bad()),
    };
    let mut burst = if bytes { 0 } else { 5 };
    if parser.take_word("burst") {
        let count = parser.number()?;
        let unit = parser.word()?;
        burst = match unit {
            "packets" => count as u32,
            unit => count.saturating_mul(bytes_of(unit).ok_or_else(bad)?) as u32,
        };
    }
    Ok(Statement::Limit(Limit { rate, unit_s, burst, bytes, over, bucket: None }))
}

pub(super) fn bytes_of(unit: &str) -> Option<u64> {
    match unit {
        "bytes" => Some(1),
        "kbytes" => Some(1024),
        "mbytes" => Some(1024 * 1024),
        _ => None,
    }
}

fn quota(parser: &mut Parser<'_>) -> Result<Statement, Fail> {
    let over = parser.take_word("over");
    if !over {
        parser.take_word("until");
    }
    let mut amounts = [0u64; 2];
    for (at, amount) in amounts.iter_mut().enumerate() {
        if at == 1 && !parser.take_word("used") {
            break;
        }
        let number = parser.number()?;
        let unit = bytes_of(parser.word()?).ok_or_else(|| parser.unexpected())?;
        *amount = number.saturating_mul(unit);
    }
    Ok(Statement::Quota { bytes: amounts[0], over, used: amounts[1] })
}

/// Codes of ICMP of both families.
pub(super) const ICMPX: &[(&str, u8)] =
    &[("no-route", 0), ("port-unreachable", 1), ("host-unreachable", 2), ("admin-prohibited", 3)];

fn reject(parser: &mut Parser<'_>) -> Result<Statement, Fail> {
    parser.next();
    if !parser.take_word("with") {
        return Ok(Statement::Reject(match parser.family {
            Family::Ip => Reject::Icmp(3),
            Family::Ip6 => Reject::Icmp6(4),
            Family::Inet => Reject::Icmpx(1),
        }));
    }
    let which = parser.word()?;
    if which == "tcp" {
        return match parser.word()? {
            "reset" => Ok(Statement::Reject(Reject::TcpReset)),
            _ => Err(parser.unexpected()),
        };
    }
    parser.take_word("type");
    let place = parser.place();
    let code = parser.word()?;
    let of = |kind: Type| value::parse(kind, code, place, parser.known).map(|code| code as u8);
    Ok(Statement::Reject(match which {
        "icmp" => Reject::Icmp(of(Type::IcmpCode)?),
        "icmpv6" => Reject::Icmp6(of(Type::Icmp6Code)?),
        "icmpx" => {
            let known = ICMPX.iter().find(|(name, _)| *name == code).map(|(_, code)| *code);
            let bad = || Fail::at("Could not parse icmpx code", place);
            Reject::Icmpx(known.or_else(|| code.parse().ok()).ok_or_else(bad)?)
        }
        _ => return Err(Fail::at("syntax error, unexpected string", place)),
    }))
}

/// `snat|dnat [ip|ip6] to ADDRESS[:PORT] FLAGS`, `masquerade|redirect [to :PORT] FLAGS`
fn nat(parser: &mut Parser<'_>) -> Result<Statement, Fail> {
    let kind = match parser.word()? {
        "snat" => NatKind::Snat,
        "dnat" => NatKind::Dnat,
        "masquerade" => NatKind::Masquerade,
        _ => NatKind::Redirect,
    };
    let mut nat = Nat {
        kind,
        family: None,
        address: None,
        ports: None,
        random: false,
        fully_random: false,
        persistent: false,
    };
    let addresses = matches!(kind, NatKind::Snat | NatKind::Dnat);
    if addresses {
        nat.family = match parser.peek_word() {
            Some("ip") => Some(Family::Ip),
            Some("ip6") => Some(Family::Ip6),
            _ => None,
        };
        if nat.family.is_some() {
            parser.next();
            // `ip addr . port`
            if parser.take_word("addr") && parser.take_sign(".") && !parser.take_word("port") {
                return Err(parser.unexpected());
            }
        }
    }
    if parser.take_word("to") {
        if addresses {
            destination(parser, &mut nat)?;
        } else {
            let place = parser.place();
            if parser.take_sign(":") {
                nat.ports = Some(ports(parser.word()?, place)?);
            } else {
                let word = parser.word()?;
                nat.ports = Some(ports(word.strip_prefix(':').unwrap_or(word), place)?);
            }
        }
    } else if addresses {
        return Err(parser.unexpected());
    }
    if nat.family == Some(parser.family) {
        nat.family = None;
    }
    loop {
        match parser.peek_word() {
            Some("random") => nat.random = true,
            Some("fully-random") => nat.fully_random = true,
            Some("persistent") => nat.persistent = true,
            _ => break,
        }
        parser.next();
        parser.take_sign(",");
    }
    Ok(Statement::Nat(Box::new(nat)))
}

fn destination(parser: &mut Parser<'_>, nat: &mut Nat) -> Result<(), Fail> {
    let family = nat.family.unwrap_or(parser.family);
    let place = parser.place();
    if parser.take_sign("[") {
        // `[2001:db8::1]:80`
        let address = value::parse(Type::Ipv6, parser.word()?, place, parser.known)?;
        parser.sign("]")?;
        nat.address = Some(NatAddress::Range(address, address));
        if let Some(word) = parser.peek_word().and_then(|word| word.strip_prefix(':')) {
            nat.ports = Some(ports(word, place)?);
            parser.next();
        }
        return Ok(());
    }
    let Some(word) = parser.peek_word() else { return Err(parser.unexpected()) };
    if fields::is_header(word) || matches!(word, "meta" | "ct" | "numgen" | "fib") {
        let key = super::expr::concatenation(parser)?;
        if !parser.take_word("map") {
            return Err(parser.unexpected());
        }
        let data = [if family == Family::Ip6 { Type::Ipv6 } else { Type::Ipv4 }, Type::Service];
        let map = super::set::reference(parser, &types_of(&key), Some(&data))?;
        nat.address = Some(NatAddress::Of(Expr::Map { key, map }));
        return Ok(());
    }
    parser.next();
    if let Some(only) = word.strip_prefix(':') {
        nat.ports = Some(ports(only, place)?);
        return Ok(());
    }
    let (addresses, port) = match family {
        Family::Ip6 => (word, None),
        _ => match word.split_once(':') {
            Some((addresses, port)) => (addresses, Some(port)),
            None => (word, None),
        },
    };
    let kind = if family == Family::Ip6 { Type::Ipv6 } else { Type::Ipv4 };
    let (low, high) = addresses.split_once('-').unwrap_or((addresses, addresses));
    let low = value::parse(kind, low, place, parser.known)?;
    let high = value::parse(kind, high, place, parser.known)?;
    nat.address = Some(NatAddress::Range(low, high));
    if let Some(port) = port {
        nat.ports = Some(ports(port, place)?);
    }
    Ok(())
}

fn ports(text: &str, place: Place) -> Result<(u16, u16), Fail> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let one = |text: &str| text.parse().map_err(|_| Fail::at("Service out of range", place));
    Ok((one(low)?, one(high)?))
}

/// `add|update|delete @SET { KEY [timeout T] [counter] }`
fn set_element(parser: &mut Parser<'_>) -> Result<Statement, Fail> {
    let legacy = parser.take_word("set");
    let op = match parser.word()? {
        "add" => SetOp::Add,
        "update" => SetOp::Update,
        "delete" => SetOp::Delete,
        _ => return Err(parser.unexpected()),
    };
    let name = |parser: &mut Parser<'_>| -> Result<String, Fail> {
        let word = parser.word()?;
        word.strip_prefix('@').map(str::to_owned).ok_or_else(|| parser.unexpected())
    };
    let mut set = String::new();
    if !legacy {
        set = name(parser)?;
        parser.sign("{")?;
    }
    let key = super::expr::concatenation(parser)?;
    let (mut timeout_ms, mut counter) = (None, false);
    loop {
        if parser.take_word("timeout") {
            let text = parser.word()?;
            timeout_ms = Some(super::time::parse(text).ok_or_else(|| parser.unexpected())?);
        } else if parser.take_word("counter") {
            counter = true;
        } else {
            break;
        }
    }
    if legacy {
        set = name(parser)?;
    } else {
        parser.sign("}")?;
    }
    Ok(Statement::SetElement { op, set, key, timeout_ms, counter })
}

/// `tcp option maxseg size set N`
fn mss(parser: &mut Parser<'_>) -> Result<Statement, Fail> {
    for word in ["tcp", "option", "maxseg", "size", "set"] {
        if !parser.take_word(word) {
            return Err(parser.unexpected());
        }
    }
    if parser.take_word("rt") {
        return match parser.take_word("mtu") {
            true => Ok(Statement::SetMss(None)),
            false => Err(parser.unexpected()),
        };
    }
    Ok(Statement::SetMss(Some(parser.number()? as u16)))
}

/// What begins with an expression: a match, a verdict map, or the setting of what the expression reads.
fn on_expression(parser: &mut Parser<'_>) -> Result<Statement, Fail> {
    let start = parser.place();
    let left = super::expr::concatenation(parser)?;
    let left_place = start.to(parser.place_before());
    if parser.take_word("vmap") {
        let map = super::set::reference(parser, &types_of(&left), Some(&[Type::Verdict]))?;
        return Ok(Statement::VerdictMap { key: left, map });
    }
    if parser.is_word("set") {
        parser.next();
        return setting(parser, left, left_place);
    }
    if parser.is_end() {
        return Err(parser.unexpected());
    }
    let op = operator(parser);
    let types = types_of(&left);
    let mut left = left;
    let right = super::expr::right(parser, &mut left, &types, op)?;
    Ok(Statement::Match { left, op, right })
}

fn operator(parser: &mut Parser<'_>) -> Op {
    let op = match parser.peek() {
        Some(Token { kind: Kind::Sign(sign), .. }) => match *sign {
            "==" => Op::Equal,
            "!=" => Op::NotEqual,
            "<" => Op::Less,
            ">" => Op::Greater,
            "<=" => Op::LessOrEqual,
            ">=" => Op::GreaterOrEqual,
            _ => return Op::Implicit,
        },
        Some(Token { kind: Kind::Word(word), .. }) => match word.as_str() {
            "eq" => Op::Equal,
            "ne" => Op::NotEqual,
            "lt" => Op::Less,
            "gt" => Op::Greater,
            "le" => Op::LessOrEqual,
            "ge" => Op::GreaterOrEqual,
            _ => return Op::Implicit,
        },
        _ => return Op::Implicit,
    };
    parser.next();
    op
}

fn setting(parser: &mut Parser<'_>, left: Vec<Expr>, place: Place) -> Result<Statement, Fail> {
    let cannot = || Fail::at("Could not process rule: Operation not supported", place);
    let [target] = left.as_slice() else { return Err(cannot()) };
    let kind = types_of(&left).first().copied().unwrap_or(Type::Integer);
    let place = parser.place();
    let first = parser.peek_word().unwrap_or("");
    let reads = fields::is_header(first)
        || matches!(first, "meta" | "ct" | "numgen" | "fib")
        || fields::BARE_METAS.contains(&first);
    let expr = if reads {
        let mut key = super::expr::concatenation(parser)?;
        if parser.take_word("map") {
            let map = super::set::reference(parser, &types_of(&key), Some(&[kind]))?;
            Expr::Map { key, map }
        } else {
            key.pop().ok_or_else(cannot)?
        }
    } else {
        let word = parser.word()?;
        Expr::Value(value::parse(kind, word, place, parser.known)?)
    };
    match target {
        Expr::Meta(meta @ (Meta::Mark | Meta::Trace | Meta::PacketType | Meta::Priority)) => {
            Ok(Statement::SetMeta(*meta, expr))
        }
        Expr::Ct(Ct::Mark, _) => Ok(Statement::SetCtMark(expr)),
        Expr::Payload(field) => Ok(Statement::SetPayload(*field, expr)),
        _ => Err(cannot()),
    }
}

/// The word `verdict`, as a type.
pub(super) fn verdict_type(parser: &mut Parser<'_>) -> bool {
    parser.take_word("verdict")
}

/// A set by its name.
pub(super) fn named(parser: &mut Parser<'_>) -> Option<SetRef> {
    let name = parser.peek_word()?.strip_prefix('@')?.to_owned();
    parser.next();
    Some(SetRef::Named(name))
}
