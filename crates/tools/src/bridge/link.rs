//! `bridge link`: bridge ports and their settings.

use hairpin_netlink::core::DefaultNla;
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::link::{
    AfSpecBridge, BridgeMode, BridgePortState, InfoBridgePort, LinkAttribute, LinkExtentMask, LinkMessage,
};
use hairpin_netlink::{Message, bridge_port};

use super::{as_bridge, dump, fail};
use crate::iproute2::link_flags::print_flags;
use crate::iproute2::links::IFF_UP;
use crate::iproute2::number::atoi;
use crate::iproute2::{Args, Color, Context, Stop, Value, matches};

/// `IFLA_BRPORT_LEARNING_SYNC`, which the typed crate leaves raw.
const IFLA_BRPORT_LEARNING_SYNC: u16 = 11;

pub(super) fn main(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    context.options.timestamp = false;
    let Some(command) = args.take() else {
        return show(context, args);
    };
    if matches(command, "set") || matches(command, "change") {
        set(context, args)
    } else if matches(command, "show") || matches(command, "lst") || matches(command, "list") {
        show(context, args)
    } else if matches(command, "help") {
        Err(usage())
    } else {
        let text = format!("Command \"{command}\" is unknown, try \"bridge link help\".\n");
        Err(Stop::exit(255, text))
    }
}

fn show(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let mut filter = None;
    while let Some(word) = args.take() {
        if word == "dev" {
            let name = args.value()?;
            if filter.is_some() {
                return Err(Stop::duparg("dev", name));
            }
            filter = Some(name);
        }
    }
    context.learn_links()?;
    let index = match filter {
        Some(name) => context.require_link(name).map_err(as_bridge)?,
        None => 0,
    };
    let mut request = LinkMessage::default();
    request.header.interface_family = AddressFamily::Bridge;
    request.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::Vf]));
    let links = dump(context, &Message::GetLink(request))?;
    context.begin();
    for message in links {
        if let Message::NewLink(link) = message
            && (index == 0 || link.header.index == index)
        {
            print(context, &link, false);
        }
    }
    context.end();
    Ok(())
}

/// One line (two with `-d`) for a port.
pub(super) fn print(context: &mut Context<'_>, link: &LinkMessage, deleted: bool) {
    let family = link.header.interface_family;
    if family != AddressFamily::Bridge && family != AddressFamily::Unspec {
        return;
    }
    let name = link.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.clone()),
        _ => None,
    });
    let Some(name) = name else {
        let index = link.header.index;
        context.complain(&format!("BUG: device with ifindex {index} has nil ifname\n"));
        return;
    };
    context.print.open_object(None);
    if deleted {
        context.print.any("deleted", true, format_args!("Deleted "));
    }
    let index = link.header.index;
    context.print.any("ifindex", index as i32, format_args!("{index}: "));
    let lower_down = print_name(context, &name, link);
    print_flags(&mut context.print, link.header.flags.bits(), lower_down);
    let attribute = |wanted: fn(&LinkAttribute) -> Option<u32>| link.attributes.iter().find_map(wanted);
    if let Some(mtu) = attribute(|a| if let LinkAttribute::Mtu(mtu) = a { Some(*mtu) } else { None }) {
        context.print.any("mtu", mtu as i32, format_args!("mtu {mtu} "));
    }
    let master = |a: &LinkAttribute| if let LinkAttribute::Controller(i) = a { Some(*i) } else { None };
    if let Some(master) = attribute(master) {
        let master = context.link_name(master);
        context.print.any("master", &master, format_args!("master {master} "));
    }
    for attribute in &link.attributes {
        if let LinkAttribute::ProtoInfoBridge(raw) = attribute
            && let Ok(settings) = bridge_port::parse(raw)
        {
            print_settings(context, &settings);
        }
    }
    for attribute in &link.attributes {
        if let LinkAttribute::AfSpecBridge(spec) = attribute {
            print_mode(context, spec);
        }
    }
    context.print.text(format_args!("\n"));
    context.print.close_object();
    context.flush();
}

