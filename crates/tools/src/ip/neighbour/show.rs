//! `ip neigh show` and `ip neigh flush`.

use hairpin_netlink::Message;
use hairpin_netlink::route::neighbour::{NeighbourAttribute, NeighbourFlags, NeighbourMessage};

use super::print::{Event, ip_address, print_neighbour};
use super::{NUD_FAILED, NUD_NOARP, NUD_PERMANENT, parse_state, usage};
use crate::ip::link::is_vrf;
use crate::iproute2::inet::{Prefix, family_of, get_prefix};
use crate::iproute2::names::Table;
use crate::iproute2::{Args, Context, Stop, matches};

const MAX_ROUNDS: u32 = 10;

/// Stands for the state of no bits.
const NUD_NONE: u32 = 0x100;

/// Which entries a listing or flush is about.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    /// 0 for any.
    pub family: u8,
    /// 0 for any.
    pub device: u32,
    /// `NUD_*` bits, and [`NUD_NONE`].
    pub states: u32,
    pub unused: bool,
    pub prefix: Option<Prefix>,
    /// The device's master; all bits set for none, 0 for any.
    pub master: u32,
    /// 0 for any.
    pub protocol: u8,
    pub proxy: bool,
}

impl Default for Filter {
    fn default() -> Self {
        Filter {
            family: 0,
            device: 0,
            states: u32::MAX,
            unused: false,
            prefix: None,
            master: 0,
            protocol: 0,
            proxy: false,
        }
    }
}

impl Filter {
    pub(super) fn takes(&self, message: &NeighbourMessage) -> bool {
        let header = &message.header;
        let state = u32::from(u16::from(header.state));
        let stateless = header.flags.intersects(NeighbourFlags::Proxy | NeighbourFlags::ExtLearned);
        let mut destination = None;
        let mut protocol = 0;
        let mut references = 0;
        for attribute in &message.attributes {
            match attribute {
                NeighbourAttribute::Destination(address) => destination = ip_address(address),
                NeighbourAttribute::Protocol(id) => protocol = u8::from(*id),
                NeighbourAttribute::CacheInfo(info) => references = info.refcnt,
                _ => {}
            }
        }
        (self.family == 0 || self.family == u8::from(header.family))
            && (self.device == 0 || self.device == header.ifindex)
            && (self.states & state != 0 || stateless || (state == 0 && self.states & NUD_NONE != 0))
            && self.prefix.filter(|prefix| prefix.length > 0).is_none_or(|prefix| {
                destination
                    .is_none_or(|address| family_of(address) == prefix.family && prefix.contains(address))
            })
            && (self.protocol == 0 || self.protocol == protocol)
            && !(self.unused && references != 0)
    }

    fn request(&self) -> Message {
        let mut request = NeighbourMessage::default();
        request.header.family = self.family.into();
        if self.proxy {
            request.header.flags |= NeighbourFlags::Proxy;
        }
        if self.device != 0 {
            request.attributes.push(NeighbourAttribute::IfIndex(self.device));
        }
        if self.master != 0 {
            request.attributes.push(NeighbourAttribute::Controller(self.master));
        }
        Message::GetNeighbour(request)
    }
}

