//! Forwarding databases: `RTM_NEWNEIGH` and its kin of `AF_BRIDGE` (net/core/rtnetlink.c `rtnl_fdb_*`,
//! net/bridge/br_fdb.c).

use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use hairpin_netlink::core::Nla as _;
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::neighbour::{NeighbourAttribute, NeighbourFlags, NeighbourMessage};
use hairpin_netlink::{Errno, Failure, Message, neighbour_cache_info};

use crate::dev::bridge::fdb::{Entry, Key, Learned};
use crate::dev::bridge::{Bridge, State};
use crate::dev::macvlan::Mode;
use crate::dev::{Kind, RxHandler};
use crate::device::{DevId, Device};
use crate::mac::Mac;
use crate::neigh::nud;
use crate::netns::NsId;
use crate::time::Time;
use crate::world::World;

use super::Dump;
use super::neigh::{link_layer, ntf};

fn bad(text: &str) -> Failure {
    Failure::with_text(Errno::EINVAL, text)
}

/// The VLANs that a request for an entry is about: the one it names, or 0 and all of the entry's owner. None for
/// a VLAN that the owner is not in; where `member`, one that the bridge only keeps for its ports is none.
fn vlans_of(bridge: &Bridge, port: Option<DevId>, vlan: u16, member: bool) -> Option<Vec<u16>> {
    let group = match port {
        Some(dev) => &bridge.port(dev)?.vlans,
        None => &bridge.vlans,
    };
    if vlan == 0 {
        return Some(std::iter::once(0).chain(group.members().map(|vlan| vlan.vid)).collect());
    }
    group.find(vlan).filter(|vlan| vlan.member || !member).map(|vlan| vec![vlan.vid])
}

const NDA_NDM_STATE_MASK: u16 = 16;
const NDA_NDM_FLAGS_MASK: u16 = 17;

/// Which entries a flush takes away (`struct net_bridge_fdb_flush_desc`).
#[derive(Clone, Copy, Debug, Default)]
struct FlushChoice {
    /// 0 for any.
    vlan: u16,
    /// Whose entries; the inner `None` is the bridge itself.
    owner: Option<Option<DevId>>,
    mask: u8,
    wanted: u8,
}

impl FlushChoice {
    fn matches(&self, key: &Key, entry: &Entry) -> bool {
        let mut bits = 0;
        for (at, on) in [entry.local, entry.fixed, entry.added_by_user, entry.extern_learn, entry.sticky]
            .iter()
            .enumerate()
        {
            bits |= u8::from(*on) << at;
        }
        (self.vlan == 0 || self.vlan == key.1)
            && self.owner.is_none_or(|owner| owner == entry.port)
            && (self.mask == 0 || bits & self.mask == self.wanted)
    }
}

/// Properties of entries as a flush names them, in the order of [`FlushChoice::matches`].
fn entry_bits(state: u16, flags: u8) -> u8 {
    u8::from(state & nud::PERMANENT != 0)
        | u8::from(state & nud::NOARP != 0) << 1
        | u8::from(flags & ntf::USE != 0) << 2
        | u8::from(flags & ntf::EXT_LEARNED != 0) << 3
        | u8::from(flags & ntf::STICKY != 0) << 4
        // Nothing is offloaded here.
        | u8::from(flags & ntf::OFFLOADED != 0) << 5
}

/// The number in an attribute of one or two bytes.
fn raw_number(attribute: &NeighbourAttribute) -> u16 {
    let mut value = vec![0; attribute.value_len()];
    attribute.emit_value(&mut value);
    match *value {
        [low] => low.into(),
        [a, b, ..] => u16::from_ne_bytes([a, b]),
        [] => 0,
    }
}

/// What a request for one entry says.
struct Request {
    dev: DevId,
    mac: Mac,
    vlan: u16,
    state: u16,
    flags: u8,
}

impl World {
    /// `has_expired`: an entry that is there until the database is looked through.
    fn fdb_entry_expired(&self, bridge: &Device, entry: &Entry) -> bool {
        let Kind::Bridge(bridge) = &bridge.kind else { return false };
        !entry.fixed && !entry.extern_learn && entry.updated + bridge.hold_time() <= self.now
    }

