//! What programs do to connections (nf_conntrack_netlink.c): make, change and forget them.

use std::collections::BTreeSet;
use std::time::Duration;

use hairpin_netlink::Errno;
use hairpin_netlink::netfilter::conntrack::{self as shown, Change, Update, status};

use super::tcp::Tcp;
use super::tuple::Key;
use super::{Connection, Conntrack, CtId, GC_PAUSE, ORIGINAL, REPLY, UDP_STREAM};
use crate::time::Time;

impl Conntrack {
    /// The connection with a number.
    fn numbered(&self, number: u64) -> Option<CtId> {
        let found = self.connections.iter().find(|(_, connection)| connection.number == number);
        found.filter(|(_, connection)| connection.is_known()).map(|(id, _)| id)
    }

    /// `ctnetlink_change_conntrack`
    ///
    /// # Errors
    /// `ENOENT`: the connection is gone.
    pub fn update(&mut self, number: u64, update: &Update, now: Time) -> Result<(), Errno> {
        let id = self.numbered(number).ok_or(Errno::ENOENT)?;
        let connection = self.connections.get_mut(id).ok_or(Errno::ENOENT)?;
        if update.zero {
            if let Some(counters) = &mut connection.counters {
                **counters = Default::default();
            }
            return Ok(());
        }
        if let Some(seconds) = update.timeout_s {
            connection.expires = now + Duration::from_secs(u64::from(seconds));
        }
        connection.mark = update.mark.unwrap_or(connection.mark);
        connection.status |= update.status & (status::ASSURED | status::SEEN_REPLY);
        connection.tcp.state = update.tcp.unwrap_or(connection.tcp.state);
        self.note_of_program(Change::Update, id, update.mark.is_some(), now);
        Ok(())
    }

    /// `ctnetlink_create_conntrack`. `counts`: packets and bytes of connections that begin are counted.
    ///
    /// # Errors
    /// `EEXIST`: another connection has one of its tuples.
    pub fn create(&mut self, wanted: &shown::Connection, counts: bool, now: Time) -> Result<(), Errno> {
        let keys = [Key(wanted.original), Key(wanted.reply)];
        if keys.iter().any(|key| self.find(&key.0, now).is_some()) {
            return Err(Errno::EEXIST);
        }
        self.numbers += 1;
        let expires = now + Duration::from_secs(u64::from(wanted.timeout_s));
        let id = self.connections.insert(Connection {
            tuples: [wanted.original, wanted.reply],
            status: wanted.status & (status::ASSURED | status::SEEN_REPLY) | status::CONFIRMED,
            mark: wanted.mark,
            masquerade: 0,
            expires,
            stream_at: now + UDP_STREAM,
            tcp: Tcp::in_state(wanted.tcp.unwrap_or_default()),
            counters: counts.then(Box::default),
            number: self.numbers,
        });
        for (key, direction) in keys.into_iter().zip([ORIGINAL, REPLY]) {
            self.table.insert(key, (id, direction));
        }
        self.confirmed += 1;
        self.statistics.insert += 1;
        let at = expires.max(now + GC_PAUSE);
        self.gc_at = Some(self.gc_at.map_or(at, |known| known.min(at)));
        self.note_of_program(Change::New, id, true, now);
        Ok(())
    }

    fn note_of_program(&mut self, change: Change, id: CtId, marked: bool, now: Time) {
        self.note(change, id, now);
        if self.listened
            && let Some(event) = self.changes.last_mut()
        {
            event.by_program = Some(port_of_program(now));
            event.marked |= marked;
        }
    }

    /// Forgets connections by number, for a program.
    pub fn forget_numbered(&mut self, numbers: &BTreeSet<u64>, now: Time) {
        let before = self.changes.len();
        self.forget(now, |connection| numbers.contains(&connection.number));
        for event in self.changes.iter_mut().skip(before) {
            event.by_program = Some(port_of_program(now));
        }
    }
}

/// The netlink port of a program that asks for something now: a second one, as `conntrack` has, is negative and by chance
/// (netlink_autobind of net/netlink/af_netlink.c).
fn port_of_program(now: Time) -> u32 {
    const LOWEST: u32 = 1 << 31;
    let drawn = now.nanos().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    LOWEST + drawn as u32
}
