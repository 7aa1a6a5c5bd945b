//! Two namespaces with a UDP socket each, and what joins them.

use hairpin_kernel::task::LocalSystem;
use hairpin_kernel::{TaskId, World};
use hairpin_netlink::{Address, SocketKind, System};
use hairpin_tools::quiet::{self, QuietShell};

/// Ethernet, IPv4 and UDP headers leave this much of a 64-byte frame (with its checksum, which has no bytes here).
const PAYLOAD: usize = 60 - 14 - 20 - 8;

/// Two namespaces joined by what `setup` builds between `a0` (10.0.0.1) and `b0` (10.0.0.2).
pub struct Lab {
    world: World,
    sender: hairpin_kernel::sock::SockId,
    receiver: hairpin_kernel::sock::SockId,
}

fn command(world: &mut World, task: TaskId, line: &str) {
    let argv: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let mut shell = QuietShell::default();
    let code = quiet::run(&mut LocalSystem { world, task }, &mut shell, &argv);
    assert_eq!(code, 0, "{line}: {}", String::from_utf8_lossy(&shell.err));
}

impl Lab {
    pub fn new(setup: &[&str]) -> Lab {
        let mut world = World::new(1);
        world.add_host("box").expect("a first host");
        let task = world.open_task("box", None).expect("a task");
        for line in ["ip netns add a", "ip netns add b"].iter().chain(setup) {
            command(&mut world, task, line);
        }
        for (ns, dev, address) in [("a", "a0", "10.0.0.1/24"), ("b", "b0", "10.0.0.2/24")] {
            command(&mut world, task, &format!("ip -n {ns} addr add {address} dev {dev}"));
            command(&mut world, task, &format!("ip -n {ns} link set {dev} up"));
        }
        let receiver_task = world.open_task("box", Some("b")).expect("namespace b");
        let sender_task = world.open_task("box", Some("a")).expect("namespace a");
        let address = |last, port| Address::Ipv4 { address: [10, 0, 0, last].into(), port };
        let mut system = LocalSystem { world: &mut world, task: receiver_task };
        let fd = system.socket(SocketKind::UdpIpv4).expect("a socket");
        system.bind(fd, address(2, 9)).expect("a free port");
        let receiver = world.socket_id(receiver_task, fd).expect("just made");
        let mut system = LocalSystem { world: &mut world, task: sender_task };
        let fd = system.socket(SocketKind::UdpIpv4).expect("a socket");
        system.connect(fd, address(2, 9)).expect("a route");
        let sender = world.socket_id(sender_task, fd).expect("just made");
        let mut lab = Lab { world, sender, receiver };
        // The first datagram resolves the neighbour; the entry is made permanent so that none is lost to a probe.
        assert_eq!(lab.batch(1), 1);
        lab
    }

    /// Sends so many datagrams and takes them at the other end; returns how many arrived.
    pub fn batch(&mut self, count: u32) -> u32 {
        let payload = [0x5a; PAYLOAD];
        for _ in 0..count {
            self.world.send_datagram(self.sender, &payload, None).expect("a way out");
        }
        let mut arrived = 0;
        while self.world.take_datagram(self.receiver).is_some() {
            arrived += 1;
        }
        arrived
    }
}

pub const VETH: &[&str] = &["ip link add a0 netns a type veth peer name b0 netns b"];

pub const MACVLAN: &[&str] = &[
    "ip link add v0 type veth peer name v1",
    "ip link set v0 up",
    "ip link set v1 up",
    "ip link add a0 link v0 netns a type macvlan mode bridge",
    "ip link add b0 link v0 netns b type macvlan mode bridge",
];

pub const BRIDGE: &[&str] = &[
    "ip link add br0 type bridge",
    "ip link set br0 up",
    "ip link add p1 type veth peer name a0 netns a",
    "ip link add p2 type veth peer name b0 netns b",
    "ip link set p1 master br0 up",
    "ip link set p2 master br0 up",
];
