//! `ip_tables_names`, `ip6_tables_names` (x_tables.c), `nf_conntrack` (nf_conntrack_standalone.c).

use std::fmt::Write as _;
use std::net::IpAddr;

use hairpin_netlink::netfilter::Family;
use hairpin_netlink::netfilter::conntrack::{Tuple, status};

use crate::netns::NsId;
use crate::world::World;

pub(super) fn tables(world: &World, ns: NsId) -> String {
    names(world, ns, Family::Ipv4)
}

pub(super) fn tables6(world: &World, ns: NsId) -> String {
    names(world, ns, Family::Ipv6)
}

/// Whether netfilter is in use in any namespace of the machine; with a family, whether it has tables of rules.
pub(super) fn is_used(world: &World, ns: NsId, family: Option<Family>) -> bool {
    let host = world.netns.get(ns).map(|netns| netns.host);
    world.netns.iter().filter(|(_, netns)| Some(netns.host) == host).any(|(ns, netns)| match family {
        Some(family) => !world.tables_in_use(ns, family).is_empty(),
        None => netns.netfilter.is_some(),
    })
}

fn names(world: &World, ns: NsId, family: Family) -> String {
    world.tables_in_use(ns, family).iter().map(|kind| format!("{}\n", kind.name())).collect()
}

pub(super) fn connections(world: &World, ns: NsId) -> String {
    let mut text = String::new();
    for connection in world.connections(ns) {
        let family = match connection.family {
            Family::Ipv4 => "ipv4",
            Family::Ipv6 => "ipv6",
        };
        let protocol = connection.original.protocol;
        let name = match protocol {
            1 => "icmp",
            6 => "tcp",
            17 => "udp",
            33 => "dccp",
            47 => "gre",
            58 => "icmpv6",
            132 => "sctp",
            136 => "udplite",
            _ => "unknown",
        };
        let number = connection.family.number();
        let _ = write!(text, "{family:<8} {number} {name:<8} {protocol} {} ", connection.timeout_s);
        if let Some(state) = connection.tcp {
            let _ = write!(text, "{} ", state.name());
        }
        let counters = connection.counters;
        let [original, reply] = connection.original.zones;
        let (one_way, both) = (original != reply, original == reply && original != 0);
        write_tuple(&mut text, &connection.original);
        if one_way && original != 0 {
            let _ = write!(text, "zone-orig={original} ");
        }
        write_counters(&mut text, counters.map(|[original, _]| original));
        if connection.status & status::SEEN_REPLY == 0 {
            text.push_str("[UNREPLIED] ");
        }
        write_tuple(&mut text, &connection.reply);
        if one_way && reply != 0 {
            let _ = write!(text, "zone-reply={reply} ");
        }
        write_counters(&mut text, counters.map(|[_, reply]| reply));
        if connection.status & status::ASSURED != 0 {
            text.push_str("[ASSURED] ");
        }
        let _ = write!(text, "mark={} ", connection.mark);
        if both {
            let _ = write!(text, "zone={original} ");
        }
        text.push_str("use=2\n");
    }
    text
}

/// `seq_print_acct`
fn write_counters(text: &mut String, counters: Option<(u64, u64)>) {
    if let Some((packets, bytes)) = counters {
        let _ = write!(text, "packets={packets} bytes={bytes} ");
    }
}

fn write_tuple(text: &mut String, tuple: &Tuple) {
    let _ = write!(text, "src={} dst={} ", whole(tuple.source), whole(tuple.destination));
    match tuple.protocol {
        1 | 58 => {
            let (kind, code) = tuple.icmp();
            let _ = write!(text, "type={kind} code={code} id={} ", tuple.source_port);
        }
        6 | 17 | 33 | 132 | 136 => {
            let _ = write!(text, "sport={} dport={} ", tuple.source_port, tuple.destination_port);
        }
        _ => {}
    }
}

/// IPv6 addresses are written out in full (`%pI6`).
fn whole(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => address.segments().map(|segment| format!("{segment:04x}")).join(":"),
    }
}
