//! Reports of IPv4 group membership, version 3 (RFC 3376, net/ipv4/igmp.c): what a host says of itself when it
//! joins or leaves a group. There is no querier here, so nothing is ever asked.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::device::DevId;
use crate::frame::{ETH_LEN, ethertype};
use crate::mac::Mac;
use crate::time::Time;
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
/// Two ticks of a kernel with 250 of them a second (`igmp_ifc_start_timer`).
const FIRST_AFTER: Duration = Duration::from_millis(8);
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

/// A device's reports that are still to be sent.
#[derive(Clone, Debug, Default)]
pub struct Reports {
    /// Changes, each with the number of reports that will tell of it.
    changes: Vec<(Ipv4Addr, Change, u8)>,
    /// How many times the timer goes on after this one (`mr_ifc_count`).
    rounds: u8,
    /// When the next report is due.
    due: Option<Time>,
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
        reports.changes.retain(|(known, _, _)| *known != group);
        if reports.changes.len() < CHANGES_MAX {
            reports.changes.insert(0, (group, change, ROBUSTNESS));
        }
        // `igmp_ifc_event`
        let due = now + FIRST_AFTER;
        reports.rounds = ROBUSTNESS;
        if reports.due.replace(due) != Some(due) {
            self.timers.add(due, TimerEvent::GroupReport { dev });
        }
    }

    /// `ip_mc_up`: the groups of a device that has gone up are reported anew.
    pub(crate) fn report_groups(&mut self, dev: DevId) {
        let groups = self.devs.get(dev).map(|device| device.ipv4_groups.clone()).unwrap_or_default();
        for (group, _) in groups {
            self.report_group(dev, group, Change::Joined);
        }
    }

    /// `ip_mc_rejoin_groups`: every group is told anew, for the switch behind a link that takes over.
    pub(crate) fn rejoin_groups(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        if device.is_loopback() || !device.is_up() {
            return;
        }
        for (group, _) in device.ipv4_groups.clone() {
            if group != ALL_HOSTS {
                self.send_group_report(dev, &[(group, Change::Is)]);
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
        let next = now + Duration::from_micros(self.random_below(INTERVAL_US));
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
            self.timers.add(next, TimerEvent::GroupReport { dev });
        }
        if !records.is_empty() {
            self.send_group_report(dev, &records);
        }
    }

    /// `igmpv3_newpack`, `igmpv3_sendpack`
    fn send_group_report(&mut self, dev: DevId, records: &[(Ipv4Addr, Change)]) {
        let Some(device) = self.devs.get(dev) else { return };
        let mac = device.mac;
        // `igmpv3_get_srcaddr`
        let source = device.ipv4.first().map_or(Ipv4Addr::UNSPECIFIED, |address| address.local);
        let header_len = HEADER_LEN + ROUTER_ALERT.len();
        let body_len = RECORD_LEN * (records.len() + 1);
        let mut frame = self.pool.frame(ETH_LEN + header_len + body_len);
        self.name_frame(&mut frame);
        frame.set_header(Mac::of_ipv4_multicast(ALL_ROUTERS), mac, ethertype::IPV4);
        let header = Header {
            header_len,
            tos: 0xc0,
            total_len: header_len + body_len,
            id: 0,
            fragment: FLAG_DF,
            ttl: 1,
            protocol: protocol::IGMP,
            source,
            destination: ALL_ROUTERS,
        };
        let Some((_, packet)) = frame.bytes_mut().split_at_mut_checked(ETH_LEN) else { return };
        if let Some((head, body)) = packet.split_at_mut_checked(header_len) {
            if let Some(options) = head.get_mut(HEADER_LEN..) {
                options.copy_from_slice(&ROUTER_ALERT);
            }
            write_report(body, records);
        }
        header.write(packet);
        self.transmit(dev, frame);
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
