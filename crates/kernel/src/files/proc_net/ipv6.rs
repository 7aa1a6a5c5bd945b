//! `anycast6` (net/ipv6/anycast.c), `if_inet6` (addrconf.c), `igmp6` (mcast.c), `ipv6_route` (ip6_fib.c), `snmp6` (proc.c).

use std::fmt::Write as _;
use std::net::Ipv6Addr;

use crate::netns::NsId;
use crate::route6::model::rtf;
use crate::world::World;

/// The scope as the address's kind tells it (`IPV6_ADDR_SCOPE_MASK`), from the one of routing.
fn scope(routing: u8) -> u8 {
    match routing {
        253 => 0x20,
        254 => 0x10,
        200 => 0x40,
        _ => 0,
    }
}

/// Addresses by device. (Linux lists them in the order of a hash with a random seed.)
pub(super) fn addresses(world: &World, ns: NsId) -> String {
    let mut text = String::new();
    for device in world.devices_of(ns) {
        for entry in &device.ipv6 {
            let address = hexadecimal(entry.address);
            let _ = writeln!(
                text,
                "{address} {:02x} {:02x} {:02x} {:02x} {:>8}",
                device.ifindex,
                entry.prefix_len,
                scope(entry.scope),
                entry.flags as u8,
                device.name
            );
        }
    }
    text
}

/// Groups by device, the newest first (`igmp6_mc_seq_show`).
pub(super) fn groups(world: &World, ns: NsId) -> String {
    let mut text = String::new();
    for device in world.devices_of(ns) {
        for group in &device.inet6.listener.groups {
            let address = hexadecimal(group.address);
            let (flags, left) = (group.flags(), group.answer_in(world.now()));
            let _ = writeln!(
                text,
                "{:<4} {:<15} {address} {:>5} {flags:08X} {left}",
                device.ifindex, device.name, group.users
            );
        }
    }
    text
}

/// Anycast addresses by device, the newest first (`ac6_seq_show`).
pub(super) fn anycast(world: &World, ns: NsId) -> String {
    let mut text = String::new();
    for device in world.devices_of(ns) {
        for (address, users) in device.inet6.anycast.iter().rev() {
            let (ifindex, name) = (device.ifindex, &device.name);
            let _ = writeln!(text, "{ifindex:<4} {name:<15} {} {users:>5}", hexadecimal(*address));
        }
    }
    text
}

/// Routes of every table, and the refusals that stand behind each (`ipv6_route_native_seq_show`).
pub(super) fn routes(world: &World, ns: NsId) -> String {
    let mut text = String::new();
    let Some(fib) = world.fib6.get(ns) else { return text };
    let name = |ifindex| {
        let device = world.device_at(ns, ifindex).and_then(|dev| world.devs.get(dev));
        device.map_or_else(String::new, |device| device.name.clone())
    };
    for table in fib.table_ids() {
        for route in fib.routes(table) {
            for way in &route.nexthops {
                let flags = route.flags | if way.gateway.is_some() { rtf::GATEWAY } else { 0 };
                // `ip6_route_info_create`: one that refuses is not said to be up.
                let flags = if flags & rtf::REJECT == 0 { flags } else { flags & !rtf::UP };
                let _ = writeln!(
                    text,
                    "{} {:02x} {} 00 {} {:08x} {:08x} 00000000 {flags:08x} {:>8}",
                    hexadecimal(route.prefix.address),
                    route.prefix.length,
                    hexadecimal(Ipv6Addr::UNSPECIFIED),
                    hexadecimal(way.gateway.unwrap_or(Ipv6Addr::UNSPECIFIED)),
                    route.metric,
                    1,
                    name(way.ifindex),
                );
            }
        }
        let zeros = hexadecimal(Ipv6Addr::UNSPECIFIED);
        let flags = rtf::REJECT | rtf::NONEXTHOP;
        let _ = writeln!(
            text,
            "{zeros} 00 {zeros} 00 {zeros} ffffffff 00000001 00000000 {flags:08x} {:>8}",
            "lo"
        );
    }
    text
}

