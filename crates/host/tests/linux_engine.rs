//! The real kernel behind the contract. Every test makes network namespaces of its own, which takes
//! privileges: without them the tests say so and pass.
#![allow(clippy::disallowed_methods)]

use std::net::Ipv4Addr;

use hairpin_host::linux::LinuxSystem;
use hairpin_kernel::World;
use hairpin_kernel::task::LocalSystem;
use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL};
use hairpin_netlink::route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use hairpin_netlink::socket::ETH_P_ALL;
use hairpin_netlink::{
    Address, Errno, ErrorOrigin, Message, PacketType, Received, SocketKind, SocketOption, System, transact,
};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

const SECOND: u64 = 1_000_000_000;
const LOOPBACK: Address = Address::Ipv4 { address: Ipv4Addr::LOCALHOST, port: 0 };

/// Runs `test` in a thread with a network and mount namespace of its own.
fn isolated(test: fn(&mut LinuxSystem)) {
    let thread = std::thread::spawn(move || {
        if unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).is_err() {
            eprintln!("skipped: no privilege to make namespaces");
            return;
        }
        let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(None::<&str>, "/", None::<&str>, flags, None::<&str>).expect("private mounts");
        mount(Some("none"), "/run", Some("tmpfs"), MsFlags::empty(), None::<&str>).expect("a /run");
        let mut system = LinuxSystem::new();
        set_up(&mut system, 1);
        test(&mut system);
    });
    thread.join().expect("the test");
}

fn set_up(system: &mut dyn System, index: u32) {
    let mut link = LinkMessage::default();
    link.header.index = index;
    link.header.flags = LinkFlags::Up;
    link.header.change_mask = LinkFlags::Up;
    transact(system, &Message::SetLink(link), 0).expect("the link to go up");
}

fn add_veth(system: &mut LinuxSystem, name: &str, peer: &str) {
    let mut other = LinkMessage::default();
    other.attributes.push(LinkAttribute::IfName(peer.to_owned()));
    let mut link = LinkMessage::default();
    link.attributes.push(LinkAttribute::IfName(name.to_owned()));
    link.attributes.push(LinkAttribute::LinkInfo(vec![
        LinkInfo::Kind(InfoKind::Veth),
        LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(other))),
    ]));
    transact(system, &Message::NewLink(link), NLM_F_CREATE | NLM_F_EXCL).expect("a veth pair");
}

fn names(system: &mut LinuxSystem) -> Vec<String> {
    let found = transact(system, &Message::GetLink(LinkMessage::default()), NLM_F_DUMP).expect("a dump");
    let name = |message: &Message| match message {
        Message::NewLink(link) => link.attributes.iter().find_map(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some(name.clone()),
            _ => None,
        }),
        _ => None,
    };
    found.iter().filter_map(name).collect()
}

/// Waits for something and takes it.
fn next(system: &mut dyn System, fd: hairpin_netlink::Fd) -> Received {
    let until = system.now().expect("the time").monotonic_ns + 2 * SECOND;
    assert_eq!(system.wait(&[fd], Some(until), true), Ok(vec![fd]));
    system.receive(fd, 1).expect("an item").remove(0)
}

/// Echo request with a valid checksum.
fn echo_request() -> Vec<u8> {
    vec![8, 0, 0xe5, 0xca, 0x12, 0x34, 0x00, 0x01]
}

#[test]
fn dumps_and_errors() {
    isolated(|system| {
        assert_eq!(names(system), ["lo"]);
        for i in 0..200 {
            add_veth(system, &format!("a{i}"), &format!("b{i}"));
        }
        // Several datagrams long.
        assert_eq!(names(system).len(), 401);
        let mut missing = LinkMessage::default();
        missing.header.index = 4711;
        let failure = transact(system, &Message::DelLink(missing), 0).expect_err("no such device");
        assert_eq!(failure.errno, Errno::ENODEV);
        let mut link = LinkMessage::default();
        link.attributes.push(LinkAttribute::IfName("nowhere/x".to_owned()));
        link.attributes
            .push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Other("nosuch".to_owned()))]));
        let failure =
            transact(system, &Message::NewLink(link), NLM_F_CREATE | NLM_F_EXCL).expect_err("unknown");
        assert_eq!(failure.text.as_deref(), Some("Unknown device type"));
    });
}

