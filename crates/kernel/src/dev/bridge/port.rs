//! A bridge's port: flags and spanning-tree state (`struct net_bridge_port`).

use std::collections::BTreeSet;

use bitflags::bitflags;

use crate::device::DevId;
use crate::mac::Mac;

use super::fdb::Key;
use super::snoop::PortQueries;
use super::stp::Branch;
use super::vlan::VlanGroup;

/// `BR_STATE_*`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    Disabled = 0,
    Listening = 1,
    Learning = 2,
    Forwarding = 3,
    Blocking = 4,
}

impl State {
    pub fn from_number(number: u8) -> Option<State> {
        [State::Disabled, State::Listening, State::Learning, State::Forwarding, State::Blocking]
            .get(usize::from(number))
            .copied()
    }
}

bitflags! {
    /// `BR_*` port flags.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PortFlags: u32 {
        const HAIRPIN = 1 << 0;
        const BPDU_GUARD = 1 << 1;
        const ROOT_BLOCK = 1 << 2;
        const FAST_LEAVE = 1 << 3;
        const ADMIN_COST = 1 << 4;
        const LEARNING = 1 << 5;
        const FLOOD = 1 << 6;
        const AUTO = Self::LEARNING.bits() | Self::FLOOD.bits();
        const PROMISC = 1 << 7;
        const PROXY_ARP = 1 << 8;
        const LEARNING_SYNC = 1 << 9;
        const PROXY_ARP_WIFI = 1 << 10;
        const MCAST_FLOOD = 1 << 11;
        const MULTICAST_TO_UNICAST = 1 << 12;
        const VLAN_TUNNEL = 1 << 13;
        const BCAST_FLOOD = 1 << 14;
        const NEIGH_SUPPRESS = 1 << 15;
        const ISOLATED = 1 << 16;
        const LOCKED = 1 << 21;
    }
}

impl Default for PortFlags {
    fn default() -> Self {
        PortFlags::LEARNING | PortFlags::FLOOD | PortFlags::MCAST_FLOOD | PortFlags::BCAST_FLOOD
    }
}

/// `BR_MCAST_DEFAULT_EHT_HOSTS_LIMIT`
const EHT_HOSTS_LIMIT: u32 = 512;

/// One port.
#[derive(Clone, Debug)]
pub struct BridgePort {
    pub dev: DevId,
    /// Port number, from 1.
    pub number: u16,
    pub state: State,
    pub flags: PortFlags,
    pub priority: u8,
    pub cost: u32,
    pub mac: Mac,
    pub mcast_router: u8,
    pub group_fwd_mask: u16,
    pub config_pending: bool,
    pub topology_change_ack: bool,
    /// Where frames for it go while it has no carrier.
    pub backup: Option<DevId>,
    pub carrier: bool,
    /// Hosts that explicit tracking would keep for a group.
    pub eht_hosts_limit: u32,
    pub vlans: VlanGroup,
    pub branch: Branch,
    pub queries: [PortQueries; 2],
    /// The fixed entries whose addresses the device was told to take (`br_fdb_sync_static`), where it need not take all.
    pub taught: BTreeSet<Key>,
}

impl BridgePort {
    pub fn new(dev: DevId, number: u16, mac: Mac, cost: u32) -> Self {
        BridgePort {
            dev,
            number,
            state: State::Disabled,
            flags: PortFlags::default(),
            priority: 32,
            cost,
            mac,
            mcast_router: 1,
            group_fwd_mask: 0,
            config_pending: false,
            topology_change_ack: false,
            backup: None,
            carrier: true,
            eht_hosts_limit: EHT_HOSTS_LIMIT,
            vlans: VlanGroup::default(),
            branch: Branch::default(),
            queries: Default::default(),
            taught: BTreeSet::new(),
        }
    }

    /// `port->port_id`: priority in the upper 6 bits, number in the lower 10 (`br_make_port_id`).
    pub fn id(&self) -> u16 {
        u16::from(self.priority) << 10 | (self.number & 0x3ff)
    }

    pub fn has(&self, flag: PortFlags) -> bool {
        self.flags.contains(flag)
    }
}
