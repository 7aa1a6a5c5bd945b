//! ip6tnl, ip6gre and ip6gretap: packets in IPv6 packets (RFC 2473, 2784, 7676; net/ipv6/ip6_tunnel.c, ip6_gre.c).
//!
//! Configuration: [`Config`]. Transmit: [`Ip6Tunnel::transmit`]. Receive: [`Ip6Tunnel::rank`] says how well a tunnel fits an
//! arriving packet, [`Ip6Tunnel::receive`] whether the packet passes. Not here: tunnels without a remote that take it
//! from the route, and other encapsulations around these.

use std::net::Ipv6Addr;

use crate::drop_reason::DropReason;
use crate::frame::{Frame, ethertype};
use crate::ip::protocol;
use crate::ip6::address::is_link_local;
use crate::netns::NsId;

use super::ip_tunnel::GreFlags;
use super::tunnel::{self, Gre, Inner, Outer, Shim, Six};
use super::{Verdict, Verdicts};

/// What a tunnel carries, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    Ip6Tnl,
    Ip6Gre,
    /// GRE with Ethernet frames inside.
    Ip6GreTap,
}

impl Variant {
    /// `IFLA_INFO_KIND`
    pub fn name(self) -> &'static str {
        match self {
            Variant::Ip6Tnl => "ip6tnl",
            Variant::Ip6Gre => "ip6gre",
            Variant::Ip6GreTap => "ip6gretap",
        }
    }

    pub fn is_gre(self) -> bool {
        matches!(self, Variant::Ip6Gre | Variant::Ip6GreTap)
    }
}

/// `IP6_TNL_F_*`: switches that a user has, and what follows from the tunnel's ends.
pub mod flag {
    pub const IGNORE_ENCAP_LIMIT: u32 = 0x1;
    pub const INNER_TRAFFIC_CLASS: u32 = 0x2;
    pub const INNER_FLOW_LABEL: u32 = 0x4;
    pub const COPY_DSCP: u32 = 0x10;
    pub const LOCAL_REMOTE: u32 = 0x40;
    pub const CAN_SEND: u32 = 0x10000;
    pub const CAN_RECEIVE: u32 = 0x20000;
    pub const PER_PACKET: u32 = 0x40000;
}

/// What a tunnel is told to be (`struct __ip6_tnl_parm`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub local: Ipv6Addr,
    pub remote: Ipv6Addr,
    /// The device below; 0: any.
    pub link: u32,
    /// 0: the carried packet's.
    pub hop_limit: u8,
    pub encap_limit: u8,
    /// Traffic class and flow label.
    pub flow_info: u32,
    /// Of [`flag`]
    pub flags: u32,
    /// ip6tnl: the only IP protocol carried; 0: any.
    pub protocol: u8,
    /// What GRE expects of what arrives, and puts on what it sends.
    pub input: GreFlags,
    pub output: GreFlags,
}

impl Config {
    /// `ip6_tnl_get_cap`: what can be done between these ends.
    pub fn abilities(&self) -> u32 {
        let (local, remote, link) = (self.local, self.remote, self.link);
        if local.is_unspecified() || remote.is_unspecified() {
            return flag::PER_PACKET;
        }
        let of_link = is_link_local(local) || is_link_local(remote);
        if local.is_loopback() || remote.is_loopback() || of_link && link == 0 {
            return 0;
        }
        let mut abilities = 0;
        abilities |= if local.is_multicast() { 0 } else { flag::CAN_SEND };
        abilities |= if remote.is_multicast() { 0 } else { flag::CAN_RECEIVE };
        abilities
    }

    pub fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }
}

/// A tunnel device.
#[derive(Clone, Debug)]
pub struct Ip6Tunnel {
    pub variant: Variant,
    pub underlay: NsId,
    pub config: Config,
    /// The next packet's sequence number, out and in.
    pub sequence_out: u32,
    pub sequence_in: u32,
}

/// What an arriving packet says to find its tunnel.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    pub source: Ipv6Addr,
    pub destination: Ipv6Addr,
    pub iif: u32,
    pub key: Option<u32>,
}

impl Ip6Tunnel {
    pub fn new(variant: Variant, underlay: NsId, config: Config) -> Ip6Tunnel {
        Ip6Tunnel { variant, underlay, config, sequence_out: 0, sequence_in: 0 }
    }

    /// Bytes of GRE.
    pub fn gre_len(&self) -> u32 {
        if self.variant.is_gre() { self.config.output.header_len() } else { 0 }
    }

    /// Bytes between the outer header and the packet: of GRE, and of the frame's link header in ip6gretap.
    pub fn headroom(&self) -> u32 {
        let link = if self.variant == Variant::Ip6GreTap { crate::frame::ETH_LEN as u32 } else { 0 };
        self.gre_len() + link
    }

    /// Bytes of the option that says how often the packet may be put into others.
    pub fn option_len(&self) -> u32 {
        if self.config.has(flag::IGNORE_ENCAP_LIMIT) { 0 } else { 8 }
    }

