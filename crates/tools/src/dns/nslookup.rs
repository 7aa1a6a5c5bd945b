//! `nslookup`, as bind 9.18 has it: questions on the command line.

use hairpin_wire::dns::{Data, Message, Record, flag, kind};

use super::{NoReply, Plan, Reply, Server, VERSION};
use crate::Program;
use crate::resolver::Settings;
use crate::resolver::stub::Transport;

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    if crate::busybox::is_here(program.shell) {
        return crate::busybox::nslookup::main(program);
    }
    let code = run(program);
    let _ = program.shell.out().flush();
    code
}

fn run(program: &mut Program<'_>) -> i32 {
    let settings = Settings::read(program.shell);
    let mut plan = Plan::new(super::default_servers(&settings), 3);
    let (mut wanted, mut searches) = (None, true);
    let mut operands: Vec<&str> = Vec::new();
    for word in program.args {
        let Some(option) = word.strip_prefix('-').filter(|_| word.len() > 1) else {
            operands.push(word);
            continue;
        };
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let number = value.parse::<u64>();
        match (name, number) {
            ("version", _) => {
                let _ = writeln!(program.shell.out(), "nslookup {VERSION}");
                return 0;
            }
            ("type" | "ty" | "querytype" | "query" | "qu", _) => match super::type_named(value) {
                Some(kind) => wanted = Some(kind),
                None => {
                    let _ = writeln!(program.shell.out(), "unknown query type: {value}");
                }
            },
            ("timeout" | "time" | "t", Ok(seconds)) => plan.timeout_s = seconds.max(1),
            ("retry", Ok(tries)) => plan.tries = u32::try_from(tries).unwrap_or(u32::MAX),
            ("port" | "po", Ok(port)) => plan.port = u16::try_from(port).unwrap_or(plan.port),
            ("vc", _) => plan.transport = Transport::Tcp,
            ("novc", _) => plan.transport = Transport::Udp,
            ("search", _) => searches = true,
            ("nosearch", _) => searches = false,
            ("debug" | "nodebug" | "d2" | "nod2" | "recurse" | "norecurse" | "fail" | "nofail", _) => {}
            _ => {
                let _ = writeln!(program.shell.out(), "*** Invalid option: {option}");
            }
        }
    }
    let [name, rest @ ..] = operands.as_slice() else {
        let said = if program.args.is_empty() {
            "nslookup: without a name it would ask for them, which is not \
                                                  supported here\n"
        } else {
            "\n"
        };
        let _ = program.shell.out().write_all(said.as_bytes());
        return 1;
    };
    if let Some(server) = rest.first() {
        match super::server_named(program, server) {
            Ok(server) => plan.servers = vec![server],
            Err(why) => {
                let _ = writeln!(program.shell.err(), "nslookup: couldn't get address for '{server}': {why}");
                return 1;
            }
        }
    }
    let settings = if searches { settings } else { Settings { search: Vec::new(), ..settings } };
    let reverse = super::reverse(name);
    let kind = match (&reverse, wanted) {
        (_, Some(kind)) => kind,
        (Some(_), None) => kind::PTR,
        (None, None) => kind::A,
    };
    let mut lookup =
        Lookup { plan, settings, is_default: wanted.is_none(), has_failed: false, no_answer: false };
    let first = reverse.as_deref().map_or_else(|| (*name).to_owned(), |name| format!("{name}."));
    let text = lookup.run(program, &first, kind);
    let _ = program.shell.out().write_all(text.as_bytes());
    let _ = program.shell.out().write_all(b"\n");
    i32::from(lookup.has_failed)
}

struct Lookup {
    plan: Plan,
    settings: Settings,
    /// No type was asked for: addresses of both families, or the name of an address.
    is_default: bool,
    has_failed: bool,
    /// There was no IPv4 address.
    no_answer: bool,
}

impl Lookup {
    fn run(&mut self, program: &mut Program<'_>, name: &str, kind: u16) -> String {
        let (asked, reply) = match super::search(program, &self.plan, &self.settings, name, kind) {
            Ok(found) => found,
            Err(why) => {
                self.has_failed = true;
                return if why == NoReply::Silent { ";; no servers could be reached\n" } else { "" }
                    .to_owned();
            }
        };
        let mut text = self.answer(&asked, kind, &reply);
        if self.is_default && kind == kind::A && reply.message.response() == 0 {
            let chased = super::chased(&reply.message.answers, &asked);
            text.push_str(&self.run(program, &format!("{chased}."), kind::AAAA));
        }
        text
    }

    /// `printmessage`
    fn answer(&mut self, asked: &str, kind: u16, reply: &Reply) -> String {
        let message = &reply.message;
        let plain = asked.strip_suffix('.').unwrap_or(asked);
        let is_first = !self.is_default || kind == kind::A;
        let mut text = String::new();
        if is_first {
            text.push_str(&server_text(&reply.server, self.plan.port));
        }
        if message.response() != 0 {
            self.has_failed = true;
            let why = super::response_text(message.response());
            return text + &format!("** server can't find {plain}: {why}\n");
        }
        let authoritative = message.has(flag::AUTHORITATIVE);
        if !authoritative && is_first {
            text.push_str("Non-authoritative answer:\n");
        }
        let is_empty = message.answers.is_empty();
        for record in &message.answers {
            text.push_str(&record_text(record));
        }
        if is_empty && self.is_default && kind == kind::A {
            self.no_answer = true;
        } else if is_empty && (!self.is_default || kind == kind::AAAA && self.no_answer) {
            text.push_str(&format!("*** Can't find {plain}: No answer\n"));
        }
        if !authoritative && kind != kind::A && kind != kind::AAAA {
            text.push_str("\nAuthoritative answers can be found from:\n");
            text.push_str(&others(message));
        }
        text
    }
}

fn server_text(server: &Server, port: u16) -> String {
    format!("Server:\t\t{}\nAddress:\t{}\n\n", server.called, server.place(port))
}

fn others(message: &Message) -> String {
    message.authority.iter().chain(&message.additional).map(record_text).collect()
}

/// `printsection` and `printrdata`
fn record_text(record: &Record) -> String {
    let name = &record.name;
    match (&record.data, record.kind) {
        (Data::A(address), _) => format!("Name:\t{name}\nAddress: {address}\n"),
        (Data::Aaaa(address), _) => format!("Name:\t{name}\nAddress: {address}\n"),
        (Data::Soa { server, mailbox, numbers: [serial, refresh, retry, expire, minimum] }, _) => format!(
            "{name}\n\torigin = {server}\n\tmail addr = {mailbox}\n\tserial = {serial}\n\trefresh = {refresh}\n\
             \tretry = {retry}\n\texpire = {expire}\n\tminimum = {minimum}\n"
        ),
        (_, kind::OPT) => String::new(),
        (data, kind) => {
            let what = match kind {
                kind::CNAME => "canonical name = ",
                kind::NS => "nameserver = ",
                kind::PTR => "name = ",
                kind::MX => "mail exchanger = ",
                kind::TXT => "text = ",
                kind::SRV => "service = ",
                _ => return format!("{name}\trdata_{kind} = {}\n", super::data_text(data)),
            };
            format!("{name}\t{what}{}\n", super::data_text(data))
        }
    }
}
