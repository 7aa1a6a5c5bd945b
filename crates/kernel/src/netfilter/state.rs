//! What matches remember: in a rule ([`State`]), and in lists that rules share by name ([`Stores`]).

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use hairpin_netlink::Errno;
use hairpin_netlink::netfilter::counting::{
    ConnLimit, HashLimit, Recent, RecentAction, Statistic, hash_mode,
};
use hairpin_netlink::netfilter::ipset::masked;
use hairpin_netlink::netfilter::matches::Limit;
use hairpin_netlink::netfilter::{Family, Match};
use rustc_hash::FxHashMap;

use super::conntrack::Conntrack;
use super::conntrack::tuple::Tuple;
use super::nat::Random;
use crate::time::{Time, in_ticks, ticks_a_second};

/// Parts of a second that an interval is counted in (`XT_LIMIT_SCALE`).
const LIMIT_SCALE: u32 = 10_000;
/// Addresses that one list of `-m recent` has (`ip_list_tot`).
const RECENT_MAX: usize = 100;
/// Times remembered of an address where no rule asks for more.
const STAMPS: usize = 32;
/// Tuples that one address of `-m connlimit` has at most; more are not told apart.
const TUPLES_MAX: usize = 1 << 16;
/// So many are added to a list within a tick before it is looked through again (`CONNCOUNT_GC_MAX_COLLECT`): 8 in
/// 6.1.176, which is the point release that is followed, as Debian's User-Mode Linux is of it; 64 in 6.1.192.
const SWEPT_MAX: usize = 8;
/// Addresses that one `-m connlimit` counts for at most, and how many there are before the first search for those that
/// have no connections left.
const ADDRESSES_MAX: usize = 1 << 16;
const ADDRESSES_FEW: usize = 64;
/// Buckets that one table of `-m hashlimit` has where the rule does not say.
const BUCKETS_MAX: usize = 1 << 16;

/// What one match of a rule remembers.
#[derive(Clone, Debug)]
pub(super) enum State {
    Limit(Bucket),
    /// Packets since the last that matched.
    Nth(u32),
    /// Bytes that are left.
    Quota(u64),
    Connections(Counts),
}

impl State {
    /// At first. Every change of a table makes its matches anew (`xt_limit_mt_check` and its kin).
    pub fn of(found: &Match, now: Time) -> Option<State> {
        Some(match found {
            Match::Limit(limit) => State::Limit(Bucket::new(limit, now)),
            Match::Statistic(Statistic::Nth { every, packet, .. }) => {
                State::Nth(every.saturating_sub(1).saturating_sub(*packet))
            }
            Match::Quota { bytes, .. } => State::Quota(*bytes),
            Match::ConnLimit(_) => State::Connections(Counts::default()),
            _ => return None,
        })
    }

    /// `statistic_mt` in its mode nth: whether this is the packet.
    pub fn is_nth(&mut self, every: u32) -> bool {
        let State::Nth(count) = self else { return false };
        *count = if *count >= every.saturating_sub(1) { 0 } else { *count + 1 };
        *count == 0
    }

    /// `quota_mt`
    pub fn within_quota(&mut self, len: u64) -> bool {
        let State::Quota(left) = self else { return false };
        // Once a packet is too long even small ones are.
        let within = *left >= len;
        *left = if within { *left - len } else { 0 };
        within
    }
}

/// What `-m connlimit` has counted, by address (`struct nf_conncount_data`).
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    lists: FxHashMap<IpAddr, Counted>,
    /// The tick of the clock at which empty lists were last looked for, and how many lists were left then.
    pruned: (u64, usize),
}

impl Counts {
    /// Makes room for one more address; false where there is none. Lists without connections go now and then
    /// (`tree_nodes_free`); until then they remain, empty.
    fn makes_room(&mut self, conntrack: &Conntrack, now: Time) -> bool {
        let many = (2 * self.pruned.1).clamp(ADDRESSES_FEW, ADDRESSES_MAX);
        if self.lists.len() >= many && self.pruned.0 != tick(now) {
            self.lists.retain(|_, list| {
                list.sweep(conntrack, now);
                !list.tuples.is_empty()
            });
            self.pruned = (tick(now), self.lists.len());
        }
        self.lists.len() < ADDRESSES_MAX
    }
}

