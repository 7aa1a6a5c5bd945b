//! `wget`, as GNU wget 1.21 has it, for plain HTTP.

mod options;
mod progress;

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::IpAddr;

use hairpin_netlink::Errno;

use options::{Options, read_options};
use progress::{dots, rate, sized};

use super::{Bad, Head, Reader, Url};
use crate::Program;
use crate::calendar::Date;
use crate::resolver::{self, Families, Place};
use crate::stream::{Fault, From, Stream};

const NS_PER_S: u64 = 1_000_000_000;
/// wget's exit codes.
mod code {
    pub const GENERIC: i32 = 1;
    pub const PARSE: i32 = 2;
    pub const FILE: i32 = 3;
    pub const NETWORK: i32 = 4;
    pub const PROTOCOL: i32 = 7;
    pub const SERVER: i32 = 8;
}

/// How a try ends.
enum End {
    Done,
    Again,
    Failed(i32),
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let options = match read_options(program) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let mut code = 0;
    for text in &options.urls {
        let outcome = fetch(program, &options, text);
        if code == 0 || outcome != 0 {
            code = outcome;
        }
    }
    let _ = program.shell.out().flush();
    code
}

/// Messages go to standard error, unless it is quiet.
fn say(program: &mut Program<'_>, options: &Options, text: &str) {
    if !options.quiet && !options.terse {
        let _ = program.shell.err().write_all(text.as_bytes());
    }
}

/// `2026-11-27 06:05:14`
fn stamp(program: &mut Program<'_>) -> String {
    let date = Date::of(program.system.now().map_or(0, |now| now.realtime_ns / NS_PER_S));
    format!(
        "{}-{:02}-{:02} {:02}:{:02}:{:02}",
        date.year, date.month, date.day, date.hour, date.minute, date.second
    )
}

fn monotonic(program: &mut Program<'_>) -> u64 {
    program.system.now().map_or(0, |now| now.monotonic_ns)
}

fn fetch(program: &mut Program<'_>, options: &Options, text: &str) -> i32 {
    let Some(mut url) = Url::parse(text) else {
        let _ = writeln!(program.shell.err(), "{text}: Invalid host name.");
        return code::PARSE;
    };
    if url.scheme != "http" {
        let _ = writeln!(
            program.shell.err(),
            "{text}: Unsupported scheme {}{}{}.",
            options.quotes.0,
            url.scheme,
            options.quotes.1
        );
        return code::PARSE;
    }
    if options.spider {
        say(program, options, "Spider mode enabled. Check if remote file exists.\n");
    }
    let mut redirects = 0;
    let mut count = 1;
    loop {
        let stamp = stamp(program);
        let again = if count > 1 { format!("  (try:{count:2})") } else { String::new() };
        say(program, options, &format!("--{stamp}--{again}  {}\n", url.text()));
        let mut next = None;
        match attempt(program, options, &url, &mut next) {
            End::Done => match next {
                None => return 0,
                Some(location) => {
                    redirects += 1;
                    if redirects > options.redirects_max {
                        say(program, options, &format!("{} redirections exceeded.\n", options.redirects_max));
                        return code::SERVER;
                    }
                    url = location;
                    continue;
                }
            },
            End::Failed(code) => return code,
            End::Again if count >= options.tries => {
                say(program, options, "Giving up.\n\n");
                return code::NETWORK;
            }
            End::Again => {
                say(program, options, "Retrying.\n\n");
                // One second more each time (`sleep_between_retrievals`).
                let wait = u64::from(count).min(options.wait_retry_s);
                let until = monotonic(program).saturating_add(wait.saturating_mul(NS_PER_S));
                let waited = program.system.wait(&[], Some(until), true);
                if waited.is_err() && program.shell.take_signal().is_some() {
                    return 130;
                }
                count += 1;
            }
        }
    }
}

fn resolve(program: &mut Program<'_>, options: &Options, host: &str) -> Result<Vec<Place>, i32> {
    let is_number = host.split('%').next().is_some_and(|number| number.parse::<IpAddr>().is_ok());
    if !is_number {
        say(program, options, &format!("Resolving {host} ({host})... "));
    }
    let families = match (options.ipv4, options.ipv6) {
        (true, _) => Families::Ipv4,
        (_, true) => Families::Ipv6,
        _ => Families::Any,
    };
    match resolver::addresses(program, host, families) {
        Ok(places) => {
            if !is_number {
                let numbers: Vec<String> = places.iter().map(|place| place.address.to_string()).collect();
                say(program, options, &format!("{}\n", numbers.join(", ")));
            }
            Ok(places)
        }
        Err(why) => {
            say(program, options, &format!("failed: {}.\n", why.text()));
            let (open, close) = options.quotes;
            say(program, options, &format!("wget: unable to resolve host address {open}{host}{close}\n"));
            Err(code::NETWORK)
        }
    }
}

