//! `/sys/class/net`: devices, their statistics and queues, bridges and their ports. Those that stand on no bus have their
//! directories below `/sys/devices/virtual/net`, to which the class has links.
//!
//! Every file is a line of a table: how it shows, and which netlink attribute writing it sets. Writing goes
//! through the netlink server, so that checks and effects are the same.

mod attribute;
mod bonding;
mod bridge;
mod card;
mod device;
mod ipoib;
mod netlink;
mod port;
mod queues;
mod statistics;
mod tap;
mod tun;
pub(super) mod virtual_devices;

use hairpin_netlink::Errno;

use super::{Names, stamp_of};
use crate::dev::{Kind, RxHandler};
use crate::device::{DevId, Device};
use crate::netns::NsId;
use crate::world::World;
use attribute::{Attribute, Seen};

pub(super) use attribute::number as unsigned;

/// What a path below `/sys/class/net` names.
enum Node<'a> {
    /// All devices.
    Top,
    Directory(DevId, Directory),
    File(Seen<'a>, &'static Attribute),
}

/// A directory of a device.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Directory {
    Device,
    Statistics,
    Power,
    Queues,
    ReceiveQueue,
    TransmitQueue,
    /// `byte_queue_limits`, of a transmit queue
    Limits,
    /// `bridge`, of a bridge
    Bridge,
    /// `device`, of a network card
    Card,
    /// `bonding`, of a bond
    Bonding,
    /// `bonding_slave`, of a bond's slave
    BondingSlave,
    /// `brif`, of a bridge: its ports
    Ports,
    /// `brport`, of a port
    Port,
    /// `macvtap` or `ipvtap`, of a device of that kind
    Taps,
    /// Its character device.
    Tap,
    /// A link to the class.
    Subsystem,
}

/// Symbolic links may lead on and on; Linux follows 40.
const LINKS_MAX: u32 = 40;

pub(super) fn read(world: &World, ns: NsId, names: Names<'_>) -> Result<Vec<u8>, Errno> {
    if names == [bonding::MASTERS] {
        return Ok(bonding::masters(world, ns).into_bytes());
    }
    match resolve(world, ns, names, LINKS_MAX)? {
        Node::File(seen, attribute) => attribute.read(&seen),
        _ => Err(Errno::EISDIR),
    }
}

pub(super) fn write(world: &mut World, ns: NsId, names: Names<'_>, data: &[u8]) -> Result<(), Errno> {
    if names == [bonding::MASTERS] {
        return bonding::change_masters(world, ns, data);
    }
    let (dev, attribute) = match resolve(world, ns, names, LINKS_MAX) {
        Ok(Node::File(seen, attribute)) => (seen.device.id, attribute),
        Ok(_) => return Err(Errno::EISDIR),
        // Nothing can be made in sysfs.
        Err(Errno::ENOENT) if parent_exists(world, ns, names) => return Err(Errno::EACCES),
        Err(errno) => return Err(errno),
    };
    attribute.write(world, dev, data)
}

pub(super) fn mode(world: &World, ns: NsId, names: Names<'_>) -> u32 {
    match resolve(world, ns, names, LINKS_MAX) {
        Ok(Node::File(_, attribute)) => attribute.mode(),
        _ => 0o644,
    }
}

pub(super) fn list(world: &World, ns: NsId, names: Names<'_>) -> Result<Vec<String>, Errno> {
    match resolve(world, ns, names, LINKS_MAX)? {
        Node::Top => {
            let mut names = device_names(world, ns);
            names.extend(bonding::has_bonds(world, ns).then(|| bonding::MASTERS.to_owned()));
            Ok(names)
        }
        Node::Directory(dev, directory) => {
            let device = world.devs.get(dev).ok_or(Errno::ENOENT)?;
            Ok(entries(world, ns, device, directory))
        }
        Node::File(..) => Err(Errno::ENOTDIR),
    }
}

