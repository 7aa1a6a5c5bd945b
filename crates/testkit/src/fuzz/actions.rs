//! Anything that can be done to a world, in any order: a list of [`Action`]s made from the input.

use std::net::Ipv4Addr;

use arbitrary::{Arbitrary, Result, Unstructured};
use hairpin_netlink::{Address, Call, Fd, PathMtuDiscovery, SocketKind, SocketOption};

use super::arena::Arena;
use super::{netlink, samples};

/// Actions that one input may hold.
const ACTIONS_MAX: usize = 128;

/// One thing done to the world.
#[derive(Arbitrary, Clone, Debug)]
pub enum Action {
    /// A frame of the samples, some bytes replaced, leaves from a device.
    Frame { place: u8, ifindex: u8, which: u8, edits: Vec<Edit> },
    /// A request of the samples, some bytes replaced.
    Netlink { place: u8, which: u8, edits: Vec<Edit> },
    /// See [`Arena::pause`].
    AdvanceTime(u8),
    /// Any other system call.
    Call { place: u8, call: AnyCall },
}

/// A byte replaced.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Edit {
    at: u16,
    value: u8,
}

/// A system call with arguments of which some make sense.
#[derive(Clone, Debug)]
pub struct AnyCall(Call);

/// Runs one input.
pub fn run(data: &[u8]) {
    let Ok(mut actions) = Vec::<Action>::arbitrary_take_rest(Unstructured::new(data)) else { return };
    actions.truncate(ACTIONS_MAX);
    perform(&actions);
}

/// Performs actions on a fresh world.
pub fn perform(actions: &[Action]) {
    let mut arena = Arena::new();
    for action in actions {
        match action {
            Action::Frame { place, ifindex, which, edits } => {
                arena.inject(*place, ifindex % 20, &edited(samples::frames(), *which, edits));
            }
            Action::Netlink { place, which, edits } => {
                netlink::ask(&mut arena, *place, &edited(samples::requests(), *which, edits));
            }
            Action::AdvanceTime(amount) => arena.pause(*amount),
            Action::Call { place, call } => {
                let _ = arena.call(*place, call.0.clone());
            }
        }
    }
    arena.finish();
}

fn edited(samples: &[Vec<u8>], which: u8, edits: &[Edit]) -> Vec<u8> {
    let mut bytes = samples.get(usize::from(which) % samples.len().max(1)).cloned().unwrap_or_default();
    for Edit { at, value } in edits {
        let at = usize::from(*at) % bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(at) {
            *byte = *value;
        }
    }
    bytes
}

/// Noise serves as well as anything: every byte is a choice.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut noise = super::inputs::Inputs::new(Vec::new(), 1);
    (0..32).map(|_| (0..4).filter_map(|_| noise.next()).flatten().collect()).collect()
}

