//! A namespace with nothing but devices, addresses and routes, and what `ip` does to it.

use std::net::Ipv4Addr;

use hairpin_netlink::{Errno, Failure};

use crate::route::Ruled as _;
use crate::{
    route::{Fib, InterfaceAddress, Ipv4Settings, LinkState, Links, Prefix, RouteChange, Scope},
    rtnl::{self, Notification},
};

/// A device of the test.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub ifindex: u32,
    pub name: String,
    pub up: bool,
    /// The other end, whose state decides about the carrier.
    pub peer: Option<u32>,
    pub settings: Ipv4Settings,
    pub addresses: Vec<InterfaceAddress>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Devices(pub Vec<Device>);

impl Devices {
    pub fn get(&self, ifindex: u32) -> Option<&Device> {
        self.0.iter().find(|device| device.ifindex == ifindex)
    }

    pub fn get_mut(&mut self, ifindex: u32) -> Option<&mut Device> {
        self.0.iter_mut().find(|device| device.ifindex == ifindex)
    }
}

impl Links for Devices {
    fn link(&self, ifindex: u32) -> Option<LinkState<'_>> {
        let device = self.get(ifindex)?;
        let peer_up = device.peer.and_then(|peer| self.get(peer)).is_none_or(|peer| peer.up);
        Some(LinkState {
            name: &device.name,
            up: device.up,
            // A veth has carrier while both ends are up.
            carrier: device.ifindex == 1 || device.up && peer_up,
            loopback: device.ifindex == 1,
            ipv4: true,
            mtu: 1500,
            group: 0,
            vrf: None,
        })
    }

    fn find(&self, name: &str) -> Option<u32> {
        self.0.iter().find(|device| device.name == name).map(|device| device.ifindex)
    }

    fn next(&self, after: u32) -> Option<u32> {
        self.0.iter().map(|device| device.ifindex).find(|ifindex| *ifindex > after)
    }

    fn addresses(&self, ifindex: u32) -> &[InterfaceAddress] {
        self.get(ifindex).map_or(&[], |device| &device.addresses)
    }

    fn settings(&self, ifindex: u32) -> Ipv4Settings {
        self.get(ifindex).map(|device| device.settings).unwrap_or_default()
    }
}

/// Devices with their routes.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub devices: Devices,
    pub fib: Fib,
    pub notifications: Vec<Notification>,
    /// Names of devices as `ip monitor` saw them first.
    pub first_names: Vec<(u32, String)>,
}

impl World {
    /// `lo` and veth pairs v0-p0, v1-p1, …, all down: what [`SETUP`] makes.
    pub fn new() -> Self {
        let device = |ifindex, name: &str, peer| Device {
            ifindex,
            name: name.to_owned(),
            up: false,
            peer,
            settings: Ipv4Settings::default(),
            addresses: Vec::new(),
        };
        let mut devices = vec![device(1, "lo", None)];
        for pair in 0..3u32 {
            // `ip link add v type veth peer name p` numbers the peer first.
            let (p, v) = (2 + 2 * pair, 3 + 2 * pair);
            devices.push(device(p, &format!("p{pair}"), Some(v)));
            devices.push(device(v, &format!("v{pair}"), Some(p)));
        }
        let first_names = devices.iter().map(|device| (device.ifindex, device.name.clone())).collect();
        World { devices: Devices(devices), fib: Fib::new(), notifications: Vec::new(), first_names }
    }

    pub fn announce(&mut self, changes: Vec<RouteChange>) {
        let fib = &self.fib;
        self.notifications.extend(changes.iter().map(|change| rtnl::route::announce(fib, change)));
    }

