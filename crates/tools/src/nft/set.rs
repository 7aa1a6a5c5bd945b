//! Sets and maps: their definitions and elements.

use hairpin_netlink::netfilter::nft::{Data, Element, Set, SetRef, Span, Type};

use super::expr::{span, types_of};
use super::fail::{Fail, Place};
use super::parser::Parser;
use super::{time, value};

/// `@NAME`, or `{ … }` of the rule's own.
pub(super) fn reference(
    parser: &mut Parser<'_>,
    key: &[Type],
    data: Option<&[Type]>,
) -> Result<SetRef, Fail> {
    if let Some(named) = super::statement::named(parser) {
        return Ok(named);
    }
    let mut set = Set::new(key.to_vec(), data.map(<[Type]>::to_vec));
    if parser.is_sign("{") {
        let found = elements(parser, &set, true)?;
        for (element, _) in &found {
            if element.key.iter().any(|span| !span.is_one()) {
                set.interval = true;
            }
            if let Some(Data::Values(values)) = &element.data {
                let kinds = data.unwrap_or(&[]);
                set.data = Some(kinds.get(..values.len()).unwrap_or(kinds).to_vec());
            }
        }
        if set.interval && key.len() == 1 {
            // Ranges that touch become one, but where they stand for something.
            set.auto_merge = found.iter().all(|(element, _)| element.data.is_none());
            insert(&mut set, found, 0)?;
            set.auto_merge = false;
        } else {
            for (element, _) in found {
                set.insert(element);
            }
        }
    } else {
        // A concatenation compared with one element.
        let element = element(parser, &set)?.0;
        set.interval = element.key.iter().any(|span| !span.is_one());
        set.insert(element);
    }
    Ok(SetRef::Anonymous(Box::new(set)))
}

/// `{ ELEMENT, … }` with where each stands. Those of a rule's own set need no leave for intervals.
pub(super) fn elements(
    parser: &mut Parser<'_>,
    set: &Set,
    anonymous: bool,
) -> Result<Vec<(Element, Place)>, Fail> {
    parser.sign("{")?;
    let mut all: Vec<(Element, Place)> = Vec::new();
    loop {
        parser.skip_lines();
        if parser.take_sign("}") {
            return Ok(all);
        }
        let (element, place) = element(parser, set)?;
        if !anonymous && !set.interval && element.key.iter().any(|span| !span.is_one()) {
            return Err(Fail::at(
                "You must add 'flags interval' to your set declaration if you want to add prefix elements",
                place,
            ));
        }
        all.push((element, place));
        parser.skip_lines();
        if !parser.take_sign(",") && !parser.is_sign("}") {
            return Err(parser.unexpected());
        }
    }
}

fn element(parser: &mut Parser<'_>, set: &Set) -> Result<(Element, Place), Fail> {
    let start = parser.place();
    let mut key = Vec::new();
    for (at, kind) in set.key.iter().enumerate() {
        if at > 0 {
            parser.sign(".")?;
        }
        if parser.is_word("*") {
            parser.next();
            key.push(Span { first: 0, last: u128::MAX });
        } else {
            key.push(span(parser, *kind)?.0);
        }
    }
    let place = start.to(parser.place_before());
    let mut element = Element::of(key);
    loop {
        if parser.take_word("timeout") {
            element.timeout_ms = Some(time::parse(parser.word()?).ok_or_else(|| parser.unexpected())?);
        } else if parser.take_word("expires") {
            // What is left of a time is as good as a time for what is made anew.
            let left = time::parse(parser.word()?).ok_or_else(|| parser.unexpected())?;
            element.expires_ns = Some(left.saturating_mul(1_000_000));
        } else if parser.take_word("comment") {
            element.comment = Some(parser.text()?);
        } else if parser.take_word("counter") {
            let (mut packets, mut bytes) = (0, 0);
            if parser.take_word("packets") {
                packets = parser.number()?;
                if parser.take_word("bytes") {
                    bytes = parser.number()?;
                }
            }
            element.counter = Some((packets, bytes));
        } else {
            break;
        }
    }
    if let Some(kinds) = &set.data {
        parser.sign(":")?;
        element.data = Some(data(parser, kinds)?);
    }
    Ok((element, place))
}

fn data(parser: &mut Parser<'_>, kinds: &[Type]) -> Result<Data, Fail> {
    if kinds.first() == Some(&Type::Verdict) {
        let verdict = super::statement::verdict(parser)?;
        return verdict.map(Data::Verdict).ok_or_else(|| parser.unexpected());
    }
    let mut values = Vec::new();
    for (at, kind) in kinds.iter().enumerate() {
        if at > 0 && !parser.take_sign(".") {
            break;
        }
        values.push(span(parser, *kind)?.0);
    }
    Ok(Data::Values(values))
}

