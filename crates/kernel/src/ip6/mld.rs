//! Multicast listener reports, version 2 (RFC 3810, net/ipv6/mcast.c): what a host says of itself when it joins
//! or leaves a group. What it says when it is asked is in [`super::mld_query`].

use std::net::Ipv6Addr;
use std::time::Duration;

use crate::device::{DevId, ifa};
use crate::frame::{ETH_LEN, ethertype};
use crate::ip6::event::Event6;
use crate::mac::Mac;
use crate::time::{Time, ticks};
use crate::world::{TimerEvent, World};

use super::address::{ALL_NODES, MLD_ROUTERS, is_link_local, scope};
use super::mld_query::Querier;
use super::{HEADER_LEN, Header, next, seal_icmp};

/// Ticks that the kernel adds to each delay.
const LATER_TICKS: u64 = 2;
/// `ICMPV6_MLD2_REPORT`
const REPORT: u8 = 143;
/// Hop-by-hop options: router alert for MLD (RFC 2711), padding.
const HOP_OPTIONS: [u8; 8] = [next::ICMP, 0, 5, 2, 0, 0, 1, 0];
/// Bytes of a report's header, and of a group record without sources.
const REPORT_LEN: usize = 8;
const RECORD_LEN: usize = 20;
/// Groups left that are still to be told of.
const LEFT_MAX: usize = 64;

/// The kind of a record (RFC 3810 §5.2.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Change {
    /// As it is: of this group everything is wanted (`MLD2_MODE_IS_EXCLUDE`).
    Is = 2,
    Left = 3,
    Joined = 4,
}

/// A group that a device listens to (`struct ifmcaddr6`).
#[derive(Clone, Debug)]
pub struct Group {
    pub address: Ipv6Addr,
    pub users: u32,
    /// The device takes frames to its MAC (`MAF_LOADED`): not from when a device that had IPv6 goes down, or loses that,
    /// until it has it again.
    is_loaded: bool,
    /// How many reports will still tell of it.
    changes: u8,
    /// When an answer to a query is due.
    pub(super) answer: Option<Time>,
    /// This host was the last to report it.
    pub(super) last_reporter: bool,
}

impl Group {
    /// `MAF_*`: an answer is due, the last to report, in the device's filter, not reported.
    pub fn flags(&self) -> u32 {
        let bit = |on: bool, bit: u32| if on { bit } else { 0 };
        bit(self.answer.is_some(), 1)
            | bit(self.last_reporter, 2)
            | bit(self.is_loaded, 4)
            | bit(!is_reported(self.address), 8)
    }

    /// How long until the answer that is due, in `USER_HZ` ticks.
    pub fn answer_in(&self, now: Time) -> u64 {
        self.answer.map_or(0, |at| (Time::ZERO + at.since(now)).ticks())
    }
}

/// A device's groups and the reports that are still to be sent.
#[derive(Clone, Debug, Default)]
pub struct Listener {
    /// The newest first.
    pub groups: Vec<Group>,
    left: Vec<(Ipv6Addr, u8)>,
    /// How many times the timer goes on after this one (`mc_ifc_count`).
    rounds: u8,
    due: Option<Time>,
    /// The same for the reports that follow duplicate address detection (`mc_dad_count`).
    initial_rounds: u8,
    initial_due: Option<Time>,
    /// From `ipv6_mc_up` to `ipv6_mc_down`.
    pub(crate) is_up: bool,
    pub(super) querier: Querier,
}

impl Listener {
    /// `mld_ifc_stop_work`, `mld_clear_delrec`: changes are not told any more.
    pub(super) fn forget_changes(&mut self) {
        (self.rounds, self.due) = (0, None);
        self.left.clear();
    }
}

