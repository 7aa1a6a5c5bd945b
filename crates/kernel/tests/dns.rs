//! The DNS servers of a world answer over TCP as over UDP, and over IPv6 as over IPv4.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod common;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use common::Lab;
use hairpin_kernel::task::LocalSystem;
use hairpin_netlink::{Address, Errno, Received, SocketKind, System as _};
use hairpin_wire::dns::{Data, Message, PORT, kind, response};
use hairpin_wire::zone::Zone;

const WWW: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

fn lab(server: IpAddr) -> Lab {
    let mut lab = Lab::first();
    lab.run("ip link set lo up");
    let mut zone = Zone::new(response::NAME_ERROR);
    zone.entry("www.lab").a = vec![WWW];
    lab.world.serve_dns(0, server, zone).expect("an address of its own");
    lab
}

fn end(server: IpAddr) -> Address {
    match server {
        IpAddr::V4(address) => Address::Ipv4 { address, port: PORT },
        IpAddr::V6(address) => Address::Ipv6 { address, port: PORT, scope: 0 },
    }
}

/// Two questions over TCP, cut anywhere: both answers come over the connection, which ends when the client does.
fn by_stream(server: IpAddr, kind: SocketKind) {
    let mut lab = lab(server);
    let task = lab.world.open_task("pc", None).expect("a task");
    let mut system = LocalSystem { world: &mut lab.world, task };
    let fd = system.socket(kind).expect("a socket");
    assert_eq!(system.connect(fd, end(server)), Err(Errno::EINPROGRESS));
    system.wait_for(&[], &[fd], None, true).expect("a connection");
    let framed = |id, name| {
        let bytes = Message::query(id, name, kind::A).write();
        [&(bytes.len() as u16).to_be_bytes(), bytes.as_slice()].concat()
    };
    for piece in [framed(1, "www.lab"), framed(2, "no.lab")].concat().chunks(20) {
        system.send(fd, piece.to_vec(), None).expect("a connection");
    }
    let (mut got, mut answers) = (Vec::new(), Vec::new());
    while answers.len() < 2 {
        system.wait(&[fd], None, true).expect("an answer");
        for item in system.receive(fd, 16).expect("answers") {
            match item {
                Received::Stream(data) => got.extend(data),
                other => panic!("{other:?}"),
            }
        }
        while let Some(&[high, low]) = got.first_chunk() {
            let end = 2 + usize::from(u16::from_be_bytes([high, low]));
            let Some(bytes) = got.get(2..end) else { break };
            answers.push(Message::parse(bytes).expect("a message"));
            got.drain(..end);
        }
    }
    assert_eq!(answers[0].answers.first().map(|record| &record.data), Some(&Data::A(WWW)));
    assert_eq!((answers[1].id, answers[1].response()), (2, response::NAME_ERROR));
    system.shutdown(fd).expect("a connection");
    system.wait(&[fd], None, true).expect("the other's end");
    assert_eq!(system.receive(fd, 16), Ok(vec![Received::End]));
}

#[test]
fn over_tcp() {
    by_stream(Ipv4Addr::LOCALHOST.into(), SocketKind::TcpIpv4);
    by_stream(Ipv6Addr::LOCALHOST.into(), SocketKind::TcpIpv6);
}

#[test]
fn over_udp_and_ipv6() {
    let server = Ipv6Addr::LOCALHOST.into();
    let mut lab = lab(server);
    let task = lab.world.open_task("pc", None).expect("a task");
    let mut system = LocalSystem { world: &mut lab.world, task };
    let fd = system.socket(SocketKind::UdpIpv6).expect("a socket");
    system.connect(fd, end(server)).expect("a way");
    system.send(fd, Message::query(7, "www.lab", kind::A).write(), None).expect("a way");
    system.wait(&[fd], None, true).expect("an answer");
    let items = system.receive(fd, 16).expect("an answer");
    let Some(Received::Datagram { data, .. }) = items.first() else { panic!("{items:?}") };
    let answer = Message::parse(data).expect("a message");
    assert_eq!(answer.answers.first().map(|record| &record.data), Some(&Data::A(WWW)));
}
