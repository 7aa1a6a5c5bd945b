//! What the server does when there is no input: releases first calls, moves time.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use hairpin_netlink::Reply;

use super::clock::{self, Decision};
use super::connection::{Client, Role, State};
use super::protocol::Response;
use super::server::Server;
use super::settle::{self, Process, ProcessTable};
use super::{Pace, START_COST_NS};

/// A program's first call waits at most this long for what was started before it.
const FIRST_CALL_MAX: Duration = Duration::from_secs(5);
/// A program that neither waits nor answers stops time for this long.
const BUSY_MAX: Duration = Duration::from_secs(1);
/// A running shell stops a jump for this long.
const UNQUIET_MAX: Duration = Duration::from_secs(1);
/// A program that computes without a call stops the background for this long.
const NOT_IDLE_MAX: Duration = Duration::from_secs(2);
/// Between two looks at processes that are not where they should be yet.
const LOOK_AGAIN: Duration = Duration::from_micros(500);
/// Between the two looks that must agree for the session to be idle.
const IDLE_GAP: Duration = Duration::from_millis(3);
/// A kernel's clock ends there, and what is due later never happens (`KTIME_MAX`).
const END_NS: u64 = i64::MAX as u64;
/// Longest run of events between two looks at the sockets.
const JUMP_MAX: Duration = Duration::from_millis(20);

/// A first call that waits for others.
struct Held {
    id: u64,
    process: u32,
    age: (u64, u32),
    after: Option<u32>,
    since: Instant,
}

impl Server {
    /// One round of everything that is not input; says when to look again.
    pub(super) fn step(&mut self) -> Option<Duration> {
        let first = self.release_first_calls();
        // What a call has sent is there at once: time need not move for it.
        self.wake(None);
        let clock = self.run_clock();
        self.write_trace();
        match (first, clock) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Lets the oldest first call go on if everything older has come to its point.
    fn release_first_calls(&mut self) -> Option<Duration> {
        let held: Vec<Held> = self
            .connections
            .iter()
            .filter_map(|(id, connection)| match &connection.role {
                Role::Client(Client { state: State::First(_, since), age, after, .. }) => {
                    let process = connection.process;
                    Some(Held { id: *id, process, age: *age, after: *after, since: *since })
                }
                _ => None,
            })
            .collect();
        if held.is_empty() {
            return None;
        }
        // The others wait for the one whose command the script began first.
        let processes = self.family.look();
        let lineage = |held: &Held| {
            // Behind all that a process has started which it started itself.
            let behind =
                held.after.map(|after| settle::lineage(&processes, after)).filter(|ages| !ages.is_empty());
            let found = match behind {
                Some(ages) => [ages, vec![(u64::MAX, u32::MAX)]].concat(),
                None => settle::lineage(&processes, held.process),
            };
            if found.is_empty() { vec![held.age] } else { found }
        };
        let (lineage, id, since) = held
            .into_iter()
            .map(|held| (lineage(&held), held.id, held.since))
            .min_by(|a, b| a.0.cmp(&b.0))?;
        if since.elapsed() < FIRST_CALL_MAX {
            let still = self.stands_still(|server, processes| server.older_than(id, &lineage, processes));
            if !still {
                return Some(LOOK_AGAIN);
            }
            // A process that slept may have been waiting for us: its request is looked at first.
            if self.has_input() {
                return Some(Duration::ZERO);
            }
        } else {
            self.give_up_on_running();
        }
        if let Some(client) = self.client(id)
            && let State::First(call, _) = std::mem::replace(&mut client.state, State::Running)
        {
            self.charge_start();
            self.perform(id, call);
        }
        Some(Duration::ZERO)
    }

    /// Lets the time pass that a program's start takes. Whoever waits meanwhile is woken behind it.
    fn charge_start(&mut self) {
        if self.pace == Pace::Virtual {
            let after = self.emulator.now().monotonic_ns.saturating_add(START_COST_NS).min(END_NS);
            self.emulator.advance_to(after);
        }
    }

    /// Whether the processes that `relevant` picks were all asleep at one instant; it gives `None` where one of
    /// them runs.
    ///
    /// One look does not show that: it reads process after process, and the one read first may have been woken by
    /// the one read last. But who is asleep in both of two looks and got no processor time in between has slept
    /// from the one to the other.
    fn stands_still(&mut self, relevant: impl Fn(&Server, &[Process]) -> Option<Vec<u32>>) -> bool {
        let processes = self.family.look();
        let Some(before) = relevant(self, &processes) else { return false };
        if before.is_empty() {
            return true;
        }
        let times = |server: &Server, ids: &[u32]| -> Vec<_> {
            ids.iter().map(|id| server.family.table().processor_time(*id)).collect()
        };
        let times_before = times(self, &before);
        let processes = self.family.look();
        relevant(self, &processes).is_some_and(|after| after == before && times(self, &after) == times_before)
    }

    /// The processes that a first call has to wait for.
    fn older_than(&self, id: u64, lineage: &[(u64, u32)], processes: &[Process]) -> Option<Vec<u32>> {
        let own = self.connections.get(&id)?.process;
        let older = processes.iter().filter(|process| {
            process.id != own
                && settle::lineage(processes, process.id).as_slice() < lineage
                && !settle::is_ancestor(processes, process.id, own)
        });
        self.asleep(older)
    }

    /// The ids of those that have still to come to their point, if none of them is running.
    fn asleep<'a>(&self, processes: impl Iterator<Item = &'a Process>) -> Option<Vec<u32>> {
        let mut ids = Vec::new();
        for process in processes.filter(|process| self.holds_others(process)) {
            if self.family.is_running(process) {
                return None;
            }
            ids.push(process.id);
        }
        Some(ids)
    }

