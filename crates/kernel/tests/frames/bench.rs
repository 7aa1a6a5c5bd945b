//! A script of commands and frames, and what the emulated kernel makes of it.
//!
//! A line is one of these; a namespace is `.` (where the script starts) or one that it has made:
//!
//! ```text
//! $ COMMAND                    run it in `.`; its output follows
//! NETNS$ COMMAND               in another namespace
//! read PATH / write PATH TEXT  a file of /proc or /sys (NETNS:PATH for another namespace)
//! tap NETNS...                 capture every frame there from now on, as one unbound packet socket each does
//! send DEV HEX                 put a frame on a device (NETNS:DEV); what is captured follows, and every drop
//! show                         what has been captured since the last time, and every drop
//! flush                        forget it
//! sleep SECONDS
//! ```
//!
//! In a frame's hexadecimal digits, `zN` stands for N zero bytes. What follows is indented: `NETNS:DEV TYPE FRAME` in
//! the order of the taps (without `NETNS:` where there is one tap), `drop DEV REASON` below. What Linux draws at random is
//! left out: MACs that no command has set, and when hosts report their groups (IGMP).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use hairpin_kernel::task::LocalSystem;
use hairpin_kernel::trace::Step;
use hairpin_kernel::{TaskId, World};
use hairpin_netlink::socket::ETH_P_ALL;
use hairpin_netlink::{Address, Fd, PacketType, Received, SocketKind, System as _};
use hairpin_tools::quiet::{self, QuietShell};

/// How long frames are given to arrive, in nanoseconds.
const SETTLE_NS: u64 = 150_000_000;

pub struct Bench {
    world: World,
    tasks: BTreeMap<String, TaskId>,
    taps: Vec<(String, TaskId, Fd)>,
}

impl Bench {
    pub fn new() -> Self {
        let mut world = World::new(1);
        world.add_host("pc").expect("a first host");
        let task = world.open_task("pc", None).expect("a task");
        let mut bench =
            Bench { world, tasks: BTreeMap::from([("first".to_owned(), task)]), taps: Vec::new() };
        // As `unshare -n` makes one: with a second namespace's names and numbers.
        bench.command("first", "ip netns add start");
        let task = bench.world.open_task("pc", Some("start")).expect("a namespace just made");
        bench.tasks.insert(".".to_owned(), task);
        bench.world.set_tracing(true);
        bench.world.limit_trace(u64::MAX);
        bench
    }

