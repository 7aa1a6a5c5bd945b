//! The command line of `conntrack`, and which connections it is about.

use std::net::IpAddr;

use hairpin_netlink::netfilter::Family;
use hairpin_netlink::netfilter::conntrack::{Change, Connection, TcpState, Tuple, status};

use super::show::Output;
use super::{Command, Fail};

/// Protocols that it knows.
pub(super) const PROTOCOLS: &[(&str, u8)] = &[
    ("icmp", 1),
    ("tcp", 6),
    ("udp", 17),
    ("dccp", 33),
    ("gre", 47),
    ("icmpv6", 58),
    ("sctp", 132),
    ("udplite", 136),
];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Table {
    #[default]
    Conntrack,
    Expect,
    Dying,
    Unconfirmed,
}

/// What a connection must be like.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    pub table: Table,
    pub family: Option<Family>,
    pub output: Output,
    /// Counters are cleared as they are listed.
    pub zero: bool,
    protocol: Option<u8>,
    /// Source and destination of the original and the reply direction.
    addresses: [Option<(IpAddr, u8)>; 4],
    /// Source and destination ports of the original and the reply direction.
    ports: [Option<u16>; 4],
    state: Option<TcpState>,
    pub mark: Option<(u32, u32)>,
    pub status: u32,
    /// `-t`
    pub timeout_s: Option<u32>,
    /// `-e`: these changes alone.
    pub events: Option<&'static [Change]>,
    /// `-n`, `-g`, `-j`: translated at its source, its destination, any; to this address.
    source_nat: Option<Option<IpAddr>>,
    destination_nat: Option<Option<IpAddr>>,
    any_nat: Option<Option<IpAddr>>,
    icmp: [Option<u16>; 3],
    /// The zone of the original direction, of the reply, of both.
    zones: [Option<u16>; 3],
}

impl Filter {
    pub fn has_protocol(&self) -> bool {
        self.protocol.is_some()
    }

    /// The family was given, or an address that has one.
    pub fn tells_family(&self) -> bool {
        self.family.is_some() || self.addresses.iter().any(Option::is_some)
    }

    pub fn accepts(&self, connection: &Connection) -> bool {
        let (original, reply) = (&connection.original, &connection.reply);
        let addresses = [original.source, original.destination, reply.source, reply.destination];
        let ports =
            [original.source_port, original.destination_port, reply.source_port, reply.destination_port];
        let (kind, code) = original.icmp();
        let icmp = [u16::from(kind), u16::from(code), original.source_port];
        self.protocol.is_none_or(|wanted| wanted == original.protocol)
            && self.addresses.iter().zip(addresses).all(|(wanted, is)| {
                wanted.is_none_or(|(wanted, prefix)| under(wanted, prefix) == under(is, prefix))
            })
            && self.ports.iter().zip(ports).all(|(wanted, is)| wanted.is_none_or(|wanted| wanted == is))
            && self.icmp.iter().zip(icmp).all(|(wanted, is)| wanted.is_none_or(|wanted| wanted == is))
            && self.state.is_none_or(|wanted| connection.tcp == Some(wanted))
            && self.mark.is_none_or(|(value, mask)| connection.mark & mask == value)
            && connection.status & self.status == self.status
            && self.is_in_zone(connection.original.zones)
            && self.is_translated(connection.status, original, reply)
    }

    /// A zone of both directions is another attribute than that of one.
    fn is_in_zone(&self, [original, reply]: [u16; 2]) -> bool {
        let both = original == reply;
        let [wanted_original, wanted_reply, wanted] = self.zones;
        wanted_original.is_none_or(|wanted| wanted == if both { 0 } else { original })
            && wanted_reply.is_none_or(|wanted| wanted == if both { 0 } else { reply })
            && wanted.is_none_or(|wanted| wanted == if both { original } else { 0 })
    }