    /// Whether others must wait for a process while it runs.
    fn holds_others(&self, process: &Process) -> bool {
        if self.restless.contains(&process.id) {
            return false;
        }
        let mut clients = self.connections.values().filter(|c| c.process == process.id).peekable();
        if clients.peek().is_none() {
            return self.family.matters(process);
        }
        clients.any(|connection| match &connection.role {
            Role::Client(client) => !client.settled,
            // A shell that `ip netns exec` turned into is one like any other.
            Role::Holder { .. } => self.family.matters(process),
            Role::Stranger => true,
        })
    }

    /// Brings a clock that follows the wall while nobody calls up to date, before somebody reads it.
    pub(super) fn catch_up(&mut self) {
        if self.pace == Pace::Real || self.prompts() && self.pacer.is_following() {
            self.follow();
        }
    }

    /// Whether somebody types at a shell of the session.
    fn prompts(&self) -> bool {
        self.connections.values().any(|c| matches!(c.role, Role::Holder { prompts: true, .. }))
    }

    /// Moves time as far as the rules let it; says when to look again.
    fn run_clock(&mut self) -> Option<Duration> {
        if self.pace == Pace::Virtual {
            self.find_stuck();
        }
        let participants = self.connections.values().filter_map(|connection| match &connection.role {
            Role::Client(client) => Some(client.participant()),
            _ => None,
        });
        match clock::decide(self.pace, participants, self.prompts()) {
            Decision::Stand => {
                self.pacer.stop();
                // Busy programs are looked at again, whether they are stuck.
                self.anyone_waits().then_some(Duration::from_millis(1))
            }
            Decision::Follow => self.follow(),
            Decision::Jump => match self.unquiet() {
                Some(pause) => Some(pause),
                None => self.jump(),
            },
            Decision::JumpIfIdle { follow_otherwise } => match (self.not_idle(), follow_otherwise) {
                (None, _) => self.jump(),
                (Some(pause), true) => Some(self.follow().map_or(pause, |other| other.min(pause))),
                (Some(pause), false) => Some(pause),
            },
            Decision::FollowIfIdle => match self.not_idle() {
                None => self.follow(),
                Some(pause) => {
                    self.pacer.stop();
                    Some(pause)
                }
            },
        }
    }

    /// Marks programs that neither wait nor answer: asleep elsewhere, or computing for too long.
    fn find_stuck(&mut self) {
        if !self.anyone_waits() {
            return;
        }
        let mut asleep = Vec::new();
        for (id, connection) in &self.connections {
            if let Role::Client(client) = &connection.role
                && matches!(client.state, State::Running)
                && !client.stuck
            {
                let busy = client.busy_since.elapsed();
                // One that is about to become another program sleeps while it enters its namespaces.
                let patience = if client.becomes { FIRST_CALL_MAX } else { Duration::from_millis(1) };
                if busy < patience {
                    continue;
                }
                let running = self
                    .family
                    .table()
                    .process(connection.process)
                    .is_some_and(|process| process.is_running());
                if !running || busy >= BUSY_MAX {
                    asleep.push(*id);
                }
            }
        }
        if asleep.is_empty() || self.has_input() {
            return;
        }
        for id in asleep {
            if let Some(client) = self.client(id) {
                client.stuck = true;
            }
        }
    }

    fn anyone_waits(&self) -> bool {
        self.connections
            .values()
            .any(|c| matches!(&c.role, Role::Client(Client { state: State::Waiting { .. }, .. })))
    }