    /// An entry as the kernel describes it (`fdb_fill_info`).
    pub(crate) fn fdb_message(&self, bridge: DevId, key: Key, entry: &Entry) -> Option<NeighbourMessage> {
        let master = self.devs.get(bridge)?;
        let port = entry.port.and_then(|port| self.devs.get(port));
        let mut message = NeighbourMessage::default();
        let header = &mut message.header;
        header.family = AddressFamily::Bridge;
        header.ifindex = port.map_or(master.ifindex, |port| port.ifindex);
        header.state = match (entry.local, entry.fixed) {
            (true, _) => nud::PERMANENT,
            (false, true) => nud::NOARP,
            (false, false) if self.fdb_entry_expired(master, entry) => nud::STALE,
            (false, false) => nud::REACHABLE,
        }
        .into();
        let sticky = if entry.sticky { ntf::STICKY } else { 0 };
        let learned = if entry.extern_learn { ntf::EXT_LEARNED } else { 0 };
        header.flags = NeighbourFlags::from_bits_retain(sticky | learned);
        let attributes = &mut message.attributes;
        attributes.push(NeighbourAttribute::LinkLayerAddress(key.0.0.to_vec()));
        attributes.push(NeighbourAttribute::Controller(master.ifindex));
        let ago = |at: Time| (self.now.since(at).as_millis() / 10) as u32;
        attributes.extend(neighbour_cache_info(0, ago(entry.used), ago(entry.updated), 0));
        if key.1 != 0 {
            attributes.push(NeighbourAttribute::Vlan(key.1));
        }
        Some(message)
    }

    fn fdb_request(&self, ns: NsId, message: &NeighbourMessage) -> Result<Request, Failure> {
        let header = &message.header;
        if header.ifindex == 0 {
            return Err(bad("invalid ifindex"));
        }
        let unknown = || Failure::with_text(Errno::ENODEV, "unknown ifindex");
        let dev = self.device_at(ns, header.ifindex).ok_or_else(unknown)?;
        let mac = link_layer(message).filter(|bytes| bytes.len() == 6).and_then(Mac::read);
        let mac = mac.ok_or_else(|| bad("invalid address"))?;
        if self.devs.get(dev).is_some_and(|device| !device.is_ethernet()) {
            return Err(bad("FDB add only supported for Ethernet devices"));
        }
        let vlan = message.attributes.iter().find_map(|attribute| match attribute {
            NeighbourAttribute::Vlan(vlan) => Some(*vlan),
            _ => None,
        });
        if vlan.is_some_and(|vlan| vlan == 0 || vlan >= 4095) {
            return Err(bad("invalid vlan id"));
        }
        Ok(Request {
            dev,
            mac,
            vlan: vlan.unwrap_or(0),
            state: u16::from(header.state),
            flags: header.flags.bits(),
        })
    }

    /// The bridge that a request without `self` is for.
    fn bridge_of(&self, dev: DevId) -> Option<DevId> {
        match self.devs.get(dev)?.rx_handler {
            RxHandler::BridgePort { bridge } => Some(bridge),
            _ => None,
        }
    }

