//! What one rule says cannot go together: protocols, and a table's family.

use hairpin_netlink::netfilter::nft::{Expr, Family, Header, Meta, Op, Reject, Right, Statement, Type};

use super::fail::{Fail, Place};
use super::fields;
use super::parser::Parser;

/// Transport protocols by number, as they are called here.
const TRANSPORTS: &[(u8, &str)] =
    &[(1, "icmp"), (6, "tcp"), (17, "udp"), (58, "icmpv6"), (132, "sctp"), (136, "udplite")];
/// `NFPROTO_*`
const NFPROTO_IPV4: u128 = 2;
const NFPROTO_IPV6: u128 = 10;

/// Whether a statement goes with those before it; `from` is its first token, `place` where it stands.
pub(super) fn check(
    parser: &Parser<'_>,
    before: &[Statement],
    found: &Statement,
    from: usize,
    place: Place,
) -> Result<(), Fail> {
    match found {
        Statement::Match { left, .. } => matched(parser.family, before, left, place),
        Statement::Reject(with) => rejected(parser, *with, place),
        Statement::Nat(nat) if nat.ports.is_some() && !before.iter().any(tells_transport) => {
            let text = "transport protocol mapping is only valid after transport protocol match";
            let word = parser.first_word_length(from);
            let against = Place { length: word, ..place };
            Err(Fail::between(text, against, parser.port_place(from).unwrap_or(place)))
        }
        _ => Ok(()),
    }
}

fn matched(family: Family, before: &[Statement], left: &[Expr], place: Place) -> Result<(), Fail> {
    for expr in left {
        if *expr == Expr::Meta(Meta::NfProto) && family != Family::Inet {
            let place = Place { length: "meta nfproto".len(), ..place };
            return Err(Fail::at("meta nfproto is only useful in the inet family", place));
        }
        let Expr::Payload(field) = expr else { continue };
        // The mark is under the expression alone: its two words.
        let (header, name) = fields::names(field);
        let place = Place { length: header.len() + 1 + name.len(), ..place };
        let (known, own) = match field.header {
            Header::Ip | Header::Ip6 => {
                let known = before.iter().find_map(network_of).or(match family {
                    Family::Ip => Some("ip"),
                    Family::Ip6 => Some("ip6"),
                    Family::Inet => None,
                });
                (known, if field.header == Header::Ip { "ip" } else { "ip6" })
            }
            other => {
                let own = fields::protocol(other).and_then(transport);
                let Some(own) = own else { continue };
                (before.iter().find_map(transport_of), own)
            }
        };
        if let Some(known) = known.filter(|known| *known != own) {
            return Err(Fail::at(format!("conflicting protocols specified: {known} vs. {own}"), place));
        }
    }
    Ok(())
}

/// The code of an error belongs to a family (`stmt_evaluate_reject_family`).
fn rejected(parser: &Parser<'_>, with: Reject, place: Place) -> Result<(), Fail> {
    let text = match (parser.family, with) {
        (Family::Ip, Reject::Icmp6(_)) | (Family::Ip6, Reject::Icmp(_)) => {
            "conflicting protocols specified: ip vs ip6"
        }
        (Family::Ip | Family::Ip6, Reject::Icmpx(_)) => "abstracted ICMP unreachable not supported",
        _ => return Ok(()),
    };
    let against = Place { length: "reject".len(), ..place };
    Err(Fail::between(text, against, parser.place_before()))
}

fn transport(number: u8) -> Option<&'static str> {
    TRANSPORTS.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

/// The one number that a match asks for.
fn one_value(statement: &Statement) -> Option<(&Expr, u128)> {
    match statement {
        Statement::Match { left, op: Op::Implicit | Op::Equal, right: Right::Value(value) } => {
            Some((left.first().filter(|_| left.len() == 1)?, *value))
        }
        _ => None,
    }
}

/// The network protocol that a match leaves.
fn network_of(statement: &Statement) -> Option<&'static str> {
    if let Some((Expr::Meta(Meta::NfProto), value)) = one_value(statement) {
        return match value {
            NFPROTO_IPV4 => Some("ip"),
            NFPROTO_IPV6 => Some("ip6"),
            _ => None,
        };
    }
    let Statement::Match { left, .. } = statement else { return None };
    left.iter().find_map(|expr| match expr {
        Expr::Payload(field) if field.header == Header::Ip => Some("ip"),
        Expr::Payload(field) if field.header == Header::Ip6 => Some("ip6"),
        _ => None,
    })
}

/// The transport protocol that a match leaves.
fn transport_of(statement: &Statement) -> Option<&'static str> {
    if let Some((expr, value)) = one_value(statement)
        && is_protocol(expr)
    {
        return u8::try_from(value).ok().and_then(transport);
    }
    let Statement::Match { left, .. } = statement else { return None };
    left.iter().find_map(|expr| match expr {
        Expr::Payload(field) => fields::protocol(field.header).and_then(transport),
        _ => None,
    })
}

/// Whether a match says anything of the transport protocol.
fn tells_transport(statement: &Statement) -> bool {
    let Statement::Match { left, .. } = statement else { return false };
    left.iter().any(|expr| match expr {
        Expr::Payload(field) if field.header == Header::Th || fields::protocol(field.header).is_some() => {
            true
        }
        expr => is_protocol(expr),
    })
}

fn is_protocol(expr: &Expr) -> bool {
    match expr {
        Expr::Meta(meta) => *meta == Meta::L4Proto,
        Expr::Payload(field) => field.kind == Type::InetProto,
        _ => false,
    }
}
