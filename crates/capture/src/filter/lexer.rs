//! The words of an expression.

use std::net::Ipv6Addr;

use super::Error;

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A word with a meaning of its own; synonyms are folded.
    Keyword(&'static str),
    Number(u32),
    /// Two to four numbers with dots.
    Dotted(String),
    Ipv6(Ipv6Addr, String),
    Mac([u8; 6]),
    /// `$1a`
    Arcnet,
    Name(String),
    /// `(`, `&`, `!=` …
    Symbol(&'static str),
}

/// Longest first.
const SYMBOLS: &[(&str, &str)] = &[
    ("&&", "and"),
    ("||", "or"),
    ("==", "="),
    ("!=", "!="),
    (">=", ">="),
    ("<=", "<="),
    ("<<", "<<"),
    (">>", ">>"),
    ("+", "+"),
    ("-", "-"),
    ("*", "*"),
    ("/", "/"),
    ("%", "%"),
    (":", ":"),
    ("[", "["),
    ("]", "]"),
    ("!", "!"),
    ("<", "<"),
    (">", ">"),
    ("(", "("),
    (")", ")"),
    ("&", "&"),
    ("|", "|"),
    ("^", "^"),
    ("=", "="),
];

/// Each line starts with the spelling that stands for its synonyms.
const KEYWORDS: &[&[&str]] = &[
    &["dst"],
    &["src"],
    &["ether", "link", "ppp", "slip", "fddi", "tr", "wlan"],
    &["arp"],
    &["rarp"],
    &["ip"],
    &["sctp"],
    &["tcp"],
    &["udp"],
    &["icmp"],
    &["igmp"],
    &["igrp"],
    &["pim"],
    &["vrrp"],
    &["carp"],
    &["radio"],
    &["ip6"],
    &["icmp6"],
    &["ah"],
    &["esp"],
    &["atalk"],
    &["aarp"],
    &["decnet"],
    &["lat"],
    &["sca"],
    &["moprc"],
    &["mopdl"],
    &["iso"],
    &["esis", "es-is"],
    &["isis", "is-is"],
    &["l1"],
    &["l2"],
    &["iih"],
    &["lsp"],
    &["snp"],
    &["csnp"],
    &["psnp"],
    &["clnp"],
    &["stp"],
    &["ipx"],
    &["netbeui"],
    &["host"],
    &["net"],
    &["mask"],
    &["port"],
    &["portrange"],
    &["proto"],
    &["protochain"],
    &["gateway"],
    &["type"],
    &["subtype"],
    &["dir", "direction"],
    &["addr1", "address1"],
    &["addr2", "address2"],
    &["addr3", "address3"],
    &["addr4", "address4"],
    &["ra"],
    &["ta"],
    &["less"],
    &["greater"],
    &["byte"],
    &["broadcast"],
    &["multicast"],
    &["and"],
    &["or"],
    &["not"],
    &["len", "length"],
    &["inbound"],
    &["outbound"],
    &["ifindex"],
    &["vlan"],
    &["mpls"],
    &["pppoed"],
    &["pppoes"],
    &["geneve"],
    &["lane"],
    &["llc"],
    &["metac"],
    &["bcc"],
    &["oam"],
    &["oamf4"],
    &["oamf4ec"],
    &["oamf4sc"],
    &["sc"],
    &["ilmic"],
    &["vpi"],
    &["vci"],
    &["connectmsg"],
    &["metaconnect"],
    &["on", "ifname"],
    &["rset", "ruleset"],
    &["rnr", "rulenum"],
    &["srnr", "subrulenum"],
    &["reason"],
    &["action"],
    &["fisu"],
    &["lssu", "lsu"],
    &["msu"],
    &["hfisu"],
    &["hlssu"],
    &["hmsu"],
    &["sio"],
    &["opc"],
    &["dpc"],
    &["sls"],
    &["hsio"],
    &["hopc"],
    &["hdpc"],
    &["hsls"],
];

/// Names of numbers.
const NUMBERS: &[(&str, u32)] = &[
    ("icmptype", 0),
    ("icmpcode", 1),
    ("icmp-echoreply", 0),
    ("icmp-unreach", 3),
    ("icmp-sourcequench", 4),
    ("icmp-redirect", 5),
    ("icmp-echo", 8),
    ("icmp-routeradvert", 9),
    ("icmp-routersolicit", 10),
    ("icmp-timxceed", 11),
    ("icmp-paramprob", 12),
    ("icmp-tstamp", 13),
    ("icmp-tstampreply", 14),
    ("icmp-ireq", 15),
    ("icmp-ireqreply", 16),
    ("icmp-maskreq", 17),
    ("icmp-maskreply", 18),
    ("icmp6type", 0),
    ("icmp6code", 1),
    ("icmp6-destinationunreach", 1),
    ("icmp6-packettoobig", 2),
    ("icmp6-timeexceeded", 3),
    ("icmp6-parameterproblem", 4),
    ("icmp6-echo", 128),
    ("icmp6-echoreply", 129),
    ("icmp6-multicastlistenerquery", 130),
    ("icmp6-multicastlistenerreportv1", 131),
    ("icmp6-multicastlistenerdone", 132),
    ("icmp6-routersolicit", 133),
    ("icmp6-routeradvert", 134),
    ("icmp6-neighborsolicit", 135),
    ("icmp6-neighboradvert", 136),
    ("icmp6-redirect", 137),
    ("icmp6-routerrenum", 138),
    ("icmp6-nodeinformationquery", 139),
    ("icmp6-nodeinformationresponse", 140),
    ("icmp6-ineighbordiscoverysolicit", 141),
    ("icmp6-ineighbordiscoveryadvert", 142),
    ("icmp6-multicastlistenerreportv2", 143),
    ("icmp6-homeagentdiscoveryrequest", 144),
    ("icmp6-homeagentdiscoveryreply", 145),
    ("icmp6-mobileprefixsolicit", 146),
    ("icmp6-mobileprefixadvert", 147),
    ("icmp6-certpathsolicit", 148),
    ("icmp6-certpathadvert", 149),
    ("icmp6-multicastrouteradvert", 151),
    ("icmp6-multicastroutersolicit", 152),
    ("icmp6-multicastrouterterm", 153),
    ("tcpflags", 13),
    ("tcp-fin", 0x01),
    ("tcp-syn", 0x02),
    ("tcp-rst", 0x04),
    ("tcp-push", 0x08),
    ("tcp-ack", 0x10),
    ("tcp-urg", 0x20),
    ("tcp-ece", 0x40),
    ("tcp-cwr", 0x80),
];

/// Cuts the first word off; none at the end.
pub(crate) fn next(text: &str) -> Result<Option<(Token, &str)>, Error> {
    let text = text.trim_start_matches([' ', '\r', '\n', '\t']);
    let Some(first) = text.chars().next() else { return Ok(None) };
    if let Some(rest) = text.strip_prefix('\\') {
        let length = rest.find([' ', '!', '(', ')', '\n', '\t']).unwrap_or(rest.len());
        if length == 0 {
            return Err(Error::syntax());
        }
        return Ok(Some((Token::Name(rest[..length].to_owned()), &rest[length..])));
    }
    if first == '$' {
        let digits = text[1..].bytes().take(2).take_while(u8::is_ascii_hexdigit).count();
        return if digits == 0 {
            Err(Error::syntax())
        } else {
            Ok(Some((Token::Arcnet, &text[1 + digits..])))
        };
    }
    if first.is_ascii_alphanumeric() || text.starts_with("::") {
        let (token, length) = word(text)?;
        return Ok(Some((token, &text[length..])));
    }
    let symbol = SYMBOLS.iter().find(|(spelling, _)| text.starts_with(spelling));
    let (spelling, symbol) = symbol.ok_or_else(Error::syntax)?;
    let token = match *symbol {
        "and" => Token::Keyword("and"),
        "or" => Token::Keyword("or"),
        symbol => Token::Symbol(symbol),
    };
    Ok(Some((token, &text[spelling.len()..])))
}

/// The longest word; among equals the order is libpcap's.
fn word(text: &str) -> Result<(Token, usize), Error> {
    let name_len = name_len(text);
    let run = text.bytes().take_while(|byte| byte.is_ascii_hexdigit() || b":.-".contains(byte)).count();
    let mac = mac(text);
    let ipv6 = ipv6(&text[..run]);
    let longest = name_len.max(mac.map_or(0, |(_, length)| length)).max(ipv6.map_or(0, |(_, length)| length));
    let bogus = bogus_mac_len(text);
    if bogus > longest {
        return Err(Error::new(format!("bogus ethernet address {}", &text[..bogus])));
    }
    let name = &text[..name_len];
    if name_len == longest
        && let Some(spellings) = KEYWORDS.iter().find(|spellings| spellings.contains(&name))
    {
        return Ok((Token::Keyword(spellings.first().copied().unwrap_or_default()), name_len));
    }
    if let Some((address, length)) = mac.filter(|(_, length)| *length == longest) {
        return Ok((Token::Mac(address), length));
    }
    if let Some((address, length)) = ipv6.filter(|(_, length)| *length == longest && *length > name_len) {
        return Ok((Token::Ipv6(address, text[..length].to_owned()), length));
    }
    if is_number(name) {
        return Ok((Token::Number(number(name)?), name_len));
    }
    let parts: Vec<&str> = name.split('.').collect();
    if (2..=4).contains(&parts.len()) && parts.iter().all(|part| is_number(part)) {
        return Ok((Token::Dotted(name.to_owned()), name_len));
    }
    if let Some((_, value)) = NUMBERS.iter().find(|(known, _)| *known == name) {
        return Ok((Token::Number(*value), name_len));
    }
    Ok((Token::Name(name.to_owned()), name_len))
}

/// Letters, digits, dots, dashes and underscores; not ending with a dash or underscore.
fn name_len(text: &str) -> usize {
    let run = text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte)).count();
    text[..run].trim_end_matches(['-', '_']).len()
}

