//! Neighbours: which MAC an on-link address has, and whether that still holds (net/core/neighbour.c).
//!
//! The table of states is in [`state`]; ARP packets are in [`arp`], those of IPv6's neighbour discovery
//! in [`ndisc`]; sending to a neighbour is in [`output`].

pub mod arp;
pub(crate) mod ndisc;
mod output;
pub(crate) mod state;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::device::DevId;
use crate::frame::Frame;
use crate::mac::Mac;
use crate::time::Time;

/// `NTF_EXT_LEARNED`: something outside the kernel keeps this entry; the collector does not.
pub(crate) const EXT_LEARNED: u8 = 0x10;

/// `NTF_ROUTER`
pub(crate) const ROUTER: u8 = 0x80;

/// `NUD_*` states, as the bits of netlink messages.
pub mod nud {
    pub const INCOMPLETE: u16 = 0x01;
    pub const REACHABLE: u16 = 0x02;
    pub const STALE: u16 = 0x04;
    pub const DELAY: u16 = 0x08;
    pub const PROBE: u16 = 0x10;
    pub const FAILED: u16 = 0x20;
    pub const NOARP: u16 = 0x40;
    pub const PERMANENT: u16 = 0x80;
    pub const NONE: u16 = 0x00;

    pub const IN_TIMER: u16 = INCOMPLETE | REACHABLE | DELAY | PROBE;
    pub const VALID: u16 = PERMANENT | NOARP | REACHABLE | PROBE | STALE | DELAY;
    pub const CONNECTED: u16 = PERMANENT | NOARP | REACHABLE;
}

/// What a queued packet weighs against `unres_qlen_bytes`: `skb->truesize` of a small packet.
const QUEUED_OVERHEAD: usize = 2006;

/// One neighbour (`struct neighbour`).
#[derive(Clone, Debug)]
pub struct Neighbour {
    pub dev: DevId,
    pub state: u16,
    pub mac: Mac,
    /// `NTF_*`
    pub flags: u8,
    pub protocol: u8,
    pub probes: u32,
    /// Packets that wait for the address, oldest first.
    queue: VecDeque<Frame>,
    queued: usize,
    pub updated: Time,
    pub confirmed: Time,
    pub used: Time,
    /// The timer that counts; older ones are void.
    timer: u32,
    /// Order of creation.
    pub serial: u64,
}

impl Neighbour {
    pub fn is_valid(&self) -> bool {
        self.state & nud::VALID != 0
    }
}

/// The neighbour table of one family in one namespace.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    entries: FxHashMap<(u32, IpAddr), Neighbour>,
    /// Addresses that a device answers for (`ip neigh add proxy`), with their `NTF_ROUTER`.
    pub proxies: BTreeMap<(u32, IpAddr), u8>,
    /// Each device's present reachable time, and when it was drawn.
    reachable: FxHashMap<u32, (Duration, Time)>,
    serial: u64,
    timers: u32,
}

impl Neighbours {
    pub fn get(&self, ifindex: u32, address: impl Into<IpAddr>) -> Option<&Neighbour> {
        self.entries.get(&(ifindex, address.into()))
    }

    pub fn get_mut(&mut self, ifindex: u32, address: impl Into<IpAddr>) -> Option<&mut Neighbour> {
        self.entries.get_mut(&(ifindex, address.into()))
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Entries in the order of creation. (Linux lists them in the order of a hash with a random seed.)
    pub fn dump(&self) -> Vec<((u32, IpAddr), &Neighbour)> {
        let mut all: Vec<_> = self.entries.iter().map(|(key, entry)| (*key, entry)).collect();
        all.sort_by_key(|(_, entry)| entry.serial);
        all
    }

    /// A new entry in state NONE; none if the table is full (`gc_thresh3`) and nothing can go.
    pub fn create(
        &mut self,
        ifindex: u32,
        address: IpAddr,
        dev: DevId,
        now: Time,
        limit: i32,
    ) -> Option<&mut Neighbour> {
        if i64::from(limit) <= self.entries.len() as i64 {
            self.forced_collection(now);
            if i64::from(limit) <= self.collectable() {
                return None;
            }
        }
        self.serial += 1;
        let entry = Neighbour {
            dev,
            state: nud::NONE,
            mac: Mac::ZERO,
            flags: 0,
            protocol: 0,
            probes: 0,
            queue: VecDeque::new(),
            queued: 0,
            updated: now,
            confirmed: now,
            used: now,
            timer: 0,
            serial: self.serial,
        };
        Some(self.entries.entry((ifindex, address)).or_insert(entry))
    }

    /// Entries that count against the limit (`gc_entries`).
    fn collectable(&self) -> i64 {
        let exempt = |entry: &Neighbour| entry.state & nud::PERMANENT != 0 || entry.flags & EXT_LEARNED != 0;
        self.entries.values().filter(|entry| !exempt(entry)).count() as i64
    }

    /// `neigh_forced_gc`: what cannot be learned or was not goes at once; what is not permanent and has been quiet for five
    /// seconds, too.
    fn forced_collection(&mut self, now: Time) {
        let quiet = Duration::from_secs(5);
        self.entries.retain(|(_, address), entry| {
            if entry.state & (nud::PERMANENT | nud::IN_TIMER) != 0 || entry.flags & EXT_LEARNED != 0 {
                return true;
            }
            let worthless = matches!(entry.state, nud::FAILED | nud::NOARP) || address.is_multicast();
            !worthless && now.since(entry.updated) < quiet
        });
    }

    pub fn remove(&mut self, ifindex: u32, address: IpAddr) -> Option<Neighbour> {
        self.entries.remove(&(ifindex, address))
    }

    /// Removes a device's entries; permanent ones stay when only the carrier is lost.
    pub fn remove_device(&mut self, ifindex: u32, keep_permanent: bool) -> Vec<(IpAddr, Neighbour)> {
        let mut gone = Vec::new();
        self.entries.retain(|(of, address), entry| {
            if *of != ifindex || (keep_permanent && entry.state & nud::PERMANENT != 0) {
                return true;
            }
            gone.push((*address, entry.clone()));
            false
        });
        gone.sort_by_key(|(_, entry)| entry.serial);
        gone
    }

    /// The addresses that a device no longer answers for (`pneigh_ifdown_and_unlock`).
    pub fn remove_proxies(&mut self, ifindex: u32) -> Vec<IpAddr> {
        let gone: Vec<_> =
            self.proxies.range((ifindex, IpAddr::from([0; 4]))..).map(|(key, _)| *key).collect();
        gone.into_iter()
            .take_while(|(of, _)| *of == ifindex)
            .map(|key| {
                self.proxies.remove(&key);
                key.1
            })
            .collect()
    }
}