fn attempt(program: &mut Program<'_>, options: &Options, url: &Url, next: &mut Option<Url>) -> End {
    let places = match resolve(program, options, &url.host) {
        Ok(places) => places,
        Err(code) => return End::Failed(code),
    };
    let from = From { address: options.bind, ..From::default() };
    let mut end = End::Failed(code::NETWORK);
    let mut found = None;
    for place in places {
        let known_as = match url.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(_)) => format!("[{}]:{}", url.host, url.port),
            Ok(IpAddr::V4(_)) => format!("{}:{}", url.host, url.port),
            Err(_) => format!("{} ({})|{}|:{}", url.host, url.host, place.address, url.port),
        };
        say(program, options, &format!("Connecting to {known_as}... "));
        let now = monotonic(program);
        let limit = options.timeout_ns.map(|limit| now.saturating_add(limit));
        let until = if options.connect_limited { limit } else { None };
        match Stream::connect(program, place.end(url.port), &from, until) {
            Ok(stream) => {
                found = Some(stream);
                break;
            }
            Err(Fault::Interrupted) => return End::Failed(130),
            Err(Fault::TimedOut) => {
                say(program, options, "failed: Connection timed out.\n");
                end = End::Again;
            }
            Err(Fault::Error(errno)) => {
                say(program, options, &format!("failed: {}.\n", errno.text()));
                // What is not there now will not be there soon (`retryable_socket_connect_error`).
                let lasts = matches!(
                    errno,
                    Errno::ECONNREFUSED | Errno::ENETUNREACH | Errno::EHOSTUNREACH | Errno::EAFNOSUPPORT
                ) && !(options.retries_refused && errno == Errno::ECONNREFUSED);
                end = if lasts { End::Failed(code::NETWORK) } else { End::Again };
            }
        }
    }
    let Some(stream) = found else { return end };
    say(program, options, "connected.\n");
    let mut reader = Reader::new(stream);
    let end = exchange(program, options, url, &mut reader, next);
    reader.stream.close(program);
    end
}

fn request(options: &Options, url: &Url) -> Vec<u8> {
    let method = match (&options.data, options.spider) {
        (Some(_), _) => "POST",
        (None, true) => "HEAD",
        (None, false) => "GET",
    };
    let mut text = format!(
        "{method} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: */*\r\nAccept-Encoding: identity\r\n\
         Connection: Keep-Alive\r\n",
        url.path,
        url.authority(),
        options.agent
    );
    for header in &options.headers {
        text.push_str(&format!("{header}\r\n"));
    }
    if let Some(data) = &options.data {
        let length = data.len();
        text.push_str(&format!(
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n"
        ));
    }
    text.push_str("\r\n");
    text.push_str(options.data.as_deref().unwrap_or(""));
    text.into_bytes()
}

fn exchange(
    program: &mut Program<'_>,
    options: &Options,
    url: &Url,
    reader: &mut Reader,
    next: &mut Option<Url>,
) -> End {
    let now = monotonic(program);
    reader.stream.until_ns = options.timeout_ns.map(|limit| now.saturating_add(limit));
    say(program, options, "HTTP request sent, awaiting response... ");
    if reader.stream.send(program, &request(options, url)).is_err() {
        say(program, options, "Failed writing HTTP request.\n");
        return End::Again;
    }
    let head = match reader.head(program) {
        Ok(head) => head,
        Err(Bad::Connection(Fault::Interrupted)) => return End::Failed(130),
        Err(Bad::Connection(Fault::TimedOut)) => {
            say(program, options, "Read error (Connection timed out) in headers.\n");
            return End::Again;
        }
        Err(Bad::Connection(Fault::Error(errno))) => {
            say(program, options, &format!("Read error ({}) in headers.\n", errno.text()));
            return End::Again;
        }
        Err(Bad::Empty) => {
            say(program, options, "No data received.\n");
            return End::Again;
        }
        Err(_) => {
            say(program, options, "200 No headers, assuming HTTP/0.9\n");
            return End::Failed(code::PROTOCOL);
        }
    };
    if options.server_response {
        let lines: String = String::from_utf8_lossy(&head.raw)
            .lines()
            .filter(|line| !line.is_empty())
            .fold(String::new(), |text, line| text + "\n  " + line);
        // It is asked for, so it is said.
        let _ = writeln!(program.shell.err(), "{lines}");
    } else {
        say(program, options, &format!("{} {}\n", head.status, head.reason));
    }
    let location = head.field("Location").filter(|_| matches!(head.status, 301..=303 | 307 | 308));
    if let Some(location) = location {
        say(program, options, &format!("Location: {location} [following]\n"));
        *next = url.join(location);
        return End::Done;
    }
    if head.status >= 400 {
        if options.spider && head.status == 404 {
            say(program, options, "Remote file does not exist -- broken link!!!\n\n");
        } else {
            let stamp = stamp(program);
            let text = format!("{stamp} ERROR {}: {}.\n", head.status, head.reason);
            say(program, options, &format!("{text}\n"));
            if options.terse && !options.quiet {
                let _ = write!(program.shell.err(), "{}:\n{text}", url.text());
            }
        }
        return End::Failed(code::SERVER);
    }
    let mut length = match head.length() {
        Some(length) => format!("Length: {}", sized(length)),
        None => "Length: unspecified".to_owned(),
    };
    if let Some(kind) = head.field("Content-Type") {
        let _ = write!(length, " [{}]", kind.split(';').next().unwrap_or(kind).trim());
    }
    say(program, options, &format!("{length}\n"));
    if options.spider {
        say(
            program,
            options,
            "Remote file exists and could contain further links,\nbut recursion is disabled -- not retrieving.\n\n",
        );
        return End::Done;
    }
    save(program, options, url, &head, reader)
}