    fn is_translated(&self, bits: u32, original: &Tuple, reply: &Tuple) -> bool {
        // `NFCT_GOPT_IS_SNAT`, `IS_SPAT` and their like. Of ICMP type and code stand where ports do, so that an echo is
        // translated wherever somebody has been asked for its translation.
        let at_source = |to: Option<IpAddr>| {
            let elsewhere = reply.destination != original.source;
            bits & status::SRC_NAT_DONE != 0
                && match to {
                    Some(to) => elsewhere && reply.destination == to,
                    None => elsewhere || reply.destination_port != original.source_port,
                }
        };
        let at_destination = |to: Option<IpAddr>| {
            let elsewhere = reply.source != original.destination;
            bits & status::DST_NAT_DONE != 0
                && match to {
                    Some(to) => elsewhere && reply.source == to,
                    None => elsewhere || reply.source_port != original.destination_port,
                }
        };
        self.source_nat.is_none_or(at_source)
            && self.destination_nat.is_none_or(at_destination)
            && self.any_nat.is_none_or(|to| at_source(to) || at_destination(to))
    }
}

/// An address with all but its first bits cleared.
fn under(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
            IpAddr::V4((u32::from(address) & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0);
            IpAddr::V6((u128::from(address) & mask).into())
        }
    }
}

/// Long options with their letters; those of a protocol have none.
const LONG: &[(&str, &str)] = &[
    ("dump", "L"),
    ("delete", "D"),
    ("flush", "F"),
    ("count", "C"),
    ("stats", "S"),
    ("event", "E"),
    ("get", "G"),
    ("create", "I"),
    ("update", "U"),
    ("version", "V"),
    ("help", "h"),
    ("orig-src", "s"),
    ("src", "s"),
    ("zone", "w"),
    ("orig-zone", "orig-zone"),
    ("reply-zone", "reply-zone"),
    ("orig-dst", "d"),
    ("dst", "d"),
    ("reply-src", "r"),
    ("reply-dst", "q"),
    ("protonum", "p"),
    ("proto", "p"),
    ("family", "f"),
    ("src-nat", "n"),
    ("dst-nat", "g"),
    ("any-nat", "j"),
    ("mark", "m"),
    ("status", "u"),
    ("output", "o"),
    ("zero", "z"),
    ("timeout", "t"),
    ("event-mask", "e"),
    ("buffer-size", "b"),
];

/// Options of a protocol: their names, for which protocols, and what they stand for.
const OF_PROTOCOL: &[(&str, &[u8], &str)] = &[
    ("orig-port-src", &[6, 17, 33, 132, 136], "0"),
    ("sport", &[6, 17, 33, 132, 136], "0"),
    ("orig-port-dst", &[6, 17, 33, 132, 136], "1"),
    ("dport", &[6, 17, 33, 132, 136], "1"),
    ("reply-port-src", &[6, 17, 33, 132, 136], "2"),
    ("reply-port-dst", &[6, 17, 33, 132, 136], "3"),
    ("state", &[6], "state"),
    ("icmp-type", &[1, 58], "type"),
    ("icmpv6-type", &[58], "type"),
    ("icmp-code", &[1, 58], "code"),
    ("icmpv6-code", &[58], "code"),
    ("icmp-id", &[1, 58], "id"),
    ("icmpv6-id", &[58], "id"),
];

