//! ip6tnl, ip6gre and ip6gretap (net/ipv6/ip6_tunnel.c, ip6_gre.c). Not here: their fallback devices, metadata tunnels
//! (`external`), encapsulation in UDP, and marks.

use std::net::Ipv6Addr;

use hairpin_netlink::route::link::{InfoData, InfoKind};
use hairpin_netlink::{Errno, Failure};

use super::ip_tunnel::{flag_bits, gre, iptun, read_flags};
use super::raw::Raw;
use super::{Creation, LinkOps};
use crate::dev::Kind;
use crate::dev::ip_tunnel::GreFlags;
use crate::dev::ip6_tunnel::{Config, Ip6Tunnel, Variant, flag};
use crate::device::{AddrAssign, DevId, Flags};
use crate::ip::protocol;
use crate::ip6::route::OutKey6;
use crate::ip6::{HEADER_LEN, MIN_MTU};
use crate::mac::Mac;
use crate::netns::NsId;
use crate::rtnl::link::attributes::{Attributes, Policy, U8, U16, U32};
use crate::rtnl::link::change::valid_address;
use crate::rtnl::link::not_emulated;
use crate::rtnl::link::request::ifla;
use crate::world::World;

pub(super) const IP6TNL: LinkOps = LinkOps {
    policy: Some(IPTUN_POLICY),
    mtu: (0, i32::MAX as u32),
    validate: validate_ip6tnl,
    change: Some(World::change_ip6_tunnel),
    ..LinkOps::new("ip6tnl", World::create_ip6_tunnel)
};
pub(super) const IP6GRE: LinkOps = LinkOps {
    policy: Some(GRE_POLICY),
    mtu: (0, i32::MAX as u32),
    validate: validate_ip6gre,
    change: Some(World::change_ip6_tunnel),
    ..LinkOps::new("ip6gre", World::create_ip6_tunnel)
};
pub(super) const IP6GRETAP: LinkOps = LinkOps {
    policy: Some(GRE_POLICY),
    mtu: (68, i32::MAX as u32),
    validate: validate_ip6gretap,
    change: Some(World::change_ip6_tunnel),
    ..LinkOps::new("ip6gretap", World::create_ip6_tunnel)
};

/// `IFLA_GRE_*` that GRE over IPv4 has not.
mod gre6 {
    pub const ENCAP_LIMIT: u16 = 11;
    pub const FLOWINFO: u16 = 12;
    pub const FLAGS: u16 = 13;
}

/// `IFLA_IPTUN_*` that tunnels over IPv4 have not, or otherwise.
mod iptun6 {
    pub const ENCAP_LIMIT: u16 = 6;
    pub const FLOWINFO: u16 = 7;
    pub const FLAGS: u16 = 8;
}

/// `ip6gre_policy`
const GRE_POLICY: &[(u16, Policy)] = &[
    (gre::LINK, U32),
    (gre::IFLAGS, U16),
    (gre::OFLAGS, U16),
    (gre::IKEY, U32),
    (gre::OKEY, U32),
    (gre::LOCAL, Policy::Least(16)),
    (gre::REMOTE, Policy::Least(16)),
    (gre::TTL, U8),
    (gre6::ENCAP_LIMIT, U8),
    (gre6::FLOWINFO, U32),
    (gre6::FLAGS, U32),
    (gre::ENCAP_TYPE, U16),
    (gre::ENCAP_FLAGS, U16),
    (gre::FWMARK, U32),
];

/// `ip6_tnl_policy`
const IPTUN_POLICY: &[(u16, Policy)] = &[
    (iptun::LINK, U32),
    (iptun::LOCAL, Policy::Least(16)),
    (iptun::REMOTE, Policy::Least(16)),
    (iptun::TTL, U8),
    (iptun6::ENCAP_LIMIT, U8),
    (iptun6::FLOWINFO, U32),
    (iptun6::FLAGS, U32),
    (iptun::PROTO, U8),
    (iptun::ENCAP_TYPE, U16),
    (iptun::FWMARK, U32),
];

