//! A packet's way through a base chain (`nft_do_chain`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::netfilter::nft::{
    Data, Element, Expr, Field, Header, Limit, Meta, NamedObject, Nat, NatAddress, NatKind, ObjectKind, Op,
    Reject, Right, Set, SetOp, SetRef, Span, Statement, Table, Verdict,
};
use hairpin_netlink::netfilter::targets::{NatRange, RejectWith};
use hairpin_netlink::netfilter::{Family as PacketFamily, Policy};

use super::super::conntrack::Info;
use super::super::evaluate::{self, Bench};
use super::super::matches::Around;
use super::super::nat::Side;
use super::super::packet::{Ip, changed_checksum_bytes, protocol};
use super::super::{At, log};
use super::load::{Loaded, Reader, write_bits};
use super::{Based, Nft};
use crate::frame::Frame;
use crate::klog::level::WARNING;
use crate::world::World;

/// What a base chain says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Ended {
    Accept,
    Drop { chain: usize, rule: u32 },
    Reject { with: RejectWith, chain: usize, rule: u32 },
}

/// What one statement says.
enum Said {
    Next,
    /// The rule does not match.
    Break,
    Verdict(Verdict),
    Accept,
    Drop,
    Reject(RejectWith),
}

impl Nft {
    /// Runs a packet through a base chain.
    pub fn run(
        &mut self,
        based: Based,
        bench: &mut Bench<'_>,
        world: &World,
        at: &At,
        frame: &mut Frame,
    ) -> Ended {
        let Nft { ruleset, places, .. } = self;
        let (Some(table), Some(places)) = (ruleset.tables.get_mut(based.table), places.get(based.table))
        else {
            return Ended::Accept;
        };
        let Some(mut ip) = Ip::read(frame.payload()) else { return Ended::Accept };
        let Table { chains, sets, counters, objects, .. } = table;
        let mut chain = based.chain;
        let mut next = 0usize;
        bench.stack.clear();
        loop {
            let Some(here) = chains.get_mut(chain) else { return Ended::Accept };
            let Some(rule) = here.rules.get_mut(next) else {
                if let Some((back, rule)) = bench.stack.pop() {
                    (chain, next) = (back as usize, rule as usize);
                    continue;
                }
                return policy(chains.get(based.chain).and_then(|chain| chain.base), based.chain);
            };
            next += 1;
            let number = u32::try_from(next).unwrap_or(u32::MAX);
            let mut verdict: Option<Verdict> = None;
            for statement in &mut rule.statements {
                let mut step = Step { bench, world, at, frame, ip: &ip, sets, places };
                let said = match statement {
                    Statement::NamedCounter(name) => {
                        let counter = places.counters.get(name).and_then(|at| counters.get_mut(*at));
                        if let Some(counter) = counter {
                            counter.packets += 1;
                            counter.bytes += ip.total_len as u64;
                        }
                        Said::Next
                    }
                    Statement::NamedQuota(name) => {
                        step.object(objects, name, |kind| matches!(kind, ObjectKind::Quota { .. }))
                    }
                    Statement::NamedLimit(name) => {
                        step.object(objects, name, |kind| matches!(kind, ObjectKind::Limit(_)))
                    }
                    statement => step.perform(statement),
                };
                match said {
                    Said::Next => {}
                    Said::Break => break,
                    Said::Accept => return Ended::Accept,
                    Said::Drop => return Ended::Drop { chain, rule: number },
                    Said::Reject(with) => return Ended::Reject { with, chain, rule: number },
                    Said::Verdict(found) => {
                        verdict = Some(found);
                        break;
                    }
                }
                match Ip::read(frame.payload()) {
                    Some(now) => ip = now,
                    None => return Ended::Drop { chain, rule: number },
                }
            }
            match verdict {
                None | Some(Verdict::Continue) => {}
                Some(Verdict::Accept) => return Ended::Accept,
                Some(Verdict::Drop) => return Ended::Drop { chain, rule: number },
                Some(Verdict::Return) => match bench.stack.pop() {
                    Some((back, rule)) => (chain, next) = (back as usize, rule as usize),
                    None => {
                        return policy(chains.get(based.chain).and_then(|chain| chain.base), based.chain);
                    }
                },
                Some(Verdict::Jump(name)) => {
                    bench.stack.push((chain as u32, next as u32));
                    let Some(to) = places.chains.get(&name) else { return Ended::Accept };
                    (chain, next) = (*to, 0);
                }
                Some(Verdict::Goto(name)) => {
                    let Some(to) = places.chains.get(&name) else { return Ended::Accept };
                    (chain, next) = (*to, 0);
                }
            }
        }
    }

