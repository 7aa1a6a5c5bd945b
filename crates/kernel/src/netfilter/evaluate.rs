//! A packet's way through a table (`ipt_do_table`).

use std::net::IpAddr;

use hairpin_netlink::netfilter::targets::{ConnMark, NatRange, RejectWith, TtlChange};
use hairpin_netlink::netfilter::{Family, Hook, Policy, TableKind, Target};

use super::conntrack::{Conntrack, Info};
use super::matches::Around;
use super::nat::{Random, Side};
use super::packet::{Ip, changed_checksum, protocol};
use super::sets::Sets;
use super::state::Stores;
use super::table::{Action, Armed, Rules};
use super::{At, log};
use crate::frame::Frame;
use crate::klog::level::WARNING;
use crate::world::World;

/// Where in a table a packet's fate was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub table: TableKind,
    pub chain: u32,
    /// From 1; 0 is the policy.
    pub rule: u32,
}

/// What a table says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Accept,
    Drop(Place),
    Reject(RejectWith, Place),
}

/// What the rules work with besides the packet.
pub(super) struct Bench<'a> {
    pub conntrack: &'a mut Conntrack,
    pub random: &'a mut Random,
    pub sets: &'a mut Sets,
    pub stores: &'a mut Stores,
    /// Where the ways back lead: chain, and the rule that comes next.
    pub stack: &'a mut Vec<(u32, u32)>,
    /// Levels and lines for the kernel's log.
    pub log: &'a mut Vec<(u8, String)>,
}

/// What matches work with besides the packet.
pub(super) struct Aids<'a> {
    pub sets: &'a mut Sets,
    pub stores: &'a mut Stores,
    pub random: &'a mut Random,
    /// A match has found the packet to be good for nothing (`hotdrop`).
    pub lost: bool,
}

/// What one rule's target says.
pub(super) enum Said {
    Continue,
    Accept,
    Drop,
    Reject(RejectWith),
}

/// Runs a packet through a table's chain of a hook.
pub(super) fn run(
    rules: &mut Rules,
    bench: &mut Bench<'_>,
    world: &World,
    at: &At,
    frame: &mut Frame,
) -> Outcome {
    let Some(entry) = rules.entries[at.hook as usize] else { return Outcome::Accept };
    let Some(mut ip) = Ip::read(frame.payload()) else { return Outcome::Accept };
    let bytes = ip.total_len as u64;
    let table = rules.kind;
    let (mut chain, mut next) = (entry, 0u32);
    bench.stack.clear();
    loop {
        let Some(here) = rules.chains.get_mut(chain as usize) else { return Outcome::Accept };
        let Some(armed) = here.rules.get_mut(next as usize) else {
            if let Some(back) = bench.stack.pop() {
                (chain, next) = back;
                continue;
            }
            return policy(rules, entry, bytes, bench, world, at, frame);
        };
        next += 1;
        let packet = Around { world, at, frame, ip: &ip, conntrack: bench.conntrack };
        let mut aids = Aids { sets: bench.sets, stores: bench.stores, random: bench.random, lost: false };
        if !packet.has_header(&armed.rule.header, &mut aids.lost)
            || !packet.has(&armed.rule.matches, &mut armed.states, &mut aids)
        {
            if aids.lost {
                return Outcome::Drop(Place { table, chain, rule: next });
            }
            continue;
        }
        armed.rule.counters.packets += 1;
        armed.rule.counters.bytes += bytes;
        if frame.traced {
            let what = if armed.action == Action::Return { "return" } else { "rule" };
            bench.log.push((WARNING, log::trace(world, at, frame, table, &here.name, what, next)));
        }
        let place = Place { table, chain, rule: next };
        match armed.action {
            Action::Continue => {}
            Action::Accept => return Outcome::Accept,
            Action::Drop => return Outcome::Drop(place),
            Action::Return => match bench.stack.pop() {
                Some(back) => (chain, next) = back,
                None => return policy(rules, entry, bytes, bench, world, at, frame),
            },
            Action::Jump(to) => {
                bench.stack.push((chain, next));
                (chain, next) = (to, 0);
            }
            Action::Goto(to) => (chain, next) = (to, 0),
            Action::Extension => {
                match extension(armed, bench, world, at, &ip, frame) {
                    Said::Continue => {}
                    Said::Accept => return Outcome::Accept,
                    Said::Drop => return Outcome::Drop(place),
                    Said::Reject(with) => return Outcome::Reject(with, place),
                }
                // The target may have changed the header.
                match Ip::read(frame.payload()) {
                    Some(now) => ip = now,
                    None => return Outcome::Drop(place),
                }
            }
        }
    }
}

