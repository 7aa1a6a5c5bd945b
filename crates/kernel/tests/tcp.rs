//! TCP between two namespaces: connections are made, carry data both ways, mend losses and end.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod common;

use std::net::Ipv4Addr;

use common::Lab;
use hairpin_kernel::TaskId;
use hairpin_kernel::task::LocalSystem;
use hairpin_netlink::{Address, Call, Errno, Fd, Received, Reply, SocketKind, System as _};

const SECOND: u64 = 1_000_000_000;

/// Namespaces `a` (10.0.0.1) and `b` (10.0.0.2) with a veth between them.
struct Net {
    lab: Lab,
    a: TaskId,
    b: TaskId,
}

fn net() -> Net {
    let mut lab = Lab::first();
    for line in [
        "ip netns add a",
        "ip netns add b",
        "ip link add va netns a type veth peer name vb netns b",
        "ip -n a addr add 10.0.0.1/24 dev va",
        "ip -n b addr add 10.0.0.2/24 dev vb",
        "ip -n a link set lo up",
        "ip -n a link set va up",
        "ip -n b link set vb up",
    ] {
        lab.run(line);
    }
    let a = lab.world.open_task("pc", Some("a")).expect("a");
    let b = lab.world.open_task("pc", Some("b")).expect("b");
    Net { lab, a, b }
}

fn at(last: u8, port: u16) -> Address {
    Address::Ipv4 { address: Ipv4Addr::new(10, 0, 0, last), port }
}

