//! An emulator that knows just enough: every socket hears what every other one sends, a millisecond later.

use std::collections::BTreeMap;

use hairpin_host::session::{Emulator, TaskId, WorldSource};
use hairpin_netlink::{Call, Errno, Fd, Now, PacketType, Received, Reply};

const LATENCY_NS: u64 = 1_000_000;

/// Files that every namespace has.
const PRESET: &[(&str, &str)] = &[
    ("/proc/net/arp", "IP address       HW type\n"),
    ("/proc/sys/net/ipv4/conf/lo/rp_filter", "0\n"),
    ("/proc/sys/net/ipv4/ip_forward", "0\n"),
    ("/sys/class/net/lo/address", "00:00:00:00:00:00\n"),
    ("/sys/class/net/lo/mtu", "65536\n"),
];

#[derive(Default)]
pub struct Fake {
    now: u64,
    tasks: BTreeMap<u64, Task>,
    next: u64,
    namespaces: Vec<(String, String)>,
    files: BTreeMap<(String, Option<String>, String), Vec<u8>>,
    in_flight: Vec<(u64, u64, Vec<u8>)>,
    generation: u64,
}

struct Task {
    host: String,
    netns: Option<String>,
    sockets: BTreeMap<u32, Vec<Received>>,
}

/// `one` has one host, `two` has two.
pub fn load(source: &WorldSource) -> Result<Box<dyn Emulator>, String> {
    match source.world.as_str() {
        "one" | "two" | "one.yaml" => {
            Ok(Box::new(Fake { next: if source.world == "two" { 1002 } else { 1001 }, ..Fake::default() }))
        }
        other => Err(format!("no world '{other}'")),
    }
}

impl Emulator for Fake {
    fn hosts(&self) -> Vec<String> {
        // The parity of the numbers says which world it is.
        let all = ["alpha", "beta"].map(str::to_owned);
        if self.next.is_multiple_of(2) { all.to_vec() } else { all[..1].to_vec() }
    }

    fn open_task(&mut self, host: &str, netns: Option<&str>) -> Result<TaskId, Errno> {
        if !self.hosts().iter().any(|known| known == host) {
            return Err(Errno::EHOSTUNREACH);
        }
        if let Some(netns) = netns
            && !self.namespaces.contains(&(host.to_owned(), netns.to_owned()))
        {
            return Err(Errno::ENOENT);
        }
        self.next += 2;
        let task = Task { host: host.to_owned(), netns: netns.map(str::to_owned), sockets: BTreeMap::new() };
        self.tasks.insert(self.next, task);
        Ok(TaskId(self.next))
    }

    fn fork_task(&mut self, task: TaskId) -> Result<TaskId, Errno> {
        let parent = self.tasks.get(&task.0).ok_or(Errno::ESRCH)?;
        let child = Task { host: parent.host.clone(), netns: parent.netns.clone(), sockets: BTreeMap::new() };
        self.next += 2;
        self.tasks.insert(self.next, child);
        Ok(TaskId(self.next))
    }

    fn close_task(&mut self, task: TaskId) {
        self.tasks.remove(&task.0);
    }

