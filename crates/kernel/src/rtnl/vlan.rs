//! VLANs of bridges: `RTM_NEWVLAN`, `RTM_DELVLAN`, `RTM_GETVLAN` and the VLAN entries of `AF_BRIDGE` links
//! (`br_vlan_rtm_process`, `br_process_vlan_info`); their counters, `RTM_GETSTATS`.

use hairpin_netlink::bridge_mdb::Router;
use hairpin_netlink::bridge_vlan::{
    self, DUMP_GLOBAL, DUMP_STATS, Entry, GlobalOptions, Part, RTM_DELVLAN, RTM_GETSTATS, RTM_GETVLAN,
    RTM_NEWSTATS, RTM_NEWVLAN, VlanMessage, VlanXstats, global, info,
};
use hairpin_netlink::codec::{Decoded, NLM_F_DUMP, NLM_F_MULTI};
use hairpin_netlink::{Answer, Errno, Failure};

use crate::dev::bridge::vlan::{Membership, VID_MAX, Vlan, VlanStats};
use crate::dev::bridge::{Bridge, State, VlanGroup, snoop};
use crate::dev::{Kind, RxHandler};
use crate::device::DevId;
use crate::netns::NsId;
use crate::world::World;

use super::link::info::multicast;

/// `struct bridge_vlan_info`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VlanInfo {
    pub flags: u16,
    pub vid: u16,
}

impl VlanInfo {
    fn has(self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    fn membership(self) -> Membership {
        Membership { pvid: self.has(info::PVID), untagged: self.has(info::UNTAGGED) }
    }

    fn check(self) -> Result<(), Failure> {
        match (1..=VID_MAX).contains(&self.vid) {
            true => Ok(()),
            false => Err(bridge_failure("Vlan id is invalid")),
        }
    }

    /// `br_vlan_valid_range`: as the beginning of a range, or as the end of the one that `last` begins.
    fn check_range(self, last: Option<VlanInfo>) -> Result<(), Failure> {
        if self.has(info::PVID) {
            return Err(bridge_failure("Pvid isn't allowed in a range"));
        }
        if let Some(last) = last {
            if self.has(info::RANGE_BEGIN) {
                return Err(bridge_failure("Found a new vlan range start while processing one"));
            }
            if !self.has(info::RANGE_END) {
                return Err(bridge_failure("Vlan range end flag is missing"));
            }
            if self.vid <= last.vid {
                return Err(bridge_failure("End vlan id is less than or equal to start vlan id"));
            }
        }
        match self.has(info::RANGE_BEGIN | info::RANGE_END) {
            true => Ok(()),
            false => Err(bridge_failure("Both vlan range flags are missing")),
        }
    }
}

fn bridge_failure(text: &str) -> Failure {
    failure(Errno::EINVAL, text)
}

/// As `NL_SET_ERR_MSG_MOD` of the bridge module words it.
fn failure(errno: Errno, text: &str) -> Failure {
    Failure::with_text(errno, format!("bridge: {text}"))
}

impl World {
    /// One request, or dump, of these kinds.
    ///
    /// # Errors
    /// The kernel's errno and extended-ack text.
    pub(super) fn rtnl_vlan(
        &mut self,
        ns: NsId,
        decoded: &Decoded<'_>,
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        let dump = decoded.header.flags & NLM_F_DUMP == NLM_F_DUMP;
        match decoded.header.kind {
            RTM_GETVLAN if dump => self.dump_vlans(ns, decoded.payload, answer),
            RTM_GETSTATS if dump => self.dump_vlan_stats(ns, decoded.payload, answer),
            RTM_NEWVLAN => self.change_vlan(ns, decoded.payload, false),
            RTM_DELVLAN => self.change_vlan(ns, decoded.payload, true),
            _ => Err(Errno::EOPNOTSUPP.into()),
        }
    }

