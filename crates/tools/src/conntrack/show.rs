//! A connection as a line (libnetfilter_conntrack, `snprintf_default.c`).

use hairpin_netlink::netfilter::Family;
use hairpin_netlink::netfilter::conntrack::{Change, Connection, Event, Tuple, status};

/// `-o`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Output {
    pub extended: bool,
    pub id: bool,
    pub xml: bool,
    pub timestamp: bool,
}

pub(super) fn line(connection: &Connection, output: Output) -> String {
    let mut text = head(connection, output, true);
    text += &format!("mark={} {}use=1", connection.mark, zone(connection));
    if output.id {
        text += &format!(" id={}", connection.id);
    }
    text
}

/// A change: the mark shows where it is not 0, or what the change is about.
pub(super) fn event(event: &Event, output: Output) -> String {
    let connection = &event.connection;
    let ends = event.change == Change::Destroy;
    let mut text = head(connection, output, !ends || connection.timeout_s > 0);
    if event.marked || connection.mark != 0 {
        text += &format!("mark={} ", connection.mark);
    }
    text += &zone(connection);
    if output.id {
        text += &format!("id={} ", connection.id);
    }
    text.trim_end().to_owned()
}

fn head(connection: &Connection, output: Output, with_timeout: bool) -> String {
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
    text += &format!("{name:<8} {protocol} ");
    if with_timeout {
        text += &format!("{} ", connection.timeout_s);
    }
    if let Some(state) = connection.tcp {
        text += &format!("{} ", state.name());
    }
    let [original, reply] = connection.original.zones;
    text += &tuple(&connection.original);
    if original != reply && original != 0 {
        text += &format!("zone-orig={original} ");
    }
    text += &counters(connection.counters.map(|[original, _]| original));
    if connection.status & status::SEEN_REPLY == 0 {
        text += "[UNREPLIED] ";
    }
    text += &tuple(&connection.reply);
    if original != reply && reply != 0 {
        text += &format!("zone-reply={reply} ");
    }
    text += &counters(connection.counters.map(|[_, reply]| reply));
    if connection.status & status::ASSURED != 0 {
        text += "[ASSURED] ";
    }
    text
}

/// The zone of both directions.
fn zone(connection: &Connection) -> String {
    match connection.original.zones {
        [zone, reply] if zone == reply && zone != 0 => format!("zone={zone} "),
        _ => String::new(),
    }
}

/// `-o xml` (`snprintf_xml.c`)
pub(super) fn xml(connection: &Connection) -> String {
    let one = |direction: &str, tuple: &Tuple, counters: Option<(u64, u64)>| {
        let (number, name) = match tuple.source {
            std::net::IpAddr::V4(_) => (2, "ipv4"),
            std::net::IpAddr::V6(_) => (10, "ipv6"),
        };
        let protocol = super::filter::PROTOCOLS.iter().find(|(_, number)| *number == tuple.protocol);
        let protocol = protocol.map_or("unknown", |(name, _)| name);
        let ports = match tuple.protocol {
            6 | 17 | 33 | 132 | 136 => {
                format!("<sport>{}</sport><dport>{}</dport>", tuple.source_port, tuple.destination_port)
            }
            _ => String::new(),
        };
        let counted = counters.map_or(String::new(), |(packets, bytes)| {
            format!("<counters><packets>{packets}</packets><bytes>{bytes}</bytes></counters>")
        });
        format!(
            "<meta direction=\"{direction}\"><layer3 protonum=\"{number}\" protoname=\"{name}\"><src>{}</src>\
             <dst>{}</dst></layer3><layer4 protonum=\"{}\" protoname=\"{protocol}\">{ports}</layer4>{counted}</meta>",
            tuple.source, tuple.destination, tuple.protocol
        )
    };
    let state = connection.tcp.map_or(String::new(), |state| format!("<state>{}</state>", state.name()));
    let mut flags = String::new();
    if connection.status & status::SEEN_REPLY == 0 {
        flags += "<unreplied/>";
    }
    if connection.status & status::ASSURED != 0 {
        flags += "<assured/>";
    }
    format!(
        "<flow>{}{}<meta direction=\"independent\">{state}<timeout>{}</timeout><mark>{}</mark><use>1</use>\
         <id>{}</id>{flags}</meta></flow>",
        one("original", &connection.original, connection.counters.map(|[original, _]| original)),
        one("reply", &connection.reply, connection.counters.map(|[_, reply]| reply)),
        connection.timeout_s,
        connection.mark,
        connection.id
    )
}

fn counters(counters: Option<(u64, u64)>) -> String {
    counters.map_or(String::new(), |(packets, bytes)| format!("packets={packets} bytes={bytes} "))
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
