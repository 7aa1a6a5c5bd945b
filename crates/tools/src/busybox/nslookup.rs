//! BusyBox's `nslookup` (networking/nslookup.c): both families are asked for at once, and each answer is shown by itself.

use hairpin_netlink::Errno;
use hairpin_wire::dns::{self, Data, Message, Record, flag, kind, response};

use crate::dns::{reverse, type_named};
use crate::resolver::Settings;
use crate::resolver::stub::{self, Silence, Transport};
use crate::{Program, resolver};

const USAGE: &str = "\
BusyBox v1.36.1 () multi-call binary.

Usage: nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]

Query DNS about HOST

QUERY_TYPE: soa,ns,a,aaaa,cname,mx,txt,ptr,srv,any
";
const TYPES: &[&str] = &["soa", "ns", "a", "aaaa", "cname", "mx", "txt", "ptr", "srv", "any"];
const NS_PER_S: u64 = 1_000_000_000;

/// What the command line asks for.
struct Wanted {
    kinds: Vec<u16>,
    port: u16,
    tries: u32,
    timeout_s: u64,
    debug: bool,
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let code = run(program);
    let _ = program.shell.out().flush();
    code
}

fn run(program: &mut Program<'_>) -> i32 {
    let mut wanted = Wanted { kinds: Vec::new(), port: dns::PORT, tries: 2, timeout_s: 5, debug: false };
    let mut operands: Vec<&String> = Vec::new();
    for word in program.args {
        let Some(option) = word.strip_prefix('-') else {
            operands.push(word);
            continue;
        };
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        match (name, value.parse::<u32>()) {
            ("type" | "querytype" | "query" | "q" | "t", _) => match type_named(value) {
                Some(kind) if TYPES.contains(&value.to_lowercase().as_str()) => wanted.kinds.push(kind),
                _ => {
                    let _ = writeln!(program.shell.err(), "nslookup: invalid query type \"{value}\"");
                    return 1;
                }
            },
            ("port", Ok(port)) => wanted.port = u16::try_from(port).unwrap_or(dns::PORT),
            ("retry", Ok(tries)) => wanted.tries = tries.max(1),
            ("timeout", Ok(seconds)) => wanted.timeout_s = u64::from(seconds.max(1)),
            ("debug", _) => wanted.debug = true,
            _ => return usage(program),
        }
    }
    let (name, server) = match operands.as_slice() {
        [name] => (name.as_str(), None),
        [name, server] => (name.as_str(), Some(server.as_str())),
        _ => return usage(program),
    };
    let settings = Settings::read(program.shell);
    let servers: Vec<String> = match server {
        Some(server) => vec![server.to_owned()],
        None if settings.servers.is_empty() => vec!["127.0.0.1".to_owned()],
        None => settings.servers.iter().map(ToString::to_string).collect(),
    };
    let queries = queries(program, name, &wanted, &settings);
    for server in &servers {
        if let Some(code) = ask(program, server, &wanted, &queries) {
            return code;
        }
    }
    let _ = program.shell.out().write_all(b";; connection timed out; no servers could be reached\n\n");
    1
}

fn usage(program: &mut Program<'_>) -> i32 {
    let _ = program.shell.err().write_all(USAGE.as_bytes());
    1
}

/// The questions: a name without a dot is asked for below the domains of the search list, and nowhere else
/// (`add_query_with_search`).
fn queries(program: &mut Program<'_>, name: &str, wanted: &Wanted, settings: &Settings) -> Vec<Message> {
    let (names, kinds) = match reverse(name) {
        Some(reversed) if wanted.kinds.is_empty() => (vec![reversed], vec![kind::PTR]),
        _ => {
            let names = match name.contains('.') || settings.search.is_empty() {
                true => vec![name.to_owned()],
                false => settings.search.iter().map(|domain| format!("{name}.{domain}")).collect(),
            };
            let kinds = match wanted.kinds.is_empty() {
                true => vec![kind::A, kind::AAAA],
                false => wanted.kinds.clone(),
            };
            (names, kinds)
        }
    };
    let mut id = stub::identifier(program);
    let mut queries = Vec::new();
    for kind in kinds {
        for name in &names {
            id = id.wrapping_add(1);
            queries.push(Message::query(id, name.trim_end_matches('.'), kind));
        }
    }
    queries
}