/// `ip neigh show`
pub(super) fn list(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Stop> {
    let filter = parse_selectors(ctx, args, 0xff & !NUD_NOARP, u32::MAX)?;
    ctx.begin();
    for neighbour in dump(ctx, &filter)? {
        print_neighbour(ctx, &filter, Event::New, &neighbour);
    }
    ctx.end();
    Ok(())
}

/// `ip neigh flush`
pub(super) fn flush(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Stop> {
    if args.is_empty() {
        return Err(Stop::fail(1, "Flush requires arguments.\n"));
    }
    let mut filter = parse_selectors(ctx, args, !(NUD_PERMANENT | NUD_NOARP), !NUD_NOARP)?;
    let talkative = ctx.options.stats > 0;
    for round in 0..MAX_ROUNDS {
        let found = match dump(ctx, &filter) {
            Ok(found) => found,
            Err(stop) => {
                let text = stop.text.replace("Dump terminated", "Flush terminated");
                return Err(Stop { text, ..stop });
            }
        };
        if found.is_empty() {
            if talkative && round == 0 {
                ctx.print.text(format_args!("Nothing to flush.\n"));
            } else if talkative {
                let s = if round > 1 { "s" } else { "" };
                ctx.print.text(format_args!("*** Flush is complete after {round} round{s} ***\n"));
            }
            ctx.flush();
            return Ok(());
        }
        let count = found.len();
        for neighbour in found {
            if ctx.options.stats > 1 {
                print_neighbour(ctx, &filter, Event::New, &neighbour);
            }
            if let Err(failure) = ctx.talk_quietly(&Message::DelNeighbour(neighbour), 0) {
                return Err(Stop::exit(1, format!("Failed to send flush request: {}\n", failure.errno)));
            }
        }
        if talkative {
            let round = round + 1;
            ctx.print.text(format_args!("\n*** Round {round}, deleting {count} entries ***\n"));
            ctx.flush();
        }
        filter.states &= !NUD_FAILED;
    }
    ctx.print.text(format_args!("*** Flush not complete bailing out after {MAX_ROUNDS} rounds\n"));
    Err(Stop::silent(255))
}

fn dump(ctx: &mut Context<'_>, filter: &Filter) -> Result<Vec<NeighbourMessage>, Stop> {
    let messages = ctx.dump(&filter.request())?;
    Ok(messages
        .into_iter()
        .filter_map(|message| match message {
            Message::NewNeighbour(neighbour) if filter.takes(&neighbour) => Some(neighbour),
            _ => None,
        })
        .collect())
}

/// `states` are those taken where no `nud` says otherwise, `all` those of `nud all`.
fn parse_selectors(ctx: &mut Context<'_>, mut args: Args<'_>, states: u32, all: u32) -> Result<Filter, Stop> {
    let mut filter = Filter { family: ctx.options.family, ..Filter::default() };
    let mut device = None;
    let mut wanted = None;
    while let Some(word) = args.take() {
        if word == "dev" {
            let value = args.value()?;
            if device.is_some() {
                return Err(Stop::duparg("dev", value));
            }
            device = Some(value);
        } else if word == "master" {
            let value = args.value()?;
            filter.master = ctx.link_index(value);
            if filter.master == 0 {
                return Err(Stop::invarg("Device does not exist\n", value));
            }
        } else if word == "vrf" {
            let value = args.value()?;
            filter.master = ctx.link_index(value);
            if filter.master == 0 || !is_vrf(ctx, filter.master) {
                return Err(Stop::invarg("Not a valid VRF name\n", value));
            }
        } else if word == "nomaster" {
            filter.master = u32::MAX;
        } else if word == "unused" {
            filter.unused = true;
        } else if word == "nud" {
            let value = args.value()?;
            let state = match parse_state(value) {
                Some(0) => NUD_NONE,
                Some(state) => state,
                None if value == "all" => all,
                None => return Err(Stop::invarg("nud state is bad", value)),
            };
            wanted = Some(wanted.unwrap_or(0) | state);
        } else if word == "proxy" {
            filter.proxy = true;
        } else if matches(word, "protocol") {
            let value = args.value()?;
            let id = ctx.id_of(Table::Protocol, value).and_then(|id| u8::try_from(id).ok());
            filter.protocol = match id {
                Some(id) => id,
                None if value == "all" => 0,
                None => return Err(Stop::invarg("invalid \"protocol\"\n", value)),
            };
        } else {
            let word = if word == "to" { args.value()? } else { word };
            if matches(word, "help") {
                return Err(usage());
            }
            let prefix = get_prefix(word, filter.family)?;
            if filter.family == 0 {
                filter.family = prefix.family;
            }
            filter.prefix = Some(prefix);
        }
    }
    filter.states = wanted.unwrap_or(states);
    ctx.learn_links()?;
    if let Some(name) = device {
        filter.device = ctx.require_link(name)?;
    }
    Ok(filter)
}
