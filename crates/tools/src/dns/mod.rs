//! What `dig`, `host` and `nslookup` have in common (bind 9.18): servers that are asked in turn, names of types, and
//! records as text; and [`server`], the sockets of what answers them.

pub(crate) mod dig;
pub(crate) mod host;
pub(crate) mod nslookup;
pub(crate) mod server;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::Errno;
use hairpin_wire::dns::{Data, Message, Record, kind, response};

use crate::Program;
use crate::resolver::stub::{self, Silence, Transport};
use crate::resolver::{self, Settings, Target};

pub(crate) const VERSION: &str = "9.18.49-1~deb12u3-Debian";

const NS_PER_S: u64 = 1_000_000_000;
const NS_PER_MS: u64 = 1_000_000;

/// Types by their names.
const TYPES: &[(&str, u16)] = &[
    ("A", kind::A),
    ("NS", kind::NS),
    ("CNAME", kind::CNAME),
    ("SOA", kind::SOA),
    ("PTR", kind::PTR),
    ("HINFO", 13),
    ("MX", kind::MX),
    ("TXT", kind::TXT),
    ("RP", 17),
    ("AAAA", kind::AAAA),
    ("LOC", 29),
    ("SRV", kind::SRV),
    ("NAPTR", 35),
    ("DNAME", 39),
    ("OPT", kind::OPT),
    ("DS", 43),
    ("SSHFP", 44),
    ("RRSIG", 46),
    ("NSEC", 47),
    ("DNSKEY", 48),
    ("TLSA", 52),
    ("SVCB", 64),
    ("HTTPS", 65),
    ("SPF", 99),
    ("ANY", kind::ANY),
    ("CAA", 257),
];

pub(crate) fn type_named(name: &str) -> Option<u16> {
    let known = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, kind)| *kind);
    let numbered =
        || name.get(..4).filter(|start| start.eq_ignore_ascii_case("TYPE")).and(name.get(4..))?.parse().ok();
    known.or_else(numbered)
}

pub(crate) fn type_text(kind: u16) -> String {
    let known = TYPES.iter().find(|(_, known)| *known == kind);
    known.map_or_else(|| format!("TYPE{kind}"), |(name, _)| (*name).to_owned())
}

pub(crate) fn class_text(class: u16) -> String {
    match class {
        1 => "IN".to_owned(),
        3 => "CH".to_owned(),
        4 => "HS".to_owned(),
        255 => "ANY".to_owned(),
        other => format!("CLASS{other}"),
    }
}

/// A response as its name.
pub(crate) fn response_text(code: u16) -> &'static str {
    const NAMES: [&str; 11] = [
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET",
        "NOTAUTH", "NOTZONE",
    ];
    NAMES.get(usize::from(code)).copied().unwrap_or("RESERVED")
}

/// A name with its last dot.
pub(crate) fn absolute(name: &str) -> String {
    if name.ends_with('.') { name.to_owned() } else { format!("{name}.") }
}

/// What a record says, as it stands in a zone file.
pub(crate) fn data_text(data: &Data) -> String {
    match data {
        Data::A(address) => address.to_string(),
        Data::Aaaa(address) => address.to_string(),
        Data::Name(name) => absolute(name),
        Data::Mx(rank, name) => format!("{rank} {}", absolute(name)),
        Data::Srv { priority, weight, port, target } => {
            format!("{priority} {weight} {port} {}", absolute(target))
        }
        Data::Soa { server, mailbox, numbers } => {
            let numbers = numbers.map(|number| number.to_string()).join(" ");
            format!("{} {} {numbers}", absolute(server), absolute(mailbox))
        }
        Data::Txt(strings) => {
            let quoted = |string: &Vec<u8>| {
                let mut text = String::from("\"");
                for byte in string {
                    match byte {
                        b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
                        0x20..=0x7e => text.push(char::from(*byte)),
                        _ => text.push_str(&format!("\\{byte:03}")),
                    }
                }
                text + "\""
            };
            strings.iter().map(quoted).collect::<Vec<_>>().join(" ")
        }
        Data::Other(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            format!("\\# {} {digits}", bytes.len()).trim_end().to_owned()
        }
    }
}

