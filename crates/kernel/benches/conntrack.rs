//! Packets a second through a router with connection tracking and MASQUERADE, one core: 64-byte UDP frames from a
//! socket in one namespace to a socket in another by way of a third. The cost must not grow with the number of
//! connections.

use std::net::Ipv4Addr;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hairpin_kernel::sock::SockId;
use hairpin_kernel::task::LocalSystem;
use hairpin_kernel::{TaskId, World};
use hairpin_netlink::{Address, SocketKind, System};
use hairpin_tools::quiet::{self, QuietShell};

/// Datagrams of one measured batch.
const BATCH: u32 = 64;
/// Ethernet, IPv4 and UDP headers leave this much of a 64-byte frame (with its checksum, which has no bytes here).
const PAYLOAD: [u8; 18] = [0x5a; 18];

const SETUP: &[&str] = &[
    "ip netns add a",
    "ip netns add r",
    "ip netns add b",
    "ip link add a0 netns a type veth peer name r0 netns r",
    "ip link add r1 netns r type veth peer name b0 netns b",
    "ip -n a addr add 10.0.1.1/24 dev a0",
    "ip -n r addr add 10.0.1.254/24 dev r0",
    "ip -n r addr add 10.0.2.254/24 dev r1",
    "ip -n b addr add 10.0.2.1/24 dev b0",
    "ip -n a link set a0 up",
    "ip -n r link set r0 up",
    "ip -n r link set r1 up",
    "ip -n b link set b0 up",
    "ip -n a route add default via 10.0.1.254",
    "ip -n r route add 10.9.0.0/16 via 10.0.2.1",
];

const ROUTER: &[&str] = &[
    "sysctl -qw net.ipv4.ip_forward=1",
    "sysctl -qw net.netfilter.nf_conntrack_max=2000000",
    "sysctl -qw net.netfilter.nf_conntrack_udp_timeout=432000",
    "iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "iptables -t nat -A POSTROUTING -s 10.0.1.0/24 -o r1 -j MASQUERADE",
];

struct Lab {
    world: World,
    sender: SockId,
    receiver: SockId,
}

fn command(world: &mut World, task: TaskId, line: &str) {
    let argv: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let mut shell = QuietShell::default();
    let code = quiet::run(&mut LocalSystem { world, task }, &mut shell, &argv);
    assert_eq!(code, 0, "{line}: {}", String::from_utf8_lossy(&shell.err));
}

impl Lab {
    fn new() -> Lab {
        let mut world = World::new(1);
        world.add_host("box").expect("a first host");
        let task = world.open_task("box", None).expect("a task");
        for line in SETUP {
            command(&mut world, task, line);
        }
        let router = world.open_task("box", Some("r")).expect("namespace r");
        for line in ROUTER {
            command(&mut world, router, line);
        }
        let address = |address: [u8; 4], port| Address::Ipv4 { address: address.into(), port };
        let receiver_task = world.open_task("box", Some("b")).expect("namespace b");
        let mut system = LocalSystem { world: &mut world, task: receiver_task };
        let fd = system.socket(SocketKind::UdpIpv4).expect("a socket");
        system.bind(fd, address([10, 0, 2, 1], 9)).expect("a free port");
        let receiver = world.socket_id(receiver_task, fd).expect("just made");
        let sender_task = world.open_task("box", Some("a")).expect("namespace a");
        let mut system = LocalSystem { world: &mut world, task: sender_task };
        let fd = system.socket(SocketKind::UdpIpv4).expect("a socket");
        system.bind(fd, address([10, 0, 1, 1], 4000)).expect("a free port");
        let sender = world.socket_id(sender_task, fd).expect("just made");
        let mut lab = Lab { world, sender, receiver };
        // The first datagram resolves the neighbours.
        assert_eq!(lab.batch(1), 1);
        lab
    }

    /// Opens connections that stay: to stations that say nothing.
    fn fill(&mut self, connections: u32) {
        for i in 0..connections {
            let to = Ipv4Addr::new(10, 9, (i >> 16) as u8, 1);
            let port = (i & 0xffff) as u16;
            self.world.send_datagram(self.sender, &PAYLOAD, Some((to, port.max(1)))).expect("a way out");
        }
    }

    fn batch(&mut self, count: u32) -> u32 {
        let to = Some((Ipv4Addr::new(10, 0, 2, 1), 9));
        for _ in 0..count {
            self.world.send_datagram(self.sender, &PAYLOAD, to).expect("a way out");
        }
        let mut arrived = 0;
        while self.world.take_datagram(self.receiver).is_some() {
            arrived += 1;
        }
        arrived
    }
}

fn masquerade(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("masquerade");
    group.throughput(Throughput::Elements(u64::from(BATCH)));
    for connections in [1_000, 100_000, 1_000_000] {
        let mut lab = Lab::new();
        lab.fill(connections);
        group.bench_function(BenchmarkId::from_parameter(connections), |bencher| {
            bencher.iter(|| assert_eq!(lab.batch(BATCH), BATCH));
        });
    }
    group.finish();
}

criterion_group!(benches, masquerade);
criterion_main!(benches);
