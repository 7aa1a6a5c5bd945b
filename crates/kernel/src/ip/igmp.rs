//! Reports of IPv4 group membership (RFC 3376, net/ipv4/igmp.c): what a host says of itself when it joins or leaves
//! a group, and when a querier asks. It speaks version 3 unless the querier speaks an older one.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use hairpin_wire::snoop::{Message, Packet, read_ipv4};

use crate::device::DevId;
use crate::frame::{ETH_LEN, Frame, ethertype};
use crate::mac::Mac;
use crate::route::RouteKind;
use crate::time::{Time, ticks};
use crate::world::{TimerEvent, World};

use super::{FLAG_DF, HEADER_LEN, Header, checksum, protocol};

/// 224.0.0.1, which is never reported.
const ALL_HOSTS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);
/// 224.0.0.22, all routers that understand version 3.
const ALL_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 22);
/// How often a change is reported (`sysctl_igmp_qrv`, RFC 3376 §8.1).
const ROBUSTNESS: u8 = 2;
/// `IGMP_V3_UNSOLICITED_REPORT_INTERVAL` in microseconds.
const INTERVAL_US: u64 = 1_000_000;
/// Ticks that the kernel adds to each delay (`igmp_ifc_start_timer`).
const LATER_TICKS: u64 = 2;
/// `IGMPV3_HOST_MEMBERSHIP_REPORT`
const REPORT: u8 = 0x22;
/// `IPOPT_RA`
const ROUTER_ALERT: [u8; 4] = [0x94, 4, 0, 0];
/// Bytes of a report's header, and of a group record without sources.
const RECORD_LEN: usize = 8;
/// Most changes that a device keeps for its reports.
const CHANGES_MAX: usize = 64;

/// The kind of a group record (RFC 3376 §4.2.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Change {
    /// As it is: of this group everything is wanted (`MODE_IS_EXCLUDE`).
    Is = 2,
    Left = 3,
    Joined = 4,
}

/// Messages of version 2 (RFC 2236), and the report of version 1.
const REPORT_V1: u8 = 0x12;
const REPORT_V2: u8 = 0x16;
const LEAVE_V2: u8 = 0x17;
/// 224.0.0.2, who is told that a group is left.
const ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 2);
/// How long an older querier counts as present: twice the query interval and its response (RFC 3376 §8.12).
const OLDER_QUERIER: Duration = Duration::from_secs(260);
/// `IGMP_V2_UNSOLICITED_REPORT_INTERVAL` in microseconds.
const INTERVAL_V2_US: u64 = 10_000_000;

/// A device's reports that are still to be sent.
#[derive(Clone, Debug, Default)]
pub struct Reports {
    /// Changes, each with the number of reports that will tell of it.
    changes: Vec<(Ipv4Addr, Change, u8)>,
    /// How many times the timer goes on after this one (`mr_ifc_count`).
    rounds: u8,
    /// When the next report is due.
    due: Option<Time>,
    /// Until when the querier speaks version 1, or 2.
    older: [Option<Time>; 2],
    /// Answers to come: each with its group, its time, and how many more follow it unasked.
    answers: Vec<(Ipv4Addr, Time, u8)>,
    /// When the answer for all groups is due.
    general: Option<Time>,
    /// Groups that this host was the last to report in version 2.
    reported: Vec<Ipv4Addr>,
}

impl Reports {
    /// `IGMP_V1_SEEN`, `IGMP_V2_SEEN`: the version in which reports are made.
    fn version(&self, now: Time) -> u8 {
        let seen = |until: Option<Time>| until.is_some_and(|at| at > now);
        match self.older {
            [first, _] if seen(first) => 1,
            [_, second] if seen(second) => 2,
            _ => 3,
        }
    }
}

