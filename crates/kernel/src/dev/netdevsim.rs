//! netdevsim: a card that is simulated, to try out how drivers are configured (drivers/net/netdevsim of Linux 6.1). Each device
//! is a port of a device on a bus of its own; what is sent on it is counted, and gone. Nothing is ever received.

use std::collections::BTreeMap;

use crate::netns::NsId;

/// Bytes of a switch's identity (`MAX_PHYS_ITEM_ID_LEN`).
pub const SWITCH_ID_LEN: usize = 32;
/// Most ports of a device on the bus. Linux goes on until there are no names or no memory.
pub const PORTS_MAX: u32 = 1024;
/// Most devices on the bus of a machine.
pub const DEVICES_MAX: usize = 1024;
/// `NSIM_BUS_DEV_MAX_VFS`
pub const VIRTUAL_FUNCTIONS_MAX: u32 = 4;

/// A port, which is a network device.
#[derive(Clone, Debug)]
pub struct Netdevsim {
    /// Number of the device on the bus.
    pub id: u32,
    /// From 0.
    pub port: u32,
    pub switch_id: [u8; SWITCH_ID_LEN],
}

impl Netdevsim {
    /// The name of the device on the bus (`dev_name`).
    pub fn parent(&self) -> String {
        bus_name(self.id)
    }

    /// `__devlink_port_phys_port_name_get`: ports of a switch have numbers from 1.
    pub fn port_name(&self) -> String {
        format!("p{}", self.port.wrapping_add(1))
    }
}

/// A device on the bus (`struct nsim_bus_dev`).
#[derive(Clone, Debug)]
pub struct BusDevice {
    /// Where its ports are made (`devlink_net`).
    pub ns: NsId,
    /// How many ports it starts with.
    pub ports: u32,
    /// Of each port.
    pub queues: u32,
    pub switch_id: [u8; SWITCH_ID_LEN],
    /// Its driver has taken it: one whose ports could not be made is there, and without use.
    pub is_driven: bool,
}

/// The devices on a machine's bus, by their numbers.
pub type Bus = BTreeMap<u32, BusDevice>;

/// What a device on the bus is called.
pub fn bus_name(id: u32) -> String {
    format!("{BUS}{id}")
}

/// The name of bus, driver and kind.
pub const BUS: &str = "netdevsim";
