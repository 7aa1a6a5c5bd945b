//! gre, gretap, ipip and sit (net/ipv4/ip_gre.c, ipip.c, ip_tunnel.c, net/ipv6/sit.c). Not here: their fallback devices,
//! and encapsulation in UDP.

use std::net::Ipv4Addr;

use hairpin_netlink::route::link::{InfoData, InfoKind};
use hairpin_netlink::{Errno, Failure};

use super::raw::Raw;
use super::{Creation, LinkOps};
use crate::dev::Kind;
use crate::dev::ip_tunnel::{Config, GreFlags, IpTunnel, Variant};
use crate::device::{DevId, Flags};
use crate::ip::protocol;
use crate::ip::route::OutKey;
use crate::mac::Mac;
use crate::netns::NsId;
use crate::rtnl::link::attributes::{Attributes, Policy, U8, U16, U32};
use crate::rtnl::link::change::valid_address;
use crate::rtnl::link::not_emulated;
use crate::rtnl::link::request::ifla;
use crate::world::World;

const fn ops(kind: &'static str, policy: &'static [(u16, Policy)], least_mtu: u32) -> LinkOps {
    LinkOps {
        policy: Some(policy),
        mtu: (least_mtu, i32::MAX as u32),
        validate,
        change: Some(World::change_ip_tunnel),
        ..LinkOps::new(kind, World::create_ip_tunnel)
    }
}

pub(super) const GRE: LinkOps = ops("gre", GRE_POLICY, 0);
pub(super) const GRETAP: LinkOps = ops("gretap", GRE_POLICY, 68);
pub(super) const IPIP: LinkOps = ops("ipip", IPTUN_POLICY, 0);
pub(super) const SIT: LinkOps = ops("sit", IPTUN_POLICY, 1280);

/// `IFLA_GRE_*`
pub(super) mod gre {
    pub const LINK: u16 = 1;
    pub const IFLAGS: u16 = 2;
    pub const OFLAGS: u16 = 3;
    pub const IKEY: u16 = 4;
    pub const OKEY: u16 = 5;
    pub const LOCAL: u16 = 6;
    pub const REMOTE: u16 = 7;
    pub const TTL: u16 = 8;
    pub const TOS: u16 = 9;
    pub const PMTUDISC: u16 = 10;
    pub const ENCAP_TYPE: u16 = 14;
    pub const ENCAP_FLAGS: u16 = 15;
    pub const ENCAP_SPORT: u16 = 16;
    pub const ENCAP_DPORT: u16 = 17;
    pub const COLLECT_METADATA: u16 = 18;
    pub const IGNORE_DF: u16 = 19;
    pub const FWMARK: u16 = 20;
}

/// `IFLA_IPTUN_*`
pub(super) mod iptun {
    pub const LINK: u16 = 1;
    pub const LOCAL: u16 = 2;
    pub const REMOTE: u16 = 3;
    pub const TTL: u16 = 4;
    pub const TOS: u16 = 5;
    pub const FLAGS: u16 = 8;
    pub const PROTO: u16 = 9;
    pub const PMTUDISC: u16 = 10;
    pub const ENCAP_TYPE: u16 = 15;
    pub const ENCAP_FLAGS: u16 = 16;
    pub const ENCAP_SPORT: u16 = 17;
    pub const ENCAP_DPORT: u16 = 18;
    pub const COLLECT_METADATA: u16 = 19;
    pub const FWMARK: u16 = 20;
}

/// `ipgre_policy`
const GRE_POLICY: &[(u16, Policy)] = &[
    (gre::LINK, U32),
    (gre::IFLAGS, U16),
    (gre::OFLAGS, U16),
    (gre::IKEY, U32),
    (gre::OKEY, U32),
    (gre::LOCAL, U32),
    (gre::REMOTE, U32),
    (gre::TTL, U8),
    (gre::TOS, U8),
    (gre::PMTUDISC, U8),
    (gre::ENCAP_TYPE, U16),
    (gre::ENCAP_FLAGS, U16),
    (gre::IGNORE_DF, U8),
    (gre::FWMARK, U32),
];

