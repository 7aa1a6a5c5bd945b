//! `nstat` of iproute2 6.1: the counters of `/proc/net/snmp` and `snmp6`, and how they grew since it was asked last.
//!
//! What it showed last is kept with the host, where the real program has a file in `/tmp`.

use hairpin_netlink::{Call, Errno, Reply};

use crate::Program;
use crate::getopt::{Getopt, Item, Long, Value};

const SHORT: &str = "h?vVzrnasd:t:jp";
const LONG: &[Long] = &[
    ("help", Value::None, 'h'),
    ("ignore", Value::None, 'a'),
    ("scan", Value::Required, 'd'),
    ("nooutput", Value::None, 'n'),
    ("json", Value::None, 'j'),
    ("reset", Value::None, 'r'),
    ("noupdate", Value::None, 's'),
    ("pretty", Value::None, 'p'),
    ("interval", Value::Required, 't'),
    ("version", Value::None, 'V'),
    ("zeros", Value::None, 'z'),
];

/// The document that the host keeps.
const HISTORY: &str = "nstat";
/// What is no counter is never shown.
const USELESS: [&str; 7] = [
    "IpForwarding",
    "IpDefaultTTL",
    "TcpRtoAlgorithm",
    "TcpRtoMin",
    "TcpRtoMax",
    "TcpMaxConn",
    "TcpCurrEstab",
];

type Counter = (String, u64);

#[derive(Default)]
struct Options {
    ignore: bool,
    silent: bool,
    reset: bool,
    no_update: bool,
    zeros: bool,
    json: bool,
    pretty: bool,
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let mut options = Options::default();
    let mut words = Getopt::new(program.name, program.args, SHORT, LONG);
    while let Some(item) = words.next() {
        match item {
            Item::Option('a', _) => options.ignore = true,
            Item::Option('n', _) => options.silent = true,
            Item::Option('r', _) => options.reset = true,
            Item::Option('s', _) => options.no_update = true,
            Item::Option('z', _) => options.zeros = true,
            Item::Option('j', _) => options.json = true,
            Item::Option('p', _) => options.pretty = true,
            Item::Option('V' | 'v', _) => {
                let _ = writeln!(program.shell.out(), "nstat utility, iproute2-6.1.0");
                return 0;
            }
            Item::Option('d' | 't', _) => {
                let _ = writeln!(program.shell.err(), "nstat: sampling is not supported by hairpin yet");
                return 1;
            }
            Item::Error(text) => {
                let _ = write!(program.shell.err(), "{text}\n{USAGE}");
                return 255;
            }
            Item::Option(..) => {
                let _ = program.shell.err().write_all(USAGE.as_bytes());
                return 255;
            }
        }
    }
    let patterns = words.operands();
    match run(program, &options, &patterns) {
        Ok(()) => 0,
        Err(errno) => {
            let _ = writeln!(program.shell.err(), "nstat: {errno}");
            1
        }
    }
}

fn run(program: &mut Program<'_>, options: &Options, patterns: &[&str]) -> Result<(), Errno> {
    let (version, kept) = match program.system.call(Call::StoreLoad(HISTORY.to_owned())) {
        Ok(Reply::Stored { version, data }) => (Some(version), data),
        // A real kernel keeps no documents: there is no history.
        _ => (None, Vec::new()),
    };
    let mut counters = Vec::new();
    for (path, read) in [
        ("/proc/net/snmp", table as fn(&str) -> Vec<Counter>),
        ("/proc/net/snmp6", list),
        ("/proc/net/netstat", table),
    ] {
        match program.system.read_file(path) {
            Ok(bytes) => counters.extend(read(&String::from_utf8_lossy(&bytes))),
            Err(Errno::ENOENT) => {}
            Err(errno) => return Err(errno),
        }
    }
    counters.retain(|(name, _)| !USELESS.contains(&name.as_str()));
    if !options.silent {
        let history = if options.ignore || options.reset { Vec::new() } else { history(&kept) };
        let before = |name: &str| history.iter().find(|(known, _)| known == name).map_or(0, |known| known.1);
        let grown = counters.iter().map(|(name, value)| {
            let before = before(name);
            // One that went back is shown as it is, with a remark.
            (name, value.saturating_sub(before), *value < before)
        });
        let shown: Vec<_> = grown
            .filter(|(name, value, _)| (options.zeros || *value != 0) && asked_for(patterns, name))
            .collect();
        let text = if options.json { as_json(&shown, options.pretty) } else { as_text(&shown) };
        let _ = program.shell.out().write_all(text.as_bytes());
    }
    if let Some(version) = version.filter(|_| !options.no_update) {
        // What was not asked for now keeps the value of when it was (`dump_kern_db`).
        let known = if options.reset { Vec::new() } else { history(&kept) };
        let seen = |(name, value): &Counter| match asked_for(patterns, name) {
            true => *value,
            false => known.iter().find(|(known, _)| known == name).map_or(*value, |(_, value)| *value),
        };
        let data: String =
            counters.iter().map(|counter| format!("{} {}\n", counter.0, seen(counter))).collect();
        let save = Call::StoreSave { name: HISTORY.to_owned(), version, data: data.into_bytes() };
        match program.system.call(save) {
            // Another nstat has just kept what it saw.
            Ok(_) | Err(Errno::EAGAIN) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn asked_for(patterns: &[&str], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| fits(pattern, name))
}

/// `load_ugly_table`: pairs of lines, names and values.
fn table(text: &str) -> Vec<Counter> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
        let Some((group, names)) = names.split_once(':') else { continue };
        let values = values.split_once(':').map_or("", |(_, values)| values);
        for (name, value) in names.split_whitespace().zip(values.split_whitespace()) {
            // `MaxConn` is -1.
            let value =
                value.parse::<i64>().map_or_else(|_| value.parse().unwrap_or(0), |value| value as u64);
            found.push((format!("{group}{name}"), value));
        }
    }
    found
}

