//! `ip ntable`: the tables of neighbours, and each device's parameters.

use hairpin_netlink::Message;
use hairpin_netlink::route::neighbour_table::{
    NeighbourTableAttribute, NeighbourTableMessage, NeighbourTableParameter,
};

use crate::iproute2::inet::family_name;
use crate::iproute2::number::{get_u32, get_u64};
use crate::iproute2::{Args, Context, Stop, matches};

const USAGE: &str = "\
Usage: ip ntable change name NAME [ dev DEV ]
        [ thresh1 VAL ] [ thresh2 VAL ] [ thresh3 VAL ] [ gc_int MSEC ]
        [ PARMS ]
Usage: ip ntable show [ dev DEV ] [ name NAME ]
PARMS := [ base_reachable MSEC ] [ retrans MSEC ] [ gc_stale MSEC ]
         [ delay_probe MSEC ] [ queue LEN ]
         [ app_probes VAL ] [ ucast_probes VAL ] [ mcast_probes VAL ]
         [ anycast_delay MSEC ] [ proxy_delay MSEC ] [ proxy_queue LEN ]
         [ locktime MSEC ]
";

/// Which tables a listing is about.
#[derive(Default)]
struct Filter<'a> {
    device: Option<Device>,
    name: Option<&'a str>,
}

/// `dev DEV`, `dev none`
enum Device {
    Index(u32),
    None,
}

/// Runs `ip ntable` with the arguments behind the object.
pub(super) fn main(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(command) = args.take() else { return show(context, args) };
    let is = |name| matches(command, name);
    if is("change") || is("chg") {
        change(context, args)
    } else if is("show") || is("lst") || is("list") {
        show(context, args)
    } else if is("help") {
        Err(Stop::exit(255, USAGE))
    } else {
        Err(Stop::exit(255, format!("Command \"{command}\" is unknown, try \"ip ntable help\".\n")))
    }
}

/// `ipntable_modify`
fn change(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    use NeighbourTableAttribute as A;
    use NeighbourTableParameter as P;
    fn number<T>(word: &str, value: &str, read: fn(&str, u32) -> Option<T>) -> Result<T, Stop> {
        read(value, 0).ok_or_else(|| Stop::invarg(&format!("\"{word}\" value is invalid"), value))
    }
    let mut request = NeighbourTableMessage::default();
    request.header.family = context.options.family.into();
    let (mut parameters, mut is_named, mut changes) = (Vec::new(), false, false);
    while let Some(word) = args.take() {
        let whole = |value| number(word, value, get_u32);
        let time = |value| number(word, value, get_u64);
        match word {
            "name" => {
                let name = args.value()?;
                if is_named {
                    return Err(Stop::duparg("NAME", name));
                }
                is_named = true;
                request.attributes.push(A::Name(name.to_owned()));
                continue;
            }
            "dev" => {
                let name = args.value()?;
                match context.link_index(name) {
                    0 => return Err(Stop::no_device(name)),
                    index => parameters.push(P::Ifindex(index)),
                }
                continue;
            }
            "thresh1" => request.attributes.push(A::Threshold1(whole(args.value()?)?)),
            "thresh2" => request.attributes.push(A::Threshold2(whole(args.value()?)?)),
            "thresh3" => request.attributes.push(A::Threshold3(whole(args.value()?)?)),
            "gc_int" => request.attributes.push(A::GcInterval(time(args.value()?)?)),
            "base_reachable" => parameters.push(P::BaseReachableTime(time(args.value()?)?)),
            "retrans" => parameters.push(P::RetransTime(time(args.value()?)?)),
            "gc_stale" => parameters.push(P::GcStaletime(time(args.value()?)?)),
            "delay_probe" => parameters.push(P::DelayProbeTime(time(args.value()?)?)),
            "queue" => parameters.push(P::QueueLen(whole(args.value()?)?)),
            "app_probes" => parameters.push(P::AppProbes(whole(args.value()?)?)),
            "ucast_probes" => parameters.push(P::UcastProbes(whole(args.value()?)?)),
            "mcast_probes" => parameters.push(P::McastProbes(whole(args.value()?)?)),
            "anycast_delay" => parameters.push(P::AnycastDelay(time(args.value()?)?)),
            "proxy_delay" => parameters.push(P::ProxyDelay(time(args.value()?)?)),
            "proxy_queue" => parameters.push(P::ProxyQlen(whole(args.value()?)?)),
            "locktime" => parameters.push(P::Locktime(time(args.value()?)?)),
            word => return Err(Stop::invarg("unknown", word)),
        }
        changes = true;
    }
    if !is_named {
        return Err(Stop::missing("NAME"));
    }
    if !changes {
        return Err(Stop::exit(255, "Not enough information: changeable attributes required.\n"));
    }
    if !parameters.is_empty() {
        request.attributes.push(A::Parms(parameters));
    }
    context.talk(&Message::SetNeighbourTable(request), 0).map(drop)
}

