//! ICMP messages: which are errors about a tracked connection (nf_conntrack_proto_icmp.c and icmpv6.c).

use hairpin_netlink::netfilter::Family;

use super::handle::valid_icmp;
use super::tuple::Tuple;
use super::{Conntrack, Info, REPLY, Track, tuple};
use crate::netfilter::packet::Ip;
use crate::time::Time;

/// The highest ICMP type that Linux knows (`NR_ICMP_TYPES`).
const TYPE_MAX: u8 = 18;

/// What an ICMP message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Icmp {
    /// A message of its own, a connection by its id.
    Message,
    /// An error about a packet of this connection.
    Related(Track),
    /// Neighbour discovery and the like, which belong to no connection.
    Untracked,
    Invalid,
}

impl Conntrack {
    /// `nf_conntrack_icmpv4_error`, `nf_conntrack_icmpv6_error`
    pub(super) fn receive_icmp(
        &mut self,
        ip: &Ip,
        message: &[u8],
        zones: [u16; 2],
        checked: bool,
        now: Time,
    ) -> Icmp {
        let Some((head, quoted)) = message.split_at_checked(8) else { return Icmp::Invalid };
        if checked && !valid_icmp(ip, message) {
            return Icmp::Invalid;
        }
        let kind = head[0];
        let is_error = match ip.family {
            Family::Ipv4 if kind > TYPE_MAX => return Icmp::Invalid,
            Family::Ipv4 => matches!(kind, 3 | 4 | 5 | 11 | 12),
            // Multicast listener discovery (130 to 132, 143), router and neighbour discovery (133 to 137).
            Family::Ipv6 if matches!(kind, 130..=137 | 143) => return Icmp::Untracked,
            Family::Ipv6 => kind < 128,
        };
        if !is_error {
            return Icmp::Message;
        }
        self.related(ip, quoted, zones, now).map_or(Icmp::Invalid, Icmp::Related)
    }

    /// `nf_conntrack_inet_error`: the connection of the packet that an error quotes.
    fn related(&mut self, ip: &Ip, quoted: &[u8], zones: [u16; 2], now: Time) -> Option<Track> {
        let inner = Ip::read(quoted).filter(|inner| inner.family == ip.family)?;
        let behind = quoted.get(inner.header_len..).filter(|_| inner.offset == 0)?;
        let about = tuple::of_packet(&inner, behind)?;
        // The quoted packet went the other way: it is the inverse that the connection is known by.
        let sought = Tuple { zones, ..tuple::inverse(&about)? };
        let (id, direction) = self.find(&sought, now)?;
        let connection = self.connections.get(id)?;
        // The error must be for the station that has sent the packet.
        if connection.tuple(direction).destination != ip.destination {
            return None;
        }
        let info = if direction == REPLY { Info::RelatedReply } else { Info::Related };
        Some(Track { id, info, zones })
    }
}
