//! Answers to those who ask for multicast listeners (RFC 2710, RFC 3810 §6, net/ipv6/mcast.c). While one of them
//! speaks version 1, this host does too.

use std::net::Ipv6Addr;
use std::time::Duration;

use hairpin_wire::snoop;

use crate::device::DevId;
use crate::ip6::event::Event6;
use crate::time::{Time, ticks};
use crate::world::{TimerEvent, World};

use super::address::{ALL_ROUTERS, is_link_local};
use super::mld::{Change, is_reported};

/// `ICMPV6_MGM_REPORT`, `ICMPV6_MGM_REDUCTION`
const REPORT_V1: u8 = 131;
const DONE_V1: u8 = 132;
/// Bytes of a message of version 1, and of the least query of version 2.
const V1_LEN: usize = 24;
const V2_LEN: usize = 28;
/// `MLD_QRV_DEFAULT` (RFC 3810 §9.1)
const ROBUSTNESS: u8 = 2;
/// Ticks that the kernel adds before it answers for all groups.
const LATER_TICKS: u64 = 2;
/// `MLDV1_MRD_MAX_COMPAT`: the longest delay that a query of version 2 may tell a host of version 1.
const DELAY_COMPATIBLE_MAX: Duration = Duration::from_millis((1 << 15) - 1);

/// What a device knows of those who ask (`mc_qrv`, `mc_qi`, `mc_qri`, `mc_v1_seen` of `struct inet6_dev`).
#[derive(Clone, Debug)]
pub struct Querier {
    /// How often a change is reported.
    pub robustness: u8,
    interval: Duration,
    response: Duration,
    version_1_until: Option<Time>,
    /// When the answer for all groups is due.
    general: Option<Time>,
}

impl Default for Querier {
    /// `ipv6_mc_reset`: RFC 3810 §9.
    fn default() -> Querier {
        Querier {
            robustness: ROBUSTNESS,
            interval: Duration::from_secs(125),
            response: Duration::from_secs(10),
            version_1_until: None,
            general: None,
        }
    }
}

/// A query (RFC 2710 §3, RFC 3810 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Query {
    group: Ipv6Addr,
    response: Duration,
    /// Of version 2: robustness, the query interval, and whether it names sources.
    newer: Option<(u8, Duration, bool)>,
}

impl Query {
    fn parse(message: &[u8]) -> Option<Query> {
        let head = message.first_chunk::<V1_LEN>()?;
        let group = Ipv6Addr::from(*head.last_chunk::<16>()?);
        let code = u64::from(u16::from_be_bytes([head[4], head[5]]));
        if message.len() == V1_LEN {
            return Some(Query { group, response: Duration::from_millis(code), newer: None });
        }
        let tail = message.get(V1_LEN..V2_LEN)?;
        let interval = Duration::from_secs(snoop::floating(tail[1].into(), 4, 3));
        let newer = Some((tail[0] & 7, interval, tail[2..4] != [0, 0]));
        Some(Query { group, response: Duration::from_millis(snoop::floating(code, 12, 3)), newer })
    }
}

impl World {
    /// `mld_in_v1_mode`
    pub(super) fn listens_in_version_1(&self, dev: DevId) -> bool {
        match self.forced_version(dev) {
            0 => {
                let until =
                    self.devs.get(dev).and_then(|device| device.inet6.listener.querier.version_1_until);
                until.is_some_and(|until| until > self.now)
            }
            version => version == 1,
        }
    }

    /// `mld_force_mld_version`
    fn forced_version(&self, dev: DevId) -> i64 {
        const KEY: &str = "force_mld_version";
        match self.conf6_of_all(dev, KEY) {
            0 => self.conf6(dev, KEY),
            all => all,
        }
    }

    /// `__mld_query_work`: somebody asks for listeners, of all groups or of one.
    pub(super) fn listener_query(&mut self, dev: DevId, from: Ipv6Addr, message: &[u8]) {
        let Some(query) = Query::parse(message).filter(|_| is_link_local(from)) else { return };
        let general = query.group.is_unspecified();
        if !general && !query.group.is_multicast() {
            return;
        }
        let (now, forced) = (self.now, self.forced_version(dev));
        let Some(device) = self.devs.get_mut(dev) else { return };
        let listener = &mut device.inet6.listener;
        let querier = &mut listener.querier;
        let response = match query.newer {
            Some((robustness, interval, sources)) if forced != 1 => {
                if robustness > 0 {
                    querier.robustness = robustness.max(ROBUSTNESS);
                }
                (querier.interval, querier.response) = (interval, query.response);
                if general && !sources {
                    return self.answer_for_all(dev, query.response);
                }
                if general {
                    return;
                }
                query.response
            }
            _ if forced == 2 => return,
            newer => {
                // `mld_set_v1_mode` (RFC 3810 §9.12): what was to be said in version 2 is not said any more.
                let interval = querier.interval * u32::from(querier.robustness);
                querier.version_1_until = Some(now + interval + querier.response);
                querier.general = None;
                listener.forget_changes();
                match newer {
                    Some(_) => query.response.min(DELAY_COMPATIBLE_MAX),
                    None => query.response,
                }
            }
        };
        let Some(device) = self.devs.get(dev) else { return };
        let groups = device.inet6.listener.groups.iter().map(|group| group.address);
        let asked: Vec<Ipv6Addr> = groups.filter(|group| general || *group == query.group).collect();
        for group in asked {
            self.answer_later(dev, group, response);
        }
    }

