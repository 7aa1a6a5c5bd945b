//! A world with every kind of device in it, and someone who sends and asks in all its corners.

use std::sync::OnceLock;
use std::time::Duration;

use hairpin_kernel::task::LocalSystem;
use hairpin_kernel::{SegmentKind, TaskId, Time, World};
use hairpin_netlink::socket::ETH_P_ALL;
use hairpin_netlink::{Address, Call, Errno, Fd, Reply, SocketKind, System};
use hairpin_tools::quiet::{self, QuietShell};

/// Host `a` has a bridge with two ports, a router between two networks, macvlans in every mode, VLANs on a card and on
/// a bridge, and nested namespaces; host `b` is at the other end of the wire.
const SETUP: &[&str] = &[
    "sysctl -w net.ipv4.ip_forward=1",
    "ip link set lo up",
    "ip link set eth0 up",
    "ip addr add 10.0.0.1/24 dev eth0",
    "ip netns add p",
    "ip netns add q",
    "ip netns add m",
    "ip netns add n",
    "ip link add br0 type bridge",
    "ip link add p1 type veth peer name e0 netns p",
    "ip link add q1 type veth peer name e0 netns q",
    "ip link set p1 master br0",
    "ip link set q1 master br0",
    "ip link set p1 up",
    "ip link set q1 up",
    "ip link set br0 up",
    "ip addr add 10.0.1.1/24 dev br0",
    "ip -n p addr add 10.0.1.2/24 dev e0",
    "ip -n q addr add 10.0.1.3/24 dev e0",
    "ip -n p link set e0 up",
    "ip -n q link set e0 up",
    "ip -n p route add default via 10.0.1.1",
    "ip link add mb1 link eth0 netns m type macvlan mode bridge",
    "ip link add mb2 link eth0 netns n type macvlan mode bridge",
    "ip link add mp1 link eth0 netns m type macvlan mode private",
    "ip link add mv1 link eth0 netns n type macvlan mode vepa",
    "ip link add v5 link eth0 type vlan id 5",
    "ip link add b6 link br0 type vlan id 6",
    "ip link add d0 type dummy",
    "ip link add t0 type veth peer name t1",
    "ip link add ms1 link t0 netns m type macvlan mode source",
    "ip -n m link set ms1 type macvlan macaddr add 02:00:00:00:00:99",
    "ip link add dp0 type dummy",
    "ip link add mt1 link dp0 netns n type macvlan mode passthru",
    "ip -n m link set mb1 up",
    "ip -n n link set mb2 up",
    "ip -n m link set mp1 up",
    "ip -n n link set mv1 up",
    "ip -n m link set ms1 up",
    "ip -n n link set mt1 up",
    "ip -n m addr add 10.0.0.11/24 dev mb1",
    "ip -n n addr add 10.0.0.12/24 dev mb2",
    "ip -n n addr add 10.0.0.13/24 dev mv1",
    "ip link set v5 up",
    "ip link set b6 up",
    "ip link set d0 up",
    "ip link set dp0 up",
    "ip link set t0 up",
    "ip link set t1 up",
    "ip addr add 10.5.0.1/24 dev v5",
    "sysctl -w net.ipv6.conf.all.forwarding=1",
    "ip addr add 2001:db8::1/64 dev eth0 nodad",
    "ip addr add 2001:db8:1::1/64 dev br0 nodad",
    "ip -n p addr add 2001:db8:1::2/64 dev e0 nodad",
    "ip -n p route add default via 2001:db8:1::1",
    "ip route add unreachable 2001:db8:9::/48",
    "ip addr add 10.6.0.1/24 dev b6",
    "ip addr add 10.7.0.1/24 dev t1",
    "ip route add 10.8.0.0/16 via 10.0.0.2",
    "ip route add unreachable 10.9.0.0/16",
    "ip rule add from 10.5.0.0/24 table 100",
    "ip route add default via 10.7.0.9 table 100",
];

const SETUP_B: &[&str] = &[
    "ip link set lo up",
    "ip link set eth0 up",
    "ip addr add 10.0.0.2/24 dev eth0",
    "ip addr add 2001:db8::2/64 dev eth0 nodad",
    "ip route add 2001:db8:1::/64 via 2001:db8::1",
    "ip route add default via 10.0.0.1",
    "ip link add v5 link eth0 type vlan id 5",
    "ip link set v5 up",
    "ip addr add 10.5.0.2/24 dev v5",
];

/// Where tasks are: host, namespace.
const PLACES: &[(&str, Option<&str>)] =
    &[("a", None), ("a", Some("p")), ("a", Some("q")), ("a", Some("m")), ("a", Some("n")), ("b", None)];

