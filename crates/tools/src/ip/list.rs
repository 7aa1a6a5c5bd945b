//! `show` of `ip link` and of `ip address` (iproute2's `ipaddr_list_flush_or_save`).

use hairpin_netlink::Message;
use hairpin_netlink::route::address::{AddressAttribute, AddressMessage};
use hairpin_netlink::route::link::{InfoKind, LinkAttribute, LinkExtentMask, LinkInfo, LinkMessage};

use super::addr::{self, Address};
use super::filter::{Filter, Master};
use super::link::{self, Shown, is_vrf, print_counters, print_link};
use crate::iproute2::inet::{AF_PACKET, AF_UNSPEC, get_prefix};
use crate::iproute2::links::{alt_ifname, is_ifname};
use crate::iproute2::names::Table;
use crate::iproute2::rtnl::refusal;
use crate::iproute2::{Args, Context, Stop, matches};

/// What is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// `ip link show`
    Links,
    /// `ip address show`
    Addresses,
}

/// Shows what the arguments select.
pub(super) fn show(context: &mut Context<'_>, args: Args<'_>, subject: Subject) -> Result<(), Stop> {
    let (mut filter, device) = parse(context, args, subject)?;
    if let Some(device) = &device
        && filter.group.is_none()
        && filter.link
    {
        return show_one(context, &filter, device);
    }
    context.begin();
    let outcome = show_many(context, &mut filter);
    context.end();
    outcome
}

/// Reads a selection; answers with the name of the device too, if one was given.
pub(super) fn parse(
    context: &mut Context<'_>,
    mut args: Args<'_>,
    subject: Subject,
) -> Result<(Filter, Option<String>), Stop> {
    let mut filter = Filter {
        family: context.options.family,
        named: context.options.oneline,
        queue: true,
        link: subject == Subject::Links,
        ..Filter::default()
    };
    let mut device = None;
    while let Some(word) = args.take() {
        match word {
            "to" => {
                let prefix = get_prefix(args.value()?, filter.family)?;
                filter.prefix = Some(prefix);
                if filter.family == AF_UNSPEC {
                    filter.family = prefix.family;
                }
            }
            "scope" => {
                let word = args.value()?;
                filter.scope = match context.id_of(Table::Scope, word) {
                    Some(scope) => Some(scope as u8),
                    None if word == "all" => None,
                    None => return Err(Stop::invarg("invalid \"scope\"\n", word)),
                };
            }
            "up" => filter.up = true,
            word if addr::add_flag(&mut filter, word) => {}
            "label" => filter.label = Some(args.value()?.to_owned()),
            "group" => {
                let word = args.value()?;
                let group = context.id_of(Table::Group, word).filter(|group| *group <= i32::MAX as u32);
                filter.group = Some(group.ok_or_else(|| Stop::invarg("Invalid \"group\" value\n", word))?);
            }
            "master" => {
                let word = args.value()?;
                match context.link_index(word) {
                    0 => return Err(Stop::invarg("Device does not exist\n", word)),
                    index => filter.master = Master::Index(index),
                }
            }
            "vrf" => {
                let word = args.value()?;
                match context.link_index(word) {
                    index if index != 0 && is_vrf(context, index) => filter.master = Master::Index(index),
                    _ => return Err(Stop::invarg("Not a valid VRF name\n", word)),
                }
            }
            "nomaster" => filter.master = Master::None,
            "type" => {
                let word = args.value()?;
                match word.strip_suffix("_slave") {
                    Some(kind) => filter.port_kind = Some(kind.to_owned()),
                    None => filter.kind = Some(word.to_owned()),
                }
            }
            word => {
                let name = if word == "dev" {
                    args.value()?
                } else if matches(word, "help") {
                    return Err(if filter.link { link::usage() } else { addr::usage() });
                } else {
                    word
                };
                if device.is_some() {
                    return Err(Stop::duparg2("dev", name));
                }
                device = Some(name.to_owned());
            }
        }
    }
    if let Some(name) = &device {
        filter.index = context.link_index(name);
        if filter.index == 0 {
            return Err(Stop::fail(1, format!("Device \"{name}\" does not exist.\n")));
        }
    }
    Ok((filter, device))
}

/// `ip link show DEVICE`: the kernel is asked for it by name.
fn show_one(context: &mut Context<'_>, filter: &Filter, device: &str) -> Result<(), Stop> {
    let mut request = LinkMessage::default();
    request.header.interface_family = context.options.family.into();
    request.attributes.push(if is_ifname(device) {
        LinkAttribute::IfName(device.to_owned())
    } else {
        alt_ifname(device)
    });
    request.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::Vf]));
    context.begin();
    let answer = context.talk_quietly(&Message::GetLink(request), 0);
    let outcome = match answer {
        Ok(messages) => {
            for message in &messages {
                if let Message::NewLink(link) = message {
                    context.print.open_object(None);
                    print_link(context, filter, link, false);
                    context.print.close_object();
                }
            }
            Ok(())
        }
        Err(failure) => {
            let text = refusal(&failure);
            Err(Stop::exit(1, format!("{text}Cannot send link get request: {}\n", failure.errno)))
        }
    };
    context.end();
    outcome
}

