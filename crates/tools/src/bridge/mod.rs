//! `bridge`: options, objects and batches. Every object has a file of its own.

mod fdb;
mod link;
mod mdb;
mod monitor;
mod vlan;

use hairpin_netlink::Message;

use crate::Program;
use crate::iproute2::inet::{AF_INET, AF_INET6};
use crate::iproute2::{self, Args, Context, Stop, matches};

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    iproute2::start(program, run)
}

fn run(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let batch = options(context, &mut args)?;
    if let Some(file) = batch {
        return crate::ip::batch::run(context, &file, dispatch);
    }
    if args.is_empty() {
        return Err(usage());
    }
    dispatch(context, args)
}

/// Runs the object that the first word names; names in the order in which abbreviations are resolved.
fn dispatch(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    const OBJECTS: [&str; 7] = ["link", "fdb", "mdb", "vlan", "vni", "monitor", "help"];
    let word = args.take().unwrap_or("");
    match OBJECTS.iter().find(|name| matches(word, name)) {
        Some(&"link") => link::main(context, args),
        Some(&"fdb") => fdb::main(context, args),
        Some(&"mdb") => mdb::main(context, args),
        Some(&"vlan") => vlan::main(context, args),
        Some(&"monitor") => monitor::main(context, args),
        Some(&"help") => Err(usage()),
        Some(name) => Err(fail(format!("bridge {name}: not supported by hairpin yet\n"))),
        None => Err(fail(format!("Object \"{word}\" is unknown, try \"bridge help\".\n"))),
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
        if is("-help") {
            return Err(usage());
        } else if is("-Version") {
            context.print.text(format_args!("bridge utility, 6.1.0\n"));
            return Err(Stop::exit(0, ""));
        } else if is("-stats") || is("-statistics") {
            options.stats = options.stats.saturating_add(1);
        } else if is("-details") {
            options.details = options.details.saturating_add(1);
        } else if is("-oneline") {
            options.oneline = true;
        } else if is("-timestamp") {
            options.timestamp = true;
        } else if is("-family") {
            match args.take().ok_or_else(usage)? {
                "inet" => options.family = AF_INET,
                "inet6" => options.family = AF_INET6,
                "help" => return Err(usage()),
                name => return Err(Stop::invarg("invalid protocol family", name)),
            }
        } else if word == "-4" {
            options.family = AF_INET;
        } else if word == "-6" {
            options.family = AF_INET6;
        } else if is("-netns") {
            // As C prints the end of its arguments.
            let name = args.take().unwrap_or("(null)");
            context.enter_netns(name)?;
        } else if let Some(when) = crate::ip::color_option(word) {
            color = Some(when);
        } else if is("-compressvlans") {
            options.compress_vlans = true;
        } else if is("-force") {
            options.force = true;
        } else if is("-json") {
            options.json = true;
        } else if is("-pretty") {
            options.pretty = true;
        } else if is("-batch") {
            batch = Some(args.take().ok_or_else(usage)?.to_owned());
        } else {
            return Err(Stop::exit(255, format!("Option \"{word}\" is unknown, try \"bridge help\".\n")));
        }
    }
    context.print.oneline = context.options.oneline;
    crate::ip::set_color(context, color);
    Ok(batch)
}

/// Asks for a dump.
///
/// # Errors
/// The refusal as libnetlink words it, exit code 1.
fn dump(context: &mut Context<'_>, request: &Message) -> Result<Vec<Message>, Stop> {
    context.dump_or_text(request).map_err(|text| Stop::exit(1, format!("{text}Dump terminated\n")))
}

/// As [`dump`], of a kind without typed messages: types and payloads.
///
/// # Errors
/// As there.
fn dump_raw(context: &mut Context<'_>, kind: u16, payload: &[u8]) -> Result<Vec<(u16, Vec<u8>)>, Stop> {
    context.dump_raw(kind, payload).map_err(|text| Stop::exit(1, format!("{text}Dump terminated\n")))
}

/// The command failed; `bridge` ends with 255 where `ip` would with 1 or 2.
fn fail(text: impl Into<String>) -> Stop {
    Stop::fail(255, text)
}

/// A failure of what `ip` and `bridge` share, with the exit code of `bridge`.
fn as_bridge(stop: Stop) -> Stop {
    if stop.exit { stop } else { Stop { code: 255, ..stop } }
}

fn usage() -> Stop {
    Stop::exit(255, USAGE)
}

const USAGE: &str = "\
Usage: bridge [ OPTIONS ] OBJECT { COMMAND | help }
       bridge [ -force ] -batch filename
where  OBJECT := { link | fdb | mdb | vlan | monitor }
       OPTIONS := { -V[ersion] | -s[tatistics] | -d[etails] |
                    -o[neline] | -t[imestamp] | -n[etns] name |
                    -c[ompressvlans] -color -p[retty] -j[son] }
";
