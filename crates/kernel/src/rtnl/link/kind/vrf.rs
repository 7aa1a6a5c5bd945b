//! vrf (drivers/net/vrf.c): its table.

use hairpin_netlink::route::link::{InfoData, InfoKind, InfoPortData, InfoPortKind, InfoVrf, InfoVrfPort};
use hairpin_netlink::{Errno, Failure};

use super::{Creation, LinkOps};
use crate::dev::Kind;
use crate::dev::vrf::Vrf;
use crate::device::DevId;
use crate::mac::Mac;
use crate::route::Ruled as _;
use crate::rtnl::link::attributes::{Attributes, Policy, U32};
use crate::rtnl::link::request::ifla;
use crate::world::World;

pub(super) const OPS: LinkOps =
    LinkOps { policy: Some(POLICY), mtu: MTU, validate, ..LinkOps::new("vrf", World::create_vrf) };

const IFLA_VRF_TABLE: u16 = 1;

/// `vrf_nl_policy`
const POLICY: &[(u16, Policy)] = &[(IFLA_VRF_TABLE, U32)];

/// `IPV6_MIN_MTU`, `IP6_MAX_MTU`
const MTU: (u32, u32) = (1280, 65_575);

/// `vrf_validate`
fn validate(attributes: &Attributes<'_>, _data: Option<&Attributes<'_>>) -> Result<(), Failure> {
    let invalid = |errno| Err(Failure::with_text(errno, "Invalid hardware address"));
    match attributes.get(ifla::ADDRESS) {
        Some(address) if address.len() != 6 => invalid(Errno::EINVAL),
        Some(address) if !Mac::read(address).is_some_and(Mac::is_valid_source) => {
            invalid(Errno::EADDRNOTAVAIL)
        }
        _ => Ok(()),
    }
}

/// `vrf_fillinfo`
pub(super) fn describe(vrf: &Vrf) -> (InfoKind, Option<InfoData>) {
    (InfoKind::Vrf, Some(InfoData::Vrf(vec![InfoVrf::TableId(vrf.table)])))
}

/// `vrf_fill_slave_info`
pub(super) fn describe_port(vrf: &Vrf) -> (InfoPortKind, Option<InfoPortData>) {
    (InfoPortKind::Vrf, Some(InfoPortData::VrfPort(vec![InfoVrfPort::TableId(vrf.table)])))
}

impl World {
    /// `vrf_newlink`
    fn create_vrf(&mut self, new: Creation<'_>) -> Result<DevId, Failure> {
        let Creation { draft, data, .. } = new;
        let table = data
            .and_then(|data| data.u32(IFLA_VRF_TABLE))
            .ok_or_else(|| Failure::with_text(Errno::EINVAL, "VRF table id is missing"))?;
        if table == 0 {
            return Err(Failure::with_text(Errno::EINVAL, "Invalid VRF table id"));
        }
        let ns = draft.ns;
        let dev = self.register_draft(draft, Kind::Vrf(Vrf { table }))?;
        // `vrf_rtable_create`
        if let Some(fib) = self.fib.get_mut(ns) {
            fib.note_table(table);
        }
        // `vrf_rt6_create`
        if let Some(fib) = self.fib6.get_mut(ns) {
            fib.ensure_table(table);
        }
        self.add_vrf_rule(ns);
        Ok(dev)
    }
}
