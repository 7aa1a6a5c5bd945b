//! Connection tracking (nf_conntrack_core.c): which connection a packet belongs to, and in what state that is.
//!
//! A packet that belongs to none makes a new one, which counts only once the packet has left or been delivered
//! ([`Conntrack::confirm`]). [`tuple`] is what identifies a connection's packets, [`handle`] what their protocols say
//! ([`tcp`] and [`window`] of TCP), [`icmp`] the errors that are related to a connection.

pub(super) mod handle;
mod icmp;
#[cfg(test)]
mod memory;
mod program;
mod segment;
pub mod settings;
mod tcp;
pub(crate) mod tuple;
mod window;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use hairpin_netlink::netfilter::Family;
use hairpin_netlink::netfilter::conntrack::{self as shown, Change, Event, Statistics, status};
use rustc_hash::FxHashMap;
use slotmap::{Key as _, SlotMap, new_key_type};

use super::packet::{Ip, protocol};
use crate::time::Time;
use handle::{Arrival, Handled};
use segment::Segment;
use settings::Settings;
use tcp::Tcp;
use tuple::{Key, Tuple};

new_key_type! {
    /// A connection.
    pub struct CtId;
}

/// The directions of a connection, as indices of its tuples.
pub(crate) const ORIGINAL: u8 = 0;
pub(crate) const REPLY: u8 = 1;

/// Packets that may be between their first hook and their last at once: a new connection whose packet is not
/// among them is forgotten.
const PENDING_MAX: usize = 64;
/// No second run of the collector sooner than this.
const GC_PAUSE: Duration = Duration::from_secs(1);
/// Entries that the collector looks at in a second of virtual time.
const GC_RATE: usize = 100_000;
/// Seconds after which a UDP flow with answers counts as a stream.
const UDP_STREAM: Duration = Duration::from_secs(2);

/// How a packet relates to its connection (`enum ip_conntrack_info`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Info {
    /// Not looked at, or of no connection (`INVALID`).
    #[default]
    None,
    Untracked,
    /// About a packet that is not tracked: of no connection either (`INVALID`), and no rule takes it out of tracking.
    Attached,
    New,
    Related,
    Established,
    RelatedReply,
    EstablishedReply,
}

/// What a packet knows of its connection (`skb->_nfct`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Track {
    pub id: CtId,
    pub info: Info,
    /// The zone that it is looked for in, in the original direction and as a reply (`struct nf_conntrack_zone` of a
    /// template).
    pub zones: [u16; 2],
}

impl Track {
    pub fn is_tracked(&self) -> bool {
        !self.id.is_null()
    }

    pub fn direction(&self) -> u8 {
        match self.info {
            Info::RelatedReply | Info::EstablishedReply => REPLY,
            _ => ORIGINAL,
        }
    }

    /// What an ICMP error about this packet belongs to (`nf_conntrack_attach`).
    pub fn of_error(self) -> Track {
        match self.is_tracked() {
            true if self.direction() == ORIGINAL => Track { info: Info::RelatedReply, ..self },
            true => Track { info: Info::Related, ..self },
            // `nf_ct_attach` takes it for a packet of a connection.
            false if self.info == Info::Untracked => Track { info: Info::Attached, ..Track::default() },
            false => Track::default(),
        }
    }
}

/// A connection (`struct nf_conn`).
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// By direction.
    pub tuples: [Tuple; 2],
    /// Bits of [`status`].
    pub status: u32,
    pub mark: u32,
    /// The device whose address it took by MASQUERADE; 0: none.
    pub masquerade: u32,
    /// When it is forgotten; while it is not confirmed, for how long it will be remembered.
    expires: Time,
    /// UDP: from when on it counts as a stream.
    stream_at: Time,
    tcp: Tcp,
    /// Packets and bytes by direction (`struct nf_conn_acct`), where they were counted when it began.
    counters: Option<Box<[(u64, u64); 2]>>,
    /// The order of beginnings.
    number: u64,
}

impl Connection {
    pub fn has(&self, bits: u32) -> bool {
        self.status & bits != 0
    }

