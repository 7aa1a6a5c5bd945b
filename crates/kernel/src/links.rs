//! What routing asks of a namespace's devices, answered from the world's tables.

use std::net::Ipv4Addr;

use slotmap::SlotMap;

use crate::dev::Kind;
use crate::device::{DevId, Device};
use crate::netns::{Netns, NsId};
use crate::route::{InterfaceAddress, Ipv4Settings, LinkState, Links, Scope, Vrf};
use crate::sysctl::Conf;
use crate::world::World;

/// A namespace's devices, as routing sees them.
pub(crate) struct NsLinks<'a> {
    pub devs: &'a SlotMap<DevId, Device>,
    pub netns: &'a Netns,
}

impl NsLinks<'_> {
    fn device(&self, ifindex: u32) -> Option<&Device> {
        self.netns.devices.get(&ifindex).and_then(|dev| self.devs.get(*dev))
    }
}

impl NsLinks<'_> {
    /// The VRF that a device is, or is a port of.
    fn vrf(&self, device: &Device) -> Option<Vrf> {
        match (&device.kind, device.master) {
            (Kind::Vrf(vrf), _) => Some(Vrf { ifindex: device.ifindex, table: vrf.table }),
            (_, Some(master)) => match self.devs.get(master) {
                Some(Device { kind: Kind::Vrf(vrf), ifindex, .. }) => {
                    Some(Vrf { ifindex: *ifindex, table: vrf.table })
                }
                _ => None,
            },
            _ => None,
        }
    }
}

impl Links for NsLinks<'_> {
    fn link(&self, ifindex: u32) -> Option<LinkState<'_>> {
        let device = self.device(ifindex)?;
        Some(LinkState {
            name: &device.name,
            up: device.is_up(),
            carrier: device.carrier,
            loopback: device.is_loopback(),
            ipv4: device.has_ipv4,
            mtu: device.mtu,
            group: device.group,
            vrf: self.vrf(device),
        })
    }

    fn find(&self, name: &str) -> Option<u32> {
        self.netns.names.get(name).and_then(|dev| self.devs.get(*dev)).map(|device| device.ifindex)
    }

    fn next(&self, after: u32) -> Option<u32> {
        let order = &self.netns.order;
        let at = match after {
            0 => 0,
            after => {
                order.iter().position(|dev| self.devs.get(*dev).is_some_and(|d| d.ifindex == after))? + 1
            }
        };
        order.get(at).and_then(|dev| self.devs.get(*dev)).map(|device| device.ifindex)
    }

    fn addresses(&self, ifindex: u32) -> &[InterfaceAddress] {
        self.device(ifindex).map_or(&[], |device| &device.routing_addresses)
    }

    fn settings(&self, ifindex: u32) -> Ipv4Settings {
        let Some(device) = self.device(ifindex) else { return Ipv4Settings::default() };
        let (sysctl, conf) = (&self.netns.sysctl, &device.ipv4_conf);
        let forwarding = conf.is_set(Conf::Forwarding);
        Ipv4Settings {
            forwarding,
            accept_local: sysctl.either(conf, Conf::AcceptLocal),
            rp_filter: sysctl.larger(conf, Conf::RpFilter).clamp(0, 2) as u8,
            route_localnet: sysctl.either(conf, Conf::RouteLocalnet),
            bc_forwarding: sysctl.both(conf, Conf::BcForwarding),
            send_redirects: sysctl.either(conf, Conf::SendRedirects),
            shared_media: sysctl.either(conf, Conf::SharedMedia),
            src_valid_mark: sysctl.either(conf, Conf::SrcValidMark),
        }
    }

    fn joined(&self, ifindex: u32, group: Ipv4Addr) -> bool {
        group == Ipv4Addr::new(224, 0, 0, 1)
            || self
                .device(ifindex)
                .is_some_and(|device| device.ipv4_groups.iter().any(|known| known.address == group))
    }
}

impl World {
    /// The devices of a namespace for routing.
    pub(crate) fn links(&self, ns: NsId) -> Option<NsLinks<'_>> {
        Some(NsLinks { devs: &self.devs, netns: self.netns.get(ns)? })
    }

    /// `IN_DEV_ORCONF`
    pub(crate) fn dev_conf_either(&self, dev: DevId, conf: Conf) -> bool {
        self.dev_conf(dev, |sysctl, device| i32::from(sysctl.either(device, conf))) != 0
    }

    /// `IN_DEV_MAXCONF`
    pub(crate) fn dev_conf_larger(&self, dev: DevId, conf: Conf) -> i32 {
        self.dev_conf(dev, |sysctl, device| sysctl.larger(device, conf))
    }

    fn dev_conf(
        &self,
        dev: DevId,
        read: impl Fn(&crate::sysctl::Sysctl, &crate::sysctl::DevConf) -> i32,
    ) -> i32 {
        let Some(device) = self.devs.get(dev) else { return 0 };
        let Some(netns) = self.netns.get(device.ns) else { return 0 };
        read(&netns.sysctl, &device.ipv4_conf)
    }

    /// Whether an address is local by the local table (`inet_addr_type` is `RTN_LOCAL`).
    pub(crate) fn is_local_address(&self, ns: NsId, address: Ipv4Addr) -> bool {
        self.address_kind(ns, address) == crate::route::RouteKind::Local
    }

    /// Whether an address is unicast and not local (`inet_addr_type` is `RTN_UNICAST`).
    pub(crate) fn is_unicast_address(&self, ns: NsId, address: Ipv4Addr) -> bool {
        self.address_kind(ns, address) == crate::route::RouteKind::Unicast
    }

    /// The kind of an address by the local table, or by that of the VRF which the device belongs to
    /// (`inet_addr_type_dev_table`).
    pub(crate) fn address_kind_at(&self, dev: DevId, address: Ipv4Addr) -> crate::route::RouteKind {
        let Some(device) = self.devs.get(dev) else { return crate::route::RouteKind::Unicast };
        let vrf = self.links(device.ns).and_then(|links| links.vrf(device));
        let table = vrf.map_or(crate::route::model::TABLE_LOCAL, |vrf| vrf.table);
        let fib = self.fib.get(device.ns);
        fib.map_or(crate::route::RouteKind::Unicast, |fib| fib.address_owner(address, table).0)
    }

    pub(crate) fn address_kind(&self, ns: NsId, address: Ipv4Addr) -> crate::route::RouteKind {
        self.address_owner(ns, address).0
    }

    /// The kind of an address by the local table, and the device of its route (0: none).
    pub(crate) fn address_owner(&self, ns: NsId, address: Ipv4Addr) -> (crate::route::RouteKind, u32) {
        let fib = self.fib.get(ns);
        fib.map_or((crate::route::RouteKind::Unicast, 0), |fib| {
            fib.address_owner(address, crate::route::model::TABLE_LOCAL)
        })
    }

    /// `inet_select_addr`; unspecified where there is none.
    pub(crate) fn select_source(&self, dev: DevId, next_hop: Ipv4Addr, scope: u8) -> Ipv4Addr {
        let Some(device) = self.devs.get(dev) else { return Ipv4Addr::UNSPECIFIED };
        let Some(links) = self.links(device.ns) else { return Ipv4Addr::UNSPECIFIED };
        crate::route::select_source(&links, device.ifindex, next_hop, Scope(scope))
    }
}