/// `ip6_tnl_validate`
fn validate_ip6tnl(_attributes: &Attributes<'_>, data: Option<&Attributes<'_>>) -> Result<(), Failure> {
    match data.and_then(|data| data.u8(iptun::PROTO)) {
        None | Some(0 | protocol::IPIP | protocol::IPV6) => Ok(()),
        Some(_) => Err(Errno::EINVAL.into()),
    }
}

/// `ip6gre_tunnel_validate`
fn validate_ip6gre(_attributes: &Attributes<'_>, data: Option<&Attributes<'_>>) -> Result<(), Failure> {
    data.map_or(Ok(()), |data| read_flags(data).map(|_| ()))
}

/// `ip6gre_tap_validate`
fn validate_ip6gretap(attributes: &Attributes<'_>, data: Option<&Attributes<'_>>) -> Result<(), Failure> {
    if attributes.get(ifla::ADDRESS).is_some_and(|address| address.len() != 6) {
        return Err(Errno::EINVAL.into());
    }
    valid_address(attributes)?;
    let remote = data.and_then(|data| address(data, gre::REMOTE));
    if remote.is_some_and(|remote| remote.is_unspecified()) {
        return Err(Errno::EINVAL.into());
    }
    validate_ip6gre(attributes, data)
}

fn address(data: &Attributes<'_>, kind: u16) -> Option<Ipv6Addr> {
    let octets: [u8; 16] = *data.get(kind)?.first_chunk()?;
    Some(Ipv6Addr::from(octets))
}

/// Where the attributes of a kind are.
struct Numbers {
    link: u16,
    local: u16,
    remote: u16,
    ttl: u16,
    limit: u16,
    flow: u16,
    flags: u16,
    encap: u16,
    mark: u16,
    external: u16,
}

const GRE: Numbers = Numbers {
    link: gre::LINK,
    local: gre::LOCAL,
    remote: gre::REMOTE,
    ttl: gre::TTL,
    limit: gre6::ENCAP_LIMIT,
    flow: gre6::FLOWINFO,
    flags: gre6::FLAGS,
    encap: gre::ENCAP_TYPE,
    mark: gre::FWMARK,
    external: gre::COLLECT_METADATA,
};
const IPTUN: Numbers = Numbers {
    link: iptun::LINK,
    local: iptun::LOCAL,
    remote: iptun::REMOTE,
    ttl: iptun::TTL,
    limit: iptun6::ENCAP_LIMIT,
    flow: iptun6::FLOWINFO,
    flags: iptun6::FLAGS,
    encap: iptun::ENCAP_TYPE,
    mark: iptun::FWMARK,
    external: iptun::COLLECT_METADATA,
};

fn numbers(variant: Variant) -> &'static Numbers {
    if variant.is_gre() { &GRE } else { &IPTUN }
}

/// `ip6_tnl_netlink_parms`, `ip6gre_netlink_parms`: what is not said is nothing.
fn read_config(variant: Variant, data: &Attributes<'_>) -> Result<Config, Failure> {
    let numbers = numbers(variant);
    let name = variant.name();
    if data.has(numbers.external) {
        return Err(not_emulated(&format!("{name} external")));
    }
    if data.u16(numbers.encap).is_some_and(|kind| kind != 0) {
        return Err(not_emulated(&format!("{name} encap")));
    }
    if data.u32(numbers.mark).is_some_and(|mark| mark != 0) {
        return Err(not_emulated(&format!("{name} fwmark")));
    }
    let (input, output) = match variant.is_gre() {
        true => read_flags(data)?,
        false => (GreFlags::default(), GreFlags::default()),
    };
    let mut config = Config {
        local: address(data, numbers.local).unwrap_or(Ipv6Addr::UNSPECIFIED),
        remote: address(data, numbers.remote).unwrap_or(Ipv6Addr::UNSPECIFIED),
        link: data.u32(numbers.link).unwrap_or(0),
        hop_limit: data.u8(numbers.ttl).unwrap_or(0),
        encap_limit: data.u8(numbers.limit).unwrap_or(0),
        flow_info: data.be32(numbers.flow).unwrap_or(0),
        flags: data.u32(numbers.flags).unwrap_or(0),
        protocol: if variant.is_gre() { 0 } else { data.u8(iptun::PROTO).unwrap_or(0) },
        input,
        output,
    };
    config.flags &= !(flag::CAN_SEND | flag::CAN_RECEIVE | flag::PER_PACKET);
    config.flags |= config.abilities();
    Ok(config)
}

