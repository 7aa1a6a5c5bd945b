//! How `nft` fails: a text, and marks under what it is about.

use hairpin_netlink::Errno;

use super::Source;
use super::token::{Kind, Token};

/// Where something stands in the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The number of the text it stands in.
    pub source: usize,
    /// From 1.
    pub line: usize,
    /// Bytes from the line's beginning.
    pub start: usize,
    pub length: usize,
}

impl Place {
    /// From the beginning of this to the end of another on its line.
    pub fn to(self, end: Place) -> Place {
        if end.line != self.line || end.source != self.source {
            return self;
        }
        Place { length: (end.start + end.length).saturating_sub(self.start), ..self }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fail {
    pub text: String,
    pub place: Option<Place>,
    /// What it is against, marked with tildes.
    pub against: Option<Place>,
    /// What follows from it.
    pub then: Option<Box<Fail>>,
}

impl Fail {
    pub fn at(text: impl Into<String>, place: Place) -> Fail {
        Fail { text: text.into(), place: Some(place), against: None, then: None }
    }

    pub fn plain(text: impl Into<String>) -> Fail {
        Fail { text: text.into(), place: None, against: None, then: None }
    }

    pub fn between(text: impl Into<String>, against: Place, place: Place) -> Fail {
        Fail { text: text.into(), place: Some(place), against: Some(against), then: None }
    }

    /// The kernel has refused.
    pub fn refused(errno: Errno, place: Place) -> Fail {
        Fail::at(format!("Could not process rule: {}", errno.text()), place)
    }

    /// A token that may not stand there.
    pub fn unexpected(token: Option<&Token>) -> Fail {
        let (name, place) = match token {
            None => ("end of file".to_owned(), Place::default()),
            Some(token) => (named(&token.kind), token.place),
        };
        Fail::at(format!("syntax error, unexpected {name}"), place)
    }

    /// The text with the line that it is about, and in front the file that it stands in and those that include it.
    pub fn text(&self, sources: &[Source]) -> String {
        let Some(place) = self.place else { return format!("Error: {}\n", self.text) };
        let source = sources.get(place.source);
        let input = source.map_or("", |source| source.text.as_str());
        let line = input.lines().nth(place.line.saturating_sub(1)).or(input.lines().last()).unwrap_or("");
        let mut marks = vec![' '; place.start];
        let mut put = |at: Place, mark: char| {
            let end = at.start + at.length.max(1);
            if marks.len() < end {
                marks.resize(end, ' ');
            }
            marks.get_mut(at.start..end).unwrap_or(&mut []).fill(mark);
        };
        if let Some(against) = self.against.filter(|against| against.line == place.line) {
            put(against, '~');
        }
        put(place, '^');
        // Tabs stay, so that marks stand below.
        let marks: String = marks
            .iter()
            .enumerate()
            .map(
                |(at, mark)| {
                    if *mark == ' ' && line.as_bytes().get(at) == Some(&b'\t') { '\t' } else { *mark }
                },
            )
            .collect();
        let title = match source.and_then(|source| source.name.as_ref()) {
            None => "Error: ".to_owned(),
            Some(file) => {
                let (first, last) = (place.start + 1, place.start + place.length.max(1));
                included(sources, place) + &format!("{file}:{}:{first}-{last}: Error: ", place.line)
            }
        };
        let then = self.then.as_ref().map_or(String::new(), |then| then.text(sources));
        format!("{title}{}\n{line}\n{marks}\n{then}", self.text)
    }
}

/// The commands by which the text of a place is included.
fn included(sources: &[Source], mut place: Place) -> String {
    let mut text = String::new();
    while let Some(from) = sources.get(place.source).and_then(|source| source.from) {
        let title = if text.is_empty() { "In file included from" } else { "                 from" };
        let name = sources.get(from.source).and_then(|source| source.name.as_deref()).unwrap_or("");
        let (first, last) = (from.start + 1, from.start + from.length);
        text += &format!("{title} {name}:{}:{first}-{last}:\n", from.line);
        place = from;
    }
    text
}

/// What the grammar calls a token.
fn named(kind: &Kind) -> String {
    match kind {
        Kind::Newline => "newline".to_owned(),
        Kind::Text(_) => "quoted string".to_owned(),
        Kind::Sign("==") => "==".to_owned(),
        Kind::Sign(sign) if sign.len() == 1 && *sign != "!" => match *sign {
            "," => "comma".to_owned(),
            ";" => "semicolon".to_owned(),
            "=" => "=".to_owned(),
            sign => format!("'{sign}'"),
        },
        Kind::Sign(sign) => (*sign).to_owned(),
        Kind::Word(word) if word.parse::<u64>().is_ok() => "number".to_owned(),
        Kind::Word(word) => match KEYWORDS.contains(&word.as_str()) {
            true => word.clone(),
            false => "string".to_owned(),
        },
    }
}

/// Words of the grammar: an error text names them, and nothing is called so.
pub(super) const KEYWORDS: &[&str] = &[
    "accept",
    "add",
    "ah",
    "all",
    "arp",
    "auto-merge",
    "bridge",
    "cgroup",
    "chain",
    "comment",
    "comp",
    "continue",
    "counter",
    "create",
    "ct",
    "dccp",
    "delete",
    "describe",
    "device",
    "devices",
    "dnat",
    "drop",
    "dst",
    "dup",
    "dynamic",
    "ecn",
    "element",
    "elements",
    "esp",
    "ether",
    "exists",
    "export",
    "exthdr",
    "fib",
    "flags",
    "flow",
    "flowtable",
    "flush",
    "frag",
    "fwd",
    "get",
    "goto",
    "handle",
    "hbh",
    "hook",
    "hour",
    "icmp",
    "icmpv6",
    "igmp",
    "iif",
    "iifname",
    "import",
    "include",
    "index",
    "inet",
    "insert",
    "ip",
    "ip6",
    "ipsec",
    "jhash",
    "jump",
    "limit",
    "list",
    "log",
    "map",
    "mark",
    "masquerade",
    "meta",
    "meter",
    "mh",
    "missing",
    "monitor",
    "netdev",
    "notrack",
    "numgen",
    "offload",
    "oif",
    "oifname",
    "osf",
    "pkttype",
    "policy",
    "position",
    "priority",
    "queue",
    "quota",
    "random",
    "redefine",
    "redirect",
    "reject",
    "rename",
    "replace",
    "reset",
    "return",
    "rt",
    "rtclassid",
    "rule",
    "ruleset",
    "sctp",
    "secmark",
    "set",
    "size",
    "skgid",
    "skuid",
    "snat",
    "socket",
    "synproxy",
    "table",
    "tcp",
    "th",
    "time",
    "timeout",
    "tproxy",
    "type",
    "typeof",
    "udp",
    "udplite",
    "undefine",
    "update",
    "vlan",
    "vmap",
];