/// The name of an address that is looked up backwards, where `text` is an address.
pub(crate) fn reverse(text: &str) -> Option<String> {
    text.parse::<IpAddr>().ok().map(hairpin_wire::dns::reverse_name)
}

/// A name server.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub address: IpAddr,
    /// As it was given.
    pub called: String,
}

impl Server {
    /// `10.0.0.1#53`
    pub fn place(&self, port: u16) -> String {
        format!("{}#{port}", self.address)
    }
}

/// Whom to ask, and how long.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub servers: Vec<Server>,
    pub port: u16,
    pub source: Option<IpAddr>,
    pub tries: u32,
    pub timeout_s: u64,
    pub transport: Transport,
    /// An answer that is cut off will do; else the question is put again over TCP.
    pub takes_truncated: bool,
    /// That it is put again is told.
    pub comments: bool,
}

impl Plan {
    /// Questions over UDP, answers as they come.
    pub fn new(servers: Vec<Server>, tries: u32) -> Plan {
        Plan {
            servers,
            port: hairpin_wire::dns::PORT,
            source: None,
            tries,
            timeout_s: 5,
            transport: Transport::Udp,
            takes_truncated: false,
            comments: true,
        }
    }
}

/// An answer.
pub(crate) struct Reply {
    pub message: Message,
    pub length: usize,
    pub server: Server,
    pub elapsed_ms: u64,
    pub transport: Transport,
}

/// Why there is none; what is said of it has been said, but for the last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoReply {
    /// There is no way to a server.
    Unreachable,
    /// Nobody answers.
    Silent,
    Interrupted,
}

/// The servers of `/etc/resolv.conf`; without any this machine's own.
pub(crate) fn default_servers(settings: &Settings) -> Vec<Server> {
    let own = [IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)];
    let servers = if settings.servers.is_empty() { &own[..] } else { &settings.servers };
    servers.iter().map(|address| Server { address: *address, called: address.to_string() }).collect()
}