    /// The bridge that a device is, or is a port of (then the port too).
    fn bridge_side(&self, dev: DevId) -> Option<(DevId, Option<DevId>)> {
        let device = self.devs.get(dev)?;
        match (&device.rx_handler, &device.kind) {
            (_, Kind::Bridge(_)) => Some((dev, None)),
            (RxHandler::BridgePort { bridge }, _) => Some((*bridge, Some(dev))),
            _ => None,
        }
    }

    fn bridge_state(&self, bridge: DevId) -> Option<&Bridge> {
        match self.devs.get(bridge).map(|device| &device.kind) {
            Some(Kind::Bridge(state)) => Some(state),
            _ => None,
        }
    }

    /// The VLANs of a bridge or of a port.
    fn vlan_group(&self, dev: DevId) -> Option<&VlanGroup> {
        let (bridge, port) = self.bridge_side(dev)?;
        let state = self.bridge_state(bridge)?;
        match port {
            None => Some(&state.vlans),
            Some(port) => state.port(port).map(|port| &port.vlans),
        }
    }

    // Membership.

    /// `br_process_vlan_info`: one entry of a request; `range` is the beginning of a range that has been seen.
    ///
    /// # Errors
    /// `EINVAL` with the kernel's text for a VLAN or a range that is none.
    pub(super) fn process_vlan_info(
        &mut self,
        dev: DevId,
        delete: bool,
        entry: VlanInfo,
        range: &mut Option<VlanInfo>,
        changed: &mut bool,
    ) -> Result<(), Failure> {
        entry.check()?;
        if entry.has(info::RANGE_BEGIN) {
            entry.check_range(*range)?;
            *range = Some(entry);
            return Ok(());
        }
        let mut first = entry;
        if let Some(begin) = *range {
            entry.check_range(Some(begin))?;
            first = begin;
            *range = None;
        }
        let mut run = None;
        for vid in first.vid..=entry.vid {
            if self.change_one_vlan(dev, delete, VlanInfo { vid, ..first }) {
                *changed = true;
                run.get_or_insert(vid);
            } else if let Some(from) = run.take() {
                self.notify_vlans(dev, from, vid - 1, delete);
            }
        }
        if let Some(from) = run {
            self.notify_vlans(dev, from, entry.vid, delete);
        }
        Ok(())
    }

    /// `br_vlan_info`: with the flag `master`, the bridge follows its port. True if anything changed.
    fn change_one_vlan(&mut self, dev: DevId, delete: bool, entry: VlanInfo) -> bool {
        let Some((bridge, port)) = self.bridge_side(dev) else { return false };
        let Some(device) = self.devs.get_mut(bridge) else { return false };
        let (mac, now) = (device.mac, self.now);
        let Kind::Bridge(state) = &mut device.kind else { return false };
        let (vid, how) = (entry.vid, entry.membership());
        let and_bridge = port.is_some() && entry.has(info::MASTER);
        let mut gone = Vec::new();
        let mut changed = false;
        let mut bridge_changed = false;
        match (port, delete) {
            (Some(port), false) => {
                let new = state.port(port).is_some_and(|port| port.vlans.find(vid).is_none());
                // Only a VLAN that is new on the port is made on the bridge with it.
                if and_bridge && new {
                    bridge_changed = state.add_own_vlan(vid, how, mac, now);
                }
                changed = state.add_port_vlan(port, vid, how, now);
            }
            (None, false) => changed = state.add_own_vlan(vid, how, mac, now),
            (Some(port), true) => {
                if let Some(lost) = state.delete_port_vlan(port, vid, mac) {
                    gone.extend(lost);
                    changed = true;
                }
                if and_bridge && let Some(lost) = state.delete_own_vlan(vid, mac) {
                    gone.extend(lost);
                    changed = true;
                }
            }
            (None, true) => {
                if let Some(lost) = state.delete_own_vlan(vid, mac) {
                    gone.extend(lost);
                    changed = true;
                }
            }
        }
        if bridge_changed {
            self.notify_vlans(bridge, vid, vid, false);
        }
        self.notify_own_addresses(bridge);
        for (key, entry) in gone {
            self.notify_fdb(bridge, key, &entry, true);
        }
        changed
    }