impl World {
    /// `ipv6_dev_mc_inc`
    pub(crate) fn join_ipv6_group(&mut self, dev: DevId, group: Ipv6Addr) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        let listener = &mut device.inet6.listener;
        if let Some(known) = listener.groups.iter_mut().find(|known| known.address == group) {
            known.users += 1;
            return;
        }
        listener.left.retain(|(known, _)| *known != group);
        let is_loaded = is_heard(group);
        let joined =
            Group { address: group, users: 1, is_loaded, changes: 0, answer: None, last_reporter: false };
        listener.groups.insert(0, joined);
        if device.is_ethernet() && is_loaded {
            self.join_group(dev, Mac::of_ipv6_multicast(group));
        }
        self.group_added(dev, group);
        self.changed();
    }

    /// `__ipv6_dev_mc_dec`
    pub(crate) fn leave_ipv6_group(&mut self, dev: DevId, group: Ipv6Addr) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        let listener = &mut device.inet6.listener;
        let Some(at) = listener.groups.iter().position(|known| known.address == group) else { return };
        if listener.groups[at].users > 1 {
            listener.groups[at].users -= 1;
            return;
        }
        let Group { last_reporter, is_loaded, .. } = listener.groups.remove(at);
        if device.is_ethernet() && is_loaded {
            self.leave_group(dev, Mac::of_ipv6_multicast(group));
        }
        self.group_dropped(dev, group, last_reporter);
        self.changed();
    }

    pub(crate) fn listens_to(&self, dev: DevId, group: Ipv6Addr) -> bool {
        let groups = self.devs.get(dev).map(|device| &device.inet6.listener.groups);
        groups.is_some_and(|groups| groups.iter().any(|known| known.address == group))
    }

    /// `igmp6_group_added`: a change that reports tell of while the device is up.
    fn group_added(&mut self, dev: DevId, group: Ipv6Addr) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        if !device.is_up() || device.is_loopback() || !is_reported(group) {
            return;
        }
        if self.listens_in_version_1(dev) {
            return self.join_in_version_1(dev, group);
        }
        let Some(Listener { groups, querier, .. }) =
            self.devs.get_mut(dev).map(|device| &mut device.inet6.listener)
        else {
            return;
        };
        if let Some(known) = groups.iter_mut().find(|known| known.address == group) {
            known.changes = querier.robustness;
        }
        self.listener_changed(dev);
    }

    /// `igmp6_leave_group`
    fn group_dropped(&mut self, dev: DevId, group: Ipv6Addr, last_reporter: bool) {
        let version_1 = self.listens_in_version_1(dev);
        let Some(device) = self.devs.get_mut(dev) else { return };
        if device.is_loopback() || !is_reported(group) {
            return;
        }
        if version_1 {
            if last_reporter && device.is_up() {
                self.leave_in_version_1(dev, group);
            }
            return;
        }
        let Listener { left, querier, .. } = &mut device.inet6.listener;
        left.retain(|(known, _)| *known != group);
        if left.len() < LEFT_MAX {
            left.insert(0, (group, querier.robustness));
        }
        if device.is_up() {
            self.listener_changed(dev);
        }
    }

    /// `mld_ifc_event`: what changes within two ticks is told of in one report.
    fn listener_changed(&mut self, dev: DevId) {
        let due = self.now.timer(ticks(LATER_TICKS));
        let Some(device) = self.devs.get_mut(dev) else { return };
        let listener = &mut device.inet6.listener;
        listener.rounds = listener.querier.robustness;
        if listener.due.replace(due) != Some(due) {
            self.timers.add(due, TimerEvent::Ipv6(Event6::ListenerReport { dev }));
        }
    }

    /// `ipv6_mc_up`: every group is reported anew.
    pub(crate) fn report_ipv6_groups(&mut self, dev: DevId) {
        self.load_groups6(dev, true);
        let groups: Vec<Ipv6Addr> = match self.devs.get_mut(dev) {
            Some(device) => {
                device.inet6.listener.is_up = true;
                device.inet6.listener.querier = Querier::default();
                device.inet6.listener.groups.iter().map(|group| group.address).collect()
            }
            None => return,
        };
        for group in groups {
            if let Some(device) = self.devs.get_mut(dev) {
                device.inet6.listener.left.retain(|(known, _)| *known != group);
            }
            self.group_added(dev, group);
        }
    }

    /// `ipv6_mc_down`: nothing more is reported until the device goes up again.
    pub(crate) fn stop_ipv6_reports(&mut self, dev: DevId) {
        // Of a device that never had IPv6 its groups stay (`was_ready` of `addrconf_ifdown`).
        if self.devs.get(dev).is_some_and(|device| device.inet6.listener.is_up) {
            self.load_groups6(dev, false);
        }
        let Some(device) = self.devs.get_mut(dev) else { return };
        let listener = &mut device.inet6.listener;
        listener.is_up = false;
        (listener.rounds, listener.due) = (0, None);
        (listener.initial_rounds, listener.initial_due) = (0, None);
        listener.groups.iter_mut().for_each(|group| group.answer = None);
        listener.querier = Querier::default();
    }

    /// Puts the groups into the device's filter, or takes them out of it.
    fn load_groups6(&mut self, dev: DevId, loads: bool) {
        let Some(device) = self.devs.get_mut(dev) else { return };
        let ethernet = device.is_ethernet();
        let groups = device.inet6.listener.groups.iter_mut();
        let mut changed = Vec::new();
        for group in groups.filter(|group| is_heard(group.address) && group.is_loaded != loads) {
            group.is_loaded = loads;
            changed.push(Mac::of_ipv6_multicast(group.address));
        }
        for mac in changed.into_iter().filter(|_| ethernet) {
            match loads {
                true => self.join_group(dev, mac),
                false => drop(self.leave_group(dev, mac)),
            }
        }
    }

    /// `mld_ifc_work`
    pub(crate) fn listener_report_due(&mut self, dev: DevId) {
        let now = self.now;
        let next = self.next_report(dev);
        let Some(device) = self.devs.get_mut(dev) else { return };
        let listener = &mut device.inet6.listener;
        if listener.due.is_none_or(|due| due > now) {
            return;
        }
        let mut records: Vec<(Ipv6Addr, Change)> =
            listener.left.iter().map(|(group, _)| (*group, Change::Left)).collect();
        listener.left.iter_mut().for_each(|(_, times)| *times = times.saturating_sub(1));
        listener.left.retain(|(_, times)| *times > 0);
        for group in listener.groups.iter_mut().filter(|group| group.changes > 0) {
            group.changes -= 1;
            records.push((group.address, Change::Joined));
        }
        listener.due = None;
        listener.rounds = listener.rounds.saturating_sub(1);
        if listener.rounds > 0 {
            listener.due = Some(next);
            self.timers.add(next, TimerEvent::Ipv6(Event6::ListenerReport { dev }));
        }
        self.send_listener_report(dev, &records);
    }

    /// `ipv6_mc_dad_complete`: with a link-local address to send from, everything is said again.
    pub(crate) fn report_with_address(&mut self, dev: DevId) {
        if let Some(device) = self.devs.get_mut(dev) {
            let listener = &mut device.inet6.listener;
            listener.initial_rounds = listener.querier.robustness;
        }
        self.initial_report(dev);
    }

    pub(crate) fn initial_report_due(&mut self, dev: DevId) {
        let due = self.devs.get(dev).and_then(|device| device.inet6.listener.initial_due);
        if due.is_some_and(|due| due <= self.now) {
            self.initial_report(dev);
        }
    }

    /// `mld_dad_work`, `mld_send_initial_cr`
    fn initial_report(&mut self, dev: DevId) {
        let next = self.next_report(dev);
        let version_1 = self.listens_in_version_1(dev);
        let Some(device) = self.devs.get_mut(dev) else { return };
        let listener = &mut device.inet6.listener;
        let reported = listener.groups.iter().filter(|group| is_reported(group.address));
        let records: Vec<_> = reported.map(|group| (group.address, Change::Joined)).collect();
        listener.initial_due = None;
        listener.initial_rounds = listener.initial_rounds.saturating_sub(1);
        if listener.initial_rounds > 0 {
            listener.initial_due = Some(next);
            self.timers.add(next, TimerEvent::Ipv6(Event6::InitialReport { dev }));
        }
        if !version_1 {
            self.send_listener_report(dev, &records);
        }
    }

    /// The time of a report that is not the first (`unsolicited_report_interval`).
    fn next_report(&mut self, dev: DevId) -> Time {
        let interval_ms = self.conf6(dev, "mldv2_unsolicited_report_interval").max(1) as u64;
        let wait = Duration::from_micros(self.random_below(interval_ms.saturating_mul(1000)));
        self.now.timer(wait + ticks(LATER_TICKS))
    }

    /// `mld_newpack`, `mld_sendpack`
    pub(super) fn send_listener_report(&mut self, dev: DevId, records: &[(Ipv6Addr, Change)]) {
        let Some(device) = self.devs.get(dev) else { return };
        let room = (device.mtu as usize).saturating_sub(HEADER_LEN + HOP_OPTIONS.len() + REPORT_LEN);
        for part in records.chunks((room / RECORD_LEN).max(1)) {
            let len = REPORT_LEN + RECORD_LEN * part.len();
            self.send_listener_message(dev, REPORT, MLD_ROUTERS, len, |message| write_report(message, part));
        }
    }

    /// Sends a message that `write` writes, but for its checksum.
    pub(super) fn send_listener_message(
        &mut self,
        dev: DevId,
        kind: u8,
        destination: Ipv6Addr,
        message_len: usize,
        write: impl FnOnce(&mut [u8]),
    ) {
        // `ip6_output` discards what a device without IPv6 is to send.
        let Some(device) = self.devs.get(dev).filter(|device| !device.ipv6_disabled) else { return };
        let ns = device.ns;
        // `ipv6_get_lladdr` of what is not tentative; without one the unspecified address.
        let usable = |entry: &&crate::device::Ipv6Address| {
            is_link_local(entry.address) && entry.flags & ifa::TENTATIVE == 0
        };
        let source = device.ipv6.iter().find(usable).map_or(Ipv6Addr::UNSPECIFIED, |entry| entry.address);
        let payload_len = HOP_OPTIONS.len() + message_len;
        let mut frame = self.pool.frame(ETH_LEN + HEADER_LEN + payload_len);
        self.name_frame(&mut frame);
        frame.set_header(Mac::ZERO, Mac::ZERO, ethertype::IPV6);
        let header = Header {
            traffic_class: 0,
            flow_label: 0,
            payload_len,
            next_header: next::HOP,
            hop_limit: 1,
            source,
            destination,
        };
        let packet = frame.payload_mut();
        header.write(packet);
        if let Some((options, message)) =
            packet.get_mut(HEADER_LEN..).and_then(|rest| rest.split_at_mut_checked(HOP_OPTIONS.len()))
        {
            options.copy_from_slice(&HOP_OPTIONS);
            write(message);
            seal_icmp(source, destination, message);
        }
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters6.sent(HEADER_LEN + payload_len, true);
        }
        let Some(frame) = self.filter_word(ns, dev, destination.into(), frame) else { return };
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.counters6.count_icmp_out(kind);
        }
        self.neigh_output(dev, destination, frame);
    }
}

