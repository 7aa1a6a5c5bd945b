//! What a packet's protocol says of it, as a packet of its connection (`nf_conntrack_handle_packet`).

use std::net::IpAddr;
use std::time::Duration;

use hairpin_netlink::netfilter::Family;
use hairpin_netlink::netfilter::conntrack::status;

use super::segment::Segment;
use super::settings::Settings;
use super::tcp::{Known, Seen};
use super::{Conntrack, Track};
use crate::ip::{checksum, fold, sum};
use crate::netfilter::packet::{Ip, protocol};
use crate::time::Time;

/// A packet that is looked at.
pub(super) struct Arrival<'a> {
    pub ip: &'a Ip,
    pub payload: &'a [u8],
    /// Where it is TCP.
    pub segment: Option<Segment<'a>>,
    /// Its checksum counts.
    pub checked: bool,
}

/// What the protocol says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handled {
    /// It may have changed the connection.
    Valid {
        changed: bool,
    },
    Invalid,
    /// The connection is over, and the packet begins another.
    Again,
}

impl Conntrack {
    /// `nf_conntrack_handle_packet`: the protocol's own view.
    pub(super) fn handle(
        &mut self,
        track: Track,
        arrival: &Arrival,
        settings: &Settings,
        now: Time,
    ) -> Handled {
        let Arrival { ip, payload, ref segment, checked } = *arrival;
        let Some(connection) = self.connections.get_mut(track.id) else { return Handled::Invalid };
        let (before, state) = (connection.status, connection.tcp.state);
        let seconds = match ip.protocol {
            protocol::ICMP => settings.icmp,
            protocol::ICMPV6 => settings.icmpv6,
            protocol::UDP => {
                if !valid_udp(ip, payload, checked) {
                    return Handled::Invalid;
                }
                // `nf_conntrack_udp_packet`
                let answered = before & status::SEEN_REPLY != 0;
                let stream = answered && now > connection.stream_at;
                if stream {
                    connection.status |= status::ASSURED;
                }
                if stream || before & status::ASSURED != 0 { settings.udp_stream } else { settings.udp }
            }
            protocol::TCP => {
                let Some(segment) = segment else { return Handled::Invalid };
                if checked && !valid_checksum(ip, payload) {
                    return Handled::Invalid;
                }
                let known = Known {
                    answered: before & status::SEEN_REPLY != 0,
                    assured: before & status::ASSURED != 0,
                    lasts: connection.expires.since(now),
                };
                match connection.tcp.see(track.direction(), segment, &known, settings) {
                    Seen::Valid { timeout_s, assured } => {
                        if assured {
                            connection.status |= status::ASSURED;
                        }
                        timeout_s
                    }
                    Seen::Ignored => return Handled::Valid { changed: false },
                    Seen::Invalid => return Handled::Invalid,
                    Seen::Doubted { timeout_s } => {
                        connection.expires = now + Duration::from_secs(u64::from(timeout_s));
                        return Handled::Invalid;
                    }
                    Seen::Reopen => return Handled::Again,
                    Seen::Kill => {
                        connection.count(track.direction(), ip.total_len);
                        self.kill(track.id, now);
                        return Handled::Valid { changed: false };
                    }
                }
            }
            _ => settings.generic,
        };
        connection.count(track.direction(), ip.total_len);
        let lasts = Duration::from_secs(u64::from(seconds));
        let confirmed = connection.has(status::CONFIRMED);
        connection.expires = if confirmed { now + lasts } else { Time::ZERO + lasts };
        let changed = connection.status != before || connection.tcp.state != state;
        Handled::Valid { changed: confirmed && changed }
    }
}

/// `udp_error`
fn valid_udp(ip: &Ip, payload: &[u8], checked: bool) -> bool {
    let Some(head) = payload.first_chunk::<8>() else { return false };
    let len = usize::from(u16::from_be_bytes([head[4], head[5]]));
    if len > payload.len() || len < 8 {
        return false;
    }
    // RFC 768: a checksum of zero was not computed.
    let none = head[6..8] == [0, 0] && ip.family == Family::Ipv4;
    none || !checked || valid_checksum(ip, payload.get(..len).unwrap_or(&[]))
}

/// The checksum of UDP, TCP or ICMPv6, with the pseudo header (RFC 793 §3.1, RFC 8200 §8.1).
fn valid_checksum(ip: &Ip, payload: &[u8]) -> bool {
    if ip.fragment {
        return true;
    }
    fold(pseudo_sum(ip, payload.len()) + sum(payload)) == 0xffff
}

/// The pseudo header's sum of 32-bit words.
pub(crate) fn pseudo_sum(ip: &Ip, len: usize) -> u64 {
    let addresses = match (ip.source, ip.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => sum(&source.octets()) + sum(&destination.octets()),
        (IpAddr::V6(source), IpAddr::V6(destination)) => sum(&source.octets()) + sum(&destination.octets()),
        _ => 0,
    };
    // Words of 32 bits: length and protocol stand in the low halves of theirs.
    addresses + u64::from(ip.protocol) + len as u64
}

/// ICMP's own checksum.
pub(super) fn valid_icmp(ip: &Ip, payload: &[u8]) -> bool {
    match ip.family {
        Family::Ipv4 => ip.fragment || checksum(payload) == 0,
        Family::Ipv6 => valid_checksum(ip, payload),
    }
}
