//! Raw IPv4 sockets (net/ipv4/raw.c).

use std::net::Ipv4Addr;

use super::Inet;

/// A raw socket.
#[derive(Clone, Debug)]
pub struct Raw {
    pub protocol: u8,
    pub inet: Inet,
    /// `ICMP_FILTER`: bit `t` set discards type `t`.
    pub icmp_filter: u32,
    pub header_included: bool,
}

/// `IPPROTO_RAW`: sends only, with the header included.
pub const IPPROTO_RAW: u8 = 255;

impl Raw {
    pub fn new(protocol: u8) -> Self {
        Raw { protocol, inet: Inet::default(), icmp_filter: 0, header_included: protocol == IPPROTO_RAW }
    }

    /// `raw_v4_match`: whether a packet on device `iif` (port `vrf_port` of it, if that is a VRF) is for this socket.
    pub fn matches(
        &self,
        protocol: u8,
        source: Ipv4Addr,
        destination: Ipv4Addr,
        iif: u32,
        vrf_port: u32,
    ) -> bool {
        self.protocol == protocol
            && self.inet.remote.is_none_or(|(remote, _)| remote == source)
            && (self.inet.received_by.is_unspecified() || self.inet.received_by == destination)
            && (self.inet.device == 0 || self.inet.device == iif || self.inet.device == vrf_port)
    }

    /// `icmp_filter`: whether an ICMP type is discarded.
    pub fn filters_icmp(&self, kind: u8) -> bool {
        kind < 32 && self.icmp_filter >> kind & 1 != 0
    }
}