/// The server that is called so, or what is wrong with the name.
pub(crate) fn server_named(program: &mut Program<'_>, name: &str) -> Result<Server, &'static str> {
    match resolver::lookup(program, name) {
        Ok(Target::V4(host)) => Ok(Server { address: host.address.into(), called: name.to_owned() }),
        Ok(Target::V6(host)) => Ok(Server { address: host.address.into(), called: name.to_owned() }),
        Err(resolver::Unresolved::TryAgain) => Err("failure"),
        Err(_) => Err("not found"),
    }
}

/// Asks the first server as often as is allowed, then each other one once (`dighost.c`).
pub(crate) fn ask(
    program: &mut Program<'_>,
    plan: &Plan,
    query: &Message,
    name: &str,
) -> Result<Reply, NoReply> {
    let mut tries = plan.tries.max(1);
    let mut unreachable = false;
    for server in &plan.servers {
        let mut transport = plan.transport;
        loop {
            let start = program.system.now().map_or(0, |now| now.monotonic_ns);
            let to = stub::server_address(server.address, plan.port);
            let from = plan.source.map(|source| stub::server_address(source, 0));
            let timeout = plan.timeout_s.saturating_mul(NS_PER_S);
            let place = server.place(plan.port);
            let said =
                match stub::exchange(program, to, from, std::slice::from_ref(query), timeout, transport) {
                    Ok(answers) => {
                        let now = program.system.now().map_or(start, |now| now.monotonic_ns);
                        let Some(answer) = answers.into_iter().next() else { return Err(NoReply::Silent) };
                        if answer.message.has(hairpin_wire::dns::flag::TRUNCATED)
                            && transport == Transport::Udp
                            && !plan.takes_truncated
                        {
                            transport = Transport::Tcp;
                            if plan.comments {
                                let _ = writeln!(program.shell.out(), ";; Truncated, retrying in TCP mode.");
                            }
                            continue;
                        }
                        let elapsed_ms = now.saturating_sub(start) / NS_PER_MS;
                        let (message, length) = (answer.message, answer.length);
                        return Ok(Reply { message, length, server: server.clone(), elapsed_ms, transport });
                    }
                    Err(Silence::Interrupted) => return Err(NoReply::Interrupted),
                    Err(Silence::TimedOut) => format!(";; communications error to {place}: timed out\n"),
                    Err(Silence::Error(errno)) => {
                        format!(";; communications error to {place}: {}\n", reason(errno))
                    }
                    Err(Silence::Unreachable(errno)) if transport == Transport::Tcp => {
                        let (called, reason) = (&server.called, reason(errno));
                        let text =
                            format!(";; Connection to {place}({called}) for {name} failed: {reason}.\n");
                        let _ = program.shell.out().write_all(text.as_bytes());
                        // What could not be connected is not tried again.
                        break;
                    }
                    Err(Silence::Unreachable(errno)) => {
                        unreachable = true;
                        let (called, reason) = (&server.called, reason(errno));
                        format!(
                            ";; UDP setup with {place}({called}) for {name} failed: {reason}.\n\
                         ;; no servers could be reached\n"
                        )
                    }
                };
            let _ = program.shell.out().write_all(said.as_bytes());
            if tries <= 1 {
                break;
            }
            tries -= 1;
        }
    }
    Err(if unreachable { NoReply::Unreachable } else { NoReply::Silent })
}

/// `isc_result_totext`
fn reason(errno: Errno) -> String {
    match errno {
        Errno::ENETUNREACH => "network unreachable".to_owned(),
        Errno::EHOSTUNREACH => "host unreachable".to_owned(),
        Errno::ECONNREFUSED => "connection refused".to_owned(),
        Errno::EADDRNOTAVAIL => "address not available".to_owned(),
        Errno::EACCES | Errno::EPERM => "permission denied".to_owned(),
        other => other.text().to_lowercase(),
    }
}

/// Asks for a name below the domains of the search list too: the first answer that knows it, or the last one.
pub(crate) fn search(
    program: &mut Program<'_>,
    plan: &Plan,
    settings: &Settings,
    name: &str,
    kind: u16,
) -> Result<(String, Reply), NoReply> {
    let dots = name.bytes().filter(|byte| *byte == b'.').count();
    let below = settings.search.iter().map(|domain| format!("{name}.{domain}"));
    let names: Vec<String> = if name.ends_with('.') || settings.search.is_empty() {
        vec![name.to_owned()]
    } else if dots >= settings.dots {
        std::iter::once(name.to_owned()).chain(below).collect()
    } else {
        below.chain(std::iter::once(name.to_owned())).collect()
    };
    let mut last = Err(NoReply::Silent);
    for name in names {
        let query = Message::query(stub::identifier(program), &name, kind);
        let reply = ask(program, plan, &query, &name)?;
        let is_known = reply.message.response() != response::NAME_ERROR;
        last = Ok((name, reply));
        if is_known {
            break;
        }
    }
    last
}

/// Where a name leads along the aliases of an answer.
pub(crate) fn chased(records: &[Record], name: &str) -> String {
    stub::canonical(records, name)
}

/// An address for a server's port, or none.
pub(crate) fn source(text: &str) -> Option<IpAddr> {
    text.split('#').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_as_text() {
        assert_eq!(data_text(&Data::Mx(10, "mail.lab".to_owned())), "10 mail.lab.");
        assert_eq!(data_text(&Data::Txt(vec![b"a \"b\"".to_vec(), vec![7]])), "\"a \\\"b\\\"\" \"\\007\"");
        assert_eq!(data_text(&Data::Other(vec![1, 0xab])), "\\# 2 01AB");
    }

    #[test]
    fn types_have_names_and_numbers() {
        assert_eq!(
            (type_named("mx"), type_named("TYPE65000"), type_named("www")),
            (Some(15), Some(65000), None)
        );
        assert_eq!((type_text(28), type_text(4000)), ("AAAA".to_owned(), "TYPE4000".to_owned()));
    }
}
