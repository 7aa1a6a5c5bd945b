//! A rule as text or JSON.

use std::net::IpAddr;

use hairpin_netlink::core::Nla;
use hairpin_netlink::route::route::RouteRealm;
use hairpin_netlink::route::rule::{
    RuleAction, RuleAttribute, RuleFlags, RuleMessage, RulePortRange, RuleUidRange,
};

use crate::ip::rt_names::{ip_protocol_name, route_type_name};
use crate::iproute2::inet::{AF_INET, AF_INET6, family_of};
use crate::iproute2::names::Table;
use crate::iproute2::{Color, Context, Value};

const RTPROT_KERNEL: u8 = 2;
/// `RTN_NAT` as an action, and `RTA_GATEWAY` as its attribute: address translation by rules is history.
const NAT: RuleAction = RuleAction::Other(10);
const RTA_GATEWAY: u16 = 5;

/// A rule's attributes, found by kind.
#[derive(Default)]
struct View<'a> {
    priority: u32,
    source: Option<IpAddr>,
    destination: Option<IpAddr>,
    mark: Option<u32>,
    mask: Option<u32>,
    iif: Option<&'a str>,
    oif: Option<&'a str>,
    l3mdev: bool,
    users: Option<RuleUidRange>,
    ip_protocol: Option<u8>,
    source_ports: Option<RulePortRange>,
    destination_ports: Option<RulePortRange>,
    tunnel: Option<u64>,
    table: u32,
    suppressed_length: Option<u32>,
    suppressed_group: Option<u32>,
    realm: Option<RouteRealm>,
    nat: Option<[u8; 4]>,
    target: Option<u32>,
    protocol: Option<u8>,
}

impl<'a> View<'a> {
    fn new(rule: &'a RuleMessage) -> Self {
        let mut view = View { table: rule.header.table.into(), ..View::default() };
        for attribute in &rule.attributes {
            match attribute {
                RuleAttribute::Priority(n) => view.priority = *n,
                RuleAttribute::Source(a) => view.source = Some(*a),
                RuleAttribute::Destination(a) => view.destination = Some(*a),
                RuleAttribute::FwMark(n) => view.mark = Some(*n),
                RuleAttribute::FwMask(n) => view.mask = Some(*n),
                RuleAttribute::Iifname(name) => view.iif = Some(name),
                RuleAttribute::Oifname(name) => view.oif = Some(name),
                RuleAttribute::L3MDev(set) => view.l3mdev = *set,
                RuleAttribute::UidRange(range) => view.users = Some(*range),
                RuleAttribute::IpProtocol(id) => view.ip_protocol = Some(u8::from(*id)),
                RuleAttribute::SourcePortRange(range) => view.source_ports = Some(*range),
                RuleAttribute::DestinationPortRange(range) => view.destination_ports = Some(*range),
                RuleAttribute::TunId(n) => view.tunnel = Some(*n),
                RuleAttribute::Table(n) => view.table = *n,
                RuleAttribute::SuppressPrefixLen(n) => view.suppressed_length = Some(*n),
                RuleAttribute::SuppressIfGroup(n) => view.suppressed_group = Some(*n),
                RuleAttribute::Realm(realm) => view.realm = Some(*realm),
                RuleAttribute::Goto(n) => view.target = Some(*n),
                RuleAttribute::Protocol(id) => view.protocol = Some(u8::from(*id)),
                RuleAttribute::Other(nla) if nla.kind() == RTA_GATEWAY && nla.value_len() == 4 => {
                    let mut octets = [0; 4];
                    nla.emit_value(&mut octets);
                    view.nat = Some(octets);
                }
                _ => {}
            }
        }
        view
    }
}

/// Prints one rule.
pub(super) fn print_rule(ctx: &mut Context<'_>, rule: &RuleMessage, deleted: bool) {
    let view = View::new(rule);
    let header = &rule.header;
    let flags = header.flags;

    ctx.print.open_object(None);
    if deleted {
        ctx.print.any("deleted", true, format_args!("Deleted "));
    }
    ctx.print.any("priority", view.priority, format_args!("{}:\t", view.priority));
    if flags.contains(RuleFlags::Invert) {
        ctx.print.any("not", Value::Null, format_args!("not "));
    }
    let family = header.family.into();
    if view.source.is_none() && header.src_len == 0 {
        ctx.print.any("src", "all", format_args!("from all"));
    } else {
        print_prefix(ctx, family, ("src", "srclen", "from "), view.source, header.src_len);
    }
    if view.destination.is_some() || header.dst_len != 0 {
        print_prefix(ctx, family, ("dst", "dstlen", " to "), view.destination, header.dst_len);
    }
    if header.tos != 0 {
        let name = ctx.name_of(Table::DsField, header.tos.into());
        ctx.print.any("tos", &name, format_args!(" tos {name}"));
    }
    print_mark(ctx, &view);
    print_interface(ctx, "iif", view.iif, flags.contains(RuleFlags::IifDetached));
    print_interface(ctx, "oif", view.oif, flags.contains(RuleFlags::OifDetached));
    if view.l3mdev {
        ctx.print.any("l3mdev", Value::Null, format_args!(" lookup [l3mdev-table]"));
    }
    if let Some(range) = view.users {
        ctx.print.any("uid_start", range.start, format_args!(" uidrange {}", range.start));
        ctx.print.any("uid_end", range.end, format_args!("-{}", range.end));
    }
    if let Some(id) = view.ip_protocol {
        let name = ip_protocol_name(id, ctx.options.numeric);
        ctx.print.any("ipproto", &name, format_args!(" ipproto {name}"));
    }
    print_ports(ctx, "sport", view.source_ports);
    print_ports(ctx, "dport", view.destination_ports);
    if let Some(id) = view.tunnel {
        ctx.print.any("tun_id", id, format_args!(" tun_id {id}"));
    }
    print_table(ctx, &view);
    if let Some(realm) = view.realm {
        print_realms(ctx, realm);
    }
    print_action(ctx, header.action, flags, &view);
    if let Some(id) = view.protocol
        && ((id != 0 && id != RTPROT_KERNEL) || ctx.options.details > 0)
    {
        let name = ctx.name_of(Table::Protocol, id.into());
        ctx.print.any("protocol", &name, format_args!(" proto {name}"));
    }
    ctx.print.text(format_args!("\n"));
    ctx.print.close_object();
}