impl<'a> Arbitrary<'a> for AnyCall {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(AnyCall(match u8::arbitrary(u)? % 23 {
            0 => Call::Now,
            1 => Call::Netlink(bytes(u)?),
            2 | 3 => Call::Socket(socket_kind(u)?),
            4 | 5 => Call::SetOption { fd: fd(u)?, option: option(u)? },
            6 => Call::Bind { fd: fd(u)?, address: address(u)? },
            7 => Call::Connect { fd: fd(u)?, address: address(u)? },
            8 => Call::LocalAddress(fd(u)?),
            9 | 10 => {
                let to = if bool::arbitrary(u)? { Some(address(u)?) } else { None };
                let data = if u.ratio(1, 8)? { vec![0; u16::arbitrary(u)?.into()] } else { bytes(u)? };
                Call::Send { fd: fd(u)?, data, to }
            }
            11 => Call::Receive { fd: fd(u)?, max: u32::arbitrary(u)? },
            12 => Call::Statistics(fd(u)?),
            13 => Call::Close(fd(u)?),
            14 => Call::ReadFile(path(u)?),
            15 => Call::WriteFile { path: path(u)?, data: written(u)? },
            16 if u.ratio(1, 4)? => Call::ReadLink(path(u)?),
            16 => Call::ListDirectory(path(u)?),
            17 => Call::NetnsAdd(name(u)?),
            21 => match u8::arbitrary(u)? % 4 {
                0 => Call::NetnsDelete(name(u)?),
                1 => Call::NetnsEnter(name(u)?),
                2 => Call::NetnsOpen(name(u)?),
                _ => Call::NetnsOpenSelf,
            },
            18 => Call::Listen { fd: fd(u)?, backlog: u8::arbitrary(u)?.into() },
            19 => Call::Accept(fd(u)?),
            20 => match u8::arbitrary(u)? % 3 {
                0 => Call::Shutdown(fd(u)?),
                1 => Call::TakeError(fd(u)?),
                _ => Call::PeerAddress(fd(u)?),
            },
            _ => match u8::arbitrary(u)? % 6 {
                4 => Call::Features(name(u)?),
                5 => Call::SetFeatures {
                    device: name(u)?,
                    wanted: u64::arbitrary(u)?,
                    mask: u64::arbitrary(u)?,
                },
                0 => Call::NetnsList,
                1 => Call::NetnsIdentify(Option::arbitrary(u)?),
                2 => Call::NetnsProcesses(name(u)?),
                _ => Call::Wait {
                    fds: vec![fd(u)?],
                    writable: vec![fd(u)?],
                    until_ns: Option::arbitrary(u)?,
                    bounded: bool::arbitrary(u)?,
                },
            },
        }))
    }
}

/// At most a few hundred bytes.
fn bytes(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let length = usize::from(u8::arbitrary(u)?).min(u.len());
    Ok(u.bytes(length)?.to_vec())
}

/// Most likely an open one: they count from 3.
fn fd(u: &mut Unstructured<'_>) -> Result<Fd> {
    Ok(Fd(if u.ratio(1, 16)? { u32::arbitrary(u)? } else { 3 + u32::from(u8::arbitrary(u)? % 6) }))
}

fn ipv4(u: &mut Unstructured<'_>) -> Result<Ipv4Addr> {
    Ok(match u8::arbitrary(u)? % 8 {
        0 => Ipv4Addr::from(u32::arbitrary(u)?),
        1 => Ipv4Addr::UNSPECIFIED,
        2 => Ipv4Addr::BROADCAST,
        3 => Ipv4Addr::LOCALHOST,
        4 => Ipv4Addr::new(224, 0, 0, u8::arbitrary(u)?),
        n => Ipv4Addr::new(10, n - 5, u8::arbitrary(u)? % 2, u8::arbitrary(u)?),
    })
}

fn ifindex(u: &mut Unstructured<'_>) -> Result<u32> {
    if u.ratio(1, 16)? { u32::arbitrary(u) } else { Ok(u32::from(u8::arbitrary(u)? % 20)) }
}

fn address(u: &mut Unstructured<'_>) -> Result<Address> {
    Ok(match u8::arbitrary(u)? % 8 {
        0 => Address::Link {
            ifindex: ifindex(u)?,
            protocol: u16::arbitrary(u)?,
            mac: <[u8; 6]>::arbitrary(u)?,
        },
        1 => Address::Ipv6 {
            address: u128::arbitrary(u)?.into(),
            port: u16::arbitrary(u)?,
            scope: u32::arbitrary(u)?,
        },
        _ => Address::Ipv4 { address: ipv4(u)?, port: u16::arbitrary(u)? },
    })
}

fn socket_kind(u: &mut Unstructured<'_>) -> Result<SocketKind> {
    Ok(match u8::arbitrary(u)? % 8 {
        0 => SocketKind::Packet { cooked: bool::arbitrary(u)?, protocol: u16::arbitrary(u)? % 4 },
        1 => SocketKind::RawIpv4 { protocol: *u.choose(&[0, 1, 17, 255, 4])? },
        2 => SocketKind::UdpIpv4,
        3 => SocketKind::RawIpv6 { protocol: *u.choose(&[0, 58, 17, 255, 4])? },
        4 => SocketKind::UdpIpv6,
        5 => SocketKind::TcpIpv4,
        6 => SocketKind::TcpIpv6,
        _ => SocketKind::RouteEvents { groups: u64::arbitrary(u)? },
    })
}

