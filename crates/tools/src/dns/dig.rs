//! `dig`, as bind 9.18 has it.

use std::net::IpAddr;

use hairpin_wire::dns::{Data, Message, Question, Record, flag, kind};

use super::{NoReply, Plan, Reply, Server, VERSION};
use crate::Program;
use crate::calendar::Date;
use crate::resolver::Settings;
use crate::resolver::stub::{self, Transport};

/// What EDNS says of the size of answers.
const BUFFER: u16 = 1232;
/// `COOKIE` and extended errors among the options of EDNS (RFC 7873, RFC 8914).
const COOKIE: u16 = 10;
const EXTENDED_ERROR: u16 = 15;
/// Columns of a record.
const TTL_COLUMN: usize = 24;
const CLASS_COLUMN: usize = 32;
const TYPE_COLUMN: usize = 40;
const DATA_COLUMN: usize = 48;
/// No server answered.
const NO_REPLY: i32 = 9;

const USAGE: &str = "Usage:  dig [@global-server] [domain] [q-type] [q-class] {q-opt}
            {global-d-opt} host [@local-server] {local-d-opt}
            [ host [@local-server] {local-d-opt} [...]]
";

/// What is shown of an answer, and what is asked.
#[derive(Clone, Debug)]
struct Show {
    cmd: bool,
    comments: bool,
    question: bool,
    answer: bool,
    authority: bool,
    additional: bool,
    stats: bool,
    short: bool,
    ttl: bool,
    class: bool,
    recurse: bool,
    authentic: bool,
    edns: bool,
    cookie: bool,
    search: bool,
    /// The question, before it is sent.
    sent: bool,
}

impl Show {
    /// What is shown unless words say otherwise.
    const USUAL: Show = Show {
        cmd: true,
        comments: true,
        question: true,
        answer: true,
        authority: true,
        additional: true,
        stats: true,
        short: false,
        ttl: true,
        class: true,
        recurse: true,
        authentic: true,
        edns: true,
        cookie: true,
        search: false,
        sent: false,
    };
}

impl Show {
    fn all(&mut self, on: bool) {
        for part in [
            &mut self.cmd,
            &mut self.comments,
            &mut self.question,
            &mut self.answer,
            &mut self.authority,
            &mut self.additional,
            &mut self.stats,
        ] {
            *part = on;
        }
    }
}

/// One name to look up.
#[derive(Clone, Debug)]
struct Lookup {
    name: String,
    kind: u16,
}

struct Command {
    show: Show,
    lookups: Vec<Lookup>,
    server: Option<String>,
    port: u16,
    source: Option<IpAddr>,
    tries: u32,
    timeout_s: u64,
    by_stream: bool,
    takes_truncated: bool,
    ipv4_only: bool,
    ipv6_only: bool,
}

/// What ends it before it begins.
enum Stop {
    Usage(String),
    Fatal(String),
    Done,
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let command = match parse(program) {
        Ok(command) => command,
        Err(Stop::Done) => return 0,
        Err(Stop::Usage(text)) => {
            let more = "Use \"dig -h\" (or \"dig -h | more\") for complete list of options\n";
            let _ = write!(program.shell.err(), "{text}\n{USAGE}\n{more}");
            return 1;
        }
        Err(Stop::Fatal(text)) => {
            let _ = writeln!(program.shell.err(), "dig: {text}");
            return 1;
        }
    };
    let code = run(program, &command);
    let _ = program.shell.out().flush();
    code
}

