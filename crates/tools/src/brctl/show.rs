//! What `brctl show`, `showmacs` and `showstp` print.

use hairpin_netlink::codec::NLM_F_DUMP;
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::link::{BridgeId, InfoBridge, InfoBridgePort};
use hairpin_netlink::route::neighbour::{NeighbourAttribute, NeighbourMessage};
use hairpin_netlink::{Errno, Message, transact};

use super::{Brctl, at};
use crate::interfaces::{Interface, Interfaces};

const NUD_NOARP: u16 = 0x40;
const NUD_PERMANENT: u16 = 0x80;

pub(super) fn bridges(brctl: &mut Brctl<'_>, arguments: &[&str]) -> i32 {
    let interfaces = match brctl.interfaces() {
        Ok(interfaces) => interfaces,
        Err(errno) => {
            brctl.complain(format_args!("can't get bridges: {errno}"));
            return 1;
        }
    };
    let mut header = true;
    if arguments.is_empty() {
        let mut names: Vec<&str> =
            interfaces.iter().filter(|interface| interface.is_bridge()).map(Interface::name).collect();
        names.sort_unstable();
        for name in names {
            show(brctl, &interfaces, name, &mut header);
        }
        return 0;
    }
    let mut failed = false;
    for name in arguments {
        failed |= !show(brctl, &interfaces, name, &mut header);
    }
    i32::from(failed)
}

fn show(brctl: &mut Brctl<'_>, interfaces: &Interfaces, name: &str, header: &mut bool) -> bool {
    let Some(bridge) = find(brctl, interfaces, name) else { return false };
    if std::mem::take(header) {
        brctl.print(format_args!("bridge name\tbridge id\t\tSTP enabled\tinterfaces\n"));
    }
    let id = bridge_id(bridge);
    let stp = bridge.bridge().iter().any(|b| matches!(b, InfoBridge::StpState(s) if u32::from(*s) != 0));
    let ports: Vec<&str> = ports(interfaces, bridge).into_iter().map(Interface::name).collect();
    let ports = ports.join("\n\t\t\t\t\t\t\t");
    brctl.print(format_args!("{name}\t\t{id}\t{}\t\t{ports}\n", if stp { "yes" } else { "no" }));
    true
}

/// A bridge; says so if it is none.
fn find<'a>(brctl: &mut Brctl<'_>, interfaces: &'a Interfaces, name: &str) -> Option<&'a Interface> {
    match interfaces.by_name(name) {
        None => brctl.complain(format_args!("bridge {name} does not exist!")),
        Some(other) if !other.is_bridge() => {
            brctl.complain(format_args!("device {name} is not a bridge!"));
        }
        bridge => return bridge,
    }
    None
}

/// The ports in the order of their names.
fn ports<'a>(interfaces: &'a Interfaces, bridge: &Interface) -> Vec<&'a Interface> {
    let of_bridge = |port: &&Interface| port.master() == Some(bridge.index());
    let mut ports: Vec<&Interface> = interfaces.iter().filter(of_bridge).collect();
    ports.sort_by_key(|port| port.name());
    ports
}

fn id_text(id: &BridgeId) -> String {
    let address: String = id.address.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{:04x}.{address}", id.priority)
}

fn bridge_id(bridge: &Interface) -> String {
    let id = bridge.bridge().iter().find_map(|b| match b {
        InfoBridge::BridgeId(id) => Some(id_text(id)),
        _ => None,
    });
    id.unwrap_or_default()
}

/// Hundredths of a second, as `br_show_timer` prints them.
fn timer(ticks: u64) -> String {
    format!("{:4}.{:02}", ticks / 100, ticks % 100)
}

pub(super) fn macs(brctl: &mut Brctl<'_>, arguments: &[&str]) -> i32 {
    match entries(brctl, at(arguments, 0)) {
        Ok(mut entries) => {
            entries.sort_by_key(|entry| entry.mac);
            brctl.print(format_args!("port no\tmac addr\t\tis local?\tageing timer\n"));
            for entry in entries {
                let mac = entry.mac.map(|byte| format!("{byte:02x}")).join(":");
                let local = if entry.local { "yes" } else { "no" };
                let age = timer(entry.age);
                brctl.print(format_args!("{:3}\t{mac}\t{local}\t\t{age}\n", entry.port));
            }
            0
        }
        Err(errno) => {
            brctl.complain(format_args!("read of forward table failed: {errno}"));
            1
        }
    }
}

