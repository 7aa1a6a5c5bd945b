//! InfiniBand cards, and the devices of partitions on them (drivers/infiniband/ulp/ipoib/ipoib_main.c, ipoib_vlan.c).

use hairpin_netlink::{Errno, Failure};

use super::register::{NAME_MAX, NewDevice};
use crate::dev::Kind;
use crate::dev::ipoib::{ADDRESS_LEN, CONNECTED_MTU, DATAGRAM_MTU, FULL_MEMBER, Ipoib};
use crate::device::{AddrAssign, DevId};
use crate::mac::Mac;
use crate::world::World;

/// The first queue pair that a device gets; each device has one of its own.
const FIRST_QUEUE_PAIR: u32 = 0x208;

impl World {
    /// Puts an InfiniBand card into a machine. Its port's GUID is made of `mac`, as EUI-64; it has no link.
    ///
    /// # Errors
    /// `EINVAL`, `EEXIST` for its name; `ENODEV` without such a host.
    pub fn add_infiniband_card(&mut self, host: usize, name: &str, mac: Mac) -> Result<(), Errno> {
        let ns = self.hosts.get(host).ok_or(Errno::ENODEV)?.initial;
        let kind = Kind::Ipoib(Box::new(Ipoib::of_card(mac, self.next_queue_pair())));
        let new = NewDevice { name: name.to_owned(), kind, mac: None, ifindex: 0, mtu: None };
        self.register(ns, new).map(|_| ()).map_err(|failure| failure.errno)
    }

    fn next_queue_pair(&self) -> u32 {
        let known = self.devs.values().filter_map(|device| match &device.kind {
            Kind::Ipoib(state) => {
                let [_, a, b, c, ..] = state.address;
                Some(u32::from_be_bytes([0, a, b, c]) + 1)
            }
            _ => None,
        });
        known.max().unwrap_or(FIRST_QUEUE_PAIR)
    }

    /// What a device of another partition on a card's device is to be (`__ipoib_vlan_add`). A key is not unique, but
    /// among those that were made by a file.
    ///
    /// # Errors
    /// `EINVAL` on a device that stands on another one itself, and for a key that no partition has.
    pub(crate) fn new_ipoib_child(
        &self,
        parent: DevId,
        key: Option<u16>,
        address: Option<[u8; ADDRESS_LEN]>,
    ) -> Result<Ipoib, Errno> {
        let Some(Kind::Ipoib(below)) = self.devs.get(parent).map(|device| &device.kind) else {
            return Err(Errno::ENODEV);
        };
        if below.parent.is_some() {
            return Err(Errno::EINVAL);
        }
        let key = key.unwrap_or(below.partition);
        if matches!(key, 0 | FULL_MEMBER) {
            return Err(Errno::EINVAL);
        }
        Ok(Ipoib::on(parent, below, address, key, self.next_queue_pair()))
    }

    /// `ipoib_vlan_add`: a device of a partition by a file of the card's device, called after it.
    ///
    /// # Errors
    /// `ENOTUNIQ` for a key that one has already; those of [`World::new_ipoib_child`] and of registration.
    pub(crate) fn create_ipoib_child(&mut self, parent: DevId, key: u16) -> Result<(), Errno> {
        let mut child = self.new_ipoib_child(parent, Some(key), None)?;
        child.by_file = true;
        let device = self.devs.get(parent).ok_or(Errno::ENODEV)?;
        let is_own = matches!(&device.kind, Kind::Ipoib(state) if state.partition == key);
        if is_own || self.ipoib_child_by_file(parent, key).is_some() {
            return Err(Errno::ENOTUNIQ);
        }
        let room = NAME_MAX - ".8001".len();
        let stem: String = device.name.chars().take(room).collect();
        let (ns, name) = (device.ns, format!("{stem}.{key:04x}"));
        let new = NewDevice { name, kind: Kind::Ipoib(Box::new(child)), mac: None, ifindex: 0, mtu: None };
        let dev = self.register(ns, new).map_err(|failure| failure.errno)?;
        self.changed();
        self.notify_link(dev);
        Ok(())
    }