fn run(program: &mut Program<'_>, command: &Command) -> i32 {
    let settings = Settings::read(program.shell);
    let servers = match &command.server {
        None => super::default_servers(&settings),
        Some(name) => match super::server_named(program, name) {
            Ok(server) => vec![server],
            Err(why) => {
                let _ = writeln!(program.shell.err(), "dig: couldn't get address for '{name}': {why}");
                return 1;
            }
        },
    };
    let fits = |server: &Server| match server.address {
        IpAddr::V4(_) => !command.ipv6_only,
        IpAddr::V6(_) => !command.ipv4_only,
    };
    let plan = Plan {
        port: command.port,
        source: command.source,
        timeout_s: command.timeout_s,
        transport: if command.by_stream { Transport::Tcp } else { Transport::Udp },
        takes_truncated: command.takes_truncated,
        comments: command.show.comments,
        ..Plan::new(servers.into_iter().filter(fits).collect(), command.tries)
    };
    let mut code = 0;
    let mut greeting = command.show.cmd.then(|| greeting(program, command));
    for lookup in &command.lookups {
        let query = question(program, command, lookup);
        if command.show.sent {
            let text = ";; Sending:\n".to_owned() + &message_text(&command.show, &query) + "\n";
            let _ = program.shell.out().write_all(text.as_bytes());
        }
        let text = match super::ask(program, &plan, &query, &lookup.name) {
            Ok(reply) if command.show.short => short(&reply.message),
            Ok(reply) => {
                let greeting = greeting.take().unwrap_or_default();
                greeting + &whole(program, &command.show, &reply, command.port)
            }
            Err(NoReply::Interrupted) => return 130,
            Err(NoReply::Unreachable) => {
                code = NO_REPLY;
                String::new()
            }
            Err(NoReply::Silent) => {
                code = NO_REPLY;
                greeting.take().unwrap_or_default() + ";; no servers could be reached\n"
            }
        };
        let _ = program.shell.out().write_all(text.as_bytes());
    }
    code
}

fn greeting(program: &Program<'_>, command: &Command) -> String {
    let short = if command.show.short { " +short" } else { "" };
    let words = program.args.join(" ");
    let found = if command.server.is_some() { "; (1 server found)\n" } else { "" };
    format!("\n; <<>> DiG {VERSION} <<>> {words}\n{found};; global options:{short} +cmd\n")
}

fn question(program: &mut Program<'_>, command: &Command, lookup: &Lookup) -> Message {
    let mut query = Message::query(stub::identifier(program), &lookup.name, lookup.kind);
    query.flags = 0;
    if command.show.recurse {
        query.flags |= flag::RECURSION_DESIRED;
    }
    if command.show.authentic {
        query.flags |= flag::AUTHENTIC_DATA;
    }
    if command.show.edns {
        let mut options = Vec::new();
        if command.show.cookie {
            options.extend(COOKIE.to_be_bytes());
            options.extend(8u16.to_be_bytes());
            for _ in 0..4 {
                options.extend(stub::identifier(program).to_be_bytes());
            }
        }
        let data = Data::Other(options);
        query.additional.push(Record { name: String::new(), kind: kind::OPT, class: BUFFER, ttl: 0, data });
    }
    query
}

fn short(message: &Message) -> String {
    message.answers.iter().map(|record| super::data_text(&record.data) + "\n").collect()
}

fn whole(program: &mut Program<'_>, show: &Show, reply: &Reply, port: u16) -> String {
    let mut text = String::new();
    if show.comments {
        text.push_str(";; Got answer:\n");
    }
    text.push_str(&message_text(show, &reply.message));
    if show.stats {
        let now_s = program.system.now().map_or(0, |now| now.realtime_ns / super::NS_PER_S);
        let server = &reply.server;
        text.push_str(&format!(
            ";; Query time: {} msec\n;; SERVER: {}({}) ({})\n;; WHEN: {}\n;; MSG SIZE  rcvd: {}\n\n",
            reply.elapsed_ms,
            server.place(port),
            server.called,
            if reply.transport == Transport::Tcp { "TCP" } else { "UDP" },
            date(now_s),
            reply.length,
        ));
    }
    text
}

