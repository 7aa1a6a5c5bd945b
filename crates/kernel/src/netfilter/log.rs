//! Lines of the kernel's log for `-j LOG` and `-j TRACE` (nf_log_syslog.c).

use std::fmt::Write as _;

use hairpin_netlink::netfilter::targets::log;
use hairpin_netlink::netfilter::{Family, TableKind};

use super::At;
use super::packet::{Ip, protocol};
use crate::device::DevId;
use crate::frame::{Frame, Owner};
use crate::world::World;

/// The line of a LOG rule.
pub(super) fn line(world: &World, at: &At, frame: &Frame, prefix: &str, flags: u8) -> String {
    let name = |dev: Option<DevId>| dev.and_then(|dev| world.devs.get(dev)).map_or("", |d| d.name.as_str());
    let mut text = format!("{prefix}IN={} OUT={} ", name(at.input), name(at.output));
    let bridged = frame.bridged.unwrap_or_default();
    for (word, port) in [("PHYSIN", bridged.input), ("PHYSOUT", bridged.output)] {
        if port.is_some() {
            let _ = write!(text, "{word}={} ", name(port));
        }
    }
    if at.input.is_some() {
        let header = frame.bytes().get(..14).unwrap_or(&[]);
        let bytes: Vec<String> = header.iter().map(|byte| format!("{byte:02x}")).collect();
        let _ = write!(text, "MAC={} ", bytes.join(":"));
    }
    if let Some(ip) = Ip::read(frame.payload()) {
        write_packet(&mut text, &ip, frame.payload());
    }
    if flags & log::UID != 0 && frame.owner == Owner::Program {
        text.push_str("UID=0 GID=0 ");
    }
    if frame.mark != 0 {
        let _ = write!(text, "MARK=0x{:x} ", frame.mark);
    }
    text
}

/// The line of a traced packet at a rule (`trace_packet`).
pub(super) fn trace(
    world: &World,
    at: &At,
    frame: &Frame,
    table: TableKind,
    chain: &str,
    what: &str,
    rule: u32,
) -> String {
    let prefix = format!("TRACE: {}:{chain}:{what}:{rule} ", table.name());
    line(world, at, frame, &prefix, 0)
}

fn write_packet(text: &mut String, ip: &Ip, packet: &[u8]) {
    let _ = match ip.family {
        Family::Ipv4 => {
            let word = |at: usize| {
                packet
                    .get(at..)
                    .and_then(|rest| rest.first_chunk())
                    .map_or(0, |bytes| u16::from_be_bytes(*bytes))
            };
            let (id, fragment) = (word(4), word(6));
            let _ = write!(
                text,
                "SRC={} DST={} LEN={} TOS=0x{:02X} PREC=0x{:02X} TTL={} ID={id} ",
                ip.source,
                ip.destination,
                ip.total_len,
                ip.tos & 0x1e,
                ip.tos & 0xe0,
                ip.ttl
            );
            for (bit, name) in [(0x8000, "CE "), (0x4000, "DF "), (0x2000, "MF ")] {
                if fragment & bit != 0 {
                    text.push_str(name);
                }
            }
            if ip.offset != 0 { write!(text, "FRAG:{} ", fragment & 0x1fff) } else { Ok(()) }
        }
        Family::Ipv6 => {
            let expanded = |address: std::net::IpAddr| match address {
                std::net::IpAddr::V6(address) => {
                    address.segments().map(|segment| format!("{segment:04x}")).join(":")
                }
                std::net::IpAddr::V4(address) => address.to_string(),
            };
            let label = packet
                .get(1..4)
                .map_or(0, |bytes| u32::from_be_bytes([0, bytes[0] & 15, bytes[1], bytes[2]]));
            write!(
                text,
                "SRC={} DST={} LEN={} TC={} HOPLIMIT={} FLOWLBL={label} ",
                expanded(ip.source),
                expanded(ip.destination),
                ip.total_len,
                ip.tos,
                ip.ttl
            )
        }
    };
    write_transport(text, ip, packet);
}

fn write_transport(text: &mut String, ip: &Ip, packet: &[u8]) {
    let payload = ip.payload(packet);
    let word = |at: usize| {
        payload.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u16::from_be_bytes(*bytes))
    };
    let _ = match ip.protocol {
        protocol::TCP => {
            let flags = payload.get(13).copied().unwrap_or(0);
            let _ = write!(text, "PROTO=TCP SPT={} DPT={} WINDOW={} RES=0x00 ", word(0), word(2), word(14));
            let names = [(0x80, "CWR "), (0x40, "ECE "), (0x20, "URG "), (0x10, "ACK "), (0x08, "PSH ")];
            for (bit, name) in names.into_iter().chain([(0x04, "RST "), (0x02, "SYN "), (0x01, "FIN ")]) {
                if flags & bit != 0 {
                    text.push_str(name);
                }
            }
            write!(text, "URGP={} ", word(18))
        }
        protocol::UDP => write!(text, "PROTO=UDP SPT={} DPT={} LEN={} ", word(0), word(2), word(4)),
        protocol::ICMP | protocol::ICMPV6 => {
            let name = if ip.protocol == protocol::ICMP { "ICMP" } else { "ICMPv6" };
            let [kind, code] = word(0).to_be_bytes();
            let _ = write!(text, "PROTO={name} TYPE={kind} CODE={code} ");
            match (ip.protocol, kind) {
                (protocol::ICMP, 0 | 8) | (protocol::ICMPV6, 128 | 129) => {
                    write!(text, "ID={} SEQ={} ", word(4), word(6))
                }
                _ => Ok(()),
            }
        }
        other => write!(text, "PROTO={other} "),
    };
}