    /// A base chain's table and a chain of it by their names.
    pub fn names(&self, based: Based, chain: usize) -> (String, String) {
        let table = self.ruleset.tables.get(based.table);
        let chain = table.and_then(|table| table.chains.get(chain));
        (
            table.map(|table| table.name.clone()).unwrap_or_default(),
            chain.map(|chain| chain.name.clone()).unwrap_or_default(),
        )
    }
}

fn policy(base: Option<hairpin_netlink::netfilter::nft::Base>, chain: usize) -> Ended {
    match base {
        Some(base) if base.policy == Policy::Drop => Ended::Drop { chain, rule: 0 },
        _ => Ended::Accept,
    }
}

/// One statement with what it works on.
struct Step<'s, 'b> {
    bench: &'s mut Bench<'b>,
    world: &'s World,
    at: &'s At,
    frame: &'s mut Frame,
    ip: &'s Ip,
    sets: &'s mut Vec<Set>,
    places: &'s super::Places,
}

impl Step<'_, '_> {
    fn reader(&self) -> Reader<'_> {
        Reader {
            packet: Around {
                world: self.world,
                at: self.at,
                frame: self.frame,
                ip: self.ip,
                conntrack: self.bench.conntrack,
            },
            sets: self.sets,
            places: &self.places.sets,
            random: self.bench.random.0,
        }
    }

    fn now_ns(&self) -> u64 {
        self.world.now.nanos()
    }

    fn perform(&mut self, statement: &mut Statement) -> Said {
        let bytes = self.ip.total_len as u64;
        match statement {
            Statement::Match { left, op, right } => {
                if self.matches(left, *op, right) {
                    Said::Next
                } else {
                    Said::Break
                }
            }
            Statement::Counter { packets, bytes: counted } => {
                *packets += 1;
                *counted += bytes;
                Said::Next
            }
            // Seen to by the way through the chain.
            Statement::NamedCounter(_) | Statement::NamedQuota(_) | Statement::NamedLimit(_) => Said::Next,
            Statement::Verdict(Verdict::Accept) => Said::Accept,
            Statement::Verdict(Verdict::Drop) => Said::Drop,
            Statement::Verdict(verdict) => Said::Verdict(verdict.clone()),
            Statement::VerdictMap { key, map } => {
                let verdict = {
                    let reader = self.reader();
                    let found = reader.lookup(key, map);
                    found.and_then(|(set, at)| match &set.elements.get(at)?.data {
                        Some(Data::Verdict(verdict)) => Some(verdict.clone()),
                        _ => None,
                    })
                };
                self.count_element(key, map);
                verdict.map_or(Said::Break, Said::Verdict)
            }
            Statement::Reject(reject) => Said::Reject(with(*reject, self.ip.family)),
            Statement::Log(found) => {
                let prefix = found.prefix.as_deref().unwrap_or("");
                let line = log::line(self.world, self.at, self.frame, prefix, found.flags);
                self.bench.log.push((found.level.unwrap_or(WARNING), line));
                Said::Next
            }
            Statement::Limit(limit) => {
                if allows(limit, bytes, self.now_ns()) {
                    Said::Next
                } else {
                    Said::Break
                }
            }
            Statement::Quota { bytes: quota, over, used } => {
                *used = used.saturating_add(bytes);
                if (*used > *quota) == *over { Said::Next } else { Said::Break }
            }
            Statement::Nat(nat) => self.translate(nat),
            Statement::SetMeta(meta, expr) => {
                let Some(value) = self.next_value(expr) else { return Said::Break };
                match meta {
                    Meta::Mark => self.frame.mark = value as u32,
                    Meta::Trace => self.frame.traced = value != 0,
                    Meta::PacketType => {}
                    _ => {}
                }
                Said::Next
            }
            Statement::SetCtMark(expr) => {
                let Some(value) = self.next_value(expr) else { return Said::Break };
                if let Some(connection) = self.bench.conntrack.get_mut(self.frame.track) {
                    connection.mark = value as u32;
                }
                Said::Next
            }
            Statement::SetPayload(field, expr) => {
                let Some(value) = self.next_value(expr) else { return Said::Break };
                if write(self.frame, self.ip, field, value) { Said::Next } else { Said::Break }
            }
            Statement::NoTrack => {
                if !self.frame.track.is_tracked() {
                    self.frame.track.info = Info::Untracked;
                }
                Said::Next
            }
            Statement::SetMss(limit) => {
                if self.ip.protocol != protocol::TCP {
                    return Said::Break;
                }
                let limit = limit.unwrap_or_else(|| evaluate::clamp(self.world, self.at, self.ip));
                evaluate::lower_mss(self.frame, self.ip, limit);
                Said::Next
            }
            Statement::SetElement { op, set, key, timeout_ms, counter } => {
                self.change_set(*op, set, key, *timeout_ms, *counter)
            }
        }
    }

    /// `nft_quota_obj_eval`, `nft_limit_obj_pkts_eval`
    fn object(&self, objects: &mut [NamedObject], name: &str, wanted: fn(&ObjectKind) -> bool) -> Said {
        let found = objects.iter_mut().find(|object| object.name == name && wanted(&object.kind));
        let bytes = self.ip.total_len as u64;
        let goes_on = match found.map(|object| &mut object.kind) {
            Some(ObjectKind::Quota { bytes: quota, over, used }) => {
                *used = used.saturating_add(bytes);
                (*used > *quota) == *over
            }
            Some(ObjectKind::Limit(limit)) => allows(limit, bytes, self.now_ns()),
            None => false,
        };
        if goes_on { Said::Next } else { Said::Break }
    }

    /// The value of an expression that may count on.
    fn next_value(&self, expr: &mut Expr) -> Option<u128> {
        let value = self.reader().value(expr);
        count_on(expr);
        value
    }

    fn matches(&mut self, left: &[Expr], op: Op, right: &Right) -> bool {
        let negated = op == Op::NotEqual;
        if let Right::Set(found) = right {
            let inside = {
                let reader = self.reader();
                let Some(key) = reader.key(left) else { return false };
                let now = self.now_ns();
                reader.set(found).is_some_and(|set| set.find(key.values(), now).is_some())
            };
            if inside {
                self.count_element(left, found);
            }
            return inside != negated;
        }
        let reader = self.reader();
        let Some(key) = reader.key(left) else { return false };
        let value = key.first();
        let flags = op == Op::Implicit && has_flags(left);
        match (op, right) {
            (_, Right::Prefix(wanted, prefix)) => {
                let rest = u32::from(width(left).saturating_sub(u16::from(*prefix)));
                let cut = |value: u128| value.checked_shr(rest).unwrap_or(0);
                (cut(value) == cut(*wanted)) != negated
            }
            (_, Right::Range(low, high)) => (*low <= value && value <= *high) != negated,
            (Op::Implicit, Right::Value(wanted)) if flags => value & wanted != 0,
            (Op::Implicit | Op::Equal, Right::Value(wanted)) => value == *wanted,
            (Op::NotEqual, Right::Value(wanted)) => value != *wanted,
            (Op::Less, Right::Value(wanted)) => value < *wanted,
            (Op::Greater, Right::Value(wanted)) => value > *wanted,
            (Op::LessOrEqual, Right::Value(wanted)) => value <= *wanted,
            (Op::GreaterOrEqual, Right::Value(wanted)) => value >= *wanted,
            (_, Right::Set(_)) => false,
        }
    }

    /// Elements of a set with counters count what meets them.
    fn count_element(&mut self, key: &[Expr], found: &SetRef) {
        let SetRef::Named(name) = found else { return };
        let Some(place) = self.places.sets.get(name).copied() else { return };
        if !self.sets.get(place).is_some_and(|set| set.counter) {
            return;
        }
        let loaded: Option<Loaded> = self.reader().key(key);
        let (now, bytes) = (self.now_ns(), self.ip.total_len as u64);
        let Some((loaded, set)) = loaded.zip(self.sets.get_mut(place)) else { return };
        if let Some(at) = set.find(loaded.values(), now)
            && let Some(element) = set.elements.get_mut(at)
        {
            let (packets, counted) = element.counter.unwrap_or_default();
            element.counter = Some((packets + 1, counted + bytes));
        }
    }

    /// nft_dynset.c
    fn change_set(
        &mut self,
        op: SetOp,
        name: &str,
        key: &[Expr],
        timeout_ms: Option<u64>,
        counter: bool,
    ) -> Said {
        const NS_PER_MS: u64 = 1_000_000;
        let Some(loaded) = self.reader().key(key) else { return Said::Break };
        let (now, bytes) = (self.now_ns(), self.ip.total_len as u64);
        let place = self.places.sets.get(name).copied();
        let Some(set) = place.and_then(|place| self.sets.get_mut(place)) else { return Said::Break };
        if op == SetOp::Delete {
            if let Some(at) = set.find(loaded.values(), now) {
                set.elements.remove(at);
            }
            return Said::Next;
        }
        let timeout_ms = timeout_ms.or(set.timeout_ms);
        let expires_ns = timeout_ms.map(|ms| now.saturating_add(ms.saturating_mul(NS_PER_MS)));
        if let Some(at) = set.find(loaded.values(), now) {
            if let Some(element) = set.elements.get_mut(at) {
                if op == SetOp::Update {
                    element.expires_ns = expires_ns;
                }
                if let Some((packets, counted)) = &mut element.counter {
                    *packets += 1;
                    *counted += bytes;
                }
            }
            return Said::Next;
        }
        set.elements.retain(|element| !element.has_expired(now));
        // Without a size of its own a set that rules fill has 65535 places.
        if set.elements.len() >= set.size.unwrap_or(65535) as usize {
            return Said::Break;
        }
        let mut element = Element::of(loaded.values().iter().copied().map(Span::one).collect());
        (element.timeout_ms, element.expires_ns) = (timeout_ms, expires_ns);
        element.counter = (counter || set.counter).then_some((1, bytes));
        set.insert(element);
        Said::Next
    }

    /// nft_nat.c, nft_masq.c, nft_redir.c
    fn translate(&mut self, nat: &mut Nat) -> Said {
        let mut range = NatRange {
            addresses: None,
            ports: nat.ports,
            base_port: None,
            random: nat.random,
            random_fully: nat.fully_random,
            persistent: nat.persistent,
        };
        match &mut nat.address {
            None => {}
            Some(NatAddress::Range(low, high)) => {
                let family = self.ip.family;
                range.addresses = Some((address(*low, family), address(*high, family)));
            }
            Some(NatAddress::Of(expr)) => {
                let found = {
                    let reader = self.reader();
                    match &*expr {
                        Expr::Map { key, map } => {
                            reader.lookup(key, map).and_then(|(set, at)| match &set.elements.get(at)?.data {
                                Some(Data::Values(values)) => {
                                    Some((*values.first()?, values.get(1).copied()))
                                }
                                _ => None,
                            })
                        }
                        other => reader.value(other).map(|value| (Span::one(value), None)),
                    }
                };
                count_on(expr);
                let Some((span, ports)) = found else { return Said::Break };
                let family = self.ip.family;
                range.addresses = Some((address(span.first, family), address(span.last, family)));
                if let Some(ports) = ports {
                    range.ports = Some((ports.first as u16, ports.last as u16));
                }
            }
        }
        let wrong = nat.family.is_some_and(|family| {
            let ipv4 = self.ip.family == PacketFamily::Ipv4;
            (family == hairpin_netlink::netfilter::nft::Family::Ip) != ipv4
        });
        if wrong {
            return Said::Break;
        }
        let Step { bench, world, at, frame, ip, .. } = self;
        let said = match nat.kind {
            NatKind::Snat => {
                bench.conntrack.map(frame.track, &range, Side::Source, world.now, bench.random);
                evaluate::Said::Accept
            }
            NatKind::Dnat => {
                bench.conntrack.map(frame.track, &range, Side::Destination, world.now, bench.random);
                evaluate::Said::Accept
            }
            NatKind::Masquerade => evaluate::masquerade(&range, bench, world, at, ip, frame),
            NatKind::Redirect => evaluate::redirect(&range, bench, world, at, ip, frame),
        };
        match said {
            evaluate::Said::Drop => Said::Drop,
            _ => Said::Accept,
        }
    }
}