    /// `mld_gq_start_work`
    fn answer_for_all(&mut self, dev: DevId, response: Duration) {
        let wait = Duration::from_micros(self.random_below(response.as_micros() as u64));
        let at = self.now.timer(wait + ticks(LATER_TICKS));
        if let Some(device) = self.devs.get_mut(dev) {
            device.inet6.listener.querier.general = Some(at);
            self.timers.add(at, TimerEvent::Ipv6(Event6::ListenerAnswer { dev }));
        }
    }

    /// `igmp6_group_queried`: at a time of chance, or when an answer is to come anyway and that is sooner.
    fn answer_later(&mut self, dev: DevId, group: Ipv6Addr, response: Duration) {
        if !is_reported(group) {
            return;
        }
        let at = self.now.timer(Duration::from_micros(self.random_below(response.as_micros() as u64)));
        let limit = self.now + response;
        let Some(device) = self.devs.get_mut(dev) else { return };
        let known = device.inet6.listener.groups.iter_mut().find(|known| known.address == group);
        let Some(known) = known.filter(|known| known.answer.is_none_or(|due| due >= limit)) else { return };
        known.answer = Some(at);
        self.timers.add(at, TimerEvent::Ipv6(Event6::ListenerAnswer { dev }));
    }

    /// `mld_gq_work`, `mld_mca_work`
    pub(crate) fn listener_answers_due(&mut self, dev: DevId) {
        let now = self.now;
        let version_1 = self.listens_in_version_1(dev);
        let Some(device) = self.devs.get_mut(dev) else { return };
        let listener = &mut device.inet6.listener;
        if listener.querier.general.take_if(|due| *due <= now).is_some() {
            let reported = listener.groups.iter().filter(|group| is_reported(group.address));
            let records: Vec<_> = reported.map(|group| (group.address, Change::Is)).collect();
            if !records.is_empty() {
                self.send_listener_report(dev, &records);
            }
        }
        let Some(device) = self.devs.get_mut(dev) else { return };
        let mut due = Vec::new();
        for group in &mut device.inet6.listener.groups {
            if group.answer.take_if(|at| *at <= now).is_some() {
                group.last_reporter = true;
                due.push(group.address);
            }
        }
        for group in due {
            match version_1 {
                true => self.send_version_1(dev, REPORT_V1, group, group),
                false => self.send_listener_report(dev, &[(group, Change::Is)]),
            }
        }
    }

    /// `__mld_report_work`: another host has answered for a group on the link.
    pub(super) fn listener_report_heard(&mut self, dev: DevId, from: Ipv6Addr, message: &[u8]) {
        let group = message.first_chunk::<V1_LEN>().and_then(|message| message.last_chunk::<16>());
        let Some(group) = group.filter(|_| from.is_unspecified() || is_link_local(from)) else { return };
        let group = Ipv6Addr::from(*group);
        let Some(device) = self.devs.get_mut(dev) else { return };
        let groups = &mut device.inet6.listener.groups;
        if let Some(known) = groups.iter_mut().find(|known| known.address == group) {
            known.answer = None;
            known.last_reporter = false;
        }
    }

    /// `igmp6_join_group`: a report at once, and another later.
    pub(super) fn join_in_version_1(&mut self, dev: DevId, group: Ipv6Addr) {
        self.send_version_1(dev, REPORT_V1, group, group);
        let interval_ms = self.conf6(dev, "mldv1_unsolicited_report_interval").max(1) as u64;
        let wait = Duration::from_micros(self.random_below(interval_ms.saturating_mul(1000)));
        let at = self.now.timer(wait);
        let Some(device) = self.devs.get_mut(dev) else { return };
        if let Some(known) = device.inet6.listener.groups.iter_mut().find(|known| known.address == group) {
            known.last_reporter = true;
            known.answer.get_or_insert(at);
            self.timers.add(at, TimerEvent::Ipv6(Event6::ListenerAnswer { dev }));
        }
    }

    /// `igmp6_leave_group`
    pub(super) fn leave_in_version_1(&mut self, dev: DevId, group: Ipv6Addr) {
        self.send_version_1(dev, DONE_V1, group, ALL_ROUTERS);
    }

    /// `igmp6_send`
    fn send_version_1(&mut self, dev: DevId, kind: u8, group: Ipv6Addr, to: Ipv6Addr) {
        self.send_listener_message(dev, kind, to, V1_LEN, |message| {
            message.fill(0);
            message[0] = kind;
            message[8..].copy_from_slice(&group.octets());
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(len: usize) -> Vec<u8> {
        let mut message = vec![0; len];
        message[0] = 130;
        message[8] = 0xff;
        message[23] = 5;
        message
    }

    #[test]
    fn the_length_tells_the_version() {
        let mut message = query(V1_LEN);
        message[4..6].copy_from_slice(&9000u16.to_be_bytes());
        let group = "ff00::5".parse().unwrap();
        let response = Duration::from_secs(9);
        assert_eq!(Query::parse(&message), Some(Query { group, response, newer: None }));
        assert_eq!(Query::parse(&query(V1_LEN)[..V1_LEN - 1]), None);
        assert_eq!(Query::parse(&query(V2_LEN - 1)), None);
        let mut message = query(V2_LEN + 16);
        message[4..6].copy_from_slice(&0x8001u16.to_be_bytes());
        (message[24], message[25], message[27]) = (3, 0x81, 1);
        let response = Duration::from_millis(0x1001 << 3);
        let newer = Some((3, Duration::from_secs(0x11 << 3), true));
        assert_eq!(Query::parse(&message), Some(Query { group, response, newer }));
    }
}
