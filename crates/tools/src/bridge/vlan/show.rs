//! `bridge vlan show`, `tunnelshow` and `global show`, and what `bridge monitor` prints of VLANs.

use hairpin_netlink::Message;
use hairpin_netlink::bridge_mdb::Router;
use hairpin_netlink::bridge_vlan::{
    DUMP_GLOBAL, DUMP_STATS, Entry, GlobalOptions, Part, RTM_GETSTATS, RTM_GETVLAN, RTM_NEWVLAN, Stats,
    VlanMessage, dump_request, global, info, parse_stats_header, parse_xstats, stats_request, xstats_filter,
};
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::link::{
    AfSpecBridge, BridgeVlanTunnelInfo, LinkAttribute, LinkExtentMask, LinkMessage,
};

use super::super::link::print_state;
use super::super::mdb::print_router_stats;
use super::super::{dump, dump_raw, fail};
use super::{NAME_WIDTH, VLAN_WIDTH};
use crate::iproute2::number::atoi;
use crate::iproute2::{Args, Color, Context, Stop};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Vlans,
    Tunnels,
}

/// What is left out: 0 for nothing.
#[derive(Clone, Copy, Default)]
struct Filter {
    index: u32,
    vid: u16,
}

impl Filter {
    fn read(context: &mut Context<'_>, args: &mut Args<'_>) -> Result<Self, Stop> {
        let mut device = None;
        let mut vid = 0;
        while let Some(word) = args.take() {
            match word {
                "dev" => {
                    let name = args.value()?;
                    if device.is_some() {
                        return Err(Stop::duparg("dev", name));
                    }
                    device = Some(name);
                }
                "vid" => {
                    let word = args.value()?;
                    if vid != 0 {
                        return Err(Stop::duparg("vid", word));
                    }
                    vid = atoi(word) as u16;
                }
                _ => {}
            }
        }
        let index = match device {
            None => 0,
            Some(name) => match context.link_index(name) {
                0 => return Err(fail(format!("Cannot find device \"{name}\"\n"))),
                index => index,
            },
        };
        Ok(Filter { index, vid })
    }

    fn hides(self, index: u32) -> bool {
        self.index != 0 && self.index != index
    }

    fn hides_range(self, first: u16, last: u16) -> bool {
        self.vid != 0 && !(first..=last).contains(&self.vid)
    }
}

/// The device whose VLANs are being printed.
#[derive(Default)]
struct Open(Option<u32>);

impl Open {
    /// The beginning of a line for a VLAN of this device.
    fn entry(&mut self, context: &mut Context<'_>, index: u32) {
        if self.0 != Some(index) {
            self.close(context);
            open_port(context, index, "vlans");
            self.0 = Some(index);
        } else {
            indent(context, 2);
        }
        context.print.open_object(None);
    }

    fn close(&mut self, context: &mut Context<'_>) {
        if self.0.take().is_some() {
            close_port(context);
        }
    }
}

fn header(context: &mut Context<'_>) {
    context.print.text(format_args!("{:NAME_WIDTH$}  {:VLAN_WIDTH$}", "port", "vlan-id"));
}

fn open_port(context: &mut Context<'_>, index: u32, list: &str) {
    let name = context.link_name(index);
    let p = &mut context.print;
    p.open_object(None);
    p.colored(Color::InterfaceName, "ifname", &name, format_args!("{name:NAME_WIDTH$}  "));
    if p.is_json() {
        p.open_array(Some(list));
    }
}

fn close_port(context: &mut Context<'_>) {
    context.print.close_array();
    context.print.close_object();
}

fn indent(context: &mut Context<'_>, more: usize) {
    context.print.text(format_args!("{:1$}", "", NAME_WIDTH + more));
}

/// A number or a range; answers with its width.
fn print_range(context: &mut Context<'_>, key: &str, first: u32, last: u32) -> usize {
    let p = &mut context.print;
    p.any(key, first, format_args!("{first}"));
    let mut width = first.to_string().len();
    if first != last {
        p.any(&format!("{key}End"), last, format_args!("-{last}"));
        width += last.to_string().len() + 1;
    }
    width
}

