//! The sockets of a namespace: `NETLINK_SOCK_DIAG` (include/uapi/linux/inet_diag.h), `/proc/net/packet`, and the
//! programs that hold them by `/proc/PID/fd`.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use hairpin_netlink::codec::{HEADER_LEN, NLM_F_DUMP, NLMSG_DONE, NLMSG_ERROR, messages};
use hairpin_netlink::sock_diag::{SocketFamily, SocketInfo, SocketOwner, SocketQuery, TcpInfo, state};
use hairpin_netlink::{Address, Errno};
use nix::poll::{PollFd, PollFlags};
use std::os::fd::AsFd as _;

use super::{address, socket};
use crate::signals;

/// `SOCK_DIAG_BY_FAMILY`
const BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const INET_DIAG_INFO: u16 = 2;
const INET_DIAG_CONG: u16 = 4;
const INET_DIAG_SKV6ONLY: u16 = 11;
/// `TCPI_OPT_*`
const TIMESTAMPS: u8 = 1;
const SACK: u8 = 2;
const WINDOW_SCALE: u8 = 4;
/// `TCP_INFINITE_SSTHRESH`
const NO_THRESHOLD: u32 = 0x7fff_ffff;
/// `struct inet_diag_msg`
const MESSAGE_LEN: usize = 72;
const READ_SIZE: usize = 64 * 1024;

pub(super) fn list(query: SocketQuery) -> Result<Vec<SocketInfo>, Errno> {
    let mut sockets = match query.family {
        SocketFamily::Packet => packets()?,
        SocketFamily::Tcp { ipv6 } => inet(libc::IPPROTO_TCP as u8, ipv6, query.states, query.details)?,
        SocketFamily::Udp { ipv6 } => inet(libc::IPPROTO_UDP as u8, ipv6, query.states, query.details)?,
        SocketFamily::Raw { ipv6 } => inet(libc::IPPROTO_RAW as u8, ipv6, query.states, query.details)?,
    };
    sockets.retain(|info| query.states >> info.state & 1 == 1);
    if query.owners {
        let owners = owners();
        for info in &mut sockets {
            info.owners = owners.get(&info.inode).cloned().unwrap_or_default();
        }
    }
    Ok(sockets)
}

