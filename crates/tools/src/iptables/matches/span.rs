//! Ranges of 32-bit numbers, as matches of headers write them.

use hairpin_netlink::netfilter::headers::Span;

use super::super::extension::Given;
use super::super::fail::Fail;
use super::not;

/// `LOW:HIGH`, either missing, or one number; the wrong way round is taken, and holds nothing.
pub(super) fn parse(given: &Given<'_>) -> Result<Span, Fail> {
    let (low, high) = given.range(u64::from(u32::MAX))?;
    Ok(Span { low: low as u32, high: high as u32, invert: given.invert })
}

/// ` --OPTION LOW:HIGH`; nothing for the whole range, inverted or not.
pub(super) fn saved(option: &str, span: &Span) -> String {
    if span.is_whole() {
        return String::new();
    }
    format!("{} --{option} {}", not(span.invert), numbers(span))
}

/// `NAME:5`, `NAMEs:5:9`; nothing for every number.
pub(super) fn listed(name: &str, span: &Span) -> String {
    if span.is_whole() && !span.invert {
        return String::new();
    }
    let many = if span.low == span.high { "" } else { "s" };
    format!("{name}{many}:{}{}", exclamation(span.invert), numbers(span))
}

fn numbers(span: &Span) -> String {
    match span.low == span.high {
        true => span.low.to_string(),
        false => format!("{}:{}", span.low, span.high),
    }
}

/// ` --OPTION NUMBER` where it is asked for.
pub(super) fn saved_number(option: &str, number: Option<(u32, bool)>) -> String {
    number.map_or_else(String::new, |(number, invert)| format!("{} --{option} {number}", not(invert)))
}

/// `NAME:5`, `NAME:!5` where it is asked for.
pub(super) fn listed_number(name: &str, number: Option<(u32, bool)>) -> String {
    number.map_or_else(String::new, |(number, invert)| format!("{name}:{}{number}", exclamation(invert)))
}

pub(super) fn exclamation(invert: bool) -> &'static str {
    if invert { "!" } else { "" }
}