/// Groups of the interface alone are not heard on the link.
fn is_heard(group: Ipv6Addr) -> bool {
    scope(group) >= 2
}

/// All nodes need no report (RFC 3810 §6).
pub(super) fn is_reported(group: Ipv6Addr) -> bool {
    is_heard(group) && group != ALL_NODES
}

/// A report without sources in its records (RFC 3810 §5.2).
fn write_report(message: &mut [u8], records: &[(Ipv6Addr, Change)]) {
    message.fill(0);
    let Some((head, body)) = message.split_at_mut_checked(REPORT_LEN) else { return };
    head[0] = REPORT;
    head[6..].copy_from_slice(&(records.len() as u16).to_be_bytes());
    for (record, (group, change)) in body.chunks_exact_mut(RECORD_LEN).zip(records) {
        record[0] = *change as u8;
        record[4..].copy_from_slice(&group.octets());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_a_group_joined_and_one_left() {
        let mut message = [9; 48];
        let groups = ["ff02::1:ff00:1".parse().unwrap(), "ff02::6a".parse().unwrap()];
        write_report(&mut message, &[(groups[0], Change::Left), (groups[1], Change::Joined)]);
        assert_eq!(message[..8], [143, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!((message[8], message[12], message[27]), (3, 0xff, 1));
        assert_eq!((message[28], message[47]), (4, 0x6a));
    }

    #[test]
    fn groups_of_all_nodes_are_not_reported() {
        assert!(!is_reported(ALL_NODES));
        assert!(!is_reported("ff01::2".parse().unwrap()));
        assert!(is_reported("ff02::2".parse().unwrap()));
    }
}
