//! `ip route add`, `change`, `replace`, `prepend`, `append`, `test` and `delete`.

use hairpin_netlink::Message;
use hairpin_netlink::codec::NLM_F_ECHO;
use hairpin_netlink::route::link::{InfoData, InfoVrf, LinkAttribute, LinkInfo, LinkMessage};
use hairpin_netlink::route::route::{
    RouteAttribute, RouteFlags, RouteMessage, RouteMplsTtlPropagation, RouteNextHop, RouteNextHopFlags,
    RouteRealm,
};

use super::encap;
use super::filter::Filter;
use super::metrics::Metrics;
use super::print::print_route;
use super::show::{byte, is_metric};
use super::{RT_SCOPE_UNIVERSE, RT_TABLE_LOCAL, RT_TABLE_MAIN, RTPROT_BOOT, usage};
use crate::ip::rt_names::{realms, route_type_id};
use crate::iproute2::inet::{AF_INET, AF_INET6, AF_MPLS, get_addr, get_prefix, read_family};
use crate::iproute2::names::Table;
use crate::iproute2::number::{get_u8, get_u32};
use crate::iproute2::{Args, Context, Stop, matches};

const RT_SCOPE_LINK: u8 = 253;
const RT_SCOPE_HOST: u8 = 254;
const RT_SCOPE_NOWHERE: u8 = 255;

const RTN_UNSPEC: u8 = 0;
const RTN_UNICAST: u8 = 1;
const RTN_LOCAL: u8 = 2;
const RTN_BROADCAST: u8 = 3;
const RTN_ANYCAST: u8 = 4;
const RTN_MULTICAST: u8 = 5;
const RTN_NAT: u8 = 10;

/// What is done with the route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Add {
        /// `NLM_F_CREATE`, `NLM_F_EXCL`, …
        flags: u16,
    },
    Delete,
}

/// A route as far as it has been read.
struct Draft {
    change: Change,
    family: u8,
    kind: u8,
    protocol: u8,
    scope: Option<u8>,
    /// `None` where the type decides.
    table: Option<u32>,
    tos: u8,
    flags: RouteFlags,
    destination_length: Option<u8>,
    source_length: u8,
    attributes: Vec<RouteAttribute>,
    metrics: Metrics,
    has_gateway: bool,
    has_nexthop_id: bool,
}

pub(super) fn main(ctx: &mut Context<'_>, change: Change, mut args: Args<'_>) -> Result<(), Stop> {
    let adds = change != Change::Delete;
    let mut draft = Draft {
        change,
        family: ctx.options.family,
        kind: if adds { RTN_UNICAST } else { RTN_UNSPEC },
        protocol: if adds { RTPROT_BOOT } else { 0 },
        scope: None,
        table: None,
        tos: 0,
        flags: RouteFlags::empty(),
        destination_length: None,
        source_length: 0,
        attributes: Vec::new(),
        metrics: Metrics::default(),
        has_gateway: false,
        has_nexthop_id: false,
    };
    let mut device = None;
    let mut multipath = false;
    while let Some(word) = args.take() {
        if word == "dev" || word == "oif" {
            device = Some(args.value()?);
        } else if word == "nexthop" {
            multipath = true;
            break;
        } else {
            draft.take(ctx, word, &mut args)?;
        }
    }
    if draft.destination_length.is_none() {
        return Err(usage());
    }
    if let Some(name) = device {
        draft.attributes.push(RouteAttribute::Oif(ctx.require_link(name)?));
    }
    let metrics = std::mem::take(&mut draft.metrics).finish();
    draft.attributes.extend(metrics.map(RouteAttribute::Metrics));
    if multipath {
        let hops = draft.next_hops(ctx, &mut args)?;
        draft.attributes.push(RouteAttribute::MultiPath(hops));
    }
    send(ctx, change, draft.finish(multipath))
}

