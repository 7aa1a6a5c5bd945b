//! How elements are kept: by a key of numbers, so that finding one for a packet allocates nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use hairpin_netlink::Errno;
use hairpin_netlink::netfilter::Family;
use hairpin_netlink::netfilter::ipset::{Dimension, Part, SetOptions, SetType, Storage, error, masked};
use rustc_hash::FxHashMap;

use crate::time::Time;

/// Places of an element.
const PLACES: usize = 3;
/// Addresses that a bitmap may span (`BITMAP_MAX_RANGE`).
const BITMAP_MAX: u128 = 1 << 16;

/// One place of an element as a number, with what else tells places apart: the length of a network's prefix, whether
/// an interface is a bridge's port.
pub(super) type Cell = (u128, u8);
/// An element's places; those that it has not are zero.
pub(super) type Key = [Cell; PLACES];

/// What is kept of an element beside its key.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    pub nomatch: bool,
    /// `None`: never.
    pub expires: Option<Time>,
    pub counters: (u64, u64),
    pub comment: Option<String>,
    /// The order of additions.
    pub number: u64,
}

impl Kept {
    pub fn has_expired(&self, now: Time) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }

    /// Seconds that are left, at least one; 0 is for ever (`ip_set_timeout_get`).
    pub fn timeout_s(&self, now: Time) -> u32 {
        self.expires.map_or(0, |at| u32::try_from(at.since(now).as_secs()).unwrap_or(u32::MAX).max(1))
    }
}

pub(super) fn expiry(timeout_s: Option<u32>, now: Time) -> Option<Time> {
    timeout_s.filter(|seconds| *seconds > 0).map(|seconds| now + Duration::from_secs(u64::from(seconds)))
}

/// The elements of a set.
#[derive(Clone, Debug)]
pub(super) struct Keep {
    dimensions: &'static [Dimension],
    storage: Storage,
    family: Family,
    netmask: Option<u8>,
    mark_mask: u32,
    /// Of a bitmap: its first and last value.
    range: Option<(u128, u128)>,
    elements_max: usize,
    force_add: bool,
    known: FxHashMap<Key, Kept>,
    /// The lengths of prefixes that there are at each place that has networks, longest first, with how many.
    prefixes: [Vec<(u8, u32)>; PLACES],
    numbers: u64,
}

impl Keep {
    pub fn new(kind: &'static SetType, options: &SetOptions) -> Result<Keep, Errno> {
        let mut keep = Keep {
            dimensions: kind.dimensions,
            storage: kind.storage,
            family: options.family,
            netmask: options.netmask,
            mark_mask: options.mark_mask.unwrap_or(u32::MAX),
            range: None,
            elements_max: options.elements_max as usize,
            force_add: options.force_add,
            known: FxHashMap::default(),
            prefixes: Default::default(),
            numbers: 0,
        };
        if kind.storage == Storage::Bitmap {
            let (first, last) = options.range.as_ref().ok_or(Errno(4097))?;
            let (first, last) = (number(first).0, number(last).0);
            if last < first || last - first >= BITMAP_MAX {
                return Err(Errno(4353));
            }
            keep.range = Some((first, last));
        }
        Ok(keep)
    }

    /// The key of an element that a program names.
    pub fn key(&self, parts: &[Part]) -> Result<Key, Errno> {
        let mut key = Key::default();
        if parts.len() > self.dimensions.len() || parts.is_empty() {
            return Err(Errno::EINVAL);
        }
        for ((cell, part), dimension) in key.iter_mut().zip(parts).zip(self.dimensions) {
            *cell = self.cell(*dimension, part).ok_or(Errno::EINVAL)?;
        }
        match self.range {
            Some((first, last)) if !(first..=last).contains(&key[0].0) => Err(error::BITMAP_RANGE),
            _ => Ok(key),
        }
    }

