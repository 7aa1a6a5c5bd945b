//! What the stack is made of: `protocols` (net/core/sock.c), `ptype` and `softnet_stat` (net/core/net-procfs.c), `psched`
//! (net/sched/sch_api.c), `xfrm_stat` (net/xfrm/xfrm_proc.c), `ip_mr_cache` and `ip_mr_vif` (net/ipv4/ipmr.c).

use std::fmt::Write as _;

use super::sockets;
use crate::frame::ethertype;
use crate::netns::{Host, NsId};
use crate::sock::{Kind as SocketKind, Socket};
use crate::world::World;

/// A protocol of sockets.
struct Protocol {
    name: &'static str,
    /// Of a socket, in bytes, on a machine of 64 bits.
    size: usize,
    /// Pages that its sockets hold; -1 where nobody counts them.
    memory: i32,
    /// Whether memory is short, and how long headers may get.
    pressure: &'static str,
    header_max: u32,
    slab: bool,
    module: &'static str,
    /// Which of the calls of `struct proto` it has, in the order of the head.
    calls: &'static str,
}

const fn protocol(
    name: &'static str,
    size: usize,
    memory: i32,
    slab: bool,
    module: &'static str,
    calls: &'static str,
) -> Protocol {
    Protocol { name, size, memory, pressure: "NI", header_max: 0, slab, module, calls }
}

/// `MAX_TCP_HEADER`
const TCP_HEADER_MAX: u32 = 256;

const fn tcp(name: &'static str, size: usize, module: &'static str) -> Protocol {
    let calls = "yyyyyyyyyyyyynyyyyy";
    Protocol { name, size, memory: 0, pressure: "no", header_max: TCP_HEADER_MAX, slab: true, module, calls }
}

/// The newest first.
const PROTOCOLS: &[Protocol] = &[
    protocol("PINGv6", 1176, -1, true, "ipv6", "yyynnynnyyyynyyyyyn"),
    protocol("RAWv6", 1176, -1, true, "ipv6", "yyynyyynyyyynyyyynn"),
    protocol("UDPLITEv6", 1232, 0, true, "ipv6", "yyynyyynyyyynnnyyyn"),
    protocol("UDPv6", 1232, 0, true, "ipv6", "yyynyyynyyyynnnyyyn"),
    tcp("TCPv6", 2344, "ipv6"),
    protocol("PACKET", 1376, -1, false, "kernel", "nnnnnnnnnnnnnnnnnnn"),
    protocol("UNIX-STREAM", 960, -1, true, "kernel", "ynnnnnnnnnnnnnnnynn"),
    protocol("UNIX", 960, -1, true, "kernel", "ynnnnnnnnnnnnnnnnnn"),
    protocol("UDP-Lite", 1072, 0, true, "kernel", "yyynyyynyyyyynnyyyn"),
    protocol("PING", 968, -1, true, "kernel", "yyynnynnyyyynyyyyyn"),
    protocol("RAW", 976, -1, true, "kernel", "yyynyyynyyyynyyyynn"),
    protocol("UDP", 1072, 0, true, "kernel", "yyynyyynyyyyynnyyyn"),
    tcp("TCP", 2184, "kernel"),
    protocol("NETLINK", 1048, -1, false, "kernel", "nnnnnnnnnnnnnnnnnnn"),
];

/// `proto_seq_show`: protocols, and how many sockets of each the namespace has in use.
pub(super) fn protocols(world: &World, ns: NsId) -> String {
    let mut text = "protocol  size sockets  memory press maxhdr  slab module     \
                    cl co di ac io in de sh ss gs se re sp bi br ha uh gp em\n"
        .to_owned();
    let in_use = |name: &str| {
        let Some(netns) = world.netns.get(ns) else { return 0 };
        match name {
            "TCP" => sockets::tcp_in_use(world, ns, false),
            "TCPv6" => sockets::tcp_in_use(world, ns, true),
            "UDP" => netns.udp.values().map(Vec::len).sum(),
            "UDPv6" => netns.udp6.values().map(Vec::len).sum(),
            "RAW" => netns.raw.len(),
            "RAWv6" => netns.raw6.len(),
            "PACKET" => world.packet_sockets(ns).len(),
            _ => 0,
        }
    };
    for protocol in PROTOCOLS {
        let Protocol { name, size, memory, pressure, header_max, slab, module, calls } = protocol;
        let calls: Vec<String> = calls.chars().map(|call| format!(" {call}")).collect();
        let _ = writeln!(
            text,
            "{name:<9} {size:>4} {:>6}  {memory:>6}   {pressure:<3} {header_max:>6}   {:<3}  {module:<10} {}",
            in_use(name),
            if *slab { "yes" } else { "no" },
            calls.join(" ")
        );
    }
    text
}

