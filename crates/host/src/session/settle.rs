//! What the session's processes are doing, from `/proc`.
//!
//! A program started in the background (`tcpdump … &`) must be listening before a later one sends, and time must
//! not jump while a shell is about to act. Both are seen from outside: a shell or a program that is starting
//! runs; one that has come to its point sleeps.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{SOCKET_VARIABLE, registry};
use crate::multicall;

/// A process that started less than this ago counts while it runs, whatever it is: `timeout`, `env` and the like
/// on their way to start something else.
const YOUNG_NS: u64 = 2_000_000_000;
/// So many process ids may have been given out between two looks that each is tried on its own.
const PROBES_MAX: u32 = 400;
/// A fork has become visible, or failed, after this long.
const FORK_NS: u64 = 1_000_000_000;
/// So many of them are tried again.
const UNSEEN_MAX: usize = 1000;
const SHELLS: &[&str] = &["ash", "bash", "busybox", "dash", "fish", "ksh", "mksh", "sh", "zsh"];

/// Whether a program of this name is a shell.
pub fn is_shell(name: &str) -> bool {
    SHELLS.contains(&name)
}

/// What is read of one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pub id: u32,
    pub parent: u32,
    pub group: u32,
    /// `R`, `S`, `D`, `T`, `Z`, …
    pub state: char,
    /// Nanoseconds since the machine started.
    pub started_ns: u64,
    pub name: String,
}

impl Process {
    /// Computing, or waiting for a disk as a starting program does.
    pub fn is_running(&self) -> bool {
        matches!(self.state, 'R' | 'D')
    }

    pub fn is_shell(&self) -> bool {
        is_shell(&self.name)
    }

    /// Which of two processes started first.
    pub fn age_key(&self) -> (u64, u32) {
        (self.started_ns, self.id)
    }
}

/// Ids and processor time of processes that all sleep.
pub type Sleepers = Vec<(u32, Option<(u64, u64)>)>;

/// Where processes are read from.
pub trait ProcessTable {
    /// The process id given out last.
    fn last_id(&self) -> Option<u32>;
    fn ids(&self) -> Vec<u32>;
    fn process(&self, id: u32) -> Option<Process>;
    /// Nanoseconds spent on a processor, and how often it got there: unchanged means that it slept.
    fn processor_time(&self, id: u32) -> Option<(u64, u64)>;
    /// Whether a process whose state is `S` waits for a processor all the same: it was preempted just before
    /// it would have slept, or just after it should have woken (as in `do_wait`, which sets its state first).
    fn is_preempted(&self, id: u32) -> bool;
    /// Whether the process runs this very program.
    fn is_hairpin(&self, id: u32) -> bool;
    /// Nanoseconds since the machine started.
    fn uptime_ns(&self) -> u64;
}

/// The processes of a session: those adopted, and what they started.
pub struct Family<T> {
    table: T,
    members: BTreeSet<u32>,
    /// Process groups of the adopted: what a dead parent leaves behind is found by its group.
    groups: BTreeSet<u32>,
    /// Its children are members without having been adopted: they are orphans of the session.
    reaper: Option<u32>,
    last_id: Option<u32>,
    /// Ids given out that named no process when looked at, and when that was: a fork takes its id before it
    /// can be seen.
    unseen: Vec<(u32, u64)>,
}

impl<T: ProcessTable> Family<T> {
    pub fn new(table: T, reaper: Option<u32>) -> Self {
        let last_id = table.last_id();
        Family {
            table,
            members: BTreeSet::new(),
            groups: BTreeSet::new(),
            reaper,
            last_id,
            unseen: Vec::new(),
        }
    }

    pub fn table(&self) -> &T {
        &self.table
    }

    /// Makes a process a member, with everything it will start.
    pub fn adopt(&mut self, id: u32) {
        if self.members.is_empty() {
            // Nothing that started before can belong to the session.
            self.last_id = Some(id.saturating_sub(1)).min(self.table.last_id());
            self.groups.clear();
        }
        if let Some(process) = self.table.process(id) {
            self.members.insert(id);
            self.groups.insert(process.group);
        }
    }

