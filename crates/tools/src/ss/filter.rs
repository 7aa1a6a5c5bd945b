//! Which sockets are shown: states, and expressions of addresses and ports (ss(8), misc/ssfilter.y).

use std::net::IpAddr;

use hairpin_netlink::Address;
use hairpin_netlink::sock_diag::{SocketInfo, state};

use super::options::USAGE;
use crate::services::Services;

/// Nested expressions go so deep at most.
const DEPTH_MAX: usize = 64;

/// An expression.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Filter {
    #[default]
    All,
    Not(Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Host {
        is_local: bool,
        address: Option<(IpAddr, u8)>,
        port: Option<u16>,
    },
    Port {
        is_local: bool,
        comparison: Comparison,
        port: u16,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

const CONNECTED: u32 = ALL & !(1 << state::CLOSED | 1 << state::LISTEN);
const ALL: u32 = 0xffe;

/// States by the names that filters use.
const STATES: &[(&str, u32)] = &[
    ("all", ALL),
    ("established", 1 << state::ESTABLISHED),
    ("syn-sent", 1 << state::SYN_SENT),
    ("syn-recv", 1 << state::SYN_RECEIVED),
    ("fin-wait-1", 1 << state::FIN_WAIT_1),
    ("fin-wait-2", 1 << state::FIN_WAIT_2),
    ("time-wait", 1 << state::TIME_WAIT),
    ("unconnected", 1 << state::CLOSED),
    ("closed", 1 << state::CLOSED),
    ("close-wait", 1 << state::CLOSE_WAIT),
    ("last-ack", 1 << state::LAST_ACK),
    ("listening", 1 << state::LISTEN),
    ("closing", 1 << state::CLOSING),
    ("connected", CONNECTED),
    ("synchronized", CONNECTED & !(1 << state::SYN_SENT)),
    ("bucket", 1 << state::SYN_RECEIVED | 1 << state::TIME_WAIT),
    ("big", ALL & !(1 << state::SYN_RECEIVED | 1 << state::TIME_WAIT)),
];

impl Filter {
    /// The expression of these words, and the states that they name.
    ///
    /// # Errors
    /// What is printed.
    pub fn parse(words: &[&str], services: &Services) -> Result<(Filter, Option<u32>), String> {
        let mut states = None;
        let mut rest = words;
        while let [what @ ("state" | "exclude" | "excl"), name, behind @ ..] = rest {
            let found = STATES.iter().find(|(known, _)| known.starts_with(&name.to_lowercase()));
            let (_, bits) = found.ok_or_else(|| format!("ss: wrong state name: {name}\n"))?;
            match *what {
                "state" => states = Some(states.unwrap_or(0) | bits),
                _ => states = Some(states.unwrap_or(ALL) & !bits),
            }
            rest = behind;
        }
        let text = rest.join(" ");
        let tokens = tokens(&text);
        let mut parser = Parser { tokens: &tokens, services, depth: 0 };
        if parser.tokens.is_empty() {
            return Ok((Filter::All, states));
        }
        let filter = parser.either().ok_or_else(bell)?;
        if parser.tokens.is_empty() { Ok((filter, states)) } else { Err(bell()) }
    }

    pub fn accepts(&self, socket: &SocketInfo) -> bool {
        let end = |is_local: bool| if is_local { socket.local } else { socket.remote };
        match self {
            Filter::All => true,
            Filter::Not(inner) => !inner.accepts(socket),
            Filter::And(a, b) => a.accepts(socket) && b.accepts(socket),
            Filter::Or(a, b) => a.accepts(socket) || b.accepts(socket),
            Filter::Host { is_local, address, port } => {
                let (own, own_port) = parts(end(*is_local));
                address.is_none_or(|(wanted, bits)| own.is_some_and(|own| is_within(own, wanted, bits)))
                    && port.is_none_or(|port| port == own_port)
            }
            Filter::Port { is_local, comparison, port } => {
                let own = parts(end(*is_local)).1;
                match comparison {
                    Comparison::Equal => own == *port,
                    Comparison::NotEqual => own != *port,
                    Comparison::Less => own < *port,
                    Comparison::LessOrEqual => own <= *port,
                    Comparison::Greater => own > *port,
                    Comparison::GreaterOrEqual => own >= *port,
                }
            }
        }
    }
}

fn bell() -> String {
    format!("ss: bison bellows (while parsing filter): \"syntax error!\" Sorry.\n{USAGE}")
}

fn parts(end: Address) -> (Option<IpAddr>, u16) {
    match end {
        Address::Ipv4 { address, port } => (Some(address.into()), port),
        Address::Ipv6 { address, port, .. } => {
            (Some(address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4)), port)
        }
        Address::Link { .. } | Address::Can { .. } => (None, 0),
    }
}

fn is_within(own: IpAddr, wanted: IpAddr, bits: u8) -> bool {
    match (own, wanted) {
        (IpAddr::V4(own), IpAddr::V4(wanted)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
            (own.to_bits() ^ wanted.to_bits()) & mask == 0
        }
        (IpAddr::V6(own), IpAddr::V6(wanted)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
            (own.to_bits() ^ wanted.to_bits()) & mask == 0
        }
        _ => false,
    }
}

/// Words; brackets and comparisons are words of their own.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    let mut word = String::new();
    while let Some(next) = chars.next() {
        match next {
            ' ' | '\t' | '\n' | '(' | ')' | '=' | '!' | '<' | '>' | '&' | '|' => {
                if !word.is_empty() {
                    tokens.push(std::mem::take(&mut word));
                }
                if next.is_whitespace() {
                    continue;
                }
                let mut sign = next.to_string();
                if let Some(second @ ('=' | '&' | '|')) = chars.peek()
                    && (*second == '=' && "=!<>".contains(next) || *second == next)
                {
                    sign.push(*second);
                    chars.next();
                }
                tokens.push(sign);
            }
            other => word.push(other),
        }
    }
    if !word.is_empty() {
        tokens.push(word);
    }
    tokens
}