fn inet(protocol: u8, ipv6: bool, states: u32, details: bool) -> Result<Vec<SocketInfo>, Errno> {
    let family = if ipv6 { libc::AF_INET6 } else { libc::AF_INET } as u8;
    let mut request = Vec::with_capacity(HEADER_LEN + 56);
    request.extend(((HEADER_LEN + 56) as u32).to_ne_bytes());
    request.extend(BY_FAMILY.to_ne_bytes());
    request.extend((NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
    request.extend(1u32.to_ne_bytes());
    request.extend(0u32.to_ne_bytes());
    // `INET_DIAG_INFO`, `INET_DIAG_CONG`
    let extensions = if details { 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_CONG - 1) } else { 0 };
    request.extend([family, protocol, extensions, 0]);
    request.extend(states.to_ne_bytes());
    // Any addresses, any device, any cookie.
    request.extend([0; 48]);
    let descriptor = socket::open(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_SOCK_DIAG)?;
    let mut name = Vec::with_capacity(12);
    name.extend((libc::AF_NETLINK as u16).to_ne_bytes());
    name.extend([0; 10]);
    socket::send(descriptor.as_fd(), &request, Some(&name))?;
    let mut sockets = Vec::new();
    let mut buffer = vec![0; READ_SIZE];
    loop {
        let length = match socket::receive(descriptor.as_fd(), &mut buffer, 0) {
            Err(Errno::EAGAIN) => {
                signals::poll(&mut [PollFd::new(descriptor.as_fd(), PollFlags::POLLIN)], None)?;
                continue;
            }
            other => other?.length,
        };
        for message in messages(buffer.get(..length).unwrap_or(&buffer)) {
            match message.header.kind {
                NLMSG_DONE => return Ok(sockets),
                NLMSG_ERROR => {
                    let number = message.payload.first_chunk().map_or(0, |word| i32::from_ne_bytes(*word));
                    return Err(Errno(-number));
                }
                BY_FAMILY => sockets.extend(parse(message.payload)),
                _ => {}
            }
        }
    }
}

/// `struct inet_diag_msg` and its attributes.
fn parse(bytes: &[u8]) -> Option<SocketInfo> {
    let word = |at: usize| address::array::<4>(bytes, at).map(u32::from_ne_bytes);
    let port = |at: usize| address::array::<2>(bytes, at).map(u16::from_be_bytes);
    let end = |at: usize, port: u16| match i32::from(*bytes.first()?) {
        libc::AF_INET => {
            Some(Address::Ipv4 { address: Ipv4Addr::from(address::array::<4>(bytes, at)?), port })
        }
        _ => {
            Some(Address::Ipv6 { address: Ipv6Addr::from(address::array::<16>(bytes, at)?), port, scope: 0 })
        }
    };
    let mut v6only = false;
    let mut tcp: Option<Box<TcpInfo>> = None;
    let mut congestion = String::new();
    let mut rest = bytes.get(MESSAGE_LEN..)?;
    while let Some(&[a, b, c, d]) = rest.first_chunk() {
        let (length, kind) = (usize::from(u16::from_ne_bytes([a, b])), u16::from_ne_bytes([c, d]));
        if length < 4 {
            break;
        }
        if kind == INET_DIAG_SKV6ONLY {
            v6only = rest.get(4).is_some_and(|value| *value != 0);
        }
        let value = rest.get(4..length).unwrap_or(&[]);
        match kind {
            INET_DIAG_INFO => tcp = tcp_info(value).map(Box::new),
            INET_DIAG_CONG => {
                let text = value.split(|byte| *byte == 0).next().unwrap_or(&[]);
                congestion = String::from_utf8_lossy(text).into_owned();
            }
            _ => {}
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
    }
    if let Some(tcp) = &mut tcp {
        tcp.congestion = congestion;
    }
    Some(SocketInfo {
        state: *bytes.get(1)?,
        timer: *bytes.get(2)?,
        retransmits: *bytes.get(3)?,
        expires_ms: word(52)?,
        local: end(8, port(4)?)?,
        remote: end(24, port(6)?)?,
        ifindex: word(40)?,
        receive_queue: word(56)?,
        send_queue: word(60)?,
        uid: word(64)?,
        inode: word(68)?,
        cooked: false,
        v6only,
        tcp,
        owners: Vec::new(),
    })
}

/// `struct tcp_info`
fn tcp_info(bytes: &[u8]) -> Option<TcpInfo> {
    let word = |at: usize| address::ne32(bytes, at).unwrap_or(0);
    let long = |at: usize| address::array::<8>(bytes, at).map_or(0, u64::from_ne_bytes);
    let (options, scales) = (*bytes.get(5)?, *bytes.get(6)?);
    // Not written where nothing was measured (`~0`).
    let known = |value: u32| if value == u32::MAX { 0 } else { value };
    let threshold = word(76);
    Some(TcpInfo {
        timestamps: options & TIMESTAMPS != 0,
        sack: options & SACK != 0,
        scales: (options & WINDOW_SCALE != 0).then_some((scales & 15, scales >> 4)),
        congestion: String::new(),
        backoff: *bytes.get(4)?,
        rto_us: word(8),
        ato_us: word(12),
        rtt_us: word(68),
        rtt_variance_us: word(72),
        min_rtt_us: known(word(148)),
        receive_rtt_us: word(92),
        busy_us: long(168),
        send_mss: word(16),
        receive_mss: word(20),
        path_mtu: word(60),
        offered_mss: word(84),
        window: word(80),
        threshold: (threshold < NO_THRESHOLD).then_some(threshold),
        unacked: word(24),
        sacked: word(28),
        lost: word(32),
        retransmits: word(36),
        retransmits_total: word(100),
        bytes_sent: long(200),
        bytes_sent_again: long(208),
        bytes_acked: long(120),
        bytes_received: long(128),
        segments_out: word(136),
        segments_in: word(140),
        data_segments_out: word(156),
        data_segments_in: word(152),
        delivered: word(192),
        last_sent_ms: word(44),
        last_received_ms: word(52),
        last_acked_ms: word(56),
        pacing_rate: long(104),
        delivery_rate: long(160),
        is_program_limited: bytes.get(7).is_some_and(|bits| bits & 1 != 0),
        receive_space: word(96),
        receive_threshold: word(64),
        unsent: word(144),
        send_window: word(228),
    })
}

fn packets() -> Result<Vec<SocketInfo>, Errno> {
    let text = std::fs::read_to_string("/proc/thread-self/net/packet").map_err(super::errno)?;
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, _, kind, protocol, device, _, memory, user, inode] = words.as_slice() else { return None };
        let (ifindex, protocol) = (device.parse().ok()?, u16::from_str_radix(protocol, 16).ok()?);
        Some(SocketInfo {
            state: state::CLOSED,
            timer: 0,
            retransmits: 0,
            expires_ms: 0,
            local: Address::Link { ifindex, protocol, mac: [0; 6] },
            remote: Address::Link { ifindex: 0, protocol: 0, mac: [0; 6] },
            ifindex,
            receive_queue: memory.parse().ok()?,
            send_queue: 0,
            uid: user.parse().ok()?,
            inode: inode.parse().ok()?,
            cooked: *kind == "2",
            v6only: false,
            tcp: None,
            owners: Vec::new(),
        })
    };
    Ok(text.lines().skip(1).filter_map(line).collect())
}

/// Who holds which socket; processes that may not be looked at hold none.
fn owners() -> HashMap<u32, Vec<SocketOwner>> {
    let mut owners: HashMap<u32, Vec<SocketOwner>> = HashMap::new();
    let Ok(processes) = std::fs::read_dir("/proc") else { return owners };
    for process in processes.flatten() {
        let Some(number) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(descriptors) = std::fs::read_dir(process.path().join("fd")) else { continue };
        for descriptor in descriptors.flatten() {
            let Ok(target) = std::fs::read_link(descriptor.path()) else { continue };
            let inode = target.to_str().and_then(|text| text.strip_prefix("socket:[")?.strip_suffix(']'));
            let Some(inode) = inode.and_then(|inode| inode.parse().ok()) else { continue };
            let Some(fd) = descriptor.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            let name = name.trim_end().to_owned();
            owners.entry(inode).or_default().push(SocketOwner { task: 0, process: number, name, fd });
        }
    }
    owners
}