    /// `br_vlan_rtm_process`
    fn change_vlan(&mut self, ns: NsId, payload: &[u8], delete: bool) -> Result<(), Failure> {
        let request = VlanMessage::parse(payload).ok_or(Errno::EINVAL)?;
        let dev = self.device_at(ns, request.ifindex).ok_or(Errno::ENODEV)?;
        if self.bridge_side(dev).is_none() {
            return Err(bridge_failure("The device is not a valid bridge or bridge port"));
        }
        if request.parts.is_empty() {
            return Err(bridge_failure("No vlans found to process"));
        }
        for part in &request.parts {
            match part {
                Part::Entry(entry) => self.change_vlan_entry(dev, entry, delete)?,
                Part::Global(options) => self.change_global_options(dev, options, delete)?,
            }
        }
        Ok(())
    }

    /// `br_vlan_rtm_process_one`
    fn change_vlan_entry(&mut self, dev: DevId, entry: &Entry, delete: bool) -> Result<(), Failure> {
        let (flags, vid) = entry.info.ok_or_else(|| bridge_failure("Missing vlan entry info"))?;
        let first = VlanInfo { flags, vid };
        if first.has(info::RANGE_BEGIN | info::RANGE_END) {
            return Err(bridge_failure("Old-style vlan ranges are not allowed when using RTM vlan calls"));
        }
        first.check()?;
        let mut begin = None;
        let mut last = first;
        if let Some(end) = entry.range {
            last = VlanInfo { flags: flags | info::RANGE_END, vid: end };
            begin = Some(VlanInfo { flags: flags | info::RANGE_BEGIN, vid });
            last.check()?;
            last.check_range(begin)?;
        }
        if delete || !last.has(info::ONLY_OPTS) {
            let mut changed = false;
            let outcome = self.process_vlan_info(dev, delete, last, &mut begin, &mut changed);
            if changed {
                self.changed();
                self.notify_bridge_link(dev);
            }
            outcome?;
        }
        match delete {
            true => Ok(()),
            false => self.change_vlan_options(dev, vid, last.vid, entry),
        }
    }

    /// `br_vlan_process_options`
    fn change_vlan_options(
        &mut self,
        dev: DevId,
        first: u16,
        last: u16,
        entry: &Entry,
    ) -> Result<(), Failure> {
        for (vid, what) in [(first, "range start"), (last, "range end")] {
            if self.vlan_group(dev).is_none_or(|group| group.member(vid).is_none()) {
                let text = format!("Vlan {what} doesn't exist, can't process options");
                return Err(failure(Errno::ENOENT, &text));
            }
        }
        let mut run: Option<(u16, u16)> = None;
        let mut outcome = Ok(());
        for vid in first..=last {
            let changed = match self.change_options_of_one(dev, vid, entry) {
                Ok(changed) => changed,
                Err(failure) => {
                    outcome = Err(failure);
                    break;
                }
            };
            run = match (run, changed) {
                (Some((from, to)), true) if self.in_one_range(dev, to, vid) => Some((from, vid)),
                (Some((from, to)), true) => {
                    self.notify_vlans(dev, from, to, false);
                    Some((vid, vid))
                }
                (None, true) => Some((vid, vid)),
                (Some((from, to)), false) => {
                    self.notify_vlans(dev, from, to, false);
                    None
                }
                (None, false) => None,
            };
        }
        if let Some((from, to)) = run {
            self.notify_vlans(dev, from, to, false);
        }
        outcome
    }

    pub(super) fn in_one_range(&self, dev: DevId, last: u16, vid: u16) -> bool {
        let Some(group) = self.vlan_group(dev) else { return false };
        match (group.find(last), group.find(vid)) {
            (Some(last), Some(next)) => joins(group, last, next),
            _ => false,
        }
    }