    /// Performs a line; what follows it.
    pub fn perform(&mut self, line: &str) -> String {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "read" => self.read(rest),
            "write" => self.write(rest),
            "tap" => self.tap(rest),
            "send" => self.send(rest),
            "show" => self.show(),
            "flush" => {
                self.show();
                String::new()
            }
            "sleep" => {
                let seconds: f64 = rest.parse().expect("seconds");
                self.sleep((seconds * 1e9) as u64);
                String::new()
            }
            _ => match word.strip_suffix('$') {
                Some(netns) => self.command(if netns.is_empty() { "." } else { netns }, rest),
                None => panic!("what is '{line}'?"),
            },
        }
    }

    fn task(&mut self, netns: &str) -> TaskId {
        if let Some(task) = self.tasks.get(netns) {
            // A namespace of that name may have been deleted and made again.
            if netns == "." || netns == "first" {
                return *task;
            }
        }
        let task = self.world.open_task("pc", Some(netns)).expect("a namespace");
        if let Some(old) = self.tasks.insert(netns.to_owned(), task) {
            self.world.close_task(old);
        }
        task
    }

    fn system(&mut self, netns: &str) -> LocalSystem<'_> {
        let task = self.task(netns);
        LocalSystem { world: &mut self.world, task }
    }

    fn command(&mut self, netns: &str, line: &str) -> String {
        let argv: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let mut shell = QuietShell::default();
        let code = quiet::run(&mut self.system(netns), &mut shell, &argv);
        // Held, it would keep the namespace alive.
        if netns != "."
            && netns != "first"
            && let Some(task) = self.tasks.remove(netns)
        {
            self.world.close_task(task);
        }
        let text = String::from_utf8_lossy(&[shell.out, shell.err].concat()).into_owned();
        let mut text: String =
            text.lines().map(|line| format!("  {}\n", without_random_macs(line))).collect();
        if code != 0 {
            text.push_str(&format!("  exit code {code}\n"));
        }
        text
    }

    fn read(&mut self, path: &str) -> String {
        let (netns, path) =
            path.split_once(":/").map_or((".", path.to_owned()), |(n, p)| (n, format!("/{p}")));
        match self.system(netns).read_file(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).lines().map(|line| format!("  {line}\n")).collect(),
            Err(errno) => format!("  {}\n", errno.text()),
        }
    }

    fn write(&mut self, rest: &str) -> String {
        let (path, value) = rest.split_once(' ').expect("a value");
        let (netns, path) =
            path.split_once(":/").map_or((".", path.to_owned()), |(n, p)| (n, format!("/{p}")));
        match self.system(netns).write_file(&path, value.as_bytes()) {
            Ok(()) => String::new(),
            Err(errno) => format!("  {}\n", errno.text()),
        }
    }

    fn tap(&mut self, namespaces: &str) -> String {
        for (_, task, fd) in std::mem::take(&mut self.taps) {
            let _ = LocalSystem { world: &mut self.world, task }.close(fd);
            self.world.close_task(task);
        }
        for netns in namespaces.split_whitespace() {
            let own = self.task(netns);
            let task = self.world.fork_task(own).expect("a task");
            let mut system = LocalSystem { world: &mut self.world, task };
            let fd = system.socket(SocketKind::Packet { cooked: false, protocol: ETH_P_ALL }).expect("a tap");
            self.taps.push((netns.to_owned(), task, fd));
            if netns != "."
                && let Some(task) = self.tasks.remove(netns)
            {
                self.world.close_task(task);
            }
        }
        self.world.take_trace();
        String::new()
    }

    fn sleep(&mut self, ns: u64) {
        let task = self.task(".");
        let until = self.world.now().nanos() + ns;
        self.world.wait(task, &[], &[], Some(until));
    }

    fn send(&mut self, rest: &str) -> String {
        self.show();
        let (dev, digits) = rest.split_once(' ').expect("a device and a frame");
        let (netns, dev) = dev.split_once(':').unwrap_or((".", dev));
        let frame = frame(digits);
        let mut system = self.system(netns);
        let index = system.read_file(&format!("/sys/class/net/{dev}/ifindex")).expect("a device");
        let ifindex = String::from_utf8_lossy(&index).trim().parse().expect("a number");
        let fd = system.socket(SocketKind::Packet { cooked: false, protocol: 0 }).expect("a socket");
        let to = Address::Link { ifindex, protocol: 0, mac: [0; 6] };
        let sent = system.send(fd, frame, Some(to));
        let _ = system.close(fd);
        let refused = match sent {
            Ok(_) => String::new(),
            Err(errno) => format!("  {}\n", errno.text()),
        };
        self.sleep(SETTLE_NS);
        refused + &self.show()
    }

    fn show(&mut self) -> String {
        let mut seen = Vec::new();
        for (netns, task, fd) in self.taps.clone() {
            loop {
                let items = LocalSystem { world: &mut self.world, task }.receive(fd, 1000).expect("frames");
                if items.is_empty() {
                    break;
                }
                for item in items {
                    let Received::Frame { data, ifindex, packet_type, realtime_ns, .. } = item else {
                        continue;
                    };
                    if is_group_report(&data) {
                        continue;
                    }
                    let name = self.device_name(task, ifindex);
                    let place = if self.taps.len() > 1 { format!("{netns}:{name}") } else { name };
                    let line = format!("  {place} {} {}\n", kind(packet_type), summary(&data));
                    seen.push((realtime_ns, without_random_macs(&line)));
                }
            }
        }
        // What happened at one instant stays in the order of the taps.
        seen.sort_by_key(|(time, _)| *time);
        let mut text: String = seen.into_iter().map(|(_, line)| line).collect();
        for record in self.world.take_trace() {
            if let Step::Drop(reason) = record.step
                && !record.summary.contains("224.0.0.22")
            {
                let device = record.place.rsplit('/').next().unwrap_or("-").to_owned();
                text.push_str(&format!("  drop {device} {reason}\n"));
            }
        }
        text
    }

    fn device_name(&mut self, task: TaskId, ifindex: u32) -> String {
        let mut system = LocalSystem { world: &mut self.world, task };
        for name in system.list_directory("/sys/class/net").unwrap_or_default() {
            let index = system.read_file(&format!("/sys/class/net/{name}/ifindex")).unwrap_or_default();
            if String::from_utf8_lossy(&index).trim() == ifindex.to_string() {
                return name;
            }
        }
        format!("if{ifindex}")
    }
}