    /// `rtnl_fdb_add`
    ///
    /// # Errors
    /// The kernel's errno and extended-ack text.
    pub(super) fn new_fdb(
        &mut self,
        ns: NsId,
        message: &NeighbourMessage,
        flags: u16,
    ) -> Result<(), Failure> {
        let request = self.fdb_request(ns, message)?;
        let mut outcome = Err(Failure::from(Errno::EOPNOTSUPP));
        if request.flags & ntf::SELF == 0 || request.flags & ntf::MASTER != 0 {
            let wanted = request.flags & (ntf::MASTER | ntf::SELF) == 0 || request.flags & ntf::MASTER != 0;
            if wanted && let Some(bridge) = self.bridge_of(request.dev) {
                self.add_bridge_entry(bridge, Some(request.dev), &request, flags)?;
                outcome = Ok(());
            }
        }
        if request.flags & ntf::SELF != 0 {
            outcome = match self.devs.get(request.dev).map(|device| &device.kind) {
                Some(Kind::Bridge(_)) => self.add_bridge_entry(request.dev, None, &request, flags),
                Some(Kind::Vxlan(_)) => self.add_vxlan_entry(request.dev, request.mac, message, flags),
                Some(Kind::Macvlan(state)) => {
                    let passthru = state.mode == Mode::Passthru;
                    self.add_macvlan_entry(&request, flags, passthru)
                }
                _ => self.add_filter_entry(&request, flags),
            };
            if outcome.is_ok() {
                self.notify_own_fdb(request.dev, request.mac, request.vlan, request.state, false);
            }
        }
        self.changed();
        outcome
    }

    /// `br_fdb_add`, `fdb_add_entry`
    fn add_bridge_entry(
        &mut self,
        bridge: DevId,
        port: Option<DevId>,
        request: &Request,
        flags: u16,
    ) -> Result<(), Failure> {
        let Request { mac, state, .. } = *request;
        if state & (nud::PERMANENT | nud::NOARP | nud::REACHABLE) == 0 || mac.is_zero() {
            return Err(Errno::EINVAL.into());
        }
        let used = request.flags & ntf::USE != 0;
        let sticky = request.flags & ntf::STICKY != 0;
        if !used && sticky && state & nud::PERMANENT != 0 {
            return Err(Errno::EINVAL.into());
        }
        if used {
            return self.use_bridge_entry(bridge, port.ok_or(Errno::EINVAL)?, request);
        }
        if request.flags & ntf::EXT_LEARNED != 0 {
            return self.add_learned_outside(bridge, port, request);
        }
        let now = self.now;
        let Some(Kind::Bridge(own)) = self.devs.get_mut(bridge).map(|device| &mut device.kind) else {
            return Err(Errno::EOPNOTSUPP.into());
        };
        if let Some(port) = port.and_then(|dev| own.port(dev)) {
            let learns = matches!(port.state, State::Learning | State::Forwarding);
            if state & (nud::PERMANENT | nud::NOARP) == 0 && !learns {
                return Err(Errno::EPERM.into());
            }
        } else if state & nud::PERMANENT == 0 {
            return Err(Errno::EINVAL.into());
        }
        // An entry without a VLAN is made in every VLAN of its owner too.
        let Some(vlans) = vlans_of(own, port, request.vlan, true) else { return Err(Errno::EINVAL.into()) };
        let mut notices = Vec::new();
        for vlan in &vlans {
            let local = state & nud::PERMANENT != 0;
            let fixed = local || state & nud::NOARP != 0;
            match own.fdb.get_mut(mac, *vlan) {
                Some(_) if flags & NLM_F_EXCL != 0 => return Err(Errno::EEXIST.into()),
                Some(entry) => {
                    entry.port = port;
                    entry.local = local;
                    entry.fixed = fixed;
                    entry.sticky = sticky;
                    entry.added_by_user = true;
                    entry.updated = now;
                    entry.used = now;
                    notices.push(((mac, *vlan), *entry));
                }
                None if flags & NLM_F_CREATE == 0 => return Err(Errno::ENOENT.into()),
                None => {
                    let entry = Entry { local, fixed, sticky, added_by_user: true, ..Entry::new(port, now) };
                    own.fdb.insert(mac, *vlan, entry);
                    notices.push(((mac, *vlan), entry));
                }
            }
        }
        for (key, entry) in notices {
            self.wake_bridge_ageing(bridge);
            self.notify_fdb(bridge, key, &entry, false);
        }
        Ok(())
    }

