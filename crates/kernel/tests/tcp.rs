//! TCP between two namespaces: connections are made, carry data both ways, mend losses and end.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod common;

use std::net::Ipv4Addr;

use common::Lab;
use hairpin_kernel::TaskId;
use hairpin_kernel::task::LocalSystem;
use hairpin_netlink::{Address, Call, Errno, Fd, Received, Reply, SocketKind, SocketOption, System as _};

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

/// A connection has its listener's options: where that let its address be had again, a server can start anew
/// while the connection lingers.
#[test]
fn a_server_starts_anew_beside_old_connections() {
    let mut net = net();
    let b = net.b;
    for reuse in [true, false] {
        let mut system = net.of(b);
        let listener = system.socket(SocketKind::TcpIpv4).expect("a socket");
        let port = if reuse { 80 } else { 81 };
        system.set_option(listener, SocketOption::ReuseAddress(reuse)).expect("an option");
        system.bind(listener, at(0, port).any()).expect("bound");
        system.listen(listener, 5).expect("listening");
        let (_client, outcome) = net.connect(at(2, port), 5);
        assert_eq!(outcome, Ok(()));
        let mut system = net.of(b);
        let served = system.accept(listener).expect("a connection");
        system.close(listener).expect("closed");
        // The server ends first and waits out its time.
        system.close(served).expect("closed");
        let again = system.socket(SocketKind::TcpIpv4).expect("a socket");
        system.set_option(again, SocketOption::ReuseAddress(true)).expect("an option");
        let expected = if reuse { Ok(()) } else { Err(Errno::EADDRINUSE) };
        assert_eq!(system.bind(again, at(0, port).any()), expected);
    }
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

impl Net {
    fn set(&mut self, task: TaskId, key: &str, value: &str) {
        self.of(task).write_file(&format!("/proc/sys/net/ipv4/{key}"), value.as_bytes()).expect("a setting");
    }

    fn pass(&mut self, seconds: u64) {
        let later = hairpin_kernel::Time(self.now() + seconds * SECOND);
        self.lab.world.advance_to(later);
    }
}

/// `ip_local_port_range`: one port serves connections to different places, and no second one to the same.
#[test]
fn ports_come_from_the_range() {
    let mut net = net();
    let a = net.a;
    net.set(a, "ip_local_port_range", "40000 40000");
    net.listen(80);
    net.listen(81);
    let (first, outcome) = net.connect(at(2, 80), 5);
    assert_eq!(outcome, Ok(()));
    assert_eq!(net.of(a).local_address(first), Ok(at(1, 40_000)));
    assert_eq!(net.connect(at(2, 81), 5).1, Ok(()));
    assert_eq!(net.connect(at(2, 80), 5).1, Err(Errno::EADDRNOTAVAIL));
}

/// `tcp_tw_reuse`: a connection that waits gives way after a second, where that is allowed.
#[test]
fn a_waiting_connection_gives_way() {
    let mut net = net();
    let (a, b) = (net.a, net.b);
    net.set(a, "ip_local_port_range", "40000 40000");
    let (client, server) = net.pair();
    assert_eq!(net.of(a).close(client), Ok(()));
    assert_eq!(net.of(b).close(server), Ok(()));
    net.pass(1);
    assert_eq!(net.states(a), ["06"]);
    net.listen(80);
    net.pass(2);
    // 2, the default, is for loopback alone.
    assert_eq!(net.connect(at(2, 80), 5).1, Err(Errno::EADDRNOTAVAIL));
    net.set(a, "tcp_tw_reuse", "1");
    assert_eq!(net.connect(at(2, 80), 5).1, Ok(()));
    assert_eq!(net.states(a), ["01"]);
}

/// A SYN from an address that nobody has.
fn forged_syn(last: u8) -> Vec<u8> {
    let (from, to) = ([10, 0, 0, last], [10, 0, 0, 2]);
    let mut tcp = vec![0x30, 0x39, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0];
    let mut pseudo = [from, to].concat();
    pseudo.extend([0, 6, 0, tcp.len() as u8]);
    let words = pseudo.chunks(2).chain(tcp.chunks(2));
    let mut sum: u32 = words.map(|word| u32::from(word[0]) << 8 | u32::from(word[1])).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    tcp[16..18].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    let mut packet = vec![0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0, 0];
    packet.extend(from);
    packet.extend(to);
    packet.extend(tcp);
    packet
}

/// `tcp_syncookies`: a full queue keeps others out, unless they are answered without being remembered.
#[test]
fn a_flood_of_syns_keeps_nobody_out() {
    for (setting, expected) in [("0", Err(Errno::EINPROGRESS)), ("1", Ok(())), ("2", Ok(()))] {
        let mut net = net();
        let (a, b) = (net.a, net.b);
        net.set(b, "tcp_syncookies", setting);
        net.listen(80);
        let raw = net.of(a).socket(SocketKind::RawIpv4 { protocol: 255 }).expect("a socket");
        for last in 100..110 {
            net.of(a).send(raw, forged_syn(last), Some(at(2, 0))).expect("sent");
        }
        let waiting = net.states(b).iter().filter(|state| *state == "03").count();
        // One more than the listener's backlog of 5.
        assert_eq!(waiting, if setting == "2" { 0 } else { 6 }, "{setting}");
        let (client, outcome) = net.connect(at(2, 80), 2);
        let outcome = if net.of(a).peer_address(client).is_ok() && net.states(a) == ["02"] {
            Err(Errno::EINPROGRESS)
        } else {
            outcome
        };
        assert_eq!(outcome, expected, "{setting}");
        if expected.is_err() {
            continue;
        }
        // It is a connection like any other.
        assert_eq!(net.of(a).send(client, vec![7; 5000], None), Ok(5000));
        let listener = net.of(b).sockets(hairpin_netlink::sock_diag::SocketQuery {
            family: hairpin_netlink::sock_diag::SocketFamily::Tcp { ipv6: false },
            states: 1 << 1,
            owners: false,
            details: false,
        });
        let listed = listener.expect("sockets");
        assert_eq!(listed.len(), 1, "{setting}");
        assert_eq!(listed[0].receive_queue, 5000, "{setting}");
    }
}

/// The settings of new connections show in their first segments.
#[test]
fn settings_decide_what_a_syn_offers() {
    let mut net = net();
    let a = net.a;
    net.set(a, "tcp_timestamps", "0");
    net.set(a, "tcp_sack", "0");
    net.set(a, "tcp_window_scaling", "0");
    let tap = net.of(a).socket(SocketKind::Packet { cooked: true, protocol: 0x0800 }).expect("a tap");
    net.listen(80);
    assert_eq!(net.connect(at(2, 80), 5).1, Ok(()));
    let items = net.of(a).receive(tap, 1).expect("frames");
    // The answer is what an IPv4 tap sees first: it has a segment size and nothing else.
    let Some(Received::Frame { data, .. }) = items.first() else { panic!("{items:?}") };
    assert_eq!((data.get(33), data.len()), (Some(&0x12), 44), "{data:02x?}");
}

#[test]
fn limits_of_open_files_can_be_read_and_set() {
    let mut net = net();
    let (a, b) = (net.a, net.b);
    assert_eq!(net.of(a).read_file("/proc/sys/fs/nr_open"), Ok(b"1048576\n".to_vec()));
    assert_eq!(net.of(a).write_file("/proc/sys/fs/file-max", b"100000\n"), Ok(()));
    // They are the machine's.
    assert_eq!(net.of(b).read_file("/proc/sys/fs/file-max"), Ok(b"100000\n".to_vec()));
    assert_eq!(net.of(a).write_file("/proc/sys/fs/nr_open", b"1"), Err(Errno::EINVAL));
    assert_eq!(net.of(a).write_file("/proc/sys/fs/file-nr", b"1"), Err(Errno::EACCES));
    // Gone since 4.12.
    assert_eq!(net.of(a).read_file("/proc/sys/net/ipv4/tcp_tw_recycle"), Err(Errno::ENOENT));
}