    /// `br_vlan_process_one_opts`. True if anything changed.
    fn change_options_of_one(&mut self, dev: DevId, vid: u16, entry: &Entry) -> Result<bool, Failure> {
        let (bridge, port) = self.bridge_side(dev).ok_or(Errno::ENODEV)?;
        let Some(Kind::Bridge(state)) = self.devs.get_mut(bridge).map(|device| &mut device.kind) else {
            return Err(Errno::ENODEV.into());
        };
        let stp = state.stp;
        let group = match port {
            Some(port) => &mut state.port_mut(port).ok_or(Errno::ENODEV)?.vlans,
            None => &mut state.vlans,
        };
        let Some(vlan) = group.find_mut(vid).filter(|vlan| vlan.member) else {
            return Err(failure(Errno::ENOENT, "Vlan in range doesn't exist, can't process options"));
        };
        let mut changed = false;
        if let Some(number) = entry.state {
            let wanted = State::from_number(number).ok_or_else(|| bridge_failure("Invalid vlan state"))?;
            if stp {
                return Err(failure(Errno::EBUSY, "Can't modify vlan state when using kernel STP"));
            }
            changed = vlan.state != wanted;
            vlan.state = wanted;
        }
        if entry.tunnel {
            return Err(bridge_failure(match port {
                Some(_) => "Port doesn't have tunnel flag set",
                None => "Can't modify tunnel mapping of non-port vlans",
            }));
        }
        if let Some(router) = entry.mcast_router {
            // `br_multicast_set_vlan_router`: a temporary router is a port's only.
            if router > if port.is_some() { 3 } else { 2 } {
                return Err(Errno::EINVAL.into());
            }
            vlan.mcast_router = router;
            changed = true;
        }
        self.changed();
        Ok(changed)
    }

    /// `br_vlan_rtm_process_global_options`. Multicast of each VLAN by itself is not emulated.
    fn change_global_options(
        &mut self,
        dev: DevId,
        options: &GlobalOptions,
        delete: bool,
    ) -> Result<(), Failure> {
        if delete {
            return Err(bridge_failure("Global vlan options support only set operation"));
        }
        let Some((bridge, None)) = self.bridge_side(dev) else {
            return Err(bridge_failure("Global vlan options can only be set on bridge device"));
        };
        let vid = options.vid.ok_or_else(|| bridge_failure("Missing vlan entry id"))?;
        VlanInfo { flags: 0, vid }.check()?;
        if let Some(end) = options.range {
            VlanInfo { flags: 0, vid: end }.check()?;
            if end <= vid {
                return Err(bridge_failure("End vlan id is less than or equal to start vlan id"));
            }
        }
        let state = self.bridge_state(bridge).ok_or(Errno::ENODEV)?;
        if state.vlans.find(vid).is_none() {
            return Err(failure(Errno::ENOENT, "Vlan in range doesn't exist, can't process global options"));
        }
        match options.numbers.is_empty() {
            true => Ok(()),
            false => Err(Failure::with_text(Errno::EOPNOTSUPP, "Multicast snooping by VLAN: not emulated")),
        }
    }

    // Answers.

    /// What everybody who listens is told of VLANs `first` to `last` (`br_vlan_notify`); none for VLANs that the
    /// bridge only keeps for its ports.
    pub(crate) fn vlan_notice(&self, dev: DevId, first: u16, last: u16, gone: bool) -> Option<VlanMessage> {
        let mut message = VlanMessage::new(self.devs.get(dev)?.ifindex);
        let entry = match gone {
            true => {
                Entry { info: Some((0, first)), range: (first < last).then_some(last), ..Entry::default() }
            }
            false => {
                let group = self.vlan_group(dev)?;
                describe(group, group.member(first)?, last)
            }
        };
        message.parts.push(Part::Entry(entry));
        Some(message)
    }

