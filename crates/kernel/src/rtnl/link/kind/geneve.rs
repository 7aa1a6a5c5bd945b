//! geneve (`geneve_nl2info`, drivers/net/geneve.c). Not here: what carries no frames.

use std::net::{IpAddr, Ipv6Addr};

use hairpin_netlink::route::link::{InfoData, InfoKind};
use hairpin_netlink::{Errno, Failure};

use super::raw::Raw;
use super::{Creation, LinkOps};
use crate::dev::Kind;
use crate::dev::geneve::{Config, Geneve};
use crate::dev::vxlan::DontFragment;
use crate::device::DevId;
use crate::ip::route::OutKey;
use crate::ip6::address::is_link_local;
use crate::ip6::route::OutKey6;
use crate::mac::Mac;
use crate::netns::NsId;
use crate::rtnl::link::attributes::{Attributes, Policy, U8, U16, U32};
use crate::rtnl::link::not_emulated;
use crate::rtnl::link::request::ifla;
use crate::world::World;

pub(super) const OPS: LinkOps = LinkOps {
    policy: Some(POLICY),
    mtu: (68, MTU_MAX),
    validate,
    change: Some(World::change_geneve),
    ..LinkOps::new("geneve", World::create_geneve)
};

/// `IFLA_GENEVE_*`
mod attr {
    pub const ID: u16 = 1;
    pub const REMOTE: u16 = 2;
    pub const TTL: u16 = 3;
    pub const TOS: u16 = 4;
    pub const PORT: u16 = 5;
    pub const COLLECT_METADATA: u16 = 6;
    pub const REMOTE6: u16 = 7;
    pub const UDP_CSUM: u16 = 8;
    pub const UDP_ZERO_CSUM6_TX: u16 = 9;
    pub const UDP_ZERO_CSUM6_RX: u16 = 10;
    pub const LABEL: u16 = 11;
    pub const TTL_INHERIT: u16 = 12;
    pub const DF: u16 = 13;
    pub const INNER_PROTO_INHERIT: u16 = 14;
}

/// `geneve_policy`
const POLICY: &[(u16, Policy)] = &[
    (attr::ID, U32),
    (attr::REMOTE, U32),
    (attr::REMOTE6, Policy::Least(16)),
    (attr::TTL, U8),
    (attr::TOS, U8),
    (attr::LABEL, U32),
    (attr::PORT, U16),
    (attr::UDP_CSUM, U8),
    (attr::UDP_ZERO_CSUM6_TX, U8),
    (attr::UDP_ZERO_CSUM6_RX, U8),
    (attr::TTL_INHERIT, U8),
    (attr::DF, U8),
];

/// `IP_MAX_MTU` without what is around a frame, but for the outer header.
const MTU_MAX: u32 = 65_535 - 30;
const VNI_END: u32 = 1 << 24;
const FIXED: &str = "Changing VNI, Port, endpoint IP address family, external, inner_proto_inherit, and UDP checksum \
                     attributes are not supported";

/// `geneve_validate`
fn validate(attributes: &Attributes<'_>, data: Option<&Attributes<'_>>) -> Result<(), Failure> {
    let bad = |errno, text: &str| Err(Failure::with_text(errno, text));
    match attributes.get(ifla::ADDRESS) {
        Some(address) if address.len() != 6 => {
            return bad(Errno::EINVAL, "Provided link layer address is not Ethernet");
        }
        Some(address) if !Mac::read(address).is_some_and(Mac::is_valid_source) => {
            return bad(Errno::EADDRNOTAVAIL, "Provided Ethernet address is not unicast");
        }
        _ => {}
    }
    let Some(data) = data else {
        return bad(Errno::EINVAL, "Not enough attributes provided to perform the operation");
    };
    if data.u32(attr::ID).is_some_and(|id| id >= VNI_END) {
        return bad(Errno::ERANGE, "Geneve ID must be lower than 16777216");
    }
    if data.u8(attr::DF).is_some_and(|df| df > DontFragment::Inherit as u8) {
        return bad(Errno::EINVAL, "Invalid DF attribute");
    }
    Ok(())
}

fn bad(text: &str) -> Failure {
    Failure::with_text(Errno::EINVAL, text)
}

