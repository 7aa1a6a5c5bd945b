//! What each kind of device answers to netlink, one file a kind (`struct rtnl_link_ops`).

mod bond;
mod bridge;
mod dummy;
mod geneve;
mod ip6_tunnel;
mod ip_tunnel;
mod ipoib;
mod ipvlan;
pub(in crate::rtnl) mod macsec;
mod macvlan;
mod raw;
mod simple;
mod team;
mod veth;
pub(super) mod vlan;
mod vrf;
mod vxlan;

use hairpin_netlink::route::link::{InfoData, InfoKind, InfoPortData, InfoPortKind};
use hairpin_netlink::{Errno, Failure};

use super::attributes::{Attributes, Policy};
use super::change::{refuse_offload, valid_address};
use super::request::{Request, ifla};
use crate::control::NewDevice;
use crate::dev::{Kind, RxHandler};
use crate::device::{DevId, Device};
use crate::mac::Mac;
use crate::netns::NsId;
use crate::rtnl::server::Asker;
use crate::world::World;

/// Most queues a request may ask for.
const QUEUES_MAX: u32 = 4096;
/// Largest MTU of an Ethernet device (`ETH_MAX_MTU`).
const ETH_MAX_MTU: u32 = 65_535;
/// `MAX_NEST_DEV`
const NESTING_MAX: usize = 8;

/// The kinds that this kernel can make, in the order of their names.
static KINDS: &[LinkOps] = &[
    bond::OPS,
    bridge::OPS,
    dummy::OPS,
    geneve::OPS,
    ip6_tunnel::IP6GRE,
    ip6_tunnel::IP6GRETAP,
    ip6_tunnel::IP6TNL,
    ip_tunnel::GRE,
    ip_tunnel::GRETAP,
    ip_tunnel::IPIP,
    ip_tunnel::SIT,
    ipoib::OPS,
    ipvlan::OPS,
    ipvlan::TAP_OPS,
    macsec::OPS,
    macvlan::OPS,
    macvlan::TAP_OPS,
    simple::IFB,
    simple::NETDEVSIM,
    simple::NLMON,
    simple::VCAN,
    team::OPS,
    veth::OPS,
    veth::VXCAN,
    vlan::OPS,
    vrf::OPS,
    vxlan::OPS,
];

/// Kinds that are known, but no request makes a device of them.
static REFUSED: &[LinkOps] = &[simple::CAN, simple::TUN];

/// The names of the kinds that there are.
pub(in crate::rtnl) fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|ops| ops.kind)
}

/// Changes a device by its options.
pub(super) type Change = fn(&mut World, DevId, &Attributes<'_>) -> Result<(), Failure>;

/// A kind's side of netlink (`struct rtnl_link_ops`).
pub(super) struct LinkOps {
    /// `IFLA_INFO_KIND`
    pub kind: &'static str,
    /// How `IFLA_INFO_DATA` is read; none for a kind without options.
    pub policy: Option<&'static [(u16, Policy)]>,
    /// Least and largest MTU that a request for a new device may name.
    pub mtu: (u32, u32),
    /// Looks at a request before anything is done.
    pub validate: fn(&Attributes<'_>, Option<&Attributes<'_>>) -> Result<(), Failure>,
    /// `newlink`: makes the device and puts it where it belongs.
    pub create: fn(&mut World, Creation<'_>) -> Result<DevId, Failure>,
    /// `changelink`; none where options cannot change.
    pub change: Option<Change>,
    /// How `IFLA_INFO_SLAVE_DATA` is read for ports of a device of this kind.
    pub port_policy: Option<&'static [(u16, Policy)]>,
    /// `slave_changelink`, given the port.
    pub change_port: Option<Change>,
    /// Queues of a device that no request gives a number of (`get_num_tx_queues`).
    pub queues: u32,
}

impl LinkOps {
    /// A kind on Ethernet without options.
    const fn new(
        kind: &'static str,
        create: fn(&mut World, Creation<'_>) -> Result<DevId, Failure>,
    ) -> LinkOps {
        LinkOps {
            kind,
            policy: None,
            mtu: (68, ETH_MAX_MTU),
            validate: |attributes, _| valid_address(attributes),
            create,
            change: None,
            port_policy: None,
            change_port: None,
            queues: 1,
        }
    }

    /// `IFLA_INFO_DATA` by the kind's policy.
    ///
    /// # Errors
    /// The policy's.
    pub fn read_data<'a>(&self, data: Option<&'a [u8]>) -> Result<Option<Attributes<'a>>, Failure> {
        match (data, self.policy) {
            (Some(data), Some(policy)) => Attributes::read(data, policy).map(Some),
            _ => Ok(None),
        }
    }
}

/// A kind by its name (`rtnl_link_ops_get`).
pub(super) fn ops(name: &str) -> Option<&'static LinkOps> {
    KINDS.iter().chain(REFUSED).find(|ops| ops.kind == name)
}

