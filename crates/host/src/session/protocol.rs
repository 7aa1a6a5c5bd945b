//! What goes over a session's socket: frames of a little-endian length and a postcard value.

use std::io::{self, IoSlice, IoSliceMut, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use hairpin_netlink::{Call, Errno, Reply};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, send, sendmsg};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Pace, TaskName};

/// Longest frame; a longer one ends the connection.
const FRAME_MAX: usize = 64 * 1024 * 1024;

/// From a program to the session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Comes first: makes the connection a task.
    Hello {
        task: TaskName,
        background: bool,
        /// A process whose first call, and those of all it starts, come before this one's.
        after: Option<u32>,
        /// It is about to become another program: others wait for it although it has waited once.
        becomes: bool,
    },
    Call(Call),
    /// Ends the [`Call::Wait`] that is under way with `EINTR`. Has no answer of its own.
    Cancel,
    /// From now on the connection only keeps the task alive for another program: the one that this process
    /// turns into.
    Hold {
        /// The program is a shell at which somebody types.
        prompts: bool,
    },
    /// Asks for the view of a held task. With `device` the FUSE device to serve comes with the message.
    View {
        device: bool,
    },
    Describe,
    /// Ends the session.
    Stop,
}

/// From the session to a program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Response {
    /// Where the task is.
    Welcome(TaskName),
    /// There is no such host or namespace, in words.
    Refused(String),
    Result(Result<Reply, Errno>),
    /// The task's name with its token.
    Held(TaskName),
    /// The view is served; for one of plain files, where they are.
    View(Option<PathBuf>),
    Description(Description),
    Stopping,
}

/// A session, for `hairpin ls`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Description {
    pub world: String,
    pub process_id: u32,
    pub age_seconds: u64,
    pub pace: Pace,
    /// The world's own clock.
    pub monotonic_ns: u64,
    pub hosts: Vec<HostDescription>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HostDescription {
    pub name: String,
    /// Named network namespaces.
    pub namespaces: Vec<String>,
}

/// One frame.
pub(super) fn encode(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = postcard::to_extend(message, vec![0; 4]).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len().saturating_sub(4)).map_err(io::Error::other)?;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    Ok(bytes)
}

/// Bytes that have arrived.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
}

impl Inbox {
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Takes the first whole frame.
    pub fn take<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let Some(length) = self.bytes.first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_le_bytes(*length) as usize;
        if length > FRAME_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "frame too long"));
        }
        let Some(frame) = self.bytes.get(4..4 + length) else { return Ok(None) };
        let message = postcard::from_bytes(frame).map_err(io::Error::other)?;
        self.bytes.drain(..4 + length);
        Ok(Some(message))
    }
}

/// Reads bytes and the descriptors that came with them.
#[allow(unsafe_code)]
pub(super) fn read(stream: &UnixStream, buffer: &mut [u8], found: &mut Vec<OwnedFd>) -> io::Result<usize> {
    let mut control = nix::cmsg_space!([RawFd; 4]);
    let mut parts = [IoSliceMut::new(buffer)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(stream.as_raw_fd(), &mut parts, Some(&mut control), flags)?;
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(descriptors) = control {
            // SAFETY: the kernel has just made these descriptors for us; nobody else knows them.
            found.extend(descriptors.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
        }
    }
    Ok(message.bytes)
}

/// A program's end of the connection; it blocks.
#[derive(Debug)]
pub(super) struct Channel {
    stream: UnixStream,
    inbox: Inbox,
}

impl Channel {
    pub fn connect(socket: &Path) -> io::Result<Self> {
        Ok(Channel { stream: UnixStream::connect(socket)?, inbox: Inbox::default() })
    }

    pub fn send(&mut self, request: &Request) -> io::Result<()> {
        self.write(&encode(request)?)
    }

    pub fn receive(&mut self) -> io::Result<Response> {
        let mut buffer = [0; 16 * 1024];
        loop {
            if let Some(response) = self.inbox.take()? {
                return Ok(response);
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => self.inbox.push(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub fn ask(&mut self, request: &Request) -> io::Result<Response> {
        self.send(request)?;
        self.receive()
    }

    /// Sends a request that a descriptor belongs to.
    pub fn ask_with(&mut self, request: &Request, descriptor: BorrowedFd<'_>) -> io::Result<Response> {
        let bytes = encode(request)?;
        let descriptors = [descriptor.as_raw_fd()];
        let control = [ControlMessage::ScmRights(&descriptors)];
        let flags = MsgFlags::MSG_NOSIGNAL;
        let sent = sendmsg::<()>(self.stream.as_raw_fd(), &[IoSlice::new(&bytes)], &control, flags, None)?;
        self.write(bytes.get(sent..).unwrap_or(&[]))?;
        self.receive()
    }

    /// Without SIGPIPE: that a session has ended is said in words.
    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match send(self.stream.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL) {
                Ok(length) => bytes = bytes.get(length..).unwrap_or(&[]),
                Err(nix::Error::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    pub fn into_stream(self) -> UnixStream {
        self.stream
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in() {
        let mut inbox = Inbox::default();
        let frames: Vec<u8> = [Request::Call(Call::Now), Request::Cancel]
            .iter()
            .flat_map(|r| encode(r).expect("encoded"))
            .collect();
        let mut seen = 0;
        for byte in frames {
            inbox.push(&[byte]);
            while inbox.take::<Request>().expect("well-formed").is_some() {
                seen += 1;
            }
        }
        assert_eq!(seen, 2);
    }

    #[test]
    fn junk_is_refused() {
        let mut inbox = Inbox::default();
        inbox.push(&[255; 8]);
        assert!(inbox.take::<Request>().is_err());
        let mut inbox = Inbox::default();
        inbox.push(&[1, 0, 0, 0, 99]);
        assert!(inbox.take::<Request>().is_err());
    }
}
