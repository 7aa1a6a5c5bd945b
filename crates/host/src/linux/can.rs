//! `AF_CAN` sockets.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use hairpin_netlink::{Errno, PacketType, Received, SocketOption};

use super::address::ne32;
use super::{raw, socket};

/// The protocol, and the level of its options, with those.
const CAN_RAW: i32 = 1;
const SOL_CAN_RAW: i32 = 101;
const CAN_RAW_FILTER: i32 = 1;
const CAN_RAW_ERR_FILTER: i32 = 2;
const CAN_RAW_FD_FRAMES: i32 = 5;
const CAN_RAW_JOIN_FILTERS: i32 = 6;

/// `CAN_MTU`
const CAN_MTU: usize = 16;
const ETH_P_CAN: u16 = 0x000c;
const ETH_P_CANFD: u16 = 0x000d;
const ARPHRD_CAN: u16 = 280;
/// Room for any frame (`CANXL_MTU`).
const READ_SIZE: usize = 2060;

pub(super) struct CanSocket(OwnedFd);

impl CanSocket {
    pub fn open() -> Result<Self, Errno> {
        let socket = socket::open(libc::AF_CAN, libc::SOCK_RAW, CAN_RAW)?;
        socket::set_int(socket.as_fd(), libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
        Ok(CanSocket(socket))
    }

    pub fn set_option(&mut self, option: &SocketOption) -> Result<(), Errno> {
        let set = |name, value: &[u8]| socket::set(self.0.as_fd(), SOL_CAN_RAW, name, value);
        match option {
            SocketOption::CanFdFrames(on) => set(CAN_RAW_FD_FRAMES, &i32::from(*on).to_ne_bytes()),
            SocketOption::CanJoinFilters(on) => set(CAN_RAW_JOIN_FILTERS, &i32::from(*on).to_ne_bytes()),
            SocketOption::CanErrorFilter(mask) => set(CAN_RAW_ERR_FILTER, &mask.to_ne_bytes()),
            SocketOption::CanFilters(filters) => {
                // `struct can_filter`
                let words = filters.iter().flat_map(|(id, mask)| [id.to_ne_bytes(), mask.to_ne_bytes()]);
                set(CAN_RAW_FILTER, &words.flatten().collect::<Vec<u8>>())
            }
            option => raw::set_common_option(self.0.as_fd(), option),
        }
    }

    pub fn receive(&mut self, max: u32) -> Result<Vec<Received>, Errno> {
        let mut buffer = [0; READ_SIZE];
        let mut items = Vec::new();
        while items.len() < max as usize {
            let message = match socket::receive(self.0.as_fd(), &mut buffer, 0) {
                Err(Errno::EAGAIN) => break,
                Err(error) if items.is_empty() => return Err(error),
                Err(_) => break,
                Ok(message) => message,
            };
            let data = buffer.get(..message.length).unwrap_or(&buffer).to_vec();
            items.push(Received::Frame {
                protocol: if data.len() == CAN_MTU { ETH_P_CAN } else { ETH_P_CANFD },
                data,
                ifindex: ne32(&message.name, 4).unwrap_or(0),
                // A socket of this host has sent it.
                packet_type: match message.flags & libc::MSG_DONTROUTE {
                    0 => PacketType::Host,
                    _ => PacketType::Outgoing,
                },
                hardware: ARPHRD_CAN,
                mac: [0; 6],
                realtime_ns: message.timestamp_ns().unwrap_or(0),
            });
        }
        Ok(items)
    }
}

impl AsFd for CanSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