    /// `__br_fdb_add` with `NTF_USE`: as if a frame with this source had come in by the port, whatever else is said.
    fn use_bridge_entry(&mut self, bridge: DevId, port: DevId, request: &Request) -> Result<(), Failure> {
        let (now, mac) = (self.now, request.mac);
        let Some(Kind::Bridge(own)) = self.devs.get_mut(bridge).map(|device| &mut device.kind) else {
            return Err(Errno::EOPNOTSUPP.into());
        };
        let vlans = vlans_of(own, Some(port), request.vlan, true).ok_or(Errno::EINVAL)?;
        let learns =
            own.port(port).is_some_and(|port| matches!(port.state, State::Learning | State::Forwarding));
        if !learns {
            return Ok(());
        }
        let mut notices = Vec::new();
        for vlan in vlans {
            let learned = own.fdb.learn(mac, vlan, port, now);
            let Some(entry) = own.fdb.get_mut(mac, vlan).filter(|entry| !entry.local) else { continue };
            entry.added_by_user = true;
            if matches!(learned, Learned::Changed) {
                entry.extern_learn = false;
                notices.push(((mac, vlan), *entry));
            }
        }
        for (key, entry) in notices {
            self.wake_bridge_ageing(bridge);
            self.notify_fdb(bridge, key, &entry, false);
        }
        Ok(())
    }

    /// `br_fdb_external_learn_add`: what something outside the kernel has learned. What is asked for of its state, and
    /// whether it is to be new, counts for nothing.
    fn add_learned_outside(
        &mut self,
        bridge: DevId,
        port: Option<DevId>,
        request: &Request,
    ) -> Result<(), Failure> {
        if port.is_none() && request.state & nud::PERMANENT == 0 {
            return Err(Failure::with_text(
                Errno::EINVAL,
                "bridge: FDB entry towards bridge must be permanent",
            ));
        }
        let (now, mac) = (self.now, request.mac);
        let Some(Kind::Bridge(own)) = self.devs.get_mut(bridge).map(|device| &mut device.kind) else {
            return Err(Errno::EOPNOTSUPP.into());
        };
        let vlans = vlans_of(own, port, request.vlan, true).ok_or(Errno::EINVAL)?;
        let mut notices = Vec::new();
        for vlan in vlans {
            let fresh = Entry {
                local: port.is_none(),
                added_by_user: true,
                extern_learn: true,
                ..Entry::new(port, now)
            };
            let Some(entry) = own.fdb.get_mut(mac, vlan) else {
                own.fdb.insert(mac, vlan, fresh);
                notices.push(((mac, vlan), fresh));
                continue;
            };
            let same = entry.port == port && entry.extern_learn;
            entry.updated = now;
            if entry.extern_learn {
                entry.used = now;
            }
            (entry.port, entry.extern_learn, entry.added_by_user) = (port, true, true);
            entry.local |= port.is_none();
            if !same {
                notices.push(((mac, vlan), *entry));
            }
        }
        for (key, entry) in notices {
            self.notify_fdb(bridge, key, &entry, false);
        }
        Ok(())
    }

    /// `macvlan_fdb_add`: unicast only for passthru.
    fn add_macvlan_entry(&mut self, request: &Request, flags: u16, passthru: bool) -> Result<(), Failure> {
        if !passthru && !request.mac.is_group() || flags & NLM_F_REPLACE != 0 {
            return Err(Errno::EOPNOTSUPP.into());
        }
        match self.add_filter(request.dev, request.mac) {
            true => Ok(()),
            false => Err(Errno::EEXIST.into()),
        }
    }

    /// `ndo_dflt_fdb_add`: into the device's own address filter.
    fn add_filter_entry(&mut self, request: &Request, flags: u16) -> Result<(), Failure> {
        if request.state != 0 && request.state & nud::PERMANENT == 0 || request.vlan != 0 {
            // The kernel says more in its log only.
            return Err(Errno::EINVAL.into());
        }
        match self.add_filter(request.dev, request.mac) {
            false if flags & NLM_F_EXCL != 0 => Err(Errno::EEXIST.into()),
            _ => Ok(()),
        }
    }

