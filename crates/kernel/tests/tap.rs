//! macvtap and ipvtap: a program holds the device's queue, takes what is received and sends what it likes.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod common;

use common::Lab;
use hairpin_netlink::{Address, Errno, Fd, PacketType, Received, SocketKind, System as _};

/// `ETH_P_ALL`
const EVERYTHING: u16 = 3;
const WIRE: [u8; 6] = [2, 0, 0, 0, 0, 2];
const TAP: [u8; 6] = [2, 0, 0, 0, 0, 0x0a];
const SIBLING: [u8; 6] = [2, 0, 0, 0, 0, 0x0b];
const BROADCAST: [u8; 6] = [0xff; 6];

/// A veth `low`-`wire` in one namespace; `mt0` and its sibling `mv1` stand on `low`.
fn lab() -> Lab {
    let mut lab = Lab::first();
    for line in [
        "sysctl -w net.ipv6.conf.all.disable_ipv6=1",
        "sysctl -w net.ipv6.conf.default.disable_ipv6=1",
        "ip link add low address 02:00:00:00:00:01 type veth peer name wire address 02:00:00:00:00:02",
        "ip link set low up",
        "ip link set wire up",
        "ip link add link low name mt0 address 02:00:00:00:00:0a type macvtap mode bridge",
        "ip link add link low name mv1 address 02:00:00:00:00:0b type macvlan mode bridge",
        "ip link set mv1 up",
    ] {
        lab.run(line);
    }
    lab
}

fn index(lab: &mut Lab, name: &str) -> u32 {
    let text = lab.read(&format!("/sys/class/net/{name}/ifindex")).expect("an index");
    text.trim().parse().expect("a number")
}

fn open(lab: &mut Lab, name: &str) -> Fd {
    let ifindex = index(lab, name);
    lab.system().socket(SocketKind::Tap { ifindex }).expect("a queue")
}

fn frame(to: [u8; 6], from: [u8; 6], len: usize) -> Vec<u8> {
    let mut frame = vec![0; len];
    frame[..6].copy_from_slice(&to);
    frame[6..12].copy_from_slice(&from);
    frame[12..14].copy_from_slice(&[0x88, 0xb5]);
    frame
}

/// Sends a raw frame from a device.
fn send(lab: &mut Lab, name: &str, data: Vec<u8>) {
    let ifindex = index(lab, name);
    let mut system = lab.system();
    let fd = system.socket(SocketKind::Packet { cooked: false, protocol: 0 }).expect("a socket");
    let to = Address::Link { ifindex, protocol: 0x88b5, mac: [0; 6] };
    system.send(fd, data, Some(to)).expect("sent");
    system.close(fd).expect("closed");
}

fn taken(lab: &mut Lab, queue: Fd) -> Vec<(Vec<u8>, PacketType)> {
    let items = lab.system().receive(queue, 1000).expect("what was received");
    items
        .into_iter()
        .filter_map(|item| match item {
            Received::Frame { data, packet_type, .. } => Some((data, packet_type)),
            _ => None,
        })
        .collect()
}

/// A capture of everything in the namespace.
fn capture(lab: &mut Lab) -> Fd {
    lab.system().socket(SocketKind::Packet { cooked: false, protocol: EVERYTHING }).expect("a capture")
}

