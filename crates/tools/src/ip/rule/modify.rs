//! `ip rule add` and `ip rule delete`.

use std::net::{IpAddr, Ipv4Addr};

use hairpin_netlink::Message;
use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_ECHO, NLM_F_EXCL};
use hairpin_netlink::core::DefaultNla;
use hairpin_netlink::route::IpProtocol;
use hairpin_netlink::route::route::RouteRealm;
use hairpin_netlink::route::rule::{
    RuleAction, RuleAttribute, RuleFlags, RuleMessage, RulePortRange, RuleUidRange,
};

use super::filter::{byte, interface, ip_protocol, number, parse_mark, ports};
use super::print::print_rule;
use super::{uid_range, usage};
use crate::ip::rt_names::{realms, route_type_id};
use crate::iproute2::inet::{AF_INET, get_prefix, octets, parse_addr};
use crate::iproute2::names::Table;
use crate::iproute2::number::{get_i32, get_u64};
use crate::iproute2::{Args, Context, Stop, matches};

const RT_TABLE_MAIN: u8 = 254;
const RTA_GATEWAY: u16 = 5;
const RTN_NAT: u8 = 10;

/// Adds a rule, or deletes one.
pub(super) fn main(ctx: &mut Context<'_>, adds: bool, mut args: Args<'_>) -> Result<(), Stop> {
    if args.is_empty() {
        let command = if adds { "add" } else { "del" };
        return Err(Stop::fail(1, format!("\"ip rule {command}\" requires arguments.\n")));
    }
    let family = ctx.options.family;
    let mut draft = Draft { rule: RuleMessage::default(), table: None, l3mdev: false, decided: false };
    if adds {
        draft.rule.header.action = RuleAction::ToTable;
    }
    while let Some(word) = args.take() {
        draft.take(ctx, family, word, &mut args)?;
    }
    if draft.l3mdev && draft.table.is_some_and(|table| table != 0) {
        return Err(Stop::fail(22, "table can not be specified for l3mdev rules\n"));
    }
    let mut rule = draft.rule;
    rule.header.family = if family == 0 { AF_INET } else { family }.into();
    if adds && !draft.decided {
        rule.header.table = RT_TABLE_MAIN;
    }
    let (message, flags) =
        if adds { (Message::NewRule(rule), NLM_F_CREATE | NLM_F_EXCL) } else { (Message::DelRule(rule), 0) };
    if !ctx.options.echo {
        return ctx.talk(&message, flags).map(drop);
    }
    let answer = ctx.talk(&message, flags | NLM_F_ECHO)?;
    // As in iproute2 6.1, whose JSON has one brace too many here.
    ctx.begin();
    ctx.print.open_object(None);
    for message in &answer {
        match message {
            Message::NewRule(rule) => print_rule(ctx, rule, false),
            Message::DelRule(rule) => print_rule(ctx, rule, true),
            _ => {}
        }
    }
    ctx.print.close_object();
    ctx.end();
    Ok(())
}

/// A rule as far as it has been read.
struct Draft {
    rule: RuleMessage,
    table: Option<u32>,
    l3mdev: bool,
    /// A table or another action was given.
    decided: bool,
}