/// The table of a VRF device; `default` is the main table's VRF.
pub(in crate::ip) fn vrf_table(ctx: &mut Context<'_>, name: &str) -> Option<u32> {
    let mut request = LinkMessage::default();
    request.attributes.push(LinkAttribute::IfName(name.to_owned()));
    let Ok(answer) = ctx.talk_quietly(&Message::GetLink(request), 0) else {
        return (name == "default").then_some(RT_TABLE_MAIN);
    };
    let infos = answer.iter().filter_map(|message| match message {
        Message::NewLink(link) => Some(&link.attributes),
        _ => None,
    });
    infos.flatten().find_map(|attribute| match attribute {
        LinkAttribute::LinkInfo(infos) => infos.iter().find_map(|info| match info {
            LinkInfo::Data(InfoData::Vrf(data)) => data.iter().find_map(|item| match item {
                InfoVrf::TableId(table) => Some(*table),
                _ => None,
            }),
            _ => None,
        }),
        _ => None,
    })
}

fn send(ctx: &mut Context<'_>, change: Change, message: RouteMessage) -> Result<(), Stop> {
    let (message, flags) = match change {
        Change::Add { flags } => (Message::NewRoute(message), flags),
        Change::Delete => (Message::DelRoute(message), 0),
    };
    if !ctx.options.echo {
        return ctx.talk(&message, flags).map(drop);
    }
    let answer = ctx.talk(&message, flags | NLM_F_ECHO)?;
    let filter = Filter::everything();
    // As in iproute2 6.1, whose JSON has one brace too many here.
    ctx.begin();
    ctx.print.open_object(None);
    for message in &answer {
        match message {
            Message::NewRoute(route) => print_route(ctx, &filter, route, false),
            Message::DelRoute(route) => print_route(ctx, &filter, route, true),
            _ => {}
        }
    }
    ctx.print.close_object();
    ctx.end();
    Ok(())
}

impl Draft {
    /// Takes one keyword with its value, or the destination.
    fn take(&mut self, ctx: &mut Context<'_>, word: &str, args: &mut Args<'_>) -> Result<(), Stop> {
        if word == "src" {
            let prefix = get_addr(args.value()?, self.family)?;
            self.adopt_family(prefix.family);
            self.attributes.extend(prefix.address.map(|a| RouteAttribute::PrefSource(a.into())));
        } else if word == "as" {
            args.take_if("to");
            let prefix = get_addr(args.value()?, self.family)?;
            self.adopt_family(prefix.family);
            let address = prefix.address.map(|a| RouteAttribute::NewDestinationAddress(a.into()));
            self.attributes.extend(address);
        } else if word == "via" {
            if self.has_gateway {
                return Err(Stop::invarg("use nexthop syntax to specify multiple via\n", word));
            }
            self.has_gateway = true;
            let gateway = self.gateway(args)?;
            self.attributes.extend(gateway);
        } else if word == "from" {
            let prefix = get_prefix(args.value()?, self.family)?;
            self.adopt_family(prefix.family);
            self.attributes.extend(prefix.address.map(|a| RouteAttribute::Source(a.into())));
            self.source_length = prefix.length;
        } else if word == "tos" || matches(word, "dsfield") {
            self.tos = byte(ctx, Table::DsField, args.value()?, "\"tos\" value is invalid\n")?;
        } else if word == "expires" {
            let seconds = number(args.value()?, "\"expires\" value is invalid\n")?;
            self.attributes.push(RouteAttribute::Expires(seconds));
        } else if is_metric(word) {
            let metric = number(args.value()?, "\"metric\" value is invalid\n")?;
            self.attributes.push(RouteAttribute::Priority(metric));
        } else if word == "scope" {
            self.scope = Some(byte(ctx, Table::Scope, args.value()?, "invalid \"scope\" value\n")?);
        } else if self.metrics.take(word, args)? {
        } else if matches(word, "realms") {
            self.attributes.push(realm(ctx, args.value()?)?);
        } else if word == "onlink" {
            self.flags |= RouteFlags::Onlink;
        } else if word == "nhid" {
            let id = number(args.value()?, "\"id\" value is invalid\n")?;
            self.has_nexthop_id = id != 0;
            self.attributes.push(RouteAttribute::NhId(id));
        } else if matches(word, "protocol") {
            self.protocol = byte(ctx, Table::Protocol, args.value()?, "\"protocol\" value is invalid\n")?;
        } else if matches(word, "table") {
            let value = args.value()?;
            let table = ctx.id_of(Table::RouteTable, value);
            self.table = Some(table.ok_or_else(|| Stop::invarg("\"table\" value is invalid\n", value))?);
        } else if matches(word, "vrf") {
            let value = args.value()?;
            self.table = Some(vrf_table(ctx, value).ok_or_else(|| Stop::invarg("Invalid VRF\n", value))?);
        } else if matches(word, "pref") {
            let value = args.value()?;
            let preference = match value {
                "low" => 3,
                "medium" => 0,
                "high" => 1,
                _ => get_u8(value, 0).ok_or_else(|| Stop::invarg("\"pref\" value is invalid\n", value))?,
            };
            self.attributes.push(RouteAttribute::Preference(preference.into()));
        } else if word == "encap" {
            self.attributes.extend(encap::parse(ctx, args)?);
        } else if word == "ttl-propagate" {
            let value = args.value()?;
            let way = if matches(value, "enabled") {
                RouteMplsTtlPropagation::Enabled
            } else if matches(value, "disabled") {
                RouteMplsTtlPropagation::Disabled
            } else {
                return Err(Stop::invarg("\"ttl-propagate\" value is invalid\n", value));
            };
            self.attributes.push(RouteAttribute::TtlPropagate(way));
        } else {
            self.take_destination(word, args)?;
        }
        Ok(())
    }