    fn cell(&self, dimension: Dimension, part: &Part) -> Option<Cell> {
        let is_right = match (dimension, part) {
            (Dimension::Ip, Part::Ip(address))
            | (Dimension::Net, Part::Net(address, _) | Part::Ip(address)) => {
                address.is_ipv4() == (self.family == Family::Ipv4)
            }
            (Dimension::Port, Part::Port(..))
            | (Dimension::Mac, Part::Mac(_))
            | (Dimension::Interface, Part::Interface { .. })
            | (Dimension::Mark, Part::Mark(_)) => true,
            _ => false,
        };
        let whole = if self.family == Family::Ipv4 { 32 } else { 128 };
        Some(match part {
            _ if !is_right => return None,
            Part::Ip(address) if dimension == Dimension::Net => number(&Part::Net(*address, whole)),
            Part::Ip(address) => number(&Part::Ip(masked(*address, self.netmask.unwrap_or(whole)))),
            Part::Mark(mark) => number(&Part::Mark(mark & self.mark_mask)),
            other => number(other),
        })
    }

    pub fn clear(&mut self) {
        self.known.clear();
        self.prefixes = Default::default();
    }

    /// `mtype_add`: an element that is there is refused, or made anew with `exist`.
    pub fn insert(&mut self, key: Key, mut kept: Kept, exist: bool, now: Time) -> Result<(), Errno> {
        let known = self.known.get(&key).filter(|known| !known.has_expired(now));
        if let Some(known) = known {
            if !exist {
                return Err(error::EXIST);
            }
            kept.number = known.number;
            self.known.insert(key, kept);
            return Ok(());
        }
        if self.known.len() >= self.elements_max && self.storage == Storage::Hash {
            let dead: Vec<Key> =
                self.known.iter().filter(|(_, kept)| kept.has_expired(now)).map(|(key, _)| *key).collect();
            for key in &dead {
                self.remove(key, now);
            }
            if self.known.len() >= self.elements_max {
                let Some(other) = self.known.keys().next().copied().filter(|_| self.force_add) else {
                    return Err(error::HASH_FULL);
                };
                self.remove(&other, now);
            }
        }
        self.numbers += 1;
        kept.number = self.numbers;
        if self.known.insert(key, kept).is_none() {
            self.count_prefixes(&key, true);
        }
        Ok(())
    }

    pub fn remove(&mut self, key: &Key, now: Time) -> bool {
        let Some(gone) = self.known.remove(key) else { return false };
        self.count_prefixes(key, false);
        !gone.has_expired(now)
    }

    fn count_prefixes(&mut self, key: &Key, more: bool) {
        let places = self.prefixes.iter_mut().zip(key).zip(self.dimensions);
        for ((prefixes, (_, prefix)), _) in places.filter(|(_, dimension)| **dimension == Dimension::Net) {
            match prefixes.binary_search_by(|(known, _)| prefix.cmp(known)) {
                Ok(at) => {
                    let count = &mut prefixes[at].1;
                    *count = if more { count.saturating_add(1) } else { count.saturating_sub(1) };
                    if *count == 0 {
                        prefixes.remove(at);
                    }
                }
                Err(at) if more => prefixes.insert(at, (*prefix, 1)),
                Err(_) => {}
            }
        }
    }

    /// What covers an element whose networks are whole addresses, the longest prefix first (`mtype_test_cidrs`).
    fn covering(&self, key: &Key, now: Time) -> Option<Key> {
        let is_net = |place: usize| self.dimensions.get(place) == Some(&Dimension::Net);
        let nets = [is_net(0), is_net(1), is_net(2)];
        let alive = |key: &Key| self.known.get(key).is_some_and(|kept| !kept.has_expired(now));
        if nets == [false; PLACES] {
            return alive(key).then_some(*key);
        }
        let bits = if self.family == Family::Ipv4 { 32 } else { 128 };
        let under = |(value, _): Cell, prefix: u8| (cut(value, prefix, bits), prefix);
        const NONE: &[(u8, u32)] = &[(0, 0)];
        let of = |place: usize| if nets[place] { self.prefixes[place].as_slice() } else { NONE };
        for (first, _) in of(0) {
            for (second, _) in of(1) {
                for (third, _) in of(2) {
                    let mut wanted = *key;
                    for (place, prefix) in [first, second, third].into_iter().enumerate() {
                        if nets[place] {
                            wanted[place] = under(key[place], *prefix);
                        }
                    }
                    if alive(&wanted) {
                        return Some(wanted);
                    }
                }
            }
        }
        None
    }

    /// The element that a packet's key meets.
    pub fn find(&mut self, key: &Key, now: Time) -> Option<&mut Kept> {
        let found = self.covering(key, now)?;
        self.known.get_mut(&found)
    }

