//! Where MACs are behind a vxlan device (`struct vxlan_fdb`, `struct vxlan_rdst`).

use std::net::IpAddr;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::dev::macvlan::bucket;
use crate::mac::Mac;
use crate::neigh::nud;
use crate::time::Time;

/// Entries that a device keeps where it is not told another limit.
const ENTRIES_MAX: usize = 1 << 16;
/// Remotes that an entry may have.
const REMOTES_MAX: usize = 1024;

/// A tunnel's other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Unspecified: nowhere.
    pub ip: IpAddr,
    pub port: u16,
    pub vni: u32,
    /// Out of this device only; 0: any.
    pub ifindex: u32,
}

/// A MAC, in a network: 0 for a device of one network.
pub type Key = (Mac, u32);

/// Where a MAC is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `NUD_*`
    pub state: u16,
    /// `NTF_*`
    pub flags: u8,
    pub added_by_user: bool,
    /// At least one; more than one for the MAC zero and for groups only.
    pub remotes: Vec<Remote>,
    pub updated: Time,
    pub used: Time,
    /// Orders entries of one hash bucket: the newest comes first.
    serial: u64,
}

impl Entry {
    /// Neither learned anew elsewhere nor forgotten.
    pub fn is_fixed(&self) -> bool {
        self.state & (nud::PERMANENT | nud::NOARP) != 0
    }

    fn ages(&self) -> bool {
        !self.is_fixed() && self.flags & crate::neigh::EXT_LEARNED == 0
    }
}

/// Why an entry cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no room.
    Full,
}

/// The forwarding database.
#[derive(Clone, Debug, Default)]
pub struct Fdb {
    entries: FxHashMap<Key, Entry>,
    serial: u64,
}

impl Fdb {
    pub fn get(&self, key: Key) -> Option<&Entry> {
        self.entries.get(&key)
    }

    pub fn get_mut(&mut self, key: Key) -> Option<&mut Entry> {
        self.entries.get_mut(&key)
    }

    /// `vxlan_find_mac`: finding it is using it.
    #[inline]
    pub fn find(&mut self, key: Key, now: Time) -> Option<&mut Entry> {
        let entry = self.entries.get_mut(&key)?;
        entry.used = now;
        Some(entry)
    }

    /// `vxlan_fdb_create`. `limit` 0 is none but the own.
    ///
    /// # Errors
    /// [`Refused::Full`]
    pub fn create(
        &mut self,
        key: Key,
        remote: Remote,
        state: u16,
        flags: u8,
        now: Time,
        limit: u32,
    ) -> Result<&mut Entry, Refused> {
        let limit = if limit == 0 { ENTRIES_MAX } else { ENTRIES_MAX.min(limit as usize) };
        if self.entries.len() >= limit {
            return Err(Refused::Full);
        }
        self.serial += 1;
        let entry = Entry {
            state,
            flags,
            added_by_user: false,
            remotes: vec![remote],
            updated: now,
            used: now,
            serial: self.serial,
        };
        Ok(self.entries.entry(key).insert_entry(entry).into_mut())
    }

    pub fn remove(&mut self, key: Key) -> Option<Entry> {
        self.entries.remove(&key)
    }

    /// All entries in the order in which Linux lists them.
    pub fn dump(&self) -> Vec<(Key, &Entry)> {
        let mut all: Vec<_> = self.entries.iter().map(|(key, entry)| (*key, entry)).collect();
        // With networks that is chance (`eth_vni_hash`).
        all.sort_by_key(|(key, entry)| (key.1, bucket(key.0), std::cmp::Reverse(entry.serial)));
        all
    }

    /// Whether anything here is forgotten with time.
    pub fn ages(&self) -> bool {
        self.entries.values().any(Entry::ages)
    }

    /// `vxlan_cleanup`: what has not been used for `ageing`. Also when the next entry will be due.
    pub fn expire(&mut self, now: Time, ageing: Duration) -> (Vec<(Key, Entry)>, Option<Time>) {
        let over = |entry: &Entry| entry.ages() && entry.used + ageing <= now;
        let gone = self.take(|_, entry| over(entry));
        let next = self.entries.values().filter(|entry| entry.ages()).map(|entry| entry.used + ageing).min();
        (gone, next)
    }

    /// Takes out what `select` picks, in the order of a listing.
    pub fn take(&mut self, select: impl Fn(Key, &Entry) -> bool) -> Vec<(Key, Entry)> {
        let picked: Vec<Key> =
            self.dump().into_iter().filter(|(key, entry)| select(*key, entry)).map(|(key, _)| key).collect();
        picked.into_iter().filter_map(|key| self.entries.remove(&key).map(|entry| (key, entry))).collect()
    }
}

impl Entry {
    /// `vxlan_fdb_append`: one more remote. False if it was there.
    ///
    /// # Errors
    /// [`Refused::Full`]
    pub fn append(&mut self, remote: Remote) -> Result<bool, Refused> {
        if self.remotes.contains(&remote) {
            return Ok(false);
        }
        if self.remotes.len() >= REMOTES_MAX {
            return Err(Refused::Full);
        }
        self.remotes.push(remote);
        Ok(true)
    }

    /// `vxlan_fdb_replace`: the only remote is now this one. False if it was.
    pub fn replace(&mut self, remote: Remote) -> bool {
        if self.remotes.contains(&remote) {
            return false;
        }
        if let Some(first) = self.remotes.first_mut() {
            *first = remote;
        }
        true
    }
}
