//! As much of the `ip` command as the recorded sessions use: words to messages, answers to text.

use std::net::Ipv4Addr;

use hairpin_netlink::{
    Failure, Message,
    codec::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE},
    route::{
        AddressFamily,
        route::{
            RouteAttribute, RouteFlags, RouteMessage, RouteMetric, RouteNextHop, RouteNextHopFlags,
            RouteScope, RouteType,
        },
        rule::{RuleAction, RuleAttribute, RuleFlags, RuleMessage, RulePortRange, RuleUidRange},
    },
};

use super::world::{World, address, prefix};
use crate::{
    route::{Links, Scope, proc_net_route},
    rtnl::{route, rule},
};

impl World {
    /// Runs one command; returns what it prints.
    pub fn run(&mut self, command: &str) -> String {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["bytes", what @ ..] => self.bytes(what),
            ["monitor"] => {
                let heard = std::mem::take(&mut self.notifications);
                heard.iter().map(|notification| self.print(&notification.message, false)).collect()
            }
            // Time for the kernel's link watch.
            ["sleep", _] => String::new(),
            ["cat", "/proc/net/route"] => proc_net_route(&self.fib, &self.devices),
            ["sysctl", "-q", setting] => self.sysctl(setting),
            ["ip", "link", "set", device, state @ ("up" | "down")] => {
                self.set_up(self.ifindex(device), *state == "up");
                String::new()
            }
            ["ip", "addr", rest @ ..] => self.ip_address(rest),
            ["ip", "-4", "route", rest @ ..] | ["ip", "route", rest @ ..] => self.ip_route(rest),
            ["ip", "rule", rest @ ..] => self.ip_rule(rest),
            _ => panic!("not understood: {command}"),
        }
    }

    /// The payloads of a dump or answer, in hex.
    fn bytes(&self, what: &[&str]) -> String {
        let messages = match what {
            ["rule"] => rule::dump_rules(&self.fib, &RuleMessage::default(), true).unwrap().messages,
            ["route"] => {
                let mut message = RouteMessage::default();
                message.header.address_family = AddressFamily::Inet;
                route::dump_routes(&self.fib, &self.devices, &message, true).unwrap().messages
            }
            ["get", address] => {
                let mut message = RouteMessage::default();
                message.header.address_family = AddressFamily::Inet;
                message.header.flags = RouteFlags::LookupTable;
                message.header.destination_prefix_length = 32;
                let address: Ipv4Addr = address.parse().unwrap();
                message.attributes.push(RouteAttribute::Destination(address.into()));
                let answer = route::get_route(&self.fib, &self.devices, &message, 0, true);
                vec![Message::NewRoute(answer.unwrap())]
            }
            other => panic!("{other:?}"),
        };
        let hex = |message: &Message| {
            let bytes = hairpin_netlink::codec::encode(message, 0, 0, 0);
            bytes[16..].iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n"
        };
        messages.iter().map(hex).collect()
    }

    fn ifindex(&self, name: &str) -> u32 {
        self.devices.find(name).unwrap_or_else(|| panic!("no device {name}"))
    }

    fn sysctl(&mut self, setting: &str) -> String {
        let (name, value) = setting.split_once('=').unwrap();
        let value: u8 = value.parse().unwrap();
        let parts: Vec<&str> = name.split('.').collect();
        let indexes: Vec<u32> = match parts.as_slice() {
            ["net", "ipv4", "ip_forward"] => self.devices.0.iter().map(|d| d.ifindex).collect(),
            ["net", "ipv4", "conf", device, _] => vec![self.ifindex(device)],
            _ => panic!("not understood: {name}"),
        };
        for ifindex in indexes {
            let settings = &mut self.devices.get_mut(ifindex).unwrap().settings;
            match *parts.last().unwrap() {
                "ip_forward" | "forwarding" => settings.forwarding = value != 0,
                "rp_filter" => settings.rp_filter = value,
                "accept_local" => settings.accept_local = value != 0,
                "ignore_routes_with_linkdown" => self.fib.set_ignore_linkdown(ifindex, value != 0),
                other => panic!("not understood: {other}"),
            }
        }
        String::new()
    }

    fn ip_address(&mut self, words: &[&str]) -> String {
        let [action, subnet, options @ ..] = words else { panic!("{words:?}") };
        let subnet = prefix(subnet);
        let mut new = address(&subnet.address.to_string(), subnet.length, Scope::UNIVERSE);
        let mut ifindex = 0;
        let mut words = options.iter();
        while let Some(word) = words.next() {
            let mut next = || *words.next().unwrap();
            match *word {
                "dev" => ifindex = self.ifindex(next()),
                "peer" => {
                    let peer = prefix(next());
                    (new.peer, new.prefix_length) = (peer.address, peer.length);
                }
                "brd" => {
                    new.broadcast = match next() {
                        "+" => Some(new.prefix().broadcast()),
                        given => Some(given.parse().unwrap()),
                    };
                }
                "metric" => new.metric = next().parse().unwrap(),
                "noprefixroute" => new.no_prefix_route = true,
                "scope" => new.scope = scope(next()),
                other => panic!("not understood: {other}"),
            }
        }
        let done = match *action {
            "add" => self.add_address(ifindex, new),
            "del" => self.delete_address(ifindex, subnet.address, new.prefix_length),
            _ => panic!("{action}"),
        };
        done.map_or_else(|failure| refusal(&failure), |()| String::new())
    }

    fn ip_route(&mut self, words: &[&str]) -> String {
        let (action, rest) = words.split_first().unwrap_or((&"show", &[]));
        let flags = match *action {
            "add" => NLM_F_CREATE | NLM_F_EXCL,
            "replace" => NLM_F_CREATE | NLM_F_REPLACE,
            "change" => NLM_F_REPLACE,
            "append" => NLM_F_CREATE | NLM_F_APPEND,
            "prepend" => NLM_F_CREATE,
            "test" => NLM_F_EXCL,
            "del" => 0,
            "show" => return self.show_routes(rest),
            "get" => return self.get_route(rest),
            _ => panic!("{action}"),
        };
        let message = self.route_request(rest, *action == "del");
        let done = if *action == "del" {
            route::del_route(&mut self.fib, &message)
        } else {
            route::new_route(&mut self.fib, &self.devices, &message, flags)
        };
        match done {
            Ok(notifications) => {
                self.notifications.extend(notifications);
                String::new()
            }
            Err(failure) => refusal(&failure),
        }
    }

    /// `iproute_modify`
    fn route_request(&self, words: &[&str], delete: bool) -> RouteMessage {
        let mut message = RouteMessage::default();
        let header = &mut message.header;
        header.address_family = AddressFamily::Inet;
        header.table = 254;
        header.scope = RouteScope::NoWhere;
        if !delete {
            header.protocol = 3.into();
            header.scope = RouteScope::Universe;
            header.kind = RouteType::Unicast;
        }
        let (mut table_ok, mut scope_ok, mut gateway_ok) = (false, false, false);
        let (mut metrics, mut locks, mut members) = (Vec::new(), 0, Vec::<RouteNextHop>::new());
        let attributes = &mut message.attributes;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if let Some(kind) = route_type(word) {
                header.kind = kind;
                continue;
            }
            let mut next = || *words.next().unwrap();
            match *word {
                "via" => {
                    gateway_ok = true;
                    let gateway: Ipv4Addr = next().parse().unwrap();
                    match members.last_mut() {
                        Some(member) => member.attributes.push(RouteAttribute::Gateway(gateway.into())),
                        None => attributes.push(RouteAttribute::Gateway(gateway.into())),
                    }
                }
                "dev" => match members.last_mut() {
                    Some(member) => member.interface_index = self.ifindex(next()),
                    None => attributes.push(RouteAttribute::Oif(self.ifindex(next()))),
                },
                "onlink" => match members.last_mut() {
                    Some(member) => member.flags |= RouteNextHopFlags::Onlink,
                    None => header.flags |= RouteFlags::Onlink,
                },
                "weight" => members.last_mut().unwrap().hops = next().parse::<u8>().unwrap() - 1,
                "nexthop" => members.push(RouteNextHop::default()),
                "src" => {
                    let source: Ipv4Addr = next().parse().unwrap();
                    attributes.push(RouteAttribute::PrefSource(source.into()));
                }
                "metric" => attributes.push(RouteAttribute::Priority(next().parse().unwrap())),
                "tos" => header.tos = u8::from_str_radix(&next()[2..], 16).unwrap(),
                "table" => {
                    table_ok = true;
                    let table = table(next());
                    header.table = u8::try_from(table).unwrap_or(0);
                    if table > 255 {
                        attributes.push(RouteAttribute::Table(table));
                    }
                }
                "proto" => header.protocol = protocol(next()).into(),
                "scope" => {
                    scope_ok = true;
                    header.scope = scope(next()).0.into();
                }
                "mtu" | "advmss" | "window" | "hoplimit" | "initcwnd" | "rtt" => {
                    let mut value = next();
                    let (kind, make): (u32, fn(u32) -> RouteMetric) = match *word {
                        "mtu" => (2, RouteMetric::Mtu),
                        "window" => (3, RouteMetric::Window),
                        "rtt" => (4, RouteMetric::Rtt),
                        "advmss" => (8, RouteMetric::Advmss),
                        "hoplimit" => (10, RouteMetric::Hoplimit),
                        _ => (11, RouteMetric::InitCwnd),
                    };
                    if value == "lock" {
                        locks |= 1 << kind;
                        value = next();
                    }
                    metrics.push(make(value.parse().unwrap()));
                }
                "congctl" => metrics.push(RouteMetric::CcAlgo(next().to_owned())),
                destination => {
                    let destination = prefix(destination);
                    header.destination_prefix_length = destination.length;
                    if destination.length > 0 {
                        attributes.push(RouteAttribute::Destination(destination.address.into()));
                    }
                }
            }
        }
        if locks != 0 {
            metrics.push(RouteMetric::Lock(locks));
        }
        if !metrics.is_empty() {
            attributes.push(RouteAttribute::Metrics(metrics));
        }
        let has_members = !members.is_empty();
        if has_members {
            attributes.push(RouteAttribute::MultiPath(members));
        }
        if !table_ok && matches!(header.kind, RouteType::Local | RouteType::Broadcast | RouteType::Anycast) {
            header.table = 255;
        }
        if !scope_ok {
            header.scope = match header.kind {
                RouteType::Local => RouteScope::Host,
                RouteType::Broadcast | RouteType::Multicast | RouteType::Anycast => RouteScope::Link,
                RouteType::Unicast | RouteType::Unspec if delete => RouteScope::NoWhere,
                RouteType::Unicast if !gateway_ok && !has_members => RouteScope::Link,
                _ => header.scope,
            };
        }
        message
    }

    fn show_routes(&self, words: &[&str]) -> String {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        message.header.table = 254;
        let mut words = words.iter();
        let mut one_table = true;
        while let Some(word) = words.next() {
            let mut next = || *words.next().unwrap();
            match *word {
                "table" => {
                    let table = match next() {
                        "all" => 0,
                        name => table(name),
                    };
                    one_table = table != 0;
                    message.header.table = u8::try_from(table).unwrap_or(0);
                    if table > 255 {
                        message.attributes.push(RouteAttribute::Table(table));
                    }
                }
                "dev" => message.attributes.push(RouteAttribute::Oif(self.ifindex(next()))),
                "proto" => message.header.protocol = protocol(next()).into(),
                "type" => message.header.kind = route_type(next()).unwrap(),
                other => panic!("not understood: {other}"),
            }
        }
        match route::dump_routes(&self.fib, &self.devices, &message, true) {
            Ok(dump) => dump.messages.iter().map(|message| self.print(message, one_table)).collect(),
            // `ip` does not mind a missing main table.
            Err(_) if message.header.table == 254 => String::new(),
            Err(failure) => refusal(&failure) + "Dump terminated\n",
        }
    }

    fn get_route(&self, words: &[&str]) -> String {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        message.header.flags = RouteFlags::LookupTable;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut next = || *words.next().unwrap();
            match *word {
                "fibmatch" => message.header.flags |= RouteFlags::FibMatch,
                "from" => {
                    let source: Ipv4Addr = next().parse().unwrap();
                    message.header.source_prefix_length = 32;
                    message.attributes.push(RouteAttribute::Source(source.into()));
                }
                "iif" => message.attributes.push(RouteAttribute::Iif(self.ifindex(next()))),
                "oif" => message.attributes.push(RouteAttribute::Oif(self.ifindex(next()))),
                "mark" => message.attributes.push(RouteAttribute::Mark(next().parse().unwrap())),
                "tos" => message.header.tos = u8::from_str_radix(&next()[2..], 16).unwrap(),
                "uid" => message.attributes.push(RouteAttribute::Uid(next().parse().unwrap())),
                destination => {
                    let destination: Ipv4Addr = destination.parse().unwrap();
                    message.header.destination_prefix_length = 32;
                    message.attributes.push(RouteAttribute::Destination(destination.into()));
                }
            }
        }
        match route::get_route(&self.fib, &self.devices, &message, 0, true) {
            Ok(answer) => self.print(&Message::NewRoute(answer), false),
            Err(failure) => refusal(&failure),
        }
    }

    /// `iprule_modify`
    fn ip_rule(&mut self, words: &[&str]) -> String {
        let (action, rest) = words.split_first().unwrap_or((&"show", &[]));
        let mut message = RuleMessage::default();
        if *action == "show" {
            let dump = rule::dump_rules(&self.fib, &message, true).unwrap();
            return dump.messages.iter().map(print_rule).collect();
        }
        let header = &mut message.header;
        header.family = AddressFamily::Inet;
        let mut table_ok = false;
        if *action == "add" {
            header.action = RuleAction::ToTable;
        }
        let attributes = &mut message.attributes;
        let mut words = rest.iter();
        while let Some(word) = words.next() {
            let mut next = || *words.next().unwrap();
            let mut range = || {
                let text = next();
                let (from, to) = text.split_once('-').unwrap_or((text, text));
                (from.parse::<u32>().unwrap(), to.parse::<u32>().unwrap())
            };
            match *word {
                "not" => header.flags |= RuleFlags::Invert,
                "from" | "to" => {
                    let text = next();
                    if text == "all" {
                        continue;
                    }
                    let prefix = prefix(text);
                    if *word == "from" {
                        header.src_len = prefix.length;
                        attributes.push(RuleAttribute::Source(prefix.address.into()));
                    } else {
                        header.dst_len = prefix.length;
                        attributes.push(RuleAttribute::Destination(prefix.address.into()));
                    }
                }
                "pref" => attributes.push(RuleAttribute::Priority(next().parse().unwrap())),
                "tos" => header.tos = u8::from_str_radix(&next()[2..], 16).unwrap(),
                "fwmark" => {
                    let text = next();
                    let (mark, mask) = text.split_once('/').unwrap_or((text, ""));
                    attributes.push(RuleAttribute::FwMark(mark.parse().unwrap()));
                    if !mask.is_empty() {
                        attributes.push(RuleAttribute::FwMask(mask.parse().unwrap()));
                    }
                }
                "iif" => attributes.push(RuleAttribute::Iifname(next().to_owned())),
                "oif" => attributes.push(RuleAttribute::Oifname(next().to_owned())),
                "uidrange" => {
                    let (start, end) = range();
                    attributes.push(RuleAttribute::UidRange(RuleUidRange { start, end }));
                }
                "sport" | "dport" => {
                    let (start, end) = range();
                    let range = RulePortRange { start: start as u16, end: end as u16 };
                    attributes.push(if *word == "sport" {
                        RuleAttribute::SourcePortRange(range)
                    } else {
                        RuleAttribute::DestinationPortRange(range)
                    });
                }
                "suppress_prefixlength" => {
                    attributes.push(RuleAttribute::SuppressPrefixLen(next().parse().unwrap()));
                }
                "table" | "lookup" => {
                    table_ok = true;
                    let table = table(next());
                    header.table = u8::try_from(table).unwrap_or(0);
                    if table > 255 {
                        attributes.push(RuleAttribute::Table(table));
                    }
                }
                "goto" => {
                    table_ok = true;
                    header.action = RuleAction::Goto;
                    attributes.push(RuleAttribute::Goto(next().parse().unwrap()));
                }
                action @ ("nop" | "blackhole" | "unreachable" | "prohibit") => {
                    table_ok = true;
                    header.action = match action {
                        "nop" => RuleAction::Nop,
                        "blackhole" => RuleAction::Blackhole,
                        "unreachable" => RuleAction::Unreachable,
                        _ => RuleAction::Prohibit,
                    };
                }
                other => panic!("not understood: {other}"),
            }
        }
        if !table_ok && *action == "add" {
            header.table = 254;
        }
        let done = if *action == "add" {
            rule::new_rule(&mut self.fib, &self.devices, &message, NLM_F_CREATE | NLM_F_EXCL)
        } else {
            rule::del_rule(&mut self.fib, &message)
        };
        done.map_or_else(|failure| refusal(&failure), |_| String::new())
    }

    /// `print_route`
    fn print(&self, message: &Message, one_table: bool) -> String {
        let (message, deleted) = match message {
            Message::NewRoute(message) => (message, ""),
            Message::DelRoute(message) => (message, "Deleted "),
            other => panic!("{other:?}"),
        };
        let header = &message.header;
        let find = |wanted: fn(&RouteAttribute) -> Option<String>| message.attributes.iter().find_map(wanted);
        let name = |ifindex: u32| self.devices.link(ifindex).map_or("?", |link| link.name).to_owned();
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
fn refusal(failure: &Failure) -> String {
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
fn print_rule(message: &Message) -> String {
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

fn bare(address: &hairpin_netlink::route::route::RouteAddress) -> String {
    match address {
        hairpin_netlink::route::route::RouteAddress::Inet(address) => address.to_string(),
        other => panic!("{other:?}"),
    }
}

const TYPES: [(&str, RouteType); 9] = [
    ("unicast", RouteType::Unicast),
    ("local", RouteType::Local),
    ("broadcast", RouteType::Broadcast),
    ("anycast", RouteType::Anycast),
    ("multicast", RouteType::Multicast),
    ("blackhole", RouteType::BlackHole),
    ("unreachable", RouteType::Unreachable),
    ("prohibit", RouteType::Prohibit),
    ("throw", RouteType::Throw),
];

fn route_type(name: &str) -> Option<RouteType> {
    TYPES.iter().find(|(text, _)| *text == name).map(|(_, kind)| *kind)
}

fn type_name(kind: RouteType) -> &'static str {
    TYPES.iter().find(|(_, other)| *other == kind).map_or("?", |(text, _)| text)
}

fn table(name: &str) -> u32 {
    match name {
        "local" => 255,
        "main" => 254,
        "default" => 253,
        number => number.parse().unwrap(),
    }
}

fn table_name(table: u32) -> String {
    match table {
        255 => "local".to_owned(),
        254 => "main".to_owned(),
        253 => "default".to_owned(),
        number => number.to_string(),
    }
}

fn protocol(name: &str) -> u8 {
    match name {
        "kernel" => 2,
        "boot" => 3,
        "static" => 4,
        number => number.parse().unwrap(),
    }
}

fn protocol_name(protocol: u8) -> String {
    match protocol {
        2 => "kernel".to_owned(),
        3 => "boot".to_owned(),
        4 => "static".to_owned(),
        number => number.to_string(),
    }
}

fn scope(name: &str) -> Scope {
    match name {
        "host" => Scope::HOST,
        "link" => Scope::LINK,
        "site" => Scope::SITE,
        "global" => Scope::UNIVERSE,
        number => Scope(number.parse().unwrap()),
    }
}

/// As `/etc/iproute2/rt_dsfield` names it.
fn tos_name(tos: u8) -> String {
    if tos == 0x20 { "CS1".to_owned() } else { format!("{tos:#04x}") }
}
