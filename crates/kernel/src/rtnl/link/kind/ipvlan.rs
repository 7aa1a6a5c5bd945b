//! ipvlan (drivers/net/ipvlan/ipvlan_main.c): mode and flags, which all ipvlans on a device share.

use hairpin_netlink::route::link::{InfoData, InfoIpVlan, InfoKind, IpVlanFlags, IpVlanMode};
use hairpin_netlink::{Errno, Failure};

use super::{Creation, LinkOps};
use crate::dev::ipvlan::{FLAG_PRIVATE, FLAG_VEPA, Ipvlan, Mode};
use crate::dev::{Kind, RxHandler, tap};
use crate::device::DevId;
use crate::rtnl::link::attributes::{Attributes, Policy, U16};
use crate::rtnl::link::request::ifla;
use crate::world::World;

pub(super) const OPS: LinkOps = LinkOps {
    policy: Some(POLICY),
    validate,
    change: Some(World::change_ipvlan_link),
    ..LinkOps::new("ipvlan", World::create_ipvlan)
};

/// drivers/net/ipvlan/ipvtap.c: an ipvlan with queues.
pub(super) const TAP_OPS: LinkOps = LinkOps { kind: "ipvtap", create: World::create_ipvtap, ..OPS };

const IFLA_IPVLAN_MODE: u16 = 1;
const IFLA_IPVLAN_FLAGS: u16 = 2;

/// `ipvlan_nl_policy`
const POLICY: &[(u16, Policy)] = &[(IFLA_IPVLAN_MODE, U16), (IFLA_IPVLAN_FLAGS, U16)];

/// `ipvlan_nl_validate`; a MAC in the request is not looked at.
fn validate(_: &Attributes<'_>, data: Option<&Attributes<'_>>) -> Result<(), Failure> {
    let Some(data) = data else { return Ok(()) };
    let both = FLAG_PRIVATE | FLAG_VEPA;
    let bad_mode = data.u16(IFLA_IPVLAN_MODE).is_some_and(|mode| Mode::from_number(mode).is_none());
    let bad_flags = data.u16(IFLA_IPVLAN_FLAGS).is_some_and(|flags| flags & !both != 0 || flags == both);
    match bad_mode || bad_flags {
        true => Err(Errno::EINVAL.into()),
        false => Ok(()),
    }
}

/// `ipvlan_nl_fillinfo`
pub(super) fn describe(world: &World, ipvlan: &Ipvlan) -> (InfoKind, Option<InfoData>) {
    let (mode, flags) = match world.devs.get(ipvlan.lower).map(|below| &below.rx_handler) {
        Some(RxHandler::IpvlanPort(port)) => (port.mode, port.flags),
        _ => (Mode::L3, 0),
    };
    let data = vec![
        InfoIpVlan::Mode(IpVlanMode::from(mode as u16)),
        InfoIpVlan::Flags(IpVlanFlags::from_bits_retain(flags)),
    ];
    let kind = if ipvlan.tap { InfoKind::IpVtap } else { InfoKind::IpVlan };
    (kind, Some(InfoData::IpVlan(data)))
}

impl World {
    fn create_ipvlan(&mut self, new: Creation<'_>) -> Result<DevId, Failure> {
        self.make_ipvlan(new, false)
    }

    /// `ipvtap_newlink`
    fn create_ipvtap(&mut self, mut new: Creation<'_>) -> Result<DevId, Failure> {
        new.draft.tx_queue_len.get_or_insert(tap::QUEUE_LEN);
        let dev = self.make_ipvlan(new, true)?;
        self.add_tap(dev);
        Ok(dev)
    }

    /// `ipvlan_link_new`: mode l3 unless the request says otherwise, for all on the same device; its flags are for
    /// all too, if it has any.
    fn make_ipvlan(&mut self, new: Creation<'_>, tap: bool) -> Result<DevId, Failure> {
        let Creation { place, mut draft, request, data } = new;
        let Some(index) = request.attributes.u32(ifla::LINK) else { return Err(Errno::EINVAL.into()) };
        let mut lower = self.device_at(place.below(), index).ok_or(Errno::ENODEV)?;
        // An ipvlan on an ipvlan stands on the real device.
        if let Some(Kind::Ipvlan(state)) = self.devs.get(lower).map(|device| &device.kind) {
            lower = state.lower;
        }
        self.check_ipvlan(lower)?;
        self.check_nesting(lower)?;
        let below = self.devs.get(lower).map(|below| below.mtu).ok_or(Errno::ENODEV)?;
        draft.mtu.get_or_insert(below);
        let own_mac = draft.mac.is_some();
        let dev = self.register_draft(draft, Kind::Ipvlan(Ipvlan { lower, tap }))?;
        if let Err(failure) = self.link_ipvlan(dev, own_mac) {
            self.unregister(dev);
            return Err(failure);
        }
        if let Some(flags) = data.and_then(|data| data.u16(IFLA_IPVLAN_FLAGS)) {
            self.set_ipvlan_flags(lower, flags);
        }
        let mode = data.and_then(|data| data.u16(IFLA_IPVLAN_MODE)).and_then(Mode::from_number);
        self.set_ipvlan_mode(lower, mode.unwrap_or(Mode::L3), Some(dev));
        self.notify_link(lower);
        Ok(dev)
    }

    /// `ipvlan_nl_changelink`
    fn change_ipvlan_link(&mut self, dev: DevId, data: &Attributes<'_>) -> Result<(), Failure> {
        let Some(Kind::Ipvlan(state)) = self.devs.get(dev).map(|device| &device.kind) else {
            return Err(Errno::EOPNOTSUPP.into());
        };
        let lower = state.lower;
        if let Some(mode) = data.u16(IFLA_IPVLAN_MODE).and_then(Mode::from_number) {
            self.set_ipvlan_mode(lower, mode, None);
        }
        if let Some(flags) = data.u16(IFLA_IPVLAN_FLAGS) {
            self.set_ipvlan_flags(lower, flags);
        }
        Ok(())
    }
}
