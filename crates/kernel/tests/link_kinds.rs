//! Kinds of device that scripts on a real kernel reach only in part: CAN frames by packet sockets, netlink messages on
//! nlmon, kinds whose modules the tested kernel lacks, and `ip tunnel`, which asks the real kernel another way.

mod common;

use common::Lab;
use hairpin_netlink::{Address, Fd, PacketType, Received, SocketKind, System as _, sys::ETH_P_ALL};

const ETH_P_CAN: u16 = 0x000c;

/// A packet socket on a device, and the device's index.
fn tap(lab: &mut Lab, dev: &str) -> (Fd, u32) {
    let index = lab.shown(&format!("/sys/class/net/{dev}/ifindex")).trim().parse().expect("an index");
    let mut system = lab.system();
    let socket = system.socket(SocketKind::Packet { cooked: false, protocol: 0 }).expect("a socket");
    let address = Address::Link { ifindex: index, protocol: ETH_P_ALL, mac: [0; 6] };
    system.bind(socket, address).expect("bound");
    (socket, index)
}

fn received(lab: &mut Lab, socket: Fd) -> Vec<(Vec<u8>, u16, PacketType, u16)> {
    let items = lab.system().receive(socket, 100).unwrap_or_default();
    items
        .into_iter()
        .filter_map(|item| match item {
            Received::Frame { data, protocol, packet_type, hardware, .. } => {
                Some((data, protocol, packet_type, hardware))
            }
            _ => None,
        })
        .collect()
}

/// What Linux 6.1 does with the same frames: sent on one side they are broadcasts on the other, and only
/// whole CAN frames cross.
#[test]
fn can_frames_cross_a_pair_and_others_do_not() {
    let mut lab = Lab::new();
    for line in [
        "ip link add c0 type vxcan peer name c1",
        "ip link set c0 up",
        "ip link set c1 up",
        "ip link add c2 type vcan",
        "ip link set c2 up",
    ] {
        lab.run(line);
    }
    let frame = [0x23, 1, 0, 0, 4, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 0];
    let (sender, c0) = tap(&mut lab, "c0");
    let (listener, _) = tap(&mut lab, "c1");
    let (alone, c2) = tap(&mut lab, "c2");
    let (other, _) = tap(&mut lab, "c2");
    for (socket, index, data) in [(sender, c0, &frame[..]), (sender, c0, &frame[..9]), (alone, c2, &frame)] {
        let to = Address::Link { ifindex: index, protocol: ETH_P_CAN, mac: [0; 6] };
        assert_eq!(lab.system().send(socket, data.to_vec(), Some(to)), Ok(data.len()));
    }
    assert_eq!(received(&mut lab, listener), [(frame.to_vec(), ETH_P_CAN, PacketType::Broadcast, 280)]);
    assert_eq!(received(&mut lab, other), [(frame.to_vec(), ETH_P_CAN, PacketType::Outgoing, 280)]);
    let stats = lab.output("ip -s link show c0");
    assert!(stats.lines().any(|line| line.split_whitespace().eq(["4", "1", "0", "1", "0", "0"])), "{stats}");
    let long = vec![0; 73];
    let to = Address::Link { ifindex: c0, protocol: ETH_P_CAN, mac: [0; 6] };
    assert!(lab.system().send(sender, long, Some(to)).is_err());
}

#[test]
fn nlmon_shows_requests_answers_and_nothing_of_other_namespaces() {
    let mut lab = Lab::new();
    lab.run("ip link add n0 type nlmon");
    lab.run("ip link set n0 up");
    let (socket, _) = tap(&mut lab, "n0");
    lab.run("ip link set n0 mtu 3000");
    let frames = received(&mut lab, socket);
    assert!(frames.iter().all(|(_, protocol, kind, hardware)| {
        (*protocol, *kind, *hardware) == (0, PacketType::Outgoing, 824)
    }));
    // The request, with the new MTU in its attribute, and its acknowledgement.
    let mtu = [8, 0, 4, 0, 0xb8, 0x0b, 0, 0];
    assert!(frames.iter().any(|(data, ..)| data.windows(8).any(|bytes| bytes == mtu)));
    assert!(frames.iter().any(|(data, ..)| data.get(4..6) == Some(&[2, 0])));
    let mut other = Lab { task: lab.world.open_task("pc", None).expect("the first namespace"), ..lab };
    other.run("ip link add d0 type dummy");
    assert_eq!(received(&mut Lab { task: other.task, world: other.world }, socket), []);
}