    /// Whether an element is there, and if so whether it is one of those that do not match.
    pub fn test(&self, key: &Key, parts: &[Part], now: Time) -> Option<bool> {
        let whole = if self.family == Family::Ipv4 { 32 } else { 128 };
        let single = parts.iter().all(|part| !matches!(part, Part::Net(_, prefix) if *prefix != whole));
        let found = if single { self.covering(key, now)? } else { *key };
        self.known.get(&found).filter(|kept| !kept.has_expired(now)).map(|kept| kept.nomatch)
    }

    /// The key of a packet: what a dimension's cell is, whole addresses in the place of networks.
    pub fn packet_cell(&self, dimension: Dimension, part: &Part) -> Option<Cell> {
        self.cell(dimension, part)
    }

    pub fn is_ipv4(&self) -> bool {
        self.family == Family::Ipv4
    }

    /// The longest prefix of the networks at a place.
    pub fn longest_prefix(&self, place: usize) -> Option<u8> {
        self.prefixes.get(place)?.first().map(|(prefix, _)| *prefix)
    }

    /// A network's cell with another prefix.
    pub fn cut_to(&self, (value, _): Cell, prefix: u8) -> Cell {
        (cut(value, prefix, if self.is_ipv4() { 32 } else { 128 }), prefix)
    }

    pub fn dimensions(&self) -> &'static [Dimension] {
        self.dimensions
    }

    pub fn in_range(&self, key: &Key) -> bool {
        self.range.is_none_or(|(first, last)| (first..=last).contains(&key[0].0))
    }

    /// What there is: a bitmap in the order of numbers, others in that of additions.
    pub fn all(&self, now: Time) -> Vec<(Vec<Part>, &Kept)> {
        let mut alive: Vec<(&Key, &Kept)> =
            self.known.iter().filter(|(_, kept)| !kept.has_expired(now)).collect();
        match self.storage {
            Storage::Bitmap => alive.sort_by_key(|(key, _)| key[0].0),
            _ => alive.sort_by_key(|(_, kept)| kept.number),
        }
        let parts = |key: &Key| {
            let places = key.iter().zip(self.dimensions);
            places.filter_map(|(cell, dimension)| self.part(*dimension, *cell)).collect()
        };
        alive.into_iter().map(|(key, kept)| (parts(key), kept)).collect()
    }

    fn part(&self, dimension: Dimension, (value, more): Cell) -> Option<Part> {
        let address = || -> IpAddr {
            match self.family {
                Family::Ipv4 => Ipv4Addr::from(value as u32).into(),
                Family::Ipv6 => Ipv6Addr::from(value).into(),
            }
        };
        Some(match dimension {
            Dimension::Ip => Part::Ip(address()),
            Dimension::Net => Part::Net(address(), more),
            Dimension::Port => Part::Port((value >> 16) as u8, value as u16),
            Dimension::Mac => {
                // Without an address an element of bitmap:ip,mac waits for one.
                if value == 0 && self.storage == Storage::Bitmap {
                    return None;
                }
                let mut mac = [0; 6];
                mac.copy_from_slice(&value.to_be_bytes()[10..]);
                Part::Mac(mac)
            }
            Dimension::Interface => {
                let bytes = value.to_be_bytes();
                let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
                let name = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
                Part::Interface { name, physical: more != 0 }
            }
            Dimension::Mark => Part::Mark(value as u32),
            Dimension::Set => return None,
        })
    }

    pub fn memory(&self, options: &SetOptions, more: u64, now: Time) -> u64 {
        let count = self.known.values().filter(|kept| !kept.has_expired(now)).count() as u64;
        if let Some((first, last)) = self.range {
            let span = (last - first + 1) as u64;
            return 72
                + span.div_ceil(64) * 8
                + 16 * u64::from(self.dimensions[0] == Dimension::Ip)
                + span * more;
        }
        let address = if options.family == Family::Ipv4 { 4 } else { 16 };
        let size: u64 = self
            .dimensions
            .iter()
            .map(|dimension| match dimension {
                Dimension::Ip => address,
                Dimension::Net => address + 1,
                Dimension::Port | Dimension::Mark => 4,
                Dimension::Mac => 8,
                Dimension::Interface => 39,
                Dimension::Set => 0,
            })
            .sum();
        // A prefix stands in what a port leaves of its word (`struct hash_netport4_elem`, `hash_ipportnet4_elem`).
        let prefixes = self.dimensions.iter().filter(|dimension| **dimension == Dimension::Net).count();
        let shared = prefixes == 1 && self.dimensions.contains(&Dimension::Port);
        let size = size - u64::from(shared);
        let element = if more > 0 { (size + more).next_multiple_of(8) } else { size.next_multiple_of(4) };
        let nets = self.dimensions.contains(&Dimension::Net);
        let base = 192 + 256 * u64::from(nets) + 8 * u64::from(options.family == Family::Ipv6);
        // `struct ip_set_comment_rcu` with the text behind it
        let comments = self.known.values().filter(|kept| !kept.has_expired(now));
        let comments = comments.filter_map(|kept| kept.comment.as_ref().map(|text| text.len() as u64 + 17));
        base + count * (32 + 2 * element) + comments.sum::<u64>()
    }
}