struct Parser<'a> {
    tokens: &'a [String],
    services: &'a Services,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &str {
        self.tokens.first().map_or("", String::as_str)
    }

    fn take(&mut self) -> Option<&str> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn takes(&mut self, words: &[&str]) -> bool {
        let found = words.contains(&self.peek());
        if found {
            self.take();
        }
        found
    }

    fn either(&mut self) -> Option<Filter> {
        let mut left = self.both()?;
        while self.takes(&["or", "|", "||"]) {
            left = Filter::Or(Box::new(left), Box::new(self.both()?));
        }
        Some(left)
    }

    fn both(&mut self) -> Option<Filter> {
        let mut left = self.one()?;
        // Side by side they must both hold.
        while self.takes(&["and", "&", "&&"]) || !matches!(self.peek(), "" | ")" | "or" | "|" | "||") {
            left = Filter::And(Box::new(left), Box::new(self.one()?));
        }
        Some(left)
    }

    fn one(&mut self) -> Option<Filter> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let found = self.term();
        self.depth -= 1;
        found
    }

    fn term(&mut self) -> Option<Filter> {
        if self.takes(&["not", "!"]) {
            return Some(Filter::Not(Box::new(self.one()?)));
        }
        if self.takes(&["("]) {
            let inner = self.either()?;
            return self.takes(&[")"]).then_some(inner);
        }
        let word = self.take()?.to_owned();
        match word.as_str() {
            "dport" | "sport" => {
                let comparison = self.comparison();
                let text = self.take()?.to_owned();
                let port = text.strip_prefix(':').or_else(|| text.strip_prefix("*:")).unwrap_or(&text);
                Some(Filter::Port { is_local: word == "sport", comparison, port: self.port(port)? })
            }
            "dst" | "src" => {
                let comparison = self.comparison();
                let text = self.take()?.to_owned();
                let host = self.host(word == "src", &text)?;
                match comparison {
                    Comparison::NotEqual => Some(Filter::Not(Box::new(host))),
                    _ => Some(host),
                }
            }
            _ => None,
        }
    }

    fn comparison(&mut self) -> Comparison {
        let comparison = match self.peek() {
            "=" | "==" | "eq" | "is" => Comparison::Equal,
            "!=" | "ne" | "neq" => Comparison::NotEqual,
            "<" | "lt" => Comparison::Less,
            "<=" | "le" | "leq" => Comparison::LessOrEqual,
            ">" | "gt" => Comparison::Greater,
            ">=" | "ge" | "geq" => Comparison::GreaterOrEqual,
            _ => return Comparison::Equal,
        };
        self.take();
        comparison
    }

    fn port(&self, text: &str) -> Option<u16> {
        let named = |text: &str| self.services.port(text, "tcp").or_else(|| self.services.port(text, "udp"));
        text.parse().ok().or_else(|| named(text))
    }

    /// `ADDRESS[/BITS][:PORT]`, IPv6 in brackets where a port follows.
    fn host(&self, is_local: bool, text: &str) -> Option<Filter> {
        let whole = |text: &str| {
            let (number, bits) = match text.split_once('/') {
                Some((number, bits)) => (number, Some(bits.parse::<u8>().ok()?)),
                None => (text, None),
            };
            let address: IpAddr = number.trim_matches(['[', ']']).parse().ok()?;
            Some((address, bits.unwrap_or(if address.is_ipv4() { 32 } else { 128 })))
        };
        if let Some(address) = whole(text) {
            return Some(Filter::Host { is_local, address: Some(address), port: None });
        }
        let (address, port) = text.rsplit_once(':')?;
        let port = match port {
            "*" | "" => None,
            port => Some(self.port(port)?),
        };
        let address = match address {
            "*" | "" => None,
            address => Some(whole(address)?),
        };
        Some(Filter::Host { is_local, address, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(local: u16, remote: u16) -> SocketInfo {
        let end = |last: u8, port: u16| Address::Ipv4 { address: [10, 0, 0, last].into(), port };
        SocketInfo {
            state: state::ESTABLISHED,
            timer: 0,
            retransmits: 0,
            expires_ms: 0,
            local: end(1, local),
            remote: end(2, remote),
            ifindex: 0,
            receive_queue: 0,
            send_queue: 0,
            uid: 0,
            inode: 0,
            cooked: false,
            v6only: false,
            tcp: None,
            owners: Vec::new(),
        }
    }

    fn accepts(text: &str) -> Result<bool, String> {
        let words: Vec<&str> = text.split(' ').collect();
        let (filter, _) = Filter::parse(&words, &Services::default())?;
        Ok(filter.accepts(&socket(40000, 80)))
    }

    #[test]
    fn expressions() {
        for text in [
            "dport = :80",
            "( dport = :80 or sport = :80 )",
            "dst 10.0.0.2",
            "dst 10.0.0.0/24 and not src 10.0.0.2",
            "sport > :1024 dport != :22",
            "dst 10.0.0.2:80",
            "! ( dport eq 443 )",
        ] {
            assert_eq!(accepts(text), Ok(true), "{text}");
        }
        for text in ["dport = :81", "src 10.0.0.2", "sport lt 1024", "dst 10.0.0.2:81"] {
            assert_eq!(accepts(text), Ok(false), "{text}");
        }
        assert!(accepts("dport = ").is_err());
        assert!(accepts("( dport = :80").is_err());
        assert!(accepts("nonsense").is_err());
    }

    #[test]
    fn states_are_collected() {
        let states = |words: &[&str]| Filter::parse(words, &Services::default()).map(|(_, states)| states);
        assert_eq!(states(&["state", "established"]), Ok(Some(1 << state::ESTABLISHED)));
        assert_eq!(states(&["state", "bucket", "state", "listening"]), Ok(Some(1 << 3 | 1 << 6 | 1 << 10)));
        assert_eq!(states(&["exclude", "listening"]), Ok(Some(ALL & !(1 << 10))));
        assert!(states(&["state", "nothing"]).is_err());
    }
}