/// Tuples of connections that `-m connlimit` has counted for one address (`struct nf_conncount_list`).
#[derive(Clone, Debug)]
pub(super) struct Counted {
    tuples: Vec<Tuple>,
    /// The tick of the clock at which those that are over were last looked for, and how many there were then.
    swept: (u64, usize),
}

impl Counted {
    fn alive(tuple: &Tuple, conntrack: &Conntrack, now: Time) -> bool {
        conntrack.look_up(tuple, now).is_some_and(|found| !found.is_closed())
    }

    /// `nf_conncount_gc_list`
    fn sweep(&mut self, conntrack: &Conntrack, now: Time) {
        if self.swept.0 != tick(now) {
            self.tuples.retain(|tuple| Counted::alive(tuple, conntrack, now));
            self.swept = (tick(now), self.tuples.len());
        }
    }

    /// `__nf_conncount_add`
    fn add(&mut self, tuple: &Tuple, known: bool, conntrack: &Conntrack, now: Time) {
        let many = self.tuples.len().saturating_sub(self.swept.1) >= SWEPT_MAX;
        if known || self.swept.0 != tick(now) || many {
            let mut there = false;
            self.tuples.retain(|other| {
                let same = other == tuple && conntrack.look_up(other, now).is_some();
                there |= same;
                same || Counted::alive(other, conntrack, now)
            });
            if there {
                return;
            }
            self.swept = (tick(now), self.tuples.len());
        }
        if self.tuples.len() < TUPLES_MAX {
            self.tuples.push(*tuple);
        }
    }
}

impl State {
    /// `connlimit_mt`, `nf_conncount_count`: how many connections the packet's address has, with the packet's own. A
    /// packet of a connection that is known adds none; where none is left then, the packet is lost (0).
    pub fn connections(
        &mut self,
        limit: &ConnLimit,
        address: IpAddr,
        (tuple, known, by_loopback): (&Tuple, bool, bool),
        conntrack: &Conntrack,
        now: Time,
    ) -> u64 {
        let State::Connections(counts) = self else { return 0 };
        let address = masked(address, limit.prefix);
        let Some(list) = counts.lists.get_mut(&address) else {
            if !counts.makes_room(conntrack, now) {
                return 0;
            }
            counts.lists.insert(address, Counted { tuples: vec![*tuple], swept: (tick(now), 0) });
            return 1;
        };
        // What came by loopback is confirmed before its first packet arrives. This is 6.1.176; 6.1.192 passes over
        // packets of assured connections instead, whatever device they came by.
        if known && !by_loopback {
            list.sweep(conntrack, now);
        } else {
            list.add(tuple, known, conntrack, now);
        }
        list.tuples.len() as u64
    }
}

/// Ticks of the kernel's clock.
fn tick(now: Time) -> u64 {
    in_ticks(now.since(Time::ZERO))
}

/// `CREDITS_PER_JIFFY` of xt_limit.c, of xt_hashlimit.c too: the greatest power of two of which a day's ticks have 32 bits.
fn credits_a_tick() -> u64 {
    const DAY: u64 = 24 * 60 * 60;
    power_below(u64::from(u32::MAX) / (ticks_a_second() * DAY))
}

/// `CREDITS_PER_JIFFY_BYTES`: that of which a second's ticks have.
fn byte_credits_a_tick() -> u64 {
    power_below(u64::from(u32::MAX) / ticks_a_second())
}

/// What a second gives.
fn byte_credits() -> u64 {
    byte_credits_a_tick() * ticks_a_second()
}

/// `POW2_BELOW32`
fn power_below(number: u64) -> u64 {
    number.checked_ilog2().map_or(1, |bits| 1 << bits)
}

