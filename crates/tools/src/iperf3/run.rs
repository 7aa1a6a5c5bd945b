//! A test's streams in time: sending by the rate, receiving, intervals.

use hairpin_netlink::{Errno, Fd, Received};

use super::control::Control;
use super::flow::Flow;
use super::json::Json;
use super::options::{Options, Params};
use super::{Failure, NS_PER_S, Output, UNLIMITED, fail, now, report};
use crate::Program;

/// Senders look at their rate no more often (`--pacing-timer`).
const PACE_NS: u64 = 1_000_000;
/// A last interval without data that is shorter than this part of a whole one is not told of.
const SHORT_INTERVAL: u64 = 10;

/// A test under way.
pub(super) struct Run {
    pub params: Params,
    pub is_server: bool,
    /// This side sends.
    pub sends: bool,
    pub flows: Vec<Flow>,
    /// The socket that all streams of a UDP server share.
    pub shared: Option<Fd>,
    pub start_ns: u64,
    /// When it was over.
    pub end_ns: u64,
    interval_start_ns: u64,
    next_report_ns: Option<u64>,
    next_pace_ns: u64,
    blocks: u64,
    pub reported: bool,
    /// Intervals, for JSON.
    pub intervals: Vec<Json>,
}

/// Why [`Run::until_event`] came back.
pub(super) enum Event {
    /// The other side said something.
    State(i8),
    /// It has gone.
    Lost,
    /// What the client asked for is done.
    Done,
}

impl Run {
    pub fn new(params: Params, is_server: bool) -> Run {
        let sends = is_server == params.reverse;
        Run {
            params,
            is_server,
            sends,
            flows: Vec::new(),
            shared: None,
            start_ns: 0,
            end_ns: 0,
            interval_start_ns: 0,
            next_report_ns: None,
            next_pace_ns: 0,
            blocks: 0,
            reported: false,
            intervals: Vec::new(),
        }
    }

    /// What each stream sends, in bits a second.
    fn rate(&self) -> u64 {
        self.params.rate.unwrap_or(UNLIMITED / self.params.streams.max(1) as u64)
    }

    pub fn begin(&mut self, program: &mut Program<'_>, options: &Options) -> Result<(), Failure> {
        let rate = self.rate();
        for flow in &mut self.flows {
            flow.set(self.params.udp, self.params.block_size, rate);
        }
        let now = now(program)?;
        (self.start_ns, self.interval_start_ns, self.next_pace_ns) = (now, now, now);
        self.next_report_ns = (options.interval_ns > 0).then(|| now + options.interval_ns);
        Ok(())
    }

    /// Carries data, and tells of intervals, until something happens.
    pub fn until_event(
        &mut self,
        program: &mut Program<'_>,
        options: &Options,
        control: &mut Control,
        output: &mut Output<'_>,
    ) -> Result<Event, Failure> {
        loop {
            let clock = program.system.now()?;
            let at = clock.monotonic_ns;
            if !self.sends {
                self.receive(program)?;
            }
            control.fill(program)?;
            if let Some(state) = control.take_state() {
                return Ok(Event::State(state));
            }
            if control.has_ended {
                return Ok(Event::Lost);
            }
            // What is due just now belongs to the interval that begins.
            if self.next_report_ns.is_some_and(|report| report <= at) {
                self.interval(program, options, output, at);
                self.next_report_ns =
                    Some(at - (at - self.start_ns) % options.interval_ns + options.interval_ns);
            }
            if !self.is_server && self.is_done(at) {
                return Ok(Event::Done);
            }
            if self.sends {
                self.send(program, at, clock.realtime_ns)?;
                if !self.is_server && self.is_done(at) {
                    return Ok(Event::Done);
                }
            }
            self.wait(program, control, at)?;
        }
    }

    /// Whether the client's condition holds.
    fn is_done(&self, at: u64) -> bool {
        let bytes: u64 = self.flows.iter().map(|flow| flow.bytes).sum();
        let params = &self.params;
        params.seconds > 0 && at >= self.start_ns + params.seconds * NS_PER_S
            || params.bytes > 0 && bytes >= params.bytes
            || params.blocks > 0 && self.blocks_done() >= params.blocks
            || self.flows.iter().all(|flow| flow.has_ended)
    }

    fn blocks_done(&self) -> u64 {
        if self.sends { self.blocks } else { self.flows.iter().map(|flow| flow.packets).sum() }
    }