fn option(u: &mut Unstructured<'_>) -> Result<SocketOption> {
    Ok(match u8::arbitrary(u)? % 19 {
        0 => SocketOption::Broadcast(bool::arbitrary(u)?),
        1 => SocketOption::BindToDevice(name(u)?),
        2 => SocketOption::Mark(u32::arbitrary(u)?),
        3 => SocketOption::DontRoute(bool::arbitrary(u)?),
        4 => SocketOption::ReceiveBuffer(u32::arbitrary(u)?),
        5 => SocketOption::Ttl(u8::arbitrary(u)?),
        6 => SocketOption::MulticastTtl(u8::arbitrary(u)?),
        7 => SocketOption::MulticastLoop(bool::arbitrary(u)?),
        8 => SocketOption::MulticastInterface(ifindex(u)?),
        9 => SocketOption::JoinMulticast { group: ipv4(u)?, ifindex: ifindex(u)? },
        10 => SocketOption::LeaveMulticast { group: ipv4(u)?, ifindex: ifindex(u)? },
        11 => SocketOption::Tos(u8::arbitrary(u)?),
        12 => SocketOption::PathMtuDiscovery(*u.choose(&[
            PathMtuDiscovery::Dont,
            PathMtuDiscovery::Want,
            PathMtuDiscovery::Do,
            PathMtuDiscovery::Probe,
        ])?),
        13 => SocketOption::ReceiveErrors(bool::arbitrary(u)?),
        14 => SocketOption::HeaderIncluded(bool::arbitrary(u)?),
        15 => SocketOption::IcmpFilter(u32::arbitrary(u)?),
        16 => SocketOption::Promiscuous { ifindex: ifindex(u)? },
        17 => SocketOption::V6Only(bool::arbitrary(u)?),
        _ => SocketOption::IpOptions(bytes(u)?),
    })
}

fn name(u: &mut Unstructured<'_>) -> Result<String> {
    const NAMES: &[&str] = &["", "p", "q", "m", "n", "eth0", "br0", "e0", "..", "a/b", "new"];
    if u.ratio(1, 8)? { String::arbitrary(u) } else { Ok((*u.choose(NAMES)?).to_owned()) }
}

fn path(u: &mut Unstructured<'_>) -> Result<String> {
    const DIRECTORIES: &[&str] = &[
        "/proc/sys/net/ipv4/conf/all",
        "/proc/sys/net/ipv4/conf/eth0",
        "/proc/sys/net/ipv4/neigh/default",
        "/proc/sys/net/ipv4",
        "/proc/sys/net/ipv6/conf/eth0",
        "/proc/net",
        "/sys/class/net/eth0",
        "/sys/class/net/br0/bridge",
        "/sys/class/net/br0/brif/p1",
        "/sys/class/net/p1/brport",
        "/sys/class/net",
        "",
    ];
    const FILES: &[&str] = &[
        "ip_forward",
        "rp_filter",
        "arp_ignore",
        "arp_announce",
        "proxy_arp",
        "icmp_ratelimit",
        "ip_default_ttl",
        "base_reachable_time_ms",
        "gc_thresh3",
        "disable_ipv6",
        "arp",
        "route",
        "dev",
        "hairpin_mode",
        "address",
        "mtu",
        "operstate",
        "ageing_time",
        "forward_delay",
        "stp_state",
        "",
        "..",
    ];
    if u.ratio(1, 12)? {
        return String::arbitrary(u);
    }
    Ok(format!("{}/{}", u.choose(DIRECTORIES)?, u.choose(FILES)?))
}

fn written(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    const VALUES: &[&str] =
        &["0", "1\n", "2", "-1", "65536", "4294967296", "99999999999999999999", "x", "", "0x10"];
    if u.ratio(1, 4)? { bytes(u) } else { Ok(u.choose(VALUES)?.bytes().collect()) }
}