/// MACs that devices get at random are locally administered ones; those that scripts set begin with `02:00`.
fn without_random_macs(line: &str) -> String {
    let is_mac = |word: &str| {
        word.len() == 17
            && word.split(':').all(|byte| byte.len() == 2 && u8::from_str_radix(byte, 16).is_ok())
    };
    let is_random = |word: &str| {
        let first = word.get(..2).and_then(|byte| u8::from_str_radix(byte, 16).ok()).unwrap_or(0);
        first & 3 == 2 && !word.starts_with("02:00")
    };
    let mut text = String::new();
    let mut rest = line;
    while let Some(end) = rest.find(|c: char| !(c.is_ascii_hexdigit() || c == ':')) {
        let (word, after) = rest.split_at(end);
        text.push_str(if is_mac(word) && is_random(word) { "RANDOM-MAC" } else { word });
        let next = after.chars().next().map_or(0, char::len_utf8);
        text.push_str(&after[..next]);
        rest = &after[next..];
    }
    text.push_str(if is_mac(rest) && is_random(rest) { "RANDOM-MAC" } else { rest });
    text
}

/// Version 3 of IGMP goes to 224.0.0.22.
fn is_group_report(frame: &[u8]) -> bool {
    let tagged = frame.get(12..14) == Some(&[0x81, 0]);
    let at = if tagged { 16 } else { 12 };
    frame.get(at..at + 2) == Some(&[8, 0]) && frame.get(at + 18..at + 22) == Some(&[224, 0, 0, 22])
}

fn frame(digits: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in digits.split_whitespace() {
        if let Some(zeros) = word.strip_prefix('z') {
            bytes.resize(bytes.len() + zeros.parse::<usize>().expect("a number"), 0);
            continue;
        }
        let pairs = word.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
        bytes.extend(pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits")));
    }
    bytes
}

fn kind(packet_type: PacketType) -> &'static str {
    match packet_type {
        PacketType::Host => "in",
        PacketType::Broadcast => "in-broadcast",
        PacketType::Multicast => "in-multicast",
        PacketType::OtherHost => "in-other",
        PacketType::Outgoing => "out",
    }
}

/// A frame in short, with its tags and its length.
fn summary(frame: &[u8]) -> String {
    let word = |at: usize| frame.get(at..at + 2).map_or(0, |two| u16::from_be_bytes([two[0], two[1]]));
    let mac = |at: usize| {
        let bytes: Vec<String> =
            frame.get(at..at + 6).unwrap_or(&[]).iter().map(|byte| format!("{byte:02x}")).collect();
        bytes.join(":")
    };
    let mut text = format!("{} > {}", mac(6), mac(0));
    let mut at = 12;
    while matches!(word(at), 0x8100 | 0x88a8) {
        text.push_str(&format!(" [{:04x} vid {}]", word(at), word(at + 2) & 0xfff));
        at += 4;
    }
    let (ethertype, body) = (word(at), frame.get(at + 2..).unwrap_or(&[]));
    let address = |at: usize| {
        body.get(at..at + 4)
            .map_or(Ipv4Addr::UNSPECIFIED, |four| Ipv4Addr::new(four[0], four[1], four[2], four[3]))
    };
    let what = match ethertype {
        0x0806 => format!(
            "ARP {} {} -> {} sha {} tha {}",
            if body.get(7) == Some(&1) { "request" } else { "reply" },
            address(14),
            address(24),
            mac(at + 10),
            mac(at + 20)
        ),
        0x0800 => {
            let header_len = usize::from(body.first().copied().unwrap_or(0) & 15) * 4;
            let inner = body.get(header_len..).unwrap_or(&[]);
            let (ttl, protocol) = (body.get(8).copied().unwrap_or(0), body.get(9).copied().unwrap_or(0));
            let more = match (protocol, inner) {
                (1, [kind @ (0 | 8), code, _, _, _, _, a, b, ..]) => {
                    format!(" icmp {kind}/{code} seq {}", u16::from_be_bytes([*a, *b]))
                }
                (1, [5, code, _, _, a, b, c, d, ..]) => {
                    format!(" icmp 5/{code} gateway {}", Ipv4Addr::new(*a, *b, *c, *d))
                }
                (1, [kind, code, ..]) => format!(" icmp {kind}/{code}"),
                (17, [a, b, c, d, ..]) => {
                    format!(" udp {} > {}", u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]))
                }
                _ => format!(" protocol {protocol}"),
            };
            format!("IP {} -> {} ttl {ttl}{more}", address(12), address(16))
        }
        other => format!("{other:04x}"),
    };
    format!("{text} {what} length {}", frame.len())
}
