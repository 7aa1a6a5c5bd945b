//! `iptables-restore`

use std::io::Read as _;

use hairpin_netlink::Errno;
use hairpin_netlink::netfilter::{Counters, Family, NetfilterCall, Table, TableKind};

use super::command::action::Parsed;
use super::command::parse;
use super::edit;
use super::fail::Fail;
use super::names::Names;
use super::{Engine, Tool};
use crate::getopt::{Getopt, Item, Long, Value};

const LONG: &[Long] = &[
    ("counters", Value::None, 'c'),
    ("verbose", Value::None, 'v'),
    ("version", Value::None, 'V'),
    ("test", Value::None, 't'),
    ("help", Value::None, 'h'),
    ("noflush", Value::None, 'n'),
    ("modprobe", Value::Required, 'M'),
    ("table", Value::Required, 'T'),
    ("wait", Value::Optional, 'w'),
    ("wait-interval", Value::Optional, 'W'),
];

/// A file longer than this is no rule set.
const FILE_MAX: u64 = 256 << 20;

#[derive(Default)]
struct Options {
    counters: bool,
    verbose: u32,
    test: bool,
    no_flush: bool,
    table: Option<String>,
}

pub(super) fn main(tool: &Tool, args: &[String], engine: &mut Engine<'_>, names: &mut Names<'_>) -> i32 {
    let mut options = Options::default();
    let mut getopt = Getopt::new(tool.called, args, "bcvVthnwWM:T:", LONG);
    while let Some(item) = getopt.next() {
        match item {
            Item::Option('c', _) => options.counters = true,
            Item::Option('v', _) => options.verbose += 1,
            Item::Option('V', _) => {
                let _ = writeln!(names.shell.out(), "{} v{} (legacy)", tool.name, super::VERSION);
                return 0;
            }
            Item::Option('t', _) => options.test = true,
            Item::Option('n', _) => options.no_flush = true,
            Item::Option('T', table) => options.table = table.map(str::to_owned),
            Item::Option('h', _) => {
                let name = tool.name;
                let _ = write!(
                    names.shell.err(),
                    "Usage: {name} [-c] [-v] [-V] [-t] [-h] [-n] [-w secs] [-W usecs] [-T table] [-M command] \
                     [file]\n\t   [ --counters ]\n\t   [ --verbose ]\n\t   [ --version]\n\t   [ --test ]\n\t   \
                     [ --help ]\n\t   [ --noflush ]\n\t   [ --wait=<seconds>\n\
                     \t   [ --table=<TABLE> ]\n\t   [ --modprobe=<command> ]\n"
                );
                return 0;
            }
            Item::Option(..) => {}
            Item::Error(text) => {
                let name = tool.name;
                let _ = writeln!(names.shell.err(), "{text}\nTry `{name} -h' for more information.");
                return 1;
            }
        }
    }
    let mut text = String::new();
    let mut operands = getopt.operands();
    // The seconds of `-w` may stand behind it.
    if args.iter().any(|word| word == "-w" || word == "--wait") {
        let seconds = operands.iter().position(|word| word.parse::<u32>().is_ok());
        if let Some(at) = seconds {
            operands.remove(at);
        }
    }
    let read = match operands.as_slice() {
        [] => names.shell.input().take(FILE_MAX).read_to_string(&mut text).map(drop),
        [path] => match names.shell.open(path) {
            Ok(file) => file.take(FILE_MAX).read_to_string(&mut text).map(drop),
            Err(error) => {
                let why = error.raw_os_error().map_or_else(|| error.to_string(), |code| Errno(code).text());
                let _ = writeln!(names.shell.err(), "Can't open {path}: {why}");
                return 1;
            }
        },
        _ => {
            let _ = writeln!(names.shell.err(), "Unknown arguments found on commandline");
            return 1;
        }
    };
    if read.is_err() {
        let _ = writeln!(names.shell.err(), "{}: the input is no text", tool.name);
        return 1;
    }
    match restore(&text, &options, engine, names) {
        Ok(()) => 0,
        Err((fail, line)) => {
            let text = fail.text(tool.name, Some(line));
            let _ = names.shell.err().write_all(text.as_bytes());
            fail.code()
        }
    }
}

/// Goes through a file, putting back each table at its `COMMIT`.
fn restore(
    text: &str,
    options: &Options,
    engine: &mut Engine<'_>,
    names: &mut Names<'_>,
) -> Result<(), (Fail, usize)> {
    let mut table: Option<Table> = None;
    let mut number = 0;
    let mut skipping = false;
    for line in text.lines() {
        number += 1;
        let at = |fail: Fail| (fail, number);
        if line.is_empty() {
            continue;
        }
        if line.starts_with('#') {
            if options.verbose > 0 {
                let _ = writeln!(names.shell.out(), "{line}");
            }
            continue;
        }
        if skipping {
            skipping = line != "COMMIT";
            continue;
        }
        match &mut table {
            None => {
                let Some(name) = line.strip_prefix('*') else {
                    return Err((Fail::Table(String::new()), number));
                };
                let name = name.trim();
                if options.table.as_deref().is_some_and(|wanted| wanted != name) {
                    skipping = true;
                    continue;
                }
                let mut found = engine.table(names.family, name).map_err(|_| {
                    let program = engine.tool_name();
                    at(Fail::parameter(format!("{program}: unable to initialize table '{name}'")))
                })?;
                if !options.no_flush {
                    edit::flush(&mut found, None, options.verbose, names).map_err(at)?;
                    edit::delete_chain(&mut found, None, options.verbose, names).map_err(at)?;
                }
                table = Some(found);
            }
            Some(_) if line == "COMMIT" => {
                let Some(mut done) = table.take() else { continue };
                edit::settle_policies(&mut done);
                if !options.test {
                    let call = NetfilterCall::Replace { family: names.family, table: Box::new(done) };
                    engine.system.netfilter(call).map_err(|errno| at(Fail::table(errno)))?;
                }
            }
            Some(found) => one_line(found, line, number, options, names).map_err(at)?,
        }
    }
    match table {
        Some(_) => {
            let program = engine.tool_name();
            let _ = writeln!(names.shell.err(), "{program}: COMMIT expected at line {}", number + 1);
            Err((Fail::Silent, number))
        }
        None => Ok(()),
    }
}