impl World {
    /// `igmp_group_added`, `igmp_group_dropped`: a change that reports tell of while the device is up.
    pub(crate) fn report_group(&mut self, dev: DevId, group: Ipv4Addr, change: Change) {
        let now = self.now;
        let Some(device) = self.devs.get_mut(dev) else { return };
        if group == ALL_HOSTS || device.is_loopback() || !device.is_up() {
            return;
        }
        let reports = &mut device.igmp;
        let version = reports.version(now);
        if version < 3 {
            return self.report_group_v2(dev, group, change, version);
        }
        reports.answers.retain(|(known, _, _)| *known != group);
        reports.changes.retain(|(known, _, _)| *known != group);
        if reports.changes.len() < CHANGES_MAX {
            reports.changes.insert(0, (group, change, ROBUSTNESS));
        }
        // `igmp_ifc_event`
        let due = now.timer(ticks(LATER_TICKS));
        reports.rounds = ROBUSTNESS;
        if reports.due.replace(due) != Some(due) {
            self.timers.add_on_wheel(now, due, TimerEvent::GroupReport { dev });
        }
    }

    /// `ip_mc_up`: the groups of a device that has gone up are reported anew.
    pub(crate) fn report_groups(&mut self, dev: DevId) {
        let groups = self.devs.get(dev).map(|device| device.ipv4_groups.clone()).unwrap_or_default();
        for group in groups {
            self.report_group(dev, group.address, Change::Joined);
        }
    }

    /// `ip_mc_rejoin_groups`: every group is told anew, for the switch behind a link that takes over.
    pub(crate) fn rejoin_groups(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        if device.is_loopback() || !device.is_up() {
            return;
        }
        for group in device.ipv4_groups.clone() {
            if group.address != ALL_HOSTS {
                self.send_group_report(dev, &[(group.address, Change::Is)]);
            }
        }
    }

    /// `ip_mc_down`: nothing more is reported.
    pub(crate) fn stop_reports(&mut self, dev: DevId) {
        if let Some(device) = self.devs.get_mut(dev) {
            device.igmp = Reports::default();
        }
    }

    /// `igmp_ifc_timer_expire`
    pub(crate) fn group_report_due(&mut self, dev: DevId) {
        let now = self.now;
        let wait = Duration::from_micros(self.random_below(INTERVAL_US)) + ticks(LATER_TICKS);
        let next = now.timer(wait);
        self.group_answers_due(dev);
        let Some(device) = self.devs.get_mut(dev) else { return };
        if device.igmp.due.is_none_or(|due| due > now) {
            return;
        }
        let records: Vec<(Ipv4Addr, Change)> =
            device.igmp.changes.iter().map(|(group, change, _)| (*group, *change)).collect();
        for (_, _, times) in &mut device.igmp.changes {
            *times = times.saturating_sub(1);
        }
        device.igmp.changes.retain(|(_, _, times)| *times > 0);
        device.igmp.due = None;
        if device.igmp.rounds > 0 {
            device.igmp.rounds -= 1;
            device.igmp.due = Some(next);
            self.timers.add_on_wheel(now, next, TimerEvent::GroupReport { dev });
        }
        if !records.is_empty() {
            self.send_group_report(dev, &records);
        }
    }

    /// The same while the querier speaks an older version: a report at once and another later, or word of leaving
    /// from the last who reported.
    fn report_group_v2(&mut self, dev: DevId, group: Ipv4Addr, change: Change, version: u8) {
        let now = self.now;
        let Some(reports) = self.devs.get_mut(dev).map(|device| &mut device.igmp) else { return };
        reports.answers.retain(|(known, _, _)| *known != group);
        if change == Change::Left {
            let was = reports.reported.len();
            reports.reported.retain(|known| *known != group);
            if version == 2 && reports.reported.len() < was {
                self.send_group_message(dev, LEAVE_V2, group, ROUTERS);
            }
            return;
        }
        if reports.answers.len() < CHANGES_MAX {
            reports.answers.push((group, now, ROBUSTNESS));
        }
        self.timers.add(now, TimerEvent::GroupReport { dev });
    }