/// The state of `-m limit` (xt_limit.c): credit in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    credit_ns: u64,
    since: Time,
}

impl Bucket {
    fn new(limit: &Limit, now: Time) -> Bucket {
        Bucket { credit_ns: most(limit), since: now }
    }

    /// Takes the cost of one packet, if there is so much.
    pub fn take(&mut self, limit: &Limit, now: Time) -> bool {
        let cost = nanoseconds(credits(limit.interval));
        take(&mut self.credit_ns, &mut self.since, cost, most(limit), now)
    }
}

/// What sixteen bytes cost (`user2credits_byte`).
pub(super) fn byte_cost(interval: u64) -> u64 {
    interval.saturating_mul(byte_credits()) >> 32
}

/// Adds what has been earned and takes a cost, if there is so much.
fn take(credit_ns: &mut u64, since: &mut Time, cost: u64, most: u64, now: Time) -> bool {
    let earned = u64::try_from(now.since(*since).as_nanos()).unwrap_or(u64::MAX);
    *credit_ns = credit_ns.saturating_add(earned).min(most);
    *since = now;
    let allowed = *credit_ns >= cost;
    if allowed {
        *credit_ns -= cost;
    }
    allowed
}

/// `user2credits`, whose numbers have 32 bits.
fn credits(interval: u32) -> u32 {
    let a_second = u32::try_from(ticks_a_second() * credits_a_tick()).unwrap_or(u32::MAX);
    match interval > u32::MAX / a_second {
        true => (interval / LIMIT_SCALE).wrapping_mul(a_second),
        false => interval.wrapping_mul(a_second) / LIMIT_SCALE,
    }
}

fn nanoseconds(credits: u32) -> u64 {
    u64::from(credits) * (1_000_000_000 / ticks_a_second()) / credits_a_tick()
}

fn most(limit: &Limit) -> u64 {
    nanoseconds(credits(limit.interval.wrapping_mul(limit.burst)))
}

/// `limit_mt_check`: a rate and burst that fit its numbers.
pub(super) fn limit_fits(limit: &Limit) -> bool {
    limit.burst != 0 && credits(limit.interval.wrapping_mul(limit.burst)) >= credits(limit.interval)
}

/// Lists and tables by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Stores {
    recent: FxHashMap<String, Addresses>,
    buckets: FxHashMap<(String, Family), Buckets>,
}

/// A list of `-m recent` (`struct recent_table`).
#[derive(Clone, Debug)]
struct Addresses {
    stamps_max: usize,
    /// The least recent first.
    entries: Vec<Seen>,
}

#[derive(Clone, Debug)]
struct Seen {
    address: IpAddr,
    ttl: u8,
    stamps: VecDeque<Time>,
}

/// A table of `-m hashlimit` (`struct xt_hashlimit_htable`): by addresses and ports.
#[derive(Clone, Debug, Default)]
struct Buckets {
    by_key: FxHashMap<(IpAddr, u16, IpAddr, u16), Bucketful>,
    swept: Time,
}

/// What one address or port has left (`struct dsthash_ent`).
#[derive(Clone, Copy, Debug)]
struct Bucketful {
    /// Nanoseconds, or bytes' credits.
    credit: u64,
    since: Time,
    /// Of a rate in bytes: how often it is filled yet before its time.
    refills: u64,
}

impl Bucketful {
    /// `rateinfo_recalc` and `hashlimit_byte_cost`: whether `len` bytes are within the rate.
    fn take_bytes(&mut self, len: usize, cost: u64, now: Time) -> bool {
        let ticks = tick(now) - tick(self.since).min(tick(now));
        self.since = now;
        self.credit =
            self.credit.saturating_add(ticks.saturating_mul(byte_credits_a_tick())).min(byte_credits());
        let cost = ((len as u64 >> 4) + 1).saturating_mul(cost).min(byte_credits());
        if self.credit < cost && self.refills > 0 {
            self.refills -= 1;
            self.credit = byte_credits();
        }
        let allowed = self.credit >= cost;
        self.credit -= if allowed { cost } else { 0 };
        allowed
    }
}

