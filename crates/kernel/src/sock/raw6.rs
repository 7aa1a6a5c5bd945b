//! Raw IPv6 sockets (net/ipv6/raw.c).

use std::net::Ipv6Addr;

use crate::ip6::next;

use super::inet6::Inet6;

/// A raw socket. What it receives starts behind the IPv6 headers.
#[derive(Clone, Debug)]
pub struct Raw6 {
    pub protocol: u8,
    pub inet: Inet6,
    /// `ICMP6_FILTER`: bit `t` set discards type `t`.
    pub icmp_filter: [u32; 8],
}

impl Raw6 {
    pub fn new(protocol: u8) -> Self {
        Raw6 { protocol, inet: Inet6::default(), icmp_filter: [0; 8] }
    }

    /// Whether the kernel writes the checksum, as it does of ICMPv6 (RFC 3542 §3.1).
    pub fn sums(&self) -> bool {
        self.protocol == next::ICMP
    }

    /// `raw_v6_match`: whether a packet on device `iif` (port `vrf_port` of it, if that is a VRF) is for this socket.
    pub fn matches(
        &self,
        protocol: u8,
        source: Ipv6Addr,
        destination: Ipv6Addr,
        (iif, vrf_port): (u32, u32),
    ) -> bool {
        let inet = &self.inet;
        self.protocol == protocol
            && inet.remote.is_none_or(|(remote, _)| remote == source)
            && (inet.device == 0 || inet.device == iif || inet.device == vrf_port)
            && (inet.received_by.is_unspecified()
                || inet.received_by == destination
                || destination.is_multicast() && inet.groups.iter().any(|(group, _)| *group == destination))
    }

    /// `icmpv6_filter`: whether a type is discarded.
    pub fn filters_icmp(&self, kind: u8) -> bool {
        self.icmp_filter[usize::from(kind >> 5)] >> (kind & 31) & 1 != 0
    }
}