fn policy(
    rules: &mut Rules,
    entry: u32,
    bytes: u64,
    bench: &mut Bench<'_>,
    world: &World,
    at: &At,
    frame: &Frame,
) -> Outcome {
    let table = rules.kind;
    let Some(chain) = rules.chains.get_mut(entry as usize) else { return Outcome::Accept };
    chain.counters.packets += 1;
    chain.counters.bytes += bytes;
    if frame.traced {
        let number = chain.rules.len() as u32 + 1;
        bench.log.push((WARNING, log::trace(world, at, frame, table, &chain.name, "policy", number)));
    }
    match chain.builtin {
        Some((_, Policy::Drop)) => Outcome::Drop(Place { table, chain: entry, rule: 0 }),
        _ => Outcome::Accept,
    }
}

fn extension(
    armed: &Armed,
    bench: &mut Bench<'_>,
    world: &World,
    at: &At,
    ip: &Ip,
    frame: &mut Frame,
) -> Said {
    match &armed.rule.target {
        Target::None | Target::Accept | Target::Drop | Target::Return | Target::Jump(_) | Target::Goto(_) => {
            return Said::Continue;
        }
        Target::Reject(with) => return Said::Reject(*with),
        Target::Log { level, flags, prefix } => {
            bench.log.push((*level, log::line(world, at, frame, prefix, *flags)));
        }
        Target::Mark { value, mask } => frame.mark = frame.mark & !mask ^ value,
        Target::ConnMark(change) => connmark(bench.conntrack, *change, frame),
        Target::Snat(range) => {
            bench.conntrack.map(frame.track, range, Side::Source, world.now, bench.random);
            return Said::Accept;
        }
        Target::Dnat(range) => {
            bench.conntrack.map(frame.track, range, Side::Destination, world.now, bench.random);
            return Said::Accept;
        }
        Target::Masquerade(range) => return masquerade(range, bench, world, at, ip, frame),
        Target::Redirect(range) => return redirect(range, bench, world, at, ip, frame),
        Target::Netmap { address, mask } => {
            let (side, own) = match at.hook {
                Hook::Prerouting | Hook::Output => (Side::Destination, ip.destination),
                _ => (Side::Source, ip.source),
            };
            let Some(mapped) = in_network(*address, *mask, own) else { return Said::Accept };
            let range = NatRange { addresses: Some((mapped, mapped)), ..NatRange::default() };
            bench.conntrack.map(frame.track, &range, side, world.now, bench.random);
            return Said::Accept;
        }
        Target::Track { zone, .. } => {
            // `xt_ct_target`: what has been looked at already (loopback) stays what it is.
            let is_new = !frame.track.is_tracked() && frame.track.info == Info::None;
            if let Some(zone) = zone.filter(|_| is_new && frame.track.zones == [0, 0]) {
                frame.track.zones = zone.of(frame.mark);
            }
        }
        Target::NoTrack { .. } => {
            // What has been looked at already (loopback), or has got a zone, stays what it is.
            let is_new = !frame.track.is_tracked() && frame.track.zones == [0, 0];
            if is_new && frame.track.info != Info::Attached {
                frame.track.info = Info::Untracked;
            }
        }
        Target::Ttl { change, value } => change_ttl(frame, ip, *change, *value),
        Target::TcpMss(limit) => {
            let limit = limit.unwrap_or_else(|| clamp(world, at, ip));
            lower_mss(frame, ip, limit);
        }
        Target::Tos { value, mask, .. } => change_tos(frame, ip, ip.tos & !mask ^ value),
        // Nothing here looks at a packet's class or listens to the log's groups; sums are always computed.
        Target::Classify(_) | Target::Nflog(_) | Target::Checksum => {}
        // Nobody listens to a queue.
        Target::NfQueue(queue) => return if queue.bypass { Said::Accept } else { Said::Drop },
        Target::Trace => frame.traced = true,
        Target::Set(change) => {
            let packet = Around { world, at, frame, ip, conntrack: bench.conntrack };
            bench.sets.change(change, &packet);
        }
    }
    Said::Continue
}

