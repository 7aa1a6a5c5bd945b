//! Devices on netdevsim's bus, and the ports that they bring (drivers/net/netdevsim/bus.c, dev.c).

use hairpin_netlink::Errno;

use super::register::NewDevice;
use crate::dev::Kind;
use crate::dev::netdevsim::{
    Bus, BusDevice, DEVICES_MAX, Netdevsim, PORTS_MAX, SWITCH_ID_LEN, VIRTUAL_FUNCTIONS_MAX,
};
use crate::device::DevId;
use crate::netns::NsId;
use crate::world::World;

/// `netif_alloc_netdev_queues`
const QUEUES_MAX: u32 = 0xffff;

impl World {
    /// The devices on the bus of the machine that a namespace belongs to.
    pub(crate) fn netdevsim_bus(&self, ns: NsId) -> Option<&Bus> {
        let host = self.netns.get(ns)?.host;
        self.hosts.get(host).map(|host| &host.netdevsim)
    }

    fn netdevsim_bus_mut(&mut self, ns: NsId) -> Option<&mut Bus> {
        let host = self.netns.get(ns)?.host;
        self.hosts.get_mut(host).map(|host| &mut host.netdevsim)
    }

    /// `nsim_bus_dev_new`, `nsim_drv_probe`: ports are made in the namespace of who asks. Where that fails the device is
    /// there all the same, without a driver.
    ///
    /// # Errors
    /// `ENOSPC` for a number that is taken.
    pub(crate) fn add_netdevsim(&mut self, ns: NsId, id: u32, ports: u32, queues: u32) -> Result<(), Errno> {
        let bus = self.netdevsim_bus(ns).ok_or(Errno::ENODEV)?;
        if bus.contains_key(&id) || bus.len() >= DEVICES_MAX {
            return Err(Errno::ENOSPC);
        }
        let switch_id = self.random_switch_id();
        let device = BusDevice { ns, ports, queues, switch_id, is_driven: false };
        self.netdevsim_bus_mut(ns).ok_or(Errno::ENODEV)?.insert(id, device);
        self.start_netdevsim(ns, id);
        Ok(())
    }

    /// A device that its driver has taken.
    fn driven_netdevsim(&self, ns: NsId, id: u32) -> Result<&BusDevice, Errno> {
        let device = self.netdevsim_bus(ns).and_then(|bus| bus.get(&id));
        device.filter(|device| device.is_driven).ok_or(Errno::ENOENT)
    }

    /// The driver takes a device, and makes its ports: all of them, or none.
    fn start_netdevsim(&mut self, ns: NsId, id: u32) {
        let Some(device) = self.netdevsim_bus(ns).and_then(|bus| bus.get(&id)) else { return };
        let ports = device.ports;
        let is_driven =
            ports <= PORTS_MAX && (0..ports).all(|port| self.make_netdevsim_port(ns, id, port).is_ok());
        if !is_driven {
            self.remove_netdevsim_ports(ns, id);
        }
        if let Some(device) = self.netdevsim_bus_mut(ns).and_then(|bus| bus.get_mut(&id)) {
            device.is_driven = is_driven;
        }
        self.netdevsim_hears_of_routes(ns);
    }

    /// `del_device_store`
    ///
    /// # Errors
    /// `ENOENT` for a number that no device has.
    pub(crate) fn remove_netdevsim(&mut self, ns: NsId, id: u32) -> Result<(), Errno> {
        self.remove_netdevsim_ports(ns, id);
        let gone = self.netdevsim_bus_mut(ns).and_then(|bus| bus.remove(&id)).ok_or(Errno::ENOENT)?;
        self.netdevsim_hears_of_routes(gone.ns);
        self.changed();
        Ok(())
    }

    /// `nsim_drv_port_add`
    ///
    /// # Errors
    /// `ENOENT` without the device or its driver, `EEXIST` for a port that is there; what registration answers.
    pub(crate) fn add_netdevsim_port(&mut self, ns: NsId, id: u32, port: u32) -> Result<(), Errno> {
        self.driven_netdevsim(ns, id)?;
        if self.netdevsim_port(ns, id, port).is_some() {
            return Err(Errno::EEXIST);
        }
        if self.netdevsim_ports(ns, id).count() >= PORTS_MAX as usize {
            return Err(Errno::ENOMEM);
        }
        self.make_netdevsim_port(ns, id, port)
    }

