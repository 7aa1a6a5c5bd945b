//! `RTM_NEWLINK`: an existing device is changed, a new one made (`__rtnl_newlink`, `rtnl_newlink_create`).

use hairpin_netlink::{
    Errno, Failure,
    codec::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE},
};

use super::attributes::Attributes;
use super::bridge_options::BRIDGE_POLICY;
use super::change::refuse_offload;
use super::dump::known_kind;
use super::kinds;
use super::kinds::{MACVLAN_POLICY, VETH_POLICY, VLAN_POLICY};
use super::port_options::PORT_POLICY;
use super::request::{LinkInfo, Request, Wanted, ifla};
use crate::control::NewDevice;
use crate::dev::Kind;
use crate::dev::bridge::Bridge;
use crate::device::DevId;
use crate::mac::Mac;
use crate::netns::NsId;
use crate::rtnl::server::Asker;
use crate::world::World;

/// Most queues a request may ask for.
const QUEUES_MAX: u32 = 4096;
/// Largest MTU of an Ethernet device (`ETH_MAX_MTU`).
const ETH_MAX_MTU: u32 = 65_535;

/// `MAX_NEST_DEV`
const NESTING_MAX: usize = 8;

/// Where a new device is made and where it ends up.
#[derive(Clone, Copy)]
struct Place<'a> {
    asker: &'a Asker<'a>,
    destination: NsId,
    /// `IFLA_LINK_NETNSID`: where the device below is.
    link: Option<NsId>,
}

impl Place<'_> {
    /// Where the device is registered at first.
    fn birth(&self) -> NsId {
        self.link.unwrap_or(self.destination)
    }

    /// Where `IFLA_LINK` is looked up.
    fn below(&self) -> NsId {
        self.link.unwrap_or(self.asker.ns)
    }
}