/// xt_connmark.c
fn connmark(conntrack: &mut Conntrack, change: ConnMark, frame: &mut Frame) {
    let Some(connection) = conntrack.get_mut(frame.track) else { return };
    match change {
        ConnMark::Set { value, mask } => connection.mark = connection.mark & !mask ^ value,
        ConnMark::Save { packet_mask, connection_mask } => {
            connection.mark = connection.mark & !connection_mask ^ frame.mark & packet_mask;
        }
        ConnMark::Restore { packet_mask, connection_mask } => {
            frame.mark = frame.mark & !packet_mask ^ connection.mark & connection_mask;
        }
    }
}

/// `nf_nat_masquerade_ipv4`, `nf_nat_masquerade_ipv6`: the source is what the device it leaves by would choose.
pub(super) fn masquerade(
    range: &NatRange,
    bench: &mut Bench<'_>,
    world: &World,
    at: &At,
    ip: &Ip,
    frame: &Frame,
) -> Said {
    // Source and destination 0.0.0.0 are left alone: a DHCP client has no address yet.
    if ip.source.is_unspecified() {
        return Said::Accept;
    }
    let Some(output) = at.output else { return Said::Drop };
    let Some(device) = world.devs.get(output) else { return Said::Drop };
    let address: IpAddr = match ip.family {
        Family::Ipv4 => {
            let next_hop = match at.next_hop.unwrap_or(ip.destination) {
                IpAddr::V4(next_hop) => next_hop,
                IpAddr::V6(_) => return Said::Drop,
            };
            world.select_source(output, next_hop, 0).into()
        }
        Family::Ipv6 => {
            let IpAddr::V6(destination) = ip.destination else { return Said::Drop };
            // To an address of this host that is the address itself.
            match world.select_source6(at.ns, Some(output), destination) {
                Some(own) => own.into(),
                None => return Said::Drop,
            }
        }
    };
    if address.is_unspecified() {
        return Said::Drop;
    }
    let ifindex = device.ifindex;
    if let Some(connection) = bench.conntrack.get_mut(frame.track) {
        connection.masquerade = ifindex;
    }
    let range = NatRange { addresses: Some((address, address)), ..range.clone() };
    bench.conntrack.map(frame.track, &range, Side::Source, world.now, bench.random);
    Said::Accept
}

/// `nf_nat_redirect_ipv4`: to this host, on the device it came in by.
pub(super) fn redirect(
    range: &NatRange,
    bench: &mut Bench<'_>,
    world: &World,
    at: &At,
    ip: &Ip,
    frame: &Frame,
) -> Said {
    let own = at.hook == Hook::Output;
    let device = at.input.and_then(|dev| world.devs.get(dev));
    let address: Option<IpAddr> = match ip.family {
        Family::Ipv4 if own => Some(std::net::Ipv4Addr::LOCALHOST.into()),
        Family::Ipv6 if own => Some(std::net::Ipv6Addr::LOCALHOST.into()),
        Family::Ipv4 => {
            let primary = |own: &&crate::device::Ipv4Address| own.flags & crate::device::ifa::SECONDARY == 0;
            device.and_then(|device| device.ipv4.iter().find(primary)).map(|own| own.local.into())
        }
        // `nf_nat_redirect_ipv6`: an address of the destination's scope, the widest for one that is global.
        Family::Ipv6 => device.and_then(|device| {
            let on_link = matches!(ip.destination, IpAddr::V6(to) if to.is_unicast_link_local());
            let known = device.ipv6.iter().filter(|own| own.flags & crate::device::ifa::TENTATIVE == 0);
            let is_near = |own: &&crate::device::Ipv6Address| own.address.is_unicast_link_local();
            match on_link {
                true => known.clone().find(is_near),
                false => known.clone().find(|own| !is_near(own)).or_else(|| known.clone().next()),
            }
            .map(|own| own.address.into())
        }),
    };
    let Some(address) = address else { return Said::Drop };
    let range = NatRange { addresses: Some((address, address)), ..range.clone() };
    bench.conntrack.map(frame.track, &range, Side::Destination, world.now, bench.random);
    Said::Accept
}

/// An address with its network part replaced.
fn in_network(network: IpAddr, mask: IpAddr, address: IpAddr) -> Option<IpAddr> {
    Some(match (network, mask, address) {
        (IpAddr::V4(network), IpAddr::V4(mask), IpAddr::V4(address)) => {
            let mask = u32::from(mask);
            IpAddr::V4((u32::from(network) & mask | u32::from(address) & !mask).into())
        }
        (IpAddr::V6(network), IpAddr::V6(mask), IpAddr::V6(address)) => {
            let mask = u128::from(mask);
            IpAddr::V6((u128::from(network) & mask | u128::from(address) & !mask).into())
        }
        _ => return None,
    })
}

