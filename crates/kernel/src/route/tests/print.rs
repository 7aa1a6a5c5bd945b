//! How `ip` prints what the kernel answers.

use hairpin_netlink::{
    Failure, Message,
    route::{
        route::{RouteAddress, RouteAttribute, RouteFlags, RouteMetric, RouteType},
        rule::{RuleAction, RuleAttribute, RuleFlags, RulePortRange},
    },
};

use super::{names::*, world::World};
use crate::route::Links;

impl World {
    /// `print_route`
    pub(super) fn print(&self, message: &Message, one_table: bool) -> String {
        let (message, deleted) = match message {
            Message::NewRoute(message) => (message, ""),
            Message::DelRoute(message) => (message, "Deleted "),
            other => panic!("{other:?}"),
        };
        let header = &message.header;
        let find = |wanted: fn(&RouteAttribute) -> Option<String>| message.attributes.iter().find_map(wanted);
        let name = |ifindex: u32| {
            let first = self.first_names.iter().find(|(known, _)| *known == ifindex);
            let first = first.map_or("?", |(_, name)| name);
            self.devices.link(ifindex).map_or(first, |link| link.name).to_owned()
        };
        let mut line = deleted.to_owned();
        let mut put = |text: String| line += &(text + " ");
        if header.kind != RouteType::Unicast {
            put(type_name(header.kind).to_owned());
        }
        let destination = message.attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::Destination(address) => Some(bare(address)),
            _ => None,
        });
        match (destination, header.destination_prefix_length) {
            (Some(address), 32) => put(address),
            (Some(address), length) => put(format!("{address}/{length}")),
            (None, _) => put("default".to_owned()),
        }
        if let Some(source) = find(|a| if let RouteAttribute::Source(a) = a { Some(bare(a)) } else { None }) {
            put(format!("from {source}"));
        }
        if header.tos != 0 {
            put(format!("tos {}", tos_name(header.tos)));
        }
        if let Some(gateway) = find(|a| if let RouteAttribute::Gateway(a) = a { Some(bare(a)) } else { None })
        {
            put(format!("via {gateway}"));
        }
        for attribute in &message.attributes {
            if let RouteAttribute::Oif(ifindex) = attribute {
                put(format!("dev {}", name(*ifindex)));
            }
        }
        for attribute in &message.attributes {
            match attribute {
                RouteAttribute::Table(table) if ![0, 254].contains(table) && !one_table => {
                    put(format!("table {}", table_name(*table)));
                }
                _ => {}
            }
        }
        let cloned = header.flags.contains(RouteFlags::Cloned);
        if !cloned {
            if u8::from(header.protocol) != 3 {
                put(format!("proto {}", protocol_name(header.protocol.into())));
            }
            match u8::from(header.scope) {
                0 => {}
                200 => put("scope site".to_owned()),
                253 => put("scope link".to_owned()),
                254 => put("scope host".to_owned()),
                255 => put("scope nowhere".to_owned()),
                other => put(format!("scope {other}")),
            }
        }
        if let Some(source) =
            find(|a| if let RouteAttribute::PrefSource(a) = a { Some(bare(a)) } else { None })
        {
            put(format!("src {source}"));
        }
        for attribute in &message.attributes {
            if let RouteAttribute::Priority(priority) = attribute {
                put(format!("metric {priority}"));
            }
        }
        let bits = header.flags.bits();
        for (bit, text) in [(1, "dead"), (4, "onlink"), (16, "linkdown"), (0x2000_0000, "rt_offload_failed")]
        {
            if bits & bit != 0 {
                put(text.to_owned());
            }
        }
        for attribute in &message.attributes {
            match attribute {
                RouteAttribute::Mark(mark) if *mark >= 16 => put(format!("mark {mark:#x}")),
                RouteAttribute::Mark(mark) => put(format!("mark {mark}")),
                RouteAttribute::Uid(uid) => put(format!("uid {uid}")),
                _ => {}
            }
        }
        if cloned {
            line += "\n    cache ";
            let names = [
                (0x8000_0000, "local"),
                (0x1000_0000, "brd"),
                (0x2000_0000, "mc"),
                (0x0100_0000, "redirect"),
            ];
            let set: Vec<&str> = names.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, n)| *n).collect();
            if !set.is_empty() {
                line += &format!("<{}> ", set.join(","));
            }
        }
        let mut put = |text: String| line += &(text + " ");
        for attribute in &message.attributes {
            match attribute {
                RouteAttribute::Metrics(metrics) => put(print_metrics(metrics)),
                RouteAttribute::Iif(ifindex) => put(format!("iif {}", name(*ifindex))),
                RouteAttribute::MultiPath(members) => {
                    for member in members {
                        let mut text = "\n\tnexthop".to_owned();
                        for attribute in &member.attributes {
                            if let RouteAttribute::Gateway(gateway) = attribute {
                                text += &format!(" via {}", bare(gateway));
                            }
                        }
                        text += &format!(
                            " dev {} weight {}",
                            name(member.interface_index),
                            u16::from(member.hops) + 1
                        );
                        for (bit, name) in [(1, " dead"), (4, " onlink"), (16, " linkdown")] {
                            if member.flags.bits() & bit != 0 {
                                text += name;
                            }
                        }
                        put(text);
                    }
                }
                _ => {}
            }
        }
        line + "\n"
    }
}