    /// `nsim_drv_port_del`
    ///
    /// # Errors
    /// `ENOENT` for a port that is not there.
    pub(crate) fn remove_netdevsim_port(&mut self, ns: NsId, id: u32, port: u32) -> Result<(), Errno> {
        let dev = self.netdevsim_port(ns, id, port).ok_or(Errno::ENOENT)?;
        self.unregister(dev);
        Ok(())
    }

    /// `nsim_drv_configure_vfs`
    ///
    /// # Errors
    /// `ENOENT` without the device or its driver, `ENOMEM` for more than there may be; `EOPNOTSUPP`: none can be had here.
    pub(crate) fn set_netdevsim_functions(&mut self, ns: NsId, id: u32, count: u32) -> Result<(), Errno> {
        self.driven_netdevsim(ns, id)?;
        match count {
            0 => Ok(()),
            1..=VIRTUAL_FUNCTIONS_MAX => Err(Errno::EOPNOTSUPP),
            _ => Err(Errno::ENOMEM),
        }
    }

    /// `__nsim_dev_port_add`, `nsim_create`
    fn make_netdevsim_port(&mut self, ns: NsId, id: u32, port: u32) -> Result<(), Errno> {
        let device = self.netdevsim_bus(ns).and_then(|bus| bus.get(&id)).ok_or(Errno::ENOENT)?;
        let (home, queues, switch_id) = (device.ns, device.queues, device.switch_id);
        if !(1..=QUEUES_MAX).contains(&queues) {
            return Err(Errno::ENOMEM);
        }
        let kind = Kind::Netdevsim(Box::new(Netdevsim { id, port, switch_id }));
        let new = NewDevice { name: "eth%d".to_owned(), kind, mac: None, ifindex: 0, mtu: None };
        let dev = self.register(home, new).map_err(|failure| failure.errno)?;
        if let Some(device) = self.devs.get_mut(dev) {
            device.queues = (queues, queues);
        }
        self.changed();
        self.notify_link(dev);
        Ok(())
    }

    /// The ports of a device, wherever they are: the newest last.
    pub(crate) fn netdevsim_ports(&self, ns: NsId, id: u32) -> impl Iterator<Item = (u32, DevId)> {
        let host = self.netns.get(ns).map(|netns| netns.host);
        self.devs.iter().filter_map(move |(dev, device)| match &device.kind {
            Kind::Netdevsim(state)
                if state.id == id && self.netns.get(device.ns).map(|netns| netns.host) == host =>
            {
                Some((state.port, dev))
            }
            _ => None,
        })
    }

    fn netdevsim_port(&self, ns: NsId, id: u32, port: u32) -> Option<DevId> {
        self.netdevsim_ports(ns, id).find(|(number, _)| *number == port).map(|(_, dev)| dev)
    }

    /// `nsim_dev_port_del_all`: the newest goes first.
    fn remove_netdevsim_ports(&mut self, ns: NsId, id: u32) {
        let mut ports: Vec<(u32, DevId)> = self.netdevsim_ports(ns, id).collect();
        ports.sort_unstable_by_key(|(port, _)| std::cmp::Reverse(*port));
        for (_, dev) in ports {
            self.unregister(dev);
        }
    }

    /// `devlink_pernet_pre_exit`: devices whose namespace ends start anew in the machine's first one.
    pub(super) fn bring_netdevsims_home(&mut self, ns: NsId, home: NsId) {
        let Some(bus) = self.netdevsim_bus(ns) else { return };
        let away: Vec<u32> = bus.iter().filter(|(_, device)| device.ns == ns).map(|(id, _)| *id).collect();
        for id in away {
            self.remove_netdevsim_ports(ns, id);
            if let Some(device) = self.netdevsim_bus_mut(ns).and_then(|bus| bus.get_mut(&id)) {
                device.ns = home;
            }
            self.start_netdevsim(home, id);
        }
    }

    /// `nsim_fib_event_nb`: with a device in its namespace, routes are told to hardware, which hands their packets to the
    /// kernel.
    fn netdevsim_hears_of_routes(&mut self, ns: NsId) {
        let hears = self
            .netdevsim_bus(ns)
            .is_some_and(|bus| bus.values().any(|device| device.ns == ns && device.is_driven));
        if let Some(fib) = self.fib.get_mut(ns) {
            fib.traps = hears;
        }
        if let Some(fib) = self.fib6.get_mut(ns) {
            fib.traps = hears;
        }
    }

    fn random_switch_id(&mut self) -> [u8; SWITCH_ID_LEN] {
        let mut id = [0; SWITCH_ID_LEN];
        for byte in &mut id {
            *byte = self.random_below(256) as u8;
        }
        id
    }
}