fn show(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let mut filter = Filter::default();
    while let Some(word) = args.take() {
        match word {
            "dev" => {
                let name = args.value()?;
                filter.device = Some(match name {
                    "none" => Device::None,
                    name => match context.link_index(name) {
                        0 => return Err(Stop::invarg("\"DEV\" is invalid", name)),
                        index => Device::Index(index),
                    },
                });
            }
            "name" => filter.name = Some(args.value()?),
            word => return Err(Stop::invarg("unknown", word)),
        }
    }
    let mut request = NeighbourTableMessage::default();
    request.header.family = context.options.family.into();
    let answer = context.dump(&Message::GetNeighbourTable(request))?;
    context.begin();
    for message in answer {
        if let Message::NewNeighbourTable(table) = message {
            print(context, &filter, &table);
        }
    }
    context.end();
    Ok(())
}

/// What a message tells, in the order in which it is shown.
#[derive(Default)]
struct Table<'a> {
    name: &'a str,
    thresholds: [Option<u32>; 3],
    gc_interval: Option<u64>,
    index: Option<u32>,
    /// Lines of values with their names.
    lines: [Vec<(&'static str, u64)>; 4],
}

const NAMES: [&[&str]; 4] = [
    &["refcnt", "reachable", "base_reachable", "retrans"],
    &["gc_stale", "delay_probe", "queue"],
    &["app_probes", "ucast_probes", "mcast_probes"],
    &["anycast_delay", "proxy_delay", "proxy_queue", "locktime"],
];

impl<'a> Table<'a> {
    fn read(message: &'a NeighbourTableMessage) -> Table<'a> {
        let mut table = Table::default();
        let mut known: Vec<(&str, u64)> = Vec::new();
        for attribute in &message.attributes {
            match attribute {
                NeighbourTableAttribute::Name(name) => table.name = name,
                NeighbourTableAttribute::Threshold1(value) => table.thresholds[0] = Some(*value),
                NeighbourTableAttribute::Threshold2(value) => table.thresholds[1] = Some(*value),
                NeighbourTableAttribute::Threshold3(value) => table.thresholds[2] = Some(*value),
                NeighbourTableAttribute::GcInterval(value) => table.gc_interval = Some(*value),
                NeighbourTableAttribute::Parms(parameters) => {
                    table.index = parameters.iter().find_map(|parameter| match parameter {
                        NeighbourTableParameter::Ifindex(index) => Some(*index),
                        _ => None,
                    });
                    known.extend(parameters.iter().filter_map(named));
                }
                _ => {}
            }
        }
        for (line, names) in table.lines.iter_mut().zip(NAMES) {
            line.extend(names.iter().filter_map(|name| {
                known.iter().find(|(of, _)| of == name).map(|(_, value)| (*name, *value))
            }));
        }
        table
    }
}

fn named(parameter: &NeighbourTableParameter) -> Option<(&'static str, u64)> {
    use NeighbourTableParameter as P;
    Some(match parameter {
        P::ReferenceCount(value) => ("refcnt", u64::from(*value)),
        P::ReachableTime(value) => ("reachable", *value),
        P::BaseReachableTime(value) => ("base_reachable", *value),
        P::RetransTime(value) => ("retrans", *value),
        P::GcStaletime(value) => ("gc_stale", *value),
        P::DelayProbeTime(value) => ("delay_probe", *value),
        P::QueueLen(value) => ("queue", u64::from(*value)),
        P::AppProbes(value) => ("app_probes", u64::from(*value)),
        P::UcastProbes(value) => ("ucast_probes", u64::from(*value)),
        P::McastProbes(value) => ("mcast_probes", u64::from(*value)),
        P::AnycastDelay(value) => ("anycast_delay", *value),
        P::ProxyDelay(value) => ("proxy_delay", *value),
        P::ProxyQlen(value) => ("proxy_queue", u64::from(*value)),
        P::Locktime(value) => ("locktime", *value),
        _ => return None,
    })
}

fn print(context: &mut Context<'_>, filter: &Filter<'_>, message: &NeighbourTableMessage) {
    let table = Table::read(message);
    let wanted = match (&filter.device, table.index) {
        (None, _) | (Some(Device::None), None) => true,
        (Some(Device::Index(wanted)), Some(index)) => *wanted == index,
        _ => false,
    };
    if !wanted || filter.name.is_some_and(|name| name != table.name) {
        return;
    }
    let device = table.index.map(|index| context.link_name(index));
    let print = &mut context.print;
    print.open_object(None);
    let family = family_name(message.header.family.into());
    print.any("family", family, format_args!("{family} "));
    print.any("name", table.name, format_args!("{} ", table.name));
    print.line();
    if let Some(device) = &device {
        print.any("dev", device.as_str(), format_args!("    dev {device} "));
        print.line();
    }
    if let ([Some(low), Some(middle), Some(high)], Some(interval)) = (table.thresholds, table.gc_interval) {
        print.any("thresh1", low, format_args!("    thresh1 {low} "));
        print.any("thresh2", middle, format_args!("thresh2 {middle} "));
        print.any("thresh3", high, format_args!("thresh3 {high} "));
        print.any("gc_interval", interval, format_args!("gc_int {interval} "));
        print.line();
    }
    for line in &table.lines {
        for (at, (name, value)) in line.iter().enumerate() {
            let indent = if at == 0 { "    " } else { "" };
            print.any(name, *value, format_args!("{indent}{name} {value} "));
        }
        print.line();
    }
    print.text(format_args!("\n"));
    print.close_object();
}
