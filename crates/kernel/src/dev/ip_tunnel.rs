//! gre, gretap, ipip and sit: packets in IPv4 packets (RFC 2784, 2890, 2003, 4213; net/ipv4/ip_tunnel.c, ip_gre.c,
//! ipip.c, net/ipv6/sit.c).
//!
//! Configuration: [`Config`]. Transmit: [`IpTunnel::transmit`]. Receive: [`IpTunnel::rank`] says how well a tunnel fits an
//! arriving packet, [`IpTunnel::receive`] whether the packet passes. Not here: groups, and other encapsulations around
//! these.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::drop_reason::DropReason;
use crate::frame::{Frame, ethertype};
use crate::ip::protocol;
use crate::netns::NsId;
use crate::time::Time;

use super::tunnel::{Gre, Inner, Outer, Shim, Six, TunnelInfo, TunnelWay};
use super::{Verdict, Verdicts};

/// What a tunnel carries, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    Gre,
    /// GRE with Ethernet frames inside.
    GreTap,
    Ipip,
    Sit,
}

impl Variant {
    /// `IFLA_INFO_KIND`
    pub fn name(self) -> &'static str {
        match self {
            Variant::Gre => "gre",
            Variant::GreTap => "gretap",
            Variant::Ipip => "ipip",
            Variant::Sit => "sit",
        }
    }

    pub fn is_gre(self) -> bool {
        matches!(self, Variant::Gre | Variant::GreTap)
    }
}

/// What a tunnel is told to be (`struct ip_tunnel_parm`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub local: Ipv4Addr,
    pub remote: Ipv4Addr,
    /// The device below; 0: any.
    pub link: u32,
    /// 0: the carried packet's.
    pub ttl: u8,
    /// Bit 0: the carried packet's.
    pub tos: u8,
    /// The outer packet has DF.
    pub pmtudisc: bool,
    /// The carried packet's DF does not make the outer one's.
    pub ignore_df: bool,
    /// What GRE expects of what arrives, and puts on what it sends.
    pub input: GreFlags,
    pub output: GreFlags,
    /// ipip and sit: the only IP protocol carried; 0: any.
    pub protocol: u8,
    /// Packets say themselves which tunnel they go by (`collect_md`).
    pub external: bool,
}

/// Optional fields of a GRE header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GreFlags {
    pub key: Option<u32>,
    pub checksum: bool,
    pub sequence: bool,
}

impl GreFlags {
    /// Bytes of a header with these fields.
    pub fn header_len(&self) -> u32 {
        4 + 4 * (u32::from(self.key.is_some()) + u32::from(self.checksum) + u32::from(self.sequence))
    }
}

/// A tunnel device.
#[derive(Clone, Debug)]
pub struct IpTunnel {
    pub variant: Variant,
    pub underlay: NsId,
    pub config: Config,
    /// The next packet's sequence number, out and in.
    pub sequence_out: u32,
    pub sequence_in: u32,
    pub failures: Failures,
}

/// ICMP errors that came back for a tunnel's packets (`tunnel->err_count`): so many of the next packets' senders are told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Failures {
    count: u32,
    last: Option<Time>,
}

/// `IPTUNNEL_ERR_TIMEO`
const FAILURES_EXPIRE: Duration = Duration::from_secs(30);

impl Failures {
    fn recent(&self, now: Time) -> bool {
        self.last.is_some_and(|last| now.since(last) < FAILURES_EXPIRE)
    }

    /// An error came.
    pub fn note(&mut self, now: Time) {
        self.count = if self.recent(now) { self.count.saturating_add(1) } else { 1 };
        self.last = Some(now);
    }

    /// Whether the sender of this packet is to be told.
    pub fn take(&mut self, now: Time) -> bool {
        let tells = self.count > 0 && self.recent(now);
        self.count = if tells { self.count - 1 } else { 0 };
        tells
    }
}

/// What an arriving packet says to find its tunnel.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    pub source: Ipv4Addr,
    pub destination: Ipv4Addr,
    pub iif: u32,
    pub key: Option<u32>,
}