    /// `rtnl_fdb_del`
    ///
    /// # Errors
    /// `ENOENT` and the kernel's others.
    pub(super) fn del_fdb(&mut self, ns: NsId, message: &NeighbourMessage) -> Result<(), Failure> {
        let request = self.fdb_request(ns, message)?;
        let mut outcome = Err(Failure::from(Errno::EOPNOTSUPP));
        if (request.flags & (ntf::SELF | ntf::MASTER) == 0 || request.flags & ntf::MASTER != 0)
            && let Some(bridge) = self.bridge_of(request.dev)
        {
            self.del_bridge_entry(bridge, Some(request.dev), &request)?;
            outcome = Ok(());
        }
        if request.flags & ntf::SELF != 0 {
            outcome = match self.devs.get(request.dev).map(|device| &device.kind) {
                Some(Kind::Bridge(_)) => self.del_bridge_entry(request.dev, None, &request),
                Some(Kind::Vxlan(_)) => self.del_vxlan_entry(request.dev, request.mac, message),
                // `macvlan_fdb_del`
                Some(Kind::Macvlan(state)) if state.mode != Mode::Passthru && !request.mac.is_group() => {
                    Err(Errno::EOPNOTSUPP.into())
                }
                Some(Kind::Macvlan(_)) => self.remove_filter_entry(&request),
                _ => self.del_filter_entry(&request),
            };
            if outcome.is_ok() {
                self.notify_own_fdb(request.dev, request.mac, request.vlan, request.state, true);
            }
        }
        self.changed();
        outcome
    }

    /// `rtnl_fdb_del` with `NLM_F_BULK`, for which only bridges have a function (`br_fdb_delete_bulk`).
    ///
    /// # Errors
    /// `EOPNOTSUPP` for other devices, `EINVAL` for what an entry cannot be selected by.
    pub(super) fn flush_fdb(&mut self, ns: NsId, message: &NeighbourMessage) -> Result<(), Failure> {
        let header = &message.header;
        if header.ifindex == 0 {
            return Err(bad("invalid ifindex"));
        }
        let unknown = || Failure::with_text(Errno::ENODEV, "unknown ifindex");
        let dev = self.device_at(ns, header.ifindex).ok_or_else(unknown)?;
        let flags = header.flags.bits();
        let of_port = match flags == 0 || flags & ntf::MASTER != 0 {
            true => self.bridge_of(dev),
            false => None,
        };
        let is_bridge = matches!(self.devs.get(dev).map(|device| &device.kind), Some(Kind::Bridge(_)));
        let (bridge, port) = match of_port {
            Some(_) if flags & ntf::SELF != 0 => return Err(Errno::EOPNOTSUPP.into()),
            Some(bridge) => (bridge, Some(dev)),
            None if flags & ntf::SELF != 0 && is_bridge => (dev, None),
            None => return Err(Errno::EOPNOTSUPP.into()),
        };
        let chosen = self.flush_choice(ns, bridge, message, port)?;
        let Some(Kind::Bridge(own)) = self.devs.get_mut(bridge).map(|device| &mut device.kind) else {
            return Err(Errno::EOPNOTSUPP.into());
        };
        let gone = own.fdb.flush(|key, entry| chosen.matches(key, entry));
        for (key, entry) in gone {
            self.notify_fdb(bridge, key, &entry, true);
        }
        self.changed();
        Ok(())
    }

    /// What of a bridge's entries a flush request selects (`br_fdb_delete_bulk`).
    fn flush_choice(
        &self,
        ns: NsId,
        bridge: DevId,
        message: &NeighbourMessage,
        port: Option<DevId>,
    ) -> Result<FlushChoice, Failure> {
        let wrong = |text: &str| Failure::with_text(Errno::EINVAL, text);
        let flags = message.header.flags.bits() & !(ntf::MASTER | ntf::SELF);
        let state = u16::from(message.header.state);
        if flags & !(ntf::USE | ntf::EXT_LEARNED | ntf::OFFLOADED | ntf::STICKY) != 0 {
            return Err(wrong("Unsupported fdb flush ndm flag bits set"));
        }
        if state & !(nud::PERMANENT | nud::NOARP) != 0 {
            return Err(wrong("Unsupported fdb flush ndm state bits set"));
        }
        let mut choice = FlushChoice { owner: port.map(Some), ..FlushChoice::default() };
        choice.wanted = entry_bits(state, flags);
        for attribute in &message.attributes {
            match attribute {
                NeighbourAttribute::Vlan(vlan) => choice.vlan = *vlan,
                NeighbourAttribute::IfIndex(index) => {
                    choice.owner = Some(self.flush_owner(ns, bridge, *index)?);
                }
                other => match (other.kind(), raw_number(other)) {
                    (NDA_NDM_STATE_MASK, mask) => choice.mask |= entry_bits(mask, 0),
                    (NDA_NDM_FLAGS_MASK, mask) => choice.mask |= entry_bits(0, mask as u8),
                    _ => {}
                },
            }
        }
        Ok(choice)
    }

