//! Expressions, and what they are compared with.

use hairpin_netlink::netfilter::nft::{Expr, Op, Right, SetRef, Type};

use super::fail::Fail;
use super::fields;
use super::parser::Parser;
use super::token::{Kind, Token};
use super::value;

/// The types of a concatenation's places.
pub(super) fn types_of(exprs: &[Expr]) -> Vec<Type> {
    exprs.iter().map(type_of).collect()
}

pub(super) fn type_of(expr: &Expr) -> Type {
    match expr {
        Expr::Payload(field) => field.kind,
        Expr::Meta(meta) => fields::METAS
            .iter()
            .find(|(_, known, ..)| known == meta)
            .map_or(Type::Integer, |(_, _, kind, _)| *kind),
        Expr::Ct(key, _) => fields::CTS
            .iter()
            .find(|(_, known, ..)| known == key)
            .map_or(Type::Integer, |(_, _, kind, _)| *kind),
        Expr::FibType { .. } => Type::FibType,
        Expr::Bits { of, .. } => type_of(of),
        Expr::Value(_) | Expr::NumberOf { .. } => Type::Integer,
        Expr::Map { map: SetRef::Anonymous(set), .. } => {
            set.data.as_ref().and_then(|data| data.first().copied()).unwrap_or(Type::Integer)
        }
        Expr::Map { .. } => Type::Integer,
    }
}

/// `EXPR . EXPR`
pub(super) fn concatenation(parser: &mut Parser<'_>) -> Result<Vec<Expr>, Fail> {
    let mut exprs = vec![bits(parser)?];
    while parser.take_sign(".") {
        exprs.push(bits(parser)?);
    }
    Ok(exprs)
}

/// An expression and what is done to its bits.
fn bits(parser: &mut Parser<'_>) -> Result<Expr, Fail> {
    let mut expr = primary(parser)?;
    loop {
        let op = match parser.peek() {
            Some(Token { kind: Kind::Sign(sign @ ("&" | "|" | "^")), .. }) => *sign,
            Some(Token { kind: Kind::Word(word), .. }) => match word.as_str() {
                "and" => "&",
                "or" => "|",
                "xor" => "^",
                _ => return Ok(expr),
            },
            _ => return Ok(expr),
        };
        parser.next();
        let kind = type_of(&expr);
        let value = flags_or_number(parser, kind)?;
        // A mask and what is set or turned over: x & and ^ xor.
        let (of, and, xor) = match expr {
            Expr::Bits { of, and, xor } => (of, and, xor),
            other => (Box::new(other), u128::from(u32::MAX), 0),
        };
        let (and, xor) = match op {
            "&" => (and & value, xor & value),
            "|" => (and & !value, xor & !value | value),
            _ => (and, xor ^ value),
        };
        expr = Expr::Bits { of, and, xor };
    }
}

/// `(fin|syn)`, `fin|syn`, a number.
fn flags_or_number(parser: &mut Parser<'_>, kind: Type) -> Result<u128, Fail> {
    let closed = parser.take_sign("(");
    let mut total = 0;
    loop {
        let place = parser.place();
        let word = parser.word()?;
        total |= match value::number(word) {
            Some(number) => number,
            None => value::parse(kind, word, place, parser.known)?,
        };
        let more = closed && parser.take_sign("|") || kind.is_flags() && parser.take_sign(",");
        if !more {
            break;
        }
    }
    if closed {
        parser.sign(")")?;
    }
    Ok(total)
}

fn primary(parser: &mut Parser<'_>) -> Result<Expr, Fail> {
    let Some(word) = parser.peek_word() else { return Err(parser.unexpected()) };
    if word == "meta" {
        parser.next();
        let (meta, _) = parser.peek_word().and_then(fields::meta).ok_or_else(|| parser.unexpected())?;
        parser.next();
        return Ok(Expr::Meta(meta));
    }
    let bare = fields::METAS.iter().any(|(name, _, _, bare)| *name == word && *bare)
        || fields::BARE_METAS.contains(&word);
    if bare && let Some((meta, _)) = fields::meta(word) {
        parser.next();
        return Ok(Expr::Meta(meta));
    }
    match word {
        "ct" => connection(parser),
        "fib" => fib(parser),
        "numgen" => {
            parser.next();
            let random = match parser.word()? {
                "inc" => false,
                "random" => true,
                _ => return Err(parser.unexpected()),
            };
            if !parser.take_word("mod") {
                return Err(parser.unexpected());
            }
            let modulus = parser.number()? as u32;
            let offset = if parser.take_word("offset") { parser.number()? as u32 } else { 0 };
            Ok(Expr::NumberOf { random, modulus, offset, next: 0 })
        }
        header if fields::is_header(header) => {
            parser.next();
            let field = parser.peek_word().and_then(|name| fields::field(header, name));
            let field = field.ok_or_else(|| parser.unexpected())?;
            parser.next();
            Ok(Expr::Payload(field))
        }
        _ => {
            // A word that begins nothing is taken for a name that something should follow.
            parser.next();
            Err(parser.unexpected())
        }
    }
}

