//! `bridge vlan add`, `delete`, `set` and `global set`.

use hairpin_netlink::bridge_vlan::{Entry, GlobalOptions, Part, RTM_NEWVLAN, VlanMessage, global, info};
use hairpin_netlink::codec::put_attribute;
use hairpin_netlink::core::DefaultNla;
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::link::{
    AfSpecBridge, BridgeVlanInfo, BridgeVlanInfoFlags, LinkAttribute, LinkMessage,
};
use hairpin_netlink::{Message, bridge_vlan};

use super::super::link::STATES;
use super::super::{as_bridge, fail};
use crate::c_number::{atoi, strtol};
use crate::iproute2::number::{get_u8, get_u32, get_u64};
use crate::iproute2::{Args, Context, Stop, matches};

const IFLA_BRIDGE_VLAN_TUNNEL_INFO: u16 = 3;
const BRIDGE_FLAGS_MASTER: u16 = 1;
const BRIDGE_FLAGS_SELF: u16 = 2;
/// One more than the greatest number of a tunnel.
const TUNNELS: u32 = 1 << 24;

/// A VLAN, or a range, as `VLAN_ID` gives it; in C a `short`, -1 for none.
#[derive(Clone, Copy)]
struct Vid {
    first: i16,
    last: Option<i16>,
}

impl Vid {
    fn read(word: &str) -> Self {
        match word.split_once('-') {
            Some((first, last)) => Vid { first: atoi(first) as i16, last: Some(atoi(last) as i16) },
            None => Vid { first: atoi(word) as i16, last: None },
        }
    }

    /// The checks of `bridge vlan set`, which come with the word.
    fn check(self) -> Result<(), Stop> {
        if let Some(last) = self.last
            && (self.first >= last || last >= 4096)
        {
            return Err(self.bad_range(last));
        }
        self.check_first()
    }

    fn check_first(self) -> Result<(), Stop> {
        match self.first >= 4096 {
            true => Err(fail(format!("Invalid VLAN ID \"{}\"\n", self.first as u16))),
            false => Ok(()),
        }
    }

    fn bad_range(self, last: i16) -> Stop {
        fail(format!("Invalid VLAN range \"{}-{}\"\n", self.first as u16, last as u16))
    }
}

/// `bridge vlan add`, `bridge vlan delete`
pub(super) fn modify(context: &mut Context<'_>, mut args: Args<'_>, delete: bool) -> Result<(), Stop> {
    let mut device = None;
    let mut vid = Vid { first: -1, last: None };
    let mut flags = 0;
    let mut of_vlan = BridgeVlanInfoFlags::empty();
    let mut tunnel = None;
    while let Some(word) = args.take() {
        match word {
            "dev" => device = Some(args.value()?),
            "vid" => {
                vid = Vid::read(args.value()?);
                if vid.last.is_some() {
                    of_vlan |= BridgeVlanInfoFlags::RangeBegin;
                }
            }
            "self" => flags |= BRIDGE_FLAGS_SELF,
            "master" => flags |= BRIDGE_FLAGS_MASTER,
            "pvid" => of_vlan |= BridgeVlanInfoFlags::Pvid,
            "untagged" => of_vlan |= BridgeVlanInfoFlags::Untagged,
            "tunnel_info" => tunnel = Some(read_tunnel(&mut args)?),
            word if matches(word, "help") => {
                args.value()?;
            }
            _ => {}
        }
    }
    let (Some(device), true) = (device, vid.first != -1) else {
        return Err(fail("Device and VLAN ID are required arguments.\n"));
    };
    let index = match context.link_index(device) {
        0 => return Err(fail(format!("Cannot find bridge device \"{device}\"\n"))),
        index => index,
    };
    vid.check_first()?;
    if of_vlan.contains(BridgeVlanInfoFlags::RangeBegin) {
        let last = vid.last.unwrap_or(-1);
        if last == -1 || last >= 4096 || vid.first >= last {
            return Err(vid.bad_range(last));
        }
        if of_vlan.contains(BridgeVlanInfoFlags::Pvid) {
            return Err(fail("pvid cannot be configured for a vlan range\n"));
        }
    }
    let mut spec = Vec::new();
    if flags != 0 {
        spec.push(AfSpecBridge::Flags(flags.into()));
    }
    match tunnel {
        Some(tunnel) => spec.extend(tunnel_info(vid, tunnel)),
        None => spec.extend(vlan_info(vid, of_vlan)),
    }
    let mut request = LinkMessage::default();
    request.header.interface_family = AddressFamily::Bridge;
    request.header.index = index;
    request.attributes.push(LinkAttribute::AfSpecBridge(spec));
    let request = if delete { Message::DelLink(request) } else { Message::SetLink(request) };
    context.talk(&request, 0).map_err(as_bridge)?;
    Ok(())
}

/// `add_vlan_info_range`
fn vlan_info(vid: Vid, flags: BridgeVlanInfoFlags) -> Vec<AfSpecBridge> {
    let entry = |vid: i16, flags| AfSpecBridge::VlanInfo(BridgeVlanInfo { flags, vid: vid as u16 });
    let mut entries = vec![entry(vid.first, flags)];
    if let Some(last) = vid.last {
        let end = (flags - BridgeVlanInfoFlags::RangeBegin) | BridgeVlanInfoFlags::RangeEnd;
        entries.push(entry(last, end));
    }
    entries
}