fn hexadecimal(address: Ipv6Addr) -> String {
    address.octets().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Names of ICMPv6 types that have counters of their own, in and out (`snmp6_icmp6_list`).
const ICMP_NAMES: &[(u8, &str)] = &[
    (1, "DestUnreachs"),
    (2, "PktTooBigs"),
    (3, "TimeExcds"),
    (4, "ParmProblems"),
    (128, "Echos"),
    (129, "EchoReplies"),
    (130, "GroupMembQueries"),
    (131, "GroupMembResponses"),
    (132, "GroupMembReductions"),
    (133, "RouterSolicits"),
    (134, "RouterAdvertisements"),
    (135, "NeighborSolicits"),
    (136, "NeighborAdvertisements"),
    (137, "Redirects"),
    (143, "MLDv2Reports"),
];

/// Counters (`snmp6_seq_show`).
pub(super) fn counters(world: &World, ns: NsId) -> String {
    let mut text = String::new();
    let Some(netns) = world.netns.get(ns) else { return text };
    let c = &netns.counters6;
    let mut put = |name: String, value: u64| {
        let _ = writeln!(text, "{name:<32}\t{value}");
    };
    let ip = [
        ("InReceives", c.in_receives),
        ("InHdrErrors", c.in_header_errors),
        ("InTooBigErrors", c.in_too_big),
        ("InNoRoutes", c.in_no_routes),
        ("InAddrErrors", c.in_address_errors),
        ("InUnknownProtos", c.in_unknown_protocols),
        ("InTruncatedPkts", c.in_truncated),
        ("InDiscards", c.in_discards),
        ("InDelivers", c.in_delivers),
        ("OutForwDatagrams", c.forwarded),
        ("OutRequests", c.out_requests),
        ("OutDiscards", 0),
        ("OutNoRoutes", c.out_no_routes),
        ("ReasmTimeout", c.reassembly_timeouts),
        ("ReasmReqds", c.reassembly_fragments),
        ("ReasmOKs", c.reassembled),
        ("ReasmFails", c.reassembly_failures),
        ("FragOKs", c.fragmented),
        ("FragFails", c.fragmentation_failures),
        ("FragCreates", c.fragments_made),
        ("InMcastPkts", c.in_multicast),
        ("OutMcastPkts", c.out_multicast),
        ("InOctets", c.in_octets),
        ("OutOctets", c.out_octets),
        ("InMcastOctets", c.in_multicast_octets),
        ("OutMcastOctets", c.out_multicast_octets),
        ("InBcastOctets", 0),
        ("OutBcastOctets", 0),
        ("InNoECTPkts", c.in_receives),
        ("InECT1Pkts", 0),
        ("InECT0Pkts", 0),
        ("InCEPkts", 0),
    ];
    ip.into_iter().for_each(|(name, value)| put(format!("Ip6{name}"), value));
    let icmp = [
        ("InMsgs", c.icmp_in),
        ("InErrors", c.icmp_in_errors),
        ("OutMsgs", c.icmp_out),
        ("OutErrors", 0),
        ("InCsumErrors", c.icmp_in_checksums),
        ("OutRateLimitHost", c.icmp_limited_host),
    ];
    icmp.into_iter().for_each(|(name, value)| put(format!("Icmp6{name}"), value));
    for (way, counts) in [("In", &c.icmp_in_types), ("Out", &c.icmp_out_types)] {
        for (kind, name) in ICMP_NAMES {
            put(format!("Icmp6{way}{name}"), counts.get(kind).copied().unwrap_or(0));
        }
    }
    for (way, counts) in [("In", &c.icmp_in_types), ("Out", &c.icmp_out_types)] {
        counts.iter().for_each(|(kind, count)| put(format!("Icmp6{way}Type{kind}"), *count));
    }
    for (protocol, counted) in [("Udp6", true), ("UdpLite6", false)] {
        let of = |value: u64| if counted { value } else { 0 };
        put(format!("{protocol}InDatagrams"), of(c.udp_in));
        put(format!("{protocol}NoPorts"), of(c.udp_no_ports));
        put(format!("{protocol}InErrors"), 0);
        put(format!("{protocol}OutDatagrams"), of(c.udp_out));
        for name in ["RcvbufErrors", "SndbufErrors", "InCsumErrors"] {
            put(format!("{protocol}{name}"), 0);
        }
        if counted {
            put(format!("{protocol}IgnoredMulti"), 0);
        }
        put(format!("{protocol}MemErrors"), 0);
    }
    text
}

/// Sources that a program has chosen of a group: none can.
pub(super) fn source_filters(_: &World, _: NsId) -> String {
    "Idx Device                Multicast Address                   Source Address    INC    EXC\n".to_owned()
}