impl IpTunnel {
    pub fn new(variant: Variant, underlay: NsId, config: Config) -> IpTunnel {
        IpTunnel { variant, underlay, config, sequence_out: 0, sequence_in: 0, failures: Failures::default() }
    }

    /// Bytes around a packet, without the outer IP header: of GRE, and of the frame's link header in gretap.
    pub fn headroom(&self) -> u32 {
        match self.variant {
            Variant::Gre => self.config.output.header_len(),
            Variant::GreTap => self.config.output.header_len() + crate::frame::ETH_LEN as u32,
            Variant::Ipip | Variant::Sit => 0,
        }
    }

    /// `ip_tunnel_xmit`
    pub fn transmit(&mut self, frame: &Frame, out: &mut Verdicts) {
        if self.config.external {
            let verdict = self.transmit_by_info(frame);
            return out.push(verdict);
        }
        let Some(shim) = self.shim(frame.ethertype()) else {
            return out.push(Verdict::Drop(DropReason::TunnelTransmitInfo));
        };
        if self.config.remote.is_unspecified() || self.config.remote.is_multicast() {
            return out.push(Verdict::Drop(DropReason::TunnelTransmitInfo));
        }
        let config = &self.config;
        let inner = Inner::of(frame);
        let tos = if config.tos & 1 != 0 { inner.tos } else { config.tos };
        let inner_df = inner.dont_fragment && frame.ethertype() == ethertype::IPV4 && !config.ignore_df;
        out.push(Verdict::Encapsulate(Outer {
            underlay: self.underlay,
            local: config.local.into(),
            remote: config.remote.into(),
            oif: config.link,
            tos: inner.outer_tos(tos),
            ttl: if config.ttl == 0 { inner.ttl } else { config.ttl },
            ttl_is_final: false,
            dont_fragment: config.pmtudisc || inner_df,
            six: Six::default(),
            shim,
        }));
    }

    /// `gre_fb_xmit`, `ip_md_tunnel_xmit`
    fn transmit_by_info(&mut self, frame: &Frame) -> Verdict {
        let info = frame.tunnel.filter(|info| info.way != TunnelWay::Came && info.destination.is_ipv4());
        let Some(info) = info else {
            return Verdict::Drop(match self.variant.is_gre() {
                true => DropReason::NoTransmitTarget,
                false => DropReason::TunnelTransmitInfo,
            });
        };
        let shim = match self.variant.is_gre() {
            true => {
                let sequence = info.has(TunnelInfo::SEQUENCE).then_some(self.sequence_out);
                self.sequence_out = self.sequence_out.wrapping_add(u32::from(sequence.is_some()));
                let frames = self.variant == Variant::GreTap;
                Some(Shim::Gre(Gre {
                    protocol: if frames { ethertype::TEB } else { frame.ethertype() },
                    key: info.has(TunnelInfo::KEY).then_some(info.id as u32),
                    sequence,
                    checksum: info.has(TunnelInfo::CHECKSUM),
                }))
            }
            false => self.shim(frame.ethertype()),
        };
        let Some(shim) = shim else { return Verdict::Drop(DropReason::TunnelTransmitInfo) };
        let inner = Inner::of(frame);
        let tos = if info.tos == 1 { inner.tos } else { info.tos };
        Verdict::Encapsulate(Outer {
            underlay: self.underlay,
            local: info.source,
            remote: info.destination,
            oif: 0,
            tos: inner.outer_tos(tos),
            ttl: if info.ttl == 0 { inner.ttl } else { info.ttl },
            ttl_is_final: false,
            dont_fragment: info.has(TunnelInfo::DONT_FRAGMENT),
            six: Six::default(),
            shim,
        })
    }

    /// What goes between the headers; none for what the tunnel does not carry.
    fn shim(&mut self, kind: u16) -> Option<Shim> {
        let carried = match kind {
            ethertype::IPV4 => protocol::IPIP,
            ethertype::IPV6 => protocol::IPV6,
            _ => 0,
        };
        match self.variant {
            Variant::Gre | Variant::GreTap => {
                let output = self.config.output;
                let sequence = output.sequence.then_some(self.sequence_out);
                self.sequence_out = self.sequence_out.wrapping_add(u32::from(output.sequence));
                let frames = self.variant == Variant::GreTap;
                let protocol = if frames { ethertype::TEB } else { kind };
                Some(Shim::Gre(Gre { protocol, key: output.key, sequence, checksum: output.checksum }))
            }
            Variant::Ipip if carried == protocol::IPIP => Some(Shim::Ip(carried)),
            Variant::Sit if carried != 0 && self.carries(carried) => Some(Shim::Ip(carried)),
            Variant::Ipip | Variant::Sit => None,
        }
    }