    /// Whether its packets find it: it is confirmed, and not over.
    pub fn is_known(&self) -> bool {
        self.has(status::CONFIRMED) && !self.has(status::DYING)
    }

    pub fn tuple(&self, direction: u8) -> &Tuple {
        &self.tuples[usize::from(direction & 1)]
    }

    /// How long it is remembered yet.
    pub fn lasts(&self, now: Time) -> Duration {
        self.expires.since(now)
    }

    /// Packets and bytes by direction, where they are counted.
    pub fn counters(&self) -> Option<[(u64, u64); 2]> {
        self.counters.as_deref().copied()
    }

    /// `nf_ct_acct_update`
    fn count(&mut self, direction: u8, len: usize) {
        if let Some(counters) = &mut self.counters
            && let Some((packets, bytes)) = counters.get_mut(usize::from(direction))
        {
            *packets += 1;
            *bytes += len as u64;
        }
    }

    /// TCP's are over (`already_closed`).
    pub fn is_closed(&self) -> bool {
        self.tuples[0].protocol == protocol::TCP
            && matches!(self.tcp.state, shown::TcpState::TimeWait | shown::TcpState::Close)
    }

    pub fn family(&self) -> Family {
        match self.tuples[0].source {
            IpAddr::V4(_) => Family::Ipv4,
            IpAddr::V6(_) => Family::Ipv6,
        }
    }
}

/// What connection tracking decides on a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Accept,
    /// The table is full.
    Drop,
}

/// The connections of a namespace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conntrack {
    connections: SlotMap<CtId, Connection>,
    table: FxHashMap<Key, (CtId, u8)>,
    /// Connections whose source was changed, by their true source (`nf_nat_bysource`).
    by_source: FxHashMap<(IpAddr, u16, u8), Vec<CtId>>,
    /// Not confirmed, oldest first.
    pending: VecDeque<CtId>,
    pub statistics: Statistics,
    numbers: u64,
    confirmed: u32,
    /// When the collector runs next.
    pub gc_at: Option<Time>,
    /// Somebody listens to changes.
    pub listened: bool,
    pub changes: Vec<Event>,
}

impl Conntrack {
    pub fn get(&self, track: Track) -> Option<&Connection> {
        self.connections.get(track.id)
    }

    pub fn get_mut(&mut self, track: Track) -> Option<&mut Connection> {
        self.connections.get_mut(track.id)
    }

    /// Confirmed connections.
    pub fn len(&self) -> u32 {
        self.confirmed
    }

    /// `nf_conntrack_in`: finds or makes the connection of a packet.
    pub fn receive(
        &mut self,
        ip: &Ip,
        packet: &[u8],
        arrived: bool,
        track: &mut Track,
        settings: &Settings,
        now: Time,
    ) -> Decision {
        // Seen on the way out (what came back by loopback), or not to be tracked.
        if track.info == Info::Untracked || track.is_tracked() {
            return Decision::Accept;
        }
        let payload = ip.payload(packet);
        if matches!(ip.protocol, protocol::ICMP | protocol::ICMPV6) {
            match self.receive_icmp(ip, payload, track.zones, arrived && settings.checksum, now) {
                icmp::Icmp::Message => {}
                icmp::Icmp::Related(related) => {
                    *track = related;
                    return Decision::Accept;
                }
                icmp::Icmp::Untracked => {
                    track.info = Info::Untracked;
                    return Decision::Accept;
                }
                icmp::Icmp::Invalid => {
                    self.statistics.error += 1;
                    return Decision::Accept;
                }
            }
        }
        let segment = if ip.protocol == protocol::TCP { Segment::read(payload) } else { None };
        let Some(found) = tuple::of_packet(ip, payload)
            .filter(|found| found.protocol != protocol::TCP || segment.is_some())
        else {
            self.statistics.invalid += 1;
            return Decision::Accept;
        };
        let found = Tuple { zones: track.zones, ..found };
        let arrival = Arrival { ip, payload, segment, checked: arrived && settings.checksum };
        // A segment may end one connection and begin the next: twice is enough.
        for _ in 0..2 {
            match self.resolve(&found, arrival.segment.as_ref(), settings, now) {
                Ok(Some(resolved)) => *track = resolved,
                Ok(None) => break,
                Err(()) => return Decision::Drop,
            }
            match self.handle(*track, &arrival, settings, now) {
                Handled::Valid { mut changed } => {
                    if track.info == Info::EstablishedReply
                        && let Some(connection) = self.connections.get_mut(track.id)
                        && !connection.has(status::SEEN_REPLY)
                    {
                        connection.status |= status::SEEN_REPLY;
                        changed = !connection.has(status::DYING);
                    }
                    // Whatever a packet has changed is told at once.
                    if changed {
                        self.note(Change::Update, track.id, now);
                    }
                    return Decision::Accept;
                }
                Handled::Invalid => break,
                Handled::Again => self.remove(track.id, now),
            }
        }
        *track = Track::default();
        self.statistics.invalid += 1;
        Decision::Accept
    }