/// The longest that one input may let pass at once: longer than any timer of the kernel's.
const PAUSE_MAX: Duration = Duration::from_secs(700);

/// The world, with a task in every namespace.
#[derive(Clone)]
pub struct Arena {
    pub world: World,
    /// A task and its packet socket.
    tasks: Vec<(TaskId, Fd)>,
}

impl Arena {
    /// A fresh one.
    pub fn new() -> Arena {
        static BUILT: OnceLock<Arena> = OnceLock::new();
        BUILT.get_or_init(Arena::build).clone()
    }

    fn build() -> Arena {
        let mut world = World::new(1);
        let wire = world.add_segment("wire", SegmentKind::Switch, 60);
        for name in ["a", "b"] {
            let host = world.add_host(name).expect("a name that is free");
            world.add_card(host, "eth0", None, Some(wire)).expect("a card");
        }
        for (host, lines) in [("a", SETUP), ("b", SETUP_B)] {
            let task = world.open_task(host, None).expect("a host");
            for line in lines {
                // A task of its own: `ip -n` leaves its task in the other namespace.
                let task = world.fork_task(task).expect("a task");
                command(&mut LocalSystem { world: &mut world, task }, line);
                world.close_task(task);
            }
            world.close_task(task);
        }
        let tasks = PLACES
            .iter()
            .map(|(host, netns)| {
                let task = world.open_task(host, *netns).expect("a namespace");
                let mut system = LocalSystem { world: &mut world, task };
                no_endless_solicitations(&mut system);
                let kind = SocketKind::Packet { cooked: false, protocol: ETH_P_ALL };
                (task, system.socket(kind).expect("a socket"))
            })
            .collect();
        Arena { world, tasks }
    }

    /// Performs a call somewhere.
    pub fn call(&mut self, place: u8, call: Call) -> Result<Reply, Errno> {
        let Some((task, _)) = self.at(place) else { return Err(Errno::ESRCH) };
        self.world.call(task, call)
    }

    /// Sends a frame from a device of some namespace. What is at its other end receives it.
    pub fn inject(&mut self, place: u8, ifindex: u8, frame: &[u8]) {
        let Some((task, fd)) = self.at(place) else { return };
        let to = Address::Link { ifindex: u32::from(ifindex), protocol: 0, mac: [0; 6] };
        let _ = self.world.call(task, Call::Send { fd, data: frame.to_vec(), to: Some(to) });
        // Else the socket's queue is full before long.
        let _ = self.world.call(task, Call::Receive { fd, max: 64 });
    }

    /// Lets time pass: nothing, or up to [`PAUSE_MAX`], ever longer with `amount`; with its largest value to the end.
    pub fn pause(&mut self, amount: u8) {
        if amount == u8::MAX {
            return self.world.advance_to(Time(u64::MAX));
        }
        let pause = Duration::from_micros(1 << (amount % 31)) - Duration::from_micros(1);
        let until: Time = self.world.now() + pause.min(PAUSE_MAX);
        self.world.advance_to(until);
    }

    fn at(&self, place: u8) -> Option<(TaskId, Fd)> {
        self.tasks.get(usize::from(place) % self.tasks.len().max(1)).copied()
    }

    /// Everything that can be listed is listed, and well formed, in every namespace. Tasks end.
    pub fn finish(mut self) {
        for place in 0..self.tasks.len() as u8 {
            for request in super::samples::dumps() {
                super::netlink::ask(&mut self, place, request);
            }
        }
        for (task, _) in std::mem::take(&mut self.tasks) {
            self.world.close_task(task);
        }
        self.pause(30);
    }
}

impl Default for Arena {
    fn default() -> Self {
        Arena::new()
    }
}

/// Hosts ask for routers for ever, once an hour at the end: too often for inputs that let all time pass.
fn no_endless_solicitations(system: &mut dyn System) {
    for device in system.list_directory("/sys/class/net").unwrap_or_default() {
        let path = format!("/proc/sys/net/ipv6/conf/{device}/router_solicitations");
        // The loopback device and those too narrow for IPv6 may refuse.
        let _ = system.write_file(&path, b"3");
    }
}

/// Runs a command that must succeed.
pub fn command(system: &mut dyn System, line: &str) {
    let argv: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let mut shell = QuietShell::default();
    let code = quiet::run(system, &mut shell, &argv);
    assert_eq!(code, 0, "{line}: {}", String::from_utf8_lossy(&shell.err));
}
