//! The command line of wget.

use std::net::IpAddr;

use super::code;
use crate::Program;
use crate::getopt::{Getopt, Item, Long, Value};

const SHORT: &str = "qO:T:t:SP:U:46cNVhvn:o:a:d";
const LONG: &[Long] = &[
    ("quiet", Value::None, 'q'),
    ("output-document", Value::Required, 'O'),
    ("timeout", Value::Required, 'T'),
    ("connect-timeout", Value::Required, 'T'),
    ("read-timeout", Value::Required, 'T'),
    ("dns-timeout", Value::Required, 'T'),
    ("tries", Value::Required, 't'),
    ("server-response", Value::None, 'S'),
    ("spider", Value::None, '\u{1}'),
    ("no-verbose", Value::None, '\u{2}'),
    ("directory-prefix", Value::Required, 'P'),
    ("user-agent", Value::Required, 'U'),
    ("header", Value::Required, '\u{3}'),
    ("bind-address", Value::Required, '\u{4}'),
    ("max-redirect", Value::Required, '\u{5}'),
    ("waitretry", Value::Required, '\u{6}'),
    ("retry-connrefused", Value::None, '\u{7}'),
    ("post-data", Value::Required, '\u{8}'),
    ("content-on-error", Value::None, '\u{e}'),
    ("no-check-certificate", Value::None, '\u{f}'),
    ("no-proxy", Value::None, '\u{f}'),
    ("progress", Value::Required, '\u{10}'),
    ("inet4-only", Value::None, '4'),
    ("inet6-only", Value::None, '6'),
    ("version", Value::None, 'V'),
    ("help", Value::None, 'h'),
];
const TRIES: u32 = 20;
/// Seconds without anything (`--read-timeout`).
const TIMEOUT_S: f64 = 900.0;
const REDIRECTS_MAX: u32 = 20;
const AGENT: &str = "Wget/1.21.3";

/// What the command line asks for.
pub(super) struct Options {
    pub quiet: bool,
    pub terse: bool,
    pub server_response: bool,
    pub spider: bool,
    pub output: Option<String>,
    pub prefix: Option<String>,
    pub timeout_ns: Option<u64>,
    pub connect_limited: bool,
    pub tries: u32,
    pub wait_retry_s: u64,
    pub retries_refused: bool,
    pub redirects_max: u32,
    pub ipv4: bool,
    pub ipv6: bool,
    pub bind: Option<IpAddr>,
    pub agent: String,
    pub headers: Vec<String>,
    pub data: Option<String>,
    pub urls: Vec<String>,
    /// Quotes of the language: UTF-8 or plain.
    pub quotes: (&'static str, &'static str),
}

/// # Errors
/// The exit code of a command line that is wrong, or asks for help alone.
pub(super) fn read_options(program: &mut Program<'_>) -> Result<Options, i32> {
    let language = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| program.shell.variable(name));
    let is_utf8 = language.is_some_and(|name| name.to_ascii_uppercase().replace('-', "").contains("UTF8"));
    let mut options = Options {
        quiet: false,
        terse: false,
        server_response: false,
        spider: false,
        output: None,
        prefix: None,
        timeout_ns: Some((TIMEOUT_S * 1e9) as u64),
        connect_limited: false,
        tries: TRIES,
        wait_retry_s: 10,
        retries_refused: false,
        redirects_max: REDIRECTS_MAX,
        ipv4: false,
        ipv6: false,
        bind: None,
        agent: AGENT.to_owned(),
        headers: Vec::new(),
        data: None,
        urls: Vec::new(),
        quotes: if is_utf8 { ("‘", "’") } else { ("'", "'") },
    };
    let mut words = Getopt::new(program.name, program.args, SHORT, LONG);
    while let Some(item) = words.next() {
        let (letter, value) = match item {
            Item::Option(letter, value) => (letter, value.unwrap_or_default()),
            Item::Error(text) => {
                let usage = "Usage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.";
                let _ = writeln!(program.shell.err(), "{text}\n{usage}");
                return Err(code::PARSE);
            }
        };
        let invalid = |program: &mut Program<'_>| {
            let _ = writeln!(program.shell.err(), "wget: -{letter}: Invalid number {value}.");
            code::PARSE
        };
        match letter {
            'q' => options.quiet = true,
            '\u{2}' => options.terse = true,
            'n' if value == "v" => options.terse = true,
            'n' if matches!(value, "c" | "d" | "H" | "p") => {}
            'O' => options.output = Some(value.to_owned()),
            'T' => {
                let seconds: f64 = value.parse().map_err(|_| invalid(program))?;
                options.timeout_ns = (seconds > 0.0).then_some((seconds * 1e9) as u64);
                options.connect_limited = seconds > 0.0;
            }
            't' => {
                options.tries = match value {
                    "inf" | "0" => u32::MAX,
                    number => number.parse().map_err(|_| invalid(program))?,
                };
            }
            'S' => options.server_response = true,
            '\u{1}' => options.spider = true,
            'P' => options.prefix = Some(value.trim_end_matches('/').to_owned()),
            'U' => value.clone_into(&mut options.agent),
            '\u{3}' => options.headers.push(value.to_owned()),
            '\u{4}' => options.bind = value.parse().ok(),
            '\u{5}' => options.redirects_max = value.parse().map_err(|_| invalid(program))?,
            '\u{6}' => options.wait_retry_s = value.parse().map_err(|_| invalid(program))?,
            '\u{7}' => options.retries_refused = true,
            '\u{8}' => options.data = Some(value.to_owned()),
            '4' => options.ipv4 = true,
            '6' => options.ipv6 = true,
            'v' | '\u{e}' | '\u{f}' | '\u{10}' => {}
            'V' => {
                let _ = writeln!(program.shell.out(), "GNU Wget 1.21.3 (hairpin), plain HTTP alone");
                return Err(0);
            }
            'h' => {
                let _ = writeln!(program.shell.out(), "Usage: wget [OPTION]... [URL]...");
                return Err(0);
            }
            other => {
                let _ = writeln!(program.shell.err(), "wget: -{other} is not supported here");
                return Err(code::PARSE);
            }
        }
    }
    options.urls = words.operands().into_iter().map(str::to_owned).collect();
    if options.urls.is_empty() {
        let text =
            "wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.";
        let _ = writeln!(program.shell.err(), "{text}");
        return Err(code::GENERIC);
    }
    Ok(options)
}
