//! What the server knows of a process at the other end of its socket.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Instant;

use hairpin_netlink::{Call, Fd};

use super::clock::{Activity, Participant};
use super::protocol::{self, Inbox};
use super::{TaskId, TaskName};

pub(super) struct Connection {
    pub(super) stream: UnixStream,
    pub(super) inbox: Inbox,
    /// Descriptors that came with requests.
    pub(super) descriptors: Vec<OwnedFd>,
    pub(super) outbox: Vec<u8>,
    pub(super) process: u32,
    pub(super) role: Role,
    /// The other end is gone, or has broken the protocol.
    pub(super) closed: bool,
}

pub(super) enum Role {
    /// Has not said hello, or only asks about the session.
    Stranger,
    Client(Client),
    /// Keeps the task of this token. When the process that asked for it started: its number may be another's by
    /// the time it ends.
    Holder {
        token: u64,
        age: (u64, u32),
        /// The machine's network namespace that it is in: one without devices that it has made for itself.
        network: Option<PathBuf>,
        /// It is a shell at which somebody types.
        prompts: bool,
    },
}

pub(super) struct Client {
    pub(super) task: TaskId,
    pub(super) name: TaskName,
    pub(super) foreground: bool,
    /// When the process started, and its id.
    pub(super) age: (u64, u32),
    /// A process that has to come to its point before this one's first call.
    pub(super) after: Option<u32>,
    pub(super) state: State,
    /// Has made its first call.
    pub(super) called: bool,
    /// Is about to become another program, which has still to come to its point.
    pub(super) becomes: bool,
    /// Has been in a wait.
    pub(super) settled: bool,
    /// Since when it has been neither waiting nor calling.
    pub(super) busy_since: Instant,
    pub(super) stuck: bool,
}

pub(super) enum State {
    /// Between calls.
    Running,
    /// Its first call has to wait for programs started before.
    First(Call, Instant),
    Waiting {
        fds: Vec<Fd>,
        writable: Vec<Fd>,
        until_ns: Option<u64>,
        bounded: bool,
    },
}

impl Connection {
    /// Takes what has come.
    pub(super) fn read(&mut self) {
        let mut buffer = [0; 8 * 1024];
        loop {
            match protocol::read(&self.stream, &mut buffer, &mut self.descriptors) {
                Ok(0) => self.closed = true,
                Ok(length) => {
                    self.inbox.push(&buffer[..length]);
                    // A short reading has emptied the socket.
                    if length == buffer.len() {
                        continue;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => self.closed = true,
            }
            return;
        }
    }

    /// Sends what the other end takes.
    pub(super) fn flush(&mut self) {
        while !self.outbox.is_empty() {
            match self.stream.write(&self.outbox) {
                Ok(length) => drop(self.outbox.drain(..length)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.closed = true;
                    return;
                }
            }
        }
    }
}

impl Client {
    pub(super) fn participant(&self) -> Participant {
        let state = match &self.state {
            State::Waiting { bounded, .. } => Activity::Waiting { bounded: *bounded },
            State::Running if self.stuck => Activity::Stuck,
            State::Running | State::First(..) => Activity::Busy,
        };
        Participant { foreground: self.foreground, state }
    }

    /// Ends a wait.
    pub(super) fn resume(&mut self) {
        self.state = State::Running;
        self.busy_since = Instant::now();
        self.stuck = false;
    }
}