/// What a device's kind says of it (`fill_info`); none for cards and loopback.
pub(super) fn describe(world: &World, device: &Device) -> Option<(InfoKind, Option<InfoData>)> {
    match &device.kind {
        Kind::Loopback | Kind::Nic { .. } | Kind::Netdevsim(_) => None,
        Kind::Ipoib(state) => Some(ipoib::describe(state)),
        Kind::Dummy => Some((InfoKind::Dummy, None)),
        Kind::Veth(_) => Some((InfoKind::Veth, None)),
        Kind::Bridge(bridge) => Some((InfoKind::Bridge, Some(super::info::bridge_data(world.now, bridge)))),
        Kind::Bond(bond) => Some(bond::describe(world, bond)),
        Kind::Team(_) => Some((InfoKind::Other(team::OPS.kind.to_owned()), None)),
        Kind::Macvlan(macvlan) => Some(macvlan::describe(world, macvlan)),
        Kind::Ipvlan(ipvlan) => Some(ipvlan::describe(world, ipvlan)),
        Kind::Vlan(vlan) => Some(vlan::describe(vlan)),
        Kind::Ifb => Some((InfoKind::Ifb, None)),
        Kind::Nlmon => Some((InfoKind::Nlmon, None)),
        Kind::Vcan => Some((InfoKind::Vcan, None)),
        Kind::Vxcan(_) => Some((InfoKind::Vxcan, None)),
        Kind::IpTunnel(tunnel) => Some(ip_tunnel::describe(tunnel)),
        Kind::Ip6Tunnel(tunnel) => Some(ip6_tunnel::describe(tunnel)),
        Kind::Geneve(geneve) => Some(geneve::describe(geneve)),
        Kind::Macsec(macsec) => Some(macsec::describe(macsec)),
        Kind::Tun(tun) => Some(simple::describe_tun(tun)),
        Kind::Vrf(vrf) => Some(vrf::describe(vrf)),
        Kind::Vxlan(vxlan) => Some(vxlan::describe(vxlan)),
    }
}

/// What the master of a port says of it (`fill_slave_info`); none for a device that is no port.
pub(super) fn describe_port(world: &World, device: &Device) -> Option<(InfoPortKind, Option<InfoPortData>)> {
    if let RxHandler::BondSlave { bond } = device.rx_handler {
        return bond::describe_slave(world, bond, device.id);
    }
    if let RxHandler::TeamPort { .. } = device.rx_handler {
        return Some((InfoPortKind::Other(team::OPS.kind.to_owned()), None));
    }
    if let Some(Kind::Vrf(vrf)) = world.devs.get(device.master?).map(|master| &master.kind) {
        return Some(vrf::describe_port(vrf));
    }
    let port = super::info::port_data(world, device)?;
    Some((InfoPortKind::Bridge, Some(InfoPortData::BridgePort(port))))
}

/// What a kind's `create` is given.
pub(super) struct Creation<'a> {
    pub place: Place<'a>,
    pub draft: Draft,
    pub request: &'a Request<'a>,
    /// The options, read by the kind's policy.
    pub data: Option<&'a Attributes<'a>>,
}

/// Where a new device is made and where it ends up.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub asker: &'a Asker<'a>,
    pub destination: NsId,
    /// `IFLA_LINK_NETNSID`: where the device below is.
    pub link: Option<NsId>,
}

impl Place<'_> {
    /// Where the device is registered at first.
    pub fn birth(&self) -> NsId {
        self.link.unwrap_or(self.destination)
    }

    /// Where `IFLA_LINK` is looked up.
    pub fn below(&self) -> NsId {
        self.link.unwrap_or(self.asker.ns)
    }
}