fn is_number(text: &str) -> bool {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    match hex {
        Some(digits) => !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// Decimal, octal with a leading 0, or hexadecimal with 0x.
pub(crate) fn number(text: &str) -> Result<u32, Error> {
    let overflow = || Error::new(format!("number {text} overflows 32 bits"));
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u32::from_str_radix(digits, 16).map_err(|_| overflow());
    }
    if text.len() > 1 && text.starts_with('0') {
        if text.bytes().any(|byte| !(b'0'..=b'7').contains(&byte)) {
            return Err(Error::new(format!("number {text} contains non-octal digit")));
        }
        return u32::from_str_radix(text, 8).map_err(|_| overflow());
    }
    text.parse().map_err(|_| overflow())
}

/// Six bytes with colons, dashes or dots, three words with dots, or twelve digits.
fn mac(text: &str) -> Option<([u8; 6], usize)> {
    let forms = [':', '-', '.'].into_iter().filter_map(|separator| separated(text, separator, 6, 2));
    let forms = forms.chain(separated(text, '.', 3, 4));
    let plain = text.get(..12).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let plain = plain.map(|digits| ((0..6).map(|at| digits[at * 2..at * 2 + 2].to_owned()).collect(), 12));
    let (parts, length): (Vec<String>, usize) = forms.chain(plain).max_by_key(|(_, length)| *length)?;
    let digits: Vec<u8> = if parts.len() == 3 {
        let words: Option<Vec<u16>> = parts.iter().map(|part| u16::from_str_radix(part, 16).ok()).collect();
        words?.into_iter().flat_map(u16::to_be_bytes).collect()
    } else {
        parts.iter().map(|part| u8::from_str_radix(part, 16).ok()).collect::<Option<_>>()?
    };
    Some((digits.try_into().ok()?, length))
}

/// `count` groups of hexadecimal digits; groups of four must be whole.
fn separated(text: &str, separator: char, count: usize, digits: usize) -> Option<(Vec<String>, usize)> {
    let mut at = 0;
    let mut parts = Vec::new();
    for index in 0..count {
        if index > 0 {
            text[at..].starts_with(separator).then_some(())?;
            at += 1;
        }
        let length = text[at..].bytes().take(digits).take_while(u8::is_ascii_hexdigit).count();
        if length == 0 || (digits == 4 && length < 4) {
            return None;
        }
        parts.push(text[at..at + length].to_owned());
        at += length;
    }
    Some((parts, at))
}

/// The longest prefix that is an IPv6 address.
fn ipv6(text: &str) -> Option<(Ipv6Addr, usize)> {
    (2..=text.len().min(45)).rev().find_map(|length| {
        let candidate = &text[..length];
        candidate.contains(':').then(|| candidate.parse().ok()).flatten().map(|address| (address, length))
    })
}

/// Groups of one or two digits, each with colons behind it.
fn bogus_mac_len(text: &str) -> usize {
    let (mut at, mut groups, mut length) = (0, 0, 0);
    loop {
        let digits = text[at..].bytes().take(2).take_while(u8::is_ascii_hexdigit).count();
        let colons = text[at + digits..].bytes().take_while(|byte| *byte == b':').count();
        if digits == 0 || colons == 0 {
            return length;
        }
        at += digits + colons;
        groups += 1;
        if groups >= 2 {
            length = at;
        }
    }
}
