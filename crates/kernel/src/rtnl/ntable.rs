//! The tables of neighbours and their parameters: dumps of `RTM_GETNEIGHTBL` (net/core/neighbour.c:neightbl_dump_info).
//! What Linux keeps of its hash tables (`NDTA_CONFIG`, `NDTA_STATS`) there is nothing of here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::Message;
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::neighbour_table::{
    NeighbourTableAttribute, NeighbourTableMessage, NeighbourTableParameter,
};

use crate::netns::NsId;
use crate::sysctl::NeighParams;
use crate::world::World;

use super::Dump;

/// `gc_interval` of both tables, in milliseconds.
const GC_INTERVAL_MS: u64 = 30_000;

impl World {
    /// Each table with its default parameters, then those of the devices, the newest first.
    pub(super) fn dump_neighbour_tables(&mut self, ns: NsId, request: &NeighbourTableMessage) -> Dump {
        let wanted = request.header.family;
        let mut messages = Vec::new();
        for (family, name, any) in [
            (AddressFamily::Inet, "arp_cache", IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            (AddressFamily::Inet6, "ndisc_cache", IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        ] {
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
            let host = self.netns.get(ns).map_or(0, |netns| netns.host);
            let first = self.hosts.get(host).and_then(|host| self.netns.get(host.initial));
            let limits = first.map_or([0; 3], |netns| {
                [netns.sysctl.gc_thresh1, netns.sysctl.gc_thresh2, netns.sysctl.gc_thresh3]
            });
            let [low, middle, high] = limits.map(|limit| u32::try_from(limit).unwrap_or(0));
            message(vec![
                NeighbourTableAttribute::Name(name.to_owned()),
                NeighbourTableAttribute::GcInterval(GC_INTERVAL_MS),
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