/// A value without what is behind its first `prefix` of `bits` bits.
fn cut(value: u128, prefix: u8, bits: u8) -> u128 {
    let rest = u32::from(bits.saturating_sub(prefix));
    if rest >= 128 { 0 } else { value >> rest << rest }
}

/// A part as a number.
fn number(part: &Part) -> Cell {
    let address = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    };
    match part {
        Part::Ip(found) => (address(*found), 0),
        Part::Net(found, prefix) => (address(masked(*found, *prefix)), *prefix),
        Part::Port(protocol, port) => (u128::from(*protocol) << 16 | u128::from(*port), 0),
        Part::Mac(mac) => (mac.iter().fold(0, |value, byte| value << 8 | u128::from(*byte)), 0),
        Part::Interface { name, physical } => (named(name), u8::from(*physical)),
        Part::Mark(mark) => (u128::from(*mark), 0),
        Part::Set(_) => (0, 0),
    }
}

/// The name of an interface as a number.
pub(super) fn named(name: &str) -> u128 {
    let mut bytes = [0u8; 16];
    for (place, byte) in bytes.iter_mut().zip(name.bytes()) {
        *place = byte;
    }
    u128::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(kind: &str) -> Keep {
        Keep::new(SetType::by_name(kind).expect("a type"), &SetOptions::default()).expect("a set")
    }

    fn net(text: &str, prefix: u8) -> Part {
        Part::Net(text.parse().expect("an address"), prefix)
    }

    #[test]
    fn the_longest_prefix_decides() {
        let mut set = keep("hash:net");
        let nomatch = Kept { nomatch: true, ..Kept::default() };
        for (part, kept) in [(net("10.0.0.0", 8), Kept::default()), (net("10.1.0.0", 16), nomatch)] {
            let key = set.key(&[part]).expect("a key");
            set.insert(key, kept, false, Time::ZERO).expect("room");
        }
        for (text, expected) in [("10.2.1.1", Some(false)), ("10.1.1.1", Some(true)), ("11.0.0.1", None)] {
            let key = set.key(&[Part::Ip(text.parse().expect("an address"))]).expect("a key");
            assert_eq!(set.find(&key, Time::ZERO).map(|kept| kept.nomatch), expected, "{text}");
        }
    }

    #[test]
    fn prefixes_are_forgotten_with_their_last_element() {
        let mut set = keep("hash:net,net");
        let key = set.key(&[net("10.0.0.0", 8), net("11.0.0.0", 24)]).expect("a key");
        set.insert(key, Kept::default(), false, Time::ZERO).expect("room");
        assert_eq!(set.prefixes[1], [(24, 1)]);
        assert!(set.remove(&key, Time::ZERO));
        assert!(set.prefixes[1].is_empty());
    }

    #[test]
    fn what_has_expired_is_not_there() {
        let mut set = keep("hash:ip");
        let key = set.key(&[Part::Ip("10.0.0.1".parse().expect("an address"))]).expect("a key");
        let kept = Kept { expires: expiry(Some(3), Time::ZERO), ..Kept::default() };
        set.insert(key, kept, false, Time::ZERO).expect("room");
        let later = Time::ZERO + Duration::from_secs(3);
        assert!(set.find(&key, Time::ZERO).is_some() && set.find(&key, later).is_none());
        assert!(set.insert(key, Kept::default(), false, later).is_ok());
    }
}