    /// How long to wait until no shell or starting program of the session runs; `None` when that is so.
    fn unquiet(&mut self) -> Option<Duration> {
        self.pacer.stop();
        if !self.disturbed {
            return None;
        }
        let connected: BTreeSet<u32> = self
            .connections
            .values()
            .filter(|connection| matches!(connection.role, Role::Client(_)))
            .map(|connection| connection.process)
            .collect();
        let others = |server: &Server, processes: &[Process]| {
            server.asleep(processes.iter().filter(|process| !connected.contains(&process.id)))
        };
        if !self.stands_still(others) {
            let since = *self.unquiet_since.get_or_insert_with(Instant::now);
            if since.elapsed() < UNQUIET_MAX {
                return Some(LOOK_AGAIN);
            }
            self.give_up_on_running();
        }
        self.unquiet_since = None;
        if self.has_input() {
            return Some(Duration::ZERO);
        }
        self.disturbed = false;
        None
    }

    /// What runs now has run for too long: nobody waits for it any more.
    fn give_up_on_running(&mut self) {
        let all = self.family.look();
        self.restless.retain(|id| all.iter().any(|process| process.id == *id));
        self.restless.extend(all.iter().filter(|p| self.family.is_running(p)).map(|p| p.id));
    }

    /// How long to wait until the session's other processes have been asleep for a while; `None` when they have.
    fn not_idle(&mut self) -> Option<Duration> {
        let mut except: BTreeSet<u32> = self
            .connections
            .values()
            .filter(|c| matches!(&c.role, Role::Client(Client { state: State::Waiting { .. }, .. })))
            .map(|connection| connection.process)
            .collect();
        except.extend(&self.restless);
        let Some(sleepers) = self.family.asleep(&except) else {
            self.idle = None;
            let since = *self.unquiet_since.get_or_insert_with(Instant::now);
            if since.elapsed() >= NOT_IDLE_MAX {
                self.unquiet_since = None;
                self.give_up_on_running();
            }
            return Some(Duration::from_millis(1));
        };
        self.unquiet_since = None;
        match &self.idle {
            Some((since, before)) if *before == sleepers => match IDLE_GAP.checked_sub(since.elapsed()) {
                Some(left) if !left.is_zero() => Some(left),
                _ if self.has_input() => Some(Duration::ZERO),
                _ => None,
            },
            _ => {
                self.idle = Some((Instant::now(), sleepers));
                Some(IDLE_GAP)
            }
        }
    }

    /// From event to event, until somebody wakes.
    fn jump(&mut self) -> Option<Duration> {
        self.pacer.stop();
        let start = Instant::now();
        loop {
            let next = self.next_instant()?;
            let now = self.emulator.now().monotonic_ns;
            self.emulator.advance_to(next.max(now));
            if self.wake(None) || start.elapsed() >= JUMP_MAX {
                self.changed();
                return Some(Duration::ZERO);
            }
        }
    }

    /// Up to what the wall clock says, or until somebody wakes.
    fn follow(&mut self) -> Option<Duration> {
        let wall = self.started.elapsed().as_nanos() as u64;
        let target = self.pacer.target(wall, self.emulator.now().monotonic_ns);
        let start = Instant::now();
        loop {
            let now = self.emulator.now().monotonic_ns;
            match self.next_instant().map(|next| next.max(now)) {
                Some(next) if next <= target => {
                    self.emulator.advance_to(next);
                    if self.wake(None) || start.elapsed() >= JUMP_MAX {
                        self.changed();
                        return Some(Duration::ZERO);
                    }
                }
                next => {
                    self.emulator.advance_to(target.max(now));
                    return next.map(|next| Duration::from_nanos(next - target));
                }
            }
        }
    }

    /// When something happens next: in the world, or a deadline.
    fn next_instant(&self) -> Option<u64> {
        let deadlines = self.connections.values().filter_map(|connection| match &connection.role {
            Role::Client(Client { state: State::Waiting { until_ns, .. }, .. }) => *until_ns,
            _ => None,
        });
        deadlines.chain(self.emulator.next_event()).min().filter(|at| *at <= END_NS)
    }

    /// Answers the waits that are over. True if there was one.
    pub(super) fn wake(&mut self, only: Option<u64>) -> bool {
        let now = self.emulator.now().monotonic_ns;
        let mut woken = Vec::new();
        for (id, connection) in &self.connections {
            let Role::Client(Client { task, state: State::Waiting { fds, writable, until_ns, .. }, .. }) =
                &connection.role
            else {
                continue;
            };
            if only.is_some_and(|only| only != *id) {
                continue;
            }
            let ready = match fds.is_empty() && writable.is_empty() {
                true => Vec::new(),
                false => self.emulator.ready(*task, fds, writable),
            };
            if !ready.is_empty() || until_ns.is_some_and(|until| until <= now) {
                woken.push((*id, ready));
            }
        }
        if !woken.is_empty() {
            self.changed();
        }
        for (id, ready) in &woken {
            if let Some(client) = self.client(*id) {
                client.resume();
            }
            self.answer(*id, &Response::Result(Ok(Reply::Ready(ready.clone()))));
        }
        self.disturbed |= !woken.is_empty();
        !woken.is_empty()
    }
}
