//! `AF_PACKET` sockets.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use hairpin_netlink::{Errno, PacketType, Received, SocketStatistics};

use super::address::{LinkName, array, ne32};
use super::socket;

const TP_STATUS_VLAN_VALID: u32 = 1 << 4;
const TP_STATUS_VLAN_TPID_VALID: u32 = 1 << 6;
const ETH_P_8021Q: u16 = 0x8100;
/// Longest frame: a segmentation-offload super-frame and its headers.
const READ_SIZE: usize = 256 * 1024;

pub(super) struct PacketSocket {
    socket: OwnedFd,
    cooked: bool,
    buffer: Vec<u8>,
    /// The kernel's counters start anew at every reading.
    statistics: SocketStatistics,
}

impl PacketSocket {
    pub fn open(cooked: bool, protocol: u16) -> Result<Self, Errno> {
        let kind = if cooked { libc::SOCK_DGRAM } else { libc::SOCK_RAW };
        let socket = socket::open(libc::AF_PACKET, kind, i32::from(protocol.to_be()))?;
        socket::set_int(socket.as_fd(), libc::SOL_PACKET, libc::PACKET_AUXDATA, 1)?;
        socket::set_int(socket.as_fd(), libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
        Ok(PacketSocket {
            socket,
            cooked,
            buffer: vec![0; READ_SIZE],
            statistics: SocketStatistics::default(),
        })
    }

    /// `struct packet_mreq` with `PACKET_MR_PROMISC`.
    pub fn set_promiscuous(&mut self, ifindex: u32) -> Result<(), Errno> {
        let mut request = ifindex.to_ne_bytes().to_vec();
        request.extend((libc::PACKET_MR_PROMISC as u16).to_ne_bytes());
        request.extend([0; 10]);
        socket::set(self.socket.as_fd(), libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &request)
    }

    /// The receive buffer; a capture's is larger than the system's limit where the user may exceed it.
    pub fn set_buffer(&mut self, bytes: u32) -> Result<(), Errno> {
        let bytes = i32::try_from(bytes).unwrap_or(i32::MAX);
        let set = |name| socket::set_int(self.socket.as_fd(), libc::SOL_SOCKET, name, bytes);
        set(libc::SO_RCVBUFFORCE).or_else(|_| set(libc::SO_RCVBUF))
    }

    pub fn receive(&mut self, max: u32) -> Result<Vec<Received>, Errno> {
        let mut items = Vec::new();
        while items.len() < max as usize {
            match socket::receive(self.socket.as_fd(), &mut self.buffer, 0) {
                Err(Errno::EAGAIN) => break,
                Err(error) if items.is_empty() => return Err(error),
                Err(_) => break,
                Ok(message) => items.extend(self.frame(&message)),
            }
        }
        Ok(items)
    }

    /// `PACKET_STATISTICS`; the kernel counts what it dropped as received too.
    pub fn statistics(&mut self) -> Result<SocketStatistics, Errno> {
        let mut raw = [0; 8];
        socket::get(self.socket.as_fd(), libc::SOL_PACKET, libc::PACKET_STATISTICS, &mut raw)?;
        let counter = |at| u64::from(ne32(&raw, at).unwrap_or(0));
        self.statistics.received = self.statistics.received.saturating_add(counter(0));
        self.statistics.dropped = self.statistics.dropped.saturating_add(counter(4));
        Ok(self.statistics)
    }

    fn frame(&self, message: &socket::Message) -> Option<Received> {
        let link = LinkName::decode(&message.name)?;
        let mut data = self.buffer.get(..message.length).unwrap_or(&self.buffer).to_vec();
        let mut protocol = link.protocol;
        if let Some((tpid, tci)) = vlan_tag(message) {
            if self.cooked {
                // The tag stands between the protocol and the payload, as in libpcap's "cooked" header.
                let inner = protocol.to_be_bytes();
                data.splice(0..0, tci.to_be_bytes().into_iter().chain(inner));
                protocol = tpid;
            } else if data.len() >= 12 {
                data.splice(12..12, tpid.to_be_bytes().into_iter().chain(tci.to_be_bytes()));
            }
        }
        Some(Received::Frame {
            data,
            ifindex: link.ifindex,
            protocol,
            packet_type: packet_type(link.packet_type)?,
            hardware: link.hardware,
            mac: link.mac,
            realtime_ns: message.timestamp_ns().unwrap_or(0),
        })
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The tag that the kernel took out of the frame: `struct tpacket_auxdata`.
fn vlan_tag(message: &socket::Message) -> Option<(u16, u16)> {
    let auxiliary = message.control(libc::SOL_PACKET, libc::PACKET_AUXDATA)?;
    let status = ne32(auxiliary, 0)?;
    let tci = u16::from_ne_bytes(array(auxiliary, 16)?);
    let tpid = u16::from_ne_bytes(array(auxiliary, 18)?);
    if status & TP_STATUS_VLAN_VALID == 0 {
        return None;
    }
    Some((if status & TP_STATUS_VLAN_TPID_VALID != 0 { tpid } else { ETH_P_8021Q }, tci))
}

/// Types above 4 (`PACKET_LOOPBACK`, …) never reach a program.
fn packet_type(number: u8) -> Option<PacketType> {
    Some(match number {
        0 => PacketType::Host,
        1 => PacketType::Broadcast,
        2 => PacketType::Multicast,
        3 => PacketType::OtherHost,
        4 => PacketType::Outgoing,
        _ => return None,
    })
}
