//! What has its turn at a hook, and in which order: tables of rules, connection tracking, address translation and, between
//! them by their priority, the chains of nftables.

use hairpin_netlink::netfilter::{Family, Hook, TableKind};

use super::conntrack::{Decision, Info};
use super::evaluate::{self, Bench, Outcome};
use super::nat::{self, Side};
use super::nft::{Based, Ended};
use super::packet::{Ip, protocol};
use super::{At, Cause, Netfilter, Verdict, way};
use crate::frame::Frame;
use crate::world::World;

/// What has its turn at a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Table(TableKind),
    Track,
    Nat(Side),
    Confirm,
}

/// The turns at a hook in the order of their priorities (`enum nf_ip_hook_priorities`). Reassembly (-400) comes
/// before: the path sees to it.
fn turns(hook: Hook) -> &'static [Turn] {
    use TableKind::{Filter, Mangle, Raw, Security};
    use Turn::{Confirm, Nat, Table, Track};
    match hook {
        Hook::Prerouting => &[Table(Raw), Track, Table(Mangle), Nat(Side::Destination)],
        Hook::Input => &[Table(Mangle), Table(Filter), Table(Security), Nat(Side::Source), Confirm],
        Hook::Forward => &[Table(Mangle), Table(Filter), Table(Security)],
        Hook::Output => {
            &[Table(Raw), Track, Table(Mangle), Nat(Side::Destination), Table(Filter), Table(Security)]
        }
        Hook::Postrouting => &[Table(Mangle), Nat(Side::Source), Confirm],
    }
}

impl Turn {
    /// Its priority (`enum nf_ip_hook_priorities`).
    fn priority(self) -> i32 {
        match self {
            Turn::Table(TableKind::Raw) => -300,
            Turn::Track => -200,
            Turn::Table(TableKind::Mangle) => -150,
            Turn::Nat(Side::Destination) => -100,
            Turn::Table(TableKind::Nat | TableKind::Filter) => 0,
            Turn::Table(TableKind::Security) => 50,
            Turn::Nat(Side::Source) => 100,
            Turn::Confirm => i32::MAX,
        }
    }
}

impl Netfilter {
    /// Decides on a packet at a hook.
    pub(super) fn hook(&mut self, world: &World, at: &At, family: Family, frame: &mut Frame) -> Verdict {
        let index = family as usize;
        // The chains of nftables take their turns between.
        let mut chain = 0;
        let mut before = (at.hook == Hook::Output).then(|| way::deciding(frame)).flatten();
        let is_chained = !self.nft.at(index, at.hook).is_empty();
        for turn in turns(at.hook) {
            while is_chained
                && let Some(based) =
                    self.nft.at(index, at.hook).get(chain).copied().filter(|b| b.priority <= turn.priority())
            {
                chain += 1;
                match self.run_chain(based, world, at, frame) {
                    Verdict::Accept => {}
                    other => return other,
                }
            }
            if self.has_turn(index, *turn)
                && let Some(against) = self.take_turn(index, *turn, world, at, frame)
            {
                return against;
            }
            // `ipt_mangle_out`, `nf_nat_ipv4_local_fn`: the way anew; here whether there is one.
            if let Turn::Table(TableKind::Mangle) | Turn::Nat(Side::Destination) = *turn
                && before.is_some()
                && let Err(errno) = world.still_has_way(at, frame, &mut before)
            {
                return Verdict::Drop(Cause::NoWay(errno));
            }
        }
        // Hooks that nothing else of here has a turn at the end of.
        while let Some(based) = self.nft.at(index, at.hook).get(chain).copied() {
            chain += 1;
            match self.run_chain(based, world, at, frame) {
                Verdict::Accept => {}
                other => return other,
            }
        }
        Verdict::Accept
    }

    /// Whether something of a family has this turn.
    #[inline]
    fn has_turn(&self, family: usize, turn: Turn) -> bool {
        match turn {
            Turn::Table(kind) => self.tables[family][kind as usize].is_some(),
            Turn::Track | Turn::Nat(_) | Turn::Confirm => self.tracking[family],
        }
    }