    fn call(&mut self, id: TaskId, call: Call) -> Result<Reply, Errno> {
        let (now, realtime_ns) = (self.now, self.now().realtime_ns);
        let task = self.tasks.get_mut(&id.0).ok_or(Errno::ESRCH)?;
        let place = (task.host.clone(), task.netns.clone());
        match call {
            Call::Now => Ok(Reply::Now(Now { monotonic_ns: now, realtime_ns })),
            Call::Socket(_) => {
                let fd = task.sockets.len() as u32 + 3;
                task.sockets.insert(fd, Vec::new());
                Ok(Reply::Fd(Fd(fd)))
            }
            Call::Send { data, .. } => {
                let length = data.len() as u32;
                let at_once = data.starts_with(b"now");
                self.in_flight.push((if at_once { now } else { now + LATENCY_NS }, id.0, data));
                if at_once {
                    self.advance_to(now);
                }
                Ok(Reply::Sent(length))
            }
            Call::Receive { fd, max } => {
                let queue = task.sockets.get_mut(&fd.0).ok_or(Errno::EBADF)?;
                let count = queue.len().min(max as usize);
                Ok(Reply::Received(queue.drain(..count).collect()))
            }
            Call::ReadFile(path) if path == "/where" => {
                let netns = task.netns.as_deref().unwrap_or("-");
                Ok(Reply::Bytes(format!("{} {netns}\n", task.host).into_bytes()))
            }
            Call::ReadFile(path) => {
                let preset =
                    PRESET.iter().find(|(known, _)| *known == path).map(|(_, text)| text.as_bytes().to_vec());
                let key = (place.0, place.1, path);
                self.files.get(&key).cloned().or(preset).map(Reply::Bytes).ok_or(Errno::ENOENT)
            }
            Call::ListDirectory(path) => {
                let prefix = format!("{path}/");
                let mut names: Vec<String> = PRESET
                    .iter()
                    .filter_map(|(known, _)| {
                        known.strip_prefix(&prefix)?.split('/').next().map(str::to_owned)
                    })
                    .collect();
                names.dedup();
                match PRESET.iter().any(|(known, _)| *known == path) {
                    true => Err(Errno::ENOTDIR),
                    false if names.is_empty() => Err(Errno::ENOENT),
                    false => Ok(Reply::Names(names)),
                }
            }
            Call::WriteFile { path, data } => {
                let text = String::from_utf8_lossy(&data);
                if path.starts_with("/proc") && text.trim().parse::<i32>().is_err() {
                    return Err(Errno::EINVAL);
                }
                if path.starts_with('/') && !PRESET.iter().any(|(known, _)| *known == path) {
                    return Err(Errno::ENOENT);
                }
                self.generation += 1;
                self.files.insert((place.0, place.1, path), data);
                Ok(Reply::Done)
            }
            Call::NetnsAdd(name) => {
                self.generation += 1;
                self.namespaces.push((place.0, name));
                Ok(Reply::Done)
            }
            Call::NetnsDelete(name) => {
                self.namespaces.retain(|entry| *entry != (place.0.clone(), name.clone()));
                Ok(Reply::Done)
            }
            Call::NetnsList => {
                let own = self.namespaces.iter().filter(|(host, _)| *host == place.0);
                Ok(Reply::Names(own.map(|(_, name)| name.clone()).collect()))
            }
            Call::NetnsEnter(name) => {
                if !self.namespaces.contains(&(place.0, name.clone())) {
                    return Err(Errno::ENOENT);
                }
                task.netns = Some(name);
                Ok(Reply::Done)
            }
            _ => Err(Errno(38)),
        }
    }

    fn ready(&mut self, task: TaskId, fds: &[Fd], _writable: &[Fd]) -> Vec<Fd> {
        let Some(task) = self.tasks.get(&task.0) else { return Vec::new() };
        fds.iter()
            .copied()
            .filter(|fd| task.sockets.get(&fd.0).is_some_and(|queue| !queue.is_empty()))
            .collect()
    }

    fn now(&self) -> Now {
        Now { monotonic_ns: self.now, realtime_ns: 1_700_000_000_000_000_000 + self.now }
    }

    fn next_event(&self) -> Option<u64> {
        self.in_flight.iter().map(|(at, ..)| *at).min()
    }

    fn advance_to(&mut self, monotonic_ns: u64) {
        assert!(monotonic_ns >= self.now, "time runs backwards");
        self.now = monotonic_ns;
        let (due, later) = self.in_flight.drain(..).partition(|(at, ..)| *at <= monotonic_ns);
        self.in_flight = later;
        let due: Vec<(u64, u64, Vec<u8>)> = due;
        for (at, sender, data) in due {
            let frame = Received::Frame {
                data,
                ifindex: 1,
                protocol: 0,
                packet_type: PacketType::Broadcast,
                hardware: 1,
                mac: [0; 6],
                realtime_ns: at,
            };
            for (id, task) in &mut self.tasks {
                for queue in task.sockets.values_mut().filter(|_| *id != sender) {
                    queue.push(frame.clone());
                }
            }
        }
    }

    fn files(&self, host: &str) -> Vec<(String, Vec<u8>)> {
        vec![("/etc/resolv.conf".to_owned(), format!("nameserver of {host}\n").into_bytes())]
    }

    fn generation(&self) -> u64 {
        self.generation
    }
}