    /// `resolve_normal_ct`: none where the packet can belong to no connection.
    fn resolve(
        &mut self,
        found: &Tuple,
        segment: Option<&Segment>,
        settings: &Settings,
        now: Time,
    ) -> Result<Option<Track>, ()> {
        if let Some((id, direction)) = self.find(found, now) {
            let status = self.connections.get(id).map_or(0, |connection| connection.status);
            let info = match direction {
                REPLY => Info::EstablishedReply,
                _ if status & status::SEEN_REPLY != 0 => Info::Established,
                _ if status & status::EXPECTED != 0 => Info::Related,
                _ => Info::New,
            };
            return Ok(Some(Track { id, info, zones: found.zones }));
        }
        let Some(reply) = tuple::inverse(found) else { return Ok(None) };
        let tcp = match found.protocol {
            protocol::ICMP | protocol::ICMPV6 if !tuple::begins_icmp(found) => return Ok(None),
            protocol::TCP => match segment.and_then(|segment| Tcp::begin(segment, settings)) {
                Some(tcp) => tcp,
                None => return Ok(None),
            },
            _ => Tcp::default(),
        };
        if self.confirmed >= settings.max && !self.early_drop(now) {
            self.statistics.drop += 1;
            return Err(());
        }
        while let Some(oldest) = self.pending.front().copied() {
            let waits = self.connections.get(oldest).is_some_and(|old| !old.is_known());
            if waits && self.pending.len() < PENDING_MAX {
                break;
            }
            self.pending.pop_front();
            if waits {
                self.connections.remove(oldest);
            }
        }
        self.numbers += 1;
        let id = self.connections.insert(Connection {
            tuples: [*found, reply],
            status: 0,
            mark: 0,
            masquerade: 0,
            expires: Time::ZERO,
            stream_at: now + UDP_STREAM,
            tcp,
            counters: settings.acct.then(Box::default),
            number: self.numbers,
        });
        self.pending.push_back(id);
        Ok(Some(Track { id, info: Info::New, zones: found.zones }))
    }

    /// `nf_conntrack_find_get`: what has expired is not found.
    pub(super) fn find(&mut self, tuple: &Tuple, now: Time) -> Option<(CtId, u8)> {
        let (id, direction) = self.known(tuple)?;
        if self.connections.get(id).is_none_or(|connection| connection.expires <= now) {
            self.remove(id, now);
            return None;
        }
        Some((id, direction))
    }

    /// A reply may be known by another zone than what it replies to (`nf_ct_zone_equal`).
    fn known(&self, tuple: &Tuple) -> Option<(CtId, u8)> {
        let [original, reply] = tuple.zones;
        if original == reply {
            return self.table.get(&Key(*tuple)).copied();
        }
        let turned = Tuple { zones: [reply, original], ..*tuple };
        let of = |tuple, direction| self.table.get(&Key(tuple)).copied().filter(|found| found.1 == direction);
        of(*tuple, ORIGINAL).or_else(|| of(turned, REPLY))
    }