fn print_flags(context: &mut Context<'_>, flags: u16) {
    if flags == 0 {
        return;
    }
    let p = &mut context.print;
    if p.is_json() {
        p.open_array(Some("flags"));
    }
    if flags & info::PVID != 0 {
        p.item("PVID", format_args!(" PVID"));
    }
    if flags & info::UNTAGGED != 0 {
        p.item("Egress Untagged", format_args!(" Egress Untagged"));
    }
    p.close_array();
}

fn print_stats(context: &mut Context<'_>, stats: Stats) {
    let mut direction = |keys: [&str; 2], name: &str, bytes: u64, packets: u64| {
        indent(context, 4);
        context.print.any(keys[0], bytes, format_args!("{name}: {bytes} bytes"));
        context.print.any(keys[1], packets, format_args!(" {packets} packets\n"));
    };
    direction(["rx_bytes", "rx_packets"], "RX", stats.rx_bytes, stats.rx_packets);
    direction(["tx_bytes", "tx_packets"], "TX", stats.tx_bytes, stats.tx_packets);
}

pub(super) fn show(context: &mut Context<'_>, mut args: Args<'_>, subject: Subject) -> Result<(), Stop> {
    let filter = Filter::read(context, &mut args)?;
    context.begin();
    if context.options.details > 0 && subject == Subject::Vlans {
        show_details(context, filter)?;
    } else if context.options.stats > 0 {
        show_counters(context, filter)?;
    } else {
        show_memberships(context, filter, subject)?;
    }
    context.end();
    Ok(())
}

/// From the links of family `AF_BRIDGE`.
fn show_memberships(context: &mut Context<'_>, filter: Filter, subject: Subject) -> Result<(), Stop> {
    let mask = match context.options.compress_vlans {
        true => LinkExtentMask::BrvlanCompressed,
        false => LinkExtentMask::Brvlan,
    };
    let mut request = LinkMessage::default();
    request.header.interface_family = AddressFamily::Bridge;
    request.attributes.push(LinkAttribute::ExtMask(vec![mask]));
    header(context);
    if subject == Subject::Tunnels {
        context.print.text(format_args!("  tunnel-id"));
    }
    context.print.text(format_args!("\n"));
    for message in dump(context, &Message::GetLink(request))? {
        let Message::NewLink(link) = message else { continue };
        if filter.hides(link.header.index) {
            continue;
        }
        for attribute in &link.attributes {
            if let LinkAttribute::AfSpecBridge(spec) = attribute {
                match subject {
                    Subject::Vlans => print_memberships(context, filter, link.header.index, spec),
                    Subject::Tunnels => print_tunnels(context, filter, link.header.index, spec),
                }
            }
        }
    }
    Ok(())
}

/// `filter_vlan_check`: false for what is not printed now; none where nothing more will be.
fn passes(filter: Filter, vid: u16, flags: u16) -> Option<bool> {
    if filter.vid != 0 && vid > filter.vid && flags & info::RANGE_END == 0 {
        return None;
    }
    Some(flags & info::RANGE_BEGIN == 0 && vid >= filter.vid)
}

/// `print_vlan_info`
fn print_memberships(context: &mut Context<'_>, filter: Filter, index: u32, spec: &[AfSpecBridge]) {
    let mut open = Open::default();
    let mut first = 0;
    for entry in spec {
        let AfSpecBridge::VlanInfo(entry) = entry else { continue };
        let flags = entry.flags.bits();
        if flags & info::RANGE_END == 0 {
            first = entry.vid;
        }
        match passes(filter, entry.vid, flags) {
            None => break,
            Some(false) => continue,
            Some(true) => {}
        }
        open.entry(context, index);
        print_range(context, "vlan", first.into(), entry.vid.into());
        print_flags(context, flags);
        context.print.close_object();
        context.print.line();
    }
    open.close(context);
}