/// `NAME@LINK: `; answers whether the lower link is known to be down.
fn print_name(context: &mut Context<'_>, name: &str, link: &LinkMessage) -> bool {
    let lower = link.attributes.iter().find_map(|a| match a {
        LinkAttribute::Link(index) => Some(*index),
        _ => None,
    });
    let elsewhere = link.attributes.iter().any(|a| matches!(a, LinkAttribute::LinkNetNsId(_)));
    let mut shown = name.to_owned();
    let mut lower_down = false;
    match lower {
        Some(0) => {
            context.print.json("link", Value::Null);
            shown = format!("{name}@NONE");
        }
        Some(index) if elsewhere => {
            context.print.json("link_index", index as i32);
            shown = format!("{name}@if{index}");
        }
        Some(index) => {
            let lower = context.link_name(index);
            context.print.json("link", &lower);
            shown = format!("{name}@{lower}");
            // `ll_index_to_flags`: an index without a device counts as up, none at all as down.
            let unknown = if index == 0 { 0 } else { u32::MAX };
            lower_down = context.link_flags(index).unwrap_or(unknown) & IFF_UP == 0;
        }
        None => {}
    }
    let json = if context.print.is_json() { name } else { shown.as_str() };
    context.print.colored(Color::InterfaceName, "ifname", json, format_args!("{shown}: "));
    lower_down
}

/// The settings in the order of iproute2, whatever the order in the message.
fn print_settings(context: &mut Context<'_>, settings: &[InfoBridgePort]) {
    use InfoBridgePort as Port;
    let details = context.options.details > 0;
    let mut state = None;
    let mut priority = None;
    let mut cost = None;
    let mut switches: [(&str, Option<bool>); 9] = [
        ("hairpin", None),
        ("guard", None),
        ("root_block", None),
        ("fastleave", None),
        ("learning", None),
        ("learning_sync", None),
        ("flood", None),
        ("mcast_flood", None),
        ("bcast_flood", None),
    ];
    let mut router = None;
    let mut more: [(&str, Option<bool>); 3] =
        [("mcast_to_unicast", None), ("neigh_suppress", None), ("vlan_tunnel", None)];
    let mut backup = None;
    let mut last: [(&str, Option<bool>); 2] = [("isolated", None), ("locked", None)];
    for setting in settings {
        match setting {
            Port::State(value) => state = Some(*value),
            Port::Priority(value) => priority = Some(*value),
            Port::Cost(value) => cost = Some(*value),
            Port::HairpinMode(value) => switches[0].1 = Some(*value),
            Port::Guard(value) => switches[1].1 = Some(*value),
            Port::Protect(value) => switches[2].1 = Some(*value),
            Port::FastLeave(value) => switches[3].1 = Some(*value),
            Port::Learning(value) => switches[4].1 = Some(*value),
            Port::Other(raw) => {
                use hairpin_netlink::core::Nla;
                if raw.kind() == IFLA_BRPORT_LEARNING_SYNC && raw.value_len() > 0 {
                    let mut value = vec![0; raw.value_len()];
                    raw.emit_value(&mut value);
                    switches[5].1 = value.first().map(|value| *value != 0);
                }
            }
            Port::UnicastFlood(value) => switches[6].1 = Some(*value),
            Port::MulticastFlood(value) => switches[7].1 = Some(*value),
            Port::BroadcastFlood(value) => switches[8].1 = Some(*value),
            Port::MulticastRouter(value) => router = Some(u8::from(*value)),
            Port::MulticastToUnicast(value) => more[0].1 = Some(*value),
            Port::NeighSupress(value) => more[1].1 = Some(*value),
            Port::VlanTunnel(value) => more[2].1 = Some(*value),
            Port::BackupPort(index) => backup = Some(*index),
            Port::Isolated(value) => last[0].1 = Some(*value),
            Port::Locked(value) => last[1].1 = Some(*value),
            _ => {}
        }
    }
    if let Some(state) = state {
        print_state(context, state);
    }
    let p = &mut context.print;
    if let Some(priority) = priority {
        p.any("priority", priority, format_args!("priority {priority} "));
    }
    if let Some(cost) = cost {
        p.any("cost", cost, format_args!("cost {cost} "));
    }
    if !details {
        return;
    }
    p.line();
    p.text(format_args!("    "));
    let print_switches = |context: &mut Context<'_>, switches: &[(&str, Option<bool>)]| {
        for (name, value) in switches {
            if let Some(value) = value {
                context.print.on_off(name, *value);
            }
        }
    };
    print_switches(context, &switches);
    if let Some(router) = router {
        context.print.any("mcast_router", router, format_args!("mcast_router {router} "));
    }
    print_switches(context, &more);
    if let Some(index) = backup {
        let name = context.link_name(index);
        context.print.any("backup_port", &name, format_args!("backup_port {name} "));
    }
    print_switches(context, &last);
}