/// `ipip_policy`
const IPTUN_POLICY: &[(u16, Policy)] = &[
    (iptun::LINK, U32),
    (iptun::LOCAL, U32),
    (iptun::REMOTE, U32),
    (iptun::TTL, U8),
    (iptun::TOS, U8),
    (iptun::PROTO, U8),
    (iptun::PMTUDISC, U8),
    (iptun::ENCAP_TYPE, U16),
    (iptun::FWMARK, U32),
];

/// `GRE_*` flags of a header, in network byte order.
const GRE_CSUM: u16 = 0x8000;
const GRE_ROUTING: u16 = 0x4000;
const GRE_KEY: u16 = 0x2000;
const GRE_SEQ: u16 = 0x1000;
const GRE_VERSION: u16 = 0x0007;
/// `ETH_DATA_LEN`, `IPV4_MIN_MTU`
const DEFAULT_MTU: u32 = 1500;
const LEAST_MTU: u32 = 68;

/// `ipgre_tap_validate`; the other kinds have no addresses of their own to look at.
fn validate(attributes: &Attributes<'_>, _data: Option<&Attributes<'_>>) -> Result<(), Failure> {
    match attributes.get(ifla::ADDRESS) {
        Some(address) if address.len() == 6 => valid_address(attributes),
        _ => Ok(()),
    }
}

fn address(data: &Attributes<'_>, kind: u16) -> Option<Ipv4Addr> {
    let octets: [u8; 4] = *data.get(kind)?.first_chunk()?;
    Some(Ipv4Addr::from(octets))
}