/// The name of the file, with a number behind it where there is one.
fn file_name(program: &mut Program<'_>, options: &Options, url: &Url) -> String {
    let name = match url.file_name() {
        "" => "index.html",
        name => name,
    };
    let name = match &options.prefix {
        Some(prefix) => format!("{prefix}/{name}"),
        None => name.to_owned(),
    };
    if program.shell.open(&name).is_err() {
        return name;
    }
    let free = (1..u32::MAX).map(|number| format!("{name}.{number}"));
    free.into_iter().find(|name| program.shell.open(name).is_err()).unwrap_or(name)
}

fn save(program: &mut Program<'_>, options: &Options, url: &Url, head: &Head, reader: &mut Reader) -> End {
    let to_out = options.output.as_deref() == Some("-");
    let path = match &options.output {
        Some(path) => path.clone(),
        None => file_name(program, options, url),
    };
    let (open, close) = options.quotes;
    let shown = if to_out { "STDOUT" } else { &path };
    say(program, options, &format!("Saving to: {open}{shown}{close}\n"));
    let mut file = match to_out {
        true => None,
        false => match program.shell.create(&path) {
            Ok(file) => Some(file),
            Err(error) => {
                let reason =
                    error.raw_os_error().map_or_else(|| error.to_string(), |number| Errno(number).text());
                say(
                    program,
                    options,
                    &format!("{path}: {reason}\n\nCannot write to {open}{path}{close} ({reason}).\n"),
                );
                return End::Failed(code::FILE);
            }
        },
    };
    let start = monotonic(program);
    let mut received = 0u64;
    let mut is_unwritable = false;
    let outcome = reader.body(program, head, |program, piece| {
        received += piece.len() as u64;
        let written = match &mut file {
            Some(file) => file.write_all(piece),
            None => program.shell.out().write_all(piece),
        };
        is_unwritable = written.is_err();
        if is_unwritable { Err(Bad::Malformed) } else { Ok(()) }
    });
    let flushed = file.as_mut().map_or(Ok(()), |file| file.flush());
    if is_unwritable || flushed.is_err() {
        say(program, options, &format!("\nCannot write to {open}{path}{close} (No space left on device).\n"));
        return End::Failed(code::FILE);
    }
    let _ = program.shell.out().flush();
    let elapsed = monotonic(program).saturating_sub(start);
    say(program, options, &dots(received, head.length(), elapsed));
    let stamp = stamp(program);
    let of = head.length().map(|length| format!("/{length}")).unwrap_or_default();
    match outcome {
        Ok(()) => {
            let (rate, kept) = (rate(received, elapsed), format!("[{received}{of}]"));
            let end =
                if to_out { "written to stdout".to_owned() } else { format!("{open}{path}{close} saved") };
            say(program, options, &format!("\n{stamp} ({rate}) - {end} {kept}\n\n"));
            if options.terse && !options.quiet {
                let name = if to_out { "-" } else { &path };
                let _ = writeln!(program.shell.err(), "{stamp} URL:{} {kept} -> \"{name}\" [1]", url.text());
            }
            End::Done
        }
        Err(Bad::Connection(Fault::Interrupted)) => End::Failed(130),
        Err(bad) => {
            let why = match bad {
                Bad::Connection(Fault::TimedOut) => {
                    format!("Read error at byte {received}{of} (Connection timed out).")
                }
                Bad::Connection(Fault::Error(errno)) => {
                    format!("Read error at byte {received}{of} ({}).", errno.text())
                }
                _ => format!("Connection closed at byte {received}."),
            };
            say(program, options, &format!("\n{stamp} ({}) - {why} ", rate(received, elapsed)));
            End::Again
        }
    }
}
