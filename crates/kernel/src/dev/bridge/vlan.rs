//! VLAN filtering of a bridge (net/bridge/br_vlan.c): who is a member of what, and what becomes of a frame's tag.
//!
//! A port has a [`VlanGroup`], and so has the bridge device, which is a member like a port. The bridge's group
//! also keeps VLANs that only ports are members of: their counters are there.

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame};
use crate::mac::Mac;
use crate::time::Time;
use hairpin_netlink::Errno;
use hairpin_wire::vlan::Tag;

use super::fdb::{Entry, Key};
use super::{Bridge, State};

/// VLAN identifiers that a bridge takes are 1 to this (`br_vlan_valid_id`).
pub const VID_MAX: u16 = 4094;

/// What a VLAN has carried: bytes behind the Ethernet header, and packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VlanStats {
    pub rx_bytes: u64,
    pub rx_packets: u64,
    pub tx_bytes: u64,
    pub tx_packets: u64,
}

/// How a member wants a VLAN (`BRIDGE_VLAN_INFO_PVID`, `BRIDGE_VLAN_INFO_UNTAGGED`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    /// Frames without a tag belong to it.
    pub pvid: bool,
    /// Its frames leave without a tag.
    pub untagged: bool,
}

impl Membership {
    /// As everybody is a member of the default VLAN.
    pub const DEFAULT: Membership = Membership { pvid: true, untagged: true };
}

/// One VLAN of a port or of the bridge (`struct net_bridge_vlan`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vlan {
    pub vid: u16,
    pub untagged: bool,
    /// False where the bridge is no member and only keeps the VLAN for its ports.
    pub member: bool,
    pub state: State,
    pub mcast_router: u8,
    /// The number of the tunnel that stands for it outside (`tinfo.tunnel_id`); ports with `vlan_tunnel` alone have such.
    pub tunnel: Option<u32>,
    /// A port has its own only with `vlan_stats_per_port`; else the bridge's count.
    pub stats: Option<VlanStats>,
}

/// The VLANs of a port or of the bridge (`struct net_bridge_vlan_group`), by number.
#[derive(Clone, Debug, Default)]
pub struct VlanGroup {
    /// The VLAN of frames without a tag; 0 for none.
    pub pvid: u16,
    vlans: Vec<Vlan>,
}

impl VlanGroup {
    fn place(&self, vid: u16) -> Result<usize, usize> {
        self.vlans.binary_search_by_key(&vid, |vlan| vlan.vid)
    }

    /// A VLAN that is kept here (`br_vlan_find`).
    pub fn find(&self, vid: u16) -> Option<&Vlan> {
        self.place(vid).ok().and_then(|at| self.vlans.get(at))
    }

    pub fn find_mut(&mut self, vid: u16) -> Option<&mut Vlan> {
        self.place(vid).ok().and_then(|at| self.vlans.get_mut(at))
    }

    /// A VLAN that frames may be in here (`br_vlan_should_use`).
    pub fn member(&self, vid: u16) -> Option<&Vlan> {
        self.find(vid).filter(|vlan| vlan.member)
    }

    /// The VLANs that this is a member of, lowest first.
    pub fn members(&self) -> impl Iterator<Item = &Vlan> {
        self.vlans.iter().filter(|vlan| vlan.member)
    }

    /// All that are kept here, lowest first.
    pub fn all(&self) -> &[Vlan] {
        &self.vlans
    }

    /// `nbp_vlan_tunnel_info_add`
    ///
    /// # Errors
    /// `EINVAL` without the VLAN; `EEXIST` where it has a tunnel, or the tunnel a VLAN.
    pub fn map_tunnel(&mut self, vid: u16, tunnel: u32) -> Result<(), Errno> {
        let taken = self.vlans.iter().any(|vlan| vlan.tunnel == Some(tunnel));
        let vlan = self.find_mut(vid).ok_or(Errno::EINVAL)?;
        if taken || vlan.tunnel.is_some() {
            return Err(Errno::EEXIST);
        }
        vlan.tunnel = Some(tunnel);
        Ok(())
    }

    /// `nbp_vlan_tunnel_info_delete`. True if there was the VLAN.
    pub fn unmap_tunnel(&mut self, vid: u16) -> bool {
        self.find_mut(vid).map(|vlan| vlan.tunnel = None).is_some()
    }

    /// `nbp_vlan_tunnel_info_flush`
    pub fn unmap_tunnels(&mut self) {
        for vlan in &mut self.vlans {
            vlan.tunnel = None;
        }
    }