/// `nsim_validate` and `ipoib_new_child_link`.
#[test]
fn kinds_that_come_from_elsewhere_are_refused_as_linux_does() {
    let mut lab = Lab::new();
    assert_eq!(
        lab.output("ip link add s type netdevsim"),
        "Error: Please use: echo \"[ID] [PORT_COUNT] [NUM_QUEUES]\" > /sys/bus/netdevsim/new_device.\n"
    );
    assert_eq!(lab.output("ip link add i type ipoib"), "RTNETLINK answers: Invalid argument\n");
    lab.run("ip link add d0 type dummy");
    assert_eq!(lab.output("ip link add link d0 name i type ipoib"), "RTNETLINK answers: No such device\n");
}

/// What the real program printed for the same tunnels on Linux 6.1.
#[test]
fn ip_tunnel_makes_and_shows_tunnels() {
    let mut lab = Lab::new();
    for line in [
        "ip link add u0 type dummy",
        "ip tunnel add t1 mode gre remote 192.168.0.2 local 192.168.0.1 key 77 ttl 64 dev u0",
        "ip tunnel add t2 mode ipip remote 192.168.0.2 local 192.168.0.1",
        "ip tunnel add t3 mode sit remote 192.168.0.2 local 192.168.0.1 ttl 64",
        "ip tunnel add t5 mode gre remote 192.168.0.9 ikey 5 okey 6 seq csum tos inherit",
    ] {
        lab.run(line);
    }
    assert_eq!(
        lab.output("ip tunnel show"),
        "t1: gre/ip remote 192.168.0.2 local 192.168.0.1 dev u0 ttl 64 key 77\n\
         t2: ip/ip remote 192.168.0.2 local 192.168.0.1 ttl inherit\n\
         t3: ipv6/ip remote 192.168.0.2 local 192.168.0.1 ttl 64\n\
         t5: gre/ip remote 192.168.0.9 local any ttl inherit tos inherit ikey 5 okey 6\n  \
         Drop packets out of sequence.\n  Checksum in received packet is required.\n  \
         Sequence packets on output.\n  Checksum output packets.\n"
    );
    lab.run("ip tunnel change t1 ttl 8 remote 192.168.0.22");
    assert_eq!(
        lab.output("ip tunnel show t1"),
        "t1: gre/ip remote 192.168.0.22 local 192.168.0.1 dev u0 ttl 8 key 77\n"
    );
    lab.run("ip tunnel del t1");
    for (line, text) in [
        ("ip tunnel del t1", "delete tunnel \"t1\" failed: No such device\n"),
        ("ip tunnel add t6 mode gretap remote 1.1.1.1", "Unknown tunnel mode \"gretap\"\n"),
        ("ip tunnel add t7 remote 1.1.1.1", "cannot determine tunnel mode (ipip, gre, vti or sit)\n"),
        (
            "ip tunnel add t4 mode ipip remote 192.168.0.2 local 192.168.0.1",
            "add tunnel \"tunl0\" failed: File exists\n",
        ),
    ] {
        assert_eq!(lab.output(line), text);
    }
}

/// Two bridges, two cables, no spanning tree: one broadcast goes round and round.
#[test]
fn a_loop_of_bridges_ends() {
    let mut lab = Lab::first();
    for line in [
        "sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1",
        "ip link add b1 type bridge",
        "ip link add b2 type bridge",
        "ip link add p1 type veth peer name q1",
        "ip link add p2 type veth peer name q2",
        "ip link set p1 master b1 up",
        "ip link set p2 master b1 up",
        "ip link set q1 master b2 up",
        "ip link set q2 master b2 up",
        "ip link set b1 up",
        "ip link set b2 up",
        "ip addr add 10.0.0.1/24 dev b1",
    ] {
        lab.run(line);
    }
    let said = lab.output("ping -c 1 -W 1 10.0.0.2");
    assert!(said.contains("1 packets transmitted, 0 received"), "{said}");
    let seen: u64 = lab
        .read("/sys/class/net/p1/statistics/rx_packets")
        .expect("a counter")
        .trim()
        .parse()
        .expect("a number");
    assert!((1_000..100_000).contains(&seen), "{seen} frames");
}