#[test]
fn a_ping_over_loopback_is_captured_and_answered() {
    isolated(|system| {
        let capture =
            system.socket(SocketKind::Packet { cooked: false, protocol: ETH_P_ALL }).expect("packet");
        let raw = system.socket(SocketKind::RawIpv4 { protocol: 1 }).expect("raw");
        // Only echo replies.
        system.set_option(raw, SocketOption::IcmpFilter(!1)).expect("filter");
        system.send(raw, echo_request(), Some(LOOPBACK)).expect("sent");
        match next(system, raw) {
            Received::Datagram { data, from, to, ttl, ifindex, realtime_ns, .. } => {
                assert_eq!((data[0] >> 4, data[20], ttl, ifindex), (4, 0, 64, 1));
                assert_eq!((from, to), (LOOPBACK, LOOPBACK));
                assert!(system.now().expect("now").realtime_ns - realtime_ns < SECOND);
            }
            other => panic!("{other:?}"),
        }
        let frames = system.receive(capture, 100).expect("frames");
        let types: Vec<_> = frames
            .iter()
            .map(|frame| match frame {
                Received::Frame { packet_type, hardware: 772, protocol: 0x0800, .. } => *packet_type,
                other => panic!("{other:?}"),
            })
            .collect();
        let twice = [PacketType::Outgoing, PacketType::Host];
        assert_eq!(types, [twice, twice].concat());
        assert_eq!(system.statistics(capture).expect("counters").received, 4);
        system.close(raw).expect("closed");
        assert_eq!(system.receive(raw, 1), Err(Errno::EBADF));
    });
}