    /// `br_vlan_rtm_dump`
    fn dump_vlans(&self, ns: NsId, payload: &[u8], answer: &mut Answer) -> Result<(), Failure> {
        let (ifindex, flags) = bridge_vlan::parse_dump_request(payload).ok_or(Errno::EINVAL)?;
        let devices: Vec<DevId> = match ifindex {
            0 => self.devices_of(ns).map(|device| device.id).collect(),
            index => vec![self.device_at(ns, index).ok_or(Errno::ENODEV)?],
        };
        for dev in devices {
            match self.describe_vlans(dev, flags) {
                Some(message) => answer.push_raw(RTM_NEWVLAN, &message.emit(), NLM_F_MULTI),
                None if ifindex != 0 && self.bridge_side(dev).is_none() => return Err(Errno::EINVAL.into()),
                None => {}
            }
        }
        Ok(())
    }

    /// `br_vlan_dump_dev`
    fn describe_vlans(&self, dev: DevId, flags: u32) -> Option<VlanMessage> {
        let group = self.vlan_group(dev)?;
        let (bridge, port) = self.bridge_side(dev)?;
        let state = self.bridge_state(bridge)?;
        let mut message = VlanMessage::new(self.devs.get(dev)?.ifindex);
        if flags & DUMP_GLOBAL != 0 {
            if port.is_some() {
                return None;
            }
            let mut ranges: Vec<(u16, u16)> = Vec::new();
            let routed = |vid| !self.routers_in(state, vid).is_empty();
            for vlan in group.all() {
                match ranges.last_mut() {
                    Some((_, last)) if vlan.vid == *last + 1 && !routed(vlan.vid) && !routed(*last) => {
                        *last = vlan.vid;
                    }
                    _ => ranges.push((vlan.vid, vlan.vid)),
                }
            }
            for range in ranges {
                let mut options = global_options(range);
                options.routers = self.routers_in(state, range.0);
                message.parts.push(Part::Global(options));
            }
            return Some(message);
        }
        let with_stats = flags & DUMP_STATS != 0;
        let mut ranges: Vec<(&Vlan, &Vlan)> = Vec::new();
        for vlan in group.members() {
            match ranges.last_mut() {
                Some((_, last)) if !with_stats && joins(group, last, vlan) => *last = vlan,
                _ => ranges.push((vlan, vlan)),
            }
        }
        for (first, last) in ranges {
            let mut entry = describe(group, first, last.vid);
            entry.stats = with_stats.then(|| stats_of(state, first));
            message.parts.push(Part::Entry(entry));
        }
        Some(message)
    }

    /// Ports that are routers of multicast in a VLAN for good.
    fn routers_in(&self, state: &Bridge, vid: u16) -> Vec<Router> {
        let ports = state.ports.iter().filter(|port| {
            port.vlans.find(vid).is_some_and(|vlan| vlan.mcast_router == snoop::router::PERMANENT)
        });
        ports
            .map(|port| Router {
                ifindex: self.devs.get(port.dev).map_or(0, |device| device.ifindex),
                timer: Some(0),
                kind: Some(port.mcast_router),
                inet_timer: Some(0),
                inet6_timer: Some(0),
            })
            .collect()
    }