impl World {
    pub(super) fn new_link(
        &mut self,
        asker: &Asker<'_>,
        request: &Request<'_>,
        flags: u16,
    ) -> Result<(), Failure> {
        request.one_netns(false)?;
        if request.index < 0 {
            return Err(Failure::with_text(Errno::EINVAL, "ifindex can't be negative"));
        }
        let wanted = self.wanted_link(asker.ns, request);
        let found = match wanted {
            Wanted::Found(dev) => Some(dev),
            _ => None,
        };
        self.validate_link(found, request)?;
        let info = request.link_info()?;
        let kind = info.kind.as_deref().and_then(known_kind);
        let data = match (kind, info.data) {
            (Some(kind), Some(data)) => read_data(kind, data)?,
            _ => None,
        };
        if let Some(kind) = kind {
            kinds::validate(kind, &request.attributes, data.as_ref())?;
        }
        if let Some(dev) = found {
            let port = self.port_data_of(dev, &info)?;
            if flags & NLM_F_EXCL != 0 {
                return Err(Errno::EEXIST.into());
            }
            if flags & NLM_F_REPLACE != 0 {
                return Err(Errno::EOPNOTSUPP.into());
            }
            if info.data.is_some() {
                self.change_kind(dev, kind, data.as_ref())?;
            }
            if info.slave_data.is_some() {
                let port = port.ok_or(Errno::EOPNOTSUPP)?;
                self.change_port(dev, &port)?;
            }
            let announce = info.data.is_some() || info.slave_data.is_some();
            return self.change_link(asker, dev, request, announce);
        }
        if flags & NLM_F_CREATE == 0 {
            return match (wanted, request.attributes.u32(ifla::GROUP)) {
                (Wanted::Unnamed, Some(group)) => self.change_group(asker, group, request),
                _ => Err(Errno::ENODEV.into()),
            };
        }
        if request.attributes.has(ifla::MAP) || request.attributes.has(ifla::PROTINFO) {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let Some(kind) = kind else {
            return Err(Failure::with_text(Errno::EOPNOTSUPP, "Unknown device type"));
        };
        self.create_link(asker, request, kind, data.as_ref())
    }

    /// `IFLA_INFO_SLAVE_DATA`, for a port of a bridge.
    fn port_data_of<'a>(&self, dev: DevId, info: &LinkInfo<'a>) -> Result<Option<Attributes<'a>>, Failure> {
        let is_port = self.devs.get(dev).is_some_and(|device| device.master.is_some());
        match info.slave_data {
            Some(data) if is_port => Ok(Some(Attributes::read(data, PORT_POLICY)?)),
            _ => Ok(None),
        }
    }

    /// `changelink` of the device's kind. The request must name that kind, and it must have options.
    fn change_kind(
        &mut self,
        dev: DevId,
        kind: Option<&str>,
        data: Option<&Attributes<'_>>,
    ) -> Result<(), Failure> {
        let own = self.devs.get(dev).and_then(|device| device.kind.name());
        if kind.is_none() || kind != own {
            return Err(Errno::EOPNOTSUPP.into());
        }
        match (kind, data) {
            (Some("bridge"), Some(data)) => self.change_bridge(dev, data),
            (Some("macvlan"), Some(data)) => self.change_macvlan_link(dev, data),
            (Some("vlan"), Some(data)) => {
                self.change_vlan(dev, data);
                Ok(())
            }
            _ => Err(Errno::EOPNOTSUPP.into()),
        }
    }

    /// `rtnl_group_changelink`
    fn change_group(&mut self, asker: &Asker<'_>, group: u32, request: &Request<'_>) -> Result<(), Failure> {
        for dev in self.group_members(asker.ns, group) {
            self.change_link(asker, dev, request, false)?;
        }
        Ok(())
    }

    /// `rtnl_newlink_create`
    fn create_link(
        &mut self,
        asker: &Asker<'_>,
        request: &Request<'_>,
        kind: &'static str,
        data: Option<&Attributes<'_>>,
    ) -> Result<(), Failure> {
        let destination = self.destination_netns(asker, asker.ns, request)?;
        let link = match request.attributes.i32(ifla::LINK_NETNSID) {
            None => None,
            Some(id) => Some(
                self.netns_by_id(destination, id)
                    .ok_or_else(|| Failure::with_text(Errno::EINVAL, "Unknown network namespace id"))?,
            ),
        };
        let place = Place { asker, destination, link };
        let draft = draft(kind, request, place.birth())?;
        self.validate_link(None, request)?;
        let dev = match kind {
            "bridge" => self.create_bridge(draft, data)?,
            "macvlan" => self.create_macvlan(place, draft, request, data)?,
            "vlan" => self.create_vlan(place, draft, request, data)?,
            "veth" => self.create_veth(place, draft, request, data)?,
            _ => self.register_draft(draft, Kind::Dummy)?,
        };
        let finished = self.finish_link(dev, request, place);
        if finished.is_err() {
            self.unregister(dev);
        }
        finished
    }

    /// `rtnl_configure_link` and what follows it.
    fn finish_link(&mut self, dev: DevId, request: &Request<'_>, place: Place<'_>) -> Result<(), Failure> {
        self.configure_link(dev, request)?;
        if place.link.is_some() {
            self.move_to(dev, place.destination, None)?;
        }
        match request.attributes.u32(ifla::MASTER) {
            Some(master) => self.set_master(dev, master),
            None => Ok(()),
        }
    }

    /// `rtnl_configure_link`: flags, then the first announcement.
    fn configure_link(&mut self, dev: DevId, request: &Request<'_>) -> Result<(), Failure> {
        if request.flags != 0 || request.change != 0 {
            self.change_flags(dev, request)?;
        }
        self.changed();
        // A device that has gone up has been announced with that.
        if self.devs.get(dev).is_some_and(|device| !device.is_up()) {
            self.notify_link(dev);
        }
        Ok(())
    }

    fn register_draft(&mut self, draft: Draft, kind: Kind) -> Result<DevId, Failure> {
        let Draft { ns, name, ifindex, mac, mtu, .. } = draft;
        let dev = self.register(ns, NewDevice { name, kind, mac, ifindex, mtu })?;
        self.set_group(dev, draft.group);
        self.on_device(dev, |device| {
            device.queues = draft.queues;
            device.tx_queue_len = draft.tx_queue_len.unwrap_or(device.tx_queue_len);
            device.broadcast = draft.broadcast.unwrap_or(device.broadcast);
        });
        Ok(dev)
    }

    /// `br_dev_newlink`
    fn create_bridge(&mut self, draft: Draft, data: Option<&Attributes<'_>>) -> Result<DevId, Failure> {
        let dev = self.register_draft(draft, Kind::Bridge(Box::new(Bridge::new(self.now))))?;
        self.start_bridge(dev);
        if let Some(data) = data
            && let Err(failure) = self.change_bridge(dev, data)
        {
            self.unregister(dev);
            return Err(failure);
        }
        Ok(dev)
    }

    /// `macvlan_common_newlink`
    fn create_macvlan(
        &mut self,
        place: Place<'_>,
        mut draft: Draft,
        request: &Request<'_>,
        data: Option<&Attributes<'_>>,
    ) -> Result<DevId, Failure> {
        let Some(index) = request.attributes.u32(ifla::LINK) else { return Err(Errno::EINVAL.into()) };
        let mut lower = self.device_at(place.below(), index).ok_or(Errno::ENODEV)?;
        // A macvlan on a macvlan stands on the real device.
        if let Some(Kind::Macvlan(state)) = self.devs.get(lower).map(|device| &device.kind) {
            lower = state.lower;
        }
        let below = self.devs.get(lower).map(|below| below.mtu).ok_or(Errno::ENODEV)?;
        draft.inherit_mtu(below)?;
        let state = kinds::new_macvlan(lower, data)?;
        self.check_macvlan(lower, state.mode)?;
        self.check_nesting(lower)?;
        let dev = self.register_draft(draft, Kind::Macvlan(Box::new(state)))?;
        self.link_macvlan(dev);
        self.notify_link(lower);
        Ok(dev)
    }

    /// `vlan_newlink`
    fn create_vlan(
        &mut self,
        place: Place<'_>,
        mut draft: Draft,
        request: &Request<'_>,
        data: Option<&Attributes<'_>>,
    ) -> Result<DevId, Failure> {
        let vlan = |lower| kinds::new_vlan(lower, data);
        vlan(DevId::default())?;
        let Some(index) = request.attributes.u32(ifla::LINK) else {
            return Err(kinds::vlan_failure(Errno::EINVAL, "link not specified"));
        };
        let lower = self
            .device_at(place.below(), index)
            .ok_or_else(|| kinds::vlan_failure(Errno::ENODEV, "link does not exist"))?;
        let state = vlan(lower)?;
        self.check_vlan(lower, state.tpid, state.vid)?;
        self.check_nesting(lower)?;
        let below = self.devs.get(lower).map(|below| below.mtu).ok_or(Errno::ENODEV)?;
        draft.inherit_mtu(below)?;
        let own_mac = draft.mac.is_some();
        let dev = self.register_draft(draft, Kind::Vlan(Box::new(state)))?;
        self.link_vlan(dev, own_mac);
        self.notify_link(lower);
        Ok(dev)
    }

    /// `__netdev_upper_dev_link`: so many devices stand on one another at most.
    fn check_nesting(&self, lower: DevId) -> Result<(), Failure> {
        let mut level = 0;
        let mut at = Some(lower);
        while let Some(device) = at.and_then(|dev| self.devs.get(dev)) {
            level += 1;
            if level >= NESTING_MAX {
                return Err(Errno::EMLINK.into());
            }
            at = match device.kind {
                Kind::Macvlan(_) | Kind::Vlan(_) => device.lower(),
                _ => None,
            };
        }
        Ok(())
    }

    /// `veth_newlink`: the peer comes first.
    fn create_veth(
        &mut self,
        place: Place<'_>,
        draft: Draft,
        request: &Request<'_>,
        data: Option<&Attributes<'_>>,
    ) -> Result<DevId, Failure> {
        let end = || Kind::Veth(crate::dev::veth::Veth { peer: None });
        let given = match data.and_then(|data| data.get(kinds::VETH_INFO_PEER)) {
            Some(bytes) => Some(Request::read(bytes)?),
            None => None,
        };
        if let Some(given) = &given {
            if given.index < 0 {
                return Err(Failure::with_text(Errno::EINVAL, "ifindex can't be negative"));
            }
            kinds::validate("veth", &given.attributes, None)?;
        }
        let source = given.as_ref().unwrap_or(request);
        let peer_ns = match source.attributes.has(ifla::TARGET_NETNSID) {
            // The peer's namespace is known by pid or descriptor only.
            true => place.below(),
            false => self.destination_netns(place.asker, place.below(), source)?,
        };
        let mut peer_draft = self::draft("veth", source, peer_ns)?;
        match &given {
            None => {
                peer_draft.name = "veth%d".to_owned();
                peer_draft.mac = None;
                peer_draft.ifindex = 0;
            }
            Some(given) => {
                if given.name().is_none() {
                    peer_draft.name = "veth%d".to_owned();
                }
                if request.index == 0 {
                    peer_draft.ifindex = 0;
                }
            }
        }
        let peer = self.register_draft(peer_draft, end())?;
        self.set_carrier(peer, false);
        let flags = Request { attributes: Attributes::default(), ..request.clone() };
        let flags = given.as_ref().unwrap_or(&flags);
        let asked = given.is_some() && (flags.flags != 0 || flags.change != 0);
        let configured = if asked { self.change_flags(peer, flags) } else { Ok(()) };
        let registered = configured.and_then(|()| {
            self.notify_link(peer);
            self.register_draft(draft, end())
        });
        match registered {
            Ok(dev) => {
                self.link_veth(dev, peer);
                Ok(dev)
            }
            Err(failure) => {
                self.unregister(peer);
                Err(failure)
            }
        }
    }
}

