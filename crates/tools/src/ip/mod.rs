//! `ip`: options, objects and batches. Every object has a file of its own.

mod addr;
pub(crate) mod batch;
mod filter;
mod link;
mod list;
mod macsec;
mod maddress;
mod monitor;
mod neighbour;
mod netconf;
mod netns;
mod nexthop;
mod ntable;
mod route;
mod rt_names;
mod rule;
mod token;
mod tunnel;
mod tuntap;
mod vrf;

use crate::Program;
use crate::iproute2::inet::{AF_BRIDGE, AF_INET, AF_INET6, AF_MPLS, AF_PACKET, read_family};
use crate::iproute2::number::{atoi, get_u32};
use crate::iproute2::{self, Args, Context, Stop, matches};

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    iproute2::start(program, run)
}

/// What an object's name leads to.
type Object = fn(&mut Context<'_>, Args<'_>) -> Result<(), Stop>;

/// Objects in the order in which abbreviations are resolved. Those without a function are iproute2's that
/// are not built.
const OBJECTS: &[(&str, Option<Object>)] = &[
    ("address", Some(addr::main)),
    ("addrlabel", None),
    ("maddress", Some(maddress::main)),
    ("route", Some(route::main)),
    ("rule", Some(rule::main)),
    ("neighbor", Some(neighbour::main)),
    ("neighbour", Some(neighbour::main)),
    ("ntable", Some(ntable::main)),
    ("ntbl", Some(ntable::main)),
    ("link", Some(link::main)),
    ("l2tp", None),
    ("fou", None),
    ("ila", None),
    ("macsec", Some(macsec::main)),
    ("tunnel", Some(tunnel::main)),
    ("tunl", Some(tunnel::main)),
    ("tuntap", Some(tuntap::main)),
    ("tap", Some(tuntap::main)),
    ("token", Some(token::main)),
    ("tcpmetrics", None),
    ("tcp_metrics", None),
    ("monitor", Some(monitor::main)),
    ("xfrm", None),
    ("mroute", None),
    ("mrule", Some(rule::multicast)),
    ("netns", Some(netns::main)),
    ("netconf", Some(netconf::main)),
    ("vrf", Some(vrf::main)),
    ("sr", None),
    ("nexthop", Some(nexthop::main)),
    ("mptcp", None),
    ("ioam", None),
    ("help", Some(help)),
    ("stats", None),
];

fn run(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let batch = options(context, &mut args)?;
    if let Some(file) = batch {
        return batch::run(context, &file, dispatch);
    }
    if args.is_empty() {
        return Err(usage());
    }
    dispatch(context, args)
}

/// Runs the object that the first word names.
pub(super) fn dispatch(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let word = args.take().unwrap_or("");
    match OBJECTS.iter().find(|(name, _)| matches(word, name)) {
        Some((_, Some(object))) => object(context, args),
        Some((name, None)) => Err(Stop::fail(1, format!("ip {name} is not supported by hairpin yet\n"))),
        None => Err(Stop::fail(1, format!("Object \"{word}\" is unknown, try \"ip help\".\n"))),
    }
}