impl Draft {
    fn take(
        &mut self,
        ctx: &mut Context<'_>,
        family: u8,
        word: &str,
        args: &mut Args<'_>,
    ) -> Result<(), Stop> {
        let header = &mut self.rule.header;
        let attributes = &mut self.rule.attributes;
        if word == "not" {
            header.flags |= RuleFlags::Invert;
        } else if word == "from" {
            let prefix = get_prefix(args.value()?, family)?;
            header.src_len = prefix.length;
            attributes.extend(prefix.address.map(RuleAttribute::Source));
        } else if word == "to" {
            let prefix = get_prefix(args.value()?, family)?;
            header.dst_len = prefix.length;
            attributes.extend(prefix.address.map(RuleAttribute::Destination));
        } else if ["preference", "order", "priority"].iter().any(|known| matches(word, known)) {
            let preference = number(args.value()?, "preference value is invalid\n")?;
            attributes.push(RuleAttribute::Priority(preference));
        } else if word == "tos" || matches(word, "dsfield") {
            header.tos = byte(ctx, Table::DsField, args.value()?, "TOS value is invalid\n")?;
        } else if word == "fwmark" {
            let (mark, mask) = parse_mark(args.value()?)?;
            attributes.push(RuleAttribute::FwMark(mark));
            attributes.extend(mask.map(RuleAttribute::FwMask));
        } else if matches(word, "realms") {
            let value = args.value()?;
            let realms = realms(ctx, value).ok_or_else(|| Stop::invarg("invalid realms\n", value))?;
            let (source, destination) = ((realms >> 16) as u16, (realms & 0xffff) as u16);
            attributes.push(RuleAttribute::Realm(RouteRealm { source, destination }));
        } else if matches(word, "protocol") {
            let id = byte(ctx, Table::Protocol, args.value()?, "\"protocol\" value is invalid\n")?;
            attributes.push(RuleAttribute::Protocol(id.into()));
        } else if matches(word, "tun_id") {
            let value = args.value()?;
            let id = get_u64(value, 0);
            let id = id.ok_or_else(|| Stop::invarg("\"tun_id\" value is invalid\n", value))?;
            attributes.push(RuleAttribute::TunId(id));
        } else if matches(word, "table") || word == "lookup" {
            let value = args.value()?;
            let table = ctx.id_of(Table::RouteTable, value);
            let table = table.ok_or_else(|| Stop::invarg("invalid table ID\n", value))?;
            match u8::try_from(table) {
                Ok(table) => header.table = table,
                // Larger numbers have an attribute of their own.
                Err(_) => {
                    header.table = 0;
                    attributes.push(RuleAttribute::Table(table));
                }
            }
            self.table = Some(table);
            self.decided = true;
        } else if matches(word, "suppress_prefixlength") || word == "sup_pl" {
            let value = args.value()?;
            let length = get_i32(value, 0).and_then(|length| u32::try_from(length).ok());
            let invalid = || Stop::invarg("suppress_prefixlength value is invalid\n", value);
            attributes.push(RuleAttribute::SuppressPrefixLen(length.ok_or_else(invalid)?));
        } else if matches(word, "suppress_ifgroup") || word == "sup_group" {
            let value = args.value()?;
            let group = ctx.id_of(Table::Group, value);
            let invalid = || Stop::invarg("Invalid \"suppress_ifgroup\" value\n", value);
            attributes.push(RuleAttribute::SuppressIfGroup(group.ok_or_else(invalid)?));
        } else if word == "dev" || word == "iif" {
            let name = interface(args.value()?, "\"iif\"/\"dev\" not a valid ifname")?;
            attributes.push(RuleAttribute::Iifname(name));
        } else if word == "oif" {
            let name = interface(args.value()?, "\"oif\" not a valid ifname")?;
            attributes.push(RuleAttribute::Oifname(name));
        } else if word == "l3mdev" {
            attributes.push(RuleAttribute::L3MDev(true));
            self.l3mdev = true;
            self.decided = true;
        } else if word == "uidrange" {
            let value = args.value()?;
            let range = uid_range(value).ok_or_else(|| Stop::invarg("invalid UID range\n", value))?;
            attributes.push(RuleAttribute::UidRange(RuleUidRange { start: range.0, end: range.1 }));
        } else if word == "nat" || matches(word, "map-to") {
            let value = args.value()?;
            ctx.complain("Warning: route NAT is deprecated\n");
            let bytes = octets(nat_address(value)?);
            attributes.push(RuleAttribute::Other(DefaultNla::new(RTA_GATEWAY, bytes)));
            header.action = RuleAction::Other(RTN_NAT);
        } else if word == "ipproto" {
            let id = ip_protocol(args.value()?)?;
            attributes.push(RuleAttribute::IpProtocol(IpProtocol::from(id)));
        } else if word == "sport" {
            let (start, end) = ports(args.value()?, "invalid port range\n")?;
            attributes.push(RuleAttribute::SourcePortRange(RulePortRange { start, end }));
        } else if word == "dport" {
            let (start, end) = ports(args.value()?, "invalid dport range\n")?;
            attributes.push(RuleAttribute::DestinationPortRange(RulePortRange { start, end }));
        } else {
            self.take_action(word, args)?;
        }
        Ok(())
    }

    /// `[type] goto N`, `nop` or a route type.
    fn take_action(&mut self, word: &str, args: &mut Args<'_>) -> Result<(), Stop> {
        let word = if word == "type" { args.value()? } else { word };
        self.rule.header.action = if matches(word, "help") {
            return Err(usage());
        } else if matches(word, "goto") {
            let target = number(args.value()?, "invalid target\n")?;
            self.rule.attributes.push(RuleAttribute::Goto(target));
            RuleAction::Goto
        } else if matches(word, "nop") {
            RuleAction::Nop
        } else {
            let kind = route_type_id(word);
            kind.ok_or_else(|| Stop::invarg("Failed to parse rule type", word))?.into()
        };
        self.decided = true;
        Ok(())
    }
}

/// `all` and `any` are the address of zeros here.
fn nat_address(text: &str) -> Result<IpAddr, Stop> {
    match parse_addr(text, AF_INET) {
        Some(prefix) => Ok(prefix.address.unwrap_or(Ipv4Addr::UNSPECIFIED.into())),
        None => Err(Stop::exit(1, format!("Error: an IP address is expected rather than \"{text}\"\n"))),
    }
}