/// `print_vlan_tunnel_info`
fn print_tunnels(context: &mut Context<'_>, filter: Filter, index: u32, spec: &[AfSpecBridge]) {
    let mut opened = false;
    let (mut first_vid, mut first_id) = (0, 0);
    for entry in spec {
        let AfSpecBridge::VlanTunnelInfo(entry) = entry else { continue };
        let (mut id, mut vid, mut flags) = (0, None, 0);
        for part in entry {
            match part {
                BridgeVlanTunnelInfo::Id(value) => id = *value,
                BridgeVlanTunnelInfo::Vid(value) => vid = Some(*value),
                BridgeVlanTunnelInfo::Flags(value) => flags = value.bits(),
                _ => {}
            }
        }
        let Some(vid) = vid else { continue };
        if flags & info::RANGE_END == 0 {
            (first_vid, first_id) = (vid, id);
        }
        match passes(filter, vid, flags) {
            None => break,
            Some(false) => continue,
            Some(true) => {}
        }
        match opened {
            false => open_port(context, index, "tunnels"),
            true => indent(context, 2),
        }
        opened = true;
        context.print.open_object(None);
        let width = print_range(context, "vlan", first_vid.into(), vid.into());
        context.print.text(format_args!("{:1$}  ", "", VLAN_WIDTH.saturating_sub(width)));
        print_range(context, "tunid", first_id, id);
        context.print.close_object();
        context.print.line();
    }
    if opened {
        close_port(context);
    }
}

/// `bridge -d vlan`: from the bridges' own dump.
fn show_details(context: &mut Context<'_>, filter: Filter) -> Result<(), Stop> {
    let flags = if context.options.stats > 0 { DUMP_STATS } else { 0 };
    header(context);
    context.print.text(format_args!("\n"));
    show_messages(context, filter, flags)
}

fn show_messages(context: &mut Context<'_>, filter: Filter, flags: u32) -> Result<(), Stop> {
    let mut open = Open::default();
    for (kind, payload) in dump_raw(context, RTM_GETVLAN, &dump_request(0, flags))? {
        let Some(message) = VlanMessage::parse(&payload).filter(|_| kind == RTM_NEWVLAN) else { continue };
        if filter.hides(message.ifindex) {
            continue;
        }
        // `vlan_rtm_cur_ifidx`: another device ends the list of the one before.
        if open.0.is_some_and(|index| index != message.ifindex) {
            open.close(context);
        }
        let only_global = flags & DUMP_GLOBAL != 0;
        print_parts(context, filter, &message, only_global, &mut open);
    }
    open.close(context);
    Ok(())
}

fn print_parts(
    context: &mut Context<'_>,
    filter: Filter,
    message: &VlanMessage,
    only_global: bool,
    open: &mut Open,
) {
    for part in &message.parts {
        match part {
            Part::Entry(entry) if !only_global => {
                print_entry(context, filter, message.ifindex, entry, open);
            }
            Part::Entry(_) => {}
            Part::Global(options) => print_global(context, filter, message.ifindex, options, open),
        }
    }
}

/// `print_vlan_opts`
fn print_entry(context: &mut Context<'_>, filter: Filter, index: u32, entry: &Entry, open: &mut Open) {
    let Some((flags, vid)) = entry.info else { return };
    let last = entry.range.unwrap_or(vid);
    if filter.hides_range(vid, last) {
        return;
    }
    open.entry(context, index);
    print_range(context, "vlan", vid.into(), last.into());
    print_flags(context, flags);
    context.print.line();
    indent(context, 4);
    print_state(context, entry.state.unwrap_or(0).into());
    if let Some(router) = entry.mcast_router {
        context.print.any("mcast_router", router, format_args!("mcast_router {router} "));
    }
    context.print.line();
    if context.options.stats > 0 {
        print_stats(context, entry.stats.unwrap_or_default());
    }
    context.print.close_object();
}

