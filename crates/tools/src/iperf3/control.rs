//! The control connection: states as single bytes, parameters and results as JSON with its length in front.

use hairpin_netlink::{Errno, Fd, Received};
use serde_json::{Value, json};

use super::options::Params;
use super::{Failure, fail};
use crate::Program;

/// Bytes of a cookie with its end.
pub(super) const COOKIE_LEN: usize = 37;
/// Longest document.
const DOCUMENT_MAX: usize = 1 << 20;

/// What one side tells the other.
pub(super) mod state {
    pub const TEST_START: i8 = 1;
    pub const TEST_RUNNING: i8 = 2;
    pub const TEST_END: i8 = 4;
    pub const PARAM_EXCHANGE: i8 = 9;
    pub const CREATE_STREAMS: i8 = 10;
    pub const SERVER_TERMINATE: i8 = 11;
    pub const CLIENT_TERMINATE: i8 = 12;
    pub const EXCHANGE_RESULTS: i8 = 13;
    pub const DISPLAY_RESULTS: i8 = 14;
    pub const IPERF_DONE: i8 = 16;
    pub const ACCESS_DENIED: i8 = -1;
    pub const SERVER_ERROR: i8 = -2;
}

/// A connection and what has come by it.
pub(super) struct Control {
    pub fd: Fd,
    buffer: Vec<u8>,
    pub has_ended: bool,
    /// Whether waiting for more is sure to end: of a client.
    pub bounded: bool,
}

impl Control {
    pub fn new(fd: Fd, bounded: bool) -> Control {
        Control { fd, buffer: Vec::new(), has_ended: false, bounded }
    }

    /// Takes what is there.
    pub fn fill(&mut self, program: &mut Program<'_>) -> Result<(), Failure> {
        if self.has_ended {
            return Ok(());
        }
        match program.system.receive(self.fd, 16) {
            Ok(items) => {
                for item in items {
                    match item {
                        Received::Stream(data) => self.buffer.extend(data),
                        Received::End => self.has_ended = true,
                        _ => {}
                    }
                }
                Ok(())
            }
            Err(Errno::EAGAIN) => Ok(()),
            Err(Errno::ECONNRESET) => {
                self.has_ended = true;
                Ok(())
            }
            Err(errno) => Err(errno.into()),
        }
    }

    /// The next state, if it has come.
    pub fn take_state(&mut self) -> Option<i8> {
        (!self.buffer.is_empty()).then(|| self.buffer.remove(0) as i8)
    }

    /// Waits for so many bytes.
    pub fn exactly(&mut self, program: &mut Program<'_>, count: usize) -> Result<Vec<u8>, Failure> {
        loop {
            self.fill(program)?;
            if self.buffer.len() >= count {
                return Ok(self.buffer.drain(..count).collect());
            }
            if self.has_ended {
                return fail("error - control socket has closed unexpectedly");
            }
            match program.system.wait(&[self.fd], None, self.bounded) {
                Err(Errno::EINTR) if program.shell.take_signal().is_some() => {
                    return fail("interrupt - the client has terminated");
                }
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    pub fn state(&mut self, program: &mut Program<'_>) -> Result<i8, Failure> {
        Ok(self.exactly(program, 1)?.first().map_or(0, |byte| *byte as i8))
    }

    pub fn document(&mut self, program: &mut Program<'_>) -> Result<Value, Failure> {
        let head = self.exactly(program, 4)?;
        let length = head.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes)) as usize;
        if length > DOCUMENT_MAX {
            return fail("error - unable to receive parameters: too long");
        }
        let text = self.exactly(program, length)?;
        serde_json::from_slice(&text).or_else(|_| fail("error - unable to receive parameters"))
    }

    pub fn send(&self, program: &mut Program<'_>, mut data: &[u8]) -> Result<(), Failure> {
        while !data.is_empty() {
            match program.system.send(self.fd, data.to_vec(), None) {
                Ok(sent) => data = data.get(sent..).unwrap_or(&[]),
                Err(Errno::EAGAIN) => {
                    program.system.wait_for(&[], &[self.fd], None, self.bounded)?;
                }
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    pub fn send_state(&self, program: &mut Program<'_>, state: i8) -> Result<(), Failure> {
        self.send(program, &[state as u8])
    }

    pub fn send_document(&self, program: &mut Program<'_>, document: &Value) -> Result<(), Failure> {
        let text = document.to_string();
        let mut bytes = (text.len() as u32).to_be_bytes().to_vec();
        bytes.extend(text.as_bytes());
        self.send(program, &bytes)
    }
}

/// A cookie: 36 letters and digits of chance, and a zero (`make_cookie`).
pub(super) fn cookie(program: &mut Program<'_>) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let bytes = match program.system.call(hairpin_netlink::Call::Random(COOKIE_LEN as u32 - 1)) {
        Ok(hairpin_netlink::Reply::Bytes(bytes)) => bytes,
        _ => vec![0; COOKIE_LEN - 1],
    };
    bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

impl Params {
    pub fn to_json(&self) -> Value {
        let mut value = json!({
            (if self.udp { "udp" } else { "tcp" }): true,
            "omit": 0,
            "time": self.seconds,
            "num": self.bytes,
            "blockcount": self.blocks,
            "parallel": self.streams,
            "len": self.block_size,
            "pacing_timer": 1000,
            "client_version": "3.12",
        });
        if let Some(object) = value.as_object_mut() {
            let mut put = |name: &str, value: Value| drop(object.insert(name.to_owned(), value));
            if self.reverse {
                put("reverse", json!(true));
            }
            if self.no_delay {
                put("nodelay", json!(true));
            }
            if let Some(rate) = self.rate {
                put("bandwidth", json!(rate));
            }
            if self.tos != 0 {
                put("TOS", json!(self.tos));
            }
        }
        value
    }

    pub fn from_json(value: &Value) -> Params {
        let number = |name: &str| value.get(name).and_then(Value::as_u64).unwrap_or(0);
        let flag = |name: &str| value.get(name).and_then(Value::as_bool).unwrap_or(false);
        Params {
            udp: flag("udp"),
            seconds: number("time"),
            bytes: number("num"),
            blocks: number("blockcount"),
            block_size: usize::try_from(number("len")).unwrap_or(0).clamp(1, 1 << 20),
            rate: Some(number("bandwidth")).filter(|rate| *rate > 0),
            streams: usize::try_from(number("parallel")).unwrap_or(1).clamp(1, 128),
            reverse: flag("reverse"),
            no_delay: flag("nodelay"),
            tos: u8::try_from(number("TOS")).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_survive_the_exchange() {
        let params = Params {
            udp: true,
            bytes: 5,
            seconds: 0,
            block_size: 1448,
            rate: Some(1_000_000),
            streams: 3,
            reverse: true,
            tos: 16,
            ..Params::default()
        };
        assert_eq!(Params::from_json(&params.to_json()), params);
    }
}
