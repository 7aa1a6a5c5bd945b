//! What a DNS server knows, and how it answers (RFC 1034, section 4.3.2).

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::dns::{Data, IN, Message, Record, flag, kind, response};

/// Aliases that an answer follows.
const ALIASES_MAX: usize = 16;

/// What is known of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    pub alias: Option<String>,
    pub a: Vec<Ipv4Addr>,
    pub aaaa: Vec<Ipv6Addr>,
    pub ptr: Vec<String>,
    pub mx: Vec<(u16, String)>,
    pub txt: Vec<Vec<u8>>,
    /// Questions for its IPv4 addresses so far.
    asked: usize,
}

/// A server's knowledge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    entries: BTreeMap<String, Entry>,
    /// Addresses of whole domains, for names without an entry of their own.
    domains: BTreeMap<String, Vec<IpAddr>>,
    /// Seconds that answers may be kept.
    pub ttl: u32,
    /// It answers for itself, not for others it would have asked.
    pub authoritative: bool,
    /// Each question gets one of a name's IPv4 addresses, in turn.
    pub one_address: bool,
    /// What it says of names it does not know, of these domains and of all others.
    pub local: Vec<String>,
    pub unknown: u16,
}

impl Zone {
    /// A server that knows nothing and says `unknown` (a [`response`]) to everything.
    pub fn new(unknown: u16) -> Zone {
        Zone { unknown, ..Zone::default() }
    }

    /// What is known of `name`, to be added to.
    pub fn entry(&mut self, name: &str) -> &mut Entry {
        self.entries.entry(key(name)).or_default()
    }

    /// The addresses of a domain and of all names in it; the nearest one counts that has any of the kind asked for.
    pub fn domain(&mut self, name: &str) -> &mut Vec<IpAddr> {
        self.domains.entry(key(name)).or_default()
    }

    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(&key(name))
    }

    pub fn remove(&mut self, name: &str) -> Option<Entry> {
        self.entries.remove(&key(name))
    }

    /// The answer to a question; none to what is not one.
    pub fn answer(&mut self, query: &Message) -> Option<Message> {
        if query.has(flag::RESPONSE) {
            return None;
        }
        let mut reply = query.reply();
        reply.flags |= flag::RECURSION_AVAILABLE;
        // Whoever speaks EDNS is answered so (RFC 6891, 6.1.1); options are none of ours.
        if let Some(asked) = query.additional.iter().find(|record| record.kind == kind::OPT) {
            reply.additional.push(Record {
                data: Data::Other(Vec::new()),
                class: 1232,
                ttl: 0,
                ..asked.clone()
            });
        }
        let [question] = query.questions.as_slice() else {
            reply.set_response(response::FORMAT_ERROR);
            return Some(reply);
        };
        if query.operation() != 0 || question.class != IN {
            reply.set_response(response::NOT_IMPLEMENTED);
            return Some(reply);
        }
        let mut name = question.name.clone();
        for _ in 0..ALIASES_MAX {
            if !self.entries.contains_key(&key(&name)) {
                if reply.answers.is_empty() {
                    self.answer_without_entry(&name, question.kind, &mut reply);
                }
                return Some(reply);
            }
            let (ttl, one_address) = (self.ttl, self.one_address);
            let entry = self.entry(&name);
            let alias = entry.alias.clone();
            let asks_for_alias = matches!(question.kind, kind::CNAME | kind::ANY);
            let record = |kind, data| Record { name: name.clone(), kind, class: IN, ttl, data };
            let mut found: Vec<Record> = match (&alias, asks_for_alias) {
                (Some(target), _) => vec![record(kind::CNAME, Data::Name(target.clone()))],
                (None, _) => {
                    entry.data(question.kind, one_address).map(|(kind, data)| record(kind, data)).collect()
                }
            };
            // What the name has not may its domain have; or others might know.
            if found.is_empty() && reply.answers.is_empty() && self.unknown == response::REFUSED {
                let code = if self.local_domain(&name).is_some() { response::NO_ERROR } else { self.unknown };
                if !self.answer_by_domain(&name, question.kind, &mut reply) {
                    reply.set_response(code);
                }
                return Some(reply);
            }
            reply.answers.append(&mut found);
            match alias {
                Some(target) if !asks_for_alias => name = target,
                _ => break,
            }
        }
        if self.authoritative && !reply.answers.is_empty() {
            reply.flags |= flag::AUTHORITATIVE;
        }
        Some(reply)
    }

    fn answer_without_entry(&self, name: &str, wanted: u16, reply: &mut Message) {
        if !self.answer_by_domain(name, wanted, reply) {
            let code = self.response_for(name);
            reply.set_response(code);
        }
    }

    /// The addresses of the nearest domain that has some of this kind; one of them where any kind is asked for.
    fn answer_by_domain(&self, name: &str, wanted: u16, reply: &mut Message) -> bool {
        let ttl = self.ttl;
        let data = |address: &IpAddr| match (address, wanted) {
            (IpAddr::V4(address), kind::A | kind::ANY) => Some((kind::A, Data::A(*address))),
            (IpAddr::V6(address), kind::AAAA | kind::ANY) => Some((kind::AAAA, Data::Aaaa(*address))),
            _ => None,
        };
        let sought = key(name);
        let within = self.domains.iter().filter(|(domain, addresses)| {
            is_within(&sought, domain) && addresses.iter().any(|address| data(address).is_some())
        });
        let Some((_, addresses)) = within.max_by_key(|(domain, _)| domain.len()) else { return false };
        let mut found: Vec<(u16, Data)> = addresses.iter().filter_map(data).collect();
        if wanted == kind::ANY {
            found.sort_by_key(|(kind, _)| *kind != kind::AAAA);
            found.truncate(1);
        }
        reply.answers.extend(found.into_iter().map(|(kind, data)| Record {
            name: name.to_owned(),
            kind,
            class: IN,
            ttl,
            data,
        }));
        if self.authoritative {
            reply.flags |= flag::AUTHORITATIVE;
        }
        true
    }

    /// The nearest domain of its own that a name is in.
    fn local_domain(&self, name: &str) -> Option<String> {
        let name = key(name);
        let domains = self.local.iter().map(|domain| key(domain));
        domains.filter(|domain| is_within(&name, domain)).max_by_key(String::len)
    }

    /// The response to a name that has no entry: one above a known one exists all the same (RFC 8020).
    fn response_for(&self, name: &str) -> u16 {
        let below = format!(".{}", key(name));
        let is_above = self.entries.keys().any(|known| known.ends_with(&below));
        match self.local_domain(name) {
            // A domain with addresses is there, with nothing of the kind asked for.
            Some(domain) if self.domains.contains_key(&domain) => response::NO_ERROR,
            Some(_) if is_above => response::NO_ERROR,
            Some(_) => response::NAME_ERROR,
            None if is_above && self.unknown != response::REFUSED => response::NO_ERROR,
            None => self.unknown,
        }
    }
}

