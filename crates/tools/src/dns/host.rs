//! `host`, as bind 9.18 has it.

use hairpin_wire::dns::{Data, Record, kind};

use super::{NoReply, Plan, VERSION};
use crate::Program;
use crate::getopt::{Getopt, Item};
use crate::resolver::Settings;
use crate::resolver::stub::Transport;

const SHORT: &str = "46aAc:CdilnN:p:rR:m:st:TUvVwW:";

const USAGE: &str = "Usage: host [-aCdilrTvVw] [-c class] [-N ndots] [-t type] [-W time]
            [-R number] [-m flag] [-p port] hostname [server]
       -a is equivalent to -v -t ANY
       -A is like -a but omits RRSIG, NSEC, NSEC3
       -c specifies query class for non-IN data
       -C compares SOA records on authoritative nameservers
       -d is equivalent to -v
       -l lists all hosts in a domain, using AXFR
       -m set memory debugging flag (trace|record|usage)
       -N changes the number of dots allowed before root lookup is done
       -p specifies the port on the server to query
       -r disables recursive processing
       -R specifies number of retries for UDP packets
       -s a SERVFAIL response should stop query
       -t specifies the query type
       -T enables TCP/IP mode
       -U enables UDP mode
       -v enables verbose output
       -V print version number and exit
       -w specifies to wait forever for a reply
       -W specifies how long to wait for a reply
       -4 use IPv4 query transport only
       -6 use IPv6 query transport only
";

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let code = run(program);
    let _ = program.shell.out().flush();
    code
}

fn run(program: &mut Program<'_>) -> i32 {
    let mut settings = Settings::read(program.shell);
    let mut plan = Plan::new(super::default_servers(&settings), 2);
    let mut wanted = None;
    let mut words = Getopt::new(program.name, program.args, SHORT, &[]);
    while let Some(item) = words.next() {
        let (letter, value) = match item {
            Item::Option(letter, value) => (letter, value.unwrap_or_default()),
            Item::Error(text) => {
                let _ = write!(program.shell.err(), "{text}\n{USAGE}");
                return 1;
            }
        };
        match (letter, value.parse::<u64>()) {
            ('V', _) => {
                let _ = writeln!(program.shell.err(), "host {VERSION}");
                return 0;
            }
            ('t', _) => match super::type_named(value) {
                Some(kind) => wanted = Some(kind),
                None => {
                    let _ = writeln!(program.shell.err(), "host: invalid type: {value}\n");
                    return 1;
                }
            },
            ('N', Ok(dots)) => settings.dots = usize::try_from(dots).unwrap_or(usize::MAX),
            ('p', Ok(port)) => plan.port = u16::try_from(port).unwrap_or(plan.port),
            ('R', Ok(retries)) => plan.tries = u32::try_from(retries).unwrap_or(u32::MAX).saturating_add(1),
            ('W', Ok(seconds)) => plan.timeout_s = seconds.max(1),
            ('T', _) => plan.transport = Transport::Tcp,
            ('U', _) => plan.transport = Transport::Udp,
            ('w', _) => plan.timeout_s = u64::from(u32::MAX),
            ('4', _) => plan.servers.retain(|server| server.address.is_ipv4()),
            ('6', _) => plan.servers.retain(|server| server.address.is_ipv6()),
            ('r' | 's' | 'n' | 'i' | 'm' | 'c', _) => {}
            _ => {
                let _ = writeln!(program.shell.err(), "host: -{letter} is not supported here");
                return 1;
            }
        }
    }
    let operands = words.operands();
    let [name, rest @ ..] = operands.as_slice() else {
        let _ = program.shell.err().write_all(USAGE.as_bytes());
        return 1;
    };
    let mut tells_server = false;
    if let Some(server) = rest.first() {
        match super::server_named(program, server) {
            Ok(server) => {
                plan.servers = vec![server];
                tells_server = true;
            }
            Err(why) => {
                let _ = writeln!(program.shell.err(), "host: couldn't get address for '{server}': {why}");
                return 1;
            }
        }
    }
    let reverse = super::reverse(name);
    let asked = reverse.map_or_else(|| (*name).to_owned(), |name| format!("{name}."));
    let kinds: Vec<u16> = match (wanted, asked.ends_with(".arpa.")) {
        (Some(kind), _) => vec![kind],
        (None, true) => vec![kind::PTR],
        (None, false) => vec![kind::A, kind::AAAA, kind::MX],
    };
    lookup(program, &plan, &settings, &asked, &kinds, (wanted.is_some(), tells_server))
}

/// Asks for one kind of record after the other; an alias is followed from the first on.
fn lookup(
    program: &mut Program<'_>,
    plan: &Plan,
    settings: &Settings,
    name: &str,
    kinds: &[u16],
    (one_type, mut tells_server): (bool, bool),
) -> i32 {
    let mut name = name.to_owned();
    let mut code = 0;
    for (at, kind) in kinds.iter().enumerate() {
        let (asked, reply) = match super::search(program, plan, settings, &name, *kind) {
            Ok(found) => found,
            Err(NoReply::Silent) => {
                let _ = program.shell.out().write_all(b";; no servers could be reached\n");
                return 1;
            }
            Err(_) => return 1,
        };
        let message = &reply.message;
        if std::mem::take(&mut tells_server) {
            let (called, place) = (&reply.server.called, reply.server.place(plan.port));
            let text = format!("Using domain server:\nName: {called}\nAddress: {place}\nAliases: \n\n");
            let _ = program.shell.out().write_all(text.as_bytes());
        }
        if message.response() != 0 {
            code = 1;
            let (number, why) = (message.response(), super::response_text(message.response()));
            // The dot that spares the later questions a search is not told of.
            let asked = if at == 0 { &asked } else { asked.strip_suffix('.').unwrap_or(&asked) };
            let _ = writeln!(program.shell.out(), "Host {asked} not found: {number}({why})");
            if at == 0 {
                break;
            }
            continue;
        }
        let text: String = message.answers.iter().map(record_text).collect();
        let _ = program.shell.out().write_all(text.as_bytes());
        let chased = super::chased(&message.answers, &asked);
        if one_type && !message.answers.iter().any(|record| record.kind == *kind) && *kind != kind::ANY {
            let plain = chased.strip_suffix('.').unwrap_or(&chased);
            let _ = writeln!(program.shell.out(), "{plain} has no {} record", super::type_text(*kind));
        }
        if at == 0 {
            name = format!("{chased}.");
        }
    }
    code
}

/// `say_message`
fn record_text(record: &Record) -> String {
    let name = &record.name;
    let data = super::data_text(&record.data);
    match (&record.data, record.kind) {
        (Data::A(_), _) => format!("{name} has address {data}\n"),
        (Data::Aaaa(_), _) => format!("{name} has IPv6 address {data}\n"),
        (_, kind::CNAME) => format!("{name} is an alias for {data}\n"),
        (_, kind::PTR) => format!("{name} domain name pointer {data}\n"),
        (_, kind::NS) => format!("{name} name server {data}\n"),
        (_, kind::MX) => format!("{name} mail is handled by {data}\n"),
        (_, kind::TXT) => format!("{name} descriptive text {data}\n"),
        (_, kind::SOA) => format!("{name} has SOA record {data}\n"),
        (_, kind::SRV) => format!("{name} has SRV record {data}\n"),
        (_, other) => format!("{name} has {} record {data}\n", super::type_text(other)),
    }
}
