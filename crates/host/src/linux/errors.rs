//! What arrives at a datagram socket that has an error queue (`IP_RECVERR`, `IPV6_RECVERR`).

use std::os::fd::BorrowedFd;

use hairpin_netlink::{Address, Errno, ErrorOrigin, Received};

use super::address::{self, array, ne32};
use super::socket::{self, Message};

/// The longest datagram.
pub(super) const READ_SIZE: usize = 64 * 1024;

/// Reads what has arrived, at most `max` items: errors, where they are queued, then datagrams. An error that was in the
/// queue also makes the next ordinary reading fail once.
pub(super) fn receive(
    fd: BorrowedFd<'_>,
    buffer: &mut [u8],
    queued: bool,
    max: u32,
    datagram: impl Fn(&Message, &[u8]) -> Option<Received>,
    error: impl Fn(&Message, &[u8]) -> Option<Received>,
) -> Result<Vec<Received>, Errno> {
    let mut items = Vec::new();
    while queued && items.len() < max as usize {
        let Ok(message) = socket::receive(fd, buffer, libc::MSG_ERRQUEUE) else { break };
        items.extend(error(&message, buffer.get(..message.length).unwrap_or(buffer)));
    }
    while items.len() < max as usize {
        match socket::receive(fd, buffer, 0) {
            Ok(message) => items.extend(datagram(&message, buffer.get(..message.length).unwrap_or(buffer))),
            Err(Errno::EAGAIN) => break,
            Err(_) if queued && !items.is_empty() => {}
            Err(error) if items.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    Ok(items)
}

/// An error out of the queue, with the packet that it is about: `struct sock_extended_err` in the control message
/// `kind`, and the address of who reported it behind. `reported` reads an error that came by ICMP, whose origin is
/// `SO_EE_ORIGIN_*` `icmp`: its type, code and reporter. `ttl` is that of its packet.
pub(super) fn queued(
    message: &Message,
    packet: &[u8],
    (level, kind): (i32, i32),
    icmp: u8,
    ttl: u8,
    reported: impl FnOnce(u8, u8, Option<Address>) -> ErrorOrigin,
) -> Option<Received> {
    let error = message.control(level, kind)?;
    let [origin, kind, code, _] = array::<4>(error, 4)?;
    Some(Received::Error {
        errno: Errno(i32::from_ne_bytes(array(error, 0)?)),
        origin: match origin == icmp {
            true => reported(kind, code, address::decode(error.get(16..)?)),
            false => ErrorOrigin::Local,
        },
        info: ne32(error, 8)?,
        to: address::decode(&message.name)?,
        data: packet.to_vec(),
        ttl,
        realtime_ns: message.timestamp_ns().unwrap_or(0),
    })
}