/// Asks a server; nothing where it does not answer.
fn ask(program: &mut Program<'_>, server: &str, wanted: &Wanted, queries: &[Message]) -> Option<i32> {
    let place = match resolver::addresses(program, server, resolver::Families::Any) {
        Ok(places) => *places.first()?,
        Err(_) => {
            let _ = writeln!(program.shell.err(), "nslookup: bad address '{server}'");
            return Some(1);
        }
    };
    let start = program.system.now().map_or(0, |now| now.monotonic_ns);
    let timeout = (wanted.timeout_s * NS_PER_S / u64::from(wanted.tries)).max(1);
    for _ in 0..wanted.tries {
        match stub::exchange(program, place.end(wanted.port), None, queries, timeout, Transport::Udp) {
            Ok(answers) => {
                let now = program.system.now().map_or(start, |now| now.monotonic_ns);
                let end = std::net::SocketAddr::new(place.address, wanted.port);
                let mut text = format!("Server:\t\t{server}\nAddress:\t{end}\n\n");
                let mut code = 0;
                for (at, (query, answer)) in queries.iter().zip(&answers).enumerate() {
                    if wanted.debug {
                        let elapsed = (now - start) / 1_000_000;
                        text.push_str(&format!("Query #{at} completed in {elapsed}ms:\n"));
                    }
                    code |= show(&mut text, query, &answer.message, wanted.debug);
                }
                let _ = program.shell.out().write_all(text.as_bytes());
                return Some(code);
            }
            Err(Silence::Interrupted) => return Some(130),
            Err(Silence::TimedOut) => {}
            Err(Silence::Error(errno) | Silence::Unreachable(errno)) => {
                let text =
                    if errno == Errno::EPERM { "Operation not permitted".into() } else { errno.text() };
                let _ = writeln!(program.shell.err(), "nslookup: write to '{server}': {text}");
                return None;
            }
        }
    }
    None
}

/// One answer (`parse_reply`), and the exit code that comes of it.
fn show(text: &mut String, query: &Message, answer: &Message, debug: bool) -> i32 {
    let code = answer.response();
    if code != response::NO_ERROR {
        let name = query.questions.first().map_or("", |question| question.name.as_str());
        text.push_str(&format!("** server can't find {name}: {}\n\n", crate::dns::response_text(code)));
        return 1;
    }
    match (answer.has(flag::AUTHORITATIVE), debug) {
        (false, _) => text.push_str("Non-authoritative answer:\n"),
        (true, true) => text.push_str("authoritative answer:\n"),
        (true, false) => {}
    }
    for record in &answer.answers {
        text.push_str(&record_text(record));
    }
    text.push('\n');
    0
}

fn record_text(record: &Record) -> String {
    let name = &record.name;
    match &record.data {
        Data::A(address) => format!("Name:\t{name}\nAddress: {address}\n"),
        Data::Aaaa(address) => format!("Name:\t{name}\nAddress: {address}\n"),
        Data::Name(target) => match record.kind {
            kind::CNAME => format!("{name}\tcanonical name = {target}\n"),
            kind::NS => format!("{name}\tnameserver = {target}\n"),
            _ => format!("{name}\tname = {target}\n"),
        },
        Data::Mx(rank, target) => format!("{name}\tmail exchanger = {rank} {target}\n"),
        Data::Txt(strings) => {
            let shown: Vec<String> =
                strings.iter().map(|text| format!("\"{}\"", String::from_utf8_lossy(text))).collect();
            format!("{name}\ttext = {}\n", shown.join(" "))
        }
        Data::Srv { priority, weight, port, target } => {
            format!("{name}\tservice = {priority} {weight} {port} {target}\n")
        }
        Data::Soa { server, mailbox, numbers: [serial, refresh, retry, expire, minimum] } => format!(
            "{name}\n\torigin = {server}\n\tmail addr = {mailbox}\n\tserial = {serial}\n\trefresh = {refresh}\n\
             \tretry = {retry}\n\texpire = {expire}\n\tminimum = {minimum}\n"
        ),
        Data::Other(_) => String::new(),
    }
}
