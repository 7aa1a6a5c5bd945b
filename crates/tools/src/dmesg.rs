//! `dmesg` (util-linux 2.38): what the kernel has told.

use std::fmt::Write as _;

use hairpin_netlink::{Call, LogRecord, Reply};

use crate::Program;
use crate::calendar::Date;
use crate::getopt::{Getopt, Item, Long, Value};

const SHORT: &str = "CcDdEeF:f:HhJKkL::l:n:PprSs:TtuVWwx";
const LONG: &[Long] = &[
    ("clear", Value::None, 'C'),
    ("read-clear", Value::None, 'c'),
    ("console-off", Value::None, 'D'),
    ("show-delta", Value::None, 'd'),
    ("console-on", Value::None, 'E'),
    ("reltime", Value::None, 'e'),
    ("file", Value::Required, 'F'),
    ("facility", Value::Required, 'f'),
    ("human", Value::None, 'H'),
    ("help", Value::None, 'h'),
    ("json", Value::None, 'J'),
    ("kernel", Value::None, 'k'),
    ("color", Value::Optional, 'L'),
    ("level", Value::Required, 'l'),
    ("console-level", Value::Required, 'n'),
    ("nopager", Value::None, 'P'),
    ("force-prefix", Value::None, 'p'),
    ("raw", Value::None, 'r'),
    ("syslog", Value::None, 'S'),
    ("buffer-size", Value::Required, 's'),
    ("ctime", Value::None, 'T'),
    ("notime", Value::None, 't'),
    ("userspace", Value::None, 'u'),
    ("version", Value::None, 'V'),
    ("follow-new", Value::None, 'W'),
    ("follow", Value::None, 'w'),
    ("decode", Value::None, 'x'),
];
const LEVELS: [&str; 8] = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"];

const USAGE: &str = "\
Usage: dmesg [-Cc] [-l LEVEL[,LEVEL...]] [-r | -x] [-T | -t]

What the kernel has told: here, what the rules of filters log.

 -C, --clear         forget all of it
 -c, --read-clear    show all of it, and forget it
 -l, --level LIST    only these: emerg alert crit err warn notice info debug
 -r, --raw           with the level's number in front
 -x, --decode        with the facility and the level in front
 -T, --ctime         with the time of day
 -t, --notime        without the time
 -h, --help          show this
 -V, --version       show the version

Options for consoles, colours and pagers change nothing; others are refused.
";

/// What stands in front of a record's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stamp {
    #[default]
    Boot,
    Calendar,
    None,
}

#[derive(Debug, Default)]
struct Options {
    clear: bool,
    silent: bool,
    decode: bool,
    raw: bool,
    stamp: Stamp,
    /// A bit a level; none for all.
    levels: Option<u8>,
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let options = match options(program.args) {
        Ok(options) => options,
        Err(Instead::Text(text)) => {
            let _ = writeln!(program.shell.out(), "{}", text.trim_end());
            return 0;
        }
        Err(Instead::Fault(text)) => {
            let _ = writeln!(program.shell.err(), "{text}");
            return 1;
        }
    };
    let records = match program.system.call(Call::KernelLog { clear: options.clear }) {
        Ok(Reply::LogRecords(records)) => records,
        Ok(_) => Vec::new(),
        Err(errno) => {
            let _ = writeln!(program.shell.err(), "dmesg: read kernel buffer failed: {}", errno.text());
            return 1;
        }
    };
    let booted_ns = match program.system.now() {
        Ok(now) => now.realtime_ns.saturating_sub(now.monotonic_ns),
        Err(_) => 0,
    };
    if !options.silent {
        let text = text(&records, &options, booted_ns);
        let _ = write!(program.shell.out(), "{text}");
    }
    0
}

