//! vxlan (`vxlan_nl2conf`, `vxlan_config_validate`, drivers/net/vxlan/vxlan_core.c). Not here: the extensions of the
//! header.

use std::net::IpAddr;

use hairpin_netlink::route::link::{InfoData, InfoKind, InfoVxlan, VxlanDf};
use hairpin_netlink::{Errno, Failure};

use super::{Creation, LinkOps};
use crate::dev::Kind;
use crate::dev::vxlan::{self, Config, DontFragment, Key, NTF_SELF, Remote, Vxlan, unspecified};
use crate::device::DevId;
use crate::ip6::address::is_link_local;
use crate::mac::Mac;
use crate::neigh::nud;
use crate::netns::NsId;
use crate::rtnl::link::attributes::{Attributes, Policy, U8, U16, U32};
use crate::rtnl::link::not_emulated;
use crate::rtnl::link::request::ifla;
use crate::world::World;

pub(super) const OPS: LinkOps = LinkOps {
    policy: Some(POLICY),
    validate,
    change: Some(World::change_vxlan),
    ..LinkOps::new("vxlan", World::create_vxlan)
};

/// `IFLA_VXLAN_*`
mod attr {
    pub const ID: u16 = 1;
    pub const GROUP: u16 = 2;
    pub const LINK: u16 = 3;
    pub const LOCAL: u16 = 4;
    pub const TTL: u16 = 5;
    pub const TOS: u16 = 6;
    pub const LEARNING: u16 = 7;
    pub const AGEING: u16 = 8;
    pub const LIMIT: u16 = 9;
    pub const PORT_RANGE: u16 = 10;
    pub const PROXY: u16 = 11;
    pub const RSC: u16 = 12;
    pub const L2MISS: u16 = 13;
    pub const L3MISS: u16 = 14;
    pub const PORT: u16 = 15;
    pub const GROUP6: u16 = 16;
    pub const LOCAL6: u16 = 17;
    pub const UDP_CSUM: u16 = 18;
    pub const UDP_ZERO_CSUM6_TX: u16 = 19;
    pub const UDP_ZERO_CSUM6_RX: u16 = 20;
    pub const REMCSUM_TX: u16 = 21;
    pub const REMCSUM_RX: u16 = 22;
    pub const GBP: u16 = 23;
    pub const REMCSUM_NOPARTIAL: u16 = 24;
    pub const COLLECT_METADATA: u16 = 25;
    pub const LABEL: u16 = 26;
    pub const GPE: u16 = 27;
    pub const TTL_INHERIT: u16 = 28;
    pub const DF: u16 = 29;
    pub const VNIFILTER: u16 = 30;
}

/// `vxlan_policy`
const POLICY: &[(u16, Policy)] = &[
    (attr::ID, U32),
    (attr::GROUP, U32),
    (attr::GROUP6, Policy::Least(16)),
    (attr::LINK, U32),
    (attr::LOCAL, U32),
    (attr::LOCAL6, Policy::Least(16)),
    (attr::TOS, U8),
    (attr::TTL, U8),
    (attr::LABEL, U32),
    (attr::LEARNING, U8),
    (attr::AGEING, U32),
    (attr::LIMIT, U32),
    (attr::PORT_RANGE, U32),
    (attr::PROXY, U8),
    (attr::RSC, U8),
    (attr::L2MISS, U8),
    (attr::L3MISS, U8),
    (attr::COLLECT_METADATA, U8),
    (attr::PORT, U16),
    (attr::UDP_CSUM, U8),
    (attr::UDP_ZERO_CSUM6_TX, U8),
    (attr::UDP_ZERO_CSUM6_RX, U8),
    (attr::REMCSUM_TX, U8),
    (attr::REMCSUM_RX, U8),
    (attr::DF, U8),
    (attr::VNIFILTER, U8),
];