pub(super) fn parse(args: &[String]) -> Result<(Command, Filter), Fail> {
    let mut filter = Filter::default();
    let mut command: Option<Command> = None;
    let mut protocol_given = false;
    let mut words = args.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        let (letter, mut inline) = match word.strip_prefix("--") {
            Some(long) => {
                let (name, inline) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v)));
                match LONG.iter().find(|(known, _)| *known == name) {
                    Some((_, letter)) => ((*letter).to_owned(), inline.map(str::to_owned)),
                    None => {
                        let Some(meaning) = of_protocol(name, filter.protocol) else {
                            return Err(unknown(word));
                        };
                        let value = inline.or_else(|| words.next());
                        let missing = || Fail::usage(format!("option `{word}' requires an argument"));
                        filter.of_protocol(meaning, value.ok_or_else(missing)?)?;
                        continue;
                    }
                }
            }
            None if word.starts_with('-') && word.len() > 1 => {
                let split = word.char_indices().nth(2).map_or(word.len(), |(at, _)| at);
                let inline = Some(word[split..].to_owned()).filter(|rest| !rest.is_empty());
                (word[1..split].to_owned(), inline)
            }
            None => return Err(Fail::usage(format!("unknown argument `{word}'"))),
        };
        let mut value = |name: &str| {
            inline
                .take()
                .or_else(|| words.next().map(str::to_owned))
                .ok_or_else(|| Fail::usage(format!("option `{name}' requires an argument")))
        };
        let next = match letter.as_str() {
            "L" => Some(Command::List),
            "D" => Some(Command::Delete),
            "F" => Some(Command::Flush),
            "C" => Some(Command::Count),
            "S" => Some(Command::Statistics),
            "V" => Some(Command::Version),
            "h" => Some(Command::Help),
            "E" => Some(Command::Event),
            "I" => Some(Command::Create),
            "U" => Some(Command::Update),
            "G" => Some(Command::Get),
            _ => None,
        };
        if let Some(next) = next {
            if command.is_some() {
                return Err(Fail::usage("Invalid commands combination"));
            }
            command = Some(next);
            let table = inline.or_else(|| {
                let is_table = words.peek().is_some_and(|word| !word.starts_with('-'));
                if is_table { words.next().map(str::to_owned) } else { None }
            });
            if let Some(table) = table.filter(|_| !matches!(letter.as_str(), "S" | "V" | "h")) {
                filter.table = match table.as_str() {
                    "conntrack" => Table::Conntrack,
                    "expect" => Table::Expect,
                    "dying" => Table::Dying,
                    "unconfirmed" => Table::Unconfirmed,
                    _ => return Err(Fail::usage(format!("unknown type `{table}'"))),
                };
            }
            continue;
        }
        match letter.as_str() {
            "s" => filter.addresses[0] = Some(network(&value("-s")?)?),
            "d" => filter.addresses[1] = Some(network(&value("-d")?)?),
            "r" => filter.addresses[2] = Some(network(&value("-r")?)?),
            "q" => filter.addresses[3] = Some(network(&value("-q")?)?),
            "p" => {
                let name = value("-p")?;
                let known = PROTOCOLS
                    .iter()
                    .find(|(known, number)| known.eq_ignore_ascii_case(&name) || name == number.to_string());
                let (_, number) =
                    known.ok_or_else(|| Fail::usage(format!("`{name}' unsupported protocol")))?;
                filter.protocol = Some(*number);
                protocol_given = true;
            }
            "f" => {
                filter.family = Some(match value("-f")?.as_str() {
                    "ipv4" => Family::Ipv4,
                    "ipv6" => Family::Ipv6,
                    other => return Err(Fail::usage(format!("`{other}' unsupported protocol"))),
                });
            }
            "n" | "g" | "j" => {
                let address = inline.or_else(|| {
                    let is_address = words.peek().is_some_and(|word| !word.starts_with('-'));
                    if is_address { words.next().map(str::to_owned) } else { None }
                });
                let address = address.map(|address| network(&address)).transpose()?;
                let address = Some(address.map(|(address, _)| address));
                match letter.as_str() {
                    "n" => filter.source_nat = address,
                    "g" => filter.destination_nat = address,
                    _ => filter.any_nat = address,
                }
            }
            "m" => {
                let text = value("-m")?;
                let (mark, mask) = text.split_once('/').unwrap_or((&text, "0xffffffff"));
                let number = |text: &str| match text.strip_prefix("0x") {
                    Some(digits) => u32::from_str_radix(digits, 16).unwrap_or(0),
                    None => text.parse().unwrap_or(0),
                };
                filter.mark = Some((number(mark), number(mask)));
            }
            "t" => {
                let text = value("-t")?;
                let bad = || Fail::usage(format!("Invalid value `{text}'"));
                filter.timeout_s = Some(text.parse().map_err(|_| bad())?);
            }
            "b" => {
                value("-b")?;
            }
            "e" => filter.events = Some(events(&value("-e")?)?),
            "u" => {
                for name in value("-u")?.split(',') {
                    filter.status |= match name {
                        "ASSURED" => status::ASSURED,
                        "SEEN_REPLY" => status::SEEN_REPLY,
                        "UNSET" => 0,
                        other => return Err(Fail::usage(format!("Bad parameter `{other}'"))),
                    };
                }
            }
            "o" => {
                for name in value("-o")?.split(',') {
                    match name {
                        "extended" => filter.output.extended = true,
                        "id" => filter.output.id = true,
                        "xml" => filter.output.xml = true,
                        "timestamp" => filter.output.timestamp = true,
                        // What these add is nothing here: there are no labels, and no times of connections.
                        "labels" | "ktimestamp" | "userspace" => filter.output.other = true,
                        "save" => filter.output.save = true,
                        other => return Err(Fail::usage(format!("Bad parameter `{other}'"))),
                    }
                }
                let output = filter.output;
                if output.save && output != (Output { save: true, ..Output::default() }) {
                    return Err(Fail {
                        text: "cannot combine save output with any other output type, use -o save only"
                            .to_owned(),
                        hint: false,
                    });
                }
            }
            "w" | "orig-zone" | "reply-zone" => {
                let text = value(word)?;
                let place = match letter.as_str() {
                    "orig-zone" => 0,
                    "reply-zone" => 1,
                    _ => 2,
                };
                filter.zones[place] = Some(zone(&text));
            }
            "z" => filter.zero = true,
            _ => return Err(unknown(word)),
        }
    }
    let command = command.unwrap_or(Command::Help);
    let filters = !matches!(
        command,
        Command::Flush | Command::Count | Command::Statistics | Command::Help | Command::Version
    );
    if filter.timeout_s.is_some() && !matches!(command, Command::Create | Command::Update) {
        return Err(Fail::usage("Illegal option `--timeout' with this command"));
    }
    if command == Command::Delete && filter.any_nat.is_some() {
        return Err(Fail::usage("Illegal option `--any-nat' with this command"));
    }
    if !filters && protocol_given {
        return Err(Fail::usage("Illegal option `--protonum' with this command"));
    }
    Ok((command, filter))
}