/// An address with the length of its prefix, unless that is the whole address.
fn print_prefix(
    ctx: &mut Context<'_>,
    family: u8,
    (key, length_key, word): (&str, &str, &str),
    address: Option<IpAddr>,
    length: u8,
) {
    let whole = match family {
        AF_INET => 32,
        AF_INET6 => 128,
        _ => 0,
    };
    let text = address.map_or_else(|| "0".to_owned(), |address| address.to_string());
    let color = address.map_or(Color::None, |address| Color::family(family_of(address)));
    ctx.print.text(format_args!("{word}"));
    ctx.print.colored(color, key, &text, format_args!("{text}"));
    if address.is_none() || length != whole {
        ctx.print.any(length_key, length, format_args!("/{length}"));
    }
}

fn print_mark(ctx: &mut Context<'_>, view: &View<'_>) {
    if view.mark.is_none() && view.mask.is_none() {
        return;
    }
    let mark = alternate_hex(view.mark.unwrap_or(0));
    ctx.print.any("fwmark", &mark, format_args!(" fwmark {mark}"));
    if let Some(mask) = view.mask.filter(|mask| *mask != u32::MAX) {
        let mask = alternate_hex(mask);
        ctx.print.any("fwmask", &mask, format_args!("/{mask}"));
    }
}

/// `%#x`: zero has no prefix.
fn alternate_hex(number: u32) -> String {
    if number == 0 { "0".to_owned() } else { format!("{number:#x}") }
}

fn print_interface(ctx: &mut Context<'_>, key: &str, name: Option<&str>, detached: bool) {
    let Some(name) = name else { return };
    ctx.print.text(format_args!(" {key} "));
    ctx.print.colored(Color::InterfaceName, key, name, format_args!("{name}"));
    if detached {
        ctx.print.any(&format!("{key}_detached"), Value::Null, format_args!(" [detached]"));
    }
}

fn print_ports(ctx: &mut Context<'_>, key: &str, range: Option<RulePortRange>) {
    let Some(RulePortRange { start, end }) = range else { return };
    if start == end {
        ctx.print.any(key, start, format_args!(" {key} {start}"));
    } else {
        ctx.print.any(&format!("{key}_start"), start, format_args!(" {key} {start}"));
        ctx.print.any(&format!("{key}_end"), end, format_args!("-{end}"));
    }
}

fn print_table(ctx: &mut Context<'_>, view: &View<'_>) {
    if view.table == 0 {
        return;
    }
    let name = ctx.name_of(Table::RouteTable, view.table);
    ctx.print.any("table", &name, format_args!(" lookup {name}"));
    if let Some(length) = view.suppressed_length.filter(|length| *length != u32::MAX) {
        let length = length.cast_signed();
        ctx.print.any("suppress_prefixlen", length, format_args!(" suppress_prefixlength {length}"));
    }
    if let Some(group) = view.suppressed_group.filter(|group| *group != u32::MAX) {
        let name = ctx.name_of(Table::Group, group);
        ctx.print.any("suppress_ifgroup", &name, format_args!(" suppress_ifgroup {name}"));
    }
}

fn print_realms(ctx: &mut Context<'_>, realm: RouteRealm) {
    if realm.source == 0 {
        ctx.print.text(format_args!(" realms "));
    } else {
        let from = ctx.name_of(Table::Realm, realm.source.into());
        ctx.print.any("flow_from", &from, format_args!(" realms {from}/"));
    }
    let to = ctx.name_of(Table::Realm, realm.destination.into());
    ctx.print.any("flow_to", &to, format_args!("{to}"));
}

fn print_action(ctx: &mut Context<'_>, action: RuleAction, flags: RuleFlags, view: &View<'_>) {
    match action {
        RuleAction::ToTable => {}
        RuleAction::Goto => {
            match view.target {
                Some(target) => ctx.print.any("goto", target, format_args!(" goto {target}")),
                None => ctx.print.any("goto", "none", format_args!(" goto none")),
            }
            if flags.contains(RuleFlags::Unresolved) {
                ctx.print.any("unresolved", Value::Null, format_args!(" [unresolved]"));
            }
        }
        RuleAction::Nop => ctx.print.any("nop", Value::Null, format_args!(" nop")),
        NAT => match view.nat {
            Some(octets) => {
                let gateway = IpAddr::from(octets).to_string();
                ctx.print.any("nat_gateway", &gateway, format_args!(" map-to {gateway}"));
            }
            None => ctx.print.any("masquerade", Value::Null, format_args!(" masquerade")),
        },
        other => {
            let name = route_type_name(other.into(), ctx.options.numeric);
            ctx.print.any("action", &name, format_args!(" {name}"));
        }
    }
}
