//! `tcp`, `tcp6`: listeners, then connections (`tcp4_seq_show`, `tcp6_seq_show`). Kernel pointers show as 0.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::{raw_address, raw_address6};
use crate::netns::NsId;
use crate::sock::SockId;
use crate::sock::diag::inode;
use crate::sock::tcp::{Role, Tcp};
use crate::tcp::connection::{Connection, State};
use crate::time::Time;
use crate::world::World;

/// `TMPSZ` less the newline.
const WIDTH: usize = 149;
/// What a timer is for, as the column `tr` tells it.
mod timer {
    pub const NONE: u8 = 0;
    pub const RETRANSMIT: u8 = 1;
    pub const TIME_WAIT: u8 = 3;
    pub const PROBE: u8 = 4;
}

pub(super) fn tcp(world: &World, ns: NsId) -> String {
    let head =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
    let mut text = format!("{head:<WIDTH$}\n");
    for line in lines(world, ns, false) {
        let _ = writeln!(text, "{line:<WIDTH$}");
    }
    text
}

pub(super) fn tcp6(world: &World, ns: NsId) -> String {
    let mut text = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr \
     tm->when retrnsmt   uid  timeout inode\n"
        .to_owned();
    for line in lines(world, ns, true) {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// The sockets of a family with their numbers.
fn lines(world: &World, ns: NsId, ipv6: bool) -> Vec<String> {
    let ids = world.netns.get(ns).map(|netns| netns.tcp.sockets()).unwrap_or_default();
    let sockets = ids.iter().filter_map(|id| Some((*id, world.tcp_of(*id)?)));
    let shown = |(_, tcp): &(SockId, &Tcp)| tcp.family.is_ipv6() == ipv6 && !matches!(tcp.role, Role::Idle);
    let (listeners, others): (Vec<_>, Vec<_>) =
        sockets.filter(shown).partition(|(_, tcp)| matches!(tcp.role, Role::Listening(_)));
    let all = listeners.into_iter().chain(others).enumerate();
    all.map(|(slot, (id, tcp))| format!("{slot:>4}: {}", line(id, tcp, world.now))).collect()
}

fn line(id: SockId, tcp: &Tcp, now: Time) -> String {
    let raw = |address: IpAddr| match address {
        IpAddr::V4(address) if tcp.family.is_ipv6() => raw_address6(address.to_ipv6_mapped()),
        IpAddr::V4(address) => raw_address(address),
        IpAddr::V6(address) => raw_address6(address),
    };
    let (remote, remote_port) = match tcp.ends.remote {
        Some((address, port)) => (raw(address), port),
        None if tcp.family.is_ipv6() => ("0".repeat(32), 0),
        None => ("0".repeat(8), 0),
    };
    let ends = format!("{}:{:04X} {remote}:{remote_port:04X}", raw(tcp.ends.source), tcp.port);
    match &tcp.role {
        Role::Idle => String::new(),
        Role::Listening(listener) => format!(
            "{ends} 0A {:08X}:{:08X} 00:00000000 {:08X} {:>5} {:>8} {} 1 {:016x} 100 0 0 10 0",
            0,
            listener.queue.len(),
            0,
            0,
            0,
            inode(id),
            0
        ),
        Role::Connection(connection) if connection.state == State::TimeWait => format!(
            "{ends} 06 {:08X}:{:08X} {:02X}:{:08X} {:08X} {:>5} {:>8} 0 3 {:016x}",
            0,
            0,
            timer::TIME_WAIT,
            ticks_until(connection.next_timeout(), now),
            0,
            0,
            0,
            0
        ),
        Role::Connection(connection) => format!("{ends} {}", connection_columns(id, connection, now)),
    }
}

fn connection_columns(id: SockId, connection: &Connection, now: Time) -> String {
    let send = &connection.send;
    let timer = match send.timeout_at {
        None => timer::NONE,
        Some(_) if send.is_blocked() => timer::PROBE,
        Some(_) => timer::RETRANSMIT,
    };
    // Orphans have no inode.
    let inode = if connection.is_orphan { 0 } else { inode(id) };
    format!(
        "{:02X} {:08X}:{:08X} {timer:02X}:{:08X} {:08X} {:>5} {:>8} {inode} {} {:016x} {} 4 30 {} -1",
        connection.state as u8,
        send.queued(),
        connection.receive.unread(),
        ticks_until(send.timeout_at, now),
        send.backoff,
        0,
        0,
        if timer == timer::NONE { 1 } else { 2 },
        0,
        send.rto.as_millis() / 10,
        send.congestion_window(),
    )
}

/// In `USER_HZ` ticks.
fn ticks_until(at: Option<Time>, now: Time) -> u128 {
    at.map_or(0, |at| at.since(now).as_millis() / 10)
}
