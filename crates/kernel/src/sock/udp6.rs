//! UDP sockets over IPv6 (net/ipv6/udp.c). They take no IPv4 datagrams (`IPV6_V6ONLY`).

use std::net::Ipv6Addr;

use super::inet6::Inet6;

/// A UDP socket.
#[derive(Clone, Debug, Default)]
pub struct Udp6 {
    pub inet: Inet6,
    /// Local port; 0 while unbound.
    pub port: u16,
}

impl Udp6 {
    /// `compute_score`: how well the socket fits a datagram; none if not at all.
    pub fn score(&self, source: (Ipv6Addr, u16), destination: (Ipv6Addr, u16), iif: u32) -> Option<u32> {
        if self.port != destination.1 {
            return None;
        }
        let mut score = 1;
        if !self.inet.source.is_unspecified() {
            if self.inet.source != destination.0 {
                return None;
            }
            score += 1;
        }
        if let Some(remote) = self.inet.remote {
            if remote != source {
                return None;
            }
            score += 2;
        }
        if self.inet.device != 0 {
            if self.inet.device != iif {
                return None;
            }
            score += 1;
        }
        Some(score)
    }
}
