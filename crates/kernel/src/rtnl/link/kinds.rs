//! The options of macvlans, VLANs and veths (drivers/net/macvlan.c, net/8021q/vlan_netlink.c,
//! drivers/net/veth.c).

use hairpin_netlink::{Errno, Failure, codec};

use super::attributes::{Attributes, Policy, U16, U32};
use super::change::valid_address;
use super::request::ifla;
use crate::dev::Kind;
use crate::dev::macvlan::{self, Macvlan, Mode};
use crate::dev::vlan::{Vlan, VlanFlags};
use crate::device::DevId;
use crate::mac::Mac;
use crate::world::World;

const IFLA_MACVLAN_MODE: u16 = 1;
const IFLA_MACVLAN_FLAGS: u16 = 2;
const IFLA_MACVLAN_MACADDR_MODE: u16 = 3;
const IFLA_MACVLAN_MACADDR: u16 = 4;
const IFLA_MACVLAN_MACADDR_DATA: u16 = 5;
const IFLA_MACVLAN_MACADDR_COUNT: u16 = 6;
const IFLA_MACVLAN_BC_QUEUE_LEN: u16 = 7;
const IFLA_MACVLAN_BC_QUEUE_LEN_USED: u16 = 8;

/// `macvlan_policy`
pub(super) const MACVLAN_POLICY: &[(u16, Policy)] = &[
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

const IFLA_VLAN_ID: u16 = 1;
const IFLA_VLAN_FLAGS: u16 = 2;
const IFLA_VLAN_EGRESS_QOS: u16 = 3;
const IFLA_VLAN_INGRESS_QOS: u16 = 4;
const IFLA_VLAN_PROTOCOL: u16 = 5;
const IFLA_VLAN_QOS_MAPPING: u16 = 1;

/// `vlan_policy`
pub(super) const VLAN_POLICY: &[(u16, Policy)] = &[
    (IFLA_VLAN_ID, U16),
    (IFLA_VLAN_FLAGS, Policy::Least(8)),
    (IFLA_VLAN_EGRESS_QOS, Policy::Nested),
    (IFLA_VLAN_INGRESS_QOS, Policy::Nested),
    (IFLA_VLAN_PROTOCOL, U16),
];

pub(super) const VETH_INFO_PEER: u16 = 1;

/// `veth_policy`: at least a whole header.
pub(super) const VETH_POLICY: &[(u16, Policy)] = &[(VETH_INFO_PEER, Policy::Least(16))];

/// A kind's `validate`.
///
/// # Errors
/// The kernel's.
pub(super) fn validate(
    kind: &str,
    attributes: &Attributes<'_>,
    data: Option<&Attributes<'_>>,
) -> Result<(), Failure> {
    valid_address(attributes)?;
    match (kind, data) {
        ("veth", _) => match attributes.u32(ifla::MTU) {
            Some(mtu) if !(68..=65_535).contains(&mtu) => Err(Errno::EINVAL.into()),
            _ => Ok(()),
        },
        ("vlan", data) => validate_vlan(data),
        ("macvlan", Some(data)) => validate_macvlan(data),
        ("bridge", Some(data)) => super::bridge_options::validate(data),
        _ => Ok(()),
    }
}

/// `macvlan_validate`
fn validate_macvlan(data: &Attributes<'_>) -> Result<(), Failure> {
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

/// A macvlan as a request wants it: VEPA unless it says otherwise.
///
/// # Errors
/// `EINVAL`: sources for another mode than source.
pub(super) fn new_macvlan(lower: DevId, data: Option<&Attributes<'_>>) -> Result<Macvlan, Failure> {
    let number = |kind| data.and_then(|data| data.u32(kind));
    let mode = number(IFLA_MACVLAN_MODE).and_then(Mode::from_number).unwrap_or(Mode::Vepa);
    let mut state = Macvlan {
        lower,
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

/// `vlan_validate`
fn validate_vlan(data: Option<&Attributes<'_>>) -> Result<(), Failure> {
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
pub(super) fn vlan_failure(errno: Errno, text: &str) -> Failure {
    Failure::with_text(errno, format!("8021q: {text}"))
}

pub(super) fn is_vlan_protocol(tpid: u16) -> bool {
    tpid == hairpin_wire::vlan::TPID_8021Q || tpid == hairpin_wire::vlan::TPID_8021AD
}

/// `struct ifla_vlan_flags`: flags and mask.
fn vlan_flags(data: &Attributes<'_>) -> Option<(u32, u32)> {
    let [a, b, c, d, e, f, g, h] = *data.get(IFLA_VLAN_FLAGS)?.first_chunk::<8>()?;
    Some((u32::from_ne_bytes([a, b, c, d]), u32::from_ne_bytes([e, f, g, h])))
}

/// A VLAN device as a request wants it.
///
/// # Errors
/// `EINVAL` without a VLAN id.
pub(super) fn new_vlan(lower: DevId, data: Option<&Attributes<'_>>) -> Result<Vlan, Failure> {
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
    /// `macvlan_changelink`
    pub(super) fn change_macvlan_link(&mut self, dev: DevId, data: &Attributes<'_>) -> Result<(), Failure> {
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
            self.refresh_broadcast_queue(lower);
        }
        if let Some(action) = data.u32(IFLA_MACVLAN_MACADDR_MODE) {
            if mode != Mode::Source {
                return Err(Errno::EINVAL.into());
            }
            self.set_macvlan_sources(dev, changed_sources(&sources, action, data)?);
        }
        Ok(())
    }

    /// `vlan_changelink`; id and protocol stay as they are.
    pub(super) fn change_vlan(&mut self, dev: DevId, data: &Attributes<'_>) {
        if let Some(Kind::Vlan(vlan)) = self.devs.get_mut(dev).map(|device| &mut device.kind) {
            apply_vlan(vlan, data);
        }
        self.changed();
    }
}