    /// `igmp_rcv`: what others say of groups, and what a querier asks.
    pub(super) fn igmp_receive(&mut self, dev: DevId, frame: Frame) {
        if let Packet::Message(message) = read_ipv4(frame.payload()) {
            match message {
                Message::Query { group, response, version, .. } => {
                    let group = match group {
                        Some(IpAddr::V4(group)) => Some(group),
                        _ => None,
                    };
                    self.group_query(dev, group, response, version);
                }
                Message::Report(IpAddr::V4(group)) => {
                    // `igmp_heard_report`: somebody else has answered.
                    if let Some(reports) = self.devs.get_mut(dev).map(|device| &mut device.igmp) {
                        reports.answers.retain(|(known, _, _)| *known != group);
                        reports.reported.retain(|known| *known != group);
                    }
                }
                _ => {}
            }
        }
        self.consume(frame);
    }

    /// `igmp_heard_query`: answers come at a time of chance.
    fn group_query(&mut self, dev: DevId, group: Option<Ipv4Addr>, response: Duration, version: u8) {
        let now = self.now;
        let most = u64::try_from(response.as_micros()).unwrap_or(u64::MAX).max(1);
        let Some(device) = self.devs.get_mut(dev) else { return };
        let groups: Vec<Ipv4Addr> = device
            .ipv4_groups
            .iter()
            .rev()
            .map(|known| known.address)
            .filter(|known| *known != ALL_HOSTS && group.is_none_or(|group| group == *known))
            .collect();
        let reports = &mut device.igmp;
        if version < 3 {
            if let Some(older) = reports.older.get_mut(usize::from(version) - 1) {
                *older = Some(now + OLDER_QUERIER);
            }
            // Changes of version 3 are not told any more.
            reports.changes.clear();
            reports.due = None;
            reports.rounds = 0;
        } else if group.is_none() && reports.version(now) == 3 {
            let at = now + Duration::from_micros(self.random_below(most));
            let Some(reports) = self.devs.get_mut(dev).map(|device| &mut device.igmp) else { return };
            if reports.general.is_none_or(|known| known > at) {
                reports.general = Some(at);
                self.timers.add(at, TimerEvent::GroupReport { dev });
            }
            return;
        }
        for group in groups {
            let at = now + Duration::from_micros(self.random_below(most));
            let Some(reports) = self.devs.get_mut(dev).map(|device| &mut device.igmp) else { return };
            let full = reports.answers.len() >= CHANGES_MAX;
            match reports.answers.iter_mut().find(|(known, _, _)| *known == group) {
                // `igmp_mod_timer`: one that comes sooner stays.
                Some((_, known, _)) if *known <= at => continue,
                Some((_, known, _)) => *known = at,
                None if full => continue,
                None => reports.answers.push((group, at, 0)),
            }
            self.timers.add(at, TimerEvent::GroupReport { dev });
        }
    }

    /// `igmp_timer_expire`, `igmp_gq_timer_expire`
    fn group_answers_due(&mut self, dev: DevId) {
        let now = self.now;
        let Some(device) = self.devs.get_mut(dev) else { return };
        let version = device.igmp.version(now);
        if device.igmp.general.take_if(|at| *at <= now).is_some() {
            let groups = device.ipv4_groups.iter().rev().map(|group| group.address);
            let records: Vec<(Ipv4Addr, Change)> =
                groups.filter(|group| *group != ALL_HOSTS).map(|group| (group, Change::Is)).collect();
            if !records.is_empty() {
                self.send_group_report(dev, &records);
            }
        }
        let Some(reports) = self.devs.get_mut(dev).map(|device| &mut device.igmp) else { return };
        let mut due = Vec::new();
        reports.answers.retain(|(group, at, more)| {
            let is_due = *at <= now;
            if is_due {
                due.push((*group, *more));
            }
            !is_due
        });
        for (group, more) in due {
            if more > 1 {
                let at = now + Duration::from_micros(self.random_below(INTERVAL_V2_US));
                if let Some(device) = self.devs.get_mut(dev) {
                    device.igmp.answers.push((group, at, more - 1));
                }
                self.timers.add(at, TimerEvent::GroupReport { dev });
            }
            if let Some(reports) = self.devs.get_mut(dev).map(|device| &mut device.igmp)
                && !reports.reported.contains(&group)
            {
                reports.reported.push(group);
            }
            match version {
                1 => self.send_group_message(dev, REPORT_V1, group, group),
                2 => self.send_group_message(dev, REPORT_V2, group, group),
                _ => self.send_group_report(dev, &[(group, Change::Is)]),
            }
        }
    }