pub(super) fn link(world: &World, ns: NsId, names: Names<'_>) -> Result<String, Errno> {
    let (name, front) = names.split_last().ok_or(Errno::EINVAL)?;
    if front.is_empty() && virtual_devices::is_one(world, ns, name)? {
        return Ok(format!("../../devices/virtual/net/{name}"));
    }
    let Node::Directory(dev, directory) = resolve(world, ns, front, LINKS_MAX)? else {
        return Err(Errno::EINVAL);
    };
    let device = world.devs.get(dev).ok_or(Errno::ENOENT)?;
    if let Some(to) = linked_device(world, device, directory, name) {
        let to = world.devs.get(to).ok_or(Errno::ENOENT)?;
        // Cards have their directories beside the links to the others'.
        let aside = if has_parent(device) || !has_parent(to) { "" } else { "../../../class/net/" };
        let to = &to.name;
        return Ok(match directory {
            Directory::Tap => format!("../../../{to}"),
            Directory::Ports => format!("../../{aside}{to}/brport"),
            Directory::Port => format!("../../{aside}{to}"),
            _ => format!("../{aside}{to}"),
        });
    }
    if let (Kind::Netdevsim(port), Directory::Device, &"device") = (&device.kind, directory, name) {
        return Ok(format!("../../../bus/netdevsim/devices/{}", port.parent()));
    }
    if let (Directory::Card, Kind::Nic { .. }, card::DRIVER) = (directory, &device.kind, *name) {
        return Ok(card::DRIVER_LINK.to_owned());
    }
    if let Some(class) = tap_link(device, directory, name) {
        return Ok(format!("{class}/{name}"));
    }
    match subdirectory(device, directory, name) {
        Some(Directory::Subsystem) if has_parent(device) => Ok("../../net".to_owned()),
        Some(Directory::Subsystem) => Ok("../../../../class/net".to_owned()),
        _ => Err(Errno::EINVAL),
    }
}

/// Of the directories that a device has many files in and that seldom change.
pub(super) fn stamp(world: &World, ns: NsId, names: Names<'_>) -> Option<u64> {
    let Ok(Node::Directory(dev, directory)) = resolve(world, ns, names, LINKS_MAX) else { return None };
    let device = world.devs.get(dev)?;
    match directory {
        Directory::Statistics => Some(stamp_of(&world.stats_of(dev))),
        Directory::Queues => Some(stamp_of(&device.queues)),
        Directory::Power => Some(0),
        _ => None,
    }
}

fn parent_exists(world: &World, ns: NsId, names: Names<'_>) -> bool {
    let front = names.split_last().map_or(names, |(_, front)| front);
    matches!(resolve(world, ns, front, LINKS_MAX), Ok(Node::Top | Node::Directory(..)))
}

/// Whether a device stands on a bus (`SET_NETDEV_DEV`), and not below `/sys/devices/virtual`. Its directory is in the class
/// itself: the bus of a card is none of the machine's below.
fn has_parent(device: &Device) -> bool {
    matches!(device.kind, Kind::Nic { .. } | Kind::Netdevsim(_))
}

fn device_names(world: &World, ns: NsId) -> Vec<String> {
    world.devices_of(ns).map(|device| device.name.clone()).collect()
}

/// Finds what a path names.
fn resolve<'a>(world: &'a World, ns: NsId, names: &[&str], links: u32) -> Result<Node<'a>, Errno> {
    let links = links.checked_sub(1).ok_or(Errno(40))?;
    let [name, below @ ..] = names else { return Ok(Node::Top) };
    let dev = world.device_named(ns, name).ok_or(Errno::ENOENT)?;
    let device = world.devs.get(dev).filter(|device| device.name == *name).ok_or(Errno::ENOENT)?;
    let mut directory = Directory::Device;
    let mut rest = below;
    while let [name, below @ ..] = rest {
        if let Some(to) = linked_device(world, device, directory, name) {
            let to = world.devs.get(to).ok_or(Errno::ENOENT)?.name.as_str();
            let mut path = vec![to];
            if directory == Directory::Ports {
                path.push("brport");
            }
            path.extend(below);
            return resolve(world, ns, &path, links);
        }
        if let Some(next) = subdirectory(device, directory, name) {
            if next == Directory::Subsystem {
                return resolve(world, ns, below, links);
            }
            directory = next;
            rest = below;
            continue;
        }
        let attribute = attributes(directory)
            .iter()
            .chain(own(device, directory))
            .find(|attribute| attribute.name == *name);
        let attribute = attribute.ok_or(Errno::ENOENT)?;
        if !below.is_empty() {
            return Err(Errno::ENOTDIR);
        }
        return Ok(Node::File(Seen { world, device }, attribute));
    }
    Ok(Node::Directory(dev, directory))
}