impl Stores {
    /// What rules name is there; what none names any longer is forgotten.
    pub fn settle<'a>(&mut self, rules: impl Iterator<Item = (Family, &'a Match)>) {
        let mut old = std::mem::take(self);
        for (family, found) in rules {
            match found {
                Match::Recent(wanted) => {
                    let hits = (wanted.hits as usize).next_power_of_two();
                    let stamps_max = if wanted.hits == 0 { STAMPS } else { hits };
                    let list = self.recent.entry(wanted.name.clone()).or_insert_with(|| {
                        let new = Addresses { stamps_max, entries: Vec::new() };
                        old.recent.remove(&wanted.name).unwrap_or(new)
                    });
                    list.stamps_max = list.stamps_max.max(stamps_max);
                }
                Match::HashLimit(wanted) => {
                    let key = (wanted.name.clone(), family);
                    let known = old.buckets.remove(&key);
                    self.buckets.entry(key).or_insert_with(|| known.unwrap_or_default());
                }
                _ => {}
            }
        }
    }

    /// `recent_mt`
    pub fn is_recent(&mut self, wanted: &Recent, address: IpAddr, ttl: u8, now: Time) -> bool {
        let Some(list) = self.recent.get_mut(&wanted.name) else { return wanted.invert };
        let address = under(address, wanted.mask);
        let is = |seen: &Seen| seen.address == address && (!wanted.ttl || seen.ttl == ttl);
        let Some(at) = list.entries.iter().position(is) else {
            if wanted.action != RecentAction::Set {
                return wanted.invert;
            }
            if list.entries.len() >= RECENT_MAX {
                list.entries.remove(0);
            }
            list.entries.push(Seen { address, ttl, stamps: VecDeque::from([now]) });
            return !wanted.invert;
        };
        match wanted.action {
            RecentAction::Remove => {
                list.entries.remove(at);
                return !wanted.invert;
            }
            RecentAction::Set => {
                list.touch(at, ttl, now);
                return !wanted.invert;
            }
            RecentAction::Check | RecentAction::Update => {}
        }
        let window = Duration::from_secs(u64::from(wanted.seconds));
        let fresh = |stamp: &&Time| wanted.seconds == 0 || now.since(**stamp) <= window;
        let hits = list.entries[at].stamps.iter().filter(fresh).count();
        let holds = hits > 0 && hits >= wanted.hits as usize;
        let is = holds != wanted.invert;
        let mut forgotten = 0;
        if wanted.reap && wanted.action == RecentAction::Check {
            // `recent_entry_reap`: times too old go, and the address with the last of them.
            let stamps = &mut list.entries[at].stamps;
            let before = stamps.len();
            stamps.retain(|stamp| now.since(*stamp) <= window);
            forgotten = before - stamps.len();
            if stamps.is_empty() {
                list.entries.remove(at);
                return is;
            }
        }
        if wanted.action == RecentAction::Update && is && forgotten == 0 {
            list.touch(at, ttl, now);
        }
        is
    }

    /// Names of the lists of `-m recent`.
    pub fn recent_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.recent.keys().cloned().collect();
        names.sort();
        names
    }

    /// A list as `/proc/net/xt_recent/NAME` shows it (`recent_seq_show`); moments are ticks of the kernel's clock.
    pub fn recent_text(&self, name: &str) -> Option<String> {
        // `INITIAL_JIFFIES`: the clock starts five minutes before 32 bits of it are full.
        let ticks = |at: &Time| u64::from(u32::MAX) + 1 - 300 * ticks_a_second() + tick(*at);
        let list = self.recent.get(name)?;
        let mut text = String::new();
        for seen in &list.entries {
            let address = match seen.address {
                IpAddr::V4(address) => address.to_string(),
                IpAddr::V6(address) => address.segments().map(|part| format!("{part:04x}")).join(":"),
            };
            let last = seen.stamps.back().map_or(0, ticks);
            let next = seen.stamps.len() % list.stamps_max.max(1);
            let stamps: Vec<String> = seen.stamps.iter().map(|at| ticks(at).to_string()).collect();
            text += &format!(
                "src={address} ttl: {} last_seen: {last} oldest_pkt: {next} {}\n",
                seen.ttl,
                stamps.join(", ")
            );
        }
        Some(text)
    }

    /// What is written to that file: `+ADDRESS` and `-ADDRESS` add and remove one, `/` removes all
    /// (`recent_mt_proc_write`).
    ///
    /// # Errors
    /// `ENOENT` without that list, `EINVAL`.
    pub fn write_recent(&mut self, name: &str, text: &str, now: Time) -> Result<(), Errno> {
        let list = self.recent.get_mut(name).ok_or(Errno::ENOENT)?;
        let (adds, address) = match text.split_at_checked(1) {
            Some(("/", _)) => {
                list.entries.clear();
                return Ok(());
            }
            Some(("+", address)) => (true, address),
            Some(("-", address)) => (false, address),
            _ => return Err(Errno::EINVAL),
        };
        let address: IpAddr = address.trim_end().parse().map_err(|_| Errno::EINVAL)?;
        match (list.entries.iter().position(|seen| seen.address == address), adds) {
            (None, false) => {}
            (None, true) => {
                if list.entries.len() >= RECENT_MAX {
                    list.entries.remove(0);
                }
                list.entries.push(Seen { address, ttl: 0, stamps: VecDeque::from([now]) });
            }
            (Some(at), true) => {
                let ttl = list.entries.get(at).map_or(0, |seen| seen.ttl);
                list.touch(at, ttl, now);
            }
            (Some(at), false) => drop(list.entries.remove(at)),
        }
        Ok(())
    }

    /// `hashlimit_mt_common`: whether a packet is below the rate of its addresses and ports.
    pub fn is_below(
        &mut self,
        wanted: &HashLimit,
        (source, source_port): (IpAddr, u16),
        (destination, destination_port): (IpAddr, u16),
        len: usize,
        now: Time,
    ) -> bool {
        let (family, none) = match source {
            IpAddr::V4(_) => (Family::Ipv4, IpAddr::from([0u8; 4])),
            IpAddr::V6(_) => (Family::Ipv6, IpAddr::from([0u8; 16])),
        };
        let has = |bit: u8| wanted.mode & bit != 0;
        let key = (
            if has(hash_mode::SOURCE) { masked(source, wanted.source_prefix) } else { none },
            if has(hash_mode::SOURCE_PORT) { source_port } else { 0 },
            if has(hash_mode::DESTINATION) { masked(destination, wanted.destination_prefix) } else { none },
            if has(hash_mode::DESTINATION_PORT) { destination_port } else { 0 },
        );
        let Some(table) = self.buckets.get_mut(&(wanted.name.clone(), family)) else { return true };
        let expire = Duration::from_millis(u64::from(wanted.expire));
        if now.since(table.swept) >= Duration::from_millis(u64::from(wanted.gc_interval.max(1))) {
            table.swept = now;
            table.by_key.retain(|_, bucket| now.since(bucket.since) < expire);
        }
        let cost = wanted.interval.saturating_mul(1000);
        let most = cost.saturating_mul(wanted.burst);
        let full = if wanted.max == 0 { BUCKETS_MAX } else { wanted.max as usize };
        if table.by_key.len() >= full && !table.by_key.contains_key(&key) {
            return false;
        }
        let credit = if wanted.bytes { byte_credits() } else { most };
        let new = Bucketful { credit, since: now, refills: wanted.burst };
        let bucket = table.by_key.entry(key).or_insert(new);
        match wanted.bytes {
            true => bucket.take_bytes(len, byte_cost(wanted.interval), now),
            false => take(&mut bucket.credit, &mut bucket.since, cost, most, now),
        }
    }
}