    /// A connection by a tuple of it, where it has not expired.
    pub(super) fn look_up(&self, tuple: &Tuple, now: Time) -> Option<&Connection> {
        let (id, _) = self.table.get(&Key(*tuple))?;
        self.connections.get(*id).filter(|connection| connection.expires > now)
    }

    /// `__nf_conntrack_confirm`: from now on the connection is found by its packets. False where another one has
    /// taken a tuple of it meanwhile: the packet is dropped.
    pub fn confirm(&mut self, track: Track, now: Time) -> bool {
        let Some(connection) = self.connections.get_mut(track.id) else { return true };
        if connection.has(status::CONFIRMED) || track.direction() != ORIGINAL {
            return true;
        }
        let keys = connection.tuples.map(Key);
        if keys.iter().any(|key| self.table.contains_key(key)) {
            self.statistics.insert_failed += 1;
            self.statistics.drop += 1;
            return false;
        }
        connection.expires = now + connection.expires.since(Time::ZERO);
        connection.status |= status::CONFIRMED;
        let expires = connection.expires;
        let source = true_source(connection);
        for (key, direction) in keys.into_iter().zip([ORIGINAL, REPLY]) {
            self.table.insert(key, (track.id, direction));
        }
        if let Some(source) = source {
            self.by_source.entry(source).or_default().push(track.id);
        }
        self.confirmed += 1;
        let at = expires.max(now + GC_PAUSE);
        self.gc_at = Some(self.gc_at.map_or(at, |known| known.min(at)));
        self.note(Change::New, track.id, now);
        true
    }

    /// The changed source that another connection of the same source has (`find_appropriate_src`).
    pub fn mapping_of(&self, tuple: &Tuple) -> impl Iterator<Item = (IpAddr, u16)> {
        let source = (tuple.source, tuple.source_port, tuple.protocol);
        let known = self.by_source.get(&source).into_iter().flatten();
        known.filter_map(|id| {
            let connection = self.connections.get(*id)?;
            let reply = connection.tuple(REPLY);
            let is_here = connection.tuple(ORIGINAL).zones[0] == tuple.zones[0];
            is_here.then(|| (reply.destination, mapped_port(reply)))
        })
    }

    /// Whether some other connection already answers to a tuple (`nf_nat_used_tuple`).
    pub fn is_used(&self, tuple: &Tuple, now: Time) -> bool {
        let Some(reply) = tuple::inverse(tuple) else { return false };
        let known = self.table.get(&Key(reply)).and_then(|(id, _)| self.connections.get(*id));
        known.is_some_and(|known| known.expires > now)
    }

    /// Forgets a connection.
    pub fn remove(&mut self, id: CtId, now: Time) {
        if self.connections.get(id).is_some_and(Connection::is_known) {
            self.note(Change::Destroy, id, now);
        }
        let Some(gone) = self.connections.remove(id) else { return };
        if gone.is_known() {
            self.unlink(id, &gone);
        }
    }

    /// `nf_ct_kill`: nobody finds the connection any more. The packet at hand is the last one of it, translated like
    /// those before.
    fn kill(&mut self, id: CtId, now: Time) {
        let Some(connection) = self.connections.get(id) else { return };
        let gone = connection.clone();
        if gone.is_known() {
            self.note(Change::Destroy, id, now);
            self.unlink(id, &gone);
            self.pending.push_back(id);
        }
        if let Some(connection) = self.connections.get_mut(id) {
            connection.status |= status::DYING;
        }
    }

    /// `nf_conntrack_tcp_set_closing`: a reset has been sent about a packet of it.
    pub fn close(&mut self, track: Track, settings: &Settings, now: Time) {
        let Some(connection) = self.connections.get_mut(track.id) else { return };
        let over = connection.tcp.state == shown::TcpState::Close;
        if connection.tuples[0].protocol != protocol::TCP || !connection.has(status::CONFIRMED) || over {
            return;
        }
        connection.tcp.state = shown::TcpState::Close;
        let lasts = Duration::from_secs(u64::from(settings.tcp(shown::TcpState::Close)));
        connection.expires = now + lasts;
        self.note(Change::Update, track.id, now);
    }