    /// `rtnl_stats_dump` as far as bridges' VLANs go (`br_fill_linkxstats`).
    fn dump_vlan_stats(&self, ns: NsId, payload: &[u8], answer: &mut Answer) -> Result<(), Failure> {
        let (_, filter) = bridge_vlan::parse_stats_header(payload).ok_or(Errno::EINVAL)?;
        for dev in self.in_index_order(ns) {
            let Some((bridge, port)) = self.bridge_side(dev) else { continue };
            let of_port = port.is_some();
            if filter & bridge_vlan::xstats_filter(of_port) == 0 {
                continue;
            }
            let (Some(state), Some(group), Some(device)) =
                (self.bridge_state(bridge), self.vlan_group(dev), self.devs.get(dev))
            else {
                continue;
            };
            let vlans: Vec<VlanXstats> = group
                .all()
                .iter()
                .map(|vlan| {
                    let mut flags = if vlan.untagged { info::UNTAGGED } else { 0 };
                    flags |= if group.is_pvid(vlan.vid) { info::PVID } else { 0 };
                    if !of_port {
                        flags |= info::MASTER | if vlan.member { info::BRENTRY } else { 0 };
                    }
                    VlanXstats { vid: vlan.vid, flags, stats: stats_of(state, vlan) }
                })
                .collect();
            let bytes = bridge_vlan::emit_xstats(device.ifindex, filter, of_port, &vlans);
            answer.push_raw(RTM_NEWSTATS, &bytes, NLM_F_MULTI);
        }
        Ok(())
    }
}

/// `br_vlan_fill_vids`
fn describe(group: &VlanGroup, vlan: &Vlan, last: u16) -> Entry {
    let pvid = group.is_pvid(vlan.vid);
    let mut flags = if vlan.untagged { info::UNTAGGED } else { 0 };
    flags |= if pvid { info::PVID } else { 0 };
    Entry {
        info: Some((flags, vlan.vid)),
        range: (vlan.vid < last && !pvid).then_some(last),
        state: Some(vlan.state as u8),
        mcast_router: Some(vlan.mcast_router),
        ..Entry::default()
    }
}

/// `br_vlan_can_enter_range`. It does not mind that the one before is the PVID, though that is told without a range: what
/// joins it is not told at all.
fn joins(group: &VlanGroup, last: &Vlan, next: &Vlan) -> bool {
    !group.is_pvid(next.vid)
        && next.vid == last.vid + 1
        && (next.untagged, next.state, next.mcast_router) == (last.untagged, last.state, last.mcast_router)
        && super::vlan_tunnel::joins(last, next)
}

/// A port's own counters, or those that the bridge keeps for the VLAN.
fn stats_of(bridge: &Bridge, vlan: &Vlan) -> bridge_vlan::Stats {
    let shared = || bridge.vlans.find(vlan.vid).and_then(|vlan| vlan.stats);
    let VlanStats { rx_bytes, rx_packets, tx_bytes, tx_packets } =
        vlan.stats.or_else(shared).unwrap_or_default();
    bridge_vlan::Stats { rx_bytes, rx_packets, tx_bytes, tx_packets }
}

/// `br_vlan_global_opts_fill`: what every VLAN starts with, as none has anything else.
fn global_options((first, last): (u16, u16)) -> GlobalOptions {
    use multicast as m;
    GlobalOptions {
        vid: Some(first),
        range: (first < last).then_some(last),
        numbers: vec![
            (global::MCAST_SNOOPING, 1),
            (global::MCAST_IGMP_VERSION, m::IGMP_VERSION.into()),
            (global::MCAST_LAST_MEMBER_CNT, m::LAST_MEMBER_COUNT.into()),
            (global::MCAST_STARTUP_QUERY_CNT, m::STARTUP_QUERY_COUNT.into()),
            (global::MCAST_QUERIER, 0),
            (global::MCAST_LAST_MEMBER_INTVL, m::LAST_MEMBER_INTERVAL),
            (global::MCAST_MEMBERSHIP_INTVL, m::MEMBERSHIP_INTERVAL),
            (global::MCAST_QUERIER_INTVL, m::QUERIER_INTERVAL),
            (global::MCAST_QUERY_INTVL, m::QUERY_INTERVAL),
            (global::MCAST_QUERY_RESPONSE_INTVL, m::QUERY_RESPONSE_INTERVAL),
            (global::MCAST_STARTUP_QUERY_INTVL, m::STARTUP_QUERY_INTERVAL),
            (global::MCAST_MLD_VERSION, m::MLD_VERSION.into()),
            (global::MSTI, 0),
        ],
        routers: Vec::new(),
    }
}