/// The number at the beginning of a text, of which sixteen bits count (`strtoul`).
fn zone(text: &str) -> u16 {
    let text = text.trim_start();
    let (minus, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, base) = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if digits.starts_with('0') => (digits, 8),
        None => (digits, 10),
    };
    let digits = digits.chars().map_while(|digit| digit.to_digit(base));
    let number = digits
        .fold(0u64, |number, digit| number.saturating_mul(u64::from(base)).saturating_add(u64::from(digit)));
    let number = if minus { number.wrapping_neg() } else { number };
    number as u16
}

/// `-e NEW,UPDATES,DESTROY|ALL`
fn events(text: &str) -> Result<&'static [Change], Fail> {
    use Change::{Destroy, New, Update};
    let mut bits = 0;
    for name in text.split(',') {
        bits |= match name {
            "ALL" => 7,
            "NEW" => 1,
            "UPDATES" => 2,
            "DESTROY" => 4,
            other => return Err(Fail::usage(format!("Bad event-mask parameter `{other}'"))),
        };
    }
    Ok(match bits {
        1 => &[New],
        2 => &[Update],
        3 => &[New, Update],
        4 => &[Destroy],
        5 => &[New, Destroy],
        6 => &[Update, Destroy],
        _ => &[New, Update, Destroy],
    })
}

fn unknown(word: &str) -> Fail {
    Fail::usage(format!("unknown option `{word}'"))
}

fn of_protocol(name: &str, protocol: Option<u8>) -> Option<&'static str> {
    let protocol = protocol?;
    let known = OF_PROTOCOL.iter().find(|(known, of, _)| *known == name && of.contains(&protocol));
    known.map(|(_, _, meaning)| *meaning)
}

