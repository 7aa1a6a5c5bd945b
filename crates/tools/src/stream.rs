//! TCP connections of front ends: made, written and read with an end in time.

use std::net::IpAddr;

use hairpin_netlink::{Address, Errno, Fd, Received, SocketKind, SocketOption};

use crate::Program;

/// Why a connection cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    TimedOut,
    Error(Errno),
    /// A signal asks for the end.
    Interrupted,
}

/// From where a connection is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct From {
    pub address: Option<IpAddr>,
    pub port: u16,
    pub device: Option<String>,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Stream {
    pub fd: Fd,
    /// When it must be over, on the monotonic clock.
    pub until_ns: Option<u64>,
    has_ended: bool,
}

/// Whatever `wait` ended with.
fn woken(program: &mut Program<'_>, ready: Result<Vec<Fd>, Errno>) -> Result<bool, Fault> {
    match ready {
        Ok(ready) if ready.is_empty() => Err(Fault::TimedOut),
        Ok(_) => Ok(true),
        Err(Errno::EINTR) if program.shell.take_signal().is_some() => Err(Fault::Interrupted),
        Err(Errno::EINTR) => Ok(false),
        Err(errno) => Err(Fault::Error(errno)),
    }
}

pub(crate) fn end_of(address: IpAddr, port: u16) -> Address {
    match address {
        IpAddr::V4(address) => Address::Ipv4 { address, port },
        IpAddr::V6(address) => Address::Ipv6 { address, port, scope: 0 },
    }
}

impl Stream {
    /// Connects.
    ///
    /// # Errors
    /// No way there, nobody listens, or not in time.
    pub fn connect(
        program: &mut Program<'_>,
        to: Address,
        from: &From,
        until_ns: Option<u64>,
    ) -> Result<Stream, Fault> {
        let kind = match to {
            Address::Ipv4 { .. } => SocketKind::TcpIpv4,
            Address::Ipv6 { .. } => SocketKind::TcpIpv6,
            Address::Link { .. } | Address::Can { .. } => return Err(Fault::Error(Errno::EAFNOSUPPORT)),
        };
        let fd = program.system.socket(kind).map_err(Fault::Error)?;
        let stream = Stream { fd, until_ns, has_ended: false };
        match stream.establish(program, to, from) {
            Ok(()) => Ok(stream),
            Err(fault) => {
                stream.close(program);
                Err(fault)
            }
        }
    }

    fn establish(&self, program: &mut Program<'_>, to: Address, from: &From) -> Result<(), Fault> {
        if let Some(device) = &from.device {
            let option = SocketOption::BindToDevice(device.clone());
            program.system.set_option(self.fd, option).map_err(Fault::Error)?;
        }
        if from.address.is_some() || from.port != 0 {
            let any = match to {
                Address::Ipv6 { .. } => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
                _ => IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
            };
            let own = end_of(from.address.unwrap_or(any), from.port);
            program.system.bind(self.fd, own).map_err(Fault::Error)?;
        }
        match program.system.connect(self.fd, to) {
            Err(Errno::EINPROGRESS) => {}
            other => return other.map_err(Fault::Error),
        }
        loop {
            let ready = program.system.wait_for(&[], &[self.fd], self.until_ns, true);
            if woken(program, ready)? {
                return program.system.take_error(self.fd).map_err(Fault::Error);
            }
        }
    }

    /// Sends everything.
    ///
    /// # Errors
    /// The connection broke, or not in time.
    pub fn send(&self, program: &mut Program<'_>, mut data: &[u8]) -> Result<(), Fault> {
        while !data.is_empty() {
            let piece = data.get(..data.len().min(64 << 10)).unwrap_or(data);
            match program.system.send(self.fd, piece.to_vec(), None) {
                Ok(sent) => data = data.get(sent..).unwrap_or(&[]),
                Err(Errno::EAGAIN) => {
                    let ready = program.system.wait_for(&[], &[self.fd], self.until_ns, true);
                    woken(program, ready)?;
                }
                Err(errno) => return Err(Fault::Error(errno)),
            }
        }
        Ok(())
    }

    /// What has come, as soon as something has; nothing once the other end has ended.
    ///
    /// # Errors
    /// The connection broke, or not in time.
    pub fn receive(&mut self, program: &mut Program<'_>) -> Result<Option<Vec<u8>>, Fault> {
        loop {
            if self.has_ended {
                return Ok(None);
            }
            let items = match program.system.receive(self.fd, 1) {
                Err(Errno::EAGAIN) => Vec::new(),
                other => other.map_err(Fault::Error)?,
            };
            let mut data = Vec::new();
            for item in items {
                match item {
                    Received::Stream(bytes) => data.extend(bytes),
                    Received::End => self.has_ended = true,
                    Received::Error { errno, .. } => return Err(Fault::Error(errno)),
                    _ => {}
                }
            }
            if !data.is_empty() {
                return Ok(Some(data));
            }
            if self.has_ended {
                return Ok(None);
            }
            let ready = program.system.wait_for(&[self.fd], &[], self.until_ns, true);
            woken(program, ready)?;
        }
    }

    pub fn close(&self, program: &mut Program<'_>) {
        let _ = program.system.close(self.fd);
    }
}