/// Header and sections (`printmessage`).
fn message_text(show: &Show, message: &Message) -> String {
    let mut text = String::new();
    let edns = message.additional.iter().find(|record| record.kind == kind::OPT);
    let additional: Vec<&Record> =
        message.additional.iter().filter(|record| record.kind != kind::OPT).collect();
    if show.comments {
        text.push_str(&header_text(message));
        if let Some(record) = edns {
            text.push_str(&edns_text(record));
        }
    }
    if show.question {
        if show.comments {
            text.push_str(";; QUESTION SECTION:\n");
        }
        for question in &message.questions {
            text.push_str(&question_text(question));
        }
        if show.comments {
            text.push('\n');
        }
    }
    let answers: Vec<&Record> = message.answers.iter().collect();
    let authority: Vec<&Record> = message.authority.iter().collect();
    for (shown, title, records) in [
        (show.answer, "ANSWER", answers),
        (show.authority, "AUTHORITY", authority),
        (show.additional, "ADDITIONAL", additional),
    ] {
        if !shown || records.is_empty() {
            continue;
        }
        if show.comments {
            text.push_str(&format!(";; {title} SECTION:\n"));
        }
        for record in records {
            text.push_str(&record_text(show, record));
        }
        if show.comments {
            text.push('\n');
        }
    }
    text
}

fn header_text(message: &Message) -> String {
    const OPERATIONS: [&str; 6] = ["QUERY", "IQUERY", "STATUS", "RESERVED3", "NOTIFY", "UPDATE"];
    let operation = OPERATIONS.get(usize::from(message.operation())).copied().unwrap_or("RESERVED");
    let flags: String = [
        (flag::RESPONSE, " qr"),
        (flag::AUTHORITATIVE, " aa"),
        (flag::TRUNCATED, " tc"),
        (flag::RECURSION_DESIRED, " rd"),
        (flag::RECURSION_AVAILABLE, " ra"),
        (flag::AUTHENTIC_DATA, " ad"),
        (flag::CHECKING_DISABLED, " cd"),
    ]
    .iter()
    .filter(|(flag, _)| message.has(*flag))
    .map(|(_, text)| *text)
    .collect();
    let unanswered = message.has(flag::RECURSION_DESIRED)
        && message.has(flag::RESPONSE)
        && !message.has(flag::RECURSION_AVAILABLE);
    let warning = if unanswered { ";; WARNING: recursion requested but not available\n" } else { "" };
    format!(
        ";; ->>HEADER<<- opcode: {operation}, status: {}, id: {}\n;; flags:{flags}; QUERY: {}, ANSWER: {}, \
         AUTHORITY: {}, ADDITIONAL: {}\n{warning}\n",
        super::response_text(message.response()),
        message.id,
        message.questions.len(),
        message.answers.len(),
        message.authority.len(),
        message.additional.len(),
    )
}

fn edns_text(record: &Record) -> String {
    let version = record.ttl >> 16 & 0xff;
    let secure = if record.ttl & 0x8000 != 0 { " do" } else { "" };
    let size = record.class;
    let mut text =
        format!(";; OPT PSEUDOSECTION:\n; EDNS: version: {version}, flags:{secure}; udp: {size}\n");
    let Data::Other(bytes) = &record.data else { return text };
    let mut rest = bytes.as_slice();
    while let Some((&[a, b, c, d], behind)) = rest.split_first_chunk() {
        let (code, length) = (u16::from_be_bytes([a, b]), usize::from(u16::from_be_bytes([c, d])));
        let Some((value, behind)) = behind.split_at_checked(length) else { break };
        rest = behind;
        let digits: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        match (code, value) {
            (COOKIE, _) => text.push_str(&format!("; COOKIE: {digits}\n")),
            (EXTENDED_ERROR, [a, b, ..]) => {
                let number = u16::from_be_bytes([*a, *b]);
                let name = if number == 14 { " (Not Ready)" } else { "" };
                text.push_str(&format!("; EDE: {number}{name}\n"));
            }
            _ => text.push_str(&format!("; OPT={code}: {digits}\n")),
        }
    }
    text
}

fn question_text(question: &Question) -> String {
    let name = super::absolute(&question.name);
    let class = super::class_text(question.class);
    let mut line = Line::default();
    line.put(&name);
    line.indent(CLASS_COLUMN);
    line.put(&class);
    line.indent(TYPE_COLUMN);
    line.put(&super::type_text(question.kind));
    format!(";{}\n", line.text)
}

fn record_text(show: &Show, record: &Record) -> String {
    let mut line = Line::default();
    line.put(&super::absolute(&record.name));
    if show.ttl {
        line.indent(TTL_COLUMN);
        line.put(&record.ttl.to_string());
    }
    if show.class {
        line.indent(CLASS_COLUMN);
        line.put(&super::class_text(record.class));
    }
    line.indent(TYPE_COLUMN);
    line.put(&super::type_text(record.kind));
    line.indent(DATA_COLUMN);
    line.put(&super::data_text(&record.data));
    line.text + "\n"
}