    /// The living members, as they are now.
    pub fn look(&mut self) -> Vec<Process> {
        let fresh = self.fresh();
        let mut found: BTreeMap<u32, Process> = BTreeMap::new();
        for id in &self.members {
            if let Some(process) = self.table.process(*id) {
                found.insert(*id, process);
            }
        }
        let now = self.table.uptime_ns();
        let mut again = std::mem::take(&mut self.unseen);
        again.drain(..again.len().saturating_sub(UNSEEN_MAX));
        let mut strangers = Vec::new();
        for (id, since) in again.into_iter().chain(fresh.into_iter().map(|id| (id, now))) {
            match self.table.process(id) {
                Some(process) if !found.contains_key(&id) => strangers.push(process),
                None if now.saturating_sub(since) < FORK_NS => self.unseen.push((id, since)),
                _ => {}
            }
        }
        // Mostly one pass: a child's id is above its parent's, unless ids have wrapped around.
        loop {
            let before = strangers.len();
            strangers.retain(|process| {
                let related = found.contains_key(&process.parent)
                    || Some(process.parent) == self.reaper
                    || self.groups.contains(&process.group);
                if related && Some(process.id) != self.reaper {
                    found.insert(process.id, process.clone());
                }
                !related
            });
            if strangers.len() == before {
                break;
            }
        }
        self.members = found.keys().copied().collect();
        found.into_values().collect()
    }

    /// Whether what a process does concerns the others: shells, starting programs and our own do.
    pub fn matters(&self, process: &Process) -> bool {
        !matches!(process.state, 'Z' | 'X' | 'T' | 't')
            && (process.is_shell()
                || self.table.uptime_ns().saturating_sub(process.started_ns) < YOUNG_NS
                || self.table.is_hairpin(process.id))
    }

    /// Computing or about to.
    pub fn is_running(&self, process: &Process) -> bool {
        process.is_running() || process.state == 'S' && self.table.is_preempted(process.id)
    }

    /// The members' ids and processor time, if all but `except` sleep.
    pub fn asleep(&mut self, except: &BTreeSet<u32>) -> Option<Sleepers> {
        let mut times = Vec::new();
        for process in self.look() {
            if except.contains(&process.id) {
                continue;
            }
            if self.is_running(&process) {
                return None;
            }
            times.push((process.id, self.table.processor_time(process.id)));
        }
        Some(times)
    }

    /// Ids that were given out since the last look; some of them may not be visible yet.
    fn fresh(&mut self) -> Vec<u32> {
        let newest = self.table.last_id();
        let fresh = match (self.last_id, newest) {
            (Some(last), Some(newest)) if newest >= last && newest - last <= PROBES_MAX => {
                (last.saturating_add(1)..=newest).collect()
            }
            (_, newest) => {
                let newest = newest.unwrap_or(0);
                let mut ids: BTreeSet<u32> = (newest.saturating_sub(PROBES_MAX) + 1..=newest).collect();
                ids.extend(self.table.ids());
                ids.into_iter().collect()
            }
        };
        self.last_id = newest;
        fresh
    }
}

/// Ages of a process and its ancestors, the oldest first. In their order came the commands that a script began: what
/// a background command starts is as old as that command, however late it comes.
pub fn lineage(all: &[Process], process: u32) -> Vec<(u64, u32)> {
    let mut ages = Vec::new();
    let mut at = process;
    while let Some(found) = all.iter().find(|candidate| candidate.id == at)
        && ages.len() < all.len()
    {
        ages.push(found.age_key());
        at = found.parent;
    }
    ages.reverse();
    ages
}

/// Whether `ancestor` started `process`, directly or through others.
pub fn is_ancestor(all: &[Process], ancestor: u32, process: u32) -> bool {
    let mut at = process;
    // Bounded: parents form no loop, but the list is not one instant's.
    for _ in 0..all.len() {
        match all.iter().find(|candidate| candidate.id == at) {
            Some(found) if found.parent == ancestor => return true,
            Some(found) => at = found.parent,
            None => return false,
        }
    }
    false
}

