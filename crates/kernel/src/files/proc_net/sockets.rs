//! `udp`, `raw`, `packet`, `sockstat` and the heads of those whose sockets do not exist here.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::{raw_address, raw_address6};
use crate::netns::NsId;
use crate::sock::diag::{inode, tunnel_inode};
use crate::sock::inet6::Inet6;
use crate::sock::tcp::{Role, Tcp};
use crate::sock::{Inet, Kind, SockId, Socket};
use crate::tcp::connection::{Connection, State};
use crate::world::World;

/// Lines of `udp` are padded to this width.
const UDP_WIDTH: usize = 127;
/// `TCP_ESTABLISHED`, `TCP_CLOSE`: a datagram socket with and without a peer.
const CONNECTED: u8 = 1;
const UNCONNECTED: u8 = 7;

/// Slots of the hash tables that the first column numbers.
const RAW_SLOTS: u16 = 256;
const UDP_SLOTS: u16 = 16_384;

const UDP_HEAD: &str = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout \
                        inode ref pointer drops";
const RAW_HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout \
                        inode ref pointer drops";

const HEAD6: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr \
     tm->when retrnsmt   uid  timeout inode ref pointer drops\n";

pub(super) fn udp(world: &World, ns: NsId) -> String {
    let mut text = format!("{UDP_HEAD:<UDP_WIDTH$}\n");
    let Some(netns) = world.netns.get(ns) else { return text };
    let mut lines: Vec<(u16, String)> = Vec::new();
    for id in netns.udp.values().flatten() {
        let Some(socket) = world.sockets.get(*id) else { continue };
        let Kind::Udp(udp) = &socket.kind else { continue };
        lines.push((udp.port, inet_line(*id, socket, &udp.inet, udp.port)));
    }
    // The kernel's own, of tunnels.
    let none = Inet::default();
    for port in netns.tunnel_ports(false) {
        lines.push((port, address_line(&none, port, tunnel_inode(port, false).into(), 0)));
    }
    lines.sort();
    lines.sort_by_key(|(port, _)| port % UDP_SLOTS);
    for (port, line) in lines {
        let line = format!("{:>5}: {line}", port % UDP_SLOTS);
        let _ = writeln!(text, "{line:<UDP_WIDTH$}");
    }
    text
}

/// A raw socket has its protocol for a port.
pub(super) fn raw(world: &World, ns: NsId) -> String {
    let mut text = format!("{RAW_HEAD}\n");
    for id in world.netns.get(ns).map_or(&[][..], |netns| &netns.raw) {
        let Some(socket) = world.sockets.get(*id) else { continue };
        let Kind::Raw(raw) = &socket.kind else { continue };
        let protocol = u16::from(raw.protocol);
        let line = inet_line(*id, socket, &raw.inet, protocol);
        let _ = writeln!(text, "{:>4}: {line}", protocol % RAW_SLOTS);
    }
    text
}

pub(super) fn packet(world: &World, ns: NsId) -> String {
    let mut text = "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n".to_owned();
    for id in world.packet_sockets(ns) {
        let Some(Socket { kind: Kind::Packet(packet), .. }) = world.sockets.get(id) else { continue };
        let ifindex = packet.device.and_then(|dev| world.devs.get(dev)).map_or(0, |device| device.ifindex);
        // `SOCK_RAW`, `SOCK_DGRAM`
        let kind = if packet.cooked { 2 } else { 3 };
        let _ = writeln!(
            text,
            "{:016x} {:<6} {kind:<4} {:04x}   {ifindex:<5} {:1} {:<6} {:<6} {:<6}",
            0,
            3,
            packet.protocol,
            u8::from(packet.protocol != 0),
            0,
            0,
            inode(id)
        );
    }
    text
}

pub(super) fn statistics(world: &World, ns: NsId) -> String {
    let Some(netns) = world.netns.get(ns) else { return String::new() };
    let udp: usize = netns.udp.values().map(Vec::len).sum();
    let udp6: usize = netns.udp6.values().map(Vec::len).sum();
    let packet = world.packet_sockets(ns).len();
    let (mut in_use, mut orphans, mut waiting, mut allocated) = (0, 0, 0, 0);
    for id in netns.tcp.sockets() {
        let Some(tcp) = world.tcp_of(id) else { continue };
        if let Role::Connection(connection) = &tcp.role {
            if connection.state == State::TimeWait {
                waiting += 1;
                continue;
            }
            if is_request(tcp) {
                continue;
            }
            orphans += usize::from(connection.is_orphan);
        }
        in_use += usize::from(is_used(tcp, false));
        allocated += 1;
    }
    let used = udp + udp6 + netns.raw.len() + netns.raw6.len() + packet + netns.events.len() + allocated;
    format!(
        "sockets: used {used}\nTCP: inuse {in_use} orphan {orphans} tw {waiting} alloc {allocated} mem 0\n\
         UDP: inuse {} mem 0\nUDPLITE: inuse 0\nRAW: inuse {}\nFRAG: inuse 0 memory 0\n",
        udp + netns.tunnel_ports(false).len(),
        netns.raw.len()
    )
}

/// What a listener has answered and whose third segment has not come is no socket yet (`struct request_sock`).
fn is_request(tcp: &Tcp) -> bool {
    tcp.listener.is_some()
        && matches!(&tcp.role, Role::Connection(connection) if connection.state == State::SynReceived)
}