/// `IFLA_INFO_DATA` by the kind's policy; none for a kind without options.
fn read_data<'a>(kind: &str, data: &'a [u8]) -> Result<Option<Attributes<'a>>, Failure> {
    let policy = match kind {
        "bridge" => BRIDGE_POLICY,
        "macvlan" => MACVLAN_POLICY,
        "vlan" => VLAN_POLICY,
        "veth" => VETH_POLICY,
        _ => return Ok(None),
    };
    Attributes::read(data, policy).map(Some)
}

/// What a device that is to be made has of its request (`rtnl_create_link`).
#[derive(Clone, Debug)]
struct Draft {
    ns: NsId,
    name: String,
    ifindex: u32,
    mac: Option<Mac>,
    broadcast: Option<Mac>,
    mtu: Option<u32>,
    tx_queue_len: Option<u32>,
    group: u32,
    queues: (u32, u32),
}

impl Draft {
    /// A stacked device takes over the MTU below it, and may not exceed it.
    fn inherit_mtu(&mut self, below: u32) -> Result<(), Failure> {
        if self.mtu.is_some_and(|mtu| mtu > below) {
            return Err(Errno::EINVAL.into());
        }
        self.mtu.get_or_insert(below);
        Ok(())
    }
}

fn draft(kind: &str, request: &Request<'_>, ns: NsId) -> Result<Draft, Failure> {
    let attributes = &request.attributes;
    let queues = |kind, text: &str| match attributes.u32(kind).unwrap_or(1) {
        count if (1..=QUEUES_MAX).contains(&count) => Ok(count),
        _ => Err(Failure::with_text(Errno::EINVAL, text)),
    };
    let queues = (
        queues(ifla::NUM_TX_QUEUES, "Invalid number of transmit queues")?,
        queues(ifla::NUM_RX_QUEUES, "Invalid number of receive queues")?,
    );
    let mtu = attributes.u32(ifla::MTU);
    if let Some(mtu) = mtu {
        check_mtu(kind, mtu)?;
    }
    refuse_offload(attributes)?;
    Ok(Draft {
        ns,
        name: attributes.text(ifla::IFNAME).unwrap_or_else(|| format!("{kind}%d")),
        ifindex: request.index.unsigned_abs(),
        mac: attributes.mac(ifla::ADDRESS),
        broadcast: attributes.mac(ifla::BROADCAST),
        mtu,
        tx_queue_len: attributes.u32(ifla::TXQLEN),
        group: attributes.u32(ifla::GROUP).unwrap_or(0),
        queues,
    })
}

/// `dev_validate_mtu` with the bounds that a kind's `setup` gives.
fn check_mtu(kind: &str, mtu: u32) -> Result<(), Failure> {
    let (least, most) = match kind {
        "dummy" => (0, i32::MAX as u32),
        "vlan" => (0, ETH_MAX_MTU),
        _ => (68, ETH_MAX_MTU),
    };
    if mtu > i32::MAX as u32 || mtu < least {
        return Err(Failure::with_text(Errno::EINVAL, "mtu less than device minimum"));
    }
    if mtu > most {
        return Err(Failure::with_text(Errno::EINVAL, "mtu greater than device maximum"));
    }
    Ok(())
}
