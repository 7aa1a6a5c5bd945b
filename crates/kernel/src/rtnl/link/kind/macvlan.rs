//! macvlan (drivers/net/macvlan.c): mode, flags, sources and the length of the broadcast queue.

use hairpin_netlink::route::link::{InfoData, InfoKind, InfoMacVlan, MacVlanFlags, MacVlanMode};
use hairpin_netlink::{Errno, Failure, codec};

use super::{Creation, LinkOps};
use crate::dev::macvlan::{self, Macvlan, Mode, bucket};
use crate::dev::{Kind, RxHandler, tap};
use crate::device::DevId;
use crate::mac::Mac;
use crate::rtnl::link::attributes::{Attributes, Policy, U16, U32};
use crate::rtnl::link::change::valid_address;
use crate::rtnl::link::request::ifla;
use crate::world::World;

pub(super) const OPS: LinkOps = LinkOps {
    policy: Some(POLICY),
    validate,
    change: Some(World::change_macvlan_link),
    ..LinkOps::new("macvlan", World::create_macvlan)
};

/// drivers/net/macvtap.c: a macvlan with queues.
pub(super) const TAP_OPS: LinkOps = LinkOps { kind: "macvtap", create: World::create_macvtap, ..OPS };

const IFLA_MACVLAN_MODE: u16 = 1;
const IFLA_MACVLAN_FLAGS: u16 = 2;
const IFLA_MACVLAN_MACADDR_MODE: u16 = 3;
const IFLA_MACVLAN_MACADDR: u16 = 4;
const IFLA_MACVLAN_MACADDR_DATA: u16 = 5;
const IFLA_MACVLAN_MACADDR_COUNT: u16 = 6;
const IFLA_MACVLAN_BC_QUEUE_LEN: u16 = 7;
const IFLA_MACVLAN_BC_QUEUE_LEN_USED: u16 = 8;

/// `macvlan_policy`
const POLICY: &[(u16, Policy)] = &[
    (IFLA_MACVLAN_MODE, U32),
    (IFLA_MACVLAN_FLAGS, U16),
    (IFLA_MACVLAN_MACADDR_MODE, U32),
    (IFLA_MACVLAN_MACADDR, Policy::Most(32)),
    (IFLA_MACVLAN_MACADDR_DATA, Policy::Nested),
    (IFLA_MACVLAN_MACADDR_COUNT, U32),
    (IFLA_MACVLAN_BC_QUEUE_LEN, U32),
    (IFLA_MACVLAN_BC_QUEUE_LEN_USED, Policy::Reject),
];

/// `MACVLAN_MACADDR_*`
mod source {
    pub const ADD: u32 = 0;
    pub const DEL: u32 = 1;
    pub const FLUSH: u32 = 2;
    pub const SET: u32 = 3;
}

/// `macvlan_validate`
fn validate(attributes: &Attributes<'_>, data: Option<&Attributes<'_>>) -> Result<(), Failure> {
    valid_address(attributes)?;
    let Some(data) = data else { return Ok(()) };
    let known = macvlan::FLAG_NOPROMISC | macvlan::FLAG_NODST;
    if data.u16(IFLA_MACVLAN_FLAGS).is_some_and(|flags| flags & !known != 0)
        || data.u32(IFLA_MACVLAN_MODE).is_some_and(|mode| Mode::from_number(mode).is_none())
        || data.u32(IFLA_MACVLAN_MACADDR_MODE).is_some_and(|mode| mode > source::SET)
    {
        return Err(Errno::EINVAL.into());
    }
    if let Some(address) = data.get(IFLA_MACVLAN_MACADDR) {
        source_mac(address)?;
    }
    for (kind, address) in codec::attributes(data.get(IFLA_MACVLAN_MACADDR_DATA).unwrap_or(&[])) {
        if kind != IFLA_MACVLAN_MACADDR {
            return Err(Errno::EINVAL.into());
        }
        source_mac(address)?;
    }
    match data.has(IFLA_MACVLAN_MACADDR_COUNT) {
        true => Err(Errno::EINVAL.into()),
        false => Ok(()),
    }
}

