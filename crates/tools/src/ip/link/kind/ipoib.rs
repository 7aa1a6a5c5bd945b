//! `type ipoib`

use hairpin_netlink::route::link::{InfoIpoib, IpoibMode};

use super::help;
use crate::iproute2::number::get_u16;
use crate::iproute2::{Args, Context, Stop, find, matches};

pub(super) fn parse(args: &mut Args<'_>) -> Result<Vec<InfoIpoib>, Stop> {
    let mut options = Vec::new();
    while let Some(word) = args.take() {
        if matches(word, "pkey") {
            let word = args.value()?;
            options.push(InfoIpoib::Pkey(
                get_u16(word, 0).ok_or_else(|| Stop::invarg("pkey is invalid", word))?,
            ));
        } else if matches(word, "mode") {
            options.push(InfoIpoib::Mode(match args.value()? {
                "datagram" => IpoibMode::Datagram,
                "connected" => IpoibMode::Connected,
                _ => {
                    let text = "Error: argument of \"mode\" must be \"datagram\"or \"connected\"\n";
                    return Err(Stop::fail(1, text));
                }
            }));
        } else if matches(word, "umcast") {
            let word = args.value()?;
            let value = get_u16(word, 0).ok_or_else(|| Stop::invarg("umcast is invalid", word))?;
            options.push(InfoIpoib::UmCast(value));
        } else {
            let text = help("ipoib").unwrap_or_default();
            return Err(if matches(word, "help") {
                Stop::fail(1, text)
            } else {
                Stop::fail(1, format!("ipoib: unknown option \"{word}\"?\n{text}"))
            });
        }
    }
    Ok(options)
}

pub(super) fn print(context: &mut Context<'_>, options: &[InfoIpoib]) {
    let print = &mut context.print;
    let Some(key) = find!(options, InfoIpoib::Pkey) else { return };
    // `%#.4x`: four digits, and nothing in front of a zero.
    let key = if *key == 0 { "0000".to_owned() } else { format!("{key:#06x}") };
    print.any("key", &key, format_args!("pkey {key} "));
    let Some(mode) = find!(options, InfoIpoib::Mode) else { return };
    let mode = match mode {
        IpoibMode::Datagram => "datagram",
        IpoibMode::Connected => "connected",
        _ => "unknown",
    };
    print.any("mode", mode, format_args!("mode {mode} "));
    let Some(umcast) = find!(options, InfoIpoib::UmCast) else { return };
    let umcast = format!("{umcast:04x}");
    print.any("umcast", &umcast, format_args!("umcast {umcast} "));
}
