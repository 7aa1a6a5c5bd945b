//! Kinds without options: ifb, nlmon, vcan (drivers/net/ifb.c, nlmon.c, can/vcan.c); and those that are refused as Linux
//! refuses them: devices of netdevsim come from a bus, those of tun from a file, those of can from hardware.

use hairpin_netlink::core::DefaultNla;
use hairpin_netlink::route::link::{InfoData, InfoKind, InfoTun};
use hairpin_netlink::{Errno, Failure};

use super::LinkOps;
use crate::dev::Kind;
use crate::dev::tun::{Tun, flag};
use crate::rtnl::link::attributes::Attributes;
use crate::rtnl::link::request::ifla;

pub(super) const IFB: LinkOps =
    LinkOps { mtu: ANY_MTU, ..LinkOps::new("ifb", |world, new| world.register_draft(new.draft, Kind::Ifb)) };

pub(super) const NLMON: LinkOps = LinkOps {
    mtu: (crate::dev::nlmon::MTU_MIN, i32::MAX as u32),
    validate: without_address,
    ..LinkOps::new("nlmon", |world, new| world.register_draft(new.draft, Kind::Nlmon))
};

pub(super) const VCAN: LinkOps = LinkOps {
    mtu: ANY_MTU,
    validate: |_, _| Ok(()),
    ..LinkOps::new("vcan", |world, new| world.register_draft(new.draft, Kind::Vcan))
};

pub(super) const NETDEVSIM: LinkOps =
    LinkOps { validate: no_netdevsim, ..LinkOps::new("netdevsim", |_, _| Err(Errno::EOPNOTSUPP.into())) };

/// `tun_link_ops`
pub(super) const TUN: LinkOps =
    LinkOps { validate: no_tun, ..LinkOps::new("tun", |_, _| Err(Errno::EOPNOTSUPP.into())) };

/// `can_link_ops`: such a device has a controller.
pub(super) const CAN: LinkOps = LinkOps {
    mtu: ANY_MTU,
    validate: |_, _| Ok(()),
    ..LinkOps::new("can", |_, _| Err(Errno::EOPNOTSUPP.into()))
};

/// `setup` gives no bounds.
pub(super) const ANY_MTU: (u32, u32) = (0, i32::MAX as u32);

/// `nlmon_validate`
fn without_address(attributes: &Attributes<'_>, _data: Option<&Attributes<'_>>) -> Result<(), Failure> {
    if attributes.has(ifla::ADDRESS) { Err(Errno::EINVAL.into()) } else { Ok(()) }
}

/// `tun_validate`
fn no_tun(_attributes: &Attributes<'_>, _data: Option<&Attributes<'_>>) -> Result<(), Failure> {
    Err(Failure::with_text(Errno::EOPNOTSUPP, "tun/tap creation via rtnetlink is not supported."))
}

/// `nsim_validate`
fn no_netdevsim(_attributes: &Attributes<'_>, _data: Option<&Attributes<'_>>) -> Result<(), Failure> {
    let text = "Please use: echo \"[ID] [PORT_COUNT] [NUM_QUEUES]\" > /sys/bus/netdevsim/new_device";
    Err(Failure::with_text(Errno::EOPNOTSUPP, text))
}

/// `tun_fill_info`
pub(super) fn describe_tun(tun: &Tun) -> (InfoKind, Option<InfoData>) {
    const OWNER: u16 = 1;
    const GROUP: u16 = 2;
    const TYPE: u16 = 3;
    const PI: u16 = 4;
    const VNET_HDR: u16 = 5;
    const PERSIST: u16 = 6;
    const MULTI_QUEUE: u16 = 7;
    const NUM_QUEUES: u16 = 8;
    const NUM_DISABLED_QUEUES: u16 = 9;
    let has = |wanted: u16| u8::from(tun.flags & wanted != 0);
    let mut all: Vec<(u16, Vec<u8>)> = vec![(TYPE, vec![if tun.is_tap() { 2 } else { 1 }])];
    let id = |kind: u16, id: Option<u32>| id.map(|id| (kind, id.to_ne_bytes().to_vec()));
    all.extend(id(OWNER, tun.owner));
    all.extend(id(GROUP, tun.group));
    all.extend([
        (PI, vec![1 - has(flag::NO_PI)]),
        (VNET_HDR, vec![has(flag::VNET_HDR)]),
        (PERSIST, vec![has(flag::PERSIST)]),
        (MULTI_QUEUE, vec![has(flag::MULTI_QUEUE)]),
    ]);
    if has(flag::MULTI_QUEUE) != 0 {
        // Nobody has opened any.
        all.extend([NUM_QUEUES, NUM_DISABLED_QUEUES].map(|kind| (kind, 0u32.to_ne_bytes().to_vec())));
    }
    let all = all.into_iter().map(|(kind, value)| InfoTun::Other(DefaultNla::new(kind, value)));
    (InfoKind::Tun, Some(InfoData::Tun(all.collect())))
}
