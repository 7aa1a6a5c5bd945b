//! `tc` of iproute2 6.1: queueing disciplines. Classes and filters there are none.

mod fifo;
mod netem;
mod qdisc;
mod tbf;
mod units;

use crate::Program;
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
        return Err(Stop::exit(0, USAGE));
    }
    dispatch(context, args)
}

/// Runs the object that the first word names.
fn dispatch(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    const OBJECTS: [&str; 8] = ["qdisc", "class", "filter", "chain", "actions", "monitor", "exec", "help"];
    let word = args.take().unwrap_or("");
    match OBJECTS.iter().find(|name| matches(word, name)) {
        Some(&"qdisc") => qdisc::main(context, args),
        Some(&"help") => Err(Stop::exit(0, USAGE)),
        // There is nothing to list.
        Some(&("class" | "filter" | "chain")) if is_listing(&args) => match listed_device(args) {
            Some(name) => context.require_link(name).map(|_| ()),
            None => Ok(()),
        },
        Some(name) => Err(fail(format!("tc {name}: not supported by hairpin yet\n"))),
        None => Err(fail(format!("Object \"{word}\" is unknown, try \"tc help\".\n"))),
    }
}

fn is_listing(args: &Args<'_>) -> bool {
    args.peek().is_none_or(|word| ["show", "list", "lst"].iter().any(|name| matches(word, name)))
}

fn listed_device<'a>(mut args: Args<'a>) -> Option<&'a str> {
    while let Some(word) = args.take() {
        if word == "dev" {
            return args.take();
        }
    }
    None
}

/// Takes the options in front of the object; answers with the file of `-batch`.
fn options(context: &mut Context<'_>, args: &mut Args<'_>) -> Result<Option<String>, Stop> {
    let mut batch = None;
    while let Some(word) = args.peek().filter(|word| word.starts_with('-')) {
        args.take();
        let is = |name| matches(word, name);
        let options = &mut context.options;
        if is("-stats") || is("-statistics") {
            options.stats = options.stats.saturating_add(1);
        } else if is("-details") {
            options.details = options.details.saturating_add(1);
        } else if is("-Version") {
            context.print.text(format_args!("tc utility, iproute2-6.1.0, libbpf 1.1.2\n"));
            return Err(Stop::exit(0, ""));
        } else if is("-force") {
            options.force = true;
        } else if is("-batch") {
            batch = Some(args.value()?.to_owned());
        } else if is("-netns") {
            // As C prints the end of its arguments.
            let name = args.take().unwrap_or("(null)");
            context.enter_netns(name)?;
        } else if is("-help") {
            return Err(Stop::exit(0, USAGE));
        } else if is("-oneline") {
            options.oneline = true;
        } else if is("-json") {
            options.json = true;
        } else if is("-pretty") {
            options.pretty = true;
        } else if crate::ip::color_option(word).is_none() {
            return Err(fail(format!("Option \"{word}\" is unknown, try \"tc -help\".\n")));
        }
    }
    context.print.oneline = context.options.oneline;
    Ok(batch)
}

/// The command failed as most of `tc`'s do.
fn fail(text: impl Into<String>) -> Stop {
    Stop::fail(255, text)
}

/// What was said is wrong; exit code 1.
fn wrong(text: impl Into<String>) -> Stop {
    Stop::fail(1, text)
}

/// `explain1`
fn illegal(what: &str) -> Stop {
    wrong(format!("Illegal \"{what}\"\n"))
}

const USAGE: &str = "\
Usage:\ttc [ OPTIONS ] OBJECT { COMMAND | help }
\ttc [-force] -batch filename
where  OBJECT := { qdisc | class | filter | chain |
\t\t    action | monitor | exec }
       OPTIONS := { -V[ersion] | -s[tatistics] | -d[etails] | -r[aw] |
\t\t    -o[neline] | -j[son] | -p[retty] | -c[olor]
\t\t    -b[atch] [filename] | -n[etns] name | -N[umeric] |
\t\t     -nm | -nam[es] | { -cf | -conf } path
\t\t     -br[ief] }
";