/// Switches that a device keeps for life: attribute and name.
const FIXED: &[(u16, &str)] = &[
    (attr::TTL_INHERIT, "vxlan: cannot change TTL_INHERIT flag"),
    (attr::PROXY, "vxlan: cannot change PROXY flag"),
    (attr::RSC, "vxlan: cannot change RSC flag"),
    (attr::L2MISS, "vxlan: cannot change L2MISS flag"),
    (attr::L3MISS, "vxlan: cannot change L3MISS flag"),
    (attr::LIMIT, "Cannot change limit"),
    (attr::COLLECT_METADATA, "vxlan: cannot change COLLECT_METADATA flag"),
    (attr::PORT_RANGE, "Cannot change port range"),
    (attr::PORT, "Cannot change port"),
    (attr::UDP_CSUM, "Cannot change UDP_CSUM flag"),
    (attr::UDP_ZERO_CSUM6_TX, "vxlan: cannot change UDP_ZERO_CSUM6_TX flag"),
    (attr::UDP_ZERO_CSUM6_RX, "vxlan: cannot change UDP_ZERO_CSUM6_RX flag"),
    (attr::REMCSUM_TX, "vxlan: cannot change REMCSUM_TX flag"),
    (attr::REMCSUM_RX, "vxlan: cannot change REMCSUM_RX flag"),
    (attr::GBP, "vxlan: cannot change GBP flag"),
    (attr::GPE, "vxlan: cannot change GPE flag"),
    (attr::REMCSUM_NOPARTIAL, "vxlan: cannot change REMCSUM_NOPARTIAL flag"),
];

/// What this kernel does not do: attribute and name.
const MISSING: &[(u16, &str)] = &[
    (attr::VNIFILTER, "vxlan vnifilter"),
    (attr::REMCSUM_TX, "vxlan remcsumtx"),
    (attr::REMCSUM_RX, "vxlan remcsumrx"),
];

/// Least and largest MTU (`ETH_MIN_MTU`, `ETH_MAX_MTU`).
const MTU: std::ops::RangeInclusive<u32> = 68..=super::ETH_MAX_MTU;

/// Where frames go whose destination is unknown.
const ANY: Key = (Mac::ZERO, 0);

fn bad(text: &str) -> Failure {
    Failure::with_text(Errno::EINVAL, text)
}

/// `vxlan_validate`
fn validate(attributes: &Attributes<'_>, data: Option<&Attributes<'_>>) -> Result<(), Failure> {
    match attributes.get(ifla::ADDRESS) {
        Some(address) if address.len() != 6 => {
            return Err(bad("Provided link layer address is not Ethernet"));
        }
        Some(address) if !Mac::read(address).is_some_and(Mac::is_valid_source) => {
            let text = "Provided Ethernet address is not unicast";
            return Err(Failure::with_text(Errno::EADDRNOTAVAIL, text));
        }
        _ => {}
    }
    if attributes.u32(ifla::MTU).is_some_and(|mtu| !MTU.contains(&mtu)) {
        return Err(bad("MTU must be between 68 and 65535"));
    }
    let Some(data) = data else {
        return Err(bad("Required attributes not provided to perform the operation"));
    };
    if data.u32(attr::ID).is_some_and(|id| id >= vxlan::VNI_END) {
        return Err(Failure::with_text(Errno::ERANGE, "VXLAN ID must be lower than 16777216"));
    }
    if port_range(data).is_some_and(|(low, high)| high < low) {
        return Err(bad("Invalid source port range"));
    }
    if data.u8(attr::DF).is_some_and(|df| df > DontFragment::Inherit as u8) {
        return Err(bad("Invalid DF attribute"));
    }
    Ok(())
}

/// `struct ifla_vxlan_port_range`
fn port_range(data: &Attributes<'_>) -> Option<(u16, u16)> {
    let [a, b, c, d] = *data.get(attr::PORT_RANGE)?.first_chunk()?;
    Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}

/// An end of the tunnel, of either family.
fn end(data: &Attributes<'_>, kind: u16, kind6: u16) -> Option<IpAddr> {
    let four = data.get(kind).and_then(|bytes| bytes.first_chunk::<4>()).map(|octets| IpAddr::from(*octets));
    let six =
        || data.get(kind6).and_then(|bytes| bytes.first_chunk::<16>()).map(|octets| IpAddr::from(*octets));
    four.or_else(six)
}