    /// `[to] [TYPE] PREFIX`
    fn take_destination(&mut self, word: &str, args: &mut Args<'_>) -> Result<(), Stop> {
        let mut word = if word == "to" { args.value()? } else { word };
        if !word.starts_with(|c: char| c.is_ascii_digit())
            && let Some(kind) = route_type_id(word)
        {
            self.kind = kind;
            word = args.value()?;
        }
        if matches(word, "help") {
            return Err(usage());
        }
        if self.destination_length.is_some() {
            return Err(Stop::duparg2("to", word));
        }
        let prefix = get_prefix(word, self.family)?;
        self.adopt_family(prefix.family);
        self.destination_length = Some(prefix.length);
        self.attributes.extend(prefix.address.map(|a| RouteAttribute::Destination(a.into())));
        Ok(())
    }

    /// `[FAMILY] ADDRESS` behind `via`: the route's family, or another with its name.
    fn gateway(&mut self, args: &mut Args<'_>) -> Result<Option<RouteAttribute>, Stop> {
        let mut text = args.value()?;
        let mut family = self.family;
        if let Some(named) = read_family(text) {
            family = named;
            text = args.value()?;
        }
        let prefix = get_addr(text, family)?;
        self.adopt_family(prefix.family);
        Ok(prefix.address.map(|address| {
            if prefix.family == self.family {
                RouteAttribute::Gateway(address.into())
            } else {
                RouteAttribute::Via(address.into())
            }
        }))
    }

    /// `nexthop NH nexthop NH …`, the first `nexthop` taken already.
    fn next_hops(&mut self, ctx: &mut Context<'_>, args: &mut Args<'_>) -> Result<Vec<RouteNextHop>, Stop> {
        let mut hops = Vec::new();
        loop {
            if args.is_empty() {
                return Err(Stop::exit(255, "Error: unexpected end of line after \"nexthop\"\n"));
            }
            hops.push(self.next_hop(ctx, args)?);
            match args.take() {
                None => return Ok(hops),
                Some("nexthop") => {}
                Some(word) => {
                    let text =
                        format!("Error: \"nexthop\" or end of line is expected instead of \"{word}\"\n");
                    return Err(Stop::exit(255, text));
                }
            }
        }
    }

