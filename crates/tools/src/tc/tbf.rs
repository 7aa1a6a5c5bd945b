//! `tbf` (iproute2's q_tbf.c).

use hairpin_netlink::tc::{RateSpec, Tbf};

use super::{units, wrong};
use crate::iproute2::{Args, Stop, print::Printer};

const EXPLAIN: &str = "\
Usage: ... tbf limit BYTES burst BYTES[/BYTES] rate KBPS [ mtu BYTES[/BYTES] ]
\t[ peakrate KBPS ] [ latency TIME ] [ overhead BYTES ] [ linklayer TYPE ]
";

/// `tbf_parse_opt`
pub(super) fn parse(mut args: Args<'_>) -> Result<Option<Vec<u8>>, Stop> {
    let (mut limit, mut latency, mut burst, mut rate) = (None, None, None, None);
    while let Some(word) = args.take() {
        let illegal = |value: &str| wrong(format!("tbf: illegal value for \"{word}\": \"{value}\"\n"));
        let duplicate = || wrong(format!("tbf: duplicate \"{word}\" specification\n"));
        let both = || wrong("tbf: specifying both \"latency\" and \"limit\" is not allowed\n");
        match word {
            "limit" => {
                let value = args.value()?;
                if limit.is_some() {
                    return Err(duplicate());
                }
                if latency.is_some() {
                    return Err(both());
                }
                limit = Some(units::size(value).ok_or_else(|| illegal(value))?);
            }
            "latency" => {
                let value = args.value()?;
                if latency.is_some() {
                    return Err(duplicate());
                }
                if limit.is_some() {
                    return Err(both());
                }
                latency = Some(units::time(value).ok_or_else(|| illegal(value))?);
            }
            "burst" | "buffer" | "maxburst" => {
                let value = args.value()?;
                if burst.is_some() {
                    return Err(wrong("tbf: duplicate \"buffer/burst/maxburst\" specification\n"));
                }
                burst = Some(units::size(value).filter(|size| *size > 0).ok_or_else(|| illegal(value))?);
            }
            "rate" => {
                let value = args.value()?;
                if rate.is_some() {
                    return Err(duplicate());
                }
                rate = Some(units::rate(value).ok_or_else(|| illegal(value))?);
            }
            "mtu" | "minburst" | "mpu" | "peakrate" | "overhead" | "linklayer" => {
                return Err(wrong(format!("tbf: {word}: not supported by hairpin yet\n")));
            }
            "help" => return Err(wrong(EXPLAIN)),
            _ => return Err(wrong(format!("tbf: unknown parameter \"{word}\"\n{EXPLAIN}"))),
        }
    }
    if rate.is_none() && burst.is_none() && limit.is_none() && latency.is_none() {
        return Ok(None);
    }
    let mut missing = String::new();
    if rate.is_none() {
        missing += "tbf: the \"rate\" parameter is mandatory.\n";
    }
    if burst.is_none() {
        missing += "tbf: the \"burst\" parameter is mandatory.\n";
    }
    if limit.is_none() && latency.is_none() {
        missing += "tbf: either \"limit\" or \"latency\" is required.\n";
    }
    let (Some(rate), Some(burst), true) = (rate, burst, missing.is_empty()) else {
        return Err(wrong(missing + EXPLAIN));
    };
    let limit = match (limit, latency) {
        (Some(limit), _) => limit,
        (None, latency) => (rate as f64 * latency.unwrap_or_default() / 1e6 + f64::from(burst)) as u32,
    };
    let Ok(narrow) = u32::try_from(rate) else {
        return Err(wrong("tbf: a rate of 32 Gbit/s and more: not supported by hairpin yet\n"));
    };
    let (table, cell_log) = units::rate_table(rate);
    let settings = Tbf {
        rate: RateSpec { cell_log, rate: narrow },
        limit,
        buffer: units::transmission(rate, burst),
        burst: Some(burst),
        has_peak: false,
    };
    Ok(Some(settings.emit(Some(&table))))
}

/// `tbf_print_opt`
pub(super) fn print(p: &mut Printer, options: &[u8], details: bool) {
    let Some(found) = Tbf::parse(options) else { return };
    let rate = u64::from(found.rate.rate);
    p.any("rate", rate, format_args!("rate {} ", units::format_rate(rate)));
    // The bucket's bytes, from the time that they take.
    let bucket = units::microseconds(u64::from(found.buffer));
    let burst = (rate as f64 * f64::from(bucket) / 1e6) as u32;
    if details {
        let cell = 1u32 << u32::from(found.rate.cell_log).min(31);
        p.any("burst", burst, format_args!("burst {}/{cell} ", units::format_size(burst)));
        p.any("mpu", 0, format_args!("mpu 0b "));
    } else {
        p.any("burst", burst, format_args!("burst {} ", units::format_size(burst)));
    }
    let latency = 1e6 * (f64::from(found.limit) / rate.max(1) as f64) - f64::from(bucket);
    if latency >= 0.0 {
        let latency = latency as u32;
        p.any("lat", latency, format_args!("lat {} ", units::format_time(latency)));
    } else {
        p.any("limit", found.limit, format_args!("limit {} ", units::format_size(found.limit)));
    }
    if details {
        p.any("linklayer", "ethernet", format_args!("linklayer ethernet "));
    }
}