/// `vxlan_nl2conf`: what a request makes of a configuration; `old` is that of a device that exists.
fn read_config(data: &Attributes<'_>, old: Option<&Config>) -> Result<Config, Failure> {
    let unsupported = |text: &str| Err(Failure::with_text(Errno::EOPNOTSUPP, text));
    let mut config = old.cloned().unwrap_or_else(Config::plain);
    if let Some(vni) = data.u32(attr::ID) {
        if old.is_some_and(|old| old.vni != vni) {
            return unsupported("Cannot change VNI");
        }
        config.vni = vni;
    }
    let remote = end(data, attr::GROUP, attr::GROUP6);
    let local = end(data, attr::LOCAL, attr::LOCAL6);
    let other_family = |end: Option<IpAddr>| {
        end.is_some_and(|end| old.is_some_and(|old| old.is_over_ipv6() != end.is_ipv6()))
    };
    if other_family(remote) {
        return unsupported("New group address family does not match old group");
    }
    if other_family(local) {
        return unsupported("New local address family does not match old");
    }
    if let (Some(remote), Some(local)) = (remote, local)
        && remote.is_ipv6() != local.is_ipv6()
    {
        return Err(bad("Local and remote address must be from the same family"));
    }
    if let Some(six) = remote.or(local).map(|end| end.is_ipv6()).filter(|_| old.is_none()) {
        (config.remote, config.local) = (unspecified(six), unspecified(six));
    }
    config.remote = remote.unwrap_or(config.remote);
    config.local = local.unwrap_or(config.local);
    config.oif = data.u32(attr::LINK).unwrap_or(config.oif);
    config.tos = data.u8(attr::TOS).unwrap_or(config.tos);
    config.ttl = data.u8(attr::TTL).unwrap_or(config.ttl);
    if old.is_some()
        && let Some((_, text)) = FIXED.iter().find(|(kind, _)| data.has(*kind))
    {
        return unsupported(text);
    }
    if let Some((_, what)) = MISSING.iter().find(|(kind, _)| data.u8(*kind).is_some_and(|on| on != 0)) {
        return Err(not_emulated(what));
    }
    config.policies |= data.has(attr::GBP);
    config.ttl_inherit |= data.has(attr::TTL_INHERIT);
    let switch = |kind, old| data.u8(kind).map_or(old, |on| on != 0);
    config.learning = switch(attr::LEARNING, config.learning);
    config.proxy = switch(attr::PROXY, config.proxy);
    config.route_short_circuit = switch(attr::RSC, config.route_short_circuit);
    config.l2miss = switch(attr::L2MISS, config.l2miss);
    config.l3miss = switch(attr::L3MISS, config.l3miss);
    config.no_checksum_6.0 = switch(attr::UDP_ZERO_CSUM6_TX, config.no_checksum_6.0);
    config.no_checksum_6.1 = switch(attr::UDP_ZERO_CSUM6_RX, config.no_checksum_6.1);
    config.external = switch(attr::COLLECT_METADATA, config.external);
    config.ageing = data.u32(attr::AGEING).unwrap_or(config.ageing);
    config.limit = data.u32(attr::LIMIT).unwrap_or(config.limit);
    config.port_range = port_range(data).unwrap_or(config.port_range);
    config.port = data.be16(attr::PORT).unwrap_or(config.port);
    config.checksum = switch(attr::UDP_CSUM, config.checksum);
    config.df = match data.u8(attr::DF) {
        Some(0) => DontFragment::Unset,
        Some(1) => DontFragment::Set,
        Some(2) => DontFragment::Inherit,
        _ => config.df,
    };
    config.label = data.be32(attr::LABEL).map_or(config.label, |label| label & 0x000f_ffff);
    if data.has(attr::GPE) {
        // `VXLAN_F_ALLOWED_GPE`
        return match config.policies || config.learning || !config.external {
            true => Err(bad("VXLAN GPE does not support this combination of attributes")),
            false => Err(not_emulated("vxlan gpe")),
        };
    }
    Ok(config)
}