/// `numgen inc` goes on by one.
fn count_on(expr: &mut Expr) {
    match expr {
        Expr::NumberOf { random: false, modulus, next, .. } => *next = (*next + 1) % (*modulus).max(1),
        Expr::Map { key, .. } => key.iter_mut().for_each(count_on),
        _ => {}
    }
}

fn has_flags(left: &[Expr]) -> bool {
    use hairpin_netlink::netfilter::nft::Ct;
    match left {
        [Expr::Payload(field)] => field.kind.is_flags(),
        [Expr::Ct(Ct::State | Ct::Status, _)] => true,
        _ => false,
    }
}

/// The bits of an expression that may be compared by its first ones.
fn width(left: &[Expr]) -> u16 {
    use hairpin_netlink::netfilter::nft::Ct;
    match left {
        [Expr::Payload(field)] => field.bits,
        [Expr::Meta(Meta::IifName | Meta::OifName)] => 128,
        [Expr::Ct(Ct::SourceIp6 | Ct::DestinationIp6, _)] => 128,
        _ => 32,
    }
}

fn address(value: u128, family: PacketFamily) -> IpAddr {
    match family {
        PacketFamily::Ipv4 => Ipv4Addr::from(value as u32).into(),
        PacketFamily::Ipv6 => Ipv6Addr::from(value).into(),
    }
}