fn show_many(context: &mut Context<'_>, filter: &mut Filter) -> Result<(), Stop> {
    // A refusal is reported, but iproute2 exits with 0 all the same.
    let links = if filter.index != 0 { get_link(context, filter) } else { dump_links(context, filter) };
    let mut links = match links {
        Ok(links) => links,
        Err(text) => {
            context.complain(&text);
            return Ok(());
        }
    };
    let mut addresses = Vec::new();
    if filter.family != AF_PACKET {
        addresses = match dump_addresses(context, filter) {
            Ok(addresses) => addresses,
            Err(text) => {
                context.complain(&format!("{text}Dump terminated\n"));
                return Ok(());
            }
        };
        keep_addressed(context, filter, &mut links, &addresses);
    }
    let addresses_only = filter.family != AF_PACKET && filter.named && !context.options.brief;
    for link in &links {
        context.print.open_object(None);
        let mut shown = Shown::Briefly;
        if !addresses_only {
            shown = print_link(context, filter, link, false);
        }
        if shown != Shown::Skipped && filter.family != AF_PACKET {
            print_addresses(context, filter, link, &addresses);
        }
        if shown == Shown::Whole && !filter.link && context.options.stats > 0 {
            print_counters(context, link);
            context.print.line();
        }
        context.print.close_object();
    }
    Ok(())
}

/// `ipaddr_link_get`
fn get_link(context: &mut Context<'_>, filter: &Filter) -> Result<Vec<LinkMessage>, String> {
    let mut request = LinkMessage::default();
    request.header.interface_family = filter.family.into();
    request.header.index = filter.index;
    let mut mask = vec![LinkExtentMask::Vf];
    if context.options.stats == 0 {
        mask.push(LinkExtentMask::SkipStats);
    }
    request.attributes.push(LinkAttribute::ExtMask(mask));
    let answer = context.talk_quietly(&Message::GetLink(request), 0);
    let messages = answer
        .map_err(|failure| format!("{}Cannot send link request: {}\n", refusal(&failure), failure.errno))?;
    Ok(remember(context, messages))
}

/// `ip_link_list`
fn dump_links(context: &mut Context<'_>, filter: &Filter) -> Result<Vec<LinkMessage>, String> {
    let mut request = LinkMessage::default();
    let family = context.options.family;
    request.header.interface_family = family.into();
    if family == AF_UNSPEC || family == AF_PACKET {
        request.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::Vf]));
        match filter.master {
            Master::Any => {}
            Master::None => request.attributes.push(LinkAttribute::Controller(u32::MAX)),
            Master::Index(index) => request.attributes.push(LinkAttribute::Controller(index)),
        }
        if let Some(kind) = &filter.kind {
            let kind = LinkInfo::Kind(InfoKind::from(kind.as_str()));
            request.attributes.push(LinkAttribute::LinkInfo(vec![kind]));
        }
    }
    let messages = context
        .dump_or_text(&Message::GetLink(request))
        .map_err(|text| format!("{text}Dump terminated\n"))?;
    Ok(remember(context, messages))
}

fn remember(context: &mut Context<'_>, messages: Vec<Message>) -> Vec<LinkMessage> {
    let links: Vec<LinkMessage> = messages
        .into_iter()
        .filter_map(|message| match message {
            Message::NewLink(link) => Some(link),
            _ => None,
        })
        .collect();
    for link in &links {
        context.links.remember(link);
    }
    links
}

/// `ip_addr_list`
pub(super) fn dump_addresses(context: &mut Context<'_>, filter: &Filter) -> Result<Vec<Address>, String> {
    let mut request = AddressMessage::default();
    request.header.family = filter.family.into();
    request.header.index = filter.index;
    let messages = context.dump_or_text(&Message::GetAddress(request))?;
    let addresses = messages.into_iter().filter_map(|message| match message {
        Message::NewAddress(message) => Some(Address::from(message)),
        _ => None,
    });
    Ok(addresses.collect())
}

/// Leaves only links that have an address of the selection, or none at all (`ipaddr_filter`).
fn keep_addressed(
    context: &mut Context<'_>,
    filter: &Filter,
    links: &mut Vec<LinkMessage>,
    addresses: &[Address],
) {
    let mut kept = Vec::new();
    for link in links.drain(..) {
        let mut own = addresses.iter().filter(|address| address.index() == link.header.index).peekable();
        let keep = match own.peek() {
            None => filter.family == AF_UNSPEC || filter.family == AF_PACKET,
            Some(_) => own.any(|address| address.selected(context, filter)),
        };
        if keep {
            kept.push(link);
        }
    }
    *links = kept;
}

/// `print_selected_addrinfo`
fn print_addresses(context: &mut Context<'_>, filter: &Filter, link: &LinkMessage, addresses: &[Address]) {
    context.print.open_array(Some("addr_info"));
    for address in addresses {
        let hidden = filter.up && link.header.flags.bits() & crate::iproute2::links::IFF_UP == 0;
        let other_family = filter.family != 0 && filter.family != address.family();
        if address.index() == link.header.index && !hidden && !other_family {
            context.print.open_object(None);
            address.print(context, filter, false);
            context.print.close_object();
        }
    }
    context.print.close_array();
    if context.options.brief {
        context.print.text(format_args!("\n"));
    }
}

/// The label of an address, if it has one.
pub(super) fn label(attributes: &[AddressAttribute]) -> Option<&str> {
    attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Label(label) => Some(label.as_str()),
        _ => None,
    })
}
