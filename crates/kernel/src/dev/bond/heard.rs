//! What a bond that asks by ARP or neighbour discovery hears (`bond_arp_rcv`, `bond_na_rcv`).

use std::net::{IpAddr, Ipv6Addr};

use crate::frame::{Frame, ethertype};
use crate::ip6::icmp::kind;
use crate::ip6::{HEADER_LEN, next};
use crate::neigh::arp::{Arp, REPLY};

/// What ARP or neighbour discovery says of who lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Who has sent it, by ARP or by the header of IPv6.
    pub sender: IpAddr,
    /// Whom it asks for, by ARP; whom it was sent to, by the header of IPv6.
    pub target: IpAddr,
    /// What ARP asks is none; of neighbour discovery all counts.
    pub answers: bool,
}

impl Heard {
    /// Of a frame that is neither: none.
    pub fn of(frame: &Frame) -> Option<Heard> {
        let packet = frame.payload();
        if frame.ethertype() == ethertype::ARP {
            let arp = Arp::parse(packet)?;
            let answers = arp.operation == REPLY;
            return Some(Heard { sender: arp.sender.into(), target: arp.target.into(), answers });
        }
        // `bond_na_rcv`
        const NEXT_HEADER_AT: usize = 6;
        let is_discovery = frame.ethertype() == ethertype::IPV6
            && packet.get(NEXT_HEADER_AT) == Some(&next::ICMP)
            && matches!(
                packet.get(HEADER_LEN),
                Some(&(kind::NEIGHBOUR_SOLICITATION | kind::NEIGHBOUR_ADVERTISEMENT))
            );
        let address = |at: usize| packet.get(at..)?.first_chunk::<16>().map(|octets| Ipv6Addr::from(*octets));
        let (sender, target) = (address(8)?, address(24)?);
        is_discovery.then_some(Heard { sender: sender.into(), target: target.into(), answers: true })
    }
}