/// A chain with its policy, or a command.
fn one_line(
    table: &mut Table,
    line: &str,
    number: usize,
    options: &Options,
    names: &mut Names<'_>,
) -> Result<(), Fail> {
    if let Some(chain) = line.strip_prefix(':') {
        return one_chain(table, chain, number, options, names);
    }
    let (counters, command) = match line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((counters, command)) if options.counters => (Some(rule_counters(counters)?), command),
        Some((_, command)) => (None, command),
        None => (None, line),
    };
    let args = words(command);
    let Parsed::Command(mut command) = parse(&args, Some(table.kind.name()), names)? else { return Ok(()) };
    if let Some(counters) = counters {
        for rule in &mut command.rules {
            rule.counters = counters;
        }
    }
    if !options.no_flush {
        command.verbose = command.verbose.max(options.verbose);
    }
    edit::apply(table, &command, names).map(drop)
}

fn one_chain(
    table: &mut Table,
    line: &str,
    number: usize,
    options: &Options,
    names: &mut Names<'_>,
) -> Result<(), Fail> {
    let program = match names.family {
        Family::Ipv4 => "iptables-restore",
        Family::Ipv6 => "ip6tables-restore",
    };
    let mut words = line.split_whitespace();
    let name = words
        .next()
        .ok_or_else(|| Fail::parameter(format!("{program}: line {number} chain name invalid")))?;
    let policy =
        words.next().ok_or_else(|| Fail::parameter(format!("{program}: line {number} policy invalid")))?;
    match table.chain(name).map(|chain| chain.builtin.is_some()) {
        Some(true) => {}
        Some(false) => edit::flush(table, Some(name), 0, names)?,
        None if policy != "-" => {
            return Err(Fail::Other(format!(
                "Can't set policy `{policy}' on `{name}' line {number}: Bad built-in chain name"
            )));
        }
        None => edit::new_chain(table, name)?,
    }
    if policy == "-" {
        return Ok(());
    }
    let counters = words.next().and_then(|word| parse_counters(word.strip_prefix('[')?.strip_suffix(']')?));
    let counters = if options.counters { counters.unwrap_or_default() } else { Counters::default() };
    edit::set_policy(table, name, policy, Some(counters)).map_err(|fail| match fail {
        Fail::Table(why) => {
            let why = why.split('.').next().unwrap_or(&why);
            Fail::Other(format!("Can't set policy `{policy}' on `{name}' line {number}: {why}"))
        }
        fail => fail,
    })
}

/// `[PACKETS:BYTES]` in front of a rule.
fn rule_counters(text: &str) -> Result<Counters, Fail> {
    let (packets, bytes) =
        text.split_once(':').ok_or_else(|| Fail::parameter("invalid rule counters detected\n"))?;
    let number = |text: &str, what: &str| {
        text.parse().map_err(|_| Fail::parameter(format!("-c {what} counter not numeric")))
    };
    Ok(Counters { packets: number(packets, "packet")?, bytes: number(bytes, "byte")? })
}

fn parse_counters(text: &str) -> Option<Counters> {
    let (packets, bytes) = text.split_once(':')?;
    Some(Counters { packets: packets.parse().ok()?, bytes: bytes.parse().ok()? })
}

/// Words of a line; quotes and backslashes as `add_param_to_argv` takes them.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut open = false;
    let mut quoted = false;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if quoted => {
                if let Some(next) = letters.next() {
                    word.push(next);
                }
            }
            '"' => {
                quoted = !quoted;
                open = true;
            }
            ' ' | '\t' if !quoted => {
                if open {
                    words.push(std::mem::take(&mut word));
                    open = false;
                }
            }
            letter => {
                word.push(letter);
                open = true;
            }
        }
    }
    if quoted {
        // The end of the line belongs to what is open.
        word.push('\n');
    }
    if open {
        words.push(word);
    }
    words
}

/// The first table of a text.
pub(super) fn read(text: &str, names: &mut Names<'_>) -> Result<Option<Table>, String> {
    let options = Options { counters: true, ..Options::default() };
    let mut table: Option<Table> = None;
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match (&mut table, line.strip_prefix('*')) {
            (None, Some(name)) => {
                let kind = TableKind::by_name(name.trim()).ok_or_else(|| format!("unknown table {name}"))?;
                table = Some(Table::empty(kind));
            }
            (Some(_), _) if line == "COMMIT" => return Ok(table),
            (Some(found), _) => one_line(found, line, 0, &options, names)
                .map_err(|fail| format!("{line}: {}", fail.text("iptables", None).trim()))?,
            (None, None) => return Err(format!("no table begins with {line}")),
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_may_be_quoted() {
        assert_eq!(
            words(r#"-m comment --comment "a \"b\" c"  x"#),
            ["-m", "comment", "--comment", "a \"b\" c", "x"]
        );
        assert_eq!(words(r#"--log-prefix "" -j X"#), ["--log-prefix", "", "-j", "X"]);
    }
}