/// Names in a directory.
fn entries(world: &World, ns: NsId, device: &Device, directory: Directory) -> Vec<String> {
    let mut names: Vec<String> =
        attributes(directory).iter().map(|attribute| attribute.name.to_owned()).collect();
    let known = [
        "statistics",
        "power",
        "queues",
        "bridge",
        "brif",
        "brport",
        "bonding",
        "bonding_slave",
        "subsystem",
        "byte_queue_limits",
        "device",
    ];
    names.extend(
        known
            .iter()
            .filter(|name| subdirectory(device, directory, name).is_some())
            .map(|name| (*name).to_owned()),
    );
    let name_of =
        |dev: DevId| world.devs.get(dev).filter(|other| other.ns == ns).map(|device| device.name.clone());
    match directory {
        Directory::Device => {
            names.extend(matches!(device.kind, Kind::Netdevsim(_)).then(|| "device".to_owned()));
            names.extend(own(device, directory).iter().map(|attribute| attribute.name.to_owned()));
            names.extend(device.master.map(|_| "master".to_owned()));
            names.extend(uppers(device).filter_map(name_of).map(|name| format!("upper_{name}")));
            names.extend(lowers(device).filter_map(name_of).map(|name| format!("lower_{name}")));
            names.extend(
                tap::class(device).into_iter().flat_map(|class| [class.to_owned(), tap::node(device)]),
            );
        }
        Directory::Queues => {
            names.extend((0..device.queues.1).map(|number| format!("rx-{number}")));
            names.extend((0..device.queues.0).map(|number| format!("tx-{number}")));
        }
        Directory::Ports => {
            let Kind::Bridge(bridge) = &device.kind else { return names };
            names.extend(bridge.ports.iter().filter_map(|port| name_of(port.dev)));
        }
        Directory::Port => names.push("bridge".to_owned()),
        Directory::Taps => names.push(tap::node(device)),
        Directory::Tap => names.push("device".to_owned()),
        Directory::Card if matches!(device.kind, Kind::Nic { .. }) => names.push(card::DRIVER.to_owned()),
        _ => {}
    }
    names
}

/// Files in a device's directory that only devices of its kind have.
fn own(device: &Device, directory: Directory) -> &'static [Attribute] {
    match (directory, &device.kind) {
        (Directory::Device, Kind::Bridge(_)) => bridge::OWN,
        (Directory::Device, Kind::Tun(_)) => tun::ATTRIBUTES,
        (Directory::Device, _) => ipoib::attributes(device),
        _ => &[],
    }
}

fn attributes(directory: Directory) -> &'static [Attribute] {
    match directory {
        Directory::Device => device::ATTRIBUTES,
        Directory::Statistics => statistics::ATTRIBUTES,
        Directory::Power => queues::POWER,
        Directory::ReceiveQueue => queues::RECEIVE,
        Directory::TransmitQueue => queues::TRANSMIT,
        Directory::Limits => queues::LIMITS,
        Directory::Bridge => bridge::ATTRIBUTES,
        Directory::Card => card::ATTRIBUTES,
        Directory::Port => port::ATTRIBUTES,
        Directory::Bonding => bonding::ATTRIBUTES,
        Directory::BondingSlave => bonding::SLAVE,
        Directory::Tap => tap::ATTRIBUTES,
        Directory::Queues | Directory::Ports | Directory::Taps | Directory::Subsystem => &[],
    }
}