impl World {
    /// `vxlan_config_validate`: fills in defaults. `own` is the device that is changed.
    fn complete_vxlan(
        &self,
        underlay: NsId,
        mut config: Config,
        own: Option<DevId>,
    ) -> Result<Config, Failure> {
        if config.local.is_multicast() {
            return Err(bad("Local address cannot be multicast"));
        }
        let of_link = |end: IpAddr| matches!(end, IpAddr::V6(end) if is_link_local(end));
        let between_links = of_link(config.local) && !config.external;
        let mixed = match between_links {
            true => !of_link(config.remote) && !config.remote.is_unspecified(),
            false => of_link(config.remote),
        };
        if mixed && !config.external {
            return Err(bad("Invalid combination of local and remote address scopes"));
        }
        if config.label != 0 && !config.is_over_ipv6() {
            return Err(bad("Label attribute only applies to IPv6 VXLAN devices"));
        }
        if config.oif != 0 && self.device_at(underlay, config.oif).is_none() {
            return Err(Failure::with_text(Errno::ENODEV, "Invalid local interface, device not found"));
        }
        let below = self.device_at(underlay, config.oif).and_then(|below| self.devs.get(below));
        if config.is_over_ipv6() && below.is_some_and(|below| below.ipv6_disabled) {
            return Err(Failure::with_text(Errno::EPERM, "IPv6 support disabled by administrator"));
        }
        if config.oif == 0 && config.remote.is_multicast() {
            return Err(bad("Local interface required for multicast remote destination"));
        }
        if config.oif == 0 && between_links {
            return Err(bad("Local interface required for link-local local/remote addresses"));
        }
        if config.port == 0 {
            config.port = vxlan::PORT;
        }
        if config.ageing == 0 {
            config.ageing = vxlan::AGEING;
        }
        let clashes = self.devs.values().filter(|device| Some(device.id) != own).any(|device| {
            matches!(&device.kind, Kind::Vxlan(other) if other.underlay == underlay
                && (other.config.vni, other.config.port) == (config.vni, config.port)
                && other.config.is_over_ipv6() == config.is_over_ipv6()
                && other.config.receives() == config.receives()
                && (!between_links || other.config.oif == config.oif))
        });
        if clashes {
            return Err(Failure::with_text(
                Errno::EEXIST,
                "A VXLAN device with the specified VNI already exists",
            ));
        }
        Ok(config)
    }

    /// The largest MTU over the device below, where one is named.
    pub(crate) fn vxlan_room(&self, state: &Vxlan) -> Option<u32> {
        let below = self.devs.get(self.device_at(state.underlay, state.config.oif)?)?;
        Some(below.mtu.saturating_sub(state.config.headroom()).max(*MTU.start()))
    }

    /// `__vxlan_dev_create`
    fn create_vxlan(&mut self, new: Creation<'_>) -> Result<DevId, Failure> {
        let Creation { place, mut draft, data, .. } = new;
        let data = data.ok_or(Errno::EINVAL)?;
        let underlay = place.below();
        let config = self.complete_vxlan(underlay, read_config(data, None)?, None)?;
        let mut state = Vxlan::new(underlay, config, self.now);
        if let Some(room) = self.vxlan_room(&state) {
            draft.mtu = Some(draft.mtu.map_or(room, |mtu| mtu.min(room)));
        }
        let remote = state.default_remote();
        if !remote.ip.is_unspecified() {
            let kept = nud::REACHABLE | nud::PERMANENT;
            let limit = state.config.limit;
            state.fdb.create(ANY, remote, kept, NTF_SELF, self.now, limit).map_err(|_| Errno::ENOSPC)?;
        }
        let dev = self.register_draft(draft, Kind::Vxlan(Box::new(state)))?;
        self.vxlan_learned(dev, ANY);
        Ok(dev)
    }