    /// Takes a connection out of what finds it.
    fn unlink(&mut self, id: CtId, gone: &Connection) {
        self.confirmed = self.confirmed.saturating_sub(1);
        for tuple in gone.tuples {
            let key = Key(tuple);
            if self.table.get(&key).is_some_and(|(known, _)| *known == id) {
                self.table.remove(&key);
            }
        }
        if let Some(source) = true_source(gone)
            && let Some(known) = self.by_source.get_mut(&source)
        {
            known.retain(|known| *known != id);
            if known.is_empty() {
                self.by_source.remove(&source);
            }
        }
    }

    /// `gc_worker`: forgets what has expired and says when to look again.
    pub fn collect(&mut self, now: Time) {
        let confirmed = Connection::is_known;
        let dead: Vec<CtId> = self
            .connections
            .iter()
            .filter(|(_, connection)| confirmed(connection) && connection.expires <= now)
            .map(|(id, _)| id)
            .collect();
        for id in dead {
            self.remove(id, now);
        }
        let next =
            self.connections.values().filter(|connection| confirmed(connection)).map(|c| c.expires).min();
        let pause = GC_PAUSE + Duration::from_secs((self.connections.len() / GC_RATE) as u64);
        self.gc_at = next.map(|next| next.max(now + pause));
    }

    /// `early_drop`: makes room by forgetting a connection that nobody has answered.
    fn early_drop(&mut self, now: Time) -> bool {
        let lost = |connection: &Connection| {
            connection.is_known() && (connection.expires <= now || !connection.has(status::ASSURED))
        };
        // As many as a few buckets of Linux's table hold.
        let found =
            self.connections.iter().take(64).find(|(_, connection)| lost(connection)).map(|(id, _)| id);
        let Some(id) = found else { return false };
        self.remove(id, now);
        self.statistics.early_drop += 1;
        true
    }

    /// Forgets every connection for which `dead` holds (`nf_ct_iterate_cleanup`).
    pub fn forget(&mut self, now: Time, mut dead: impl FnMut(&Connection) -> bool) {
        let ids: Vec<CtId> =
            self.connections.iter().filter(|(_, connection)| dead(connection)).map(|(id, _)| id).collect();
        for id in ids {
            self.remove(id, now);
        }
    }

    /// Every connection, oldest first, as programs see it.
    pub fn shown(&self, now: Time) -> Vec<shown::Connection> {
        let alive = |connection: &&Connection| connection.is_known() && connection.expires > now;
        let mut all: Vec<_> = self.connections.values().filter(alive).map(|c| show(c, now)).collect();
        all.sort_by_key(|connection| connection.id);
        all
    }

    fn note(&mut self, change: Change, id: CtId, now: Time) {
        if self.listened
            && let Some(connection) = self.connections.get(id)
        {
            let connection = show(connection, now);
            let marked = connection.mark != 0;
            self.changes.push(Event { change, connection, by_program: None, marked });
        }
    }
}

/// The port (or id) of a reply tuple's destination, which is the connection's source outside.
fn mapped_port(reply: &Tuple) -> u16 {
    match reply.protocol {
        protocol::ICMP | protocol::ICMPV6 => reply.source_port,
        _ => reply.destination_port,
    }
}

/// By what a connection with a changed source is found again.
fn true_source(connection: &Connection) -> Option<(IpAddr, u16, u8)> {
    let original = connection.tuple(ORIGINAL);
    connection.has(status::SRC_NAT).then_some((original.source, original.source_port, original.protocol))
}

fn show(connection: &Connection, now: Time) -> shown::Connection {
    let is_tcp = connection.tuples[0].protocol == protocol::TCP;
    shown::Connection {
        id: connection.number,
        family: connection.family(),
        original: connection.tuples[0],
        reply: connection.tuples[1],
        status: connection.status,
        timeout_s: u32::try_from(connection.expires.since(now).as_secs()).unwrap_or(u32::MAX),
        mark: connection.mark,
        tcp: is_tcp.then_some(connection.tcp.state),
        counters: connection.counters(),
    }
}