/// What is printed in the place of records.
enum Instead {
    Text(&'static str),
    Fault(String),
}

impl From<String> for Instead {
    fn from(text: String) -> Self {
        Instead::Fault(text)
    }
}

/// # Errors
/// What to print instead.
fn options(args: &[String]) -> Result<Options, Instead> {
    const HELP: &str = "Try 'dmesg --help' for more information.";
    let mut options = Options::default();
    let mut walk = Getopt::new("dmesg", args, SHORT, LONG);
    while let Some(item) = walk.next() {
        match item {
            Item::Option('C', _) => (options.clear, options.silent) = (true, true),
            Item::Option('c', _) => options.clear = true,
            Item::Option('l', value) => options.levels = Some(levels(value.unwrap_or(""))?),
            Item::Option('r', _) => options.raw = true,
            Item::Option('T', _) => options.stamp = Stamp::Calendar,
            Item::Option('t', _) => options.stamp = Stamp::None,
            Item::Option('x', _) => options.decode = true,
            Item::Option('V', _) => return Err(Instead::Text("dmesg from util-linux 2.38.1")),
            Item::Option('h', _) => return Err(Instead::Text(USAGE)),
            // All that there is comes from the kernel, and nothing is coloured or paged; there is no console.
            Item::Option('D' | 'E' | 'k' | 'L' | 'n' | 'P' | 'p' | 'S' | 's', _) => {}
            Item::Option(letter, _) => {
                return Err(format!("dmesg: -{letter} is not supported by hairpin yet").into());
            }
            Item::Error(text) => return Err(format!("{text}\n{HELP}").into()),
        }
    }
    match walk.operands().first() {
        None => Ok(options),
        Some(_) => Err(format!("dmesg: bad usage\n{HELP}").into()),
    }
}

/// `-l err,warn`: a bit for each.
///
/// # Errors
/// A level that there is not.
fn levels(list: &str) -> Result<u8, String> {
    let mut bits = 0;
    for word in list.split(',') {
        let at = LEVELS.iter().position(|level| *level == word);
        bits |= 1 << at.ok_or_else(|| format!("dmesg: unknown level '{word}'"))?;
    }
    Ok(bits)
}

fn text(records: &[LogRecord], options: &Options, booted_ns: u64) -> String {
    let mut text = String::new();
    for record in records {
        let level = record.level & 7;
        if options.levels.is_some_and(|bits| bits >> level & 1 == 0) {
            continue;
        }
        if options.raw {
            let _ = write!(text, "<{level}>");
        } else if options.decode {
            let _ = write!(text, "kern  :{:<6}: ", LEVELS[usize::from(level)]);
        }
        let microseconds = record.at_ns / 1000;
        let (seconds, rest) = (microseconds / 1_000_000, microseconds % 1_000_000);
        let _ = match options.stamp {
            _ if options.raw => write!(text, "[{seconds:5}.{rest:06}] "),
            Stamp::Boot => write!(text, "[{seconds:5}.{rest:06}] "),
            Stamp::Calendar => write!(
                text,
                "[{}] ",
                Date::of(booted_ns.saturating_add(record.at_ns) / 1_000_000_000).ctime()
            ),
            Stamp::None => Ok(()),
        };
        text.push_str(&record.text);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(args: &[&str]) -> String {
        let args: Vec<String> = args.iter().map(|word| (*word).to_owned()).collect();
        let records =
            [(1_500_000_000, 4, "IN=e0 OUT="), (12_000_007_000, 6, "br0: port 1(p) entered disabled state")]
                .map(|(at_ns, level, text)| LogRecord { at_ns, level, text: text.to_owned() });
        match options(&args) {
            Ok(options) => text(&records, &options, 1_709_210_096_000_000_000),
            Err(Instead::Text(text)) => text.to_owned(),
            Err(Instead::Fault(text)) => text,
        }
    }

    #[test]
    fn records_with_and_without_their_times() {
        assert_eq!(
            shown(&[]),
            "[    1.500000] IN=e0 OUT=\n[   12.000007] br0: port 1(p) entered disabled state\n"
        );
        assert_eq!(shown(&["-t", "-l", "warn"]), "IN=e0 OUT=\n");
        assert_eq!(shown(&["-t", "--level=err,info"]), "br0: port 1(p) entered disabled state\n");
        assert_eq!(shown(&["-x", "-l", "warn"]), "kern  :warn  : [    1.500000] IN=e0 OUT=\n");
        assert_eq!(shown(&["-r", "-l", "warn"]), "<4>[    1.500000] IN=e0 OUT=\n");
        assert_eq!(shown(&["-T", "-l", "warn"]), "[Thu Feb 29 12:34:57 2024] IN=e0 OUT=\n");
        assert_eq!(shown(&["-l", "loud"]), "dmesg: unknown level 'loud'");
        assert_eq!(shown(&["-w"]), "dmesg: -w is not supported by hairpin yet");
    }

    #[test]
    fn help_is_no_fault() {
        let help = crate::fake::FakeKernel::new(|_| Ok(Vec::new())).run("dmesg --help");
        assert_eq!(help, (USAGE.to_owned(), 0));
        assert_eq!(shown(&["-h"]), USAGE);
        assert_eq!(shown(&["x"]), "dmesg: bad usage\nTry 'dmesg --help' for more information.");
    }
}