fn subdirectory(device: &Device, directory: Directory, name: &str) -> Option<Directory> {
    let is_bridge = matches!(device.kind, Kind::Bridge(_));
    let is_port = matches!(device.rx_handler, RxHandler::BridgePort { .. });
    let is_bond = matches!(device.kind, Kind::Bond(_));
    let is_slave = matches!(device.rx_handler, RxHandler::BondSlave { .. });
    match (directory, name) {
        (Directory::Device, "statistics") => Some(Directory::Statistics),
        (Directory::Device | Directory::Tap | Directory::Card, "power") => Some(Directory::Power),
        (Directory::Device, "queues") => Some(Directory::Queues),
        (Directory::Device, "subsystem") => Some(Directory::Subsystem),
        (Directory::Device, "device") if matches!(device.kind, Kind::Nic { .. }) => Some(Directory::Card),
        (Directory::Device, "bridge") if is_bridge => Some(Directory::Bridge),
        (Directory::Device, "brif") if is_bridge => Some(Directory::Ports),
        (Directory::Device, "brport") if is_port => Some(Directory::Port),
        (Directory::Device, "bonding") if is_bond => Some(Directory::Bonding),
        (Directory::Device, "bonding_slave") if is_slave => Some(Directory::BondingSlave),
        (Directory::Device, name) if tap::class(device) == Some(name) => Some(Directory::Taps),
        (Directory::Device, name) if tap_link(device, directory, name).is_some() => Some(Directory::Tap),
        (Directory::Taps, name) if name == tap::node(device) => Some(Directory::Tap),
        (Directory::TransmitQueue, "byte_queue_limits") => Some(Directory::Limits),
        (Directory::Queues, name) => {
            let (kind, number) = name.split_once('-')?;
            let number: u32 = number.parse().ok().filter(|parsed: &u32| parsed.to_string() == number)?;
            match kind {
                "rx" if number < device.queues.1 => Some(Directory::ReceiveQueue),
                "tx" if number < device.queues.0 => Some(Directory::TransmitQueue),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The device that a symbolic link of a directory leads to.
fn linked_device(world: &World, device: &Device, directory: Directory, name: &str) -> Option<DevId> {
    let named = |mut devs: Box<dyn Iterator<Item = DevId> + '_>, name: &str| {
        devs.find(|dev| world.devs.get(*dev).is_some_and(|other| other.name == name && other.ns == device.ns))
    };
    match directory {
        Directory::Device if name == "master" => device.master,
        Directory::Device => match (name.strip_prefix("upper_"), name.strip_prefix("lower_")) {
            (Some(name), _) => named(Box::new(uppers(device)), name),
            (_, Some(name)) => named(Box::new(lowers(device)), name),
            _ => None,
        },
        Directory::Ports => match &device.kind {
            Kind::Bridge(bridge) => named(Box::new(bridge.ports.iter().map(|port| port.dev)), name),
            _ => None,
        },
        Directory::Port if name == "bridge" => device.master,
        Directory::Tap if name == "device" => Some(device.id),
        _ => None,
    }
}

/// The directory that the link `tapN` of a device leads into.
fn tap_link(device: &Device, directory: Directory, name: &str) -> Option<&'static str> {
    tap::class(device).filter(|_| directory == Directory::Device && name == tap::node(device))
}

/// Devices on this one: stacked ones and the master.
fn uppers(device: &Device) -> impl Iterator<Item = DevId> {
    device.uppers.iter().copied().chain(device.master)
}

/// Devices that this one stands on. (A veth's peer is none of them.)
fn lowers(device: &Device) -> impl Iterator<Item = DevId> {
    let ports = match &device.kind {
        Kind::Bridge(bridge) => bridge.ports.as_slice(),
        _ => &[],
    };
    let slaves = match &device.kind {
        Kind::Bond(bond) => bond.slaves.as_slice(),
        _ => &[],
    };
    let below = match &device.kind {
        Kind::Macvlan(_) | Kind::Ipvlan(_) | Kind::Vlan(_) | Kind::Macsec(_) => device.lower(),
        _ => None,
    };
    ports.iter().map(|port| port.dev).chain(slaves.iter().map(|slave| slave.dev)).chain(below)
}