/// A line of `showmacs`.
struct Entry {
    port: u8,
    mac: [u8; 6],
    local: bool,
    /// Hundredths of a second since the address was last seen; 0 for what does not age.
    age: u64,
}

/// net/bridge/br_fdb.c: br_fdb_fillbuf
fn entries(brctl: &mut Brctl<'_>, name: &str) -> Result<Vec<Entry>, Errno> {
    let bridge = brctl.bridge(name)?;
    let interfaces = brctl.interfaces()?;
    let mut request = NeighbourMessage::default();
    request.header.family = AddressFamily::Bridge;
    request.attributes.push(NeighbourAttribute::Controller(bridge.index()));
    let answer = transact(brctl.system, &Message::GetNeighbour(request), NLM_F_DUMP)
        .map_err(|failure| failure.errno)?;
    let entries = answer.into_iter().filter_map(|message| match message {
        Message::NewNeighbour(entry) => entry_of(&interfaces, &bridge, &entry),
        _ => None,
    });
    Ok(entries.collect())
}

fn entry_of(interfaces: &Interfaces, bridge: &Interface, entry: &NeighbourMessage) -> Option<Entry> {
    let mut mac = None;
    let mut of_bridge = false;
    let mut age = 0;
    for attribute in &entry.attributes {
        match attribute {
            NeighbourAttribute::LinkLayerAddress(address) => mac = address.as_slice().try_into().ok(),
            NeighbourAttribute::Controller(master) => of_bridge = *master == bridge.index(),
            NeighbourAttribute::CacheInfo(info) => age = u64::from(info.updated),
            _ => {}
        }
    }
    // Entries of the bridge itself and of a port's own filter (`self`) are not in this table.
    if !of_bridge || entry.header.ifindex == bridge.index() {
        return None;
    }
    let settings = interfaces.by_index(entry.header.ifindex)?.bridge_port()?;
    let port = settings.iter().find_map(|setting| match setting {
        InfoBridgePort::PortNumber(number) => Some(*number as u8),
        _ => None,
    });
    let state = u16::from(entry.header.state);
    let fixed = state & (NUD_NOARP | NUD_PERMANENT) != 0;
    let age = if fixed { 0 } else { age };
    Some(Entry { port: port?, mac: mac?, local: state & NUD_PERMANENT != 0, age })
}

pub(super) fn stp(brctl: &mut Brctl<'_>, arguments: &[&str]) -> i32 {
    let name = at(arguments, 0);
    let interfaces = match brctl.interfaces() {
        Ok(interfaces) => interfaces,
        Err(errno) => {
            brctl.complain(format_args!("can't get bridges: {errno}"));
            return 1;
        }
    };
    let Some(bridge) = find(brctl, &interfaces, name) else { return 1 };
    let text = bridge_text(name, bridge);
    brctl.print(format_args!("{text}"));
    for port in ports(&interfaces, bridge) {
        let text = port_text(port);
        brctl.print(format_args!("{text}"));
    }
    0
}