    /// What decides against a packet in this turn, if anything does.
    #[inline(never)]
    fn take_turn(
        &mut self,
        family: usize,
        turn: Turn,
        world: &World,
        at: &At,
        frame: &mut Frame,
    ) -> Option<Verdict> {
        match turn {
            Turn::Table(kind) => against(self.run(family, kind, world, at, frame)),
            Turn::Track => {
                let ip = Ip::read(frame.payload())?;
                let settings = &world.netns.get(at.ns)?.sysctl.conntrack;
                let mut track = frame.track;
                // What is left to a device to sum has come from within (`nf_ip_checksum`).
                let arrived = at.hook == Hook::Prerouting && !frame.partial.is_due();
                let packet = frame.payload();
                let decision = self.conntrack.receive(&ip, packet, arrived, &mut track, settings, world.now);
                frame.track = track;
                (decision == Decision::Drop)
                    .then_some(Verdict::Drop(Cause::Other("nf_conntrack: table full")))
            }
            Turn::Nat(side) => self.translate(family, side, world, at, frame),
            Turn::Confirm => {
                let goes_on = !frame.track.is_tracked() || self.conntrack.confirm(frame.track, world.now);
                let another = "nf_conntrack: another connection has its tuple";
                (!goes_on).then_some(Verdict::Drop(Cause::Other(another)))
            }
        }
    }

    /// A base chain of nftables.
    #[inline(never)]
    fn run_chain(&mut self, based: Based, world: &World, at: &At, frame: &mut Frame) -> Verdict {
        let Netfilter { nft, conntrack, random, sets, stores, stack, log, .. } = self;
        let mut bench = Bench { conntrack, random, sets, stores, stack, log };
        match nft.run(based, &mut bench, world, at, frame) {
            Ended::Accept => Verdict::Accept,
            Ended::Drop { chain, rule } => Verdict::Drop(Cause::Nft(based, chain, rule)),
            Ended::Reject { with, chain, rule } => Verdict::Reject(with, Cause::Nft(based, chain, rule)),
        }
    }

    fn run(&mut self, family: usize, kind: TableKind, world: &World, at: &At, frame: &mut Frame) -> Outcome {
        let Netfilter { tables, conntrack, random, sets, stores, stack, log, .. } = self;
        let Some(rules) = &mut tables[family][kind as usize] else { return Outcome::Accept };
        let mut bench = Bench { conntrack, random, sets, stores, stack, log };
        evaluate::run(rules, &mut bench, world, at, frame)
    }

    /// `nf_nat_ipv4_fn`, `nf_nat_inet_fn`: the table is asked at a connection's first packet only.
    fn translate(
        &mut self,
        family: usize,
        side: Side,
        world: &World,
        at: &At,
        frame: &mut Frame,
    ) -> Option<Verdict> {
        let none = self.tables[family][TableKind::Nat as usize].is_none() && !self.nft.translates(family);
        if none || !frame.track.is_tracked() {
            return None;
        }
        let track = frame.track;
        let related = matches!(track.info, Info::Related | Info::RelatedReply);
        let ip = Ip::read(frame.payload())?;
        if related && matches!(ip.protocol, protocol::ICMP | protocol::ICMPV6) {
            let fine = self.conntrack.rewrite_error(track, side, frame.payload_mut());
            return (!fine).then_some(Verdict::Drop(Cause::Other("nat: untranslatable ICMP message")));
        }
        // A reset about a packet that never got so far asks too: what is related and no ICMP.
        let asks = matches!(track.info, Info::New | Info::Related | Info::RelatedReply);
        if asks && !self.conntrack.is_mapped(track, side) {
            if let Some(against) = against(self.run(family, TableKind::Nat, world, at, frame)) {
                return Some(against);
            }
            let mut next = 0;
            while !self.conntrack.is_mapped(track, side)
                && let Some(based) = self.nft.nat_at(family, at.hook).get(next).copied()
            {
                next += 1;
                match self.run_chain(based, world, at, frame) {
                    Verdict::Accept => {}
                    other => return Some(other),
                }
            }
            if !self.conntrack.is_mapped(track, side) {
                self.conntrack.map_to_itself(track, side, world.now, &mut self.random);
            }
        } else if at.hook == Hook::Postrouting {
            let output = at.output.and_then(|dev| world.devs.get(dev)).map_or(0, |device| device.ifindex);
            if self.conntrack.left_its_device(track, output) {
                self.conntrack.remove(track.id, world.now);
                return Some(Verdict::Drop(Cause::Other(
                    "nat: a masqueraded connection left by another device",
                )));
            }
        }
        if let Some(target) = self.conntrack.mapped(track, side) {
            let partial = frame.partial.is_due();
            nat::rewrite_packet(frame.payload_mut(), &target, side, partial);
        }
        None
    }
}

/// What a table's rules have decided against a packet.
#[inline]
fn against(outcome: Outcome) -> Option<Verdict> {
    match outcome {
        Outcome::Accept => None,
        Outcome::Drop(place) => Some(Verdict::Drop(Cause::Rule(place))),
        Outcome::Reject(with, place) => Some(Verdict::Reject(with, Cause::Rule(place))),
    }
}
