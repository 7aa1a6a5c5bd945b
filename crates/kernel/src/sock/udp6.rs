//! UDP sockets over IPv6 (net/ipv6/udp.c). Only those that ask for it take IPv4 datagrams, as `::ffff:…`.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::came_in::CameIn;
use super::inet6::Inet6;

/// A UDP socket.
#[derive(Clone, Debug, Default)]
pub struct Udp6 {
    pub inet: Inet6,
    /// Local port; 0 while unbound.
    pub port: u16,
    /// Takes IPv4 too (`IPV6_V6ONLY` is off).
    pub dual: bool,
}

impl Udp6 {
    /// Whether IPv4 datagrams to `address` may be for it.
    pub fn takes_ipv4(&self, address: Ipv4Addr) -> bool {
        let source = self.inet.source;
        self.dual && (source.is_unspecified() || source == address.to_ipv6_mapped())
    }

    /// `compute_score`: how well the socket fits a datagram; none if not at all.
    pub fn score(&self, source: (Ipv6Addr, u16), destination: (Ipv6Addr, u16), came: CameIn) -> Option<u32> {
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
        if !came.fits(self.inet.device) {
            return None;
        }
        if self.inet.device != 0 {
            score += 1;
        }
        Some(score)
    }
}