    /// `br_vlan_tunnel_lookup`: the VLAN that a tunnel's number stands for.
    pub fn of_tunnel(&self, id: u64) -> Option<u16> {
        self.vlans
            .iter()
            .find(|vlan| vlan.tunnel.is_some_and(|tunnel| u64::from(tunnel) == id))
            .map(|vlan| vlan.vid)
    }

    pub fn is_pvid(&self, vid: u16) -> bool {
        vid != 0 && self.pvid == vid
    }

    /// `__vlan_flags_update`. True if anything changed.
    fn set(&mut self, vid: u16, how: Membership) -> bool {
        let was_pvid = self.is_pvid(vid);
        let Some(vlan) = self.find_mut(vid) else { return false };
        let changed = was_pvid != how.pvid || vlan.untagged != how.untagged;
        vlan.untagged = how.untagged;
        if how.pvid {
            self.pvid = vid;
        } else if was_pvid {
            self.pvid = 0;
        }
        changed
    }

    fn insert(&mut self, vlan: Vlan) {
        match self.place(vlan.vid) {
            Ok(at) => {
                if let Some(known) = self.vlans.get_mut(at) {
                    *known = vlan;
                }
            }
            Err(at) => self.vlans.insert(at, vlan),
        }
    }

    fn remove(&mut self, vid: u16) {
        if self.is_pvid(vid) {
            self.pvid = 0;
        }
        if let Ok(at) = self.place(vid) {
            self.vlans.remove(at);
        }
    }

    /// `vlan_default_pvid`: still the default VLAN as it was given.
    fn is_default(&self, vid: u16) -> bool {
        self.is_pvid(vid) && self.member(vid).is_some_and(|vlan| vlan.untagged)
    }

    /// What becomes of the tag of a frame that leaves here in this VLAN (`br_allowed_egress`, `br_handle_vlan`).
    pub fn egress(&self, vid: u16) -> Egress {
        match self.member(vid) {
            Some(vlan) if vlan.state != State::Forwarding => Egress::Refused,
            Some(vlan) if vlan.untagged => Egress::Untagged,
            // `br_handle_egress_vlan_tunnel`: a tunnel's number takes the place of the tag.
            Some(vlan) => match vlan.tunnel {
                Some(network) if network != 0 => Egress::Tunnelled(network),
                _ => Egress::Tagged,
            },
            None => Egress::Refused,
        }
    }
}

/// How a frame leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Egress {
    /// As it is; with VLAN filtering that is with its tag.
    Tagged,
    Untagged,
    /// By the tunnel of this number, without its tag.
    Tunnelled(u32),
    /// Not at all: no member of the frame's VLAN.
    Refused,
}

impl Bridge {
    fn group(&self, port: Option<DevId>) -> Option<&VlanGroup> {
        match port {
            None => Some(&self.vlans),
            Some(dev) => self.port(dev).map(|port| &port.vlans),
        }
    }

    /// `br_allowed_ingress`: the VLAN that a frame is in, received on a port or (`None`) sent by the bridge
    /// device; 0 without filtering. The frame gets the tag by which it is known from here on. A forwarding
    /// port's `state` becomes that of the VLAN.
    ///
    /// # Errors
    /// The frame's VLAN is not to come in here.
    #[inline]
    pub(super) fn admit(
        &mut self,
        port: Option<DevId>,
        frame: &mut Frame,
        state: &mut State,
    ) -> Result<u16, DropReason> {
        match self.vlan_filtering {
            true => self.admit_by_vlan(port, frame, state),
            false => Ok(0),
        }
    }

    fn admit_by_vlan(
        &mut self,
        port: Option<DevId>,
        frame: &mut Frame,
        state: &mut State,
    ) -> Result<u16, DropReason> {
        let tpid = self.vlan_protocol;
        if frame.tag.is_none() && frame.ethertype() == tpid && !frame.untag() {
            return Err(DropReason::HeaderTruncated);
        }
        if frame.tag.is_some_and(|tag| tag.tpid != tpid) {
            // Another protocol's tag is payload here.
            frame.retag();
        }
        let Some(group) = self.group(port) else { return Err(DropReason::BridgeVlan) };
        let priority = frame.tag.map_or(0, |tag| tag.tci & 0xf000);
        let mut vid = frame.tag.map_or(0, Tag::vid);
        if vid == 0 {
            // A priority tag, or none: the VLAN of untagged frames, its priority kept.
            vid = group.pvid;
            frame.tag = Some(Tag { tpid, tci: vid | priority });
        }
        let Some(vlan) = group.member(vid).filter(|_| vid != 0) else {
            return Err(DropReason::BridgeVlan);
        };
        if *state == State::Forwarding {
            *state = vlan.state;
            if !matches!(vlan.state, State::Learning | State::Forwarding) {
                return Err(DropReason::BridgeVlan);
            }
        }
        if self.vlan_stats {
            let bytes = (frame.len() - ETH_LEN.min(frame.len())) as u64;
            if let Some(stats) = self.counters(port, vid) {
                stats.rx_bytes += bytes;
                stats.rx_packets += 1;
            }
        }
        Ok(vid)
    }

