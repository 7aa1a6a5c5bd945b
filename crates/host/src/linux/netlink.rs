//! Netlink sockets: requests to `NETLINK_ROUTE` and `NETLINK_GENERIC`, and notifications of the former.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use hairpin_netlink::codec::{
    HEADER_LEN, Header, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR,
    attributes as attributes_of, encode_raw, messages, put_attribute,
};
use hairpin_netlink::{Errno, Received};
use nix::poll::{PollFd, PollFlags};

use super::socket;
use crate::signals;

/// What iproute2 asks for; the kernel may grant less to an ordinary user.
const REQUEST_RECEIVE_BUFFER: i32 = 1024 * 1024;
/// No answer is longer.
const READ_SIZE: usize = 64 * 1024;

// include/uapi/linux/genetlink.h
const GENL_ID_CTRL: u16 = 0x10;
const GENL_HEADER_LEN: usize = 4;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_VERSION: u8 = 1;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;

/// The socket of a task's requests.
pub(super) struct Requests {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl Requests {
    /// `protocol` is `NETLINK_ROUTE` or `NETLINK_GENERIC`.
    pub fn open(protocol: i32) -> Result<Self, Errno> {
        let socket = open(protocol)?;
        let _ = socket::set_int(socket.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUF, REQUEST_RECEIVE_BUFFER);
        for option in [libc::NETLINK_EXT_ACK, libc::NETLINK_CAP_ACK, libc::NETLINK_GET_STRICT_CHK] {
            // A kernel without one of them answers with less, which the reader copes with.
            let _ = socket::set_int(socket.as_fd(), libc::SOL_NETLINK, option, 1);
        }
        socket::bind(socket.as_fd(), &name(0))?;
        Ok(Requests { socket, buffer: vec![0; READ_SIZE] })
    }

    /// Sends one request and returns every message of its answer.
    pub fn transact(&mut self, request: &[u8]) -> Result<Vec<u8>, Errno> {
        let header = messages(request).next().ok_or(Errno::EINVAL)?.header;
        let dump = header.flags & NLM_F_DUMP == NLM_F_DUMP;
        let acknowledged = dump || header.flags & NLM_F_ACK != 0;
        socket::send(self.socket.as_fd(), request, Some(&name(0)))?;
        let mut answer = Vec::new();
        loop {
            let length = match self.read() {
                // Requests are carried out while they are sent: without an acknowledgement the answer ends
                // where the queue does.
                Err(Errno::EAGAIN) if !acknowledged => return Ok(answer),
                Err(Errno::EAGAIN) => {
                    self.wait()?;
                    continue;
                }
                other => other?,
            };
            let bytes = self.buffer.get(..length).unwrap_or(&self.buffer);
            for message in messages(bytes) {
                if message.header.sequence != header.sequence {
                    continue;
                }
                let size = HEADER_LEN + message.payload.len();
                let start = offset_of(bytes, message.payload);
                let whole = start.and_then(|start| bytes.get(start..start + size)).ok_or(Errno::EPROTO)?;
                answer.extend(whole);
                answer.resize(answer.len().next_multiple_of(4), 0);
                // A dump that has none is answered with a plain acknowledgement or error.
                if matches!(message.header.kind, NLMSG_ERROR | NLMSG_DONE) {
                    return Ok(answer);
                }
            }
        }
    }

    /// The same for a generic netlink family, whose number is put into the request.
    pub fn transact_generic(&mut self, family: &str, mut request: Vec<u8>) -> Result<Vec<u8>, Errno> {
        let number = self.family(family)?;
        request.get_mut(4..6).ok_or(Errno::EINVAL)?.copy_from_slice(&number.to_ne_bytes());
        self.transact(&request)
    }

    /// `CTRL_CMD_GETFAMILY`
    fn family(&mut self, name: &str) -> Result<u16, Errno> {
        let mut payload = vec![CTRL_CMD_GETFAMILY, CTRL_VERSION, 0, 0];
        put_attribute(&mut payload, CTRL_ATTR_FAMILY_NAME, &[name.as_bytes(), &[0]].concat());
        let header = Header { kind: GENL_ID_CTRL, flags: NLM_F_REQUEST | NLM_F_ACK, sequence: 1, port: 0 };
        let answer = self.transact(&encode_raw(header, &payload))?;
        for message in messages(&answer) {
            if let Some(Err(failure)) = message.outcome() {
                return Err(failure.errno);
            }
            let attributes = message.payload.get(GENL_HEADER_LEN..).unwrap_or(&[]);
            let mut attributes = attributes_of(attributes);
            if let Some((_, number)) = attributes.find(|(kind, _)| *kind == CTRL_ATTR_FAMILY_ID) {
                return number.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes)).ok_or(Errno::EPROTO);
            }
        }
        Err(Errno::ENOENT)
    }

    /// Reads one datagram. Those of a dump are never longer than 32 KiB (af_netlink.c:netlink_recvmsg), and a single
    /// answer that would not fit is told of rather than looked at first, at every one.
    fn read(&mut self) -> Result<usize, Errno> {
        let length = socket::receive(self.socket.as_fd(), &mut self.buffer, 0)?.length;
        if length > self.buffer.len() { Err(Errno::EMSGSIZE) } else { Ok(length) }
    }

    fn wait(&self) -> Result<(), Errno> {
        signals::poll(&mut [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)], None).map(drop)
    }
}

/// Where the header of a message with this payload starts in `bytes`.
fn offset_of(bytes: &[u8], payload: &[u8]) -> Option<usize> {
    (payload.as_ptr() as usize).checked_sub(bytes.as_ptr() as usize)?.checked_sub(HEADER_LEN)
}

/// A socket that receives notifications.
pub(super) struct Events {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl Events {
    /// Bit `g - 1` of `groups` joins group `g`.
    pub fn open(groups: u64) -> Result<Self, Errno> {
        let socket = open(libc::NETLINK_ROUTE)?;
        let _ = socket::set_int(socket.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUF, REQUEST_RECEIVE_BUFFER);
        socket::bind(socket.as_fd(), &name(0))?;
        for group in (1..=64).filter(|group| groups >> (group - 1) & 1 == 1) {
            socket::set_int(socket.as_fd(), libc::SOL_NETLINK, libc::NETLINK_ADD_MEMBERSHIP, group)?;
        }
        Ok(Events { socket, buffer: vec![0; READ_SIZE] })
    }

    pub fn receive(&mut self, max: u32) -> Result<Vec<Received>, Errno> {
        let mut items = Vec::new();
        while items.len() < max as usize {
            match socket::receive(self.socket.as_fd(), &mut self.buffer, 0) {
                Err(Errno::EAGAIN) => break,
                Err(error) if items.is_empty() => return Err(error),
                Err(_) => break,
                Ok(message) => {
                    let bytes = self.buffer.get(..message.length).unwrap_or(&self.buffer);
                    items.push(Received::Netlink(bytes.to_vec()));
                }
            }
        }
        Ok(items)
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn open(protocol: i32) -> Result<OwnedFd, Errno> {
    socket::open(libc::AF_NETLINK, libc::SOCK_RAW, protocol)
}

/// `struct sockaddr_nl`: port 0 is the kernel, or lets it choose ours.
fn name(groups: u32) -> Vec<u8> {
    let mut bytes = (libc::AF_NETLINK as u16).to_ne_bytes().to_vec();
    bytes.extend([0; 6]);
    bytes.extend(groups.to_ne_bytes());
    bytes
}
