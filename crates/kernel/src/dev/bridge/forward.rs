//! Which ports a frame leaves by (net/bridge/br_forward.c).

use crate::dev::{Verdict, Verdicts};
use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::mac::Mac;

use super::mdb::Group;
use super::snoop::Snooped;
use super::{Bridge, BridgePort, Egress, PortFlags, State};

/// Why a frame goes to many ports.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flood {
    Unicast,
    Multicast,
    Broadcast,
}

/// What the way of a frame depends on beside its destination.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passing {
    /// The port it came in by; none for a frame of the bridge device.
    pub from: Option<DevId>,
    /// That port is isolated.
    pub isolated: bool,
    /// Its VLAN; 0 without filtering.
    pub vid: u16,
    /// Its length with the Ethernet header, for counters.
    pub len: usize,
    /// Ports that are spared ARP do not get it.
    pub spared: bool,
}

impl Bridge {
    /// `should_deliver`
    #[inline]
    fn deliver(&self, egress: &BridgePort, passing: &Passing) -> Verdict {
        if passing.from == Some(egress.dev) && !egress.has(PortFlags::HAIRPIN) {
            return Verdict::Drop(DropReason::BridgeSamePort);
        }
        if egress.state != State::Forwarding {
            return Verdict::Drop(DropReason::BridgeEgressState);
        }
        let how = match self.vlan_filtering {
            true => egress.vlans.egress(passing.vid),
            false => Egress::Tagged,
        };
        if how == Egress::Refused {
            return Verdict::Drop(DropReason::BridgeVlan);
        }
        if passing.isolated && egress.has(PortFlags::ISOLATED) {
            return Verdict::Drop(DropReason::BridgeIsolated);
        }
        let (untag, network) = match how {
            Egress::Tunnelled(network) => (true, network),
            how => (how == Egress::Untagged, 0),
        };
        Verdict::Forward { dev: egress.dev, untag, network }
    }

    /// `br_forward`: known unicast to one port.
    #[inline]
    pub(super) fn forward_to(&mut self, port: Option<DevId>, passing: &Passing) -> Verdict {
        let Some(mut egress) = port.and_then(|dev| self.port(dev)) else {
            return Verdict::Drop(DropReason::NoTransmitTarget);
        };
        if let Some(backup) = egress.backup.filter(|_| !egress.carrier).and_then(|dev| self.port(dev)) {
            egress = backup;
        }
        let verdict = self.deliver(egress, passing);
        self.count_deliveries(&[verdict], passing);
        verdict
    }

    /// `br_flood`: to every eligible port.
    pub(super) fn flood(&mut self, passing: &Passing, kind: Flood, out: &mut Verdicts) {
        let before = out.len();
        let own = passing.from.is_none();
        for egress in &self.ports {
            let wanted = match kind {
                Flood::Unicast => egress.has(PortFlags::FLOOD),
                Flood::Multicast => egress.has(PortFlags::MCAST_FLOOD) || own,
                Flood::Broadcast => egress.has(PortFlags::BCAST_FLOOD) || own,
            };
            let spared = PortFlags::PROXY_ARP_WIFI | PortFlags::NEIGH_SUPPRESS;
            if !wanted
                || egress.has(PortFlags::PROXY_ARP)
                || passing.spared && egress.flags.intersects(spared)
            {
                continue;
            }
            let verdict = self.deliver(egress, passing);
            if !matches!(verdict, Verdict::Drop(_)) {
                out.push(verdict);
            }
        }
        self.count_deliveries(out.get(before..).unwrap_or(&[]), passing);
    }

    /// `br_multicast_flood`: to the ports that want a group, and to those that lead to routers.
    pub(super) fn flood_group(
        &mut self,
        group: Option<Group>,
        snooped: &Snooped,
        source: Mac,
        passing: &Passing,
        out: &mut Verdicts,
    ) {
        let before = out.len();
        let members = group.and_then(|group| self.mdb.get(&group)).map_or(&[][..], |entry| &entry.members);
        for egress in &self.ports {
            let is_router = snooped.family.is_some_and(|family| egress.queries[family as usize].is_router);
            let mut wants = members.iter().filter(|member| member.port == egress.dev);
            let Verdict::Forward { dev, untag, network } = self.deliver(egress, passing) else { continue };
            if is_router || !egress.has(PortFlags::MULTICAST_TO_UNICAST) {
                if is_router || wants.next().is_some() {
                    out.push(Verdict::Forward { dev, untag, network });
                }
                continue;
            }
            for member in wants {
                match member.reporter {
                    // No soliloquies, even with hairpin.
                    Some(reporter) if passing.from == Some(dev) && reporter == source => {}
                    Some(to) => out.push(Verdict::ForwardTo { dev, untag, network, to }),
                    None => out.push(Verdict::Forward { dev, untag, network }),
                }
            }
        }
        self.count_deliveries(out.get(before..).unwrap_or(&[]), passing);
    }

    #[inline]
    fn count_deliveries(&mut self, verdicts: &[Verdict], passing: &Passing) {
        if self.vlan_filtering && self.vlan_stats {
            self.count_in_vlan(verdicts, passing);
        }
    }

    fn count_in_vlan(&mut self, verdicts: &[Verdict], passing: &Passing) {
        for verdict in verdicts {
            if let Verdict::Forward { dev, .. } | Verdict::ForwardTo { dev, .. } = verdict {
                self.count_egress(Some(*dev), passing.vid, passing.len);
            }
        }
    }
}
