//! geneve: Ethernet over UDP to one other end (RFC 8926, drivers/net/geneve.c), without options.

use std::net::{IpAddr, Ipv4Addr};

use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::mac::Mac;
use crate::netns::NsId;

use super::tunnel::{self, Inner, Outer, Ports, Shim, Six, TunnelInfo, TunnelWay};
use super::vxlan::DontFragment;
use super::vxlan::unspecified;
use super::{Verdict, Verdicts};

/// `GENEVE_UDP_PORT`
pub const PORT: u16 = 6081;
/// Ports that packets come from: all of the upper three quarters (`geneve_get_v4_rt` with a range of 1 to `USHRT_MAX`).
const SOURCE_PORTS: (u16, u16) = (1, u16::MAX);
/// Bytes around a frame with its link header (`GENEVE_IPV4_HLEN`, `GENEVE_IPV6_HLEN`).
const HEADROOM: u32 = 50;
const HEADROOM_6: u32 = 70;

/// What a geneve device is told to be (`struct geneve_config`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub vni: u32,
    pub remote: IpAddr,
    pub port: u16,
    pub ttl: u8,
    pub ttl_inherit: bool,
    /// 1: the carried packet's.
    pub tos: u8,
    pub df: DontFragment,
    /// Of the outer IPv6 header.
    pub label: u32,
    /// Over IPv4.
    pub checksum: bool,
    /// Over IPv6: what is sent has no checksum, what comes may have none.
    pub no_checksum_6: (bool, bool),
    /// Frames say themselves which tunnel they go by (`collect_md`).
    pub external: bool,
}

impl Config {
    /// A device that is told nothing.
    pub fn plain() -> Config {
        Config {
            vni: 0,
            remote: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port: PORT,
            ttl: 0,
            ttl_inherit: false,
            tos: 0,
            df: DontFragment::Unset,
            label: 0,
            checksum: false,
            no_checksum_6: (false, true),
            external: false,
        }
    }

    pub fn headroom(&self) -> u32 {
        if self.remote.is_ipv6() { HEADROOM_6 } else { HEADROOM }
    }

    /// What the largest MTU leaves room for.
    pub fn most_headroom(&self) -> u32 {
        if self.external { HEADROOM_6 } else { self.headroom() }
    }

    /// The ports of the device's sockets, and whether they are of IPv6 (`geneve_open`).
    pub fn sockets(&self) -> impl Iterator<Item = (u16, bool)> + use<> {
        let families =
            if self.external { [Some(true), Some(false)] } else { [Some(self.remote.is_ipv6()), None] };
        let port = self.port;
        families.into_iter().flatten().map(move |six| (port, six))
    }
}

/// A geneve device.
#[derive(Clone, Debug)]
pub struct Geneve {
    pub underlay: NsId,
    pub config: Config,
}

impl Geneve {
    /// `geneve_xmit_skb`
    pub fn transmit(&self, frame: &Frame, out: &mut Verdicts) {
        if self.config.external {
            return out.push(match frame.tunnel.filter(|info| info.way != TunnelWay::Came) {
                Some(info) => Verdict::Encapsulate(self.outer(frame, info)),
                None => Verdict::Drop(DropReason::NoTransmitTarget),
            });
        }
        let config = &self.config;
        let inner = Inner::of(frame);
        let tos = if config.tos == 1 { inner.tos } else { config.tos };
        let source = tunnel::source_port(frame, SOURCE_PORTS);
        let checksum = if config.remote.is_ipv6() { !config.no_checksum_6.0 } else { config.checksum };
        let ports = Ports { source, destination: config.port, checksum };
        out.push(Verdict::Encapsulate(Outer {
            underlay: self.underlay,
            local: unspecified(config.remote.is_ipv6()),
            remote: config.remote,
            oif: 0,
            tos: inner.outer_tos(tos),
            ttl: if config.ttl_inherit { inner.ttl } else { config.ttl },
            ttl_is_final: false,
            dont_fragment: match config.df {
                DontFragment::Unset => false,
                DontFragment::Set => true,
                DontFragment::Inherit => inner.dont_fragment,
            },
            six: Six { label: config.label, ..Six::default() },
            shim: Shim::Geneve { vni: config.vni, ports },
        }));
    }

    /// `geneve_xmit_skb` for a frame that says itself where it goes.
    fn outer(&self, frame: &Frame, info: TunnelInfo) -> Outer {
        let source = tunnel::source_port(frame, SOURCE_PORTS);
        let checksum = info.has(TunnelInfo::CHECKSUM);
        let ports = Ports { source, destination: self.config.port, checksum };
        let shim = Shim::Geneve { vni: info.id as u32, ports };
        Outer { ttl_is_final: true, ..info.outer(frame, self.underlay, shim) }
    }

    /// `geneve_rx`: whether a frame from `source` is taken by a device with the address `own`.
    ///
    /// # Errors
    /// [`DropReason::LocalMac`]
    pub fn receive(&self, own: Mac, source: Mac) -> Result<(), DropReason> {
        if source == own { Err(DropReason::LocalMac) } else { Ok(()) }
    }
}

/// The network identifier of a geneve header that carries an Ethernet frame, and the header's length.
///
/// # Errors
/// Another version or payload, or an option that must be understood (`geneve_udp_encap_recv`).
pub fn read_header(bytes: &[u8]) -> Result<(u32, usize), DropReason> {
    match bytes.first_chunk::<{ tunnel::GENEVE_LEN }>() {
        Some(&[first, flags, 0x65, 0x58, a, b, c, _]) if first >> 6 == 0 && flags & 0x40 == 0 => {
            let len = tunnel::GENEVE_LEN + usize::from(first & 0x3f) * 4;
            Ok((u32::from_be_bytes([0, a, b, c]), len))
        }
        _ => Err(DropReason::VxlanInvalidHeader),
    }
}