    /// Whether packets of an IP protocol are for the tunnel.
    pub fn carries(&self, protocol: u8) -> bool {
        self.config.protocol == 0 || self.config.protocol == protocol
    }

    /// `ip_tunnel_lookup`: how well the tunnel fits, smaller is better; none where it does not.
    pub fn rank(&self, arrived: Arrived) -> Option<u32> {
        let Config { local, remote, link, input, .. } = &self.config;
        if input.key != arrived.key {
            // `collect_md_tun`: what no other takes.
            const LAST: u32 = 8;
            return self.config.external.then_some(LAST);
        }
        let addresses = match (remote.is_unspecified(), local.is_unspecified()) {
            (false, false) if *remote == arrived.source && *local == arrived.destination => 0,
            (false, true) if *remote == arrived.source => 1,
            (true, false) if *local == arrived.destination => 2,
            (true, true) => 3,
            _ => return None,
        };
        Some(addresses * 2 + u32::from(*link != arrived.iif))
    }

    /// `ip_tunnel_rcv`: whether a packet with these fields passes.
    ///
    /// # Errors
    /// It lacks a checksum that is expected or has one that is not, or comes out of order.
    pub fn receive(&mut self, fields: &Gre) -> Result<(), DropReason> {
        let input = self.config.input;
        if input.checksum != fields.checksum {
            return Err(DropReason::TunnelTransmitInfo);
        }
        if input.sequence {
            let Some(number) = fields.sequence else { return Err(DropReason::TunnelTransmitInfo) };
            if self.sequence_in != 0 && number.wrapping_sub(self.sequence_in) as i32 <= -1 {
                return Err(DropReason::TunnelTransmitInfo);
            }
            self.sequence_in = number.wrapping_add(1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tunnel(local: [u8; 4], remote: [u8; 4], key: Option<u32>) -> IpTunnel {
        let flags = GreFlags { key, ..GreFlags::default() };
        let config = Config {
            local: local.into(),
            remote: remote.into(),
            link: 0,
            ttl: 0,
            tos: 0,
            pmtudisc: true,
            ignore_df: false,
            input: flags,
            output: flags,
            protocol: 0,
            external: false,
        };
        IpTunnel::new(Variant::Gre, NsId::default(), config)
    }

    #[test]
    fn the_tunnel_that_says_most_fits_best() {
        let (here, there) = ([10, 0, 0, 1], [10, 0, 0, 2]);
        let arrived = Arrived { source: there.into(), destination: here.into(), iif: 3, key: None };
        let ranks = [
            tunnel(here, there, None),
            tunnel([0; 4], there, None),
            tunnel(here, [0; 4], None),
            tunnel([0; 4], [0; 4], None),
            tunnel(here, there, Some(7)),
            tunnel(there, here, None),
        ]
        .map(|tunnel| tunnel.rank(arrived));
        assert_eq!(ranks, [Some(1), Some(3), Some(5), Some(7), None, None]);
    }

    #[test]
    fn sequence_numbers_do_not_go_back() {
        let mut tunnel = tunnel([10, 0, 0, 1], [10, 0, 0, 2], None);
        tunnel.config.input.sequence = true;
        let with = |sequence| Gre { protocol: 0x800, key: None, sequence, checksum: false };
        assert_eq!(tunnel.receive(&with(Some(0))), Ok(()));
        assert_eq!(tunnel.receive(&with(Some(1))), Ok(()));
        assert!(tunnel.receive(&with(Some(1))).is_err());
        assert!(tunnel.receive(&with(None)).is_err());
        assert_eq!(tunnel.receive(&with(Some(9))), Ok(()));
    }
}