    /// `ip6_tnl_start_xmit`, `ip6gre_tunnel_xmit`
    pub fn transmit(&mut self, frame: &Frame, out: &mut Verdicts) {
        let refused = Verdict::Drop(DropReason::TunnelTransmitInfo);
        let kind = frame.ethertype();
        let config = &self.config;
        let is_ipv6 = kind == ethertype::IPV6;
        let frames = self.variant == Variant::Ip6GreTap;
        // `ip6_tnl_addr_conflict`
        let source = crate::ip6::Header::quoted(frame.payload()).filter(|_| is_ipv6);
        if source.is_some_and(|header| header.source == config.remote) {
            return out.push(refused);
        }
        let mut limit = (!config.has(flag::IGNORE_ENCAP_LIMIT)).then_some(config.encap_limit);
        if is_ipv6 && let Some((at, left)) = tunnel::encapsulation_limit(frame.payload()) {
            if left == 0 {
                return out.push(Verdict::TunnelLimit { pointer: at as u32 + 2 });
            }
            limit = Some(left - 1);
        }
        let inner = Inner::of(frame);
        let is_ip = is_ipv6 || kind == ethertype::IPV4;
        let tos = match config.has(flag::INNER_TRAFFIC_CLASS) && is_ip {
            true => inner.tos,
            false if config.has(flag::INNER_TRAFFIC_CLASS) => 0,
            false => (config.flow_info >> 20) as u8,
        };
        let label = match source {
            Some(header) if config.has(flag::INNER_FLOW_LABEL) => header.flow_label,
            _ if config.has(flag::INNER_FLOW_LABEL) => 0,
            _ => config.flow_info & 0x000f_ffff,
        };
        let (remote, local, oif) = (config.remote, config.local, config.link);
        let local_remote = config.has(flag::LOCAL_REMOTE);
        let ttl = if config.hop_limit == 0 { inner.ttl } else { config.hop_limit };
        // `__gre6_xmit` leaves the bits of congestion alone.
        let tos = if self.variant.is_gre() { tos } else { inner.outer_tos(tos) };
        let Some(shim) = self.shim(kind, frames) else { return out.push(refused) };
        out.push(Verdict::Encapsulate(Outer {
            underlay: self.underlay,
            local: local.into(),
            remote: remote.into(),
            oif,
            tos,
            ttl,
            ttl_is_final: false,
            dont_fragment: false,
            six: Six { label, labels_flow: true, encapsulation_limit: limit, local_remote },
            shim,
        }));
    }

    /// What goes between the headers; none for what the tunnel does not carry.
    fn shim(&mut self, kind: u16, frames: bool) -> Option<Shim> {
        if self.variant.is_gre() {
            let output = self.config.output;
            let sequence = output.sequence.then_some(self.sequence_out);
            self.sequence_out = self.sequence_out.wrapping_add(u32::from(output.sequence));
            let protocol = if frames { ethertype::TEB } else { kind };
            return Some(Shim::Gre(Gre { protocol, key: output.key, sequence, checksum: output.checksum }));
        }
        let carried = match kind {
            ethertype::IPV4 => protocol::IPIP,
            ethertype::IPV6 => protocol::IPV6,
            _ => return None,
        };
        self.carries(carried).then_some(Shim::Ip(carried))
    }

    /// Whether packets of an IP protocol are for the tunnel.
    pub fn carries(&self, protocol: u8) -> bool {
        self.config.protocol == 0 || self.config.protocol == protocol
    }

    /// `ip6_tnl_lookup`, `ip6gre_tunnel_lookup`: how well the tunnel fits, smaller is better; none where it does not.
    pub fn rank(&self, arrived: Arrived) -> Option<u32> {
        let Config { local, remote, link, input, .. } = &self.config;
        if self.variant.is_gre() && input.key != arrived.key {
            return None;
        }
        let (by_remote, by_local) = if self.variant.is_gre() { (1, 2) } else { (2, 1) };
        let addresses = match (remote.is_unspecified(), local.is_unspecified()) {
            (false, false) if *remote == arrived.source && *local == arrived.destination => 0,
            (false, true) if *remote == arrived.source => by_remote,
            (true, false) if *local == arrived.destination => by_local,
            (true, true) => 3,
            _ => return None,
        };
        Some(addresses * 2 + u32::from(*link != arrived.iif))
    }

    /// `__ip6_tnl_rcv`: whether a packet with these fields passes.
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
            if self.sequence_in != 0 && (number.wrapping_sub(self.sequence_in) as i32) < 0 {
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

    fn config(local: &str, remote: &str) -> Config {
        Config {
            local: local.parse().unwrap(),
            remote: remote.parse().unwrap(),
            link: 0,
            hop_limit: 64,
            encap_limit: 4,
            flow_info: 0,
            flags: 0,
            protocol: 0,
            input: GreFlags::default(),
            output: GreFlags::default(),
        }
    }

    #[test]
    fn the_ends_say_what_can_be_done() {
        let both = flag::CAN_SEND | flag::CAN_RECEIVE;
        for (local, remote, link, abilities) in [
            ("2001:db8::1", "2001:db8::2", 0, both),
            ("::", "2001:db8::2", 0, flag::PER_PACKET),
            ("fe80::1", "fe80::2", 0, 0),
            ("fe80::1", "fe80::2", 3, both),
            ("2001:db8::1", "ff02::5", 3, flag::CAN_SEND),
            ("::1", "2001:db8::2", 0, 0),
        ] {
            let config = Config { link, ..config(local, remote) };
            assert_eq!(config.abilities(), abilities, "{local} {remote}");
        }
    }

    #[test]
    fn the_tunnel_that_says_most_fits_best() {
        let (here, there) = ("2001:db8::1", "2001:db8::2");
        let arrived =
            Arrived { source: there.parse().unwrap(), destination: here.parse().unwrap(), iif: 3, key: None };
        let ranks = [(here, there), (here, "::"), ("::", there), ("::", "::"), (there, here)].map(
            |(local, remote)| {
                let tunnel = |variant| Ip6Tunnel::new(variant, NsId::default(), config(local, remote));
                (tunnel(Variant::Ip6Tnl).rank(arrived), tunnel(Variant::Ip6Gre).rank(arrived))
            },
        );
        let some = |a, b| (Some(a), Some(b));
        assert_eq!(ranks, [some(1, 1), some(3, 5), some(5, 3), some(7, 7), (None, None)]);
    }
}
