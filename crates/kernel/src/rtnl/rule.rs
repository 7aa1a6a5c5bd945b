//! Policy rules: `RTM_NEWRULE`, `RTM_DELRULE`, `RTM_GETRULE` (`fib_rules.c`).

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use hairpin_netlink::{
    Errno, Failure, Message,
    codec::NLM_F_EXCL,
    route::{
        AddressFamily,
        route::RouteRealm,
        rule::{RuleAttribute, RuleFlags, RuleMessage, RulePortRange, RuleUidRange},
    },
};

use super::{Dump, Notification};
use crate::route::{Action, IpPrefix, Links, Rule, RuleChange, RuleDevice, Ruled, model::TABLE_COMPAT};

/// Longest device name with its final zero (`IFNAMSIZ`).
const NAME_LEN: usize = 16;

/// `RTM_NEWRULE`; `flags` are those of the netlink header.
///
/// # Errors
/// The kernel's errno and extended-ack text.
pub fn new_rule(
    fib: &mut impl Ruled,
    links: &(impl Links + ?Sized),
    message: &RuleMessage,
    flags: u16,
) -> Result<Vec<Notification>, Failure> {
    let (rule, _) = parse(fib, message)?;
    if flags & NLM_F_EXCL == 0 || !fib.repeats_rule(&rule) {
        check_tos(fib, message.header.tos)?;
    }
    let change = fib.add_rule(rule, flags & NLM_F_EXCL != 0, links)?;
    Ok(vec![announce(fib, &change)])
}

/// `RTM_DELRULE`
///
/// # Errors
/// The kernel's errno and extended-ack text.
pub fn del_rule(fib: &mut impl Ruled, message: &RuleMessage) -> Result<Vec<Notification>, Failure> {
    let (wanted, priority_given) = parse(fib, message)?;
    let change = fib.delete_rule(&wanted, priority_given)?;
    Ok(vec![announce(fib, &change)])
}

/// `RTM_GETRULE`, which exists as a dump only.
///
/// # Errors
/// The kernel's errno and extended-ack text.
pub fn dump_rules(fib: &impl Ruled, message: &RuleMessage, strict: bool) -> Result<Dump, Failure> {
    let header = &message.header;
    if strict {
        if header.dst_len != 0
            || header.src_len != 0
            || header.tos != 0
            || header.table != 0
            || u8::from(header.action) != 0
            || !header.flags.is_empty()
        {
            return Err(invalid("Invalid values in header for fib rule dump request"));
        }
        if !message.attributes.is_empty() {
            return Err(invalid("Invalid data after header in fib rule dump request"));
        }
    }
    if header.family != AddressFamily::Unspec && header.family != family(fib) {
        return Err(Errno::EAFNOSUPPORT.into());
    }
    let messages = fib.rule_list().iter().map(|rule| Message::NewRule(rule_message(fib, rule))).collect();
    Ok(Dump { messages, filtered: false })
}

/// The announcement of a change.
pub fn announce(fib: &impl Ruled, change: &RuleChange) -> Notification {
    let message = match change {
        RuleChange::Added(rule) => Message::NewRule(rule_message(fib, rule)),
        RuleChange::Removed(rule) => Message::DelRule(rule_message(fib, rule)),
    };
    Notification { message, flags: 0 }
}