    /// `__fdb_flush_validate_ifindex`: the port, or the bridge itself (`None`), that a flush names.
    fn flush_owner(&self, ns: NsId, bridge: DevId, index: u32) -> Result<Option<DevId>, Failure> {
        let wrong = |text: &str| Err(Failure::with_text(Errno::EINVAL, format!("bridge: {text}")));
        let Some(dev) = self.device_at(ns, index) else {
            return Err(Failure::with_text(Errno::ENODEV, "bridge: Unknown flush device ifindex"));
        };
        match (self.bridge_of(dev), self.devs.get(dev).map(|device| &device.kind)) {
            (Some(master), _) if master == bridge => Ok(Some(dev)),
            (Some(_), _) => wrong("Port belongs to a different bridge device"),
            (None, Some(Kind::Bridge(_))) if dev == bridge => Ok(None),
            (None, Some(Kind::Bridge(_))) => wrong("Flush bridge device does not match target bridge device"),
            _ => wrong("Flush device is not a bridge or bridge port"),
        }
    }

    fn del_bridge_entry(
        &mut self,
        bridge: DevId,
        port: Option<DevId>,
        request: &Request,
    ) -> Result<(), Failure> {
        let Some(Kind::Bridge(own)) = self.devs.get_mut(bridge).map(|device| &mut device.kind) else {
            return Err(Errno::EOPNOTSUPP.into());
        };
        let Some(vlans) = vlans_of(own, port, request.vlan, false) else { return Err(Errno::EINVAL.into()) };
        let mut gone = Vec::new();
        for vlan in &vlans {
            if own.fdb.get(request.mac, *vlan).is_some_and(|entry| entry.port == port) {
                gone.extend(own.fdb.remove(request.mac, *vlan).map(|entry| ((request.mac, *vlan), entry)));
            }
        }
        if gone.is_empty() {
            return Err(Errno::ENOENT.into());
        }
        for (key, entry) in gone {
            self.notify_fdb(bridge, key, &entry, true);
        }
        Ok(())
    }

    fn del_filter_entry(&mut self, request: &Request) -> Result<(), Failure> {
        if request.state & nud::PERMANENT == 0 {
            // The kernel says more in its log only.
            return Err(Errno::EINVAL.into());
        }
        self.remove_filter_entry(request)
    }

    fn remove_filter_entry(&mut self, request: &Request) -> Result<(), Failure> {
        let removed = match request.mac.is_group() {
            true => self.leave_group(request.dev, request.mac),
            false => self.remove_unicast(request.dev, request.mac),
        };
        match removed {
            true => Ok(()),
            false => Err(Errno::ENOENT.into()),
        }
    }

