//! `/sys/bus/netdevsim`: where devices of kind netdevsim come from (drivers/net/netdevsim/bus.c).

use hairpin_netlink::Errno;

use super::Names;
use super::class_net::unsigned;
use crate::dev::netdevsim::{BusDevice, bus_name};
use crate::netns::NsId;
use crate::world::World;

/// Files of the bus, all for writing alone.
const BUS_FILES: &[&str] = &["del_device", "new_device"];
/// Files of a device.
const DEVICE_FILES: &[&str] = &["del_port", "new_port", SRIOV_NUMVFS];
const SRIOV_NUMVFS: &str = "sriov_numvfs";
const DEVICES: &str = "devices";
/// The directory of a device's network devices.
const NET: &str = "net";

/// What a path below `/sys/bus/netdevsim` names.
enum Node {
    /// The bus itself.
    Bus,
    BusFile(&'static str),
    /// All its devices.
    Devices,
    Device(u32),
    DeviceFile(u32, &'static str),
    /// A device's network devices.
    Net(u32),
    /// One of them, which leads to its class.
    Link(String),
}

pub(super) fn read(world: &World, ns: NsId, names: Names<'_>) -> Result<Vec<u8>, Errno> {
    match resolve(world, ns, names)? {
        Node::DeviceFile(_, SRIOV_NUMVFS) => Ok(b"0\n".to_vec()),
        Node::BusFile(_) | Node::DeviceFile(..) => Err(Errno::EACCES),
        _ => Err(Errno::EISDIR),
    }
}

pub(super) fn mode(world: &World, ns: NsId, names: Names<'_>) -> u32 {
    match resolve(world, ns, names) {
        Ok(Node::DeviceFile(_, SRIOV_NUMVFS)) => 0o644,
        _ => 0o200,
    }
}

pub(super) fn write(world: &mut World, ns: NsId, names: Names<'_>, data: &[u8]) -> Result<(), Errno> {
    let node = match resolve(world, ns, names) {
        // Nothing can be made in sysfs.
        Err(Errno::ENOENT) => return Err(Errno::EACCES),
        node => node?,
    };
    match node {
        Node::BusFile("new_device") => {
            let (id, ports, queues) = match numbers(data).as_slice() {
                [id, ports, queues, ..] => (*id, *ports, *queues),
                [id, ports] => (*id, *ports, 1),
                [id] => (*id, 1, 1),
                [] => return Err(Errno::EINVAL),
            };
            world.add_netdevsim(ns, checked_id(id)?, ports, queues)
        }
        Node::BusFile(_) => {
            let id = numbers(data).first().copied().ok_or(Errno::EINVAL)?;
            world.remove_netdevsim(ns, checked_id(id)?)
        }
        Node::DeviceFile(id, file) => {
            let number = u32::try_from(unsigned(data)?).map_err(|_| Errno::ERANGE)?;
            match file {
                "new_port" => world.add_netdevsim_port(ns, id, number),
                "del_port" => world.remove_netdevsim_port(ns, id, number),
                _ => world.set_netdevsim_functions(ns, id, number),
            }
        }
        _ => Err(Errno::EISDIR),
    }
}

pub(super) fn list(world: &World, ns: NsId, names: Names<'_>) -> Result<Vec<String>, Errno> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    Ok(match resolve(world, ns, names)? {
        Node::Bus => [owned(BUS_FILES), owned(&[DEVICES])].concat(),
        Node::Devices => {
            let bus = world.netdevsim_bus(ns).ok_or(Errno::ENOENT)?;
            bus.keys().map(|id| bus_name(*id)).collect()
        }
        Node::Device(id) => {
            let mut names = owned(DEVICE_FILES);
            names.extend((!ports(world, ns, id).is_empty()).then(|| NET.to_owned()));
            names
        }
        Node::Net(id) => ports(world, ns, id),
        Node::BusFile(_) | Node::DeviceFile(..) | Node::Link(_) => return Err(Errno::ENOTDIR),
    })
}

pub(super) fn link(world: &World, ns: NsId, names: Names<'_>) -> Result<String, Errno> {
    match resolve(world, ns, names)? {
        Node::Link(name) => Ok(format!("../../../../../class/net/{name}")),
        _ => Err(Errno::EINVAL),
    }
}

fn resolve(world: &World, ns: NsId, names: Names<'_>) -> Result<Node, Errno> {
    let known = |files: &'static [&'static str], name: &str| files.iter().copied().find(|file| *file == name);
    let (device, below) = match names {
        [] => return Ok(Node::Bus),
        [DEVICES] => return Ok(Node::Devices),
        [DEVICES, device, below @ ..] => (*device, below),
        [name] => return known(BUS_FILES, name).map(Node::BusFile).ok_or(Errno::ENOENT),
        [name, ..] => return known(BUS_FILES, name).ok_or(Errno::ENOENT).and(Err(Errno::ENOTDIR)),
    };
    let mut bus = world.netdevsim_bus(ns).into_iter().flatten();
    let (id, _): (&u32, &BusDevice) = bus.find(|(id, _)| bus_name(**id) == device).ok_or(Errno::ENOENT)?;
    match below {
        [] => Ok(Node::Device(*id)),
        [NET, rest @ ..] => {
            let ports = ports(world, ns, *id);
            match rest {
                _ if ports.is_empty() => Err(Errno::ENOENT),
                [] => Ok(Node::Net(*id)),
                [name] => ports.into_iter().find(|port| port == name).map(Node::Link).ok_or(Errno::ENOENT),
                _ => Err(Errno::ENOENT),
            }
        }
        [name] => known(DEVICE_FILES, name).map(|file| Node::DeviceFile(*id, file)).ok_or(Errno::ENOENT),
        [name, ..] => known(DEVICE_FILES, name).ok_or(Errno::ENOENT).and(Err(Errno::ENOTDIR)),
    }
}

/// The ports of a device that are in this namespace.
fn ports(world: &World, ns: NsId, id: u32) -> Vec<String> {
    let ports = world.netdevsim_ports(ns, id).filter_map(|(_, dev)| world.devs.get(dev));
    ports.filter(|device| device.ns == ns).map(|device| device.name.clone()).collect()
}

/// Decimal numbers as `sscanf` reads them: up to the first word that does not begin with one, cut to 32 bits.
fn numbers(data: &[u8]) -> Vec<u32> {
    let mut found = Vec::new();
    for word in data.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        let digits = word.iter().take_while(|byte| byte.is_ascii_digit());
        let value = digits
            .clone()
            .fold(0u64, |value, digit| value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')));
        let count = digits.count();
        found.extend((count > 0).then_some(value as u32));
        if count < word.len() {
            break;
        }
    }
    found
}

/// The number of a device is a positive `int`.
fn checked_id(id: u32) -> Result<u32, Errno> {
    if id > i32::MAX as u32 { Err(Errno::EINVAL) } else { Ok(id) }
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn numbers_are_read_as_far_as_they_go() {
        let cases: &[(&[u8], &[u32])] = &[
            (b"1\n", &[1]),
            (b" 10 2 4\n", &[10, 2, 4]),
            (b"1 x 3", &[1]),
            (b"1x 3", &[1]),
            (b"", &[]),
            (b"-1", &[]),
            (b"4294967297", &[1]),
        ];
        for (text, expected) in cases {
            assert_eq!(numbers(text), *expected, "{text:?}");
        }
    }
}
