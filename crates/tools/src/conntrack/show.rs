//! A connection as a line (libnetfilter_conntrack, `snprintf_default.c`).

use hairpin_netlink::netfilter::Family;
use hairpin_netlink::netfilter::conntrack::{Connection, Tuple, status};

/// `-o`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Output {
    pub extended: bool,
    pub id: bool,
}

pub(super) fn line(connection: &Connection, output: Output) -> String {
    let mut text = String::new();
    if output.extended {
        let name = match connection.family {
            Family::Ipv4 => "ipv4",
            Family::Ipv6 => "ipv6",
        };
        text += &format!("{name:<8} {} ", connection.family.number());
    }
    let protocol = connection.original.protocol;
    let name = super::filter::PROTOCOLS.iter().find(|(_, number)| *number == protocol);
    let name = name.map_or("unknown", |(name, _)| name);
    text += &format!("{name:<8} {protocol} {} ", connection.timeout_s);
    if let Some(state) = connection.tcp {
        text += &format!("{} ", state.name());
    }
    text += &tuple(&connection.original);
    if connection.status & status::SEEN_REPLY == 0 {
        text += "[UNREPLIED] ";
    }
    text += &tuple(&connection.reply);
    if connection.status & status::ASSURED != 0 {
        text += "[ASSURED] ";
    }
    text += &format!("mark={} use=1", connection.mark);
    if output.id {
        text += &format!(" id={}", connection.id);
    }
    text
}

fn tuple(tuple: &Tuple) -> String {
    let addresses = format!("src={} dst={} ", tuple.source, tuple.destination);
    match tuple.protocol {
        1 | 58 => {
            let (kind, code) = tuple.icmp();
            format!("{addresses}type={kind} code={code} id={} ", tuple.source_port)
        }
        6 | 17 | 33 | 132 | 136 => {
            format!("{addresses}sport={} dport={} ", tuple.source_port, tuple.destination_port)
        }
        _ => addresses,
    }
}