/// A rule as the kernel describes it (`fib_nl_fill_rule`).
pub fn rule_message(fib: &impl Ruled, rule: &Rule) -> RuleMessage {
    let mut message = RuleMessage::default();
    let header = &mut message.header;
    header.family = family(fib);
    header.table = u8::try_from(rule.table).unwrap_or(TABLE_COMPAT);
    header.action = rule.action.number().into();
    header.flags = RuleFlags::from_bits_retain(rule.flags);
    header.tos = rule.tos;
    header.dst_len = rule.destination.map_or(0, |prefix| prefix.length);
    header.src_len = rule.source.map_or(0, |prefix| prefix.length);
    if rule.action == Action::Goto && !fib.is_resolved(rule) {
        header.flags |= RuleFlags::Unresolved;
    }
    let detached = |device: &Option<RuleDevice>| device.as_ref().is_some_and(|d| d.ifindex.is_none());
    if detached(&rule.iif) {
        header.flags |= RuleFlags::IifDetached;
    }
    if detached(&rule.oif) {
        header.flags |= RuleFlags::OifDetached;
    }
    let ports = |(start, end): (u16, u16)| RulePortRange { start, end };
    let realm = RouteRealm { source: (rule.realm >> 16) as u16, destination: rule.realm as u16 };
    let attributes = [
        Some(RuleAttribute::Table(rule.table)),
        Some(RuleAttribute::SuppressPrefixLen(rule.suppress_prefix_length.unwrap_or(u32::MAX))),
        Some(RuleAttribute::Protocol(rule.protocol.into())),
        rule.iif.as_ref().map(|device| RuleAttribute::Iifname(device.name.clone())),
        rule.oif.as_ref().map(|device| RuleAttribute::Oifname(device.name.clone())),
        (rule.priority != 0).then_some(RuleAttribute::Priority(rule.priority)),
        (rule.mark != 0).then_some(RuleAttribute::FwMark(rule.mark)),
        (rule.mark != 0 || rule.mark_mask != 0).then_some(RuleAttribute::FwMask(rule.mark_mask)),
        (rule.target != 0).then_some(RuleAttribute::Goto(rule.target)),
        (rule.tunnel_id != 0).then_some(RuleAttribute::TunId(rule.tunnel_id)),
        rule.vrf.then_some(RuleAttribute::L3MDev(true)),
        rule.uids.map(|(start, end)| RuleAttribute::UidRange(RuleUidRange { start, end })),
        rule.source_ports.map(|range| RuleAttribute::SourcePortRange(ports(range))),
        rule.destination_ports.map(|range| RuleAttribute::DestinationPortRange(ports(range))),
        (rule.ip_protocol != 0).then_some(RuleAttribute::IpProtocol(rule.ip_protocol.into())),
        rule.suppress_group.map(RuleAttribute::SuppressIfGroup),
        rule.destination.map(|prefix| RuleAttribute::Destination(prefix.address)),
        rule.source.map(|prefix| RuleAttribute::Source(prefix.address)),
        (rule.realm != 0).then_some(RuleAttribute::Realm(realm)),
    ];
    message.attributes.extend(attributes.into_iter().flatten());
    message
}