/// Which answer a code stands for (`nft_reject_icmp_code`, RFC 792, RFC 4443).
fn with(reject: Reject, family: PacketFamily) -> RejectWith {
    match (reject, family) {
        (Reject::TcpReset, _) => RejectWith::TcpReset,
        (Reject::Icmp(code), _) => match code {
            0 => RejectWith::NetUnreachable,
            1 => RejectWith::HostUnreachable,
            2 => RejectWith::ProtocolUnreachable,
            9 => RejectWith::NetProhibited,
            10 => RejectWith::HostProhibited,
            13 => RejectWith::AdminProhibited,
            _ => RejectWith::PortUnreachable,
        },
        (Reject::Icmp6(code), _) => match code {
            0 => RejectWith::NetUnreachable,
            1 => RejectWith::AdminProhibited,
            3 => RejectWith::HostUnreachable,
            5 => RejectWith::PolicyFail,
            6 => RejectWith::RejectRoute,
            _ => RejectWith::PortUnreachable,
        },
        (Reject::Icmpx(0), _) => RejectWith::NetUnreachable,
        (Reject::Icmpx(2), _) => RejectWith::HostUnreachable,
        (Reject::Icmpx(3), _) => RejectWith::AdminProhibited,
        (Reject::Icmpx(_), _) => RejectWith::PortUnreachable,
    }
}