/// Names of the states of ports, by number.
pub(super) const STATES: [&str; 5] = ["disabled", "listening", "learning", "forwarding", "blocking"];

/// `print_stp_state`
pub(super) fn print_state(context: &mut Context<'_>, state: BridgePortState) {
    let number = u8::from(state);
    match STATES.get(usize::from(number)) {
        Some(name) => context.print.any("state", *name, format_args!("state {name} ")),
        None => context.print.any("state", number, format_args!("state ({number}) ")),
    }
}

fn print_mode(context: &mut Context<'_>, spec: &[AfSpecBridge]) {
    for item in spec {
        if let AfSpecBridge::Mode(mode) = item {
            let number = u16::from(*mode);
            let name = match number {
                0 => "VEB".to_owned(),
                1 => "VEPA".to_owned(),
                other => format!("{other:#x}"),
            };
            context.print.any("hwmode", &name, format_args!("hwmode {name} "));
        }
    }
}

fn set(context: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    const BRIDGE_FLAGS_MASTER: u16 = 1;
    const BRIDGE_FLAGS_SELF: u16 = 2;
    let mut device = None;
    let mut wanted = Wanted::default();
    let mut flags = 0;
    let mut mode = None;
    while let Some(word) = args.take() {
        match word {
            "dev" => device = Some(args.value()?),
            "cost" => wanted.cost = atoi(args.value()?) as u32,
            "priority" => wanted.priority = atoi(args.value()?) as i16,
            "state" => wanted.state = read_state(args.value()?)?,
            "mcast_router" => wanted.router = atoi(args.value()?) as i8,
            "hwmode" => {
                flags = BRIDGE_FLAGS_SELF;
                mode = Some(match args.value()? {
                    "vepa" => BridgeMode::Vepa,
                    "veb" => BridgeMode::Veb,
                    _ => return Err(fail("Mode argument must be \"vepa\" or \"veb\".\n")),
                });
            }
            "self" => flags |= BRIDGE_FLAGS_SELF,
            "master" => flags |= BRIDGE_FLAGS_MASTER,
            "backup_port" => {
                let name = args.value()?;
                match context.link_index(name) {
                    0 => return Err(fail(format!("Error: device {name} does not exist\n"))),
                    index => wanted.backup = Some(index),
                }
            }
            "nobackup_port" => wanted.backup = Some(0),
            name => match SWITCHES.iter().position(|(known, _)| *known == name) {
                Some(at) => {
                    let value = read_on_off(name, args.value()?)?;
                    if let Some(switch) = wanted.switches.get_mut(at) {
                        *switch = Some(value);
                    }
                }
                None => return Err(usage()),
            },
        }
    }
    let device = device.ok_or_else(|| fail("Device is a required argument.\n"))?;
    let index = match context.link_index(device) {
        0 => return Err(fail(format!("Cannot find bridge device \"{device}\"\n"))),
        index => index,
    };
    let mut request = LinkMessage::default();
    request.header.interface_family = AddressFamily::Bridge;
    request.header.index = index;
    request.attributes.push(bridge_port::emit(&wanted.settings()));
    let mut spec = Vec::new();
    if flags > 0 {
        spec.push(AfSpecBridge::Flags(flags.into()));
    }
    spec.extend(mode.map(AfSpecBridge::Mode));
    if !spec.is_empty() {
        request.attributes.push(LinkAttribute::AfSpecBridge(spec));
    }
    context.talk(&Message::SetLink(request), 0).map_err(as_bridge)?;
    Ok(())
}

/// A setting that is on or off.
type Switch = fn(bool) -> InfoBridgePort;

