//! Kinds that hairpin's kernel cannot make, with few and simple options: `amt`, `bareudp`, `batadv`, `dsa`, `gtp`, `hsr`,
//! `rmnet`, `vti`, `vti6`, `wwan` and `xfrm`. The words become options all the same, for a kernel that may know the kind;
//! one that does not says so itself.

use std::collections::BTreeSet;
use std::net::IpAddr;

use hairpin_netlink::route::link::InfoData;

use super::help;
use super::raw::Raw;
use super::tunnel::parse_key;
use crate::iproute2::inet::{AF_INET, AF_INET6, get_addr};
use crate::iproute2::number::{get_u8, get_u16, get_u32};
use crate::iproute2::{Args, Context, Stop, matches};

/// What stands behind a word, and what it becomes.
enum Takes {
    /// Nothing: the option has no value.
    Nothing,
    Byte(&'static str),
    /// A byte, read as decimal and no larger than the second.
    SmallByte(&'static str, u8),
    Short(&'static str),
    /// A port, in network order.
    Port(&'static str),
    Word(&'static str),
    /// A word that is neither 0 nor at or above the second.
    WordBelow(&'static str, u64),
    /// Of a tunnel: a number, or four with dots.
    Key,
    /// An address of a family.
    Address(u8),
    /// A link by its name; without one, what to say of it, or what `ip` says anyway.
    Link(Option<&'static str>),
    Text,
    /// One of these, each with its number; else what to say, or the help.
    One(&'static [(&'static str, u32)], Option<&'static str>),
    /// An EtherType.
    Protocol,
}

/// A word of a kind.
struct Keyword {
    names: &'static [&'static str],
    takes: Takes,
    attribute: u16,
}

const fn word(names: &'static [&'static str], takes: Takes, attribute: u16) -> Keyword {
    Keyword { names, takes, attribute }
}

/// A kind.
struct Foreign {
    name: &'static str,
    options: &'static [Keyword],
    /// Words may not be shortened.
    exact: bool,
    /// What is said of another word, around it; nothing where the help alone is shown.
    unknown: Option<(&'static str, &'static str)>,
    /// Words that may stand there only once.
    once: bool,
    /// Options that must be there: the number, and what is said without.
    required: &'static [(u16, &'static str)],
}

use Takes::{
    Address, Byte, Key, Link, Nothing, One, Port, Protocol, Short, SmallByte, Text, Word, WordBelow,
};

const VTI_LINK: u16 = 1;
const VTI_IKEY: u16 = 2;
const VTI_OKEY: u16 = 3;
/// `key`, which stands for both.
const VTI_BOTH_KEYS: u16 = 0;

const fn vti(family: u8) -> [Keyword; 7] {
    [
        word(&["key"], Key, VTI_BOTH_KEYS),
        word(&["ikey"], Key, VTI_IKEY),
        word(&["okey"], Key, VTI_OKEY),
        word(&["remote"], Address(family), 5),
        word(&["local"], Address(family), 4),
        word(&["dev"], Link(None), VTI_LINK),
        word(&["fwmark"], Word("invalid fwmark\n"), 6),
    ]
}

const BAREUDP_PROTOCOL: u16 = 2;
const BAREUDP_MULTIPROTO: u16 = 4;
const GTP_HASH_SIZE: u16 = 3;
const GTP_CREATE_SOCKETS: u16 = 5;
const XFRM_LINK: u16 = 1;
const XFRM_IF_ID: u16 = 2;
const XFRM_EXTERNAL: u16 = 3;

/// A kind with words that are looked for as they are.
const fn kind(
    name: &'static str,
    options: &'static [Keyword],
    unknown: Option<(&'static str, &'static str)>,
) -> Foreign {
    Foreign { name, options, exact: false, unknown, once: false, required: &[] }
}

static KINDS: &[Foreign] = &[
    Foreign {
        exact: true,
        ..kind(
            "amt",
            &[
                word(&["mode"], One(&[("gateway", 0), ("relay", 1)], None), 1),
                word(&["relay_port"], Port("relay_port"), 2),
                word(&["gateway_port"], Port("gateway_port"), 3),
                word(&["max_tunnels"], Word("max_tunnels"), 8),
                word(&["dev"], Link(None), 4),
                word(&["local"], Address(AF_INET), 5),
                word(&["discovery"], Address(AF_INET), 7),
            ],
            Some(("amt: unknown command \"", "\"?\n")),
        )
    },
    Foreign {
        once: true,
        required: &[(1, "dstport"), (BAREUDP_PROTOCOL, "ethertype")],
        ..kind(
            "bareudp",
            &[
                word(&["dstport"], Port("dstport"), 1),
                word(&["ethertype"], Protocol, BAREUDP_PROTOCOL),
                word(&["srcportmin"], Short("srcportmin"), 3),
                word(&["multiproto", "nomultiproto"], Nothing, BAREUDP_MULTIPROTO),
            ],
            Some(("bareudp: unknown command \"", "\"?\n")),
        )
    },
    kind("batadv", &[word(&["ra"], Text, 1)], Some(("batadv: unknown command \"", "\"?\n"))),
    Foreign {
        exact: true,
        ..kind(
            "dsa",
            &[word(&["conduit", "master"], Link(Some("Device does not exist\n")), 1)],
            Some(("dsa: unknown command \"", "\"?\n")),
        )
    },
    Foreign {
        exact: true,
        once: true,
        ..kind(
            "gtp",
            &[
                word(&["role"], One(&[("sgsn", 1), ("ggsn", 0)], Some("invalid role, use sgsn or ggsn")), 4),
                word(&["hsize"], Word("invalid PDP hash size"), GTP_HASH_SIZE),
                word(&["restart_count"], Byte("invalid restart_count"), 6),
            ],
            None,
        )
    },
    kind(
        "hsr",
        &[
            word(&["supervision"], Byte("ADDR-BYTE is invalid"), 3),
            word(&["version"], SmallByte("version is invalid", u8::MAX), 6),
            word(&["proto"], SmallByte("protocol is invalid", u8::MAX), 7),
            word(&["slave1"], Link(Some("No such interface")), 1),
            word(&["slave2"], Link(Some("No such interface")), 2),
        ],
        Some(("hsr: what is \"", "\"?\n")),
    ),
    kind(
        "rmnet",
        &[word(&["mux_id"], Short("mux_id is invalid"), 1)],
        Some(("rmnet: unknown command \"", "\"?\n")),
    ),
    kind("vti", &vti(AF_INET), None),
    kind("vti6", &vti(AF_INET6), None),
    kind("wwan", &[word(&["linkid"], Word("linkid"), 1)], Some(("wwan: unknown command \"", "\"?\n"))),
    kind(
        "xfrm",
        &[
            word(&["dev"], Link(None), XFRM_LINK),
            word(&["if_id"], WordBelow("if_id value is invalid", 1 << 32), XFRM_IF_ID),
            word(&["external"], Nothing, XFRM_EXTERNAL),
        ],
        None,
    ),
];

/// Reads the arguments behind `type KIND`; none where the kind is not one of these.
pub(super) fn parse(
    context: &mut Context<'_>,
    kind: &str,
    args: &mut Args<'_>,
) -> Result<Option<InfoData>, Stop> {
    let Some(kind) = KINDS.iter().find(|known| known.name == kind) else { return Ok(None) };
    let text = help(kind.name).unwrap_or_default();
    let mut raw = Raw::default();
    let mut seen: BTreeSet<u16> = BTreeSet::new();
    while let Some(word) = args.take() {
        let is = |name: &&str| if kind.exact { word == *name } else { matches(word, name) };
        let Some(option) = kind.options.iter().find(|option| option.names.iter().any(&is)) else {
            if kind.name == "gtp" && word != "help" {
                continue;
            }
            return Err(match kind.unknown.filter(|_| !is(&"help")) {
                Some((before, after)) => Stop::fail(1, format!("{before}{word}{after}{text}")),
                None => Stop::fail(1, text),
            });
        };
        let value = match option.takes {
            Nothing => word,
            _ => args.value()?,
        };
        if !seen.insert(option.attribute) && kind.once {
            let key = if matches!(option.takes, Nothing) { word } else { option.names[0] };
            return Err(Stop::duparg2(key, value));
        }
        if kind.name == "bareudp" && option.attribute == BAREUDP_MULTIPROTO && word.starts_with("no") {
            continue;
        }
        match read(context, &option.takes, value)? {
            Some(bytes) if option.attribute == VTI_BOTH_KEYS => {
                raw.bytes(VTI_IKEY, &bytes);
                raw.bytes(VTI_OKEY, &bytes);
            }
            Some(bytes) => raw.bytes(option.attribute, &bytes),
            None => return Err(Stop::fail(1, text)),
        }
    }
    if let Some((_, word)) = kind.required.iter().find(|(attribute, _)| !seen.contains(attribute)) {
        return Err(Stop::missing(word));
    }
    finish(kind.name, &mut raw)?;
    Ok(Some(raw.into_data()))
}

/// A value as the kernel wants it; none where the help is the answer.
fn read(context: &mut Context<'_>, takes: &Takes, word: &str) -> Result<Option<Vec<u8>>, Stop> {
    let wrong = |text: &str| Stop::invarg(text, word);
    Ok(Some(match takes {
        Nothing => Vec::new(),
        Byte(text) => vec![get_u8(word, 0).ok_or_else(|| wrong(text))?],
        SmallByte(text, most) => {
            vec![get_u8(word, 0).filter(|byte| byte <= most).ok_or_else(|| wrong(text))?]
        }
        Short(text) => get_u16(word, 0).ok_or_else(|| wrong(text))?.to_ne_bytes().to_vec(),
        Port(text) => get_u16(word, 0).ok_or_else(|| wrong(text))?.to_be_bytes().to_vec(),
        Word(text) => get_u32(word, 0).ok_or_else(|| wrong(text))?.to_ne_bytes().to_vec(),
        WordBelow(text, end) => {
            let number = get_u32(word, 0).filter(|number| *number != 0 && u64::from(*number) < *end);
            number.ok_or_else(|| wrong(text))?.to_ne_bytes().to_vec()
        }
        Key => parse_key("key", word)?.to_be_bytes().to_vec(),
        Address(family) => match get_addr(word, *family)?.address {
            Some(IpAddr::V4(address)) => address.octets().to_vec(),
            Some(IpAddr::V6(address)) => address.octets().to_vec(),
            None => return Ok(None),
        },
        Link(text) => match (context.link_index(word), text) {
            (0, Some(text)) => return Err(wrong(text)),
            (0, None) => return Err(Stop { code: 255, exit: true, ..Stop::no_device(word) }),
            (index, _) => index.to_ne_bytes().to_vec(),
        },
        Text => [word.as_bytes(), &[0]].concat(),
        One(words, text) => match (words.iter().find(|(name, _)| *name == word), text) {
            (Some((_, number)), _) => number.to_ne_bytes().to_vec(),
            (None, Some(text)) => return Err(wrong(text)),
            (None, None) => return Ok(None),
        },
        Protocol => {
            let known = match word {
                "ip" | "ipv4" => Some(0x0800),
                "ipv6" => Some(0x86dd),
                "mpls_uc" => Some(0x8847),
                "mpls_mc" => Some(0x8848),
                word => get_u16(word, 0),
            };
            known.ok_or_else(|| wrong("ethertype"))?.to_be_bytes().to_vec()
        }
    }))
}

/// What can only be said when every word is known.
fn finish(kind: &str, raw: &mut Raw) -> Result<(), Stop> {
    match kind {
        "gtp" => {
            const ROLE: u16 = 4;
            raw.u8(GTP_CREATE_SOCKETS, 1);
            if raw.get(ROLE).is_none() {
                return Err(Stop::fail(1, "gtp: role of the gtp device was not specified\n"));
            }
            if raw.get(GTP_HASH_SIZE).is_none() {
                raw.u32(GTP_HASH_SIZE, 1024);
            }
        }
        "xfrm" => {
            let has = |attribute| raw.get(attribute).is_some();
            if has(XFRM_EXTERNAL) && (has(XFRM_IF_ID) || has(XFRM_LINK)) {
                let text = "xfrmi: both 'external' and if_id/link cannot be specified\n";
                return Err(Stop::fail(1, text));
            }
            if !has(XFRM_EXTERNAL) && !has(XFRM_IF_ID) {
                return Err(Stop::missing("IF_ID"));
            }
        }
        _ => {}
    }
    Ok(())
}