    fn send(&mut self, program: &mut Program<'_>, at: u64, realtime_ns: u64) -> Result<(), Failure> {
        if self.next_pace_ns > at {
            return Ok(());
        }
        let over = self.params.seconds > 0 && at >= self.start_ns + self.params.seconds * NS_PER_S;
        let params = &self.params;
        for flow in &mut self.flows {
            let enough = match (params.bytes, params.blocks) {
                (0, 0) => u64::MAX,
                (0, blocks) => blocks.saturating_sub(self.blocks),
                (bytes, _) => bytes.saturating_sub(flow.bytes).div_ceil(params.block_size.max(1) as u64),
            };
            if !over && !flow.has_ended {
                flow.is_blocked = false;
                self.blocks += flow.send(program, at.saturating_sub(self.start_ns), realtime_ns, enough)?;
            }
        }
        Ok(())
    }

    fn receive(&mut self, program: &mut Program<'_>) -> Result<(), Failure> {
        let Some(shared) = self.shared else {
            for flow in &mut self.flows {
                if !flow.has_ended {
                    flow.receive(program)?;
                }
            }
            return Ok(());
        };
        loop {
            let items = program.system.receive(shared, 64)?;
            if items.is_empty() {
                return Ok(());
            }
            for item in items {
                if let Received::Datagram { data, from, realtime_ns, .. } = item
                    && let Some(flow) = self.flows.iter_mut().find(|flow| flow.remote == from)
                {
                    flow.took_datagram(&data, realtime_ns);
                }
            }
        }
    }

    fn wait(&mut self, program: &mut Program<'_>, control: &Control, at: u64) -> Result<(), Failure> {
        let mut reading = vec![control.fd];
        let mut writing = Vec::new();
        let mut until = [self.next_report_ns].into_iter().flatten().collect::<Vec<u64>>();
        if self.params.seconds > 0 && !self.is_server {
            until.push(self.start_ns + self.params.seconds * NS_PER_S);
        }
        if self.sends {
            writing.extend(
                self.flows.iter().filter(|flow| flow.is_blocked && !flow.has_ended).map(|flow| flow.fd),
            );
            let due = self.flows.iter().filter(|flow| !flow.is_blocked && !flow.has_ended);
            if let Some(due) = due.map(|flow| self.start_ns.saturating_add(flow.due_ns())).min() {
                self.next_pace_ns = due.max(at + PACE_NS);
                until.push(self.next_pace_ns);
            }
            if !writing.is_empty() {
                self.next_pace_ns = at;
            }
        } else {
            match self.shared {
                Some(shared) => reading.push(shared),
                None => {
                    reading.extend(self.flows.iter().filter(|flow| !flow.has_ended).map(|flow| flow.fd));
                }
            }
        }
        let until = until.into_iter().min();
        match program.system.wait_for(&reading, &writing, until, control.bounded) {
            Err(Errno::EINTR) if program.shell.take_signal().is_some() => {
                let who = if self.is_server { "server" } else { "client" };
                fail(format!("interrupt - the {who} has terminated"))
            }
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Tells of the interval that ends now.
    fn interval(&mut self, program: &mut Program<'_>, options: &Options, output: &mut Output<'_>, at: u64) {
        for flow in &mut self.flows {
            flow.look(program);
        }
        let span = (self.interval_start_ns - self.start_ns, at - self.start_ns);
        if options.json {
            self.intervals.push(super::json::interval(self, span));
        } else {
            let text = report::interval(self, options, span);
            output.print(program, &text);
        }
        self.reported = true;
        self.interval_start_ns = at;
        for flow in &mut self.flows {
            flow.begin_interval();
        }
    }

    /// The test is over: what has come is taken, and the last interval told of if it is long enough.
    pub fn end(
        &mut self,
        program: &mut Program<'_>,
        options: &Options,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        if !self.sends {
            self.receive(program)?;
        }
        let at = now(program)?;
        self.end_ns = at;
        let length = at - self.interval_start_ns;
        let has_data = self.flows.iter().any(|flow| flow.interval_bytes > 0);
        if length > 0 && (has_data || length >= options.interval_ns / SHORT_INTERVAL) {
            self.interval(program, options, output, at);
        } else {
            for flow in &mut self.flows {
                flow.look(program);
            }
        }
        Ok(())
    }

    pub fn close(&mut self, program: &mut Program<'_>) {
        for flow in &self.flows {
            if Some(flow.fd) != self.shared {
                let _ = program.system.close(flow.fd);
            }
        }
    }

    /// How long it took, in nanoseconds.
    pub fn length_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }
}