    /// `vxlan_changelink`
    fn change_vxlan(&mut self, dev: DevId, data: &Attributes<'_>) -> Result<(), Failure> {
        let now = self.now;
        let Some(state) = self.vxlan(dev) else { return Err(Errno::EOPNOTSUPP.into()) };
        let (underlay, old) = (state.underlay, state.config.clone());
        let before = state.default_remote();
        let config = self.complete_vxlan(underlay, read_config(data, Some(&old))?, Some(dev))?;
        let up = self.devs.get(dev).is_some_and(|device| device.is_up());
        if config.remote != old.remote {
            let remote = Remote { ip: config.remote, ifindex: config.oif, ..before };
            let mut changes: Vec<Key> = Vec::new();
            if let Some(state) = self.vxlan_mut(dev) {
                if !remote.ip.is_unspecified() {
                    let kept = nud::REACHABLE | nud::PERMANENT;
                    let added = match state.fdb.get_mut(ANY) {
                        Some(entry) => entry.append(remote).map(|_| ()),
                        None => {
                            let limit = state.config.limit;
                            state.fdb.create(ANY, remote, kept, NTF_SELF, now, limit).map(|_| ())
                        }
                    };
                    added.map_err(|_| Errno::ENOSPC)?;
                    changes.push(ANY);
                }
                if let Some(entry) = state.fdb.get_mut(ANY)
                    && !before.ip.is_unspecified()
                {
                    entry.remotes.retain(|known| *known != before);
                    if entry.remotes.is_empty() {
                        state.fdb.remove(ANY);
                    }
                }
            }
            for key in changes {
                self.vxlan_learned(dev, key);
            }
        }
        let ageing_changed = config.ageing != old.ageing;
        let has_below = config.oif != 0;
        let other_group = up && (config.remote, config.oif) != (old.remote, old.oif);
        if other_group {
            self.vxlan_group(dev, false);
        }
        if let Some(state) = self.vxlan_mut(dev) {
            state.config = config;
            if ageing_changed && up {
                state.ageing_at = Some(now);
            }
        }
        if other_group {
            self.vxlan_group(dev, true);
        }
        if has_below {
            self.inherit_tso_max(dev);
        }
        if ageing_changed && up {
            self.vxlan_ageing(dev);
        }
        let room = self.vxlan(dev).and_then(|state| self.vxlan_room(state));
        if let Some(room) = room
            && self.devs.get(dev).is_some_and(|device| device.mtu > room)
        {
            self.on_device(dev, |device| device.mtu = room);
        }
        self.changed();
        Ok(())
    }
}

/// `vxlan_fill_info`
pub(super) fn describe(state: &Vxlan) -> (InfoKind, Option<InfoData>) {
    let config = &state.config;
    let mut data = vec![InfoVxlan::Id(config.vni)];
    if !config.remote.is_unspecified() {
        data.push(match config.remote {
            IpAddr::V4(remote) => InfoVxlan::Group(remote),
            IpAddr::V6(remote) => InfoVxlan::Group6(remote),
        });
    }
    if config.oif != 0 {
        data.push(InfoVxlan::Link(config.oif));
    }
    if !config.local.is_unspecified() {
        data.push(match config.local {
            IpAddr::V4(local) => InfoVxlan::Local(local),
            IpAddr::V6(local) => InfoVxlan::Local6(local),
        });
    }
    let df = match config.df {
        DontFragment::Unset => VxlanDf::Unset,
        DontFragment::Set => VxlanDf::Set,
        DontFragment::Inherit => VxlanDf::Inherit,
    };
    data.extend([
        InfoVxlan::Ttl(config.ttl),
        InfoVxlan::TtlInherit(config.ttl_inherit.into()),
        InfoVxlan::Tos(config.tos),
        InfoVxlan::Df(df),
        InfoVxlan::Label(config.label),
        InfoVxlan::Learning(config.learning),
        InfoVxlan::Proxy(config.proxy),
        InfoVxlan::Rsc(config.route_short_circuit),
        InfoVxlan::L2Miss(config.l2miss),
        InfoVxlan::L3Miss(config.l3miss),
        InfoVxlan::CollectMetadata(config.external),
        InfoVxlan::Ageing(config.ageing),
        InfoVxlan::Limit(config.limit),
        InfoVxlan::Port(config.port),
        InfoVxlan::UDPCsum(config.checksum),
        InfoVxlan::UDPZeroCsumTX(config.no_checksum_6.0),
        InfoVxlan::UDPZeroCsumRX(config.no_checksum_6.1),
        InfoVxlan::RemCsumTX(false),
        InfoVxlan::RemCsumRX(false),
        InfoVxlan::PortRange(config.port_range),
    ]);
    if config.policies {
        data.push(InfoVxlan::Gbp);
    }
    (InfoKind::Vxlan, Some(InfoData::Vxlan(data)))
}
