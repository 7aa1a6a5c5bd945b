//! Which rules a listing or flush is about.

use std::net::IpAddr;

use hairpin_netlink::route::rule::{RuleAttribute, RuleFlags, RuleMessage};

use super::{port_range, uid_range};
use crate::ip::rt_names::ip_protocol_id;
use crate::iproute2::inet::{AF_INET, Prefix, get_prefix};
use crate::iproute2::links::is_ifname;
use crate::iproute2::names::Table;
use crate::iproute2::number::{get_u32, get_u64};
use crate::iproute2::{Args, Context, Stop, matches};

/// The selectors of `ip rule list`. What is `None` or 0 selects nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    /// That of the options.
    family: u8,
    inverted: bool,
    l3mdev: bool,
    table: u32,
    tos: Option<u8>,
    preference: Option<u32>,
    mark: u32,
    mask: u32,
    tunnel: u64,
    iif: Option<String>,
    oif: Option<String>,
    users: Option<(u32, u32)>,
    source: Option<Prefix>,
    destination: Option<Prefix>,
    /// Only a flush selects by it.
    protocol: Option<u8>,
    source_ports: (u16, u16),
    destination_ports: (u16, u16),
    ip_protocol: u8,
}

/// The attributes of a rule by which it may be selected.
#[derive(Default)]
struct Found<'a> {
    preference: u32,
    source: Option<IpAddr>,
    destination: Option<IpAddr>,
    table: Option<u32>,
    mark: u32,
    mask: u32,
    tunnel: Option<u64>,
    iif: Option<&'a str>,
    oif: Option<&'a str>,
    l3mdev: bool,
    users: Option<(u32, u32)>,
    protocol: Option<u8>,
    source_ports: Option<(u16, u16)>,
    destination_ports: Option<(u16, u16)>,
    ip_protocol: u8,
}

impl<'a> Found<'a> {
    fn new(rule: &'a RuleMessage) -> Self {
        let mut found = Found::default();
        for attribute in &rule.attributes {
            match attribute {
                RuleAttribute::Priority(n) => found.preference = *n,
                RuleAttribute::Source(a) => found.source = Some(*a),
                RuleAttribute::Destination(a) => found.destination = Some(*a),
                RuleAttribute::Table(n) => found.table = Some(*n),
                RuleAttribute::FwMark(n) => found.mark = *n,
                RuleAttribute::FwMask(n) => found.mask = *n,
                RuleAttribute::TunId(n) => found.tunnel = Some(*n),
                RuleAttribute::Iifname(name) => found.iif = Some(name),
                RuleAttribute::Oifname(name) => found.oif = Some(name),
                RuleAttribute::L3MDev(set) => found.l3mdev = *set,
                RuleAttribute::UidRange(r) => found.users = Some((r.start, r.end)),
                RuleAttribute::Protocol(id) => found.protocol = Some((*id).into()),
                RuleAttribute::SourcePortRange(r) => found.source_ports = Some((r.start, r.end)),
                RuleAttribute::DestinationPortRange(r) => found.destination_ports = Some((r.start, r.end)),
                RuleAttribute::IpProtocol(id) => found.ip_protocol = u8::from(*id),
                _ => {}
            }
        }
        found
    }
}

impl Filter {
    /// The family whose rules are asked for.
    pub(super) fn dump_family(&self) -> u8 {
        if self.family == 0 { AF_INET } else { self.family }
    }

    pub(super) fn takes(&self, rule: &RuleMessage) -> bool {
        let header = &rule.header;
        let found = Found::new(rule);
        let family = u8::from(header.family);
        let prefix = |wanted: Option<Prefix>, address: Option<IpAddr>, length: u8| {
            wanted.filter(|wanted| wanted.family != 0).is_none_or(|wanted| {
                wanted.family == family
                    && wanted.length <= length
                    && address.is_none_or(|address| wanted.contains(address))
            })
        };
        let ports = |wanted: (u16, u16), found| wanted.0 == 0 || Some(wanted) == found;
        (self.family == 0 || self.family == family)
            && self.preference.is_none_or(|preference| preference == found.preference)
            && (!self.inverted || header.flags.contains(RuleFlags::Invert))
            && prefix(self.source, found.source, header.src_len)
            && prefix(self.destination, found.destination, header.dst_len)
            && self.tos.is_none_or(|tos| tos == header.tos)
            && (self.mark == 0 || self.mark == found.mark)
            && (self.mask == 0 || self.mask == found.mask)
            && (self.iif.is_none() || self.iif.as_deref() == found.iif)
            && (self.oif.is_none() || self.oif.as_deref() == found.oif)
            && (!self.l3mdev || found.l3mdev)
            && (self.users.is_none() || self.users == found.users)
            && (self.ip_protocol == 0 || self.ip_protocol == found.ip_protocol)
            && ports(self.source_ports, found.source_ports)
            && ports(self.destination_ports, found.destination_ports)
            && (self.tunnel == 0 || Some(self.tunnel) == found.tunnel)
            && (self.table == 0 || self.table == found.table.unwrap_or(header.table.into()))
    }