/// `nft_limit_eval`
fn allows(limit: &mut Limit, bytes: u64, now_ns: u64) -> bool {
    const NS: u64 = 1_000_000_000;
    let unit = limit.unit_s.saturating_mul(NS);
    let rate = limit.rate.max(1);
    let (most, cost) = match limit.bytes {
        false => ((unit / rate).saturating_mul(u64::from(limit.burst)), unit / rate),
        true => {
            let of = |bytes: u64| u64::try_from(u128::from(unit) * u128::from(bytes) / u128::from(rate));
            let most = of(rate.saturating_add(u64::from(limit.burst))).unwrap_or(u64::MAX);
            (most, of(bytes).unwrap_or(u64::MAX))
        }
    };
    let (credit, since) = limit.bucket.unwrap_or((most, now_ns));
    let credit = credit.saturating_add(now_ns.saturating_sub(since)).min(most);
    let under = credit >= cost;
    limit.bucket = Some((if under { credit - cost } else { credit }, now_ns));
    under != limit.over
}

/// `nft_payload_set_eval`: checksums follow.
fn write(frame: &mut Frame, ip: &Ip, field: &Field, value: u128) -> bool {
    let (family, number) = (ip.family, ip.protocol);
    let start = match field.header {
        Header::Ip if family == PacketFamily::Ipv4 => 0,
        Header::Ip6 if family == PacketFamily::Ipv6 => 0,
        Header::Tcp if number == protocol::TCP => ip.header_len,
        Header::Udp if number == protocol::UDP => ip.header_len,
        Header::Icmp if number == protocol::ICMP => ip.header_len,
        Header::Icmp6 if number == protocol::ICMPV6 => ip.header_len,
        Header::Th => ip.header_len,
        _ => return false,
    };
    let header_len = ip.header_len;
    let partial = frame.partial.is_due() && number != protocol::ICMPV6 && number != protocol::ICMP;
    let packet = frame.payload_mut();
    let first = (usize::from(field.offset) / 8) & !1;
    let last = (usize::from(field.offset) + usize::from(field.bits)).div_ceil(8).next_multiple_of(2);
    let mut old = [0u8; 20];
    let span = last.saturating_sub(first).min(old.len());
    let Some(bytes) = packet.get(start + first..start + first + span) else { return false };
    old[..span].copy_from_slice(bytes);
    let Some(header) = packet.get_mut(start..) else { return false };
    if !write_bits(header, field.offset, field.bits, value) {
        return false;
    }
    let mut new = [0u8; 20];
    let Some(bytes) = packet.get(start + first..start + first + span) else { return false };
    new[..span].copy_from_slice(bytes);
    // The IPv4 header's own sum, and the transport's where it covers what has changed: its own header, addresses.
    if family == PacketFamily::Ipv4 && start == 0 {
        mend(packet, 10, &old[..span], &new[..span]);
    }
    let addresses = match field.header {
        Header::Ip => field.offset >= 96,
        Header::Ip6 => field.offset >= 64,
        _ => false,
    };
    let sum = match number {
        protocol::TCP => Some(header_len + 16),
        protocol::UDP => Some(header_len + 6),
        protocol::ICMPV6 => Some(header_len + 2),
        protocol::ICMP if start != 0 => Some(header_len + 2),
        _ => None,
    };
    if (start != 0 || addresses)
        && let Some(sum) = sum
    {
        // RFC 768: a sum of zero was not computed.
        let none = number == protocol::UDP && packet.get(sum..sum + 2) == Some(&[0, 0]);
        if partial {
            // A device sums it; the pseudo header's sum follows the addresses.
            if addresses {
                mend_partial(packet, sum, &old[..span], &new[..span]);
            }
        } else if !none {
            mend(packet, sum, &old[..span], &new[..span]);
        }
    }
    true
}

/// Of a checksum that is left to a device.
fn mend_partial(packet: &mut [u8], at: usize, old: &[u8], new: &[u8]) {
    let Some(place) = packet.get_mut(at..at + 2) else { return };
    let sum = !u16::from_be_bytes([place[0], place[1]]);
    place.copy_from_slice(&(!changed_checksum_bytes(sum, old, new)).to_be_bytes());
}

fn mend(packet: &mut [u8], at: usize, old: &[u8], new: &[u8]) {
    let Some(place) = packet.get_mut(at..at + 2) else { return };
    let sum = u16::from_be_bytes([place[0], place[1]]);
    place.copy_from_slice(&changed_checksum_bytes(sum, old, new).to_be_bytes());
}
