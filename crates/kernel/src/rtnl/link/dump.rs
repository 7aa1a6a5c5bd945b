//! `RTM_GETLINK`: one device, or all that pass a filter (`rtnl_getlink`, `rtnl_dump_ifinfo`).

use std::cmp::Reverse;

use hairpin_netlink::core::DefaultNla;
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::link::{LinkAttribute, LinkFlags, LinkMessage, LinkProtoInfoInet6};
use hairpin_netlink::{Errno, Failure, Message};

use super::kind;
use super::message::{View, oper_state};
use super::request::{Request, Wanted, ifla};
use crate::device::{DevId, Device};
use crate::netns::NsId;
use crate::rtnl::Dump;
use crate::world::World;

/// `NETDEV_HASHENTRIES`: dumps go through the table of interface indices.
const INDEX_BUCKETS: u32 = 256;
/// `IFLA_MASTER` of a filter for devices that have none.
const NO_MASTER: u32 = u32::MAX;

/// `IFLA_INET6_TOKEN`
const IFLA_INET6_TOKEN: u16 = 7;

/// What a dump leaves out.
#[derive(Clone, Debug, Default)]
struct Filter {
    master: Option<u32>,
    kind: Option<&'static str>,
}

impl World {
    /// One device by index, name or alternative name.
    pub(super) fn get_link(&mut self, ns: NsId, request: &Request<'_>) -> Result<LinkMessage, Failure> {
        request.one_netns(true)?;
        let target = self.target_netns(ns, request)?;
        match self.wanted_link(target, request) {
            Wanted::Found(dev) => Ok(self.describe_link(dev, view(ns, request))),
            Wanted::Missing => Err(Errno::ENODEV.into()),
            Wanted::Unnamed => Err(Errno::EINVAL.into()),
        }
    }

    /// All devices that pass the request's filters.
    pub(super) fn dump_all_links(&mut self, ns: NsId, request: &Request<'_>) -> Result<Dump, Failure> {
        let target = self
            .target_netns(ns, request)
            .map_err(|failure| Failure::with_text(failure.errno, "Invalid target network namespace id"))?;
        let filter = Filter {
            master: request.attributes.u32(ifla::MASTER).filter(|master| *master != 0),
            // A kind that nobody knows filters nothing.
            kind: request.link_info().ok().and_then(|info| kind::ops(&info.kind?).map(|ops| ops.kind)),
        };
        let mut messages = Vec::new();
        for dev in self.in_index_order(target) {
            if self.devs.get(dev).is_some_and(|device| self.passes(device, &filter)) {
                messages.push(Message::NewLink(self.describe_link(dev, view(ns, request))));
            }
        }
        Ok(Dump { messages, filtered: filter.master.is_some() || filter.kind.is_some() })
    }

    /// `inet6_dump_ifinfo`: devices with an IPv6 side, as IPv6 knows them.
    pub(super) fn dump_inet6_links(&self, ns: NsId) -> Dump {
        let mut messages = Vec::new();
        for device in self.in_index_order(ns).into_iter().filter_map(|dev| self.devs.get(dev)) {
            if !device.has_ipv6 {
                continue;
            }
            let mut message = LinkMessage::default();
            message.header.interface_family = AddressFamily::Inet6;
            message.header.index = device.ifindex;
            message.header.link_layer_type = device.hardware.into();
            message.header.flags = LinkFlags::from_bits_retain(device.shown_flags().bits());
            let below = self.link_below(device.id).map(|(index, _)| index);
            let attributes = &mut message.attributes;
            attributes.push(LinkAttribute::IfName(device.name.clone()));
            attributes.push(LinkAttribute::Address(device.mac.0.to_vec()));
            attributes.push(LinkAttribute::Mtu(device.mtu));
            attributes.extend(below.filter(|index| *index != device.ifindex).map(LinkAttribute::Link));
            attributes.push(LinkAttribute::OperState(oper_state(device)));
            let token = u128::from(device.inet6.token).to_be_bytes().to_vec();
            let token = LinkProtoInfoInet6::Other(DefaultNla::new(IFLA_INET6_TOKEN, token));
            attributes.push(LinkAttribute::ProtoInfoInet6(vec![token]));
            messages.push(Message::NewLink(message));
        }
        Dump { messages, filtered: false }
    }

    /// Devices in the order of the table of indices: by bucket, in a bucket the newest first.
    pub(in crate::rtnl) fn in_index_order(&self, ns: NsId) -> Vec<DevId> {
        let mut found: Vec<(u32, Reverse<usize>, DevId)> = self
            .devices_of(ns)
            .enumerate()
            .map(|(age, device)| (device.ifindex % INDEX_BUCKETS, Reverse(age), device.id))
            .collect();
        found.sort();
        found.into_iter().map(|(_, _, dev)| dev).collect()
    }

    /// `link_dump_filtered`
    fn passes(&self, device: &Device, filter: &Filter) -> bool {
        let master = device.master.and_then(|master| self.devs.get(master)).map(|master| master.ifindex);
        let by_master = match filter.master {
            None => true,
            Some(NO_MASTER) => master.is_none(),
            wanted => master == wanted,
        };
        by_master && filter.kind.is_none_or(|kind| device.kind.name() == Some(kind))
    }
}

/// `RTEXT_FILTER_SKIP_STATS` concerns IPv6's counters only, which are never sent; there are no virtual functions
/// for `RTEXT_FILTER_VF`.
fn view(viewer: NsId, request: &Request<'_>) -> View {
    View { viewer, target: request.attributes.i32(ifla::TARGET_NETNSID) }
}