    /// Counts a frame that leaves a port, or goes up to the bridge device (`None`), in a VLAN.
    pub(super) fn count_egress(&mut self, port: Option<DevId>, vid: u16, len: usize) {
        if let Some(stats) = self.counters(port, vid) {
            stats.tx_bytes += (len - ETH_LEN.min(len)) as u64;
            stats.tx_packets += 1;
        }
    }

    fn counters(&mut self, port: Option<DevId>, vid: u16) -> Option<&mut VlanStats> {
        if let Some(dev) = port {
            let own = self.port(dev)?.vlans.find(vid)?.stats.is_some();
            if own {
                return self.port_mut(dev)?.vlans.find_mut(vid)?.stats.as_mut();
            }
        }
        self.vlans.find_mut(vid)?.stats.as_mut()
    }

    /// The VLAN that a frame will be in, as far as its tag tells; 0 without filtering.
    pub fn vlan_seen(&self, port: Option<DevId>, tag: Option<Tag>) -> u16 {
        if !self.vlan_filtering {
            return 0;
        }
        let tagged = tag.filter(|tag| tag.tpid == self.vlan_protocol).map_or(0, Tag::vid);
        match tagged {
            0 => self.group(port).map_or(0, |group| group.pvid),
            vid => vid,
        }
    }

    /// `br_should_learn`: the VLAN in which the source of a frame for the port itself is learned.
    pub(super) fn learning_vlan(&self, port: DevId, tag: Option<Tag>) -> Option<u16> {
        if !self.vlan_filtering {
            return Some(0);
        }
        let group = &self.port(port)?.vlans;
        let tagged = tag.filter(|tag| tag.tpid == self.vlan_protocol).map_or(0, Tag::vid);
        let vid = if tagged == 0 { group.pvid } else { tagged };
        let learns = |vlan: &Vlan| matches!(vlan.state, State::Learning | State::Forwarding);
        group.member(vid).is_some_and(learns).then_some(vid)
    }

    // Configuration.

    /// `br_vlan_add`: makes the bridge device a member, or changes how it is one. True if anything changed.
    pub fn add_own_vlan(&mut self, vid: u16, how: Membership, mac: Mac, now: Time) -> bool {
        match self.vlans.find_mut(vid) {
            Some(vlan) if vlan.member => self.vlans.set(vid, how),
            Some(vlan) => {
                vlan.member = true;
                self.fdb.add_local(mac, vid, None, now);
                self.vlans.set(vid, how);
                true
            }
            None => {
                self.fdb.add_local(mac, vid, None, now);
                self.vlans.insert(new_vlan(vid, true, Some(VlanStats::default())));
                self.vlans.set(vid, how);
                true
            }
        }
    }

    /// `nbp_vlan_add`: makes a port a member, or changes how it is one. True if anything changed.
    pub fn add_port_vlan(&mut self, dev: DevId, vid: u16, how: Membership, now: Time) -> bool {
        let stats = self.vlan_stats_per_port.then(VlanStats::default);
        let Some(port) = self.port_mut(dev) else { return false };
        if port.vlans.find(vid).is_some() {
            return port.vlans.set(vid, how);
        }
        port.vlans.insert(new_vlan(vid, true, stats));
        port.vlans.set(vid, how);
        let mac = port.mac;
        if self.vlans.find(vid).is_none() {
            self.vlans.insert(new_vlan(vid, false, Some(VlanStats::default())));
        }
        self.fdb.add_local(mac, vid, Some(dev), now);
        true
    }

    /// `br_vlan_delete`: the bridge device leaves a VLAN. What the forwarding database lost; none if it was no
    /// member.
    pub fn delete_own_vlan(&mut self, vid: u16, mac: Mac) -> Option<Vec<(Key, Entry)>> {
        self.vlans.member(vid)?;
        let mut gone = Vec::new();
        if let Some(entry) = self.forget_own_address(mac, vid, None, mac) {
            gone.push(((mac, vid), entry));
        }
        gone.extend(self.flush_vlan(None, vid, mac));
        if self.vlans.is_pvid(vid) {
            self.vlans.pvid = 0;
        }
        if let Some(vlan) = self.vlans.find_mut(vid) {
            vlan.member = false;
        }
        self.release_context(vid);
        Some(gone)
    }