/// The machine's own `/proc`.
#[derive(Clone, Debug)]
pub struct Proc {
    /// Device and inode of this program.
    own: Option<(u64, u64)>,
    ticks_per_second: u64,
    /// `/proc/PID/wchan` has once said more than "0": it is there and may be read.
    tells_wait_channel: Cell<bool>,
}

impl Proc {
    pub fn new() -> Self {
        let ticks = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok().flatten();
        let proc = Proc {
            own: executable(std::process::id()),
            ticks_per_second: ticks.map_or(100, |t| t.max(1) as u64),
            tells_wait_channel: Cell::new(false),
        };
        // The parent is mostly a shell that sleeps in wait().
        proc.is_preempted(nix::unistd::getppid().as_raw().unsigned_abs());
        proc
    }
}

/// What says which session a `hairpin exec` is for, if its command line does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrance<'a> {
    /// The session's name.
    pub name: &'a str,
    /// Its directory, which ends in the name.
    pub directory: &'a Path,
}

impl Proc {
    /// Processes that are on their way into a session but not yet there: `hairpin exec` for it. The oldest comes first.
    pub fn on_their_way(&self, to: &Entrance<'_>) -> Vec<u32> {
        let words = |id: u32, file: &str| {
            let bytes = std::fs::read(format!("/proc/{id}/{file}")).unwrap_or_default();
            bytes.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect::<Vec<_>>()
        };
        let mut found: Vec<Process> = self
            .ids()
            .into_iter()
            .filter(|id| self.is_hairpin(*id) && leads_to(&words(*id, "cmdline"), &words(*id, "environ"), to))
            .filter_map(|id| self.process(id))
            .collect();
        found.sort_by_key(Process::age_key);
        found.into_iter().map(|process| process.id).collect()
    }
}

/// Whether a program of these arguments in this environment enters a session by `hairpin exec`.
fn leads_to(arguments: &[Vec<u8>], environment: &[Vec<u8>], to: &Entrance<'_>) -> bool {
    let mut words = arguments.iter().map(|word| String::from_utf8_lossy(word));
    // Called by the name of a front end the program is that one.
    let called = words.next().unwrap_or_default();
    let is_front_end = |path: &str| {
        path.rsplit('/').next().is_some_and(|name| multicall::names().any(|known| known == name))
    };
    if is_front_end(&called) || words.next().as_deref() != Some("exec") {
        return false;
    }
    // Options come before the host.
    let options: Vec<_> = words.take_while(|word| word != "--").collect();
    for (at, word) in options.iter().enumerate() {
        let value = match word.as_ref() {
            "-w" | "--world" => options.get(at + 1).map(AsRef::as_ref),
            word => word.strip_prefix("--world=").or_else(|| word.strip_prefix("-w")),
        };
        if let Some(value) = value {
            return value.trim_start_matches('=') == to.name;
        }
    }
    // Inside a session that one is meant, outside the only one that is up.
    let prefix = format!("{SOCKET_VARIABLE}=");
    let socket = environment.iter().find_map(|word| word.strip_prefix(prefix.as_bytes()));
    match socket.filter(|path| !path.is_empty()) {
        Some(path) => path == to.directory.join("socket").as_os_str().as_bytes(),
        None => registry::is_base(to.directory.parent(), |name| {
            let prefix = format!("{name}=");
            let value = environment.iter().find_map(|word| word.strip_prefix(prefix.as_bytes()))?;
            Some(OsStr::from_bytes(value).to_owned())
        }),
    }
}

impl Default for Proc {
    fn default() -> Self {
        Proc::new()
    }
}

impl ProcessTable for Proc {
    fn last_id(&self) -> Option<u32> {
        std::fs::read_to_string("/proc/loadavg").ok()?.split_ascii_whitespace().nth(4)?.parse().ok()
    }

    fn ids(&self) -> Vec<u32> {
        let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
    }

    fn process(&self, id: u32) -> Option<Process> {
        let text = std::fs::read(format!("/proc/{id}/stat")).ok()?;
        parse_stat(&String::from_utf8_lossy(&text), self.ticks_per_second)
    }

