//! A connection as a line (libnetfilter_conntrack, `snprintf_default.c`).

use hairpin_netlink::netfilter::Family;
use hairpin_netlink::netfilter::conntrack::{Change, Connection, Event, Tuple, status};

/// `-o`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Output {
    /// As arguments that make it again; alone.
    pub save: bool,
    /// Some that add nothing here.
    pub other: bool,
    pub extended: bool,
    pub id: bool,
    pub xml: bool,
    pub timestamp: bool,
}

pub(super) fn line(connection: &Connection, output: Output) -> String {
    shown(connection, output, 1)
}

/// A connection that the program holds while it tells of it.
pub(super) fn held(connection: &Connection, output: Output) -> String {
    shown(connection, output, 2)
}

fn shown(connection: &Connection, output: Output, uses: u8) -> String {
    if output.save {
        return save(connection);
    }
    let mut text = head(connection, output, true, true);
    text += &format!("mark={} {}use={uses}", connection.mark, zone(connection));
    if output.id {
        text += &format!(" id={}", connection.id);
    }
    text
}

/// A change: the mark shows where it is not 0, or what the change is about.
pub(super) fn event(event: &Event, output: Output) -> String {
    let connection = &event.connection;
    let ends = event.change == Change::Destroy;
    if output.save {
        return save(connection);
    }
    // What was counted is told at the end alone.
    let mut text = head(connection, output, !ends || connection.timeout_s > 0, ends);
    if event.marked || connection.mark != 0 {
        text += &format!("mark={} ", connection.mark);
    }
    text += &zone(connection);
    if output.id {
        text += &format!("id={} ", connection.id);
    }
    text.trim_end().to_owned()
}

/// `-o save` (`ct_save_snprintf` of conntrack.c)
fn save(connection: &Connection) -> String {
    let (original, reply) = (&connection.original, &connection.reply);
    let flags = [(status::SEEN_REPLY, "SEEN_REPLY"), (status::ASSURED, "ASSURED")];
    let flags: Vec<&str> =
        flags.iter().filter(|(bit, _)| connection.status & bit != 0).map(|(_, name)| *name).collect();
    let flags = if flags.is_empty() { "UNSET".to_owned() } else { flags.join(",") };
    // A translated end is the answer's.
    let from = if reply.source == original.destination { "-r" } else { "-g" };
    let to = if reply.destination == original.source { "-q" } else { "-n" };
    let protocol = original.protocol;
    let known = super::filter::PROTOCOLS.iter().find(|(_, number)| *number == protocol);
    let name = known.map_or_else(|| protocol.to_string(), |(name, _)| (*name).to_owned());
    let mut text = format!(
        "-A -t {} -u {flags} -s {} -d {} {from} {} {to} {} -p {name}",
        connection.timeout_s, original.source, original.destination, reply.source, reply.destination
    );
    match protocol {
        1 | 58 => {
            let (kind, code) = original.icmp();
            let v6 = if protocol == 58 { "v6" } else { "" };
            let id = original.source_port;
            text += &format!(" --icmp{v6}-type {kind} --icmp{v6}-code {code} --icmp{v6}-id {id}");
        }
        6 | 17 | 33 | 132 | 136 => {
            text += &format!(
                " --sport {} --dport {} --reply-port-src {} --reply-port-dst {}",
                original.source_port, original.destination_port, reply.source_port, reply.destination_port
            );
        }
        _ => {}
    }
    if let Some(state) = connection.tcp {
        text += &format!(" --state {}", state.name());
    }
    text
}

fn head(connection: &Connection, output: Output, with_timeout: bool, counted: bool) -> String {
    let counters = |side: Option<(u64, u64)>| counters(side.filter(|_| counted));
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