    /// `ipoib_vlan_delete`
    ///
    /// # Errors
    /// `ENODEV` where none was made so.
    pub(crate) fn delete_ipoib_child(&mut self, parent: DevId, key: u16) -> Result<(), Errno> {
        let dev = self.ipoib_child_by_file(parent, key).ok_or(Errno::ENODEV)?;
        self.unregister(dev);
        Ok(())
    }

    fn ipoib_child_by_file(&self, parent: DevId, key: u16) -> Option<DevId> {
        let of_key = |device: &&crate::device::Device| match &device.kind {
            Kind::Ipoib(state) => state.parent == Some(parent) && state.by_file && state.partition == key,
            _ => false,
        };
        self.devs.values().find(of_key).map(|device| device.id)
    }

    /// The devices that stand on a card's.
    pub(super) fn ipoib_children(&self, parent: DevId) -> Vec<DevId> {
        let stands = |kind: &Kind| matches!(kind, Kind::Ipoib(state) if state.parent == Some(parent));
        self.devs.values().filter(|device| stands(&device.kind)).map(|device| device.id).collect()
    }

    /// `ipoib_set_mode`. The MTU is the mode's.
    pub(crate) fn set_ipoib_mode(&mut self, dev: DevId, connected: bool) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        let mtu = device.mtu;
        let Kind::Ipoib(state) = &mut device.kind else { return };
        if std::mem::replace(&mut state.connected, connected) == connected {
            return;
        }
        let mtu = if connected { CONNECTED_MTU } else { mtu.min(DATAGRAM_MTU) };
        self.store_mtu(dev, mtu);
        self.changed();
    }

    /// `ipoib_set_umcast`
    pub(crate) fn set_ipoib_umcast(&mut self, dev: DevId, on: bool) {
        if let Some(Kind::Ipoib(state)) = self.devs.get_mut(dev).map(|device| &mut device.kind) {
            state.umcast = on;
        }
        self.changed();
    }

    /// `ipoib_set_mac`: the GUID, which those on a card's device have too.
    ///
    /// # Errors
    /// `EBUSY` while it is up, `EINVAL` for an address that differs elsewhere.
    pub(crate) fn set_ipoib_address(&mut self, dev: DevId, address: &[u8]) -> Result<(), Failure> {
        let device = self.devs.get(dev).ok_or(Errno::ENODEV)?;
        if device.is_up() {
            return Err(Errno::EBUSY.into());
        }
        let Kind::Ipoib(state) = &device.kind else { return Err(Errno::EOPNOTSUPP.into()) };
        let address = address.first_chunk().ok_or(Errno::EINVAL)?;
        if !state.takes_address(address) {
            return Err(Errno::EINVAL.into());
        }
        for other in std::iter::once(dev).chain(self.ipoib_children(dev)) {
            if let Some(Kind::Ipoib(state)) = self.devs.get_mut(other).map(|device| &mut device.kind) {
                state.take_guid(address);
            }
        }
        if let Some(device) = self.devs.get_mut(dev) {
            device.addr_assign = AddrAssign::Set;
        }
        self.changed();
        self.notify_link(dev);
        Ok(())
    }

    /// `ipoib_open`, `ipoib_stop`: those on a card's device go up and down with it.
    pub(super) fn ipoib_children_follow(&mut self, dev: DevId, up: bool) {
        let Some(Kind::Ipoib(state)) = self.devs.get(dev).map(|device| &device.kind) else { return };
        if state.parent.is_some() {
            return;
        }
        for child in self.ipoib_children(dev) {
            match up {
                // It lacks nothing to go up.
                true => drop(self.open(child)),
                false => self.close(child),
            }
        }
    }
}