/// xt_HL.c
fn change_ttl(frame: &mut Frame, ip: &Ip, change: TtlChange, value: u8) {
    let ttl = match change {
        TtlChange::Set => value,
        TtlChange::Increase => ip.ttl.saturating_add(value),
        TtlChange::Decrease => ip.ttl.saturating_sub(value),
    };
    if ttl == ip.ttl {
        return;
    }
    let packet = frame.payload_mut();
    match ip.family {
        Family::Ipv4 => {
            if let Some(place) = packet.get_mut(8) {
                *place = ttl;
            }
            let Some(&[a, b]) = packet.get(10..).and_then(|rest| rest.first_chunk::<2>()) else { return };
            let word = |ttl: u8| u16::from_be_bytes([ttl, ip.protocol]);
            let sum = changed_checksum(u16::from_be_bytes([a, b]), word(ip.ttl), word(ttl));
            if let Some(place) = packet.get_mut(10..12) {
                place.copy_from_slice(&sum.to_be_bytes());
            }
        }
        Family::Ipv6 => {
            if let Some(place) = packet.get_mut(7) {
                *place = ttl;
            }
        }
    }
}

/// `ipv4_change_dsfield`, `ipv6_change_dsfield`
fn change_tos(frame: &mut Frame, ip: &Ip, tos: u8) {
    if tos == ip.tos {
        return;
    }
    let packet = frame.payload_mut();
    match (ip.family, packet.get(..12)) {
        (Family::Ipv4, Some(&[version, .., a, b])) => {
            let word = |tos: u8| u16::from_be_bytes([version, tos]);
            let sum = changed_checksum(u16::from_be_bytes([a, b]), word(ip.tos), word(tos));
            packet[1] = tos;
            packet[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        (Family::Ipv6, Some(_)) => {
            packet[0] = packet[0] & 0xf0 | tos >> 4;
            packet[1] = packet[1] & 0x0f | tos << 4;
        }
        _ => {}
    }
}

/// What the smaller MTU of the two devices leaves for a TCP segment (`tcpmss_mangle_packet`).
pub(super) fn clamp(world: &World, at: &At, ip: &Ip) -> u16 {
    let mtu = |dev: Option<crate::device::DevId>| {
        dev.and_then(|dev| world.devs.get(dev)).map_or(u32::from(u16::MAX), |device| device.mtu)
    };
    let headers = if ip.family == Family::Ipv4 { 40 } else { 60 };
    u16::try_from(mtu(at.output).min(mtu(at.input)).saturating_sub(headers)).unwrap_or(u16::MAX)
}

/// Where in a segment the option of its MSS stands, and what it says.
pub(super) fn mss(segment: &[u8]) -> Option<(usize, u16)> {
    const MSS: u8 = 2;
    let head = segment.first_chunk::<20>()?;
    let end = (usize::from(head[12] >> 4) * 4).min(segment.len());
    let mut at = 20;
    while at < end {
        let (kind, len) = (segment[at], segment.get(at + 1).copied().unwrap_or(0));
        match kind {
            0 => return None,
            1 => at += 1,
            MSS if len == 4 && at + 4 <= end => {
                return Some((at, u16::from_be_bytes([segment[at + 2], segment[at + 3]])));
            }
            _ if len < 2 => return None,
            _ => at += usize::from(len),
        }
    }
    None
}

/// Lowers the MSS option of a SYN.
pub(super) fn lower_mss(frame: &mut Frame, ip: &Ip, limit: u16) {
    if ip.protocol != protocol::TCP {
        return;
    }
    let segment = ip.payload(frame.payload());
    let Some((at, old)) = mss(segment) else { return };
    // Never raised.
    if old <= limit {
        return;
    }
    let sum = u16::from_be_bytes([segment[16], segment[17]]);
    let partial = frame.partial.is_due();
    // An option may lie across the words of the checksum.
    let sum = match at % 2 {
        0 => changed_checksum(sum, old, limit),
        _ => changed_checksum(sum, old.swap_bytes(), limit.swap_bytes()),
    };
    let segment = ip.payload_mut(frame.payload_mut());
    segment[at + 2..at + 4].copy_from_slice(&limit.to_be_bytes());
    if !partial {
        segment[16..18].copy_from_slice(&sum.to_be_bytes());
    }
}