fn be32(data: &Attributes<'_>, kind: u16) -> Option<u32> {
    data.get(kind)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// What a request makes of a tunnel: what it does not say is nothing, of one that exists as of a new one. `ignores_df`: the
/// tunnel that exists does so.
fn read_config(variant: Variant, data: &Attributes<'_>, ignores_df: bool) -> Result<Config, Failure> {
    if variant.is_gre() { read_gre(variant, data, ignores_df) } else { read_iptun(variant, data) }
}

/// `ipgre_netlink_parms`
fn read_gre(variant: Variant, data: &Attributes<'_>, ignores_df: bool) -> Result<Config, Failure> {
    let mut config = plain(variant);
    config.external = data.has(gre::COLLECT_METADATA);
    if data.u16(gre::ENCAP_TYPE).is_some_and(|kind| kind != 0) {
        return Err(not_emulated("gre encap"));
    }
    if data.u32(gre::FWMARK).is_some_and(|mark| mark != 0) {
        return Err(not_emulated("gre fwmark"));
    }
    (config.input, config.output) = read_flags(data)?;
    config.link = data.u32(gre::LINK).unwrap_or(0);
    config.local = address(data, gre::LOCAL).unwrap_or(config.local);
    config.remote = address(data, gre::REMOTE).unwrap_or(config.remote);
    config.ttl = data.u8(gre::TTL).unwrap_or(0);
    config.tos = data.u8(gre::TOS).unwrap_or(0);
    config.pmtudisc = data.u8(gre::PMTUDISC).is_none_or(|on| on != 0);
    config.ignore_df = data.u8(gre::IGNORE_DF).map_or(ignores_df, |on| on != 0);
    if config.pmtudisc && (ignores_df || config.ignore_df) {
        return Err(Errno::EINVAL.into());
    }
    Ok(config)
}

/// What GRE expects and sends (`IFLA_GRE_*FLAGS` and keys).
pub(super) fn read_flags(data: &Attributes<'_>) -> Result<(GreFlags, GreFlags), Failure> {
    let side = |flags, key| -> Result<GreFlags, Failure> {
        let flags = data.be16(flags).unwrap_or(0);
        if flags & (GRE_VERSION | GRE_ROUTING) != 0 {
            return Err(Errno::EINVAL.into());
        }
        Ok(GreFlags {
            key: (flags & GRE_KEY != 0).then_some(be32(data, key).unwrap_or(0)),
            checksum: flags & GRE_CSUM != 0,
            sequence: flags & GRE_SEQ != 0,
        })
    };
    Ok((side(gre::IFLAGS, gre::IKEY)?, side(gre::OFLAGS, gre::OKEY)?))
}

/// The same as bits of a GRE header.
pub(super) fn flag_bits(side: &GreFlags) -> u16 {
    let mut flags = 0;
    for (on, flag) in [(side.key.is_some(), GRE_KEY), (side.checksum, GRE_CSUM), (side.sequence, GRE_SEQ)] {
        flags |= if on { flag } else { 0 };
    }
    flags
}

/// `ipip_netlink_parms`, `ipip6_netlink_parms`
fn read_iptun(variant: Variant, data: &Attributes<'_>) -> Result<Config, Failure> {
    let mut config = plain(variant);
    // sit knows no such (`ipip6_policy`).
    config.external = data.has(iptun::COLLECT_METADATA) && variant == Variant::Ipip;
    if data.u16(iptun::ENCAP_TYPE).is_some_and(|kind| kind != 0) {
        return Err(not_emulated("ipip encap"));
    }
    if data.u32(iptun::FWMARK).is_some_and(|mark| mark != 0) {
        return Err(not_emulated("ipip fwmark"));
    }
    config.link = data.u32(iptun::LINK).unwrap_or(0);
    config.local = address(data, iptun::LOCAL).unwrap_or(config.local);
    config.remote = address(data, iptun::REMOTE).unwrap_or(config.remote);
    if let Some(ttl) = data.u8(iptun::TTL) {
        config.ttl = ttl;
    }
    config.tos = data.u8(iptun::TOS).unwrap_or(0);
    // A fixed time to live brings DF with it (`ip_tunnel_netlink_parms`).
    let fixed = data.u8(iptun::TTL).is_some_and(|ttl| ttl != 0);
    config.pmtudisc = data.u8(iptun::PMTUDISC).is_none_or(|on| on != 0) || fixed;
    if let Some(carried) = data.u8(iptun::PROTO) {
        let allowed = match variant {
            Variant::Sit => &[0, protocol::IPV6, protocol::IPIP][..],
            _ => &[0, protocol::IPIP],
        };
        if !allowed.contains(&carried) {
            return Err(Errno::EINVAL.into());
        }
        config.protocol = carried;
    }
    Ok(config)
}

/// A tunnel that was told nothing.
fn plain(variant: Variant) -> Config {
    Config {
        local: Ipv4Addr::UNSPECIFIED,
        remote: Ipv4Addr::UNSPECIFIED,
        link: 0,
        // `ipip6_netlink_parms` says so.
        ttl: if variant == Variant::Sit { 64 } else { 0 },
        tos: 0,
        pmtudisc: true,
        ignore_df: false,
        input: GreFlags::default(),
        output: GreFlags::default(),
        // `ipip6_netlink_parms` starts with what RFC 4213 carries, `ipip_netlink_parms` likewise.
        protocol: match variant {
            Variant::Gre | Variant::GreTap => 0,
            Variant::Ipip => protocol::IPIP,
            Variant::Sit => protocol::IPV6,
        },
        external: false,
    }
}

/// An IPv4 address where a link-layer address belongs.
fn as_mac(address: Ipv4Addr) -> Mac {
    let [a, b, c, d] = address.octets();
    Mac([a, b, c, d, 0, 0])
}

impl World {
    /// `ip_tunnel_newlink`
    fn create_ip_tunnel(&mut self, new: Creation<'_>) -> Result<DevId, Failure> {
        let Creation { place, mut draft, data, request } = new;
        let kind = request.link_info()?.kind.unwrap_or_default();
        let variants = [Variant::Gre, Variant::GreTap, Variant::Ipip, Variant::Sit];
        let variant = variants.into_iter().find(|variant| variant.name() == kind).ok_or(Errno::EINVAL)?;
        let underlay = place.below();
        let empty = Attributes::default();
        let config = read_config(variant, data.unwrap_or(&empty), false)?;
        self.check_ip_tunnel(variant, underlay, &config, None)?;
        if variant != Variant::GreTap {
            draft.mac = Some(as_mac(config.local));
            draft.broadcast = Some(as_mac(config.remote));
        }
        let state = IpTunnel::new(variant, underlay, config);
        if draft.mtu.is_none() {
            draft.mtu = Some(self.ip_tunnel_mtu(&state));
        }
        let dev = self.register_draft(draft, Kind::IpTunnel(Box::new(state)))?;
        self.load_tunnels(underlay, false);
        self.settle_ip_tunnel(dev);
        if let Some(device) = self.devs.get_mut(dev)
            && variant != Variant::GreTap
        {
            // `register_netdevice`: the address that it comes with.
            device.permanent_mac = device.mac;
        }
        Ok(dev)
    }

    /// `ip_tunnel_find`: no two tunnels have the same ends and key. True: it is the tunnel itself that has them.
    fn check_ip_tunnel(
        &self,
        variant: Variant,
        underlay: NsId,
        config: &Config,
        own: Option<DevId>,
    ) -> Result<bool, Failure> {
        let same = |other: &IpTunnel| {
            if config.external && own.is_none() {
                // `ip_tunnel_newlink`: there is one that goes by what packets say.
                return other.variant == variant && other.underlay == underlay && other.config.external;
            }
            other.variant == variant
                && other.underlay == underlay
                && (other.config.local, other.config.remote) == (config.local, config.remote)
                && other.config.link == config.link
                && other.config.input.key == config.input.key
        };
        let found = self.devs.values().filter(|device| match &device.kind {
            Kind::IpTunnel(other) => same(other),
            _ => false,
        });
        let mut itself = false;
        for device in found {
            if Some(device.id) != own {
                return Err(Errno::EEXIST.into());
            }
            itself = true;
        }
        Ok(itself)
    }

    /// `ip_tunnel_bind_dev`: what fits the way to the other end.
    fn ip_tunnel_mtu(&mut self, state: &IpTunnel) -> u32 {
        let config = &state.config;
        let key = OutKey {
            source: config.local,
            oif: config.link,
            tos: config.tos & 0x1e,
            ..OutKey::to(state.underlay, config.remote)
        };
        let by_route = match config.remote.is_unspecified() {
            true => None,
            false => self.route_output(key).ok().map(|route| route.dev),
        };
        let below = by_route.or_else(|| self.device_at(state.underlay, config.link));
        let below = below.and_then(|below| self.devs.get(below)).map_or(DEFAULT_MTU, |below| below.mtu);
        below.min(65_535).saturating_sub(20 + state.headroom()).max(LEAST_MTU)
    }

    /// What follows from a tunnel's ends: its addresses and flags.
    fn settle_ip_tunnel(&mut self, dev: DevId) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        let Kind::IpTunnel(state) = &device.kind else { return };
        if state.variant != Variant::GreTap {
            let (local, remote) = (state.config.local, state.config.remote);
            device.mac = as_mac(local);
            device.broadcast = as_mac(remote);
            device.addr_assign = crate::device::AddrAssign::Permanent;
            device.flags.set(Flags::POINTOPOINT, !remote.is_unspecified());
        }
    }

    /// `ip_tunnel_changelink`
    fn change_ip_tunnel(&mut self, dev: DevId, data: &Attributes<'_>) -> Result<(), Failure> {
        let Some(Kind::IpTunnel(state)) = self.devs.get(dev).map(|device| &device.kind) else {
            return Err(Errno::EOPNOTSUPP.into());
        };
        let (variant, underlay, old) = (state.variant, state.underlay, state.config.clone());
        let mut config = read_config(variant, data, old.ignore_df)?;
        if config.external && (!old.external || !variant.is_gre()) {
            return Err(match variant.is_gre() {
                true => {
                    let text = "Enabling collect_md on an existing device is not supported";
                    Failure::with_text(Errno::EINVAL, text)
                }
                false => Errno::EINVAL.into(),
            });
        }
        config.external = old.external;
        // What is carried stays, and what GRE's keys are where the flags do not name them.
        if !variant.is_gre() {
            config.protocol = old.protocol;
        }
        let flags = self.devs.get(dev).map_or(Flags::empty(), |device| device.flags);
        let remote = config.remote;
        let point = !remote.is_unspecified() && (!remote.is_multicast() || !variant.is_gre());
        let other_end = variant != Variant::GreTap
            && (flags.contains(Flags::POINTOPOINT) != point
                || variant.is_gre() && flags.contains(Flags::BROADCAST) != remote.is_multicast());
        // `ipip_changelink`: a tunnel to one end does not become one to any, nor the reverse. GRE looks for the tunnel
        // first (`ip_tunnel_changelink`).
        if other_end && !variant.is_gre() {
            return Err(Errno::EINVAL.into());
        }
        if !self.check_ip_tunnel(variant, underlay, &config, Some(dev))? && other_end {
            return Err(Errno::EINVAL.into());
        }
        let headroom_changes = config.output.header_len() != old.output.header_len();
        let link_changes = config.link != old.link;
        let mut state = IpTunnel::new(variant, underlay, config);
        if let Some(Kind::IpTunnel(old)) = self.devs.get(dev).map(|device| &device.kind) {
            (state.sequence_in, state.sequence_out) = (old.sequence_in, old.sequence_out);
            state.failures = old.failures;
        }
        let mtu = self.ip_tunnel_mtu(&state);
        let grows = state.headroom();
        self.on_device(dev, |device| {
            if link_changes {
                device.mtu = mtu;
            }
            if let Kind::IpTunnel(old) = &device.kind
                && headroom_changes
            {
                // `ipgre_link_update`
                device.mtu = (device.mtu + old.headroom()).saturating_sub(grows).max(LEAST_MTU);
            }
            device.kind = Kind::IpTunnel(Box::new(state));
        });
        self.settle_ip_tunnel(dev);
        self.changed();
        Ok(())
    }
}

