//! Sockets: what programs hold, and what the stack delivers to them.
//!
//! * [`came_in`] on which device something came in
//! * [`packet`] `AF_PACKET`
//! * [`raw`] raw IPv4
//! * [`udp`] UDP
//! * [`raw6`], [`udp6`] the same over IPv6, with [`inet6`] their common options
//! * [`tcp`] TCP
//! * [`can`] raw CAN
//! * [`dns`] DNS servers that are part of the world
//! * [`tap`] queues of macvtap and ipvtap devices

mod calls;
mod calls6;
pub mod came_in;
pub mod can;
pub(crate) mod diag;
pub mod dns;
pub mod inet6;
pub mod packet;
pub mod raw;
pub mod raw6;
mod send;
pub mod tap;
pub mod tcp;
pub mod udp;
pub mod udp6;

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use hairpin_netlink::{Address, Errno, PacketType, PathMtuDiscovery, Received, SocketStatistics};
use slotmap::new_key_type;

use crate::device::{DevId, has_link_header};
use crate::frame::{ETH_LEN, Frame};
use crate::netns::NsId;
use crate::time::Time;

new_key_type! {
    /// A socket.
    pub struct SockId;
}

/// Bytes a socket may queue unless told otherwise (`net.core.rmem_default`).
const RECEIVE_BUFFER: usize = 212_992;
/// Bytes a packet socket may queue: a capture misses nothing in a world of usual size.
const CAPTURE_BUFFER: usize = 64 << 20;

/// Something received and not yet taken.
#[derive(Clone, Debug)]
pub enum Item {
    /// For packet sockets: the frame as a tap saw it.
    Frame { frame: Frame, ifindex: u32, packet_type: PacketType, hardware: u16, time: Time },
    /// For raw and UDP sockets: a packet, whose data starts `offset` bytes into the frame.
    Packet {
        frame: Frame,
        offset: usize,
        from: Address,
        to: Address,
        ttl: u8,
        tos: u8,
        ifindex: u32,
        time: Time,
    },
    /// Ready for the program: errors, notifications.
    Other(Box<Received>),
}

impl Item {
    fn size(&self) -> usize {
        match self {
            Item::Frame { frame, .. } | Item::Packet { frame, .. } => frame.len() + 256,
            Item::Other(_) => 512,
        }
    }
}

/// What kind of socket, with its own state.
#[derive(Clone, Debug)]
pub enum Kind {
    Packet(packet::Packet),
    Raw(raw::Raw),
    Udp(udp::Udp),
    Raw6(raw6::Raw6),
    Udp6(udp6::Udp6),
    Tcp(Box<tcp::Tcp>),
    Tap(tap::Tap),
    Can(can::Can),
    /// Netlink notifications; bit `g - 1` is group `g`.
    RouteEvents {
        groups: u64,
    },
    /// Changes of tracked connections.
    ConntrackEvents,
}

/// Options of IPv4 sockets (`struct inet_sock`).
#[derive(Clone, Debug)]
pub struct Inet {
    /// Bound source address; unspecified where not bound.
    pub source: Ipv4Addr,
    /// Destination of what a raw socket receives (`inet_rcv_saddr`); unspecified: any.
    pub received_by: Ipv4Addr,
    /// `SO_BINDTODEVICE`, by interface index; 0 for none.
    pub device: u32,
    pub remote: Option<(Ipv4Addr, u16)>,
    pub broadcast: bool,
    pub mark: u32,
    pub dont_route: bool,
    /// None: the namespace's default.
    pub ttl: Option<u8>,
    pub multicast_ttl: u8,
    pub multicast_loop: bool,
    pub multicast_interface: u32,
    pub tos: u8,
    pub pmtu: PathMtuDiscovery,
    pub receive_errors: bool,
    pub groups: Vec<(Ipv4Addr, u32)>,
    pub options: Vec<u8>,
}

impl Default for Inet {
    fn default() -> Self {
        Inet {
            source: Ipv4Addr::UNSPECIFIED,
            received_by: Ipv4Addr::UNSPECIFIED,
            device: 0,
            remote: None,
            broadcast: false,
            mark: 0,
            dont_route: false,
            ttl: None,
            multicast_ttl: 1,
            multicast_loop: true,
            multicast_interface: 0,
            tos: 0,
            pmtu: PathMtuDiscovery::Want,
            receive_errors: false,
            groups: Vec::new(),
            options: Vec::new(),
        }
    }
}

/// A socket.
#[derive(Clone, Debug)]
pub struct Socket {
    pub ns: NsId,
    pub kind: Kind,
    queue: VecDeque<Item>,
    queued: usize,
    limit: usize,
    pub statistics: SocketStatistics,
}

impl Socket {
    pub fn new(ns: NsId, kind: Kind) -> Self {
        let limit = match kind {
            Kind::Packet(_) | Kind::Tap(_) | Kind::RouteEvents { .. } | Kind::ConntrackEvents => {
                CAPTURE_BUFFER
            }
            _ => RECEIVE_BUFFER,
        };
        Socket { ns, kind, queue: VecDeque::new(), queued: 0, limit, statistics: SocketStatistics::default() }
    }

    pub fn set_limit(&mut self, bytes: usize) {
        self.limit = bytes.max(2304);
    }