/// `ip` says what the kernel says, or the errno's text.
pub(super) fn refusal(failure: &Failure) -> String {
    match &failure.text {
        Some(text) => format!("Error: {text}.\n"),
        None => format!("RTNETLINK answers: {}\n", failure.errno),
    }
}

fn print_metrics(metrics: &[RouteMetric]) -> String {
    let lock = metrics.iter().find_map(|m| if let RouteMetric::Lock(bits) = m { Some(*bits) } else { None });
    let lock = |kind: u32| if lock.unwrap_or(0) & (1 << kind) != 0 { "lock " } else { "" };
    let words = metrics.iter().filter_map(|metric| match metric {
        RouteMetric::Mtu(value) => Some(format!("mtu {}{value}", lock(2))),
        RouteMetric::Window(value) => Some(format!("window {}{value}", lock(3))),
        RouteMetric::Rtt(value) => Some(format!("rtt {}{}ms", lock(4), value / 8)),
        RouteMetric::Advmss(value) => Some(format!("advmss {}{value}", lock(8))),
        RouteMetric::Hoplimit(value) => Some(format!("hoplimit {}{value}", lock(10))),
        RouteMetric::InitCwnd(value) => Some(format!("initcwnd {}{value}", lock(11))),
        RouteMetric::CcAlgo(name) => Some(format!("congctl {name}")),
        _ => None,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// `print_rule`
pub(super) fn print_rule(message: &Message) -> String {
    let Message::NewRule(message) = message else { panic!("{message:?}") };
    let header = &message.header;
    let all = &message.attributes;
    let mut line = String::new();
    let priority = all.iter().find_map(|a| if let RuleAttribute::Priority(p) = a { Some(*p) } else { None });
    line += &format!("{}:\t", priority.unwrap_or(0));
    if header.flags.contains(RuleFlags::Invert) {
        line += "not ";
    }
    let subnet = |address: String, length| if length == 32 { address } else { format!("{address}/{length}") };
    let find = |pick: fn(&RuleAttribute) -> Option<String>| all.iter().find_map(pick);
    let source = find(|a| if let RuleAttribute::Source(a) = a { Some(a.to_string()) } else { None });
    line += &format!("from {}", source.map_or("all".to_owned(), |source| subnet(source, header.src_len)));
    if let Some(to) = find(|a| if let RuleAttribute::Destination(a) = a { Some(a.to_string()) } else { None })
    {
        line += &format!(" to {}", subnet(to, header.dst_len));
    }
    if header.tos != 0 {
        line += &format!(" tos {}", tos_name(header.tos));
    }
    let mask = all.iter().find_map(|a| if let RuleAttribute::FwMask(m) = a { Some(*m) } else { None });
    let mark = all.iter().find_map(|a| if let RuleAttribute::FwMark(m) = a { Some(*m) } else { None });
    if mark.is_some() || mask.is_some() {
        let hex = |value: u32| if value == 0 { "0".to_owned() } else { format!("{value:#x}") };
        line += &format!(" fwmark {}", hex(mark.unwrap_or(0)));
        if let Some(mask) = mask.filter(|mask| *mask != u32::MAX) {
            line += &format!("/{}", hex(mask));
        }
    }
    for attribute in all {
        match attribute {
            RuleAttribute::Iifname(name) => {
                line += &format!(" iif {name}");
                if header.flags.contains(RuleFlags::IifDetached) {
                    line += " [detached]";
                }
            }
            RuleAttribute::Oifname(name) => {
                line += &format!(" oif {name}");
                if header.flags.contains(RuleFlags::OifDetached) {
                    line += " [detached]";
                }
            }
            _ => {}
        }
    }
    let ports = |range: &RulePortRange| match range.start == range.end {
        true => range.start.to_string(),
        false => format!("{}-{}", range.start, range.end),
    };
    for attribute in all {
        match attribute {
            RuleAttribute::UidRange(range) => line += &format!(" uidrange {}-{}", range.start, range.end),
            RuleAttribute::SourcePortRange(range) => line += &format!(" sport {}", ports(range)),
            RuleAttribute::DestinationPortRange(range) => line += &format!(" dport {}", ports(range)),
            _ => {}
        }
    }
    let table = all.iter().find_map(|a| if let RuleAttribute::Table(t) = a { Some(*t) } else { None });
    if let Some(table) = table.filter(|table| *table != 0) {
        line += &format!(" lookup {}", table_name(table));
        for attribute in all {
            match attribute {
                RuleAttribute::SuppressPrefixLen(length) if *length != u32::MAX => {
                    line += &format!(" suppress_prefixlength {length}");
                }
                _ => {}
            }
        }
    }
    match header.action {
        RuleAction::Goto => {
            let target =
                all.iter().find_map(|a| if let RuleAttribute::Goto(t) = a { Some(*t) } else { None });
            line += &format!(" goto {}", target.unwrap_or(0));
            if header.flags.contains(RuleFlags::Unresolved) {
                line += " [unresolved]";
            }
        }
        RuleAction::Nop => line += " nop",
        RuleAction::Blackhole => line += " blackhole",
        RuleAction::Unreachable => line += " unreachable",
        RuleAction::Prohibit => line += " prohibit",
        _ => {}
    }
    line + "\n"
}

fn bare(address: &RouteAddress) -> String {
    match address {
        RouteAddress::Inet(address) => address.to_string(),
        other => panic!("{other:?}"),
    }
}
