//! UDP sockets (net/ipv4/udp.c).

use std::net::Ipv4Addr;

use super::Inet;
use super::came_in::CameIn;

/// A UDP socket.
#[derive(Clone, Debug, Default)]
pub struct Udp {
    pub inet: Inet,
    /// Local port; 0 while unbound.
    pub port: u16,
}

impl Udp {
    /// `compute_score`: how well the socket fits a datagram; none if not at all.
    pub fn score(&self, source: (Ipv4Addr, u16), destination: (Ipv4Addr, u16), came: CameIn) -> Option<u32> {
        if self.port != destination.1 {
            return None;
        }
        let mut score = 1;
        if !self.inet.source.is_unspecified() {
            if self.inet.source != destination.0 {
                return None;
            }
            score += 4;
        }
        if let Some(remote) = self.inet.remote {
            if remote != source {
                return None;
            }
            score += 8;
        }
        if !came.fits(self.inet.device) {
            return None;
        }
        if self.inet.device != 0 {
            score += 4;
        }
        Some(score)
    }
}
