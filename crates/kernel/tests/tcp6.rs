//! TCP over IPv6: listeners of one and of both families, errors, paths that take less.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod common;

use std::net::Ipv4Addr;

use common::Lab;
use hairpin_kernel::TaskId;
use hairpin_kernel::task::LocalSystem;
use hairpin_netlink::{Address, Errno, Fd, Received, SocketKind, SocketOption, System as _};

const SECOND: u64 = 1_000_000_000;

/// Namespaces `a` (10.0.0.1, fd00::1) and `b` (10.0.0.2, fd00::2) with a veth between them.
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
        "ip -n a addr add fd00::1/64 dev va nodad",
        "ip -n b addr add fd00::2/64 dev vb nodad",
        "ip -n a link set lo up",
        "ip -n a link set va up",
        "ip -n b link set vb up",
    ] {
        lab.run(line);
    }
    let a = lab.world.open_task("pc", Some("a")).expect("a");
    let b = lab.world.open_task("pc", Some("b")).expect("b");
    let later = hairpin_kernel::Time(lab.world.now().nanos() + 3 * SECOND);
    lab.world.advance_to(later);
    Net { lab, a, b }
}

fn v6(text: &str, port: u16) -> Address {
    Address::Ipv6 { address: text.parse().expect("an address"), port, scope: 0 }
}

fn v4(last: u8, port: u16) -> Address {
    Address::Ipv4 { address: Ipv4Addr::new(10, 0, 0, last), port }
}

impl Net {
    fn of(&mut self, task: TaskId) -> LocalSystem<'_> {
        LocalSystem { world: &mut self.lab.world, task }
    }

    fn listen(&mut self, kind: SocketKind, at: Address, only: bool) -> Result<Fd, Errno> {
        let b = self.b;
        let mut system = self.of(b);
        let fd = system.socket(kind).expect("a socket");
        if only {
            system.set_option(fd, SocketOption::V6Only(true)).expect("an option");
        }
        system.bind(fd, at)?;
        system.listen(fd, 5)?;
        Ok(fd)
    }

    fn connect(&mut self, kind: SocketKind, to: Address) -> (Fd, Result<(), Errno>) {
        let (a, until) = (self.a, self.lab.world.now().nanos() + 10 * SECOND);
        let mut system = self.of(a);
        let fd = system.socket(kind).expect("a socket");
        let begun = system.connect(fd, to);
        if begun != Err(Errno::EINPROGRESS) {
            return (fd, begun);
        }
        system.wait_for(&[], &[fd], Some(until), true).expect("a wait");
        let outcome = system.take_error(fd);
        (fd, outcome)
    }

    fn file(&mut self, task: TaskId, name: &str) -> String {
        let text = self.of(task).read_file(&format!("/proc/net/{name}")).expect("a file");
        String::from_utf8(text).expect("text")
    }
}

/// `IPV6_V6ONLY` is off unless a program sets it: IPv4 comes in as a part of IPv6.
#[test]
fn a_listener_of_both_families() {
    let mut net = net();
    let (a, b) = (net.a, net.b);
    let listener = net.listen(SocketKind::TcpIpv6, v6("::", 80), false).expect("listening");
    let (client, outcome) = net.connect(SocketKind::TcpIpv4, v4(2, 80));
    assert_eq!(outcome, Ok(()));
    let server = net.of(b).accept(listener).expect("a connection");
    let Ok(Address::Ipv6 { address, .. }) = net.of(b).peer_address(server) else { panic!("no peer") };
    assert_eq!(address.to_string(), "::ffff:10.0.0.1");
    assert_eq!(net.of(b).local_address(server), Ok(v6("::ffff:10.0.0.2", 80)));
    assert_eq!(net.of(a).peer_address(client), Ok(v4(2, 80)));
    assert_eq!(net.of(a).send(client, b"four".to_vec(), None), Ok(4));
    net.of(b).wait(&[server], None, true).expect("a wait");
    assert_eq!(net.of(b).receive(server, 1), Ok(vec![Received::Stream(b"four".to_vec())]));

    let (_, outcome) = net.connect(SocketKind::TcpIpv6, v6("fd00::2", 80));
    assert_eq!(outcome, Ok(()));
    let server = net.of(b).accept(listener).expect("a connection");
    let Ok(Address::Ipv6 { address, .. }) = net.of(b).peer_address(server) else { panic!("no peer") };
    assert_eq!(address.to_string(), "fd00::1");
    // Both of the server's connections are of its family; the client has one of each.
    let lines = |text: String| text.lines().count() - 1;
    assert_eq!((lines(net.file(b, "tcp")), lines(net.file(b, "tcp6"))), (0, 3));
    assert_eq!((lines(net.file(a, "tcp")), lines(net.file(a, "tcp6"))), (1, 1));
    assert!(net.file(b, "sockstat6").starts_with("TCP6: inuse 3\n"));
}