/// The other end: one address of the family that the device has.
fn read_remote(data: &Attributes<'_>, config: &mut Config, exists: bool) -> Result<(), Failure> {
    let other_family = || Failure::with_text(Errno::EOPNOTSUPP, FIXED);
    if let Some(octets) = data.get(attr::REMOTE).and_then(|bytes| bytes.first_chunk::<4>()) {
        if exists && config.remote.is_ipv6() {
            return Err(other_family());
        }
        config.remote = IpAddr::from(*octets);
        if config.remote.is_multicast() {
            return Err(bad("Remote IPv4 address cannot be Multicast"));
        }
    }
    if let Some(octets) = data.get(attr::REMOTE6).and_then(|bytes| bytes.first_chunk::<16>()) {
        if exists && config.remote.is_ipv4() {
            return Err(other_family());
        }
        let remote = Ipv6Addr::from(*octets);
        if is_link_local(remote) {
            return Err(bad("Remote IPv6 address cannot be link-local"));
        }
        if remote.is_multicast() {
            return Err(bad("Remote IPv6 address cannot be Multicast"));
        }
        config.remote = remote.into();
        config.no_checksum_6 = (false, false);
    }
    Ok(())
}

/// `geneve_nl2info`
fn read_config(data: &Attributes<'_>, old: Option<&Config>) -> Result<Config, Failure> {
    let fixed = || Failure::with_text(Errno::EOPNOTSUPP, FIXED);
    if data.has(attr::REMOTE) && data.has(attr::REMOTE6) {
        return Err(bad("Cannot specify both IPv4 and IPv6 Remote addresses"));
    }
    let mut config = old.cloned().unwrap_or_else(Config::plain);
    read_remote(data, &mut config, old.is_some())?;
    let vni = data.u32(attr::ID).unwrap_or(config.vni);
    let port = data.be16(attr::PORT).unwrap_or(config.port);
    let checksum = data.u8(attr::UDP_CSUM).map_or(config.checksum, |on| on != 0);
    if let Some(old) = old
        && ((old.vni, old.port, old.checksum) != (vni, port, checksum)
            || data.has(attr::UDP_ZERO_CSUM6_TX)
            || data.has(attr::UDP_ZERO_CSUM6_RX)
            || data.has(attr::COLLECT_METADATA)
            || data.has(attr::INNER_PROTO_INHERIT))
    {
        return Err(fixed());
    }
    config.external = data.has(attr::COLLECT_METADATA);
    if data.has(attr::INNER_PROTO_INHERIT) {
        return Err(not_emulated("geneve innerprotoinherit"));
    }
    (config.vni, config.port, config.checksum) = (vni, port, checksum);
    if data.u8(attr::UDP_ZERO_CSUM6_TX).is_some_and(|on| on != 0) {
        config.no_checksum_6.0 = true;
    }
    if data.u8(attr::UDP_ZERO_CSUM6_RX).is_some_and(|on| on != 0) {
        config.no_checksum_6.1 = true;
    }
    if let Some(label) = data.be32(attr::LABEL) {
        config.label = label & 0x000f_ffff;
        if config.label != 0 && config.remote.is_ipv4() {
            return Err(bad("Label attribute only applies for IPv6 Geneve devices"));
        }
    }
    if let Some(inherit) = data.u8(attr::TTL_INHERIT) {
        config.ttl_inherit = inherit != 0;
    } else if let Some(ttl) = data.u8(attr::TTL) {
        config.ttl = ttl;
        config.ttl_inherit = false;
    }
    config.tos = data.u8(attr::TOS).unwrap_or(config.tos);
    config.df = match data.u8(attr::DF) {
        Some(0) => DontFragment::Unset,
        Some(1) => DontFragment::Set,
        Some(2) => DontFragment::Inherit,
        _ => config.df,
    };
    Ok(config)
}

