//! `SOCK_STREAM` sockets of the real kernel, of both families.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use hairpin_netlink::{Errno, Received, SocketOption};

use super::{raw, socket};

/// Bytes that one call takes out of a connection.
const READ_SIZE: usize = 64 * 1024;

pub(super) struct TcpSocket {
    socket: OwnedFd,
    ipv6: bool,
    buffer: Vec<u8>,
}

impl TcpSocket {
    pub fn open(ipv6: bool) -> Result<Self, Errno> {
        let family = if ipv6 { libc::AF_INET6 } else { libc::AF_INET };
        Ok(Self::of(socket::open(family, libc::SOCK_STREAM, 0)?, ipv6))
    }

    fn of(socket: OwnedFd, ipv6: bool) -> Self {
        TcpSocket { socket, ipv6, buffer: vec![0; READ_SIZE] }
    }

    pub fn set_option(&mut self, option: &SocketOption) -> Result<(), Errno> {
        let set = |level, name, value| socket::set_int(self.as_fd(), level, name, value);
        match option {
            SocketOption::ReuseAddress(on) => set(libc::SOL_SOCKET, libc::SO_REUSEADDR, i32::from(*on)),
            SocketOption::NoDelay(on) => set(libc::SOL_TCP, libc::TCP_NODELAY, i32::from(*on)),
            SocketOption::V6Only(only) => set(libc::SOL_IPV6, libc::IPV6_V6ONLY, i32::from(*only)),
            SocketOption::Ttl(ttl) if self.ipv6 => {
                set(libc::SOL_IPV6, libc::IPV6_UNICAST_HOPS, i32::from(*ttl))
            }
            SocketOption::Tos(class) if self.ipv6 => {
                set(libc::SOL_IPV6, libc::IPV6_TCLASS, i32::from(*class))
            }
            SocketOption::Ttl(ttl) => set(libc::SOL_IP, libc::IP_TTL, i32::from(*ttl)),
            SocketOption::Tos(tos) => set(libc::SOL_IP, libc::IP_TOS, i32::from(*tos)),
            other => raw::set_common_option(self.as_fd(), other),
        }
    }

    pub fn listen(&self, backlog: u32) -> Result<(), Errno> {
        socket::listen(self.as_fd(), i32::try_from(backlog).unwrap_or(i32::MAX))
    }

    pub fn accept(&self) -> Result<TcpSocket, Errno> {
        socket::accept(self.as_fd()).map(|accepted| Self::of(accepted, self.ipv6))
    }

    pub fn shutdown(&self) -> Result<(), Errno> {
        socket::shutdown_writing(self.as_fd())
    }

    pub fn take_error(&self) -> Result<(), Errno> {
        let mut value = [0; 4];
        socket::get(self.as_fd(), libc::SOL_SOCKET, libc::SO_ERROR, &mut value)?;
        match i32::from_ne_bytes(value) {
            0 => Ok(()),
            errno => Err(Errno(errno)),
        }
    }

    pub fn peer_name(&self) -> Result<Vec<u8>, Errno> {
        socket::peer_name(self.as_fd())
    }

    pub fn receive(&mut self) -> Result<Vec<Received>, Errno> {
        match socket::read(self.socket.as_fd(), &mut self.buffer) {
            Ok(0) => Ok(vec![Received::End]),
            Ok(length) => {
                let data = self.buffer.get(..length).unwrap_or(&self.buffer);
                Ok(vec![Received::Stream(data.to_vec())])
            }
            Err(Errno::EAGAIN) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

impl AsFd for TcpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