    /// `ip link set DEV up|down`
    pub fn set_up(&mut self, ifindex: u32, up: bool) {
        let carrier = |world: &World, index| world.devices.link(index).is_some_and(|link| link.carrier);
        let peer = self.devices.get(ifindex).and_then(|device| device.peer);
        let before = peer.map(|peer| carrier(self, peer));
        let Some(device) = self.devices.get_mut(ifindex) else { return };
        if device.up == up {
            return;
        }
        device.up = up;
        if up && ifindex == 1 {
            self.add_address(1, address("127.0.0.1", 8, Scope::HOST)).ok();
        }
        let changes =
            if up { self.fib.device_up(ifindex, &self.devices) } else { self.fib.device_down(ifindex) };
        self.announce(changes);
        let Some(peer) = peer else { return };
        let after = carrier(self, peer);
        if before != Some(after) && self.devices.get(peer).is_some_and(|device| device.up) {
            self.fib.carrier(peer, after, &self.devices);
        }
    }

    /// A device leaves.
    pub fn remove_device(&mut self, ifindex: u32) {
        self.set_up(ifindex, false);
        let changes = self.fib.device_destroyed(ifindex, &self.devices);
        self.announce(changes);
        self.devices.0.retain(|device| device.ifindex != ifindex);
        self.fib.device_unnamed(ifindex);
    }

    /// `__inet_insert_ifa`
    pub fn add_address(&mut self, ifindex: u32, mut new: InterfaceAddress) -> Result<(), Failure> {
        let device = self.devices.get_mut(ifindex).ok_or(Errno::ENODEV)?;
        let list = &mut device.addresses;
        let mut behind_primaries = 0;
        for (at, other) in list.iter().enumerate() {
            if !other.secondary && new.scope <= other.scope {
                behind_primaries = at + 1;
            }
            if other.prefix_length == new.prefix_length && other.prefix() == new.prefix() {
                if other.local == new.local {
                    return Err(Errno::EEXIST.into());
                }
                if other.scope != new.scope {
                    return Err(Errno::EINVAL.into());
                }
                new.secondary = true;
            }
        }
        let at = if new.secondary { list.len() } else { behind_primaries };
        list.insert(at, new.clone());
        let changes = self.fib.address_added(ifindex, &new, &self.devices);
        self.announce(changes);
        Ok(())
    }

    /// `__inet_del_ifa` without promotion of secondaries.
    pub fn delete_address(&mut self, ifindex: u32, local: Ipv4Addr, length: u8) -> Result<(), Failure> {
        let device = self.devices.get_mut(ifindex).ok_or(Errno::ENODEV)?;
        let which = |a: &InterfaceAddress| a.local == local && a.prefix_length == length;
        let at = device.addresses.iter().position(which);
        let at = at.ok_or(Errno::EADDRNOTAVAIL)?;
        let primary = device.addresses[at].clone();
        // Its secondaries go first, one by one.
        let follows = |other: &InterfaceAddress| other.secondary && other.prefix() == primary.prefix();
        if !primary.secondary
            && let Some(next) = device.addresses[at + 1..].iter().position(follows)
        {
            let secondary = device.addresses.remove(at + 1 + next);
            let changes = self.fib.address_removed(ifindex, &secondary, &self.devices);
            self.announce(changes);
            return self.delete_address(ifindex, local, length);
        }
        device.addresses.remove(at);
        let changes = self.fib.address_removed(ifindex, &primary, &self.devices);
        self.announce(changes);
        Ok(())
    }
}

/// An address as `ip address add A/L` makes it: no broadcast.
pub(crate) fn address(local: &str, prefix_length: u8, scope: Scope) -> InterfaceAddress {
    let local: Ipv4Addr = local.parse().unwrap();
    InterfaceAddress {
        local,
        peer: local,
        prefix_length,
        broadcast: None,
        scope,
        secondary: false,
        no_prefix_route: false,
        metric: 0,
    }
}

/// A prefix from text.
pub(crate) fn prefix(text: &str) -> Prefix {
    if text == "default" {
        return Prefix::DEFAULT;
    }
    let (address, length) = text.split_once('/').unwrap_or((text, "32"));
    Prefix { address: address.parse().unwrap(), length: length.parse().unwrap() }
}