/// `ptype_seq_show`: who is given frames of which type. Sockets for all frames are those of libpcap, which shares a ring
/// with the kernel.
pub(super) fn types(world: &World, ns: NsId) -> String {
    let mut text = "Type Device      Function\n".to_owned();
    let mut put = |kind: &str, device: &str, function: &str| {
        let _ = writeln!(text, "{kind} {device:<8} {function}");
    };
    for id in world.packet_sockets(ns) {
        let Some(Socket { kind: SocketKind::Packet(packet), .. }) = world.sockets.get(id) else { continue };
        let device = packet.device.and_then(|dev| world.devs.get(dev)).map_or("", |device| &device.name);
        match packet.protocol {
            0 => {}
            _ if packet.wants_all() => put("ALL ", device, "tpacket_rcv"),
            protocol => put(&format!("{protocol:04x}"), device, "packet_rcv"),
        }
    }
    put(&format!("{:04x}", ethertype::IPV4), "", "ip_rcv");
    // LLC comes with the first bridge, for spanning trees.
    if host_of(world, ns).is_some_and(|host| host.bridges) {
        put("0004", "", "llc_rcv [llc]");
    }
    put(&format!("{:04x}", ethertype::ARP), "", "arp_rcv");
    put(&format!("{:04x}", ethertype::IPV6), "", "ipv6_rcv [ipv6]");
    text
}

/// The machine that a namespace is of.
pub(super) fn host_of(world: &World, ns: NsId) -> Option<&Host> {
    world.hosts.get(world.netns.get(ns)?.host)
}

/// `softnet_seq_show`: of the one processor, how often a frame was looked at on its way up. Nothing is lost there or waits.
pub(super) fn softnet(world: &World, ns: NsId) -> String {
    let Some(netns) = world.netns.get(ns) else { return String::new() };
    let gone = world.hosts.get(netns.host).map_or(0, |host| host.rounds_of_gone);
    let there = world
        .devs
        .iter()
        .filter(|(_, device)| world.netns.get(device.ns).is_some_and(|other| other.host == netns.host));
    let rounds = there.fold(gone, |sum, (_, device)| sum.wrapping_add(device.rounds));
    let mut text = format!("{:08x}", rounds as u32);
    for _ in 0..12 {
        text.push_str(" 00000000");
    }
    text.push('\n');
    text
}

/// `psched_show`: the clock of queueing disciplines: nanoseconds a tick of theirs, and of the machine's timers.
pub(super) fn clock(_: &World, _: NsId) -> String {
    format!("{:08x} {:08x} {:08x} {:08x}\n", 1000, 64, 1_000_000, 1_000_000_000)
}

/// There is no IPsec: nothing of it fails.
pub(super) fn xfrm(_: &World, _: NsId) -> String {
    const NAMES: &[&str] = &[
        "InError",
        "InBufferError",
        "InHdrError",
        "InNoStates",
        "InStateProtoError",
        "InStateModeError",
        "InStateSeqError",
        "InStateExpired",
        "InStateMismatch",
        "InStateInvalid",
        "InTmplMismatch",
        "InNoPols",
        "InPolBlock",
        "InPolError",
        "OutError",
        "OutBundleGenError",
        "OutBundleCheckError",
        "OutNoStates",
        "OutStateProtoError",
        "OutStateModeError",
        "OutStateSeqError",
        "OutStateExpired",
        "OutPolBlock",
        "OutPolDead",
        "OutPolError",
        "FwdHdrError",
        "OutStateInvalid",
        "AcquireError",
    ];
    NAMES.iter().map(|name| format!("{:<24}\t0\n", format!("Xfrm{name}"))).collect()
}

/// Nobody forwards multicast: there are no flows.
pub(super) fn multicast_flows(_: &World, _: NsId) -> String {
    "Group    Origin   Iif     Pkts    Bytes    Wrong Oifs\n".to_owned()
}

/// Nor devices that it goes by.
pub(super) fn multicast_devices(_: &World, _: NsId) -> String {
    "Interface      BytesIn  PktsIn  BytesOut PktsOut Flags Local    Remote\n".to_owned()
}