fn source_mac(address: &[u8]) -> Result<Mac, Failure> {
    match Mac::read(address) {
        Some(mac) if address.len() == 6 && mac.is_valid_source() => Ok(mac),
        Some(_) if address.len() == 6 => Err(Errno::EADDRNOTAVAIL.into()),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// `macvlan_fill_info`
pub(super) fn describe(world: &World, macvlan: &Macvlan) -> (InfoKind, Option<InfoData>) {
    let kind = if macvlan.tap { InfoKind::MacVtap } else { InfoKind::MacVlan };
    (kind, Some(macvlan_data(world, macvlan)))
}

/// A macvlan as a request wants it: VEPA unless it says otherwise.
///
/// # Errors
/// `EINVAL`: sources for another mode than source.
fn new_macvlan(lower: DevId, tap: bool, data: Option<&Attributes<'_>>) -> Result<Macvlan, Failure> {
    let number = |kind| data.and_then(|data| data.u32(kind));
    let mode = number(IFLA_MACVLAN_MODE).and_then(Mode::from_number).unwrap_or(Mode::Vepa);
    let mut state = Macvlan {
        lower,
        tap,
        mode,
        flags: data.and_then(|data| data.u16(IFLA_MACVLAN_FLAGS)).unwrap_or(0),
        bc_queue_len_requested: number(IFLA_MACVLAN_BC_QUEUE_LEN).unwrap_or(macvlan::DEFAULT_BC_QUEUE_LEN),
        sources: Vec::new(),
    };
    if let (Some(data), Some(action)) = (data, number(IFLA_MACVLAN_MACADDR_MODE)) {
        if mode != Mode::Source {
            return Err(Errno::EINVAL.into());
        }
        state.sources = changed_sources(&state.sources, action, data)?;
    }
    Ok(state)
}

/// `macvlan_changelink_sources`
fn changed_sources(old: &[Mac], action: u32, data: &Attributes<'_>) -> Result<Vec<Mac>, Failure> {
    let address = data.mac(IFLA_MACVLAN_MACADDR);
    let mut sources = old.to_vec();
    match action {
        source::ADD => add_source(&mut sources, address.ok_or(Errno::EINVAL)?),
        source::DEL => {
            let address = address.ok_or(Errno::EINVAL)?;
            sources.retain(|known| *known != address);
        }
        source::FLUSH => sources.clear(),
        source::SET => {
            sources.clear();
            if let Some(address) = address {
                add_source(&mut sources, address);
            }
            let listed = codec::attributes(data.get(IFLA_MACVLAN_MACADDR_DATA).unwrap_or(&[]));
            for address in listed.filter_map(|(_, address)| Mac::read(address)) {
                add_source(&mut sources, address);
            }
        }
        _ => return Err(Errno::EINVAL.into()),
    }
    Ok(sources)
}

/// One that is known already is no error.
fn add_source(sources: &mut Vec<Mac>, mac: Mac) {
    if !sources.contains(&mac) {
        sources.push(mac);
    }
}

impl World {
    fn create_macvlan(&mut self, new: Creation<'_>) -> Result<DevId, Failure> {
        self.make_macvlan(new, false)
    }

    /// `macvtap_newlink`
    fn create_macvtap(&mut self, mut new: Creation<'_>) -> Result<DevId, Failure> {
        new.draft.tx_queue_len.get_or_insert(tap::QUEUE_LEN);
        let dev = self.make_macvlan(new, true)?;
        self.add_tap(dev);
        Ok(dev)
    }

    /// `macvlan_common_newlink`
    fn make_macvlan(&mut self, new: Creation<'_>, tap: bool) -> Result<DevId, Failure> {
        let Creation { place, mut draft, request, data } = new;
        let Some(index) = request.attributes.u32(ifla::LINK) else { return Err(Errno::EINVAL.into()) };
        let mut lower = self.device_at(place.below(), index).ok_or(Errno::ENODEV)?;
        // A macvlan on a macvlan stands on the real device.
        if let Some(Kind::Macvlan(state)) = self.devs.get(lower).map(|device| &device.kind) {
            lower = state.lower;
        }
        let below = self.devs.get(lower).map(|below| below.mtu).ok_or(Errno::ENODEV)?;
        draft.inherit_mtu(below)?;
        let state = new_macvlan(lower, tap, data)?;
        self.check_macvlan(lower, state.mode)?;
        self.check_nesting(lower)?;
        let dev = self.register_draft(draft, Kind::Macvlan(Box::new(state)))?;
        self.link_macvlan(dev);
        self.notify_link(lower);
        Ok(dev)
    }

    /// `macvlan_changelink`
    fn change_macvlan_link(&mut self, dev: DevId, data: &Attributes<'_>) -> Result<(), Failure> {
        let mode = data.u32(IFLA_MACVLAN_MODE).and_then(Mode::from_number);
        let flags = data.u16(IFLA_MACVLAN_FLAGS);
        if mode.is_some() || flags.is_some() {
            self.change_macvlan(dev, mode, flags)?;
        }
        let Some(Kind::Macvlan(state)) = self.devs.get_mut(dev).map(|device| &mut device.kind) else {
            return Err(Errno::EOPNOTSUPP.into());
        };
        let (lower, mode, sources) = (state.lower, state.mode, state.sources.clone());
        if let Some(length) = data.u32(IFLA_MACVLAN_BC_QUEUE_LEN) {
            state.bc_queue_len_requested = length;
            self.refresh_broadcast_queue(lower, &[]);
        }
        if let Some(action) = data.u32(IFLA_MACVLAN_MACADDR_MODE) {
            if mode != Mode::Source {
                return Err(Errno::EINVAL.into());
            }
            self.set_macvlan_sources(dev, changed_sources(&sources, action, data)?);
        }
        Ok(())
    }
}

/// `macvlan_fill_info`: sources in the order of the port's hash table.
fn macvlan_data(world: &World, macvlan: &Macvlan) -> InfoData {
    let used = match world.devs.get(macvlan.lower).map(|below| &below.rx_handler) {
        Some(RxHandler::MacvlanPort(port)) => port.bc_queue_len,
        _ => macvlan.bc_queue_len_requested,
    };
    let mut data = vec![
        InfoMacVlan::Mode(MacVlanMode::from(macvlan.mode as u32)),
        InfoMacVlan::Flags(MacVlanFlags::from_bits_retain(macvlan.flags)),
        InfoMacVlan::MacAddrCount(u32::try_from(macvlan.sources.len()).unwrap_or(u32::MAX)),
    ];
    if !macvlan.sources.is_empty() {
        let mut sources: Vec<Mac> = macvlan.sources.iter().rev().copied().collect();
        sources.sort_by_key(|mac| bucket(*mac));
        data.push(InfoMacVlan::MacAddrData(
            sources.into_iter().map(|mac| InfoMacVlan::MacAddr(mac.0)).collect(),
        ));
    }
    data.push(InfoMacVlan::BcQueueLen(macvlan.bc_queue_len_requested));
    data.push(InfoMacVlan::BcQueueLenUsed(used));
    InfoData::MacVlan(data)
}
