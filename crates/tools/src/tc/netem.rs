//! `netem` (iproute2's q_netem.c).

use hairpin_netlink::tc::{Netem, NetemParts, TICK_NS};

use super::{illegal, units, wrong};
use crate::iproute2::{Args, Stop, Value, print::Printer};

const EXPLAIN: &str = "\
Usage: ... netem [ limit PACKETS ]
                 [ delay TIME [ JITTER [CORRELATION]]]
                 [ distribution {uniform|normal|pareto|paretonormal} ]
                 [ corrupt PERCENT [CORRELATION]]
                 [ duplicate PERCENT [CORRELATION]]
                 [ loss random PERCENT [CORRELATION]]
                 [ loss state P13 [P31 [P32 [P23 P14]]]
                 [ loss gemodel PERCENT [R [1-H [1-K]]]
                 [ ecn ]
                 [ reorder PERCENT [CORRELATION] [ gap DISTANCE ]]
                 [ rate RATE [PACKETOVERHEAD] [CELLSIZE] [CELLOVERHEAD]]
                 [ slot MIN_DELAY [MAX_DELAY] [packets MAX_PACKETS] [bytes MAX_BYTES]]
                 [ slot distribution {uniform|normal|pareto|paretonormal|custom}
                   DELAY JITTER [packets MAX_PACKETS] [bytes MAX_BYTES]]
";

/// `NEXT_IS_NUMBER`
fn next_is_number(args: &Args<'_>) -> bool {
    args.peek().is_some_and(|word| word.as_bytes().first().is_some_and(u8::is_ascii_digit))
}

/// A percentage, and a correlation if one follows.
fn chance(args: &mut Args<'_>, what: &str, parts: &mut NetemParts) -> Result<(u32, Option<u32>), Stop> {
    let chance = units::percent(args.value()?).ok_or_else(|| illegal(what))?;
    if !next_is_number(args) {
        return Ok((chance, None));
    }
    let correlation = units::percent(args.value()?).ok_or_else(|| illegal(what))?;
    parts.correlations = true;
    Ok((chance, Some(correlation)))
}

/// `netem_parse_opt`
pub(super) fn parse(mut args: Args<'_>) -> Result<Option<Vec<u8>>, Stop> {
    let mut found = Netem { limit: 1000, ..Netem::default() };
    let mut parts = NetemParts::NONE;
    let missing = |what: &str| wrong(format!("netem: {what}: not supported by hairpin yet\n"));
    while let Some(word) = args.take() {
        let is = |name: &str| crate::iproute2::matches(word, name);
        let ticks = |ticks: u32| u64::from(ticks) * TICK_NS;
        if is("limit") {
            found.limit = units::size(args.value()?).ok_or_else(|| illegal("limit"))?;
        } else if is("latency") || is("delay") {
            found.latency = units::ticks(args.value()?).map(ticks).ok_or_else(|| illegal("latency"))?;
            if next_is_number(&args) {
                found.jitter = units::ticks(args.value()?).map(ticks).ok_or_else(|| illegal("latency"))?;
                if next_is_number(&args) {
                    found.delay_correlation =
                        units::percent(args.value()?).ok_or_else(|| illegal("latency"))?;
                    parts.correlations = true;
                }
            }
        } else if is("loss") || is("drop") {
            match args.peek() {
                Some(word @ ("state" | "gemodel")) => return Err(missing(&format!("loss {word}"))),
                Some("random") => _ = args.take(),
                Some(word) if !next_is_number(&args) => {
                    return Err(wrong(format!("Unknown loss parameter: {word}\n")));
                }
                _ => {}
            }
            let (chance, correlation) = chance(&mut args, "loss percent", &mut parts)?;
            (found.loss, found.loss_correlation) = (chance, correlation.unwrap_or_default());
        } else if is("ecn") {
            return Err(missing("ecn"));
        } else if is("reorder") {
            let (chance, correlation) = chance(&mut args, "reorder", &mut parts)?;
            found.reorder = (chance, correlation.unwrap_or_default());
            parts.reorder = true;
        } else if is("corrupt") {
            let (chance, correlation) = chance(&mut args, "corrupt", &mut parts)?;
            found.corrupt = (chance, correlation.unwrap_or_default());
            parts.corrupt = true;
        } else if is("gap") {
            found.gap = crate::iproute2::number::get_u32(args.value()?, 0).ok_or_else(|| illegal("gap"))?;
        } else if is("duplicate") {
            let (chance, correlation) = chance(&mut args, "duplicate", &mut parts)?;
            (found.duplicate, found.duplicate_correlation) = (chance, correlation.unwrap_or_default());
        } else if is("distribution") {
            return Err(missing("distribution"));
        } else if is("rate") {
            found.rate = units::rate(args.value()?).ok_or_else(|| illegal("rate"))?;
            parts.rate = true;
            if next_is_number(&args) {
                return Err(missing("rate with overhead"));
            }
        } else if word == "slot" {
            return Err(missing("slot"));
        } else if word == "help" {
            return Err(wrong(EXPLAIN));
        } else {
            return Err(wrong(format!("What is \"{word}\"?\n{EXPLAIN}")));
        }
    }
    if parts.reorder && found.reorder.0 != 0 {
        if found.latency == 0 {
            return Err(wrong(format!("reordering not possible without specifying some delay\n{EXPLAIN}")));
        }
        if found.gap == 0 {
            found.gap = 1;
        }
    } else if found.gap > 0 {
        return Err(wrong(format!("gap specified without reorder probability\n{EXPLAIN}")));
    }
    Ok(Some(found.emit(parts)))
}

/// `netem_print_opt`
pub(super) fn print(p: &mut Printer, options: &[u8]) {
    let mut found = Netem::default();
    if found.update(options).is_err() {
        return;
    }
    p.any("limit", found.limit, format_args!("limit {}", found.limit));
    let time = |ns: u64| units::microseconds(ns / TICK_NS);
    let (latency, jitter) = (time(found.latency), time(found.jitter));
    if latency != 0 {
        p.open_object(Some("delay"));
        let seconds = |us: u32| units::general(f64::from(us) / 1e6, 6);
        p.any("delay", Value::Raw(&seconds(latency)), format_args!(" delay {}", units::format_time(latency)));
        p.json("jitter", Value::Raw(&seconds(jitter)));
        if jitter != 0 {
            p.text(format_args!("  {}", units::format_time(jitter)));
        }
        correlation(p, jitter != 0, found.delay_correlation);
        p.close_object();
    }
    print_chance(p, "loss-random", "loss", found.loss, found.loss_correlation);
    print_chance(p, "duplicate", "duplicate", found.duplicate, found.duplicate_correlation);
    print_chance(p, "reorder", "reorder", found.reorder.0, found.reorder.1);
    print_chance(p, "corrupt", "corrupt", found.corrupt.0, found.corrupt.1);
    if found.rate != 0 {
        p.open_object(Some("rate"));
        p.any("rate", found.rate, format_args!(" rate {}", units::format_rate(found.rate)));
        for key in ["packetoverhead", "cellsize", "celloverhead"] {
            p.json(key, 0u32);
        }
        p.close_object();
    }
    p.json("ecn", false);
    p.json("gap", found.gap);
    if found.gap != 0 {
        p.text(format_args!(" gap {}", found.gap));
    }
}

fn print_chance(p: &mut Printer, object: &str, key: &str, chance: u32, correlated: u32) {
    if chance == 0 {
        return;
    }
    p.open_object(Some(object));
    let share = units::fraction(chance, 1.0);
    p.any(key, Value::Raw(&share), format_args!(" {key} {}%", units::fraction(chance, 100.0)));
    correlation(p, true, correlated);
    p.close_object();
}

fn correlation(p: &mut Printer, shown: bool, value: u32) {
    p.json("correlation", Value::Raw(&units::fraction(value, 1.0)));
    if shown && value != 0 {
        p.text(format_args!(" {}%", units::fraction(value, 100.0)));
    }
}