impl World {
    /// `ip6_tnl_newlink`, `ip6gre_newlink`
    fn create_ip6_tunnel(&mut self, new: Creation<'_>) -> Result<DevId, Failure> {
        let Creation { place, mut draft, data, request } = new;
        let kind = request.link_info()?.kind.unwrap_or_default();
        let variants = [Variant::Ip6Tnl, Variant::Ip6Gre, Variant::Ip6GreTap];
        let variant = variants.into_iter().find(|variant| variant.name() == kind).ok_or(Errno::EINVAL)?;
        // These look for a device's stack where the device is made.
        let underlay = place.birth();
        let empty = Attributes::default();
        let config = read_config(variant, data.unwrap_or(&empty))?;
        if self.ip6_tunnel_like(variant, underlay, &config).is_some() {
            return Err(Errno::EEXIST.into());
        }
        let state = Ip6Tunnel::new(variant, underlay, config);
        let wanted = draft.mtu.take();
        draft.mtu = Some(self.ip6_tunnel_mtu(&state).unwrap_or_else(|| ip6_tunnel_default_mtu(&state)));
        if wanted.is_some() && variant.is_gre() {
            // Given one, GRE does not look for the way.
            draft.mtu = Some(ip6_tunnel_default_mtu(&state));
        }
        if variant != Variant::Ip6GreTap {
            draft.mac = None;
        }
        let dev = self.register_draft(draft, Kind::Ip6Tunnel(Box::new(state)))?;
        self.load_tunnels(underlay, true);
        self.settle_ip6_tunnel(dev);
        if let Some(mtu) = wanted {
            // One that does not fit is passed over.
            let _ = self.set_mtu(dev, mtu);
        }
        Ok(dev)
    }

    /// `ip6_tnl_locate`, `ip6gre_tunnel_find`: the tunnel with the same ends (and key).
    fn ip6_tunnel_like(&self, variant: Variant, underlay: NsId, config: &Config) -> Option<DevId> {
        let same = |other: &Ip6Tunnel| {
            other.variant == variant
                && other.underlay == underlay
                && (other.config.local, other.config.remote) == (config.local, config.remote)
                && other.config.link == config.link
                && other.config.input.key == config.input.key
        };
        let mut devices = self.devs.values();
        let found = devices.find(|device| matches!(&device.kind, Kind::Ip6Tunnel(other) if same(other)));
        found.map(|device| device.id)
    }

    /// `ip6_tnl_link_config`, `ip6gre_tnl_link_config_route`: what fits the way to the other end, if there is one.
    fn ip6_tunnel_mtu(&mut self, state: &Ip6Tunnel) -> Option<u32> {
        let config = &state.config;
        if !config.has(flag::CAN_SEND) {
            return None;
        }
        let key =
            OutKey6 { source: config.local, oif: config.link, ..OutKey6::to(state.underlay, config.remote) };
        let by_route = self.route_output6(key).ok().map(|route| route.dev);
        let named = || self.device_at(state.underlay, config.link).filter(|_| !state.variant.is_gre());
        let below = self.devs.get(by_route.or_else(named)?)?.mtu;
        Some(below.saturating_sub(ip6_tunnel_overhead(state)).max(MIN_MTU))
    }

    /// What follows from a tunnel's ends: its flags; and the identifier of its link-local address, which is random.
    fn settle_ip6_tunnel(&mut self, dev: DevId) {
        let random = self.random_mac();
        let Some(device) = self.devs.get_mut(dev) else { return };
        let Kind::Ip6Tunnel(state) = &device.kind else { return };
        if state.variant == Variant::Ip6GreTap {
            return;
        }
        let both = state.config.has(flag::CAN_SEND) && state.config.has(flag::CAN_RECEIVE);
        device.flags.set(Flags::POINTOPOINT, both);
        device.mac = Mac::ZERO;
        device.addr_assign = AddrAssign::Random;
        if device.permanent_mac.is_zero() {
            device.permanent_mac = random;
        }
    }

