//! `AF_INET6` sockets: raw (ICMPv6) and UDP, with their error queue.

use std::net::Ipv6Addr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use hairpin_netlink::{Address, Errno, ErrorOrigin, PathMtuDiscovery, Received, SocketOption};

use super::address::{self, array, ne32};
use super::errors;
use super::raw::set_common_option;
use super::socket::{self, Message};

/// `ICMP6_FILTER` at level `SOL_ICMPV6`.
const SOL_ICMPV6: i32 = 58;
const ICMP6_FILTER: i32 = 1;
const SO_EE_ORIGIN_ICMP6: u8 = 3;

pub(super) struct Inet6Socket {
    socket: OwnedFd,
    raw: bool,
    errors: bool,
    buffer: Vec<u8>,
}

impl Inet6Socket {
    pub fn open_raw(protocol: u8) -> Result<Self, Errno> {
        Self::new(socket::open(libc::AF_INET6, libc::SOCK_RAW, i32::from(protocol))?, true)
    }

    pub fn open_udp() -> Result<Self, Errno> {
        Self::new(socket::open(libc::AF_INET6, libc::SOCK_DGRAM, 0)?, false)
    }

    fn new(socket: OwnedFd, raw: bool) -> Result<Self, Errno> {
        socket::set_int(socket.as_fd(), libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
        // A raw socket is of IPv6 alone anyway, and refuses to be told so.
        let only = (!raw).then_some(libc::IPV6_V6ONLY);
        let told = [libc::IPV6_RECVPKTINFO, libc::IPV6_RECVHOPLIMIT, libc::IPV6_RECVTCLASS];
        for option in told.into_iter().chain(only) {
            socket::set_int(socket.as_fd(), libc::SOL_IPV6, option, 1)?;
        }
        Ok(Inet6Socket { socket, raw, errors: false, buffer: vec![0; errors::READ_SIZE] })
    }

    pub fn set_option(&mut self, option: &SocketOption) -> Result<(), Errno> {
        let fd = self.socket.as_fd();
        let ipv6 = |name, value| socket::set_int(fd, libc::SOL_IPV6, name, value);
        match option {
            SocketOption::Ttl(limit) => ipv6(libc::IPV6_UNICAST_HOPS, i32::from(*limit)),
            SocketOption::MulticastTtl(limit) => ipv6(libc::IPV6_MULTICAST_HOPS, i32::from(*limit)),
            SocketOption::MulticastLoop(on) => ipv6(libc::IPV6_MULTICAST_LOOP, i32::from(*on)),
            SocketOption::Tos(class) => ipv6(libc::IPV6_TCLASS, i32::from(*class)),
            SocketOption::PathMtuDiscovery(mode) => {
                let value = match mode {
                    PathMtuDiscovery::Dont => libc::IPV6_PMTUDISC_DONT,
                    PathMtuDiscovery::Want => libc::IPV6_PMTUDISC_WANT,
                    PathMtuDiscovery::Do => libc::IPV6_PMTUDISC_DO,
                    PathMtuDiscovery::Probe => libc::IPV6_PMTUDISC_PROBE,
                };
                ipv6(libc::IPV6_MTU_DISCOVER, value)
            }
            SocketOption::V6Only(only) => ipv6(libc::IPV6_V6ONLY, i32::from(*only)),
            SocketOption::ReceiveErrors(on) => {
                ipv6(libc::IPV6_RECVERR, i32::from(*on))?;
                self.errors = *on;
                Ok(())
            }
            SocketOption::MulticastInterface(ifindex) => {
                ipv6(libc::IPV6_MULTICAST_IF, i32::try_from(*ifindex).map_err(|_| Errno::ENODEV)?)
            }
            SocketOption::JoinMulticast6 { group, ifindex } => {
                // `struct ipv6_mreq`
                let mut request = group.octets().to_vec();
                request.extend(ifindex.to_ne_bytes());
                socket::set(fd, libc::SOL_IPV6, libc::IPV6_ADD_MEMBERSHIP, &request)
            }
            SocketOption::Icmp6Filter(mask) => {
                let bytes: Vec<u8> = mask.iter().flat_map(|word| word.to_ne_bytes()).collect();
                socket::set(fd, SOL_ICMPV6, ICMP6_FILTER, &bytes)
            }
            other => set_common_option(fd, other),
        }
    }

    pub fn receive(&mut self, max: u32) -> Result<Vec<Received>, Errno> {
        let (fd, raw) = (self.socket.as_fd(), self.raw);
        let datagram = |message: &Message, data: &[u8]| datagram(fd, raw, message, data);
        errors::receive(fd, &mut self.buffer, self.errors, max, datagram, error)
    }
}

fn datagram(fd: BorrowedFd<'_>, raw: bool, message: &Message, data: &[u8]) -> Option<Received> {
    // `struct in6_pktinfo`: destination, interface.
    let info = message.control(libc::SOL_IPV6, libc::IPV6_PKTINFO).unwrap_or(&[]);
    let ifindex = ne32(info, 16)?;
    let port = match address::decode(&socket::local_name(fd).ok()?) {
        Some(Address::Ipv6 { port, .. }) if !raw => port,
        _ => 0,
    };
    let number = |kind| {
        message.control(libc::SOL_IPV6, kind).and_then(|value| ne32(value, 0)).map_or(0, |value| value as u8)
    };
    Some(Received::Datagram {
        data: data.to_vec(),
        from: address::decode(&message.name)?,
        to: Address::Ipv6 { address: Ipv6Addr::from(array::<16>(info, 0)?), port, scope: 0 },
        ttl: number(libc::IPV6_HOPLIMIT),
        tos: number(libc::IPV6_TCLASS),
        ifindex,
        realtime_ns: message.timestamp_ns().unwrap_or(0),
    })
}

fn error(message: &Message, packet: &[u8]) -> Option<Received> {
    let hops = message.control(libc::SOL_IPV6, libc::IPV6_HOPLIMIT).and_then(|value| ne32(value, 0));
    let ttl = hops.unwrap_or(0) as u8;
    let place = (libc::SOL_IPV6, libc::IPV6_RECVERR);
    errors::queued(message, packet, place, SO_EE_ORIGIN_ICMP6, ttl, |kind, code, from| {
        let (from, scope) = match from {
            Some(Address::Ipv6 { address, scope, .. }) => (address, scope),
            _ => (Ipv6Addr::UNSPECIFIED, 0),
        };
        ErrorOrigin::Icmp6 { kind, code, from, scope }
    })
}

impl AsFd for Inet6Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
