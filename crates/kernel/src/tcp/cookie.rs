//! SYN cookies: connections that are answered without being remembered (net/ipv4/syncookies.c, RFC 4987 §3.6).
//!
//! The number of the answer is a hash of the connection's ends, the peer's number, the minute and the segment size; what
//! else was agreed on is in the time stamp. An acknowledgement of it brings everything back.

use std::net::IpAddr;

use super::connection::Connection;
use super::segment::{Flags, Segment};
use super::seq::Seq;
use super::{Arrival, Endpoint};
use crate::netns::NsId;
use crate::sock::SockId;
use crate::sock::tcp::Role;
use crate::tcp::connection::State;
use crate::time::Time;
use crate::world::World;

/// `msstab`
const SIZES: [u16; 4] = [536, 1300, 1440, 1460];
/// `MAX_SYNCOOKIE_AGE`, in minutes
const AGE_MAX: u64 = 2;
const NS_PER_MINUTE: u64 = 60_000_000_000;
/// Bits of a time stamp that tell what was agreed on: the window scale, and SACK (`TSBITS`).
const STAMP_BITS: u32 = 6;
const STAMP_SACK: u32 = 1 << 4;
const STAMP_SCALE: u32 = 0xf;

/// A hash that only this namespace can tell.
fn hash(secret: u64, ends: (Endpoint, Endpoint), peer: Seq, minute: u64) -> u32 {
    let ((local, local_port), (remote, remote_port)) = ends;
    let words = [
        bits(local),
        bits(remote),
        u64::from(local_port) << 48 | u64::from(remote_port) << 32 | u64::from(peer.0),
        minute,
    ];
    let mut state = secret;
    for word in words {
        state = (state ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        state ^= state >> 29;
    }
    (state >> 16) as u32
}

/// An address as one number: of IPv6 what is left of two.
fn bits(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            (bits >> 64) as u64 ^ (bits as u64).rotate_left(17)
        }
    }
}

fn minute(now: Time) -> u64 {
    now.nanos() / NS_PER_MINUTE
}

impl World {
    /// `tcp_conn_request`: whether a SYN is answered with a cookie, or not at all (none).
    pub(super) fn wants_cookie(&self, ns: NsId, listener: SockId, port: u16) -> Option<bool> {
        let netns = self.netns.get(ns)?;
        let Role::Listening(state) = &self.tcp_of(listener)?.role else { return None };
        let is_young = |id: &&SockId| {
            self.tcp_of(**id).is_some_and(|tcp| {
                tcp.listener == Some(listener)
                    && matches!(&tcp.role, Role::Connection(c) if c.state == State::SynReceived)
            })
        };
        // `inet_csk_reqsk_queue_is_full`
        let young = netns.tcp.bound.get(&port).map_or(0, |ids| ids.iter().filter(is_young).count());
        let is_full = young as u64 > u64::from(state.backlog);
        match netns.sysctl.tcp_syncookies {
            2 => Some(true),
            1 if is_full => Some(true),
            0 if is_full => None,
            _ => Some(false),
        }
    }

    /// `cookie_v4_init_sequence`
    pub(super) fn cookie_for(&mut self, ns: NsId, ends: (Endpoint, Endpoint), syn: &Segment) -> Seq {
        let secret = self.cookie_secret(ns);
        let size = syn.mss.unwrap_or(536);
        let index = SIZES.iter().rposition(|known| *known <= size).unwrap_or(0) as u32;
        Seq(hash(secret, ends, syn.seq, minute(self.now)) & !3 | index)
    }

    fn cookie_secret(&mut self, ns: NsId) -> u64 {
        let known = self.netns.get(ns).map_or(0, |netns| netns.tcp.cookie_secret);
        if known != 0 {
            return known;
        }
        let secret = self.random_below(u64::MAX - 1) + 1;
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.tcp.cookie_secret = secret;
        }
        secret
    }

    /// `cookie_v4_check`: the connection that an acknowledgement of a cookie stands for.
    pub(super) fn cookie_check(
        &mut self,
        ns: NsId,
        listener: SockId,
        segment: &Segment,
        at: &Arrival,
    ) -> Option<SockId> {
        if self.netns.get(ns)?.sysctl.tcp_syncookies == 0 || segment.flags.has(Flags::SYN) {
            return None;
        }
        let secret = self.cookie_secret(ns);
        let (cookie, peer) = (segment.ack + u32::MAX, segment.seq + u32::MAX);
        let now = minute(self.now);
        let fits =
            |age: u64| age <= now && hash(secret, (at.to, at.from), peer, now - age) & !3 == cookie.0 & !3;
        if !(0..=AGE_MAX).any(fits) {
            return None;
        }
        let tcp = self.tcp_of(listener)?;
        if matches!(&tcp.role, Role::Listening(state) if state.is_full()) {
            return None;
        }
        let mut child = tcp.for_connection(listener, at);
        // What the SYN had said.
        let told = segment.timestamps.map(|(_, echo)| echo & ((1 << STAMP_BITS) - 1));
        let scale = told.map(|told| told & STAMP_SCALE).filter(|scale| *scale != STAMP_SCALE);
        let syn = Segment {
            source: segment.source,
            destination: segment.destination,
            seq: peer,
            flags: Flags::SYN,
            window: segment.window,
            mss: SIZES.get((cookie.0 & 3) as usize).copied(),
            window_scale: scale.map(|scale| scale as u8),
            sack_permitted: told.is_some_and(|told| told & STAMP_SACK != 0),
            timestamps: segment.timestamps.map(|(stamp, _)| (stamp, 0)),
            ..Segment::default()
        };
        let way = self.tcp_route(ns, &child.ends, at.to.0, at.from).ok()?;
        let mut connection = Connection::accept(self.tcp_settings(ns), cookie, way.mss(), &syn, self.now);
        connection.cookie_was_sent(segment.timestamps.map(|(_, echo)| echo), self.now);
        child.next_ip_id = self.random_below(1 << 16) as u16;
        child.role = Role::Connection(Box::new(connection));
        self.add_tcp_child(ns, child, at)
    }
}

/// The time stamp of an answer with a cookie (`cookie_init_timestamp`): the lowest bits tell what was agreed on.
pub(super) fn stamp(stamp: u32, syn: &Segment) -> u32 {
    let mut bits = syn.window_scale.map_or(STAMP_SCALE, u32::from);
    if syn.sack_permitted {
        bits |= STAMP_SACK;
    }
    let mask = (1 << STAMP_BITS) - 1;
    let mixed = stamp & !mask | bits;
    if mixed > stamp { mixed.wrapping_sub(1 << STAMP_BITS) } else { mixed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_never_runs_ahead() {
        let syn = Segment { window_scale: Some(7), sack_permitted: true, ..Segment::default() };
        for at in [1000, 1023, 1024, 1047, 4096] {
            let stamped = stamp(at, &syn);
            assert!(stamped <= at && stamped & 0x3f == 0x17, "{at} {stamped}");
        }
    }
}