/// What a device that is to be made has of its request (`rtnl_create_link`).
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub ns: NsId,
    pub name: String,
    pub ifindex: u32,
    pub mac: Option<Mac>,
    pub broadcast: Option<Mac>,
    pub mtu: Option<u32>,
    pub tx_queue_len: Option<u32>,
    pub group: u32,
    pub queues: (u32, u32),
}

impl Draft {
    /// A draft of a device of this kind.
    ///
    /// # Errors
    /// The kernel's: numbers of queues and an MTU out of bounds, offload sizes.
    pub fn new(ops: &LinkOps, request: &Request<'_>, ns: NsId) -> Result<Draft, Failure> {
        let attributes = &request.attributes;
        let queues = |kind, text: &str| match attributes.u32(kind).unwrap_or(ops.queues) {
            count if (1..=QUEUES_MAX).contains(&count) => Ok(count),
            _ => Err(Failure::with_text(Errno::EINVAL, text)),
        };
        let queues = (
            queues(ifla::NUM_TX_QUEUES, "Invalid number of transmit queues")?,
            queues(ifla::NUM_RX_QUEUES, "Invalid number of receive queues")?,
        );
        let mtu = attributes.u32(ifla::MTU);
        if let Some(mtu) = mtu {
            check_mtu(ops.mtu, mtu)?;
        }
        refuse_offload(attributes)?;
        Ok(Draft {
            ns,
            name: attributes.text(ifla::IFNAME).unwrap_or_else(|| format!("{}%d", ops.kind)),
            ifindex: request.index.unsigned_abs(),
            mac: attributes.mac(ifla::ADDRESS),
            broadcast: attributes.mac(ifla::BROADCAST),
            mtu,
            tx_queue_len: attributes.u32(ifla::TXQLEN),
            group: attributes.u32(ifla::GROUP).unwrap_or(0),
            queues,
        })
    }

    /// A stacked device takes over the MTU below it, and may not exceed it.
    ///
    /// # Errors
    /// `EINVAL` where it would.
    pub fn inherit_mtu(&mut self, below: u32) -> Result<(), Failure> {
        if self.mtu.is_some_and(|mtu| mtu > below) {
            return Err(Errno::EINVAL.into());
        }
        self.mtu.get_or_insert(below);
        Ok(())
    }
}

impl World {
    /// Registers a device as drafted.
    pub(super) fn register_draft(&mut self, draft: Draft, kind: Kind) -> Result<DevId, Failure> {
        let Draft { ns, name, ifindex, mac, mtu, .. } = draft;
        let dev = self.register(ns, NewDevice { name, kind, mac, ifindex, mtu })?;
        self.set_group(dev, draft.group);
        self.on_device(dev, |device| {
            device.queues = draft.queues;
            device.tx_queue_len = draft.tx_queue_len.unwrap_or(device.tx_queue_len);
            device.broadcast = draft.broadcast.unwrap_or(device.broadcast);
        });
        Ok(dev)
    }

    /// `__netdev_upper_dev_link`: so many devices stand on one another at most.
    pub(super) fn check_nesting(&self, lower: DevId) -> Result<(), Failure> {
        let mut level = 0;
        let mut at = Some(lower);
        while let Some(device) = at.and_then(|dev| self.devs.get(dev)) {
            level += 1;
            if level >= NESTING_MAX {
                return Err(Errno::EMLINK.into());
            }
            at = match device.kind {
                Kind::Macvlan(_) | Kind::Ipvlan(_) | Kind::Vlan(_) | Kind::Macsec(_) => device.lower(),
                _ => None,
            };
        }
        Ok(())
    }
}

/// `dev_validate_mtu` with the bounds that a kind's `setup` gives.
fn check_mtu((least, most): (u32, u32), mtu: u32) -> Result<(), Failure> {
    if mtu > i32::MAX as u32 || mtu < least {
        return Err(Failure::with_text(Errno::EINVAL, "mtu less than device minimum"));
    }
    if mtu > most {
        return Err(Failure::with_text(Errno::EINVAL, "mtu greater than device maximum"));
    }
    Ok(())
}