/// A set's or map's `{ … }`, the innermost of `depth` blocks.
pub(super) fn definition(
    parser: &mut Parser<'_>,
    name: &str,
    is_map: bool,
    depth: u32,
    now_ns: u64,
) -> Result<Set, Fail> {
    let start = parser.place();
    parser.sign("{")?;
    let mut set = Set::new(Vec::new(), is_map.then(Vec::new));
    name.clone_into(&mut set.name);
    let mut contents: Vec<(Element, Place)> = Vec::new();
    loop {
        parser.skip_ends();
        if parser.take_sign("}") {
            break;
        }
        let clause = parser.word()?;
        match clause {
            "type" => {
                if let Err(mut fail) = types(parser, &mut set, is_map) {
                    // The rest is looked at, and found to lack what could not be read.
                    while parser.peek().is_some() && !parser.is_sign("}") {
                        parser.next();
                    }
                    let place = start.to(parser.place_before());
                    parser.take_sign("}");
                    let then = Fail::at("set definition does not specify key", place);
                    fail.then = Some(Box::new(then));
                    return Err(fail);
                }
            }
            "typeof" => {
                let from = parser.at();
                let key = super::expr::concatenation(parser)?;
                let mut text = parser.words_from(from);
                set.key = types_of(&key);
                if is_map {
                    parser.sign(":")?;
                    let from = parser.at();
                    if super::statement::verdict_type(parser) {
                        set.data = Some(vec![Type::Verdict]);
                    } else {
                        let data = super::expr::concatenation(parser)?;
                        set.data = Some(types_of(&data));
                    }
                    text = format!("{text} : {}", parser.words_from(from));
                }
                set.type_of = Some(text);
            }
            "flags" => loop {
                match parser.word()? {
                    "interval" => set.interval = true,
                    "constant" => set.constant = true,
                    "dynamic" => set.dynamic = true,
                    "timeout" => set.timeouts = true,
                    _ => return Err(Fail::at("syntax error, unexpected string", parser.place_before())),
                }
                if !parser.take_sign(",") {
                    break;
                }
            },
            "timeout" => set.timeout_ms = Some(duration(parser)?),
            "gc-interval" => set.gc_interval_ms = Some(duration(parser)?),
            "size" => set.size = Some(parser.number()? as u32),
            "policy" => {
                parser.word()?;
            }
            "auto-merge" => set.auto_merge = true,
            "counter" => set.counter = true,
            "comment" => set.comment = Some(parser.text()?),
            "elements" => {
                parser.sign("=")?;
                contents = elements(parser, &set, false)?;
            }
            _ => return Err(Fail::at("syntax error, unexpected string", parser.place_before())),
        }
        match clause {
            // The brace of the elements ends them too.
            "elements" if parser.is_end() => {}
            "type" => parser.separator(depth, " or .")?,
            "flags" => parser.separator(depth, " or comma")?,
            _ => parser.separator(depth, "")?,
        }
    }
    if set.key.is_empty() {
        let place = start.to(parser.place_before());
        return Err(Fail::at("set definition does not specify key", place));
    }
    insert(&mut set, contents, now_ns)?;
    Ok(set)
}

fn duration(parser: &mut Parser<'_>) -> Result<u64, Fail> {
    let text = parser.text()?;
    time::parse(&text).ok_or_else(|| parser.unexpected())
}

/// `ipv4_addr . inet_service [: DATA]`
fn types(parser: &mut Parser<'_>, set: &mut Set, is_map: bool) -> Result<(), Fail> {
    let one = |parser: &mut Parser<'_>| -> Result<Type, Fail> {
        let place = parser.place();
        let name = parser.word()?;
        let known = value::TYPES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
        known.ok_or_else(|| Fail::at(format!("unknown datatype {name}"), place))
    };
    let several = |parser: &mut Parser<'_>| -> Result<Vec<Type>, Fail> {
        let mut kinds = vec![one(parser)?];
        while parser.take_sign(".") {
            kinds.push(one(parser)?);
        }
        Ok(kinds)
    };
    set.key = several(parser)?;
    if is_map {
        parser.sign(":")?;
        set.data = Some(several(parser)?);
    }
    Ok(())
}

/// Adds elements to a set; intervals must be apart.
pub(super) fn insert(set: &mut Set, elements: Vec<(Element, Place)>, now_ns: u64) -> Result<(), Fail> {
    let mut added: Vec<(Vec<Span>, Place)> = Vec::new();
    for (mut element, place) in elements {
        if set.interval && set.key.len() == 1 {
            let Some(span) = element.key.first().copied() else { continue };
            let meets = |key: &[Span]| {
                key.first().is_some_and(|known| {
                    *known != span && known.first <= span.last && span.first <= known.last
                })
            };
            if set.auto_merge {
                // What it touches becomes one with it.
                let touches = |known: &Element| {
                    known.key.first().is_some_and(|known| {
                        known.first <= span.last.saturating_add(1)
                            && span.first <= known.last.saturating_add(1)
                    })
                };
                let merged: Vec<Element> = set.elements.extract_if(.., |known| touches(known)).collect();
                for known in merged.iter().filter_map(|known| known.key.first()) {
                    if let Some(place) = element.key.first_mut() {
                        place.first = place.first.min(known.first);
                        place.last = place.last.max(known.last);
                    }
                }
            } else if let Some((_, other)) = added.iter().find(|(key, _)| meets(key)) {
                return Err(Fail::between("conflicting intervals specified", *other, place));
            } else if set.elements.iter().any(|known| meets(&known.key)) {
                return Err(Fail::at("interval overlaps with an existing one", place));
            }
        }
        let timeout_ms = element.timeout_ms.or(set.timeout_ms);
        let left_ns = element.expires_ns.or(timeout_ms.map(|ms| ms.saturating_mul(1_000_000)));
        element.expires_ns = left_ns.map(|left| now_ns.saturating_add(left));
        if set.counter && element.counter.is_none() {
            element.counter = Some((0, 0));
        }
        // One that is there keeps its time.
        let known = set.elements.iter().any(|known| known.key == element.key && !known.has_expired(now_ns));
        if !known {
            set.insert(element.clone());
        }
        added.push((element.key, place));
    }
    Ok(())
}