impl Entry {
    fn data(&mut self, wanted: u16, one_address: bool) -> impl Iterator<Item = (u16, Data)> {
        let wants = |kind| wanted == kind || wanted == kind::ANY;
        let mut found = Vec::new();
        if wants(kind::A) && !self.a.is_empty() {
            let at = self.asked % self.a.len();
            self.asked = self.asked.wrapping_add(1);
            match one_address {
                true => found.extend(self.a.get(at).map(|address| (kind::A, Data::A(*address)))),
                false => found.extend(self.a.iter().map(|address| (kind::A, Data::A(*address)))),
            }
        }
        if wants(kind::AAAA) {
            found.extend(self.aaaa.iter().map(|address| (kind::AAAA, Data::Aaaa(*address))));
        }
        if wants(kind::PTR) {
            found.extend(self.ptr.iter().map(|name| (kind::PTR, Data::Name(name.clone()))));
        }
        if wants(kind::MX) {
            found.extend(self.mx.iter().map(|(rank, name)| (kind::MX, Data::Mx(*rank, name.clone()))));
        }
        if wants(kind::TXT) {
            found.extend(self.txt.iter().map(|text| (kind::TXT, Data::Txt(vec![text.clone()]))));
        }
        found.into_iter()
    }
}

fn is_within(name: &str, domain: &str) -> bool {
    domain.is_empty() || name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn key(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> Zone {
        let mut zone = Zone { one_address: true, unknown: response::NAME_ERROR, ..Zone::default() };
        zone.entry("www.example.org").alias = Some("web.example.net".to_owned());
        zone.entry("web.example.net").a = vec![[192, 0, 2, 1].into(), [192, 0, 2, 2].into()];
        zone
    }

    fn ask(zone: &mut Zone, name: &str, kind: u16) -> (u16, Vec<Data>) {
        let reply = zone.answer(&Message::query(1, name, kind)).expect("an answer");
        (reply.response(), reply.answers.into_iter().map(|record| record.data).collect())
    }

    #[test]
    fn each_question_gets_the_next_address() {
        let mut zone = zone();
        let alias = Data::Name("web.example.net".to_owned());
        let first = ask(&mut zone, "WWW.example.org.", kind::A);
        assert_eq!(first, (0, vec![alias.clone(), Data::A([192, 0, 2, 1].into())]));
        // Questions of another kind do not count.
        assert_eq!(ask(&mut zone, "www.example.org", kind::AAAA), (0, vec![alias]));
        assert_eq!(ask(&mut zone, "web.example.net", kind::A), (0, vec![Data::A([192, 0, 2, 2].into())]));
        assert_eq!(ask(&mut zone, "web.example.net", kind::A), (0, vec![Data::A([192, 0, 2, 1].into())]));
    }

    #[test]
    fn what_is_not_known() {
        let mut zone = zone();
        assert_eq!(ask(&mut zone, "nothing.example.org", kind::A), (3, vec![]));
        assert_eq!(ask(&mut zone, "example.org", kind::A), (0, vec![]));
        zone.local.push("lab".to_owned());
        zone.unknown = response::REFUSED;
        assert_eq!(ask(&mut zone, "x.lab", kind::A), (3, vec![]));
        assert_eq!(ask(&mut zone, "xlab", kind::A), (5, vec![]));
    }

    /// What dnsmasq 2.89 says with `--address=/www.example.com/203.0.113.80 --local=/example.com/` and the like.
    #[test]
    fn domains_have_addresses_of_one_kind() {
        let mut zone = Zone::new(response::REFUSED);
        let address = Data::A([203, 0, 113, 80].into());
        zone.domain("www.example.com").push(IpAddr::V4([203, 0, 113, 80].into()));
        for name in ["www.example.com", "a.www.example.com"] {
            assert_eq!(ask(&mut zone, name, kind::A), (0, vec![address.clone()]));
            assert_eq!(ask(&mut zone, name, kind::AAAA), (5, vec![]));
        }
        assert_eq!(ask(&mut zone, "x.example.com", kind::A), (5, vec![]));
        assert_eq!(ask(&mut zone, "example.com", kind::MX), (5, vec![]));
        zone.local.push("example.com".to_owned());
        zone.entry("al.example.com").alias = Some("www.example.com".to_owned());
        for kind in [kind::AAAA, kind::MX, kind::TXT] {
            assert_eq!(ask(&mut zone, "www.example.com", kind), (3, vec![]));
        }
        assert_eq!(ask(&mut zone, "www.example.com", kind::ANY), (0, vec![address.clone()]));
        let alias = Data::Name("www.example.com".to_owned());
        assert_eq!(ask(&mut zone, "al.example.com", kind::A), (0, vec![alias]));
        assert_eq!(ask(&mut zone, "example.com", kind::MX), (0, vec![]));
        zone.local.push("www.example.com".to_owned());
        assert_eq!(ask(&mut zone, "www.example.com", kind::AAAA), (0, vec![]));
        zone.domain("www.example.com").push(IpAddr::V6(std::net::Ipv6Addr::LOCALHOST));
        let v6 = Data::Aaaa(std::net::Ipv6Addr::LOCALHOST);
        assert_eq!(ask(&mut zone, "www.example.com", kind::AAAA), (0, vec![v6.clone()]));
        assert_eq!(ask(&mut zone, "www.example.com", kind::ANY), (0, vec![v6]));
        zone.entry("h.example.org").a.push([10, 0, 0, 1].into());
        assert_eq!(ask(&mut zone, "h.example.org", kind::AAAA), (5, vec![]));
        zone.local.push("example.org".to_owned());
        assert_eq!(ask(&mut zone, "h.example.org", kind::AAAA), (0, vec![]));
    }

    #[test]
    fn answers_are_not_answered() {
        let mut zone = zone();
        let reply = zone.answer(&Message::query(1, "web.example.net", kind::A)).expect("an answer");
        assert_eq!(zone.answer(&reply), None);
    }
}
