//! VLAN devices (net/8021q/vlan_netlink.c): protocol, id, flags and priority maps.

use hairpin_netlink::route::link::{InfoData, InfoKind, InfoVlan, VlanProtocol, VlanQosMapping};
use hairpin_netlink::{Errno, Failure, codec, route};

use super::{Creation, LinkOps};
use crate::dev::Kind;
use crate::dev::vlan::{Vlan, VlanFlags};
use crate::device::DevId;
use crate::rtnl::link::attributes::{Attributes, Policy, U16};
use crate::rtnl::link::change::valid_address;
use crate::rtnl::link::request::ifla;
use crate::world::World;

pub(super) const OPS: LinkOps = LinkOps {
    policy: Some(POLICY),
    mtu: (0, super::ETH_MAX_MTU),
    validate,
    change: Some(World::change_vlan_link),
    ..LinkOps::new("vlan", World::create_vlan)
};

const IFLA_VLAN_ID: u16 = 1;
const IFLA_VLAN_FLAGS: u16 = 2;
const IFLA_VLAN_EGRESS_QOS: u16 = 3;
const IFLA_VLAN_INGRESS_QOS: u16 = 4;
const IFLA_VLAN_PROTOCOL: u16 = 5;
const IFLA_VLAN_QOS_MAPPING: u16 = 1;

/// `vlan_policy`
const POLICY: &[(u16, Policy)] = &[
    (IFLA_VLAN_ID, U16),
    (IFLA_VLAN_FLAGS, Policy::Least(8)),
    (IFLA_VLAN_EGRESS_QOS, Policy::Nested),
    (IFLA_VLAN_INGRESS_QOS, Policy::Nested),
    (IFLA_VLAN_PROTOCOL, U16),
];

/// `vlan_validate`
fn validate(attributes: &Attributes<'_>, data: Option<&Attributes<'_>>) -> Result<(), Failure> {
    valid_address(attributes)?;
    let Some(data) = data else {
        return Err(vlan_failure(Errno::EINVAL, "VLAN properties not specified"));
    };
    if data.be16(IFLA_VLAN_PROTOCOL).is_some_and(|tpid| !is_vlan_protocol(tpid)) {
        return Err(vlan_failure(Errno::EPROTONOSUPPORT, "Invalid VLAN protocol"));
    }
    if data.u16(IFLA_VLAN_ID).is_some_and(|vid| vid >= 0xfff) {
        return Err(vlan_failure(Errno::ERANGE, "Invalid VLAN id"));
    }
    if let Some((flags, mask)) = vlan_flags(data)
        && flags & mask & !VlanFlags::all().bits() != 0
    {
        return Err(vlan_failure(Errno::EINVAL, "Invalid VLAN flags"));
    }
    for (kind, text) in
        [(IFLA_VLAN_INGRESS_QOS, "Invalid ingress QOS map"), (IFLA_VLAN_EGRESS_QOS, "Invalid egress QOS map")]
    {
        let mut mappings = codec::attributes(data.get(kind).unwrap_or(&[]));
        if mappings.any(|(kind, value)| kind == IFLA_VLAN_QOS_MAPPING && value.len() < 8) {
            return Err(vlan_failure(Errno::ERANGE, text));
        }
    }
    Ok(())
}

/// A failure with a text of the 8021q module.
fn vlan_failure(errno: Errno, text: &str) -> Failure {
    Failure::with_text(errno, format!("8021q: {text}"))
}

pub(in crate::rtnl::link) fn is_vlan_protocol(tpid: u16) -> bool {
    tpid == hairpin_wire::vlan::TPID_8021Q || tpid == hairpin_wire::vlan::TPID_8021AD
}

/// `struct ifla_vlan_flags`: flags and mask.
fn vlan_flags(data: &Attributes<'_>) -> Option<(u32, u32)> {
    let [a, b, c, d, e, f, g, h] = *data.get(IFLA_VLAN_FLAGS)?.first_chunk::<8>()?;
    Some((u32::from_ne_bytes([a, b, c, d]), u32::from_ne_bytes([e, f, g, h])))
}

/// `vlan_fill_info`
pub(super) fn describe(vlan: &Vlan) -> (InfoKind, Option<InfoData>) {
    (InfoKind::Vlan, Some(vlan_data(vlan)))
}

/// A VLAN device as a request wants it.
///
/// # Errors
/// `EINVAL` without a VLAN id.
fn new_vlan(lower: DevId, data: Option<&Attributes<'_>>) -> Result<Vlan, Failure> {
    let vid = data.and_then(|data| data.u16(IFLA_VLAN_ID));
    let (Some(data), Some(vid)) = (data, vid) else {
        return Err(vlan_failure(Errno::EINVAL, "VLAN id not specified"));
    };
    let tpid = data.be16(IFLA_VLAN_PROTOCOL).unwrap_or(hairpin_wire::vlan::TPID_8021Q);
    let mut vlan = Vlan::new(lower, tpid, vid);
    apply_vlan(&mut vlan, data);
    Ok(vlan)
}