/// Text in columns, with tabs between them (`indent` of lib/dns/masterdump.c).
#[derive(Default)]
struct Line {
    text: String,
    column: usize,
}

impl Line {
    fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.len();
    }

    fn indent(&mut self, to: usize) {
        let to = to.max(self.column + 1);
        let tabs = to / 8 - self.column / 8;
        let from = if tabs > 0 { to / 8 * 8 } else { self.column };
        self.text.extend(std::iter::repeat_n('\t', tabs));
        self.text.extend(std::iter::repeat_n(' ', to - from));
        self.column = to;
    }
}

/// `Fri Nov 27 05:41:12 UTC 2026`
fn date(seconds: u64) -> String {
    let date = Date::of(seconds);
    format!(
        "{} {} {:02} {:02}:{:02}:{:02} UTC {}",
        date.weekday_name(),
        date.month_name(),
        date.day,
        date.hour,
        date.minute,
        date.second,
        date.year,
    )
}

fn parse(program: &mut Program<'_>) -> Result<Command, Stop> {
    let show = Show::USUAL;
    let mut command = Command {
        show,
        lookups: Vec::new(),
        server: None,
        port: hairpin_wire::dns::PORT,
        source: None,
        tries: 3,
        timeout_s: 5,
        by_stream: false,
        takes_truncated: false,
        ipv4_only: false,
        ipv6_only: false,
    };
    // A type before its name waits for it.
    let mut waiting: Option<u16> = None;
    let mut words = program.args.iter();
    while let Some(word) = words.next() {
        if let Some(server) = word.strip_prefix('@') {
            command.server = Some(server.to_owned());
        } else if let Some(option) = word.strip_prefix('+') {
            plus(&mut command, option)?;
        } else if let Some(rest) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            let mut letters = rest.chars();
            let letter = letters.next().unwrap_or_default();
            match letter {
                '4' => command.ipv4_only = true,
                '6' => command.ipv6_only = true,
                'h' => {
                    let _ = program.shell.out().write_all(USAGE.as_bytes());
                    return Err(Stop::Done);
                }
                'v' => {
                    let _ = writeln!(program.shell.out(), "DiG {VERSION}");
                    return Err(Stop::Done);
                }
                'm' | 'r' | 'u' | 'i' => {}
                _ => {
                    let inline = Some(letters.as_str().to_owned()).filter(|value| !value.is_empty());
                    let value = inline.or_else(|| words.next().cloned());
                    let value = value.ok_or_else(|| Stop::Usage(format!("Invalid option: {word}")))?;
                    dash(&mut command, letter, &value, &mut waiting)?;
                }
            }
        } else if !command.lookups.is_empty() && set_kind(&mut command, word) {
        } else if waiting.is_none()
            && let Some(kind) = super::type_named(word)
        {
            waiting = Some(kind);
        } else if is_class(word) {
        } else {
            add(&mut command, word, &mut waiting)?;
        }
    }
    if command.lookups.is_empty() {
        let kind = waiting.unwrap_or(kind::NS);
        command.lookups.push(Lookup { name: ".".to_owned(), kind });
    }
    Ok(command)
}

fn is_class(word: &str) -> bool {
    ["in", "ch", "hs"].iter().any(|class| class.eq_ignore_ascii_case(word))
}

/// A type behind a name is that name's.
fn set_kind(command: &mut Command, word: &str) -> bool {
    match (super::type_named(word), command.lookups.last_mut()) {
        (Some(kind), Some(lookup)) => {
            lookup.kind = kind;
            true
        }
        _ => false,
    }
}

fn add(command: &mut Command, name: &str, waiting: &mut Option<u16>) -> Result<(), Stop> {
    if !hairpin_wire::dns::is_name(name) {
        return Err(Stop::Fatal(format!("'{name}' is not a legal name (bad label)")));
    }
    command.lookups.push(Lookup { name: name.to_owned(), kind: waiting.take().unwrap_or(kind::A) });
    Ok(())
}

