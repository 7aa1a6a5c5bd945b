//! veth and vxcan (drivers/net/veth.c, drivers/net/can/vxcan.c): the other end.

use hairpin_netlink::{Errno, Failure};

use super::{Creation, Draft, LinkOps};
use crate::dev::Kind;
use crate::dev::veth::Veth;
use crate::device::DevId;
use crate::rtnl::link::attributes::{Attributes, Policy};
use crate::rtnl::link::change::valid_address;
use crate::rtnl::link::request::{Request, ifla};
use crate::world::World;

pub(super) const OPS: LinkOps = LinkOps {
    policy: Some(&[(VETH_INFO_PEER, Policy::Least(16))]),
    validate,
    ..LinkOps::new("veth", World::create_veth)
};

pub(super) const VXCAN: LinkOps = LinkOps {
    policy: Some(&[(VETH_INFO_PEER, Policy::Least(16))]),
    mtu: super::simple::ANY_MTU,
    validate: |_, _| Ok(()),
    ..LinkOps::new("vxcan", World::create_vxcan)
};

/// `VETH_INFO_PEER`, `VXCAN_INFO_PEER`
const VETH_INFO_PEER: u16 = 1;

/// `veth_validate`
fn validate(attributes: &Attributes<'_>, _data: Option<&Attributes<'_>>) -> Result<(), Failure> {
    valid_address(attributes)?;
    match attributes.u32(ifla::MTU) {
        Some(mtu) if !(68..=65_535).contains(&mtu) => Err(Errno::EINVAL.into()),
        _ => Ok(()),
    }
}

impl World {
    fn create_veth(&mut self, new: Creation<'_>) -> Result<DevId, Failure> {
        self.create_pair(new, &OPS, || Kind::Veth(Veth { peer: None }))
    }

    fn create_vxcan(&mut self, new: Creation<'_>) -> Result<DevId, Failure> {
        self.create_pair(new, &VXCAN, || Kind::Vxcan(Veth { peer: None }))
    }

    /// `veth_newlink`, `vxcan_newlink`: the peer comes first.
    fn create_pair(
        &mut self,
        new: Creation<'_>,
        ops: &LinkOps,
        end: impl Fn() -> Kind,
    ) -> Result<DevId, Failure> {
        let Creation { place, draft, request, data } = new;
        let any_name = format!("{}%d", ops.kind);
        let given = match data.and_then(|data| data.get(VETH_INFO_PEER)) {
            Some(bytes) => Some(Request::read(bytes)?),
            None => None,
        };
        if let Some(given) = &given {
            if given.index < 0 {
                return Err(Failure::with_text(Errno::EINVAL, "ifindex can't be negative"));
            }
            (ops.validate)(&given.attributes, None)?;
        }
        let source = given.as_ref().unwrap_or(request);
        let peer_ns = match source.attributes.has(ifla::TARGET_NETNSID) {
            // The peer's namespace is known by pid or descriptor only.
            true => place.below(),
            false => self.destination_netns(place.asker, place.below(), source)?,
        };
        let mut peer_draft = Draft::new(ops, source, peer_ns)?;
        match &given {
            None => {
                peer_draft.name = any_name.clone();
                peer_draft.mac = None;
                peer_draft.ifindex = 0;
            }
            Some(given) => {
                if given.name().is_none() {
                    peer_draft.name = any_name.clone();
                }
                if request.index == 0 {
                    peer_draft.ifindex = 0;
                }
            }
        }
        let peer = self.register_draft(peer_draft, end())?;
        self.set_carrier(peer, false);
        let flags = Request { attributes: Attributes::default(), ..request.clone() };
        let flags = given.as_ref().unwrap_or(&flags);
        let asked = given.is_some() && (flags.flags != 0 || flags.change != 0);
        let configured = if asked { self.change_flags(peer, flags) } else { Ok(()) };
        let registered = configured.and_then(|()| {
            self.notify_link(peer);
            self.register_draft(draft, end())
        });
        match registered {
            Ok(dev) => {
                self.link_veth(dev, peer);
                Ok(dev)
            }
            Err(failure) => {
                self.unregister(peer);
                Err(failure)
            }
        }
    }
}