/// `vlan_changelink`: flags and priority maps.
fn apply_vlan(vlan: &mut Vlan, data: &Attributes<'_>) {
    if let Some((flags, mask)) = vlan_flags(data) {
        let kept = vlan.flags.bits() & !mask;
        vlan.flags = VlanFlags::from_bits_truncate(kept | (flags & mask));
    }
    for (from, to) in mappings(data, IFLA_VLAN_INGRESS_QOS) {
        vlan.ingress_qos[(from & 7) as usize] = to;
    }
    for (from, to) in mappings(data, IFLA_VLAN_EGRESS_QOS) {
        match vlan.egress_qos.iter_mut().find(|(known, _)| *known == from) {
            Some(known) => known.1 = to & 7,
            None => vlan.egress_qos.push((from, to & 7)),
        }
    }
}

/// `struct ifla_vlan_qos_mapping`s of one direction.
fn mappings<'a>(data: &Attributes<'a>, kind: u16) -> impl Iterator<Item = (u32, u32)> + use<'a> {
    codec::attributes(data.get(kind).unwrap_or(&[])).filter_map(|(kind, value)| {
        let [a, b, c, d, e, f, g, h] = *value.first_chunk::<8>()?;
        let mapping = (u32::from_ne_bytes([a, b, c, d]), u32::from_ne_bytes([e, f, g, h]));
        (kind == IFLA_VLAN_QOS_MAPPING).then_some(mapping)
    })
}

impl World {
    /// `vlan_newlink`
    fn create_vlan(&mut self, new: Creation<'_>) -> Result<DevId, Failure> {
        let Creation { place, mut draft, request, data } = new;
        let vlan = |lower| new_vlan(lower, data);
        vlan(DevId::default())?;
        let Some(index) = request.attributes.u32(ifla::LINK) else {
            return Err(vlan_failure(Errno::EINVAL, "link not specified"));
        };
        let lower = self
            .device_at(place.below(), index)
            .ok_or_else(|| vlan_failure(Errno::ENODEV, "link does not exist"))?;
        let state = vlan(lower)?;
        self.check_vlan(lower, state.tpid, state.vid)?;
        self.check_nesting(lower)?;
        draft.inherit_mtu(self.vlan_mtu_most(lower).ok_or(Errno::ENODEV)?)?;
        let own_mac = draft.mac.is_some();
        let dev = self.register_draft(draft, Kind::Vlan(Box::new(state)))?;
        self.link_vlan(dev, own_mac);
        self.notify_link(lower);
        // `netdev_sync_lower_features`
        self.disable_lro(lower);
        Ok(dev)
    }

    /// `vlan_changelink`; id and protocol stay as they are.
    fn change_vlan_link(&mut self, dev: DevId, data: &Attributes<'_>) -> Result<(), Failure> {
        if let Some(Kind::Vlan(vlan)) = self.devs.get_mut(dev).map(|device| &mut device.kind) {
            apply_vlan(vlan, data);
        }
        self.changed();
        Ok(())
    }
}

/// `vlan_fill_info`: egress mappings in the order of their 16 hash buckets, newest first in each.
fn vlan_data(vlan: &Vlan) -> InfoData {
    let mut data = vec![InfoVlan::Protocol(VlanProtocol::from(vlan.tpid)), InfoVlan::Id(vlan.vid)];
    if !vlan.flags.is_empty() {
        let flags = route::link::VlanFlags::from_bits_retain(vlan.flags.bits());
        data.push(InfoVlan::Flags((flags, route::link::VlanFlags::from_bits_retain(u32::MAX))));
    }
    let ingress: Vec<VlanQosMapping> = (0u32..)
        .zip(vlan.ingress_qos)
        .filter(|(_, to)| *to != 0)
        .map(|(from, to)| VlanQosMapping::Mapping(from, to))
        .collect();
    if !ingress.is_empty() {
        data.push(InfoVlan::IngressQos(ingress));
    }
    let mut egress: Vec<(u32, u32)> =
        vlan.egress_qos.iter().rev().copied().filter(|(_, to)| *to != 0).collect();
    egress.sort_by_key(|(from, _)| from & 0xf);
    if !egress.is_empty() {
        let egress = egress.into_iter().map(|(from, to)| VlanQosMapping::Mapping(from, to)).collect();
        data.push(InfoVlan::EgressQos(egress));
    }
    InfoData::Vlan(data)
}