/// A socket of this family that listens or has a connection which does not just wait.
fn is_used(tcp: &Tcp, ipv6: bool) -> bool {
    let waits = |connection: &Connection| connection.state == State::TimeWait;
    tcp.family.is_ipv6() == ipv6
        && !is_request(tcp)
        && match &tcp.role {
            Role::Idle => false,
            Role::Listening(_) => true,
            Role::Connection(connection) => !waits(connection),
        }
}

/// How many sockets of TCP there are in use (`sock_prot_inuse_get`).
pub(super) fn tcp_in_use(world: &World, ns: NsId, ipv6: bool) -> usize {
    let Some(netns) = world.netns.get(ns) else { return 0 };
    let tcp = netns.tcp.sockets();
    tcp.iter().filter_map(|id| world.tcp_of(*id)).filter(|tcp| is_used(tcp, ipv6)).count()
}

pub(super) fn statistics6(world: &World, ns: NsId) -> String {
    let Some(netns) = world.netns.get(ns) else { return String::new() };
    let udp = netns.udp6.values().map(Vec::len).sum::<usize>() + netns.tunnel_ports(true).len();
    let tcp = tcp_in_use(world, ns, true);
    format!(
        "TCP6: inuse {tcp}\nUDP6: inuse {udp}\nUDPLITE6: inuse 0\nRAW6: inuse {}\nFRAG6: inuse 0 memory 0\n",
        netns.raw6.len()
    )
}

pub(super) fn udp6(world: &World, ns: NsId) -> String {
    let mut text = HEAD6.to_owned();
    let Some(netns) = world.netns.get(ns) else { return text };
    let mut lines: Vec<(u16, String)> = Vec::new();
    for id in netns.udp6.values().flatten() {
        let Some(socket) = world.sockets.get(*id) else { continue };
        let Kind::Udp6(udp) = &socket.kind else { continue };
        lines.push((udp.port, inet6_line(*id, socket, &udp.inet, udp.port)));
    }
    let none = Inet6::default();
    for port in netns.tunnel_ports(true) {
        lines.push((port, address_line6(&none, port, tunnel_inode(port, true), 0)));
    }
    lines.sort();
    lines.sort_by_key(|(port, _)| port % UDP_SLOTS);
    for (port, line) in lines {
        let _ = writeln!(text, "{:>5}: {line}", port % UDP_SLOTS);
    }
    text
}

/// A raw socket has its protocol for a port.
pub(super) fn raw6(world: &World, ns: NsId) -> String {
    let mut text = HEAD6.to_owned();
    for id in world.netns.get(ns).map_or(&[][..], |netns| &netns.raw6) {
        let Some(socket) = world.sockets.get(*id) else { continue };
        let Kind::Raw6(raw) = &socket.kind else { continue };
        let protocol = u16::from(raw.protocol);
        let line = inet6_line(*id, socket, &raw.inet, protocol);
        let _ = writeln!(text, "{:>5}: {line}", protocol % RAW_SLOTS);
    }
    text
}

/// `__ip6_dgram_sock_seq_show`
fn inet6_line(id: SockId, socket: &Socket, inet: &Inet6, port: u16) -> String {
    address_line6(inet, port, inode(id), socket.statistics.dropped)
}

fn address_line6(inet: &Inet6, port: u16, inode: u32, dropped: u64) -> String {
    let (remote, remote_port) = inet.remote.unwrap_or((Ipv6Addr::UNSPECIFIED, 0));
    let state = if inet.remote.is_some() { CONNECTED } else { UNCONNECTED };
    format!(
        "{}:{port:04X} {}:{remote_port:04X} {state:02X} {:08X}:{:08X} {:02X}:{:08X} {:08X} {:>5} {:>8} {} {} {:016x} {}",
        raw_address6(inet.source),
        raw_address6(remote),
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        inode,
        2,
        0,
        dropped,
    )
}

/// Sockets of `ping` without rights: there are none, for everybody may open raw ones here.
pub(super) fn empty_icmp(_: &World, _: NsId) -> String {
    format!("{RAW_HEAD:<UDP_WIDTH$}\n")
}

/// Flow labels that programs have asked for: none can.
pub(super) fn flow_labels(_: &World, _: NsId) -> String {
    "Label S Owner  Users  Linger Expires  Dst                              Opt\n".to_owned()
}

pub(super) fn empty_udp(_: &World, _: NsId) -> String {
    format!("{UDP_HEAD:<UDP_WIDTH$}\n")
}

pub(super) fn empty_ipv6(_: &World, _: NsId) -> String {
    HEAD6.to_owned()
}

pub(super) fn empty_unix(_: &World, _: NsId) -> String {
    "Num       RefCount Protocol Flags    Type St Inode Path\n".to_owned()
}

/// The part that `udp4_format_sock` and `raw_sock_seq_show` have in common. Kernel pointers show as 0, as to
/// anyone whom `kptr_restrict` keeps from them.
fn inet_line(id: SockId, socket: &Socket, inet: &Inet, port: u16) -> String {
    address_line(inet, port, inode(id).into(), socket.statistics.dropped)
}

fn address_line(inet: &Inet, port: u16, inode: u64, dropped: u64) -> String {
    let (remote, remote_port) = inet.remote.unwrap_or((Ipv4Addr::UNSPECIFIED, 0));
    let state = if inet.remote.is_some() { CONNECTED } else { UNCONNECTED };
    format!(
        "{}:{port:04X} {}:{remote_port:04X} {state:02X} {:08X}:{:08X} {:02X}:{:08X} {:08X} {:>5} {:>8} {} {} {:016x} {}",
        raw_address(inet.source),
        raw_address(remote),
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        inode,
        2,
        0,
        dropped,
    )
}
