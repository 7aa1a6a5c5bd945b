//! Input to the network and the network to output (`readwrite`).

use hairpin_netlink::{Errno, Fd, Received};

use super::options::Options;
use super::{NS_PER_SECOND, now};
use crate::Program;

/// Bytes that wait to be sent before more input is read.
const PENDING_MAX: usize = 16 << 10;

/// Carries data both ways until both ends are done.
///
/// # Errors
/// What is printed; empty where a signal ends it without a word.
pub(super) fn run(program: &mut Program<'_>, options: &Options, socket: Fd) -> Result<(), String> {
    let mut state = State { input_over: options.detached, ..State::default() };
    let mut quit_at = None;
    let mut packets = 0;
    loop {
        state.send(program, options, socket)?;
        let drained = state.pending.is_empty();
        if state.network_over && (state.input_over || options.listen) && drained {
            return Ok(());
        }
        if state.input_over && drained && !state.told_end {
            state.told_end = true;
            let quits = options.quit_s.is_some_and(|seconds| seconds >= 0);
            if (options.shut_down || quits) && !options.udp {
                let _ = program.system.shutdown(socket);
            }
            if let Some(seconds) = options.quit_s.filter(|seconds| *seconds >= 0) {
                quit_at = Some(now(program)?.saturating_add(seconds as u64 * NS_PER_SECOND));
            }
        }
        if options.receive_limit.is_some_and(|limit| packets >= limit) {
            return Ok(());
        }
        let idle_at = match options.timeout_s {
            Some(seconds) => Some(now(program)?.saturating_add(seconds.saturating_mul(NS_PER_SECOND))),
            None => None,
        };
        let until = [idle_at, quit_at].into_iter().flatten().min();
        let reading = if state.network_over { &[][..] } else { &[socket][..] };
        let writing = if state.pending.is_empty() || state.output_over { &[][..] } else { &[socket][..] };
        let wants_input = !state.input_over && state.pending.len() < PENDING_MAX;
        if !program.shell.watch_input(wants_input) && wants_input {
            state.read(program, options)?;
            continue;
        }
        let waited = program.system.wait_for(reading, writing, until, until.is_some());
        program.shell.watch_input(false);
        // What cannot be sent is not read either, from the next time on that something happens.
        state.input_over |= state.output_over;
        match waited {
            Ok(ready) if ready.is_empty() => return Ok(()),
            Ok(_) if !state.network_over => packets += state.receive(program, socket)?,
            Ok(_) => {}
            Err(Errno::EINTR) if program.shell.take_signal().is_some() => return Err(String::new()),
            Err(Errno::EINTR) => state.read(program, options)?,
            Err(errno) => return Err(errno.text()),
        }
    }
}

#[derive(Default)]
struct State {
    /// Read and not yet sent.
    pending: Vec<u8>,
    input_over: bool,
    network_over: bool,
    /// Nothing can be sent any more; what comes is waited for.
    output_over: bool,
    /// The end of input has been dealt with.
    told_end: bool,
}

impl State {
    fn read(&mut self, program: &mut Program<'_>, options: &Options) -> Result<(), String> {
        match program.shell.read_input() {
            Ok(None) => {}
            Ok(Some(data)) if data.is_empty() => self.input_over = true,
            Ok(Some(data)) if options.crlf => {
                for byte in data {
                    if byte == b'\n' {
                        self.pending.push(b'\r');
                    }
                    self.pending.push(byte);
                }
            }
            Ok(Some(data)) => self.pending.extend(data),
            Err(error) => return Err(error.to_string()),
        }
        Ok(())
    }

    fn send(&mut self, program: &mut Program<'_>, options: &Options, socket: Fd) -> Result<(), String> {
        while !self.pending.is_empty() && !self.output_over {
            let whole = match options.udp {
                true => self.pending.len().min(PENDING_MAX),
                false => self.pending.len(),
            };
            let data = self.pending.get(..whole).unwrap_or(&[]).to_vec();
            match program.system.send(socket, data, None) {
                Ok(sent) => drop(self.pending.drain(..sent.min(self.pending.len()))),
                Err(Errno::EAGAIN) => return Ok(()),
                Err(Errno::EPIPE | Errno::ECONNRESET | Errno::ECONNREFUSED) if !options.udp => self.give_up(),
                // A filter's refusal, say. Without a word.
                Err(_) => self.output_over = true,
            }
        }
        Ok(())
    }

    /// The socket has failed: neither way goes on.
    fn give_up(&mut self) {
        self.pending.clear();
        self.input_over = true;
        self.network_over = true;
        self.output_over = true;
    }

    /// How many packets came.
    fn receive(&mut self, program: &mut Program<'_>, socket: Fd) -> Result<u64, String> {
        let items = match program.system.receive(socket, 16) {
            Ok(items) => items,
            Err(Errno::EAGAIN) => return Ok(0),
            Err(_) => {
                self.give_up();
                return Ok(0);
            }
        };
        let mut packets = 0;
        for item in items {
            match item {
                Received::Stream(data) | Received::Datagram { data, .. } => {
                    packets += 1;
                    if program.shell.out().write_all(&data).is_err() {
                        return Err(String::new());
                    }
                }
                Received::End => self.network_over = true,
                // A closed port of the peer's (`ECONNREFUSED`).
                Received::Error { .. } => self.give_up(),
                _ => {}
            }
        }
        let _ = program.shell.out().flush();
        Ok(packets)
    }
}