impl World {
    /// `geneve_configure`: no two devices have the same other end, network and port.
    fn create_geneve(&mut self, new: Creation<'_>) -> Result<DevId, Failure> {
        let Creation { place, mut draft, data, .. } = new;
        let underlay = place.below();
        let config = read_config(data.ok_or(Errno::EINVAL)?, None)?;
        let told =
            config.vni != 0 || config.checksum || config.tos != 0 || config.ttl != 0 || config.label != 0;
        if config.external && (told || !config.remote.is_unspecified()) {
            let text =
                "Device is externally controlled, so attributes (VNI, Port, and so on) must not be specified";
            return Err(bad(text));
        }
        if self.geneve_clashes(underlay, &config) {
            return Err(Errno::EBUSY.into());
        }
        let refused = |text: &str| Err(Failure::with_text(Errno::EPERM, text));
        match (config.external, self.geneve_on_port(underlay, config.port)) {
            (true, Some(_)) => {
                return refused("There can be only one externally controlled device on a destination port");
            }
            (false, Some(true)) => {
                return refused(
                    "There already exists an externally controlled device on this destination port",
                );
            }
            _ => {}
        }
        if draft.mtu.is_none() {
            draft.mtu = self.geneve_mtu(underlay, &config);
        }
        self.register_draft(draft, Kind::Geneve(Box::new(Geneve { underlay, config })))
    }

    /// `geneve_link_config`: what the way to the other end has room for.
    fn geneve_mtu(&mut self, underlay: NsId, config: &Config) -> Option<u32> {
        let below = match config.remote {
            IpAddr::V4(remote) => self.route_output(OutKey::to(underlay, remote)).ok().map(|route| route.dev),
            IpAddr::V6(remote) => {
                self.route_output6(OutKey6::to(underlay, remote)).ok().map(|route| route.dev)
            }
        };
        let below = below.and_then(|below| self.devs.get(below)).map(|below| below.mtu);
        let room = below.and_then(|mtu| mtu.checked_sub(config.headroom())).filter(|mtu| *mtu > 0);
        room.map(|room| room.min(65_535 - config.most_headroom()))
    }

    fn geneve_clashes(&self, underlay: NsId, config: &Config) -> bool {
        self.devs.values().any(|device| {
            matches!(&device.kind, Kind::Geneve(other) if other.underlay == underlay
                && (other.config.vni, other.config.remote, other.config.port)
                    == (config.vni, config.remote, config.port))
        })
    }

    /// Whether a device on this port is external; none where none has the port.
    fn geneve_on_port(&self, underlay: NsId, port: u16) -> Option<bool> {
        self.devs.values().find_map(|device| match &device.kind {
            Kind::Geneve(other) if (other.underlay, other.config.port) == (underlay, port) => {
                Some(other.config.external)
            }
            _ => None,
        })
    }

    /// `geneve_changelink`
    fn change_geneve(&mut self, dev: DevId, data: &Attributes<'_>) -> Result<(), Failure> {
        let Some(Kind::Geneve(state)) = self.devs.get_mut(dev).map(|device| &mut device.kind) else {
            return Err(Errno::EOPNOTSUPP.into());
        };
        if state.config.external {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let config = read_config(data, Some(&state.config))?;
        let (underlay, moves) = (state.underlay, config.remote != state.config.remote);
        let mtu = if moves { self.geneve_mtu(underlay, &config) } else { None };
        self.on_device(dev, |device| {
            device.mtu = mtu.unwrap_or(device.mtu);
            if let Kind::Geneve(state) = &mut device.kind {
                state.config = config;
            }
        });
        self.changed();
        Ok(())
    }
}

/// `geneve_fill_info`
pub(super) fn describe(state: &Geneve) -> (InfoKind, Option<InfoData>) {
    let config = &state.config;
    let mut raw = Raw::default();
    raw.u32(attr::ID, config.vni);
    match config.remote {
        _ if config.external => raw.bytes(attr::COLLECT_METADATA, &[]),
        IpAddr::V4(remote) => {
            raw.bytes(attr::REMOTE, &remote.octets());
            raw.u8(attr::UDP_CSUM, config.checksum.into());
        }
        IpAddr::V6(remote) => {
            raw.bytes(attr::REMOTE6, &remote.octets());
            raw.u8(attr::UDP_ZERO_CSUM6_TX, config.no_checksum_6.0.into());
        }
    }
    raw.u8(attr::TTL, config.ttl);
    raw.u8(attr::TOS, config.tos);
    raw.bytes(attr::LABEL, &config.label.to_be_bytes());
    raw.u8(attr::DF, config.df as u8);
    raw.bytes(attr::PORT, &config.port.to_be_bytes());
    raw.u8(attr::UDP_ZERO_CSUM6_RX, config.no_checksum_6.1.into());
    raw.u8(attr::TTL_INHERIT, config.ttl_inherit.into());
    (InfoKind::Geneve, Some(raw.into_data()))
}