fn connection(parser: &mut Parser<'_>) -> Result<Expr, Fail> {
    parser.next();
    let direction = match parser.peek_word() {
        Some("original") => Some(0),
        Some("reply") => Some(1),
        _ => None,
    };
    if direction.is_some() {
        parser.next();
    }
    let Some(word) = parser.peek_word() else { return Err(parser.unexpected()) };
    let start = parser.place();
    parser.next();
    let name = match word {
        "ip" | "ip6" => format!("{word} {}", parser.word()?),
        "saddr" | "daddr" => {
            let text = "cannot determine ip protocol version, use \"ip saddr\" or \"ip6 saddr\" instead";
            return Err(Fail::at(text, start));
        }
        other => other.to_owned(),
    };
    let found = fields::CTS
        .iter()
        .find(|(known, _, _, of_tuple)| *known == name && (*of_tuple || direction.is_none()));
    match found {
        Some((_, key, ..)) => Ok(Expr::Ct(*key, direction)),
        None => Err(Fail::at("syntax error, unexpected string", start)),
    }
}

/// `fib saddr|daddr [. iif|oif] type`
fn fib(parser: &mut Parser<'_>) -> Result<Expr, Fail> {
    let start = parser.place();
    parser.next();
    let (mut address, mut iif, mut oif) = (None, false, false);
    loop {
        match parser.word()? {
            "saddr" => address = Some(true),
            "daddr" => address = Some(false),
            "iif" => iif = true,
            "oif" => oif = true,
            _ => return Err(Fail::at("syntax error, unexpected string", parser.place_before())),
        }
        if !parser.take_sign(".") {
            break;
        }
    }
    let source = address.ok_or_else(|| parser.unexpected())?;
    match parser.word()? {
        "type" => Ok(Expr::FibType { source, iif, oif }),
        _ => Err(Fail::at("hairpin knows `fib … type` only", start.to(parser.place_before()))),
    }
}

/// What an expression is compared with. `left` gets the mask of `VALUE / MASK`.
pub(super) fn right(
    parser: &mut Parser<'_>,
    left: &mut [Expr],
    types: &[Type],
    op: Op,
) -> Result<Right, Fail> {
    if let Some(named) = super::statement::named(parser) {
        return Ok(Right::Set(named));
    }
    if parser.is_sign("{") || types.len() > 1 {
        return super::set::reference(parser, types, None).map(Right::Set);
    }
    let kind = types.first().copied().unwrap_or(Type::Integer);
    if kind.is_flags() {
        let value = flags_or_number(parser, kind)?;
        let value = if parser.take_sign("|") { value | flags_or_number(parser, kind)? } else { value };
        if parser.take_sign("/") {
            let mask = flags_or_number(parser, kind)?;
            if let [place] = left {
                *place = Expr::Bits { of: Box::new(place.clone()), and: mask, xor: 0 };
            }
        }
        return Ok(Right::Value(value));
    }
    let start = parser.place();
    let text = parser.text()?;
    let _ = op;
    one(kind, &text, start, parser)
}

/// A datum, a prefix, a range.
fn one(kind: Type, text: &str, place: super::fail::Place, parser: &Parser<'_>) -> Result<Right, Fail> {
    if kind == Type::IfName
        && let Some(start) = text.strip_suffix('*')
    {
        let value = value::parse(kind, start, place, parser.known)?;
        return Ok(Right::Prefix(value, (start.len() * 8) as u8));
    }
    if let Some((base, prefix)) = text.split_once('/')
        && let Some(bits) = value::bits(kind)
    {
        let base = value::parse(kind, base, place, parser.known)?;
        let bad =
            || Fail::at(format!("Prefix length {prefix} is invalid for type of {bits} bits width"), place);
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= bits).ok_or_else(bad)?;
        if prefix == bits {
            return Ok(Right::Value(base));
        }
        return Ok(Right::Prefix(value::under(base, prefix, bits).first, prefix));
    }
    let ranged = !matches!(kind, Type::IfName | Type::IfIndex | Type::Ether)
        && text
            .split_once('-')
            .is_some_and(|(low, _)| low.chars().next().is_some_and(|c| c.is_ascii_hexdigit()))
        && value::parse(kind, text, place, parser.known).is_err();
    if ranged && let Some((low, high)) = text.split_once('-') {
        let low = value::parse(kind, low, place, parser.known)?;
        let high = value::parse(kind, high, place, parser.known)?;
        if low > high {
            return Err(Fail::at("Range negative size", place));
        }
        return Ok(Right::Range(low, high));
    }
    value::parse(kind, text, place, parser.known).map(Right::Value)
}

/// The span that one place of an element has.
pub(super) fn span(
    parser: &mut Parser<'_>,
    kind: Type,
) -> Result<(hairpin_netlink::netfilter::nft::Span, super::fail::Place), Fail> {
    use hairpin_netlink::netfilter::nft::Span;
    let place = parser.place();
    let text = parser.text()?;
    let bits = value::bits(kind).unwrap_or(32);
    let span = match one(kind, &text, place, parser)? {
        Right::Value(value) => Span::one(value),
        Right::Prefix(value, prefix) => value::under(value, prefix, bits),
        Right::Range(first, last) => Span { first, last },
        Right::Set(_) => return Err(parser.unexpected()),
    };
    Ok((span, place))
}