/// `ipgre_fill_info`, `ipip_fill_info`
pub(super) fn describe(state: &IpTunnel) -> (InfoKind, Option<InfoData>) {
    let config = &state.config;
    let mut raw = Raw::default();
    let kind = match state.variant {
        Variant::Gre => InfoKind::GreTun,
        Variant::GreTap => InfoKind::GreTap,
        Variant::Ipip => InfoKind::IpIp,
        Variant::Sit => InfoKind::SitTun,
    };
    if state.variant.is_gre() {
        raw.u32(gre::LINK, config.link);
        raw.bytes(gre::IFLAGS, &flag_bits(&config.input).to_be_bytes());
        raw.bytes(gre::OFLAGS, &flag_bits(&config.output).to_be_bytes());
        raw.bytes(gre::IKEY, &config.input.key.unwrap_or(0).to_be_bytes());
        raw.bytes(gre::OKEY, &config.output.key.unwrap_or(0).to_be_bytes());
        raw.bytes(gre::LOCAL, &config.local.octets());
        raw.bytes(gre::REMOTE, &config.remote.octets());
        raw.u8(gre::TTL, config.ttl);
        raw.u8(gre::TOS, config.tos);
        raw.u8(gre::PMTUDISC, config.pmtudisc.into());
        raw.u32(gre::FWMARK, 0);
        for kind in [gre::ENCAP_TYPE, gre::ENCAP_SPORT, gre::ENCAP_DPORT, gre::ENCAP_FLAGS] {
            raw.bytes(kind, &[0; 2]);
        }
        raw.u8(gre::IGNORE_DF, config.ignore_df.into());
        if config.external {
            raw.bytes(gre::COLLECT_METADATA, &[]);
        }
    } else {
        raw.u32(iptun::LINK, config.link);
        raw.bytes(iptun::LOCAL, &config.local.octets());
        raw.bytes(iptun::REMOTE, &config.remote.octets());
        raw.u8(iptun::TTL, config.ttl);
        raw.u8(iptun::TOS, config.tos);
        if state.variant == Variant::Sit {
            raw.bytes(iptun::FLAGS, &[0; 2]);
        }
        raw.u8(iptun::PROTO, config.protocol);
        raw.u8(iptun::PMTUDISC, config.pmtudisc.into());
        raw.u32(iptun::FWMARK, 0);
        for kind in [iptun::ENCAP_TYPE, iptun::ENCAP_SPORT, iptun::ENCAP_DPORT, iptun::ENCAP_FLAGS] {
            raw.bytes(kind, &[0; 2]);
        }
        if config.external {
            raw.bytes(iptun::COLLECT_METADATA, &[]);
        }
    }
    (kind, Some(raw.into_data()))
}