    /// `ip6_tnl_changelink`, `ip6gre_changelink`
    fn change_ip6_tunnel(&mut self, dev: DevId, data: &Attributes<'_>) -> Result<(), Failure> {
        let Some(Kind::Ip6Tunnel(state)) = self.devs.get(dev).map(|device| &device.kind) else {
            return Err(Errno::EOPNOTSUPP.into());
        };
        let (variant, underlay) = (state.variant, state.underlay);
        let sequences = (state.sequence_in, state.sequence_out);
        let config = read_config(variant, data)?;
        // `ip6gre_changelink` looks among the devices without a link header only.
        let like = match variant {
            Variant::Ip6GreTap => self.ip6_tunnel_like(Variant::Ip6Gre, underlay, &config),
            _ => self.ip6_tunnel_like(variant, underlay, &config),
        };
        if like.is_some_and(|other| other != dev) {
            return Err(Errno::EEXIST.into());
        }
        let mut state = Ip6Tunnel::new(variant, underlay, config);
        (state.sequence_in, state.sequence_out) = sequences;
        let mtu = self.ip6_tunnel_mtu(&state);
        self.on_device(dev, |device| {
            device.mtu = mtu.unwrap_or(device.mtu);
            device.kind = Kind::Ip6Tunnel(Box::new(state));
        });
        self.settle_ip6_tunnel(dev);
        self.changed();
        Ok(())
    }
}

/// Bytes that a packet grows by.
fn ip6_tunnel_overhead(state: &Ip6Tunnel) -> u32 {
    HEADER_LEN as u32 + state.headroom() + state.option_len()
}

/// `ip6_tnl_dev_init_gen`, `ip6gre_tunnel_init_common`: what fits into an Ethernet frame.
fn ip6_tunnel_default_mtu(state: &Ip6Tunnel) -> u32 {
    const ETH_DATA_LEN: u32 = 1500;
    ETH_DATA_LEN - ip6_tunnel_overhead(state)
}

/// `ip6_tnl_fill_info`, `ip6gre_fill_info`
pub(super) fn describe(state: &Ip6Tunnel) -> (InfoKind, Option<InfoData>) {
    let config = &state.config;
    let numbers = numbers(state.variant);
    let mut raw = Raw::default();
    raw.u32(numbers.link, config.link);
    if state.variant.is_gre() {
        raw.bytes(gre::IFLAGS, &flag_bits(&config.input).to_be_bytes());
        raw.bytes(gre::OFLAGS, &flag_bits(&config.output).to_be_bytes());
        raw.bytes(gre::IKEY, &config.input.key.unwrap_or(0).to_be_bytes());
        raw.bytes(gre::OKEY, &config.output.key.unwrap_or(0).to_be_bytes());
    }
    raw.bytes(numbers.local, &config.local.octets());
    raw.bytes(numbers.remote, &config.remote.octets());
    raw.u8(numbers.ttl, config.hop_limit);
    raw.u8(numbers.limit, config.encap_limit);
    raw.bytes(numbers.flow, &config.flow_info.to_be_bytes());
    raw.u32(numbers.flags, config.flags);
    if !state.variant.is_gre() {
        raw.u8(iptun::PROTO, config.protocol);
    }
    raw.u32(numbers.mark, 0);
    let [kind, flags, source, destination] = match state.variant.is_gre() {
        true => [gre::ENCAP_TYPE, gre::ENCAP_FLAGS, gre::ENCAP_SPORT, gre::ENCAP_DPORT],
        false => [iptun::ENCAP_TYPE, iptun::ENCAP_FLAGS, iptun::ENCAP_SPORT, iptun::ENCAP_DPORT],
    };
    for number in [kind, source, destination, flags] {
        raw.bytes(number, &[0; 2]);
    }
    (InfoKind::Other(state.variant.name().to_owned()), Some(raw.into_data()))
}