    /// Whether a flush deletes the rule: it has a priority, and the protocol that was asked for.
    pub(super) fn flushes(&self, rule: &RuleMessage) -> bool {
        let protocol = Found::new(rule).protocol;
        rule.attributes.iter().any(|attribute| matches!(attribute, RuleAttribute::Priority(_)))
            && self.protocol.is_none_or(|wanted| protocol.is_none_or(|protocol| protocol == wanted))
    }
}

/// Reads the selectors of a listing or flush.
pub(super) fn parse(ctx: &mut Context<'_>, mut args: Args<'_>) -> Result<Filter, Stop> {
    let mut filter = Filter { family: ctx.options.family, ..Filter::default() };
    let family = filter.dump_family();
    while let Some(word) = args.take() {
        if ["preference", "order", "priority"].iter().any(|known| matches(word, known)) {
            filter.preference = Some(number(args.value()?, "preference value is invalid\n")?);
        } else if word == "not" {
            filter.inverted = true;
        } else if word == "tos" || word == "dsfield" {
            let value = args.value()?;
            filter.tos = Some(byte(ctx, Table::DsField, value, "TOS value is invalid\n")?);
        } else if word == "fwmark" {
            let (mark, mask) = parse_mark(args.value()?)?;
            (filter.mark, filter.mask) = (mark, mask.unwrap_or(filter.mask));
        } else if word == "dev" || word == "iif" {
            filter.iif = Some(interface(args.value()?, "\"iif\"/\"dev\" not a valid ifname")?);
        } else if word == "oif" {
            filter.oif = Some(interface(args.value()?, "\"oif\" not a valid ifname")?);
        } else if word == "l3mdev" {
            filter.l3mdev = true;
        } else if word == "uidrange" {
            let value = args.value()?;
            let users = uid_range(value).ok_or_else(|| Stop::invarg("invalid UID range\n", value))?;
            filter.users = Some(users);
        } else if matches(word, "tun_id") {
            let value = args.value()?;
            filter.tunnel =
                get_u64(value, 0).ok_or_else(|| Stop::invarg("\"tun_id\" value is invalid\n", value))?;
        } else if matches(word, "lookup") || matches(word, "table") {
            let value = args.value()?;
            let table = ctx.id_of(Table::RouteTable, value);
            filter.table = table.ok_or_else(|| Stop::invarg("table id value is invalid\n", value))?;
        } else if matches(word, "from") || matches(word, "src") {
            filter.source = Some(get_prefix(args.value()?, family)?);
        } else if matches(word, "protocol") {
            let value = args.value()?;
            filter.protocol = match byte(ctx, Table::Protocol, value, "invalid \"protocol\"\n") {
                Err(_) if value == "all" => None,
                other => Some(other?),
            };
        } else if word == "ipproto" {
            filter.ip_protocol = ip_protocol(args.value()?)?;
        } else if word == "sport" {
            filter.source_ports = ports(args.value()?, "invalid port range\n")?;
        } else if word == "dport" {
            filter.destination_ports = ports(args.value()?, "invalid dport range\n")?;
        } else {
            let word = if matches(word, "dst") || matches(word, "to") { args.value()? } else { word };
            filter.destination = Some(get_prefix(word, family)?);
        }
    }
    Ok(filter)
}

/// `MARK[/MASK]`
pub(super) fn parse_mark(text: &str) -> Result<(u32, Option<u32>), Stop> {
    match text.split_once('/') {
        Some((mark, mask)) => {
            Ok((number(mark, "fwmark value is invalid\n")?, Some(number(mask, "fwmask value is invalid\n")?)))
        }
        None => Ok((number(text, "fwmark value is invalid\n")?, None)),
    }
}

pub(super) fn number(text: &str, message: &str) -> Result<u32, Stop> {
    get_u32(text, 0).ok_or_else(|| Stop::invarg(message, text))
}

/// A number below 256 with a name.
pub(super) fn byte(ctx: &mut Context<'_>, table: Table, text: &str, message: &str) -> Result<u8, Stop> {
    let id = ctx.id_of(table, text).and_then(|id| u8::try_from(id).ok());
    id.ok_or_else(|| Stop::invarg(message, text))
}

pub(super) fn interface(text: &str, message: &str) -> Result<String, Stop> {
    if is_ifname(text) { Ok(text.to_owned()) } else { Err(Stop::invarg(message, text)) }
}

pub(super) fn ip_protocol(text: &str) -> Result<u8, Stop> {
    ip_protocol_id(text).ok_or_else(|| Stop::invarg("Invalid \"ipproto\" value\n", text))
}

pub(super) fn ports(text: &str, message: &str) -> Result<(u16, u16), Stop> {
    port_range(text).ok_or_else(|| Stop::invarg(message, text))
}