    fn processor_time(&self, id: u32) -> Option<(u64, u64)> {
        if let Ok(text) = std::fs::read_to_string(format!("/proc/{id}/schedstat")) {
            let mut fields = text.split_ascii_whitespace();
            return Some((fields.next()?.parse().ok()?, fields.nth(1)?.parse().ok()?));
        }
        // Kernels without scheduler statistics count in ticks.
        let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
        Some((fields.nth(11)?.parse().ok()?, fields.next()?.parse().ok()?))
    }

    fn is_preempted(&self, id: u32) -> bool {
        // kernel/sched/core.c:get_wchan says 0 of a task that is on a run queue.
        match std::fs::read(format!("/proc/{id}/wchan")) {
            Ok(text) if text == b"0" => self.tells_wait_channel.get(),
            Ok(text) => {
                self.tells_wait_channel.set(!text.is_empty());
                false
            }
            Err(_) => false,
        }
    }

    fn is_hairpin(&self, id: u32) -> bool {
        self.own.is_some() && executable(id) == self.own
    }

    fn uptime_ns(&self) -> u64 {
        let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME);
        now.map_or(0, |now| {
            (now.tv_sec() as u64).saturating_mul(1_000_000_000).saturating_add(now.tv_nsec() as u64)
        })
    }
}

/// Device and inode of the program that a process runs.
fn executable(id: u32) -> Option<(u64, u64)> {
    std::fs::metadata(format!("/proc/{id}/exe")).ok().map(|file| (file.dev(), file.ino()))
}