    fn next_hop(&mut self, ctx: &mut Context<'_>, args: &mut Args<'_>) -> Result<RouteNextHop, Stop> {
        let mut hop = RouteNextHop::default();
        while let Some(word) = args.peek() {
            let before = *args;
            args.take();
            if word == "via" {
                hop.attributes.extend(self.gateway(args)?);
            } else if word == "dev" {
                let name = args.value()?;
                hop.interface_index = ctx
                    .require_link(name)
                    .map_err(|stop| Stop::exit(255, format!("{}Error: cannot parse nexthop\n", stop.text)))?;
            } else if word == "weight" {
                let value = args.value()?;
                let weight = get_u32(value, 0).filter(|w| (1..=256).contains(w));
                let weight = weight.ok_or_else(|| Stop::invarg("\"weight\" is invalid\n", value))?;
                hop.hops = (weight - 1) as u8;
            } else if word == "onlink" {
                hop.flags |= RouteNextHopFlags::Onlink;
            } else if matches(word, "realms") {
                hop.attributes.push(realm(ctx, args.value()?)?);
            } else if word == "encap" {
                hop.attributes.extend(encap::parse(ctx, args)?);
            } else if word == "as" {
                args.take_if("to");
                let prefix = get_addr(args.value()?, self.family)?;
                let address = prefix.address.map(|a| RouteAttribute::NewDestinationAddress(a.into()));
                hop.attributes.extend(address);
            } else {
                *args = before;
                break;
            }
        }
        Ok(hop)
    }

    fn adopt_family(&mut self, family: u8) {
        if self.family == 0 {
            self.family = family;
        }
    }

    /// Fills in what was not given (ip/iproute.c:iproute_modify).
    fn finish(self, multipath: bool) -> RouteMessage {
        let family = if self.family == 0 { AF_INET } else { self.family };
        let mut message = RouteMessage::default();
        let header = &mut message.header;
        header.address_family = family.into();
        header.kind = self.kind.into();
        header.protocol = self.protocol.into();
        header.tos = self.tos;
        header.flags = self.flags;
        header.destination_prefix_length = self.destination_length.unwrap_or(0);
        header.source_prefix_length = self.source_length;
        let table = self.table.unwrap_or(match self.kind {
            RTN_LOCAL | RTN_BROADCAST | RTN_NAT | RTN_ANYCAST => RT_TABLE_LOCAL,
            _ => RT_TABLE_MAIN,
        });
        let deletes = self.change == Change::Delete;
        let has_hops = self.has_gateway || multipath || self.has_nexthop_id;
        let usual = if deletes { RT_SCOPE_NOWHERE } else { RT_SCOPE_UNIVERSE };
        let scope = self.scope.unwrap_or(match self.kind {
            _ if family == AF_INET6 || family == AF_MPLS => RT_SCOPE_UNIVERSE,
            RTN_LOCAL | RTN_NAT => RT_SCOPE_HOST,
            RTN_BROADCAST | RTN_MULTICAST | RTN_ANYCAST => RT_SCOPE_LINK,
            RTN_UNICAST | RTN_UNSPEC if !deletes && !has_hops => RT_SCOPE_LINK,
            _ => usual,
        });
        header.scope = scope.into();
        message.attributes = self.attributes;
        match u8::try_from(table) {
            Ok(table) => header.table = table,
            // Larger numbers have an attribute of their own; the header says RT_TABLE_UNSPEC.
            Err(_) => message.attributes.push(RouteAttribute::Table(table)),
        }
        message
    }
}

fn number(text: &str, message: &str) -> Result<u32, Stop> {
    get_u32(text, 0).ok_or_else(|| Stop::invarg(message, text))
}

fn realm(ctx: &mut Context<'_>, text: &str) -> Result<RouteAttribute, Stop> {
    let realms = realms(ctx, text).ok_or_else(|| Stop::invarg("\"realm\" value is invalid\n", text))?;
    let (source, destination) = ((realms >> 16) as u16, (realms & 0xffff) as u16);
    Ok(RouteAttribute::Realm(RouteRealm { source, destination }))
}
