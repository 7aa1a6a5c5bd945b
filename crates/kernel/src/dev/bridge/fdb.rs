//! The forwarding database of a bridge (net/bridge/br_fdb.c).

use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::device::DevId;
use crate::mac::Mac;
use crate::time::Time;

/// One entry. `port` is none for an address of the bridge device itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub port: Option<DevId>,
    /// An own address: frames for it are delivered to the bridge device, never forwarded.
    pub local: bool,
    /// Does not age.
    pub fixed: bool,
    /// Does not move to another port.
    pub sticky: bool,
    pub added_by_user: bool,
    pub extern_learn: bool,
    /// When a frame with this source was last seen.
    pub updated: Time,
    /// When a frame for this destination was last forwarded.
    pub used: Time,
    /// Order of creation; dumps list the newest first.
    pub serial: u64,
}

impl Entry {
    /// What a frame that has come by a port tells.
    pub fn new(port: Option<DevId>, now: Time) -> Entry {
        Entry {
            port,
            local: false,
            fixed: false,
            sticky: false,
            added_by_user: false,
            extern_learn: false,
            updated: now,
            used: now,
            serial: 0,
        }
    }
}

/// An entry's key: address and VLAN (0 without VLAN filtering).
pub type Key = (Mac, u16);

/// What an update of the table was, for notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    /// A new entry, or an old one on another port.
    Changed,
    /// Only its time was renewed, or it may not be learned.
    Unchanged,
    /// The frame's source is an own address of the bridge.
    OwnAddress,
}

/// The table.
#[derive(Clone, Debug, Default)]
pub struct Fdb {
    entries: FxHashMap<Key, Entry>,
    serial: u64,
    /// Own addresses that were added and not told of yet.
    news: Vec<Key>,
}

/// Most entries a table may learn (`fdb_max_learned` is unlimited in Linux 6.1; this is our bound).
const LEARNED_MAX: usize = 1 << 20;

impl Fdb {
    pub fn get(&self, mac: Mac, vlan: u16) -> Option<&Entry> {
        self.entries.get(&(mac, vlan))
    }

    pub fn get_mut(&mut self, mac: Mac, vlan: u16) -> Option<&mut Entry> {
        self.entries.get_mut(&(mac, vlan))
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Entries, newest first.
    pub fn dump(&self) -> Vec<(Key, Entry)> {
        let mut all: Vec<_> = self.entries.iter().map(|(key, entry)| (*key, *entry)).collect();
        all.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.serial));
        all
    }

    /// The keys of the entries that do not age, newest first.
    pub fn fixed(&self) -> Vec<Key> {
        let mut all: Vec<_> = self.entries.iter().filter(|(_, entry)| entry.fixed).collect();
        all.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.serial));
        all.into_iter().map(|(key, _)| *key).collect()
    }

    pub fn insert(&mut self, mac: Mac, vlan: u16, mut entry: Entry) {
        self.serial += 1;
        entry.serial = self.serial;
        self.entries.insert((mac, vlan), entry);
    }

    pub fn remove(&mut self, mac: Mac, vlan: u16) -> Option<Entry> {
        self.entries.remove(&(mac, vlan))
    }

    /// `fdb_add_local`: an own address of a port or of the bridge. The first owner keeps it.
    pub fn add_local(&mut self, mac: Mac, vlan: u16, port: Option<DevId>, now: Time) {
        if !mac.is_valid_source() || self.get(mac, vlan).is_some_and(|entry| entry.local) {
            return;
        }
        let entry = Entry { local: true, fixed: true, ..Entry::new(port, now) };
        self.insert(mac, vlan, entry);
        self.news.push((mac, vlan));
    }

    /// The own addresses that were added since this was asked last, for notifications.
    pub fn take_news(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.news)
    }

    /// `br_fdb_update`: learns that `mac` is behind `port`.
    #[inline]
    pub fn learn(&mut self, mac: Mac, vlan: u16, port: DevId, now: Time) -> Learned {
        if let Some(entry) = self.entries.get_mut(&(mac, vlan)) {
            if entry.local {
                return Learned::OwnAddress;
            }
            entry.updated = now;
            if entry.port != Some(port) && !entry.sticky {
                entry.port = Some(port);
                return Learned::Changed;
            }
            return Learned::Unchanged;
        }
        self.learn_anew(mac, vlan, port, now)
    }

    #[cold]
    fn learn_anew(&mut self, mac: Mac, vlan: u16, port: DevId, now: Time) -> Learned {
        if self.entries.len() >= LEARNED_MAX {
            return Learned::Unchanged;
        }
        self.insert(mac, vlan, Entry::new(Some(port), now));
        Learned::Changed
    }

    /// `br_fdb_cleanup`: removes what has not been seen for `ageing`; returns it, and when to look again.
    pub fn expire(&mut self, now: Time, ageing: Duration) -> (Vec<(Key, Entry)>, Option<Time>) {
        let mut gone = Vec::new();
        let mut next: Option<Time> = None;
        self.entries.retain(|key, entry| {
            if entry.local || entry.fixed || entry.extern_learn {
                return true;
            }
            let until = entry.updated + ageing;
            if until <= now {
                gone.push((*key, *entry));
                return false;
            }
            next = Some(next.map_or(until, |next| next.min(until)));
            true
        });
        gone.sort_by_key(|(_, entry)| entry.serial);
        (gone, next)
    }

    /// Removes the entries that `chosen` picks; returns them in the order of creation.
    pub fn flush(&mut self, chosen: impl Fn(&Key, &Entry) -> bool) -> Vec<(Key, Entry)> {
        let mut gone = Vec::new();
        self.entries.retain(|key, entry| {
            let go = chosen(key, entry);
            if go {
                gone.push((*key, *entry));
            }
            !go
        });
        gone.sort_by_key(|(_, entry)| entry.serial);
        gone
    }
}