/// In the order in which iproute2 puts them into the message; the kernel acts in an order of its own.
const SWITCHES: [(&str, Switch); 14] = [
    ("guard", InfoBridgePort::Guard),
    ("hairpin", InfoBridgePort::HairpinMode),
    ("fastleave", InfoBridgePort::FastLeave),
    ("root_block", InfoBridgePort::Protect),
    ("flood", InfoBridgePort::UnicastFlood),
    ("mcast_flood", InfoBridgePort::MulticastFlood),
    ("bcast_flood", InfoBridgePort::BroadcastFlood),
    ("mcast_to_unicast", InfoBridgePort::MulticastToUnicast),
    ("learning", InfoBridgePort::Learning),
    ("learning_sync", |on| {
        InfoBridgePort::Other(DefaultNla::new(IFLA_BRPORT_LEARNING_SYNC, vec![u8::from(on)]))
    }),
    ("neigh_suppress", InfoBridgePort::NeighSupress),
    ("vlan_tunnel", InfoBridgePort::VlanTunnel),
    ("isolated", InfoBridgePort::Isolated),
    ("locked", InfoBridgePort::Locked),
];

/// What `bridge link set` asks for; negative numbers are not asked for.
struct Wanted {
    switches: [Option<bool>; SWITCHES.len()],
    router: i8,
    cost: u32,
    priority: i16,
    state: i8,
    backup: Option<u32>,
}

impl Default for Wanted {
    fn default() -> Self {
        Wanted { switches: Default::default(), router: -1, cost: 0, priority: -1, state: -1, backup: None }
    }
}

impl Wanted {
    fn settings(&self) -> Vec<InfoBridgePort> {
        let switched = SWITCHES.iter().zip(&self.switches);
        let mut settings: Vec<_> = switched.filter_map(|((_, switch), value)| value.map(switch)).collect();
        if self.router >= 0 {
            settings.push(InfoBridgePort::MulticastRouter((self.router as u8).into()));
        }
        // `cost -5` is read as a large unsigned number, as in C.
        if self.cost > 0 {
            settings.push(InfoBridgePort::Cost(self.cost));
        }
        if self.priority >= 0 {
            settings.push(InfoBridgePort::Priority(self.priority as u16));
        }
        if self.state >= 0 {
            settings.push(InfoBridgePort::State((self.state as u8).into()));
        }
        settings.extend(self.backup.map(InfoBridgePort::BackupPort));
        settings
    }
}

/// A number or a name.
fn read_state(text: &str) -> Result<i8, Stop> {
    match crate::c_number::strtol(text, 10) {
        (number, length) if length == text.len() && length > 0 => Ok(number as i8),
        _ => match STATES.iter().position(|name| *name == text) {
            Some(at) => Ok(at as i8),
            None => Err(fail("Error: invalid STP port state\n")),
        },
    }
}

/// `parse_on_off`; a failure is `-EINVAL` to the caller and so the exit code 234.
fn read_on_off(name: &str, text: &str) -> Result<bool, Stop> {
    if matches(text, "off") {
        Ok(false)
    } else if matches(text, "on") {
        Ok(true)
    } else {
        let text = format!("Error: argument of \"{name}\" must be one of \"off\", \"on\", not \"{text}\"\n");
        Err(Stop::fail(234, text))
    }
}

fn usage() -> Stop {
    Stop::exit(255, USAGE)
}

const USAGE: &str = "\
Usage: bridge link set dev DEV [ cost COST ] [ priority PRIO ] [ state STATE ]
                               [ guard {on | off} ]
                               [ hairpin {on | off} ]
                               [ fastleave {on | off} ]
                               [ root_block {on | off} ]
                               [ learning {on | off} ]
                               [ learning_sync {on | off} ]
                               [ flood {on | off} ]
                               [ mcast_router MULTICAST_ROUTER ]
                               [ mcast_flood {on | off} ]
                               [ bcast_flood {on | off} ]
                               [ mcast_to_unicast {on | off} ]
                               [ neigh_suppress {on | off} ]
                               [ vlan_tunnel {on | off} ]
                               [ isolated {on | off} ]
                               [ locked {on | off} ]
                               [ hwmode {vepa | veb} ]
                               [ backup_port DEVICE ] [ nobackup_port ]
                               [ self ] [ master ]
       bridge link show [dev DEV]
";