    /// `igmp_send_report`: a message of version 1 or 2.
    fn send_group_message(&mut self, dev: DevId, kind: u8, group: Ipv4Addr, to: Ipv4Addr) {
        let mut body = [0; RECORD_LEN];
        body[0] = kind;
        body[4..].copy_from_slice(&group.octets());
        let sum = checksum(&body);
        body[2..4].copy_from_slice(&sum.to_be_bytes());
        self.send_igmp(dev, to, body.len(), |packet| packet.copy_from_slice(&body));
    }

    /// `igmpv3_newpack`, `igmpv3_sendpack`
    fn send_group_report(&mut self, dev: DevId, records: &[(Ipv4Addr, Change)]) {
        let body_len = RECORD_LEN * (records.len() + 1);
        self.send_igmp(dev, ALL_ROUTERS, body_len, |body| write_report(body, records));
    }

    /// Sends a message that `write` writes.
    fn send_igmp(&mut self, dev: DevId, to: Ipv4Addr, body_len: usize, write: impl FnOnce(&mut [u8])) {
        let Some(device) = self.devs.get(dev) else { return };
        // `igmpv3_get_srcaddr`
        let source = device.ipv4.first().map_or(Ipv4Addr::UNSPECIFIED, |address| address.local);
        let ns = device.ns;
        let header_len = HEADER_LEN + ROUTER_ALERT.len();
        let mut frame = self.pool.frame(ETH_LEN + header_len + body_len);
        self.name_frame(&mut frame);
        frame.set_header(Mac::ZERO, Mac::ZERO, ethertype::IPV4);
        let header = Header {
            header_len,
            tos: 0xc0,
            total_len: header_len + body_len,
            id: 0,
            fragment: FLAG_DF,
            ttl: 1,
            protocol: protocol::IGMP,
            source,
            destination: to,
        };
        let Some((_, packet)) = frame.bytes_mut().split_at_mut_checked(ETH_LEN) else { return };
        if let Some((head, body)) = packet.split_at_mut_checked(header_len) {
            if let Some(options) = head.get_mut(HEADER_LEN..) {
                options.copy_from_slice(&ROUTER_ALERT);
            }
            write(body);
        }
        header.write(packet);
        if let Some(frame) = self.filter_word(ns, dev, to.into(), frame) {
            // `ip_mc_output`
            if let Some(netns) = self.netns.get_mut(ns) {
                netns.counters.out_requests += 1;
                netns.counters.carried.left(frame.payload().len());
                netns.counters.carried.sends(RouteKind::Multicast, frame.payload().len());
            }
            self.neigh_output(dev, to, frame);
        }
    }
}

/// A report without sources in its records (RFC 3376 §4.2).
fn write_report(body: &mut [u8], records: &[(Ipv4Addr, Change)]) {
    body.fill(0);
    for (at, record) in body.chunks_exact_mut(RECORD_LEN).enumerate() {
        match at.checked_sub(1).and_then(|at| records.get(at)) {
            Some((group, change)) => {
                record[0] = *change as u8;
                record[4..].copy_from_slice(&group.octets());
            }
            None => {
                record[0] = REPORT;
                record[6..].copy_from_slice(&(records.len() as u16).to_be_bytes());
            }
        }
    }
    let sum = checksum(body);
    if let Some(field) = body.get_mut(2..4) {
        field.copy_from_slice(&sum.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One record of type "changed to exclude", no sources (RFC 3376 §4.2): what a bridge that goes up sends.
    #[test]
    fn a_report_of_one_group() {
        let mut body = [0; 16];
        write_report(&mut body, &[(Ipv4Addr::new(224, 0, 0, 106), Change::Joined)]);
        assert_eq!(body[..8], [0x22, 0, 0xf9, 0x93, 0, 0, 0, 1]);
        assert_eq!(body[8..], [4, 0, 0, 0, 224, 0, 0, 106]);
        assert_eq!(checksum(&body), 0);
    }
}