/// The numbers of `tunnel_info id TUNNEL_ID`: the first, and the last of a range.
fn read_tunnel(args: &mut Args<'_>) -> Result<(u32, u32), Stop> {
    let word = args.value()?;
    if !matches(word, "id") {
        return Err(Stop::invarg("tunnel id expected", word));
    }
    let word = args.value()?;
    let (first, last) = word.split_once('-').map_or((word, None), |(first, last)| (first, Some(last)));
    let number = |text| match get_u32(text, 0) {
        Some(number) if number < TUNNELS => Ok(number),
        _ => Err(Stop::invarg("invalid tun id", text)),
    };
    Ok((number(first)?, last.map(number).transpose()?.unwrap_or(0)))
}

/// `add_tunnel_info_range`
fn tunnel_info(vid: Vid, (first, last): (u32, u32)) -> Vec<AfSpecBridge> {
    let entry = |vid: i16, id: u32, flags: u16| {
        let mut value = Vec::new();
        put_attribute(&mut value, 1, &id.to_ne_bytes());
        put_attribute(&mut value, 2, &(vid as u16).to_ne_bytes());
        put_attribute(&mut value, 3, &flags.to_ne_bytes());
        AfSpecBridge::Other(DefaultNla::new(IFLA_BRIDGE_VLAN_TUNNEL_INFO, value))
    };
    match vid.last.filter(|last| *last > vid.first) {
        Some(end) => {
            vec![entry(vid.first, first, info::RANGE_BEGIN), entry(end, last, info::RANGE_END)]
        }
        None => vec![entry(vid.first, first, 0)],
    }
}

/// The device of an options' request, looked up as the word comes.
fn network_device(context: &mut Context<'_>, name: &str) -> Result<u32, Stop> {
    match context.link_index(name) {
        0 => Err(fail(format!("Cannot find network device \"{name}\"\n"))),
        index => Ok(index),
    }
}

/// `bridge vlan set`
pub(super) fn set_options(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let mut index = None;
    let mut entry = Entry::default();
    let mut vid = None;
    while let Some(word) = args.take() {
        match word {
            "dev" => index = Some(network_device(context, args.value()?)?),
            "vid" => {
                let wanted = Vid::read(args.value()?);
                wanted.check()?;
                entry.info = Some((info::ONLY_OPTS, wanted.first as u16));
                entry.range = wanted.last.map(|last| last as u16);
                vid = Some(wanted.first);
            }
            "state" => entry.state = Some(read_state(args.value()?)?),
            "mcast_router" => {
                let word = args.value()?;
                let router = get_u8(word, 0).ok_or_else(|| Stop::invarg("invalid mcast_router", word))?;
                entry.mcast_router = Some(router);
            }
            word if matches(word, "help") => {
                args.value()?;
            }
            _ => {}
        }
    }
    let (Some(index), true) = (index, vid.is_some_and(|vid| vid != -1)) else {
        return Err(fail("Device and VLAN ID are required arguments.\n"));
    };
    send(context, index, Part::Entry(entry))
}

fn read_state(word: &str) -> Result<u8, Stop> {
    match strtol(word, 10) {
        (number, length) if length == word.len() && length > 0 && number != -1 => Ok(number as u8),
        _ => match STATES.iter().position(|name| *name == word) {
            Some(at) => Ok(at as u8),
            None => Err(fail("Error: invalid STP state\n")),
        },
    }
}

/// The options of `bridge vlan global set`.
const GLOBAL: [(&str, u16); 12] = [
    ("mcast_snooping", global::MCAST_SNOOPING),
    ("mcast_querier", global::MCAST_QUERIER),
    ("mcast_igmp_version", global::MCAST_IGMP_VERSION),
    ("mcast_mld_version", global::MCAST_MLD_VERSION),
    ("mcast_last_member_count", global::MCAST_LAST_MEMBER_CNT),
    ("mcast_startup_query_count", global::MCAST_STARTUP_QUERY_CNT),
    ("mcast_last_member_interval", global::MCAST_LAST_MEMBER_INTVL),
    ("mcast_membership_interval", global::MCAST_MEMBERSHIP_INTVL),
    ("mcast_querier_interval", global::MCAST_QUERIER_INTVL),
    ("mcast_query_interval", global::MCAST_QUERY_INTVL),
    ("mcast_query_response_interval", global::MCAST_QUERY_RESPONSE_INTVL),
    ("mcast_startup_query_interval", global::MCAST_STARTUP_QUERY_INTVL),
];

/// `bridge vlan global set`
pub(super) fn set_global_options(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let mut index = None;
    let mut options = GlobalOptions::default();
    let mut vid = None;
    while let Some(word) = args.take() {
        match word {
            "dev" => index = Some(network_device(context, args.value()?)?),
            "vid" => {
                let wanted = Vid::read(args.value()?);
                wanted.check()?;
                options.vid = Some(wanted.first as u16);
                options.range = wanted.last.map(|last| last as u16);
                vid = Some(wanted.first);
            }
            "help" => {
                args.value()?;
            }
            word => {
                if let Some((name, kind)) = GLOBAL.iter().find(|(name, _)| *name == word) {
                    let text = args.value()?;
                    let number = match bridge_vlan::global::width(*kind) {
                        1 => get_u8(text, 0).map(u64::from),
                        4 => get_u32(text, 0).map(u64::from),
                        _ => get_u64(text, 0),
                    };
                    let number = number.ok_or_else(|| Stop::invarg(&format!("invalid {name}"), text))?;
                    options.numbers.push((*kind, number));
                }
            }
        }
    }
    let (Some(index), true) = (index, vid.is_some_and(|vid| vid != -1)) else {
        return Err(fail("Device and VLAN ID are required arguments.\n"));
    };
    send(context, index, Part::Global(options))
}

fn send(context: &mut Context<'_>, index: u32, part: Part) -> Result<(), Stop> {
    let mut message = VlanMessage::new(index);
    message.parts.push(part);
    context.talk_raw(RTM_NEWVLAN, &message.emit(), 0).map_err(as_bridge)
}
