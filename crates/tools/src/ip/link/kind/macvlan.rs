//! `type macvlan` and `type macvtap`

use hairpin_netlink::route::link::{
    InfoMacVlan, InfoMacVtap, MacVlanFlags, MacVlanMacAddressMode, MacVlanMode,
};

use super::help;
use crate::iproute2::layer::{format_lladdr, parse_lladdr};
use crate::iproute2::number::get_u32;
use crate::iproute2::{Args, Context, Stop, find, matches};

pub(super) fn parse(
    context: &mut Context<'_>,
    kind: &str,
    args: &mut Args<'_>,
) -> Result<Vec<InfoMacVlan>, Stop> {
    let explain = |first: String| Stop::fail(1, first + help(kind).unwrap_or_default());
    let mut options = Vec::new();
    let mut mode = None;
    let mut flags = None;
    while let Some(word) = args.take() {
        if matches(word, "mode") {
            mode = Some(parse_mode(args.value()?)?);
        } else if matches(word, "flag") {
            let flag = match args.value()? {
                "nopromisc" => MacVlanFlags::NoPromisc,
                "nodst" => MacVlanFlags::NoDst,
                "null" => MacVlanFlags::empty(),
                other => {
                    return Err(Stop::fail(
                        1,
                        format!(
                            "Error: argument of \"flag\" must be \"nopromisc\", \"nodst\" or \"null\", not \
                             \"{other}\"\n"
                        ),
                    ));
                }
            };
            flags = Some(flags.unwrap_or(MacVlanFlags::empty()) | flag);
        } else if matches(word, "macaddr") {
            parse_sources(context, args, &mut options, &explain)?;
        } else if matches(word, "nopromisc") {
            flags = Some(flags.unwrap_or(MacVlanFlags::empty()) | MacVlanFlags::NoPromisc);
        } else if matches(word, "nodst") {
            flags = Some(flags.unwrap_or(MacVlanFlags::empty()) | MacVlanFlags::NoDst);
        } else if matches(word, "bcqueuelen") {
            let word = args.value()?;
            let length = get_u32(word, 0).ok_or_else(|| {
                Stop::fail(
                    1,
                    format!(
                        "Error: argument of \"bcqueuelen\" must be a positive integer [0-4294967295], not \
                         \"{word}\"\n"
                    ),
                )
            })?;
            options.push(InfoMacVlan::BcQueueLen(length));
        } else if matches(word, "help") {
            return Err(explain(String::new()));
        } else {
            return Err(explain(format!("{kind}: unknown option \"{word}\"?\n")));
        }
    }
    if let Some(mode) = mode {
        options.push(InfoMacVlan::Mode(mode));
    }
    if let Some(flags) = flags {
        if flags.contains(MacVlanFlags::NoPromisc) && mode != Some(MacVlanMode::Passthrough) {
            return Err(explain(format!("{kind}: nopromisc flag only valid in passthru mode\n")));
        }
        options.push(InfoMacVlan::Flags(flags));
    }
    Ok(options)
}

fn parse_mode(word: &str) -> Result<MacVlanMode, Stop> {
    Ok(match word {
        "private" => MacVlanMode::Private,
        "vepa" => MacVlanMode::Vepa,
        "bridge" => MacVlanMode::Bridge,
        "passthru" => MacVlanMode::Passthrough,
        "source" => MacVlanMode::Source,
        other => {
            return Err(Stop::fail(
                1,
                format!(
                    "Error: argument of \"mode\" must be \"private\", \"vepa\", \"bridge\", \"passthru\" or \
                     \"source\", not \"{other}\"\n"
                ),
            ));
        }
    })
}

/// `macaddr add A`, `del A`, `set [A...]`, `flush`: the senders that source mode lets in.
fn parse_sources(
    context: &mut Context<'_>,
    args: &mut Args<'_>,
    options: &mut Vec<InfoMacVlan>,
    explain: &dyn Fn(String) -> Stop,
) -> Result<(), Stop> {
    let mode = match args.value()? {
        "add" => MacVlanMacAddressMode::Add,
        "del" => MacVlanMacAddressMode::Del,
        "set" => MacVlanMacAddressMode::Set,
        "flush" => MacVlanMacAddressMode::Flush,
        _ => return Err(explain(String::new())),
    };
    options.push(InfoMacVlan::MacAddrMode(mode));
    match mode {
        MacVlanMacAddressMode::Add | MacVlanMacAddressMode::Del => {
            let address = parse_lladdr(args.value()?).map_err(|text| Stop::fail(1, text))?;
            let address = <[u8; 6]>::try_from(address).map_err(|_| Stop::silent(1))?;
            options.push(InfoMacVlan::MacAddr(address));
        }
        MacVlanMacAddressMode::Set => {
            let mut addresses = Vec::new();
            while let Some(word) = args.peek() {
                // The first word that is no address ends the list; iproute2 complains about it all the same.
                let address = parse_lladdr(word).unwrap_or_else(|text| {
                    context.complain(&text);
                    vec![]
                });
                let Ok(address) = <[u8; 6]>::try_from(address) else { break };
                addresses.push(InfoMacVlan::MacAddr(address));
                args.take();
            }
            options.push(InfoMacVlan::MacAddrData(addresses));
        }
        _ => {}
    }
    Ok(())
}

