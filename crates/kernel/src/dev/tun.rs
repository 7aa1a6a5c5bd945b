//! tun and tap: devices whose other end is a program (drivers/net/tun.c).
//!
//! Configuration: `TUNSETIFF` with its flags, an owner and a group, none by netlink. No program can hold the other end
//! here: a device is there because it was made to persist. Transmit: it never has a carrier, so nothing leaves it.

/// `IFF_*` of `TUNSETIFF` (linux/if_tun.h).
pub mod flag {
    pub const TUN: u16 = 0x0001;
    pub const TAP: u16 = 0x0002;
    pub const MULTI_QUEUE: u16 = 0x0100;
    pub const PERSIST: u16 = 0x0800;
    pub const NO_PI: u16 = 0x1000;
    pub const ONE_QUEUE: u16 = 0x2000;
    pub const VNET_HDR: u16 = 0x4000;
    /// Those that a device keeps (`TUN_FEATURES`, `TUN_TYPE_MASK`).
    pub const KEPT: u16 = TUN | TAP | MULTI_QUEUE | NO_PI | ONE_QUEUE | VNET_HDR;
}

/// Queues of a device with several (`MAX_TAP_QUEUES`).
pub const QUEUES_MAX: u32 = 256;
/// `TUN_READQ_SIZE`
pub const QUEUE_LEN: u32 = 500;

/// A device of either kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tun {
    /// [`flag`]s.
    pub flags: u16,
    /// The user, and the group, whose programs may hold the other end.
    pub owner: Option<u32>,
    pub group: Option<u32>,
}

impl Tun {
    /// It carries frames; the other kind carries packets without a link header.
    pub fn is_tap(&self) -> bool {
        self.flags & flag::TAP != 0
    }
}