/// Takes the options in front of the object; answers with the file of `-batch`.
fn options(context: &mut Context<'_>, args: &mut Args<'_>) -> Result<Option<String>, Stop> {
    let mut batch = None;
    let mut color = None;
    while let Some(word) = args.peek().filter(|word| word.starts_with('-')) {
        args.take();
        if word == "--" {
            break;
        }
        let word = if word.starts_with("--") { &word[1..] } else { word };
        let is = |name| matches(word, name);
        let options = &mut context.options;
        if is("-loops") {
            options.flush_loops = atoi(args.take().ok_or_else(usage)?);
        } else if is("-family") {
            let name = args.take().filter(|name| *name != "help").ok_or_else(usage)?;
            options.family =
                read_family(name).ok_or_else(|| Stop::invarg("invalid protocol family", name))?;
        } else if word == "-4" {
            options.family = AF_INET;
        } else if word == "-6" {
            options.family = AF_INET6;
        } else if word == "-0" {
            options.family = AF_PACKET;
        } else if word == "-M" {
            options.family = AF_MPLS;
        } else if word == "-B" {
            options.family = AF_BRIDGE;
        } else if is("-human-readable") {
            options.human = true;
        } else if is("-iec") {
            options.iec = true;
        } else if is("-stats") || is("-statistics") {
            options.stats = options.stats.saturating_add(1);
        } else if is("-details") {
            options.details = options.details.saturating_add(1);
        } else if is("-resolve") {
            options.resolve = true;
        } else if is("-oneline") {
            options.oneline = true;
        } else if is("-timestamp") {
            options.timestamp = true;
        } else if is("-tshort") {
            options.timestamp = true;
            options.timestamp_short = true;
        } else if is("-Version") {
            context.print.text(format_args!("ip utility, iproute2-6.1.0, libbpf 1.1.2\n"));
            return Err(Stop::exit(0, ""));
        } else if is("-force") {
            options.force = true;
        } else if is("-batch") {
            batch = Some(args.take().ok_or_else(usage)?.to_owned());
        } else if is("-brief") {
            options.brief = true;
        } else if is("-json") {
            options.json = true;
        } else if is("-pretty") {
            options.pretty = true;
        } else if is("-rcvbuf") {
            let size = args.take().ok_or_else(usage)?;
            get_u32(size, 0).ok_or_else(|| Stop::exit(255, format!("Invalid rcvbuf size '{size}'\n")))?;
        } else if let Some(when) = color_option(word) {
            color = Some(when);
        } else if is("-help") {
            return Err(usage());
        } else if is("-netns") {
            // As C prints the end of its arguments.
            let name = args.take().unwrap_or("(null)");
            context.enter_netns(name)?;
        } else if is("-Numeric") {
            options.numeric = true;
        } else if is("-all") {
            options.all = true;
        } else if word == "-echo" {
            options.echo = true;
        } else {
            return Err(Stop::exit(255, format!("Option \"{word}\" is unknown, try \"ip -help\".\n")));
        }
    }
    context.print.oneline = context.options.oneline;
    set_color(context, color);
    Ok(batch)
}

/// Colours the output if that was asked for.
pub(crate) fn set_color(context: &mut Context<'_>, color: Option<When>) {
    let shown = match color {
        Some(When::Always) => true,
        Some(When::Auto) => context.shell.is_terminal(),
        Some(When::Never) | None => false,
    };
    if shown && !context.options.json {
        context.print.color = Some(is_dark(context.shell.variable("COLORFGBG").as_deref()));
    }
}

/// `-color=WHEN`
pub(crate) enum When {
    Always,
    Auto,
    Never,
}

/// `-color[=WHEN]`, abbreviated or whole.
pub(crate) fn color_option(word: &str) -> Option<When> {
    let (name, when) = word.split_once('=').unwrap_or((word, ""));
    if !matches(name, "-color") {
        return None;
    }
    match when {
        "" | "always" => Some(When::Always),
        "auto" => Some(When::Auto),
        "never" => Some(When::Never),
        _ => None,
    }
}

/// Whether `COLORFGBG` tells of a dark background: its last field is 0 to 6 or 8.
fn is_dark(variable: Option<&str>) -> bool {
    let background = variable.and_then(|value| value.rsplit_once(';')).map(|(_, last)| last);
    matches!(background, Some("0" | "1" | "2" | "3" | "4" | "5" | "6" | "8"))
}

fn help(_: &mut Context<'_>, _: Args<'_>) -> Result<(), Stop> {
    Err(usage())
}

fn usage() -> Stop {
    Stop::exit(255, USAGE)
}

const USAGE: &str = include_str!("usage/ip.txt");