pub(super) fn print(context: &mut Context<'_>, options: &[InfoMacVlan]) {
    let print = &mut context.print;
    let Some(mode) = find!(options, InfoMacVlan::Mode) else {
        return;
    };
    let name = match mode {
        MacVlanMode::Private => "private",
        MacVlanMode::Vepa => "vepa",
        MacVlanMode::Bridge => "bridge",
        MacVlanMode::Passthrough => "passthru",
        MacVlanMode::Source => "source",
        _ => "unknown",
    };
    print.any("mode", name, format_args!("mode {name} "));
    if let Some(flags) = find!(options, InfoMacVlan::Flags) {
        if flags.contains(MacVlanFlags::NoPromisc) {
            print.any("nopromisc", true, format_args!("nopromisc "));
        }
        if flags.contains(MacVlanFlags::NoDst) {
            print.any("nodst", true, format_args!("nodst "));
        }
    }
    if let Some(length) = find!(options, InfoMacVlan::BcQueueLen) {
        print.any("bcqueuelen", *length, format_args!("bcqueuelen {length} "));
    }
    if let Some(length) = find!(options, InfoMacVlan::BcQueueLenUsed) {
        print.any("usedbcqueuelen", *length, format_args!("usedbcqueuelen {length} "));
    }
    if *mode != MacVlanMode::Source {
        return;
    }
    let Some(count) = find!(options, InfoMacVlan::MacAddrCount) else {
        return;
    };
    print.any("macaddr_count", *count as i32, format_args!("remotes ({count}) "));
    if let Some(addresses) = find!(options, InfoMacVlan::MacAddrData) {
        print.open_array(Some("macaddr_data"));
        for address in addresses {
            if let InfoMacVlan::MacAddr(address) = address {
                let address = format_lladdr(address, 1);
                print.item(&address, format_args!("{address} "));
            }
        }
        print.close_array();
    }
}

/// The same option of a macvtap.
pub(super) fn into_macvtap(option: InfoMacVlan) -> InfoMacVtap {
    match option {
        InfoMacVlan::Mode(mode) => InfoMacVtap::Mode(mode),
        InfoMacVlan::Flags(flags) => InfoMacVtap::Flags(flags),
        InfoMacVlan::MacAddrMode(mode) => InfoMacVtap::MacAddrMode(mode),
        InfoMacVlan::MacAddr(address) => InfoMacVtap::MacAddr(address),
        InfoMacVlan::MacAddrData(list) => {
            InfoMacVtap::MacAddrData(list.into_iter().map(into_macvtap).collect())
        }
        InfoMacVlan::MacAddrCount(count) => InfoMacVtap::MacAddrCount(count),
        InfoMacVlan::BcQueueLen(length) => InfoMacVtap::BcQueueLen(length),
        InfoMacVlan::BcQueueLenUsed(length) => InfoMacVtap::BcQueueLenUsed(length),
        InfoMacVlan::BcCutoff(cutoff) => InfoMacVtap::BcCutoff(cutoff),
        InfoMacVlan::Other(other) => InfoMacVtap::Other(other),
        _ => InfoMacVtap::MacAddrData(vec![]),
    }
}

/// The same option of a macvlan.
pub(super) fn from_macvtap(option: InfoMacVtap) -> InfoMacVlan {
    match option {
        InfoMacVtap::Mode(mode) => InfoMacVlan::Mode(mode),
        InfoMacVtap::Flags(flags) => InfoMacVlan::Flags(flags),
        InfoMacVtap::MacAddrMode(mode) => InfoMacVlan::MacAddrMode(mode),
        InfoMacVtap::MacAddr(address) => InfoMacVlan::MacAddr(address),
        InfoMacVtap::MacAddrData(list) => {
            InfoMacVlan::MacAddrData(list.into_iter().map(from_macvtap).collect())
        }
        InfoMacVtap::MacAddrCount(count) => InfoMacVlan::MacAddrCount(count),
        InfoMacVtap::BcQueueLen(length) => InfoMacVlan::BcQueueLen(length),
        InfoMacVtap::BcQueueLenUsed(length) => InfoMacVlan::BcQueueLenUsed(length),
        InfoMacVtap::BcCutoff(cutoff) => InfoMacVlan::BcCutoff(cutoff),
        InfoMacVtap::Other(other) => InfoMacVlan::Other(other),
        _ => InfoMacVlan::MacAddrData(vec![]),
    }
}