#[test]
fn an_unreachable_port_is_reported_in_the_error_queue() {
    isolated(|system| {
        let udp = system.socket(SocketKind::UdpIpv4).expect("udp");
        system.set_option(udp, SocketOption::ReceiveErrors(true)).expect("errors");
        let to = Address::Ipv4 { address: Ipv4Addr::LOCALHOST, port: 9 };
        system.send(udp, vec![7; 3], Some(to)).expect("sent");
        match next(system, udp) {
            Received::Error { errno, origin, to: destination, data, .. } => {
                assert_eq!(errno, Errno::ECONNREFUSED);
                assert_eq!(origin, ErrorOrigin::Icmp { kind: 3, code: 3, from: Ipv4Addr::LOCALHOST });
                assert_eq!((destination, data), (to, vec![7; 3]));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(system.receive(udp, 5), Ok(vec![]));
    });
}

/// `raw_err`: an error that a raw socket hears of quotes what followed the IPv4 header, or all where the socket writes
/// that header itself. On both kernels.
#[test]
fn raw_errors_quote_what_was_sent() {
    isolated(|system| raw_errors(system));
    let mut world = World::new(1);
    world.add_host("pc").expect("a first host");
    let task = world.open_task("pc", None).expect("a task");
    let mut system = LocalSystem { world: &mut world, task };
    set_up(&mut system, 1);
    raw_errors(&mut system);
}

fn raw_errors(system: &mut dyn System) {
    // UDP from port 7777 to port 9, where nobody listens, without a checksum.
    let datagram = vec![0x1e, 0x61, 0, 9, 0, 11, 0, 0, 1, 2, 3];
    let raw = system.socket(SocketKind::RawIpv4 { protocol: 17 }).expect("raw");
    system.set_option(raw, SocketOption::ReceiveErrors(true)).expect("errors");
    let quoted = |system: &mut dyn System| {
        for _ in 0..10 {
            match next(system, raw) {
                Received::Error { errno, origin, to, data, .. } => {
                    assert_eq!((errno, to), (Errno::ECONNREFUSED, LOOPBACK));
                    assert_eq!(origin, ErrorOrigin::Icmp { kind: 3, code: 3, from: Ipv4Addr::LOCALHOST });
                    return data;
                }
                // The socket hears its own datagrams.
                Received::Datagram { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        panic!("no error");
    };
    system.send(raw, datagram.clone(), Some(LOOPBACK)).expect("sent");
    assert_eq!(quoted(system), datagram);

    system.set_option(raw, SocketOption::HeaderIncluded(true)).expect("a header");
    let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1];
    packet.extend(&datagram);
    system.send(raw, packet, Some(LOOPBACK)).expect("sent");
    let whole = quoted(system);
    assert_eq!((whole.len(), whole[0], whole[9]), (31, 0x45, 17));
    assert!(whole.ends_with(&datagram));
}

#[test]
fn a_vlan_tag_is_put_back_into_the_frame() {
    isolated(|system| {
        add_veth(system, "left", "right");
        let index = |system: &mut LinuxSystem, name: &str| {
            let text = system.read_file("/proc/net/dev_mcast").map(|_| ());
            assert_eq!(text, Ok(()));
            let mut link = LinkMessage::default();
            link.attributes.push(LinkAttribute::IfName(name.to_owned()));
            match transact(system, &Message::GetLink(link), 0).expect("found").first() {
                Some(Message::NewLink(link)) => link.header.index,
                other => panic!("{other:?}"),
            }
        };
        let (left, right) = (index(system, "left"), index(system, "right"));
        set_up(system, left);
        set_up(system, right);
        let mut frame = vec![0xff; 6];
        frame.extend([2, 0, 0, 0, 0, 9]);
        frame.extend([0x81, 0, 0x60, 0x05, 0x88, 0xb5]);
        frame.resize(60, 0x5a);
        let watch = |system: &mut LinuxSystem, cooked| {
            let fd = system.socket(SocketKind::Packet { cooked, protocol: 0 }).expect("socket");
            let address = Address::Link { ifindex: right, protocol: ETH_P_ALL, mac: [0; 6] };
            system.bind(fd, address).expect("bound");
            fd
        };
        let (whole, cooked) = (watch(system, false), watch(system, true));
        let sender = system.socket(SocketKind::Packet { cooked: false, protocol: 0 }).expect("sender");
        let to = Address::Link { ifindex: left, protocol: 0x8100, mac: [0xff; 6] };
        // A fresh link drops what is sent before its queue is attached: send until it comes through.
        let ours = |system: &mut LinuxSystem, fd| {
            for _ in 0..100 {
                system.send(sender, frame.clone(), Some(to)).expect("sent");
                let until = system.now().expect("now").monotonic_ns + SECOND / 20;
                system.wait(&[fd], Some(until), true).expect("waited");
                for item in system.receive(fd, 100).expect("received") {
                    if let Received::Frame { data, protocol, mac: [2, 0, 0, 0, 0, 9], packet_type, .. } = item
                    {
                        return (data, protocol, packet_type);
                    }
                }
            }
            panic!("no frame");
        };
        assert_eq!(ours(system, whole), (frame.clone(), 0x88b5, PacketType::Broadcast));
        assert_eq!(ours(system, cooked), (frame[14..].to_vec(), 0x8100, PacketType::Broadcast));
    });
}

#[test]
fn notifications_and_deadlines() {
    isolated(|system| {
        let events = system.socket(SocketKind::RouteEvents { groups: 1 }).expect("events");
        let before = system.now().expect("now").monotonic_ns;
        assert_eq!(system.wait(&[events], Some(before + 20_000_000), true), Ok(vec![]));
        assert!(system.now().expect("now").monotonic_ns >= before + 20_000_000);
        add_veth(system, "x", "y");
        assert!(matches!(next(system, events), Received::Netlink(bytes) if !bytes.is_empty()));
    });
}

#[test]
fn named_namespaces_come_and_go() {
    isolated(|system| {
        assert_eq!(system.netns_list(), Ok(vec![]));
        system.netns_add("hpone").expect("added");
        assert_eq!(system.netns_add("hpone"), Err(Errno::EEXIST));
        system.netns_add("hptwo").expect("added");
        let mut names = system.netns_list().expect("names");
        names.sort();
        assert_eq!(names, ["hpone", "hptwo"]);
        add_veth(system, "x", "y");
        assert_eq!(system.netns_enter("nosuch"), Err(Errno::ENOENT));
        system.netns_enter("hptwo").expect("entered");
        assert_eq!(self::names(system), ["lo"]);
        assert_eq!(system.list_directory("/sys/class/net"), Ok(vec!["lo".to_owned()]));
        system.write_file("/proc/sys/net/ipv4/ip_forward", b"1\n").expect("written");
        assert_eq!(system.read_file("/proc/sys/net/ipv4/ip_forward"), Ok(b"1\n".to_vec()));
        let dev = system.read_file("/proc/net/dev").expect("a table");
        assert!(!String::from_utf8_lossy(&dev).contains(" x:"));
        assert_eq!(system.write_file("/proc/sys/net/ipv4/nosuch", b"1"), Err(Errno::ENOENT));
        system.netns_enter("hpone").expect("entered");
        assert_eq!(system.read_file("/proc/sys/net/ipv4/ip_forward"), Ok(b"0\n".to_vec()));
        system.netns_delete("hptwo").expect("deleted");
        assert_eq!(system.netns_delete("hptwo"), Err(Errno::ENOENT));
        assert_eq!(system.netns_list(), Ok(vec!["hpone".to_owned()]));
    });
}

/// Front ends of one thread ask a namespace through a socket that is kept, from wherever the thread stands.
#[test]
fn tasks_of_a_thread_ask_namespaces_without_going_there() {
    isolated(|_| {
        let place = || std::fs::read_link("/proc/thread-self/ns/net").expect("a namespace");
        let home = place();
        let mut root = LinuxSystem::of_thread(None);
        root.netns_add("one").expect("added");
        root.netns_add("two").expect("added");
        let mut first = root.fork().expect("a task");
        first.netns_enter("one").expect("entered");
        assert_ne!(place(), home, "nothing is known of it: the thread goes there");
        add_veth(&mut first, "x", "y");
        drop(first);
        assert_eq!(place(), home);
        let mut second = root.fork().expect("a task");
        second.netns_enter("one").expect("entered");
        assert_eq!(names(&mut second), ["lo", "y", "x"]);
        assert_eq!(place(), home, "the thread stays where it is");
        // What needs the place is done there, and a task of the task begins there.
        second.write_file("/proc/sys/net/ipv4/ip_forward", b"1").expect("written");
        assert_ne!(place(), home);
        let mut third = second.fork().expect("a task");
        assert_eq!(third.read_file("/proc/sys/net/ipv4/ip_forward"), Ok(b"1\n".to_vec()));
        assert_eq!(names(&mut third), ["lo", "y", "x"]);
        third.netns_enter("two").expect("entered");
        assert_eq!(names(&mut third), ["lo"]);
        drop(third);
        drop(second);
        assert_eq!(place(), home);
        assert_eq!(names(&mut root), ["lo"]);
        // A name that is made anew is another namespace, and the old one has ended with all that was in it.
        root.netns_delete("one").expect("deleted");
        root.netns_add("one").expect("added");
        let mut fourth = root.fork().expect("a task");
        fourth.netns_enter("one").expect("entered");
        assert_eq!(names(&mut fourth), ["lo"]);
        // A name without a namespace is told of at once.
        std::fs::write("/run/netns/file", "").expect("written");
        assert_eq!(fourth.netns_enter("file"), Err(Errno::EINVAL));
        assert_eq!(fourth.netns_enter("nosuch"), Err(Errno::ENOENT));
    });
}