    /// `nbp_vlan_delete`: a port leaves a VLAN. What the forwarding database lost; none if it was no member.
    pub fn delete_port_vlan(&mut self, dev: DevId, vid: u16, bridge_mac: Mac) -> Option<Vec<(Key, Entry)>> {
        let port = self.port(dev)?;
        port.vlans.find(vid)?;
        let mac = port.mac;
        let mut gone = Vec::new();
        if let Some(entry) = self.forget_own_address(mac, vid, Some(dev), bridge_mac) {
            gone.push(((mac, vid), entry));
        }
        gone.extend(self.flush_vlan(Some(dev), vid, bridge_mac));
        if let Some(port) = self.port_mut(dev) {
            port.vlans.remove(vid);
        }
        self.release_context(vid);
        Some(gone)
    }

    /// A port goes: so do its VLANs (`nbp_vlan_flush`), not yet its addresses.
    pub fn flush_port_vlans(&mut self, dev: DevId) {
        let Some(port) = self.port_mut(dev) else { return };
        let vlans = std::mem::take(&mut port.vlans);
        for vlan in vlans.all() {
            self.release_context(vlan.vid);
        }
    }

    /// `br_vlan_put_master`: the bridge keeps a VLAN while it or a port is a member.
    fn release_context(&mut self, vid: u16) {
        let used =
            self.vlans.member(vid).is_some() || self.ports.iter().any(|port| port.vlans.find(vid).is_some());
        if !used {
            self.vlans.remove(vid);
        }
    }

    /// What is known in a VLAN behind a port, or of the bridge, and is not fixed (`br_fdb_delete_by_port`).
    fn flush_vlan(&mut self, port: Option<DevId>, vid: u16, bridge_mac: Mac) -> Vec<(Key, Entry)> {
        let mut gone = Vec::new();
        for (key, entry) in self.fdb.dump() {
            if entry.port != port || key.1 != vid || entry.fixed || entry.extern_learn {
                continue;
            }
            let removed = match entry.local {
                true => self.forget_own_address(key.0, key.1, port, bridge_mac),
                false => self.fdb.remove(key.0, key.1),
            };
            gone.extend(removed.map(|entry| (key, entry)));
        }
        gone
    }

    /// `__br_vlan_set_default_pvid`: another default VLAN, for those who still have the old one as it was given.
    /// Answers with who changed (`None` is the bridge) and what the forwarding database lost.
    pub fn set_default_pvid(&mut self, pvid: u16, mac: Mac, now: Time) -> PvidChange {
        let old = self.default_pvid;
        let mut change = PvidChange::default();
        let ports: Vec<DevId> = self.ports.iter().map(|port| port.dev).collect();
        let had = |group: &VlanGroup| old != 0 && group.is_default(old);
        if pvid == 0 {
            if had(&self.vlans) {
                change.lost.extend(self.delete_own_vlan(old, mac).into_iter().flatten());
                change.left.push(None);
            }
        } else if (old == 0 || had(&self.vlans)) && self.vlans.member(pvid).is_none() {
            self.add_own_vlan(pvid, Membership::DEFAULT, mac, now);
            if let Some(lost) = self.delete_own_vlan(old, mac) {
                change.lost.extend(lost);
                change.left.push(None);
            }
            change.joined.push(None);
        }
        for dev in ports {
            let Some(port) = self.port(dev) else { continue };
            let keeps = pvid == 0 && !had(&port.vlans)
                || pvid != 0 && (old != 0 && !had(&port.vlans) || port.vlans.find(pvid).is_some());
            if keeps {
                continue;
            }
            if pvid != 0 {
                self.add_port_vlan(dev, pvid, Membership::DEFAULT, now);
                change.joined.push(Some(dev));
            }
            if let Some(lost) = self.delete_port_vlan(dev, old, mac) {
                change.lost.extend(lost);
                change.left.push(Some(dev));
            }
        }
        self.default_pvid = pvid;
        change
    }
}

/// What another default VLAN brought about.
#[derive(Clone, Debug, Default)]
pub struct PvidChange {
    /// Who left the old one; none for the bridge.
    pub left: Vec<Option<DevId>>,
    /// Who joined the new one.
    pub joined: Vec<Option<DevId>>,
    /// Entries of the forwarding database that went.
    pub lost: Vec<(Key, Entry)>,
}

fn new_vlan(vid: u16, member: bool, stats: Option<VlanStats>) -> Vlan {
    Vlan { vid, untagged: false, member, state: State::Forwarding, mcast_router: 1, tunnel: None, stats }
}