    /// `rtnl_fdb_dump`: each device's entries on its bridge, then its own.
    pub(super) fn dump_fdb(&self, ns: NsId, message: &NeighbourMessage) -> Dump {
        let only_port = message.header.ifindex;
        let only_bridge = message.attributes.iter().find_map(|attribute| match attribute {
            NeighbourAttribute::Controller(ifindex) => Some(*ifindex),
            _ => None,
        });
        let mut dump = Dump { messages: Vec::new(), filtered: false };
        let Some(netns) = self.netns.get(ns) else { return dump };
        for (ifindex, dev) in &netns.devices {
            let Some(device) = self.devs.get(*dev) else { continue };
            if only_port != 0 && only_port != *ifindex {
                continue;
            }
            let bridge = self.bridge_of(*dev);
            if let Some(wanted) = only_bridge {
                let of_bridge = bridge.and_then(|b| self.devs.get(b)).is_some_and(|b| b.ifindex == wanted);
                if !of_bridge && *ifindex != wanted {
                    continue;
                }
            }
            if let Some(bridge) = bridge {
                self.dump_bridge(bridge, Some(*dev), &mut dump);
            }
            if matches!(device.kind, Kind::Vxlan(_)) {
                self.dump_vxlan(*dev, &mut dump);
                continue;
            }
            // `ndo_dflt_fdb_dump`
            if !device.is_ethernet() {
                continue;
            }
            for mac in device.unicast.macs().chain(device.multicast.macs()) {
                let mut message = NeighbourMessage::default();
                message.header.family = AddressFamily::Bridge;
                message.header.ifindex = *ifindex;
                message.header.state = nud::PERMANENT.into();
                message.header.flags = NeighbourFlags::from_bits_retain(ntf::SELF);
                message.attributes.push(NeighbourAttribute::LinkLayerAddress(mac.0.to_vec()));
                dump.messages.push(Message::NewNeighbour(message));
            }
            if matches!(device.kind, Kind::Bridge(_)) {
                self.dump_bridge(*dev, None, &mut dump);
            }
        }
        dump
    }

    fn dump_bridge(&self, bridge: DevId, port: Option<DevId>, dump: &mut Dump) {
        let Some(Kind::Bridge(own)) = self.devs.get(bridge).map(|device| &device.kind) else { return };
        for (key, entry) in own.fdb.dump() {
            if entry.port == port {
                dump.messages.extend(self.fdb_message(bridge, key, &entry).map(Message::NewNeighbour));
            }
        }
    }

    /// `rtnl_fdb_get`
    ///
    /// # Errors
    /// `ENOENT` with the kernel's text.
    pub(super) fn get_fdb(&self, ns: NsId, message: &NeighbourMessage) -> Result<NeighbourMessage, Failure> {
        let mac = link_layer(message).and_then(Mac::read).ok_or_else(|| bad("No lookup address"))?;
        let (mut vlan, mut network) = (0, 0);
        let mut bridge = None;
        for attribute in &message.attributes {
            match attribute {
                NeighbourAttribute::Vlan(id) => vlan = *id,
                NeighbourAttribute::Vni(vni) => network = *vni,
                NeighbourAttribute::Controller(ifindex) => bridge = self.device_at(ns, *ifindex),
                _ => {}
            }
        }
        if message.header.ifindex != 0 {
            let dev = self.device_at(ns, message.header.ifindex).ok_or(Errno::ENODEV)?;
            let flags = message.header.flags.bits();
            if let Some(state) = self.vxlan(dev)
                && flags & ntf::SELF != 0
                && flags & ntf::MASTER == 0
            {
                return self.get_vxlan_entry(dev, (mac, state.learned_in(network)));
            }
            if bridge.is_none() {
                let of_port = flags == 0 || flags & ntf::MASTER != 0;
                bridge = match of_port {
                    true => Some(self.bridge_of(dev).ok_or_else(|| bad("Device is not a bridge port"))?),
                    false if flags & ntf::SELF == 0 => return Err(bad("Missing NTF_SELF")),
                    false => Some(dev),
                };
            }
        }
        let bridge = bridge.ok_or_else(|| bad("No device specified"))?;
        let entry = match self.devs.get(bridge).map(|device| &device.kind) {
            Some(Kind::Bridge(own)) => own.fdb.get(mac, vlan).copied(),
            _ => return Err(Failure::with_text(Errno::EOPNOTSUPP, "Get operation not supported")),
        };
        let missing = || Failure::with_text(Errno::ENOENT, "Fdb entry not found");
        let entry = entry.ok_or_else(missing)?;
        self.fdb_message(bridge, (mac, vlan), &entry).ok_or_else(missing)
    }
}