fn dash(command: &mut Command, letter: char, value: &str, waiting: &mut Option<u16>) -> Result<(), Stop> {
    match letter {
        'p' => {
            command.port =
                value.parse().map_err(|_| Stop::Fatal(format!("Couldn't parse port number '{value}'")))?;
        }
        'b' => {
            let source = super::source(value);
            command.source = Some(source.ok_or_else(|| Stop::Fatal(format!("invalid address {value}")))?);
        }
        'q' => add(command, value, waiting)?,
        't' => match super::type_named(value) {
            Some(_) if !command.lookups.is_empty() => {
                set_kind(command, value);
            }
            Some(kind) => *waiting = Some(kind),
            None => return Err(Stop::Usage(format!(";; Warning, ignoring invalid type {value}"))),
        },
        'c' if is_class(value) => {}
        'x' => match super::reverse(value) {
            Some(name) => command.lookups.push(Lookup { name, kind: kind::PTR }),
            None => return Err(Stop::Usage(format!("Invalid IP address {value}"))),
        },
        _ => return Err(Stop::Usage(format!("Invalid option: -{letter}"))),
    }
    Ok(())
}

/// `+[no]WORD[=VALUE]`
fn plus(command: &mut Command, option: &str) -> Result<(), Stop> {
    let (word, value) = match option.split_once('=') {
        Some((word, value)) => (word, Some(value)),
        None => (option, None),
    };
    let (word, on) = match word.strip_prefix("no") {
        Some(rest) => (rest, false),
        None => (word, true),
    };
    let invalid = || Stop::Usage(format!("Invalid option: +{option}"));
    let number = || value.and_then(|value| value.parse::<u64>().ok()).ok_or_else(invalid);
    let show = &mut command.show;
    match word {
        "all" => show.all(on),
        "short" => {
            show.short = on;
            if on {
                show.all(false);
                show.answer = true;
            }
        }
        "cmd" => show.cmd = on,
        "comments" => show.comments = on,
        "question" => show.question = on,
        "answer" => show.answer = on,
        "authority" => show.authority = on,
        "additional" => show.additional = on,
        "stats" => show.stats = on,
        "ttlid" | "ttl" => show.ttl = on,
        "class" | "cl" => show.class = on,
        "recurse" | "rec" | "rdflag" => show.recurse = on,
        "adflag" => show.authentic = on,
        "edns" => show.edns = on,
        "cookie" => show.cookie = on,
        "search" | "defname" => show.search = on,
        "qr" => show.sent = on,
        "time" | "timeout" => command.timeout_s = number()?.max(1),
        "tries" => command.tries = u32::try_from(number()?).unwrap_or(u32::MAX).max(1),
        "retry" | "retries" => command.tries = u32::try_from(number()?).unwrap_or(u32::MAX).saturating_add(1),
        "tcp" | "vc" => command.by_stream = on,
        "ignore" => command.takes_truncated = on,
        "fail" | "identify" | "idnin" | "idnout" | "multiline" | "split" | "keepopen" | "crypto" => {}
        "dnssec" | "trace" | "nssearch" | "yaml" | "tls" | "https" if on => {
            return Err(Stop::Fatal(format!("+{word} is not supported here")));
        }
        _ => return Err(invalid()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_parted_by_tabs() {
        let record = |name: &str| Record {
            name: name.to_owned(),
            kind: kind::A,
            class: 1,
            ttl: 0,
            data: Data::A([10, 9, 0, 5].into()),
        };
        let mut show = Show::USUAL;
        assert_eq!(record_text(&show, &record("www.lab")), "www.lab.\t\t0\tIN\tA\t10.9.0.5\n");
        let long = "a-very-long-name.example.org";
        assert_eq!(record_text(&show, &record(long)), format!("{long}. 0\tIN\tA\t10.9.0.5\n"));
        show.all(false);
        assert!(!show.answer);
    }

    #[test]
    fn days_of_the_calendar() {
        assert_eq!(date(1_795_758_072), "Fri Nov 27 05:41:12 UTC 2026");
    }
}