fn network(text: &str) -> Result<(IpAddr, u8), Fail> {
    let bad = || Fail::usage(format!("Invalid IP address `{text}'"));
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| bad())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        None => most,
        Some(prefix) => prefix.parse().ok().filter(|prefix| *prefix <= most).ok_or_else(bad)?,
    };
    Ok((address, prefix))
}

impl Filter {
    /// Without what `-U` is to change.
    pub fn without_changes(&self) -> Filter {
        Filter { mark: None, status: 0, ..self.clone() }
    }

    /// The connection that `-I` describes.
    pub fn wanted(&self) -> Result<Connection, Fail> {
        let needs = |option: &str| {
            Fail::usage(format!("You need to supply the `--{option}' option for this command"))
        };
        let protocol = self.protocol.ok_or_else(|| needs("protonum"))?;
        let timeout_s = self.timeout_s.ok_or_else(|| needs("timeout"))?;
        let (source, _) = self.addresses[0].ok_or_else(|| needs("orig-src"))?;
        let (destination, _) = self.addresses[1].ok_or_else(|| needs("orig-dst"))?;
        let icmp = matches!(protocol, 1 | 58);
        let [kind, code, id] = self.icmp.map(Option::unwrap_or_default);
        let (source_port, destination_port) = match icmp {
            true => (id, u16::from_be_bytes([kind as u8, code as u8])),
            false => (self.ports[0].unwrap_or(0), self.ports[1].unwrap_or(0)),
        };
        let zones = [0, 1].map(|side: usize| self.zones[side].or(self.zones[2]).unwrap_or(0));
        let original = Tuple { source, destination, protocol, source_port, destination_port, zones };
        // An echo is answered by its reply, whose type is the one before (RFC 792), or behind (RFC 4443).
        let answer = match (protocol, kind) {
            (1, 8) => 0,
            (58, 128) => 129,
            (_, other) => other,
        };
        let reply = Tuple {
            source: self.addresses[2].map_or(destination, |(address, _)| address),
            destination: self.addresses[3].map_or(source, |(address, _)| address),
            protocol,
            source_port: if icmp { id } else { self.ports[2].unwrap_or(destination_port) },
            destination_port: match icmp {
                true => u16::from_be_bytes([answer as u8, code as u8]),
                false => self.ports[3].unwrap_or(source_port),
            },
            zones: [zones[1], zones[0]],
        };
        let family = if source.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 };
        Ok(Connection {
            id: 0,
            family,
            original,
            reply,
            status: self.status,
            timeout_s,
            mark: self.mark.map_or(0, |(value, _)| value),
            tcp: self.state.or((protocol == 6).then_some(TcpState::None)),
            counters: None,
        })
    }

    fn of_protocol(&mut self, meaning: &str, value: &str) -> Result<(), Fail> {
        let number = || value.parse::<u16>().map_err(|_| Fail::usage(format!("Invalid value `{value}'")));
        match meaning {
            "state" => {
                const STATES: &[TcpState] = &[
                    TcpState::None,
                    TcpState::SynSent,
                    TcpState::SynRecv,
                    TcpState::Established,
                    TcpState::FinWait,
                    TcpState::CloseWait,
                    TcpState::LastAck,
                    TcpState::TimeWait,
                    TcpState::Close,
                    TcpState::SynSent2,
                ];
                let known = STATES.iter().find(|state| state.name() == value);
                let unknown = || Fail::usage(format!("unknown TCP state `{value}'"));
                self.state = Some(*known.ok_or_else(unknown)?);
            }
            "type" => self.icmp[0] = Some(number()?),
            "code" => self.icmp[1] = Some(number()?),
            "id" => self.icmp[2] = Some(number()?),
            place => {
                let place = place.parse::<usize>().unwrap_or(0);
                if let Some(port) = self.ports.get_mut(place) {
                    *port = Some(number()?);
                }
            }
        }
        Ok(())
    }
}
