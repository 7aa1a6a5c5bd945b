//! As much of the `ip` command as the recorded sessions use: words to messages, answers to text.

use std::net::Ipv4Addr;

use hairpin_netlink::{
    Message,
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

use super::{
    names::*,
    print::{print_rule, refusal},
    world::{World, address, prefix},
};
use crate::route::Ruled as _;
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
                let mut watcher = self.clone();
                for device in &mut watcher.devices.0 {
                    device.name = watcher.first_names[device.ifindex as usize - 1].1.clone();
                }
                heard.iter().map(|notification| watcher.print(&notification.message, false)).collect()
            }
            // Time for the kernel's link watch.
            ["sleep", _] => String::new(),
            ["cat", "/proc/net/route"] => proc_net_route(&self.fib, &self.devices),
            ["sysctl", "-q", setting] => self.sysctl(setting),
            ["ip", "link", "set", device, state @ ("up" | "down")] => {
                self.set_up(self.ifindex(device), *state == "up");
                String::new()
            }
            ["ip", "link", "del", device] => {
                let ifindex = self.ifindex(device);
                let peer = self.devices.get(ifindex).and_then(|device| device.peer);
                for device in [Some(ifindex), peer].into_iter().flatten() {
                    self.remove_device(device);
                }
                String::new()
            }
            ["ip", "link", "set", device, "name", name] => {
                let ifindex = self.ifindex(device);
                self.devices.get_mut(ifindex).unwrap().name = (*name).to_owned();
                self.fib.device_unnamed(ifindex);
                self.fib.device_named(ifindex, name);
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
            route::del_route(&mut self.fib, &Default::default(), &message)
                .map(|change| vec![route::announce(&self.fib, &change)])
        } else {
            route::new_route(&mut self.fib, &self.devices, &Default::default(), &message, flags)
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
}