impl Net {
    fn of(&mut self, task: TaskId) -> LocalSystem<'_> {
        LocalSystem { world: &mut self.lab.world, task }
    }

    fn now(&self) -> u64 {
        self.lab.world.now().nanos()
    }

    fn listen(&mut self, port: u16) -> Fd {
        let b = self.b;
        let mut system = self.of(b);
        let fd = system.socket(SocketKind::TcpIpv4).expect("a socket");
        system.bind(fd, at(0, port).any()).expect("bound");
        system.listen(fd, 5).expect("listening");
        fd
    }

    /// Starts a connection and waits for how it ends.
    fn connect(&mut self, to: Address, seconds: u64) -> (Fd, Result<(), Errno>) {
        let (a, until) = (self.a, self.now() + seconds * SECOND);
        let mut system = self.of(a);
        let fd = system.socket(SocketKind::TcpIpv4).expect("a socket");
        let begun = system.connect(fd, to);
        if begun != Err(Errno::EINPROGRESS) {
            return (fd, begun);
        }
        system.wait_for(&[], &[fd], Some(until), true).expect("a wait");
        let outcome = system.take_error(fd);
        (fd, outcome)
    }

    fn pair(&mut self) -> (Fd, Fd) {
        let listener = self.listen(80);
        let (client, outcome) = self.connect(at(2, 80), 5);
        assert_eq!(outcome, Ok(()));
        let b = self.b;
        let mut system = self.of(b);
        let server = system.accept(listener).expect("a connection");
        let _ = system.close(listener);
        (client, server)
    }

    /// Everything that arrives within a time, and whether the end came.
    fn read(&mut self, task: TaskId, fd: Fd, seconds: u64) -> (Vec<u8>, bool) {
        let until = self.now() + seconds * SECOND;
        let mut system = self.of(task);
        let mut all = Vec::new();
        loop {
            if system.wait(&[fd], Some(until), true).expect("a wait").is_empty() {
                return (all, false);
            }
            for item in system.receive(fd, 1).expect("data") {
                match item {
                    Received::Stream(data) => all.extend(data),
                    Received::End => return (all, true),
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    fn states(&mut self, task: TaskId) -> Vec<String> {
        let text = self.of(task).read_file("/proc/net/tcp").expect("a file");
        let text = String::from_utf8(text).expect("text");
        text.lines().skip(1).filter_map(|line| line.split_whitespace().nth(3).map(str::to_owned)).collect()
    }
}

trait Any {
    fn any(self) -> Self;
}

impl Any for Address {
    /// The same port at no address.
    fn any(self) -> Address {
        match self {
            Address::Ipv4 { port, .. } => Address::Ipv4 { address: Ipv4Addr::UNSPECIFIED, port },
            other => other,
        }
    }
}

#[test]
fn data_go_both_ways_and_the_end_is_told() {
    let mut net = net();
    let (a, b) = (net.a, net.b);
    let (client, server) = net.pair();
    assert_eq!(net.of(a).send(client, b"question".to_vec(), None), Ok(8));
    assert_eq!(net.read(b, server, 1), (b"question".to_vec(), false));
    assert_eq!(net.of(b).send(server, b"answer".to_vec(), None), Ok(6));
    assert_eq!(net.of(b).shutdown(server), Ok(()));
    assert_eq!(net.read(a, client, 1), (b"answer".to_vec(), true));
    // The acknowledgement of an end waits for data to ride on.
    assert_eq!((net.states(a), net.states(b)), (vec!["08".to_owned()], vec!["04".to_owned()]));
    let later = hairpin_kernel::Time(net.now() + SECOND / 4);
    net.lab.world.advance_to(later);
    assert_eq!((net.states(a), net.states(b)), (vec!["08".to_owned()], vec!["05".to_owned()]));
    assert_eq!(net.of(a).close(client), Ok(()));
    assert_eq!(net.read(b, server, 1), (Vec::new(), true));
    assert_eq!((net.states(a), net.states(b)), (vec![], vec!["06".to_owned()]));
    assert_eq!(net.of(b).close(server), Ok(()));
    // `TCP_TIMEWAIT_LEN`
    let later = hairpin_kernel::Time(net.now() + 61 * SECOND);
    net.lab.world.advance_to(later);
    assert_eq!(net.states(b), Vec::<String>::new());
}

#[test]
fn a_large_transfer_arrives_whole_across_an_outage() {
    let mut net = net();
    let (a, b) = (net.a, net.b);
    let (client, server) = net.pair();
    let data: Vec<u8> = (0..3_000_000u32).map(|i| (i * 7 + i / 251) as u8).collect();
    let (mut sent, mut got, mut steps) = (0, Vec::new(), 0);
    while got.len() < data.len() {
        let rest = data[sent..].to_vec();
        match net.of(a).send(client, rest, None) {
            Ok(count) => sent += count,
            Err(errno) => assert_eq!(errno, Errno::EAGAIN),
        }
        for item in net.of(b).receive(server, 1).expect("data") {
            if let Received::Stream(data) = item {
                got.extend(data);
            }
        }
        steps += 1;
        if steps == 5 {
            net.lab.run("ip -n b link set vb down");
        }
        if steps == 9 {
            net.lab.run("ip -n b link set vb up");
            net.lab.run("ip -n b addr replace 10.0.0.2/24 dev vb");
        }
        let next = net.now() + SECOND / 4;
        net.of(b).wait(&[server], Some(next), true).expect("a wait");
        assert!(steps < 20_000, "{} of {}", got.len(), data.len());
    }
    assert!(got == data);
}

#[test]
fn a_closed_port_refuses_and_a_missing_host_is_unreachable() {
    let mut net = net();
    assert_eq!(net.connect(at(2, 81), 5).1, Err(Errno::ECONNREFUSED));
    let begun = net.now();
    assert_eq!(net.connect(at(77, 80), 10).1, Err(Errno::EHOSTUNREACH));
    let took = net.now() - begun;
    assert!((3 * SECOND..4 * SECOND).contains(&took), "{took}");
    let nowhere = Address::Ipv4 { address: Ipv4Addr::new(10, 9, 9, 9), port: 80 };
    assert_eq!(net.connect(nowhere, 1).1, Err(Errno::ENETUNREACH));
}

#[test]
fn a_silent_peer_times_out_after_six_more_tries() {
    let mut net = net();
    net.lab.run("ip -n a neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev va");
    let begun = net.now();
    assert_eq!(net.connect(at(9, 80), 300).1, Err(Errno::ETIMEDOUT));
    // 1 + 2 + 4 + 8 + 16 + 32 + 64 s
    let took = (net.now() - begun) / SECOND;
    assert!((127..140).contains(&took), "{took}");
}

#[test]
fn unread_data_at_the_close_reset_the_connection() {
    let mut net = net();
    let (a, b) = (net.a, net.b);
    let (client, server) = net.pair();
    net.of(a).send(client, b"unread".to_vec(), None).expect("sent");
    net.of(b).close(server).expect("closed");
    net.of(a).wait(&[client], None, true).expect("a wait");
    assert_eq!(net.of(a).receive(client, 1), Err(Errno::ECONNRESET));
    assert_eq!(net.of(a).send(client, b"more".to_vec(), None), Err(Errno::EPIPE));
}

#[test]
fn a_listener_takes_as_many_as_its_queue_and_its_end_resets_them() {
    let mut net = net();
    let (a, b) = (net.a, net.b);
    let listener = net.listen(80);
    let clients: Vec<Fd> = (0..3)
        .map(|_| net.connect(at(2, 80), 1))
        .map(|(fd, how)| how.map(|()| fd))
        .map(|r| r.expect("connected"))
        .collect();
    assert_eq!(net.of(b).close(listener), Ok(()));
    for client in clients {
        net.of(a).wait(&[client], None, true).expect("a wait");
        assert_eq!(net.of(a).receive(client, 1), Err(Errno::ECONNRESET));
    }
    assert_eq!(net.of(b).call(Call::Accept(listener)), Err(Errno::EBADF));
}

#[test]
fn a_port_is_bound_once() {
    let mut net = net();
    let b = net.b;
    net.listen(80);
    let mut system = net.of(b);
    let other = system.socket(SocketKind::TcpIpv4).expect("a socket");
    assert_eq!(system.bind(other, at(2, 80)), Err(Errno::EADDRINUSE));
    assert_eq!(system.bind(other, at(3, 81)), Err(Errno::EADDRNOTAVAIL));
    assert_eq!(system.bind(other, at(2, 82)), Ok(()));
    assert_eq!(system.call(Call::LocalAddress(other)), Ok(Reply::Address(at(2, 82))));
    assert_eq!(system.call(Call::PeerAddress(other)), Err(Errno::ENOTCONN));
}

#[test]
fn a_connection_to_oneself_goes_over_loopback() {
    let mut net = net();
    let a = net.a;
    let mut system = net.of(a);
    let listener = system.socket(SocketKind::TcpIpv4).expect("a socket");
    system.bind(listener, at(1, 8080)).expect("bound");
    system.listen(listener, 1).expect("listening");
    let (client, outcome) = net.connect(at(1, 8080), 1);
    assert_eq!(outcome, Ok(()));
    let server = net.of(a).accept(listener).expect("a connection");
    net.of(a).send(client, vec![1; 50_000], None).expect("sent");
    assert_eq!(net.read(a, server, 1).0.len(), 50_000);
}
