//! `AF_INET` sockets: raw (ICMP) and UDP, with their error queue.

use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use hairpin_netlink::{Address, Errno, ErrorOrigin, PathMtuDiscovery, Received, SocketOption};

use super::address::{self, array, ne32};
use super::errors;
use super::socket::{self, Message};

/// `ICMP_FILTER` at level `SOL_RAW`.
const ICMP_FILTER: i32 = 1;
const SO_EE_ORIGIN_ICMP: u8 = 2;

pub(super) struct InetSocket {
    socket: OwnedFd,
    is_raw: bool,
    errors: bool,
    buffer: Vec<u8>,
}

impl InetSocket {
    pub fn open_raw(protocol: u8) -> Result<Self, Errno> {
        Self::new(socket::open(libc::AF_INET, libc::SOCK_RAW, i32::from(protocol))?, true)
    }

    pub fn open_udp() -> Result<Self, Errno> {
        Self::new(socket::open(libc::AF_INET, libc::SOCK_DGRAM, 0)?, false)
    }

    fn new(socket: OwnedFd, is_raw: bool) -> Result<Self, Errno> {
        socket::set_int(socket.as_fd(), libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
        for option in [libc::IP_PKTINFO, libc::IP_RECVTTL, libc::IP_RECVTOS] {
            socket::set_int(socket.as_fd(), libc::SOL_IP, option, 1)?;
        }
        Ok(InetSocket { socket, is_raw, errors: false, buffer: vec![0; errors::READ_SIZE] })
    }

    pub fn set_option(&mut self, option: &SocketOption) -> Result<(), Errno> {
        let ip = |name, value| socket::set_int(self.socket.as_fd(), libc::SOL_IP, name, value);
        match option {
            SocketOption::Ttl(ttl) => ip(libc::IP_TTL, i32::from(*ttl)),
            SocketOption::MulticastTtl(ttl) => ip(libc::IP_MULTICAST_TTL, i32::from(*ttl)),
            SocketOption::MulticastLoop(on) => ip(libc::IP_MULTICAST_LOOP, i32::from(*on)),
            SocketOption::Tos(tos) => ip(libc::IP_TOS, i32::from(*tos)),
            SocketOption::PathMtuDiscovery(mode) => {
                let value = match mode {
                    PathMtuDiscovery::Dont => libc::IP_PMTUDISC_DONT,
                    PathMtuDiscovery::Want => libc::IP_PMTUDISC_WANT,
                    PathMtuDiscovery::Do => libc::IP_PMTUDISC_DO,
                    PathMtuDiscovery::Probe => libc::IP_PMTUDISC_PROBE,
                };
                ip(libc::IP_MTU_DISCOVER, value)
            }
            SocketOption::ReceiveErrors(on) => {
                ip(libc::IP_RECVERR, i32::from(*on))?;
                self.errors = *on;
                Ok(())
            }
            SocketOption::HeaderIncluded(on) => ip(libc::IP_HDRINCL, i32::from(*on)),
            SocketOption::MulticastInterface(ifindex) => {
                let request = membership(Ipv4Addr::UNSPECIFIED, *ifindex);
                socket::set(self.socket.as_fd(), libc::SOL_IP, libc::IP_MULTICAST_IF, &request)
            }
            SocketOption::JoinMulticast { group, ifindex } => {
                let request = membership(*group, *ifindex);
                socket::set(self.socket.as_fd(), libc::SOL_IP, libc::IP_ADD_MEMBERSHIP, &request)
            }
            SocketOption::LeaveMulticast { group, ifindex } => {
                let request = membership(*group, *ifindex);
                socket::set(self.socket.as_fd(), libc::SOL_IP, libc::IP_DROP_MEMBERSHIP, &request)
            }
            SocketOption::IpOptions(options) => {
                socket::set(self.socket.as_fd(), libc::SOL_IP, libc::IP_OPTIONS, options)
            }
            SocketOption::IcmpFilter(mask) => {
                socket::set(self.socket.as_fd(), libc::SOL_RAW, ICMP_FILTER, &mask.to_ne_bytes())
            }
            other => set_common_option(self.socket.as_fd(), other),
        }
    }

    pub fn receive(&mut self, max: u32) -> Result<Vec<Received>, Errno> {
        let (fd, is_raw) = (self.socket.as_fd(), self.is_raw);
        let datagram = |message: &Message, data: &[u8]| datagram(fd, is_raw, message, data);
        errors::receive(fd, &mut self.buffer, self.errors, max, datagram, error)
    }
}

fn datagram(fd: BorrowedFd<'_>, is_raw: bool, message: &Message, data: &[u8]) -> Option<Received> {
    // `struct in_pktinfo`: interface, local address, destination of the header.
    let info = message.control(libc::SOL_IP, libc::IP_PKTINFO).unwrap_or(&[]);
    let local = address::decode(&socket::local_name(fd).ok()?);
    let port = match local {
        // A raw socket's name has its protocol there.
        Some(Address::Ipv4 { port, .. }) if !is_raw => port,
        _ => 0,
    };
    let number = |kind, size| {
        let value = message.control(libc::SOL_IP, kind)?;
        if size == 1 { value.first().copied() } else { ne32(value, 0).map(|value| value as u8) }
    };
    Some(Received::Datagram {
        data: data.to_vec(),
        from: address::decode(&message.name)?,
        to: Address::Ipv4 { address: Ipv4Addr::from(array::<4>(info, 8)?), port },
        ttl: number(libc::IP_TTL, 4).unwrap_or(0),
        tos: number(libc::IP_TOS, 1).unwrap_or(0),
        ifindex: ne32(info, 0)?,
        realtime_ns: message.timestamp_ns().unwrap_or(0),
    })
}

fn error(message: &Message, packet: &[u8]) -> Option<Received> {
    let ttl = message.control(libc::SOL_IP, libc::IP_TTL).and_then(|value| ne32(value, 0)).unwrap_or(0) as u8;
    errors::queued(
        message,
        packet,
        (libc::SOL_IP, libc::IP_RECVERR),
        SO_EE_ORIGIN_ICMP,
        ttl,
        |kind, code, from| {
            let from = match from {
                Some(Address::Ipv4 { address, .. }) => address,
                _ => Ipv4Addr::UNSPECIFIED,
            };
            ErrorOrigin::Icmp { kind, code, from }
        },
    )
}

impl AsFd for InetSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Options that every kind of socket has.
pub(super) fn set_common_option(fd: BorrowedFd<'_>, option: &SocketOption) -> Result<(), Errno> {
    let set = |name, value| socket::set_int(fd, libc::SOL_SOCKET, name, value);
    match option {
        SocketOption::Broadcast(on) => set(libc::SO_BROADCAST, i32::from(*on)),
        SocketOption::DontRoute(on) => set(libc::SO_DONTROUTE, i32::from(*on)),
        SocketOption::Mark(mark) => socket::set(fd, libc::SOL_SOCKET, libc::SO_MARK, &mark.to_ne_bytes()),
        SocketOption::ReceiveBuffer(size) => set(libc::SO_RCVBUF, i32::try_from(*size).unwrap_or(i32::MAX)),
        SocketOption::BindToDevice(name) => {
            let mut bytes = name.clone().into_bytes();
            bytes.push(0);
            socket::set(fd, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, &bytes)
        }
        _ => Err(Errno::ENOPROTOOPT),
    }
}

/// `struct ip_mreqn`
fn membership(group: Ipv4Addr, ifindex: u32) -> Vec<u8> {
    let mut bytes = group.octets().to_vec();
    bytes.extend(Ipv4Addr::UNSPECIFIED.octets());
    bytes.extend(ifindex.to_ne_bytes());
    bytes
}
