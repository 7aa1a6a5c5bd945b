//! TCP (RFC 9293; net/ipv4/tcp*.c).
//!
//! * [`seq`], [`segment`] numbers and bytes
//! * [`receive`], [`send`] the two halves of a connection; [`connection`] its states
//! * [`counts`] what a connection counts, and tells of itself
//! * `cookie` connections that are answered without being remembered
//! * [`input`], [`output`] between connections and the world: segments in and out, timers, resets; [`way`] over which
//!   of the two protocols below
//!
//! Deliberate gaps: no ECN, no urgent data, no fast open; congestion avoidance is NewReno's with
//! CUBIC's reduction. A segment is never longer than the MSS: captures of bulk transfers show them as they are on a
//! wire, not as a device with segmentation offload shows them.

pub mod connection;
mod cookie;
pub mod counts;
mod input;
mod output;
pub mod receive;
pub mod segment;
pub mod send;
pub mod seq;
mod way;

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::sock::SockId;
use crate::sock::came_in::CameIn;

/// An end of a connection. An IPv4 address is never written as an IPv6 one here (`::ffff:…`), whatever the socket's family.
pub type Endpoint = (IpAddr, u16);

/// What finds a connection: its local and its remote end, and the VRF that it is in by interface index, 0 for none.
pub type ConnectionKey = (Endpoint, Endpoint, u32);

/// Whose segment has come, to whom, and on which device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub from: Endpoint,
    pub to: Endpoint,
    pub came: CameIn,
}

/// A namespace's TCP sockets by what finds them.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub connections: FxHashMap<ConnectionKey, SockId>,
    /// Every socket with a local port, listeners and connections, by that port.
    pub bound: FxHashMap<u16, Vec<SockId>>,
    /// What SYN cookies are made with; 0 until the first.
    pub cookie_secret: u64,
}

impl Table {
    /// The connection between these ends, first in the VRF (0: none) that something of it came in in.
    pub fn find(&self, local: Endpoint, remote: Endpoint, vrf: u32) -> Option<SockId> {
        let within = if vrf == 0 { None } else { self.connections.get(&(local, remote, vrf)) };
        within.or_else(|| self.connections.get(&(local, remote, 0))).copied()
    }

    /// Every socket, in the order of their ports.
    pub fn sockets(&self) -> Vec<SockId> {
        let mut ports: Vec<u16> = self.bound.keys().copied().collect();
        ports.sort_unstable();
        ports.iter().filter_map(|port| self.bound.get(port)).flatten().copied().collect()
    }

    pub(crate) fn bind(&mut self, port: u16, id: SockId) {
        self.bound.entry(port).or_default().push(id);
    }

    pub(crate) fn unbind(&mut self, port: u16, id: SockId) {
        if let Some(list) = self.bound.get_mut(&port) {
            list.retain(|known| *known != id);
            if list.is_empty() {
                self.bound.remove(&port);
            }
        }
    }
}