/// Global options in the order in which they are printed.
const GLOBAL: [(&str, u16); 12] = [
    ("mcast_snooping", global::MCAST_SNOOPING),
    ("mcast_querier", global::MCAST_QUERIER),
    ("mcast_igmp_version", global::MCAST_IGMP_VERSION),
    ("mcast_mld_version", global::MCAST_MLD_VERSION),
    ("mcast_last_member_count", global::MCAST_LAST_MEMBER_CNT),
    ("mcast_last_member_interval", global::MCAST_LAST_MEMBER_INTVL),
    ("mcast_startup_query_count", global::MCAST_STARTUP_QUERY_CNT),
    ("mcast_startup_query_interval", global::MCAST_STARTUP_QUERY_INTVL),
    ("mcast_membership_interval", global::MCAST_MEMBERSHIP_INTVL),
    ("mcast_querier_interval", global::MCAST_QUERIER_INTVL),
    ("mcast_query_interval", global::MCAST_QUERY_INTVL),
    ("mcast_query_response_interval", global::MCAST_QUERY_RESPONSE_INTVL),
];

/// `print_vlan_global_opts`
fn print_global(
    context: &mut Context<'_>,
    filter: Filter,
    index: u32,
    options: &GlobalOptions,
    open: &mut Open,
) {
    let Some(vid) = options.vid else { return };
    let last = options.range.unwrap_or(vid);
    if filter.hides_range(vid, last) {
        return;
    }
    open.entry(context, index);
    print_range(context, "vlan", vid.into(), last.into());
    context.print.line();
    indent(context, 4);
    for (name, kind) in GLOBAL {
        if let Some(number) = options.number(kind) {
            context.print.any(name, number, format_args!("{name} {number} "));
        }
    }
    context.print.line();
    print_routers(context, &options.routers);
    context.print.close_object();
}

/// `print_vlan_router_ports`
fn print_routers(context: &mut Context<'_>, routers: &[Router]) {
    if routers.is_empty() {
        return;
    }
    indent(context, 4);
    context.print.text(format_args!("router ports: "));
    if context.print.is_json() {
        context.print.open_array(Some("router_ports"));
    }
    let stats = context.options.stats > 0;
    for (at, router) in routers.iter().enumerate() {
        context.print.open_object(None);
        if stats && at > 0 {
            context.print.line();
            indent(context, 4 + "router ports: ".len());
        }
        let port = context.link_name(router.ifindex);
        context.print.any("port", &port, format_args!("{port} "));
        if stats {
            print_router_stats(context, router);
        }
        context.print.close_object();
    }
    context.print.close_array();
    context.print.line();
}

/// `bridge -s vlan`: counters of bridges, then those of ports.
fn show_counters(context: &mut Context<'_>, filter: Filter) -> Result<(), Stop> {
    context.print.text(format_args!("{:NAME_WIDTH$}  vlan-id\n", "port"));
    for of_port in [false, true] {
        let request = stats_request(0, xstats_filter(of_port));
        for (_, payload) in dump_raw(context, RTM_GETSTATS, &request)? {
            let Some((index, _)) = parse_stats_header(&payload) else { continue };
            if filter.hides(index) {
                continue;
            }
            let mut open = Open::default();
            for vlan in parse_xstats(&payload) {
                let of_ports_only = vlan.flags & info::MASTER != 0 && vlan.flags & info::BRENTRY == 0;
                if filter.vid != 0 && filter.vid != vlan.vid || of_ports_only {
                    continue;
                }
                open.entry(context, index);
                context.print.any("vid", vlan.vid, format_args!("{}", vlan.vid));
                print_flags(context, vlan.flags);
                context.print.line();
                print_stats(context, vlan.stats);
                context.print.close_object();
            }
            open.close(context);
        }
    }
    Ok(())
}

/// `bridge vlan global show`
pub(super) fn show_global(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let filter = Filter::read(context, &mut args)?;
    context.begin();
    header(context);
    context.print.text(format_args!("\n"));
    show_messages(context, filter, DUMP_GLOBAL)?;
    context.end();
    Ok(())
}

/// A change of VLANs as `bridge monitor` shows it.
pub(crate) fn print_event(context: &mut Context<'_>, payload: &[u8], deleted: bool) {
    let Some(message) = VlanMessage::parse(payload) else { return };
    if deleted {
        context.print.any("deleted", true, format_args!("Deleted "));
    }
    let mut open = Open::default();
    print_parts(context, Filter::default(), &message, false, &mut open);
    context.flush();
}