/// `fib_nl2rule` with the IPv4 part of `fib4_rule_configure`; also whether a priority was given.
fn parse(fib: &impl Ruled, message: &RuleMessage) -> Result<(Rule, bool), Failure> {
    let header = &message.header;
    if header.family != family(fib) {
        return Err(Failure::with_text(Errno::EAFNOSUPPORT, "Rule family not supported"));
    }
    let mut rule = Rule {
        action: Action::from_number(header.action.into()),
        flags: header.flags.bits(),
        tos: header.tos,
        ..Rule::lookup(0, header.table.into())
    };
    let (mut source, mut destination, mut priority, mut target) = (None, None, None, None);
    let mut given_mark = 0;
    let mut given_mask = None;
    let mut l3mdev = None;
    let device = |name: &str| Some(RuleDevice { name: name.to_owned(), ifindex: None });
    for attribute in &message.attributes {
        match attribute {
            RuleAttribute::Destination(address) => destination = Some(*address),
            RuleAttribute::Source(address) => source = Some(*address),
            RuleAttribute::Iifname(name) | RuleAttribute::Oifname(name) if name.len() >= NAME_LEN => {
                return Err(Failure::with_text(Errno::ERANGE, "Error parsing msg"));
            }
            RuleAttribute::Iifname(name) if !name.is_empty() => rule.iif = device(name),
            RuleAttribute::Oifname(name) if !name.is_empty() => rule.oif = device(name),
            RuleAttribute::Goto(to) => target = Some(*to),
            RuleAttribute::Priority(given) => priority = Some(*given),
            RuleAttribute::FwMark(mark) => given_mark = *mark,
            RuleAttribute::FwMask(mask) => given_mask = Some(*mask),
            RuleAttribute::Realm(realm) => {
                rule.realm = u32::from(realm.source) << 16 | u32::from(realm.destination);
            }
            RuleAttribute::TunId(id) => rule.tunnel_id = *id,
            RuleAttribute::SuppressIfGroup(group) => {
                rule.suppress_group = Some(*group).filter(|group| *group != u32::MAX);
            }
            RuleAttribute::SuppressPrefixLen(length) => {
                rule.suppress_prefix_length = Some(*length).filter(|length| *length != u32::MAX);
            }
            RuleAttribute::Table(table) => rule.table = *table,
            RuleAttribute::L3MDev(on) => l3mdev = Some(*on),
            RuleAttribute::UidRange(range) => rule.uids = Some((range.start, range.end)),
            RuleAttribute::Protocol(protocol) => rule.protocol = (*protocol).into(),
            RuleAttribute::IpProtocol(protocol) => rule.ip_protocol = u8::from(*protocol),
            RuleAttribute::SourcePortRange(range) => rule.source_ports = Some((range.start, range.end)),
            RuleAttribute::DestinationPortRange(range) => {
                rule.destination_ports = Some((range.start, range.end));
            }
            _ => {}
        }
    }
    rule.source = prefix(fib, source, header.src_len).ok_or_else(|| invalid("Invalid source address"))?;
    rule.destination =
        prefix(fib, destination, header.dst_len).ok_or_else(|| invalid("Invalid dst address"))?;
    rule.priority = priority.unwrap_or_else(|| fib.next_rule_priority());
    rule.mark = given_mark;
    rule.mark_mask = given_mask.unwrap_or(if given_mark == 0 { 0 } else { u32::MAX });
    match l3mdev {
        Some(false) => return Err(invalid("Invalid l3mdev attribute")),
        given => rule.vrf = given.is_some(),
    }
    match target {
        Some(_) if rule.action != Action::Goto => return Err(invalid("Unexpected goto")),
        Some(to) if to <= rule.priority => return Err(invalid("Backward goto not supported")),
        None if rule.action == Action::Goto => return Err(invalid("Missing goto target for action goto")),
        target => rule.target = target.unwrap_or(0),
    }
    if rule.vrf && rule.table != 0 {
        return Err(invalid("l3mdev and table are mutually exclusive"));
    }
    if rule.uids.is_some_and(|(from, to)| from > to || from == u32::MAX || to == u32::MAX) {
        return Err(invalid("Invalid uid range"));
    }
    let bad = |range: Option<(u16, u16)>| {
        range.is_some_and(|(from, to)| from == 0 || to == 0 || from > to || from == 0xffff || to == 0xffff)
    };
    if bad(rule.source_ports) {
        return Err(invalid("Invalid sport range"));
    }
    if bad(rule.destination_ports) {
        return Err(invalid("Invalid dport range"));
    }
    Ok((rule, priority.is_some()))
}

/// The family whose rules these are.
fn family<F: Ruled>(_: &F) -> AddressFamily {
    if F::IPV6 { AddressFamily::Inet6 } else { AddressFamily::Inet }
}

/// The prefix of a selector, `None` inside where its length is 0; `None` where it is no prefix of the family.
fn prefix<F: Ruled>(_: &F, address: Option<IpAddr>, length: u8) -> Option<Option<IpPrefix>> {
    match (length, address) {
        (0, _) => Some(None),
        (1..=32, Some(address @ IpAddr::V4(_))) if !F::IPV6 => Some(Some(IpPrefix { address, length })),
        (1..=128, Some(address @ IpAddr::V6(_))) if F::IPV6 => Some(Some(IpPrefix { address, length })),
        _ => None,
    }
}

/// `fib4_rule_configure`, `fib6_rule_configure`
fn check_tos<F: Ruled>(_: &F, tos: u8) -> Result<(), Failure> {
    match tos {
        tos if tos & 0x03 != 0 => Err(invalid("Invalid dsfield (tos): ECN bits must be 0")),
        tos if tos & !0x1e != 0 && !F::IPV6 => Err(invalid("Invalid tos")),
        _ => Ok(()),
    }
}

fn invalid(text: &str) -> Failure {
    Failure::with_text(Errno::EINVAL, text)
}
