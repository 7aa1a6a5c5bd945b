//! `type ipvlan` and `type ipvtap`

use hairpin_netlink::route::link::{InfoIpVlan, InfoIpVtap, IpVlanFlags, IpVlanMode};

use super::help;
use crate::iproute2::{Args, Context, Stop, find, matches};

pub(super) fn parse(kind: &str, args: &mut Args<'_>) -> Result<Vec<InfoIpVlan>, Stop> {
    let mut options = Vec::new();
    let mut flags = None;
    while let Some(word) = args.take() {
        if matches(word, "mode") {
            options.push(InfoIpVlan::Mode(match args.value()? {
                "l2" => IpVlanMode::L2,
                "l3" => IpVlanMode::L3,
                "l3s" => IpVlanMode::L3S,
                _ => {
                    return Err(Stop::fail(
                        1,
                        "Error: argument of \"mode\" must be either \"l2\", \"l3\" or \"l3s\"\n",
                    ));
                }
            }));
        } else if flags.is_none() && matches(word, "private") {
            flags = Some(IpVlanFlags::Private);
        } else if flags.is_none() && matches(word, "vepa") {
            flags = Some(IpVlanFlags::Vepa);
        } else if flags.is_none() && matches(word, "bridge") {
            flags = Some(IpVlanFlags::empty());
        } else {
            let text = help(kind).unwrap_or_default();
            return Err(if matches(word, "help") {
                Stop::fail(1, text)
            } else {
                Stop::fail(1, format!("{kind}: unknown option \"{word}\"?\n{text}"))
            });
        }
    }
    options.push(InfoIpVlan::Flags(flags.unwrap_or(IpVlanFlags::empty())));
    Ok(options)
}

pub(super) fn print(context: &mut Context<'_>, options: &[InfoIpVlan]) {
    let print = &mut context.print;
    if let Some(mode) = find!(options, InfoIpVlan::Mode) {
        let mode = match mode {
            IpVlanMode::L2 => "l2",
            IpVlanMode::L3 => "l3",
            IpVlanMode::L3S => "l3s",
            _ => "unknown",
        };
        print.any("mode", mode, format_args!(" mode {mode} "));
    }
    if let Some(flags) = find!(options, InfoIpVlan::Flags) {
        let name = if flags.contains(IpVlanFlags::Private) {
            "private"
        } else if flags.contains(IpVlanFlags::Vepa) {
            "vepa"
        } else {
            "bridge"
        };
        print.any(name, true, format_args!("{name} "));
    }
}

/// The same option of an ipvtap.
pub(super) fn into_ipvtap(option: InfoIpVlan) -> InfoIpVtap {
    match option {
        InfoIpVlan::Mode(mode) => InfoIpVtap::Mode(mode),
        InfoIpVlan::Flags(flags) => InfoIpVtap::Flags(flags),
        InfoIpVlan::Other(other) => InfoIpVtap::Other(other),
        _ => InfoIpVtap::Flags(IpVlanFlags::empty()),
    }
}

/// The same option of an ipvlan.
pub(super) fn from_ipvtap(option: InfoIpVtap) -> InfoIpVlan {
    match option {
        InfoIpVtap::Mode(mode) => InfoIpVlan::Mode(mode),
        InfoIpVtap::Flags(flags) => InfoIpVlan::Flags(flags),
        InfoIpVtap::Other(other) => InfoIpVlan::Other(other),
        _ => InfoIpVlan::Flags(IpVlanFlags::empty()),
    }
}