/// Where and how frames were seen since the last look.
fn seen(lab: &mut Lab, capture: Fd) -> Vec<String> {
    let names: Vec<(u32, &str)> =
        ["low", "wire", "mt0", "mv1"].into_iter().map(|name| (index(lab, name), name)).collect();
    let items = lab.system().receive(capture, 1000).expect("what was captured");
    items
        .into_iter()
        .filter_map(|item| match item {
            Received::Frame { ifindex, packet_type, .. } => {
                let name = names.iter().find(|(known, _)| *known == ifindex)?.1;
                Some(format!("{name} {packet_type:?}"))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn frames_go_to_the_program_while_it_holds_the_queue() {
    let mut lab = lab();
    lab.run("ip link set mt0 up");
    let queue = open(&mut lab, "mt0");
    send(&mut lab, "wire", frame(TAP, WIRE, 60));
    send(&mut lab, "wire", frame(SIBLING, WIRE, 60));
    send(&mut lab, "mv1", frame(BROADCAST, SIBLING, 60));
    let frames = taken(&mut lab, queue);
    assert_eq!(
        frames,
        [(frame(TAP, WIRE, 60), PacketType::Host), (frame(BROADCAST, SIBLING, 60), PacketType::Broadcast)]
    );
    // Nobody holds it any more: the frame goes up, where no protocol takes it.
    lab.system().close(queue).expect("closed");
    send(&mut lab, "wire", frame(TAP, WIRE, 60));
    let dropped = lab.read("/sys/class/net/mt0/statistics/rx_dropped").expect("a counter");
    assert_eq!(dropped, "1\n");
}

#[test]
fn the_stack_answers_only_without_a_queue() {
    let mut lab = lab();
    for line in [
        "ip netns add x",
        "ip link set wire netns x",
        // Otherwise the other devices answer for the address too.
        "sysctl -w net.ipv4.conf.all.arp_ignore=1",
        "ip link set mt0 up",
        "ip addr add 10.0.0.10/24 dev mt0",
    ] {
        lab.run(line);
    }
    let outside = lab.world.open_task("pc", Some("x")).expect("a task");
    let inside = std::mem::replace(&mut lab.task, outside);
    lab.run("ip link set wire up");
    lab.run("ip addr add 10.0.0.9/24 dev wire");
    lab.task = inside;
    let answered = |lab: &mut Lab| {
        lab.task = outside;
        let text = lab.output("ping -c1 -W1 10.0.0.10");
        lab.task = inside;
        text.contains(" 0% packet loss")
    };
    assert!(answered(&mut lab));
    let queue = open(&mut lab, "mt0");
    assert!(!answered(&mut lab));
    let frames = taken(&mut lab, queue);
    assert!(!frames.is_empty());
    lab.system().close(queue).expect("closed");
    assert!(answered(&mut lab));
}

#[test]
fn what_the_program_writes_is_transmitted() {
    let mut lab = lab();
    lab.run("ip link set mt0 up");
    let queue = open(&mut lab, "mt0");
    let capture = capture(&mut lab);
    let write = |lab: &mut Lab, data: Vec<u8>| {
        let sent = lab.system().send(queue, data, None);
        (sent, seen(lab, capture))
    };
    let to_sibling = ["mt0 Outgoing", "low OtherHost", "mv1 Host"].map(str::to_owned).to_vec();
    assert_eq!(write(&mut lab, frame(SIBLING, TAP, 60)), (Ok(60), to_sibling));
    let outside = ["mt0 Outgoing", "low Outgoing", "wire Host"].map(str::to_owned).to_vec();
    assert_eq!(write(&mut lab, frame(WIRE, TAP, 60)), (Ok(60), outside));
    let broadcast = ["mt0 Outgoing", "low Outgoing", "mv1 Broadcast", "wire Broadcast"];
    assert_eq!(write(&mut lab, frame(BROADCAST, TAP, 60)), (Ok(60), broadcast.map(str::to_owned).to_vec()));
    assert_eq!(write(&mut lab, vec![0; 13]), (Err(Errno::EINVAL), vec![]));
    assert_eq!(write(&mut lab, vec![0; 70_000]), (Err(Errno::EMSGSIZE), vec![]));
    lab.run("ip link set mt0 down");
    assert_eq!(write(&mut lab, frame(WIRE, TAP, 60)), (Ok(60), vec![]), "it vanishes");
    for (counter, value) in [("tx_packets", "3\n"), ("tx_dropped", "2\n")] {
        let path = format!("/sys/class/net/mt0/statistics/{counter}");
        assert_eq!(lab.read(&path).expect("a counter"), value, "{counter}");
    }
}

#[test]
fn a_full_queue_drops() {
    let mut lab = lab();
    lab.run("ip link set mt0 txqueuelen 3");
    lab.run("ip link set mt0 up");
    let queue = open(&mut lab, "mt0");
    for _ in 0..5 {
        send(&mut lab, "wire", frame(TAP, WIRE, 60));
    }
    assert_eq!(taken(&mut lab, queue).len(), 3);
    let full = lab.world.drop_counts().into_iter().find(|(reason, _)| reason.name() == "FULL_RING");
    assert_eq!(full.map(|(_, count)| count), Some(2));
    for (counter, value) in [("rx_packets", "5\n"), ("rx_errors", "2\n"), ("rx_dropped", "2\n")] {
        let path = format!("/sys/class/net/mt0/statistics/{counter}");
        assert_eq!(lab.read(&path).expect("a counter"), value, "{counter}");
    }
}

#[test]
fn queues_are_of_taps_only_and_outlive_them() {
    let mut lab = lab();
    lab.run("ip link set mt0 up");
    let lower = index(&mut lab, "low");
    assert_eq!(lab.system().socket(SocketKind::Tap { ifindex: lower }), Err(Errno::ENODEV));
    assert_eq!(lab.system().socket(SocketKind::Tap { ifindex: 999 }), Err(Errno::ENODEV));
    let ifindex = index(&mut lab, "mt0");
    let queues: Vec<Fd> = (0..256)
        .map(|_| lab.system().socket(SocketKind::Tap { ifindex }).expect("one of 256 queues"))
        .collect();
    assert_eq!(lab.system().socket(SocketKind::Tap { ifindex }), Err(Errno::EBUSY));
    send(&mut lab, "wire", frame(TAP, WIRE, 60));
    lab.run("ip link del mt0");
    let left: usize = queues.iter().map(|queue| taken(&mut lab, *queue).len()).sum();
    assert_eq!(left, 1);
    assert_eq!(lab.system().send(queues[0], frame(WIRE, TAP, 60), None), Ok(60));
}

#[test]
fn an_ipvtap_takes_what_is_for_its_address() {
    let mut lab = lab();
    for line in [
        "ip link del mt0",
        "ip link del mv1",
        "ip link add link low name it0 type ipvtap mode l2",
        "ip addr add 10.0.0.10/24 dev it0",
        "ip link set it0 up",
    ] {
        lab.run(line);
    }
    let queue = open(&mut lab, "it0");
    let low = [2, 0, 0, 0, 0, 1];
    let packet = |last: u8| {
        let mut packet = frame(low, WIRE, 60);
        packet[12..14].copy_from_slice(&[8, 0]);
        packet[14] = 0x45;
        packet[17] = 46;
        packet[26..34].copy_from_slice(&[10, 0, 0, 9, 10, 0, 0, last]);
        packet
    };
    send(&mut lab, "wire", packet(10));
    send(&mut lab, "wire", packet(11));
    assert_eq!(taken(&mut lab, queue), [(packet(10), PacketType::Host)]);
}

/// What a bridge asks all stations comes out of the queue; what is put into it goes out on the wire.
#[test]
fn the_command_dumps_and_sends() {
    let mut lab = lab();
    for line in [
        "ip link set mt0 up",
        "ip link add br0 address 02:00:00:00:00:07 type bridge mcast_querier 1",
        "ip link set wire master br0",
        "ip link set br0 up",
    ] {
        lab.run(line);
    }
    let dumped = lab.output("tap dump -c 1 -W 300 mt0");
    let asked = "02:00:00:00:00:07 > 01:00:5e:00:00:01, ethertype IPv4 (0x0800)";
    assert!(dumped.contains(asked) && dumped.contains("igmp query v2"), "{dumped}");
    let received = |lab: &mut Lab| -> u64 {
        let text = lab.read("/sys/class/net/wire/statistics/rx_packets").expect("a counter");
        text.trim().parse().expect("a number")
    };
    let before = received(&mut lab);
    lab.run("tap send mt0 02:00:00:00:00:02:02:00:00:00:00:0a:88:b5:01:02 02000000000202000000000a88b5");
    assert_eq!(received(&mut lab), before + 2);
    assert_eq!(lab.output("tap send mv1 00"), "tap: mv1 is no macvtap or ipvtap\n");
    assert_eq!(lab.output("tap send mt0 0z"), "tap: '0z' is no frame in hexadecimal\n");
    assert_eq!(lab.output("tap dump nothing"), "tap: nothing: no such device\n");
}