#[test]
fn ports_of_the_families_clash_unless_one_is_for_ipv6_only() {
    let mut net = net();
    net.listen(SocketKind::TcpIpv6, v6("::", 80), false).expect("listening");
    assert_eq!(net.listen(SocketKind::TcpIpv4, v4(2, 80), false), Err(Errno::EADDRINUSE));
    net.listen(SocketKind::TcpIpv6, v6("::", 81), true).expect("listening");
    net.listen(SocketKind::TcpIpv4, v4(2, 81), false).expect("listening");
    net.listen(SocketKind::TcpIpv6, v6("fd00::2", 82), false).expect("listening");
    net.listen(SocketKind::TcpIpv4, v4(2, 82), false).expect("listening");
    assert_eq!(net.listen(SocketKind::TcpIpv6, v6("::", 82), true), Err(Errno::EADDRINUSE));
    assert_eq!(net.listen(SocketKind::TcpIpv6, v6("fd00::3", 83), false), Err(Errno::EADDRNOTAVAIL));
    // Through the one that is for both, through the one that is not.
    assert_eq!(net.connect(SocketKind::TcpIpv6, v6("::ffff:10.0.0.2", 80)).1, Ok(()));
    assert_eq!(net.connect(SocketKind::TcpIpv6, v6("fd00::2", 81)).1, Ok(()));
}

#[test]
fn what_connect_fails_with() {
    let mut net = net();
    let kind = SocketKind::TcpIpv6;
    assert_eq!(net.connect(kind, v6("fd00::2", 81)).1, Err(Errno::ECONNREFUSED));
    assert_eq!(net.connect(kind, v6("fd00::77", 80)).1, Err(Errno::EHOSTUNREACH));
    assert_eq!(net.connect(kind, v6("fd01::1", 80)).1, Err(Errno::ENETUNREACH));
    assert_eq!(net.connect(kind, v6("fe80::1", 80)).1, Err(Errno::EINVAL));
    assert_eq!(net.connect(kind, v6("ff02::1", 80)).1, Err(Errno::ENETUNREACH));
    assert_eq!(net.connect(kind, v4(2, 80)).1, Err(Errno::EAFNOSUPPORT));
    // `::` is this host.
    assert_eq!(net.connect(kind, v6("::", 80)).1, Err(Errno::ECONNREFUSED));
}

/// Over link-local addresses: both ends stay on the device.
#[test]
fn a_link_local_connection() {
    let mut net = net();
    let (a, b) = (net.a, net.b);
    let listener = net.listen(SocketKind::TcpIpv6, v6("::", 80), false).expect("listening");
    let text = net.file(b, "if_inet6");
    let line = text.lines().find(|line| line.starts_with("fe80")).expect("a link-local address");
    let mut words = line.split_whitespace();
    let number = u128::from_str_radix(words.next().expect("an address"), 16).expect("a number");
    let text = net.file(a, "if_inet6");
    let own = text.lines().find(|line| line.starts_with("fe80")).expect("a link-local address");
    let scope = u32::from_str_radix(own.split_whitespace().nth(1).expect("an index"), 16).expect("a number");
    let to = Address::Ipv6 { address: number.into(), port: 80, scope };
    let (client, outcome) = net.connect(SocketKind::TcpIpv6, to);
    assert_eq!(outcome, Ok(()));
    assert_eq!(net.of(a).peer_address(client), Ok(to));
    let server = net.of(b).accept(listener).expect("a connection");
    assert_eq!(net.of(b).send(server, vec![7; 5000], None), Ok(5000));
    let mut got = 0;
    while got < 5000 {
        net.of(a).wait(&[client], None, true).expect("a wait");
        for item in net.of(a).receive(client, 1).expect("data") {
            if let Received::Stream(data) = item {
                got += data.len();
            }
        }
    }
}
