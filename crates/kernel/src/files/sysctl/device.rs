//! The families of keys that every device has, in a directory by its name: `ipv4/conf`, `ipv4/neigh`,
//! `ipv6/conf`, `ipv6/neigh`.

use hairpin_netlink::Errno;

use super::neigh::Family;
use super::{conf4, conf6, neigh};
use crate::device::{AddrGenMode, DevId, Device};
use crate::netns::NsId;
use crate::sysctl::{DevConf, NeighParams, Overrides};
use crate::world::World;

/// Whose values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    All,
    Default,
    Device(DevId),
}

/// A directory with one directory a device.
pub(super) struct PerDevice {
    /// Its path below `/proc/sys/net`.
    pub path: [&'static str; 2],
    family: Family,
    values: Values,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    Conf,
    Neigh,
}

pub(super) const FAMILIES: &[PerDevice] = &[
    PerDevice { path: ["ipv4", "conf"], family: Family::Ipv4, values: Values::Conf },
    PerDevice { path: ["ipv4", "neigh"], family: Family::Ipv4, values: Values::Neigh },
    PerDevice { path: ["ipv6", "conf"], family: Family::Ipv6, values: Values::Conf },
    PerDevice { path: ["ipv6", "neigh"], family: Family::Ipv6, values: Values::Neigh },
];

impl PerDevice {
    /// Whether a device has a part in the family.
    fn is_of(&self, device: &Device) -> bool {
        match self.family {
            Family::Ipv4 => device.has_ipv4,
            Family::Ipv6 => device.has_ipv6,
        }
    }

    /// The directories in the family's directory.
    pub fn scopes(&self, world: &World, ns: NsId) -> Vec<String> {
        let devices = world.devices_of(ns).filter(|device| self.is_of(device));
        let mut names: Vec<String> = devices.map(|device| device.name.clone()).collect();
        match self.values {
            Values::Conf => names.extend(["all".to_owned(), "default".to_owned()]),
            Values::Neigh if is_first(world, ns) => names.push("default".to_owned()),
            Values::Neigh => {}
        }
        names
    }

    /// Whose values the directory of this name has.
    ///
    /// # Errors
    /// `ENOENT` where there is no such directory.
    pub fn scope(&self, world: &World, ns: NsId, name: &str) -> Result<Scope, Errno> {
        match (name, self.values) {
            ("all", Values::Conf) => return Ok(Scope::All),
            ("default", Values::Conf) => return Ok(Scope::Default),
            ("default", Values::Neigh) if is_first(world, ns) => return Ok(Scope::Default),
            _ => {}
        }
        let dev = world.device_named(ns, name).ok_or(Errno::ENOENT)?;
        let device = world.devs.get(dev).ok_or(Errno::ENOENT)?;
        // Alternative names have no directory.
        if device.name == name && self.is_of(device) { Ok(Scope::Device(dev)) } else { Err(Errno::ENOENT) }
    }

    pub fn keys(&self, scope: Scope) -> Vec<&'static str> {
        match (self.values, self.family) {
            (Values::Conf, Family::Ipv4) => conf4::keys(),
            (Values::Conf, Family::Ipv6) => conf6::keys(),
            (Values::Neigh, _) => neigh::keys(scope),
        }
    }

    pub fn read(&self, world: &World, ns: NsId, scope: Scope, key: &str) -> Result<String, Errno> {
        match (self.values, self.family) {
            (Values::Conf, Family::Ipv4) => conf4::read(world, ns, scope, key),
            (Values::Conf, Family::Ipv6) => conf6::read(world, ns, scope, key),
            (Values::Neigh, family) => neigh::read(world, ns, family, scope, key),
        }
    }

    pub fn write(
        &self,
        world: &mut World,
        ns: NsId,
        scope: Scope,
        key: &str,
        data: &[u8],
    ) -> Result<(), Errno> {
        match (self.values, self.family) {
            (Values::Conf, Family::Ipv4) => conf4::write(world, ns, scope, key, data),
            (Values::Conf, Family::Ipv6) => conf6::write(world, ns, scope, key, data),
            (Values::Neigh, family) => neigh::write(world, ns, family, scope, key, data),
        }
    }
}

/// All that the values of a device are made from, in any of the families.
#[derive(Hash)]
pub(super) struct DeviceValues<'a> {
    ipv4: &'a DevConf,
    ipv6: &'a Overrides,
    neigh: [&'a NeighParams; 2],
    ipv6_disabled: bool,
    addr_gen_mode: AddrGenMode,
    mtu: u32,
    is_loopback: bool,
}

impl<'a> DeviceValues<'a> {
    pub fn of(device: &'a Device) -> Self {
        DeviceValues {
            ipv4: &device.ipv4_conf,
            ipv6: &device.ipv6_conf,
            neigh: [&device.neigh_params, &device.neigh6_params],
            ipv6_disabled: device.ipv6_disabled,
            addr_gen_mode: device.addr_gen_mode,
            mtu: device.mtu,
            is_loopback: device.is_loopback(),
        }
    }
}

/// Whether a namespace is its kernel's first.
pub(super) fn is_first(world: &World, ns: NsId) -> bool {
    let host = world.netns.get(ns).and_then(|netns| world.hosts.get(netns.host));
    host.is_some_and(|host| host.initial == ns)
}
