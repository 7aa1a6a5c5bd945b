//! `pfifo`, `bfifo`, `pfifo_fast` and `fq_codel`.

use hairpin_netlink::tc::{self, FqCodel};

use super::{units, wrong};
use crate::iproute2::{Args, Stop, print::Printer};

const EXPLAIN: &str = "Usage: ... <[p|b]fifo | pfifo_head_drop> [ limit NUMBER ]\n";

/// `fifo_parse_opt`: none where nothing was said.
pub(super) fn parse(kind: &str, mut args: Args<'_>) -> Result<Option<Vec<u8>>, Stop> {
    let mut limit = None;
    while let Some(word) = args.take() {
        match word {
            "limit" => {
                limit = Some(
                    units::size(args.value()?)
                        .ok_or_else(|| wrong(format!("{kind}: Illegal value for \"limit\": \"{word}\"\n")))?,
                )
            }
            "help" => return Err(wrong(EXPLAIN)),
            _ => return Err(wrong(format!("{kind}: unknown parameter \"{word}\"\n{EXPLAIN}"))),
        }
    }
    Ok(limit.map(tc::emit_fifo))
}

/// `fifo_print_opt`
pub(super) fn print(p: &mut Printer, kind: &str, options: &[u8]) {
    let Some(limit) = tc::parse_fifo(options) else { return };
    match kind {
        "bfifo" => p.any("limit", limit, format_args!("limit {}", units::format_size(limit))),
        _ => p.any("limit", limit, format_args!("limit {limit}p")),
    }
}

/// `prio_print_opt`
pub(super) fn print_priorities(p: &mut Printer, options: &[u8]) {
    let Some((bands, map)) = options.split_first_chunk::<4>() else { return };
    let bands = u32::from_ne_bytes(*bands);
    p.any("bands", bands, format_args!("bands {bands} priomap"));
    p.open_array(Some("priomap"));
    for band in map.iter().take(16) {
        p.item(*band, format_args!(" {band}"));
    }
    p.close_array();
    p.json("multiqueue", false);
}

/// Only without settings.
pub(super) fn parse_fq_codel(mut args: Args<'_>) -> Result<Option<Vec<u8>>, Stop> {
    const WORDS: [&str; 11] = [
        "limit",
        "flows",
        "quantum",
        "target",
        "ce_threshold",
        "ce_threshold_selector",
        "memory_limit",
        "interval",
        "ecn",
        "noecn",
        "drop_batch",
    ];
    match args.take() {
        None => Ok(None),
        Some(word) if WORDS.contains(&word) => {
            Err(wrong(format!("fq_codel: {word}: not supported by hairpin yet\n")))
        }
        Some(word) => Err(wrong(format!(
            "What is \"{word}\"?\n\
             Usage: ... fq_codel [ limit PACKETS ] [ flows NUMBER ]\n\
             \t\t    [ memory_limit BYTES ]\n\
             \t\t    [ target TIME ] [ interval TIME ]\n\
             \t\t    [ quantum BYTES ] [ [no]ecn ]\n\
             \t\t    [ ce_threshold TIME ]\n\
             \t\t    [ ce_threshold_selector VALUE/MASK ]\n\
             \t\t    [ drop_batch SIZE ]\n"
        ))),
    }
}

/// `fq_codel_print_opt`
pub(super) fn print_fq_codel(p: &mut Printer, options: &[u8]) {
    let found = FqCodel::parse(options);
    p.any("limit", found.limit, format_args!("limit {}p ", found.limit));
    p.any("flows", found.flows, format_args!("flows {} ", found.flows));
    p.any("quantum", found.quantum, format_args!("quantum {} ", found.quantum));
    p.any("target", found.target, format_args!("target {} ", units::format_time(found.target)));
    p.any("interval", found.interval, format_args!("interval {} ", units::format_time(found.interval)));
    let memory = units::format_size(found.memory_limit);
    p.any("memory_limit", found.memory_limit, format_args!("memory_limit {memory} "));
    if found.ecn != 0 {
        p.any("ecn", true, format_args!("ecn "));
    }
    p.any("drop_batch", found.drop_batch, format_args!("drop_batch {} ", found.drop_batch));
}