/// `load_good_table`: a name and a value a line.
fn list(text: &str) -> Vec<Counter> {
    let pair = |line: &str| {
        let (name, value) = line.split_once(char::is_whitespace)?;
        Some((name.to_owned(), value.trim().parse().ok()?))
    };
    text.lines().filter_map(pair).collect()
}

fn history(data: &[u8]) -> Vec<Counter> {
    list(&String::from_utf8_lossy(data))
}

fn as_text(shown: &[(&String, u64, bool)]) -> String {
    let mut text = "#kernel\n".to_owned();
    for (name, value, overflow) in shown {
        let remark = if *overflow { " (overflow)" } else { "" };
        text += &format!("{name:<32}{value:<16}{:6.1}{remark}\n", 0.0);
    }
    text
}

fn as_json(shown: &[(&String, u64, bool)], pretty: bool) -> String {
    let (gap, between, end) = if pretty { ("\n        ", ": ", "\n    ") } else { ("", ":", "") };
    let members: Vec<String> =
        shown.iter().map(|(name, value, _)| format!("{gap}\"{name}\"{between}{value}")).collect();
    let members = members.join(",");
    let end = if members.is_empty() { "" } else { end };
    match pretty {
        true => format!("{{\n    \"kernel\": {{{members}{end}}}\n}}\n"),
        false => format!("{{\"kernel\":{{{members}}}}}\n"),
    }
}

/// `fnmatch` with `*` and `?`, upper and lower case alike.
fn fits(pattern: &str, name: &str) -> bool {
    fn rest(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((b'*', more)), _) => {
                (0..=name.len()).any(|skipped| name.get(skipped..).is_some_and(|name| rest(more, name)))
            }
            (Some((b'?', more)), Some((_, name))) => rest(more, name),
            (Some((wanted, more)), Some((found, name))) => {
                wanted.eq_ignore_ascii_case(found) && rest(more, name)
            }
            _ => false,
        }
    }
    // Each star tries every place: a pattern of many takes long, so it has few.
    pattern.bytes().filter(|byte| *byte == b'*').count() <= 8 && rest(pattern.as_bytes(), name.as_bytes())
}

const USAGE: &str = "\
Usage: nstat [OPTION] [ PATTERN [ PATTERN ] ]
   -h, --help          this message
   -a, --ignore        ignore history
   -d, --scan=SECS     sample every statistics every SECS
   -j, --json          format output in JSON
   -n, --nooutput      do history only
   -p, --pretty        pretty print
   -r, --reset         reset history
   -s, --noupdate      don't update history
   -t, --interval=SECS report average over the last SECS
   -V, --version       output version information
   -z, --zeros         show entries with zero activity
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_and_shown() {
        let counters = table("Ip: Forwarding InReceives\nIp: 2 5\nTcp: MaxConn InSegs\nTcp: -1 7\n");
        let named = |name: &str| counters.iter().find(|(known, _)| known == name).map(|known| known.1);
        assert_eq!((named("IpInReceives"), named("TcpInSegs")), (Some(5), Some(7)));
        assert_eq!(list("Ip6InReceives     \t\t12\n"), [("Ip6InReceives".to_owned(), 12)]);
        let name = "IpInReceives".to_owned();
        assert_eq!(
            as_text(&[(&name, 5, false)]),
            "#kernel\nIpInReceives                    5                  0.0\n"
        );
        assert_eq!(as_json(&[(&name, 5, false)], false), "{\"kernel\":{\"IpInReceives\":5}}\n");
    }

    #[test]
    fn patterns_fit_as_a_shell_s_do() {
        assert!(fits("ip*", "IpInReceives"));
        assert!(fits("*Echo?", "IcmpInEchos"));
        assert!(!fits("Icmp", "IcmpInMsgs"));
        assert!(!fits("*********", "IcmpInMsgs"));
    }
}