fn bridge_text(name: &str, bridge: &Interface) -> String {
    use InfoBridge as Br;
    let mut root = String::new();
    let (mut root_port, mut cost) = (0, 0);
    let (mut max_age, mut hello_time, mut forward_delay, mut ageing) = (0, 0, 0, 0);
    let (mut hello, mut tcn, mut change, mut gc) = (0, 0, 0, 0);
    let (mut changed, mut detected) = (false, false);
    for setting in bridge.bridge() {
        match setting {
            Br::RootId(id) => root = id_text(id),
            Br::RootPort(value) => root_port = *value,
            Br::RootPathCost(value) => cost = *value,
            Br::MaxAge(value) => max_age = *value,
            Br::HelloTime(value) => hello_time = *value,
            Br::ForwardDelay(value) => forward_delay = *value,
            Br::AgeingTime(value) => ageing = *value,
            Br::HelloTimer(value) => hello = *value,
            Br::TcnTimer(value) => tcn = *value,
            Br::TopologyChangeTimer(value) => change = *value,
            Br::GcTimer(value) => gc = *value,
            Br::TopologyChange(value) => changed = *value != 0,
            Br::TopologyChangeDetected(value) => detected = *value != 0,
            _ => {}
        }
    }
    // sysfs shows what is in force as well as what is configured under the same names; brctl reads one twice.
    let twice = |label: &str, label_bridge: &str, ticks: u32| {
        let time = timer(ticks.into());
        format!(" {label}{time}\t\t\t{label_bridge}{time}\n")
    };
    let mut text = format!("{name}\n bridge id\t\t{}\n designated root\t{root}\n", bridge_id(bridge));
    text += &format!(" root port\t\t{root_port:4}\t\t\tpath cost\t\t{cost:4}\n");
    text += &twice("max age\t\t", "bridge max age\t\t", max_age);
    text += &twice("hello time\t\t", "bridge hello time\t", hello_time);
    text += &twice("forward delay\t\t", "bridge forward delay\t", forward_delay);
    text += &format!(" ageing time\t\t{}\n", timer(ageing.into()));
    text += &format!(" hello timer\t\t{}\t\t\ttcn timer\t\t{}\n", timer(hello), timer(tcn));
    text += &format!(" topology change timer\t{}\t\t\tgc timer\t\t{}\n", timer(change), timer(gc));
    text += " flags\t\t\t";
    text += if changed { "TOPOLOGY_CHANGE " } else { "" };
    text += if detected { "TOPOLOGY_CHANGE_DETECTED " } else { "" };
    text + "\n\n\n"
}

fn port_text(port: &Interface) -> String {
    use InfoBridgePort as Port;
    const STATES: [&str; 5] = ["disabled", "listening", "learning", "forwarding", "blocking"];
    let (mut root, mut bridge) = (String::new(), String::new());
    let (mut number, mut id, mut designated, mut path_cost, mut designated_cost) = (0, 0, 0, 0, 0);
    let (mut age, mut delay, mut hold) = (0, 0, 0);
    let (mut pending, mut acknowledged, mut hairpin) = (false, false, false);
    let mut state = "<INVALID STATE>";
    for setting in port.bridge_port().unwrap_or(&[]) {
        match setting {
            Port::RootId(value) => root = id_text(value),
            Port::BridgeId(value) => bridge = id_text(value),
            Port::PortNumber(value) => number = *value,
            Port::PortId(value) => id = *value,
            Port::DesignatedPort(value) => designated = *value,
            Port::Cost(value) => path_cost = *value,
            Port::DesignatedCost(value) => designated_cost = *value,
            Port::State(value) => {
                state = STATES.get(usize::from(u8::from(*value))).copied().unwrap_or(state);
            }
            Port::MessageAgeTimer(value) => age = *value,
            Port::ForwardDelayTimer(value) => delay = *value,
            Port::HoldTimer(value) => hold = *value,
            Port::ConfigPending(value) => pending = *value,
            Port::TopologyChangeAck(value) => acknowledged = *value,
            Port::HairpinMode(value) => hairpin = *value,
            _ => {}
        }
    }
    let mut text = format!("{} ({number})\n port id\t\t{id:04x}\t\t\tstate\t\t{state:>15}\n", port.name());
    text += &format!(" designated root\t{root}\tpath cost\t\t{path_cost:4}\n");
    text += &format!(" designated bridge\t{bridge}\tmessage age timer\t{}\n", timer(age));
    text += &format!(" designated port\t{designated:04x}\t\t\tforward delay timer\t{}\n", timer(delay));
    text += &format!(" designated cost\t{designated_cost:4}\t\t\thold timer\t\t{}\n", timer(hold));
    text += " flags\t\t\t";
    text += if pending { "CONFIG_PENDING " } else { "" };
    text += if acknowledged { "TOPOLOGY_CHANGE_ACK " } else { "" };
    text += if hairpin { "\n hairpin mode\t\t   1" } else { "" };
    text + "\n\n"
}