    /// Queues an item; false if there is no room.
    pub fn push(&mut self, item: Item) -> bool {
        self.offer(item).is_ok()
    }

    /// Queues an item.
    ///
    /// # Errors
    /// There is no room for it.
    #[inline]
    pub fn offer(&mut self, item: Item) -> Result<(), Item> {
        let size = item.size();
        self.statistics.received += 1;
        if self.queued + size > self.limit {
            self.statistics.dropped += 1;
            return Err(item);
        }
        self.queued += size;
        self.queue.push_back(item);
        Ok(())
    }

    /// Whether a tap's queue takes another frame; other sockets count bytes.
    pub fn has_room(&self) -> bool {
        match &self.kind {
            Kind::Tap(tap) => self.queue.len() < tap.capacity,
            _ => self.queued < self.limit,
        }
    }

    pub fn pop(&mut self) -> Option<Item> {
        let item = self.queue.pop_front()?;
        self.queued -= item.size();
        Some(item)
    }

    /// Takes what an ICMP error has told a connected socket, which its next call fails with (`sock_error`); not where the
    /// program reads a queue of errors.
    pub fn take_error(&mut self) -> Option<Errno> {
        let (reads_errors, is_connected) = match (self.inet(), self.inet6()) {
            (Some(inet), _) => (inet.receive_errors, inet.remote.is_some()),
            (None, Some(inet)) => (inet.receive_errors, inet.remote.is_some()),
            (None, None) => return None,
        };
        if reads_errors || !is_connected || self.queue.is_empty() {
            return None;
        }
        let is_error =
            |item: &Item| matches!(item, Item::Other(other) if matches!(**other, Received::Error { .. }));
        let at = self.queue.iter().position(is_error)?;
        let item = self.queue.remove(at)?;
        self.queued -= item.size();
        match item {
            Item::Other(other) => match *other {
                Received::Error { errno, .. } => Some(errno),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether something can be sent without waiting.
    pub fn is_writable(&self) -> bool {
        match &self.kind {
            Kind::Tcp(tcp) => tcp.is_writable(),
            _ => true,
        }
    }

    /// Whether there is something to receive.
    pub fn is_ready(&self) -> bool {
        match &self.kind {
            Kind::Tcp(tcp) => tcp.is_readable(),
            Kind::Packet(packet) => !self.queue.is_empty() || packet.is_orphan,
            Kind::Can(can) => can.has_error() || !self.queue.is_empty(),
            _ => !self.queue.is_empty(),
        }
    }

    /// The IPv4 side of raw and UDP sockets.
    pub fn inet(&self) -> Option<&Inet> {
        match &self.kind {
            Kind::Raw(raw) => Some(&raw.inet),
            Kind::Udp(udp) => Some(&udp.inet),
            _ => None,
        }
    }

    /// The IPv6 side of raw and UDP sockets.
    pub fn inet6(&self) -> Option<&inet6::Inet6> {
        match &self.kind {
            Kind::Raw6(raw) => Some(&raw.inet),
            Kind::Udp6(udp) => Some(&udp.inet),
            _ => None,
        }
    }

    pub fn inet6_mut(&mut self) -> Option<&mut inet6::Inet6> {
        match &mut self.kind {
            Kind::Raw6(raw) => Some(&mut raw.inet),
            Kind::Udp6(udp) => Some(&mut udp.inet),
            _ => None,
        }
    }

    pub fn inet_mut(&mut self) -> Option<&mut Inet> {
        match &mut self.kind {
            Kind::Raw(raw) => Some(&mut raw.inet),
            Kind::Udp(udp) => Some(&mut udp.inet),
            _ => None,
        }
    }
}

/// What a program gets of a queued item. `epoch_ns` is the wall clock at the world's start.
pub fn received(item: &Item, epoch_ns: u64) -> Received {
    match item {
        Item::Frame { frame, ifindex, packet_type, hardware, time } => Received::Frame {
            data: match has_link_header(*hardware) {
                true => frame.to_vec(),
                false => frame.payload().to_vec(),
            },
            ifindex: *ifindex,
            protocol: frame.ethertype(),
            packet_type: *packet_type,
            hardware: *hardware,
            mac: frame.source().0,
            realtime_ns: epoch_ns + time.nanos(),
        },
        Item::Packet { frame, offset, from, to, ttl, tos, ifindex, time } => Received::Datagram {
            data: frame.bytes().get(*offset..).unwrap_or(&[]).to_vec(),
            from: *from,
            to: *to,
            ttl: *ttl,
            tos: *tos,
            ifindex: *ifindex,
            realtime_ns: epoch_ns + time.nanos(),
        },
        Item::Other(received) => (**received).clone(),
    }
}

/// As [`received`], for a cooked packet socket: without the link header.
pub fn cooked(received: Received) -> Received {
    match received {
        Received::Frame { mut data, ifindex, protocol, packet_type, hardware, mac, realtime_ns } => {
            if has_link_header(hardware) {
                data.drain(..ETH_LEN.min(data.len()));
            }
            Received::Frame { data, ifindex, protocol, packet_type, hardware, mac, realtime_ns }
        }
        other => other,
    }
}

/// A device that a socket made promiscuous, to be undone when it closes.
pub type PromiscuousUse = Vec<DevId>;