/// `/proc/PID/stat` (proc_pid_stat(5)); the name stands in brackets and may hold anything.
fn parse_stat(text: &str, ticks_per_second: u64) -> Option<Process> {
    let (head, rest) = text.rsplit_once(')')?;
    let (id, name) = head.split_once(" (")?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    // Start time is field 22, the 17th behind the group.
    let ticks: u64 = fields.nth(16)?.parse().ok()?;
    let started_ns = ticks.saturating_mul(1_000_000_000 / ticks_per_second.max(1));
    Some(Process { id: id.parse().ok()?, parent, group, state, started_ns, name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    #[derive(Clone, Default)]
    struct Fake(Rc<RefCell<Vec<Process>>>);

    impl Fake {
        fn add(&self, id: u32, parent: u32, group: u32, state: char, name: &str) {
            let started_ns = u64::from(id) * 1_000_000_000;
            self.0.borrow_mut().push(Process { id, parent, group, state, started_ns, name: name.to_owned() });
        }

        fn remove(&self, id: u32) {
            self.0.borrow_mut().retain(|process| process.id != id);
        }
    }

    impl ProcessTable for Fake {
        fn last_id(&self) -> Option<u32> {
            self.ids().into_iter().max()
        }
        fn ids(&self) -> Vec<u32> {
            self.0.borrow().iter().map(|process| process.id).collect()
        }
        fn process(&self, id: u32) -> Option<Process> {
            self.0.borrow().iter().find(|process| process.id == id).cloned()
        }
        fn processor_time(&self, _id: u32) -> Option<(u64, u64)> {
            Some((0, 0))
        }
        fn is_preempted(&self, _id: u32) -> bool {
            false
        }
        fn is_hairpin(&self, id: u32) -> bool {
            self.process(id).is_some_and(|process| process.name == "tcpdump")
        }
        fn uptime_ns(&self) -> u64 {
            100_000_000_000
        }
    }

    fn ids(processes: &[Process]) -> Vec<u32> {
        processes.iter().map(|process| process.id).collect()
    }

    #[test]
    fn descendants_and_orphans_are_members() {
        let table = Fake::default();
        table.add(1, 0, 1, 'S', "init");
        table.add(5, 1, 5, 'R', "stranger");
        let mut family = Family::new(table.clone(), Some(9));
        table.add(10, 5, 10, 'S', "bash");
        family.adopt(10);
        table.add(11, 10, 10, 'R', "bash");
        table.add(12, 11, 12, 'S', "ping");
        table.add(13, 1, 10, 'S', "left behind");
        table.add(14, 9, 14, 'S', "reaped");
        table.add(15, 5, 5, 'R', "stranger");
        assert_eq!(ids(&family.look()), [10, 11, 12, 13, 14]);
        table.remove(11);
        assert_eq!(ids(&family.look()), [10, 12, 13, 14]);
        assert!(is_ancestor(&[table.process(12).expect("12"), table.process(10).expect("10")], 11, 12));
    }

    #[test]
    fn what_a_command_starts_is_as_old_as_the_command() {
        let table = Fake::default();
        table.add(10, 1, 10, 'S', "bash");
        table.add(11, 10, 10, 'S', "bash");
        table.add(12, 10, 10, 'S', "ping");
        table.add(13, 11, 10, 'R', "ip");
        let all: Vec<Process> = [10, 11, 12, 13].into_iter().filter_map(|id| table.process(id)).collect();
        assert!(lineage(&all, 13) < lineage(&all, 12));
        assert!(lineage(&all, 11) < lineage(&all, 13));
        assert_eq!(lineage(&all, 99), []);
    }

    #[test]
    fn who_matters() {
        let table = Fake::default();
        table.add(10, 1, 10, 'R', "bash");
        table.add(11, 1, 10, 'S', "bash");
        table.add(12, 1, 10, 'D', "tcpdump");
        table.add(13, 1, 10, 'R', "yes");
        table.add(99, 1, 10, 'R', "timeout");
        let family = Family::new(table.clone(), None);
        table.add(14, 1, 10, 'Z', "bash");
        let found: Vec<u32> = [10, 11, 12, 13, 14, 99]
            .into_iter()
            .filter(|id| family.matters(&table.process(*id).expect("a process")))
            .collect();
        assert_eq!(found, [10, 11, 12, 99]);
    }

    #[test]
    fn a_name_may_hold_brackets() {
        let rest = "S 7 8 9 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 250 0 0";
        let process = parse_stat(&format!("42 (a) b (c) {rest}"), 100).expect("parsed");
        assert_eq!((process.id, process.parent, process.group), (42, 7, 8));
        assert_eq!((process.name.as_str(), process.started_ns), ("a) b (c", 2_500_000_000));
        assert_eq!(parse_stat("42 (x", 100), None);
    }

    #[test]
    fn who_is_on_the_way_into_a_session() {
        let to = Entrance { name: "lan", directory: Path::new("/run/hp/lan") };
        let leads = |command: &str, environment: &[&str]| {
            let arguments: Vec<Vec<u8>> = command.split(' ').map(|word| word.into()).collect();
            let environment: Vec<Vec<u8>> = environment.iter().map(|word| word.as_bytes().into()).collect();
            leads_to(&arguments, &environment, &to)
        };
        for command in
            ["hairpin exec -w lan a -- nc", "hairpin exec --world=lan", "hairpin exec -wlan a -- x"]
        {
            assert!(leads(command, &[]), "{command}");
        }
        for command in ["hairpin exec -w wan a -- nc", "hairpin ls", "hairpin", "nc exec -w lan"] {
            assert!(!leads(command, &["HAIRPIN_RUNTIME_DIR=/run/hp"]), "{command}");
        }
        let plain = "hairpin exec a -- bash -w wan";
        assert!(leads(plain, &["HAIRPIN_RUNTIME_DIR=/run/hp", "HAIRPIN_SOCKET="]));
        assert!(leads(plain, &["HAIRPIN_SOCKET=/run/hp/lan/socket"]));
        assert!(!leads(plain, &["HAIRPIN_RUNTIME_DIR=/run/hp", "HAIRPIN_SOCKET=/run/hp/wan/socket"]));
        assert!(!leads(plain, &["HAIRPIN_RUNTIME_DIR=/run/other"]));
    }

    #[test]
    fn this_process_is_found() {
        let proc = Proc::new();
        let own = proc.process(std::process::id()).expect("own entry");
        assert!(proc.is_hairpin(own.id));
        assert!(proc.uptime_ns() >= own.started_ns);
        assert!(proc.last_id().is_some());
    }
}