impl Addresses {
    /// `recent_entry_update`
    fn touch(&mut self, at: usize, ttl: u8, now: Time) {
        let mut seen = self.entries.remove(at);
        if seen.stamps.len() >= self.stamps_max {
            seen.stamps.pop_front();
        }
        seen.stamps.push_back(now);
        seen.ttl = ttl;
        self.entries.push(seen);
    }
}

/// `statistic_mt` in its mode random.
pub(super) fn by_chance(probability: u32, random: &mut Random) -> bool {
    random.next() & 0x7fff_ffff < probability
}

fn under(address: IpAddr, mask: IpAddr) -> IpAddr {
    match (address, mask) {
        (IpAddr::V4(address), IpAddr::V4(mask)) => (address & mask).into(),
        (IpAddr::V6(address), IpAddr::V6(mask)) => (address & mask).into(),
        (address, _) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_lets_a_burst_pass_and_then_its_rate() {
        let limit = Limit { interval: 10_000, burst: 3 };
        let mut bucket = Bucket::new(&limit, Time::ZERO);
        let passed: Vec<u64> = (0..40).filter(|i| bucket.take(&limit, Time(i * 250_000_000))).collect();
        assert_eq!(passed[..6], [0, 1, 2, 4, 8, 12]);
    }

    #[test]
    fn every_third_packet_behind_one() {
        let wanted = Match::Statistic(Statistic::Nth { every: 3, packet: 1, invert: false });
        let mut state = State::of(&wanted, Time::ZERO).expect("it remembers");
        let hits: Vec<bool> = (0..7).map(|_| state.is_nth(3)).collect();
        assert_eq!(hits, [false, true, false, false, true, false, false]);
    }

    #[test]
    fn a_quota_ends_with_the_first_packet_too_long() {
        let mut state = State::Quota(100);
        assert!(state.within_quota(60));
        assert!(!state.within_quota(60));
        assert!(!state.within_quota(10));
    }

    #[test]
    fn addresses_whose_connections_are_over_are_forgotten() {
        let limit = ConnLimit { limit: 1, prefix: 32, up_to: false, destination: false };
        let conntrack = Conntrack::default();
        let mut state = State::Connections(Counts::default());
        for number in 0..10_000u32 {
            let source = IpAddr::from(number.to_be_bytes());
            let (source_port, destination_port, protocol) = (1, 2, 17);
            let tuple =
                Tuple { source, destination: source, protocol, source_port, destination_port, zones: [0, 0] };
            let now = Time(u64::from(number) * 20_000_000);
            assert_eq!(state.connections(&limit, source, (&tuple, false, false), &conntrack, now), 1);
            let State::Connections(counts) = &state else { panic!("it counts") };
            assert!(counts.lists.len() <= ADDRESSES_FEW);
        }
    }

    #[test]
    fn addresses_that_come_all_at_once_are_no_more_than_the_bound() {
        let limit = ConnLimit { limit: 1, prefix: 32, up_to: false, destination: false };
        let conntrack = Conntrack::default();
        let mut state = State::Connections(Counts::default());
        let mut count = |number: u32| {
            let source = IpAddr::from(number.to_be_bytes());
            let (source_port, destination_port, protocol) = (1, 2, 17);
            let tuple =
                Tuple { source, destination: source, protocol, source_port, destination_port, zones: [0, 0] };
            state.connections(&limit, source, (&tuple, false, false), &conntrack, Time::ZERO)
        };
        assert_eq!((0..ADDRESSES_MAX as u32).map(&mut count).sum::<u64>(), ADDRESSES_MAX as u64);
        assert_eq!((count(u32::MAX), count(0)), (0, 2));
    }

    #[test]
    fn rates_that_overflow_do_not_fit() {
        let a_day = 86_400 * LIMIT_SCALE;
        assert!(!limit_fits(&Limit { interval: a_day, burst: 5 }));
        assert!(limit_fits(&Limit { interval: a_day, burst: 1 }));
        assert!(!limit_fits(&Limit { interval: 1, burst: 0 }));
    }
}
