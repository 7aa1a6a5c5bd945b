//! The tables of neighbours and their parameters: dumps of `RTM_GETNEIGHTBL`, changes by `RTM_SETNEIGHTBL`
//! (net/core/neighbour.c).
//! What Linux keeps of its hash tables (`NDTA_CONFIG`, `NDTA_STATS`) there is nothing of here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::neighbour_table::{
    NeighbourTableAttribute, NeighbourTableMessage, NeighbourTableParameter,
};
use hairpin_netlink::{Errno, Failure, Message};

use crate::netns::NsId;
use crate::sysctl::NeighParams;
use crate::world::World;

use super::Dump;

/// The tables by family, with an address of theirs.
const TABLES: [(AddressFamily, &str, IpAddr); 2] = [
    (AddressFamily::Inet, "arp_cache", IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
    (AddressFamily::Inet6, "ndisc_cache", IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
];

impl World {
    /// Each table with its default parameters, then those of the devices, the newest first.
    pub(super) fn dump_neighbour_tables(&mut self, ns: NsId, request: &NeighbourTableMessage) -> Dump {
        let wanted = request.header.family;
        let mut messages = Vec::new();
        for (family, name, any) in TABLES {
            if wanted != AddressFamily::Unspec && wanted != family {
                continue;
            }
            let mut message = |attributes| {
                let mut message = NeighbourTableMessage::default();
                message.header.family = family;
                message.attributes = attributes;
                messages.push(Message::NewNeighbourTable(message));
            };
            // The thresholds are the kernel's, and so in its first namespace.
            let ipv6 = any.is_ipv6();
            let value = |key| self.neigh_table_value(ns, ipv6, key);
            let [low, middle, high] = ["gc_thresh1", "gc_thresh2", "gc_thresh3"].map(|key| value(key) as u32);
            let interval = u64::try_from(value("gc_interval")).unwrap_or(0);
            message(vec![
                NeighbourTableAttribute::Name(name.to_owned()),
                NeighbourTableAttribute::GcInterval(interval),
                NeighbourTableAttribute::Threshold1(low),
                NeighbourTableAttribute::Threshold2(middle),
                NeighbourTableAttribute::Threshold3(high),
                NeighbourTableAttribute::Parms(self.neighbour_parameters(ns, 0, any, 1)),
            ]);
            let order = self.netns.get(ns).map(|netns| netns.order.clone()).unwrap_or_default();
            for dev in order.into_iter().rev() {
                let Some(ifindex) = self.devs.get(dev).map(|device| device.ifindex) else { continue };
                let known = self.netns.get(ns).map_or(0, |netns| {
                    let entries = netns.neighbours(any).dump();
                    entries.iter().filter(|((of, _), _)| *of == ifindex).count()
                });
                let users = u32::try_from(known).unwrap_or(u32::MAX).saturating_add(1);
                message(vec![
                    NeighbourTableAttribute::Name(name.to_owned()),
                    NeighbourTableAttribute::Parms(self.neighbour_parameters(ns, ifindex, any, users)),
                ]);
            }
        }
        Dump { messages, filtered: false }
    }

    /// `neightbl_set`. What is said of parameters is done, though the rest may be refused.
    ///
    /// # Errors
    /// `EINVAL`: no table is named; `ENOENT`: there is none of that name, no parameters of such a device (those of the
    /// table itself are the first namespace's), or the numbers are another namespace's.
    pub(super) fn set_neighbour_table(
        &mut self,
        ns: NsId,
        request: &NeighbourTableMessage,
    ) -> Result<(), Failure> {
        use NeighbourTableAttribute as A;
        let mut name = None;
        let mut numbers: Vec<(&str, i64)> = Vec::new();
        let mut parameters: &[NeighbourTableParameter] = &[];
        for attribute in &request.attributes {
            match attribute {
                A::Name(given) => name = Some(given.as_str()),
                A::Threshold1(value) => numbers.push(("gc_thresh1", i64::from(*value))),
                A::Threshold2(value) => numbers.push(("gc_thresh2", i64::from(*value))),
                A::Threshold3(value) => numbers.push(("gc_thresh3", i64::from(*value))),
                A::GcInterval(ms) => numbers.push(("gc_interval", i64::try_from(*ms).unwrap_or(i64::MAX))),
                A::Parms(given) => parameters = given,
                _ => {}
            }
        }
        let name = name.ok_or(Errno::EINVAL)?;
        let wanted = request.header.family;
        let table = TABLES.into_iter().find(|(family, known, _)| {
            *known == name && matches!(wanted, f if f == *family || f == AddressFamily::Unspec)
        });
        let ipv6 = table.ok_or(Errno::ENOENT)?.2.is_ipv6();
        let host = self.netns.get(ns).map_or(0, |netns| netns.host);
        let is_first = self.hosts.get(host).is_some_and(|host| host.initial == ns);
        if !parameters.is_empty() {
            self.set_neighbour_parameters((ns, is_first), ipv6, parameters)?;
            self.changed();
        }
        if !numbers.is_empty() && !is_first {
            return Err(Errno::ENOENT.into());
        }
        for (key, value) in numbers {
            self.set_neigh_table_value(ns, ipv6, key, value);
        }
        self.changed();
        Ok(())
    }

    fn set_neighbour_parameters(
        &mut self,
        (ns, is_first): (NsId, bool),
        ipv6: bool,
        given: &[NeighbourTableParameter],
    ) -> Result<(), Errno> {
        use NeighbourTableParameter as P;
        let ifindex = given.iter().find_map(|parameter| match parameter {
            P::Ifindex(ifindex) => Some(*ifindex),
            _ => None,
        });
        let params = match ifindex.filter(|ifindex| *ifindex != 0) {
            Some(ifindex) => {
                let dev = self.device_at(ns, ifindex).ok_or(Errno::ENOENT)?;
                let device = self.devs.get_mut(dev).ok_or(Errno::ENOENT)?;
                if ipv6 { &mut device.neigh6_params } else { &mut device.neigh_params }
            }
            None => {
                let netns = self.netns.get_mut(ns).filter(|_| is_first).ok_or(Errno::ENOENT)?;
                if ipv6 { &mut netns.sysctl.neigh6_default } else { &mut netns.sysctl.neigh_default }
            }
        };
        for parameter in given {
            let (key, value) = match parameter {
                P::QueueLen(packets) => ("unres_qlen", u64::from(*packets)),
                P::QueueLenbytes(bytes) => ("unres_qlen_bytes", u64::from(*bytes)),
                P::ProxyQlen(value) => ("proxy_qlen", u64::from(*value)),
                P::AppProbes(value) => ("app_solicit", u64::from(*value)),
                P::UcastProbes(value) => ("ucast_solicit", u64::from(*value)),
                P::McastProbes(value) => ("mcast_solicit", u64::from(*value)),
                P::McastReprobes(value) => ("mcast_resolicit", u64::from(*value)),
                P::BaseReachableTime(ms) => ("base_reachable_time_ms", *ms),
                P::GcStaletime(ms) => ("gc_stale_time", *ms),
                P::DelayProbeTime(ms) => ("delay_first_probe_time", *ms),
                P::IntervalProbeTimeMs(ms) => ("interval_probe_time_ms", *ms),
                P::RetransTime(ms) => ("retrans_time_ms", *ms),
                P::AnycastDelay(ms) => ("anycast_delay", *ms),
                P::ProxyDelay(ms) => ("proxy_delay", *ms),
                P::Locktime(ms) => ("locktime", *ms),
                _ => continue,
            };
            params.set_by_netlink(key, value);
        }
        Ok(())
    }

    /// `neightbl_fill_parms`; `ifindex` 0: the table's own.
    fn neighbour_parameters(
        &mut self,
        ns: NsId,
        ifindex: u32,
        any: IpAddr,
        users: u32,
    ) -> Vec<NeighbourTableParameter> {
        use NeighbourTableParameter as P;
        let params: NeighParams = self.neigh_params(ns, ifindex, any);
        let reachable = self.reachable_time(ns, ifindex, any);
        let count = |value: i32| u32::try_from(value).unwrap_or(0);
        let mut all = Vec::new();
        if ifindex != 0 {
            all.push(P::Ifindex(ifindex));
        }
        let bytes = count(params.unres_qlen_bytes);
        all.extend([
            P::ReferenceCount(users),
            P::QueueLenbytes(bytes),
            P::QueueLen(bytes / NeighParams::PACKET),
            P::ProxyQlen(count(params.proxy_qlen)),
            P::AppProbes(count(params.app_solicit)),
            P::UcastProbes(count(params.ucast_solicit)),
            P::McastProbes(count(params.mcast_solicit)),
            P::McastReprobes(count(params.mcast_resolicit)),
            P::ReachableTime(u64::try_from(reachable.as_millis()).unwrap_or(u64::MAX)),
            P::BaseReachableTime(params.base_reachable_ms),
            P::GcStaletime(params.gc_stale_ms),
            P::DelayProbeTime(params.delay_first_probe_ms),
            P::RetransTime(params.retrans_ms),
            P::AnycastDelay(params.anycast_delay_ms),
            P::ProxyDelay(params.proxy_delay_ms),
            P::Locktime(params.locktime_ms),
            P::IntervalProbeTimeMs(params.interval_probe_ms),
        ]);
        all
    }
}
