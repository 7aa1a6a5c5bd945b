//! `RTM_NEWLINK`: an existing device is changed, a new one made (`__rtnl_newlink`, `rtnl_newlink_create`).

use hairpin_netlink::{
    Errno, Failure,
    codec::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE},
};

use super::attributes::Attributes;
use super::kind::{self, Change, Creation, Draft, LinkOps, Place};
use super::request::{LinkInfo, Request, Wanted, ifla};
use crate::device::DevId;
use crate::rtnl::server::Asker;
use crate::world::World;

/// The options of a port with the function that changes them.
type PortData<'a> = Option<(Change, Attributes<'a>)>;

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
        let ops = info.kind.as_deref().and_then(kind::ops);
        let data = match ops {
            Some(ops) => ops.read_data(info.data)?,
            None => None,
        };
        if let Some(ops) = ops {
            (ops.validate)(&request.attributes, data.as_ref())?;
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
                self.change_kind(dev, ops, data.as_ref())?;
            }
            if info.slave_data.is_some() {
                let (change, port) = port.ok_or(Errno::EOPNOTSUPP)?;
                change(self, dev, &port)?;
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
        let Some(ops) = ops else {
            return Err(Failure::with_text(Errno::EOPNOTSUPP, "Unknown device type"));
        };
        self.create_link(asker, request, ops, data.as_ref())
    }

    /// `IFLA_INFO_SLAVE_DATA` of a port, and who changes it: the master's kind.
    fn port_data_of<'a>(&self, dev: DevId, info: &LinkInfo<'a>) -> Result<PortData<'a>, Failure> {
        let master = self.devs.get(dev).and_then(|device| self.devs.get(device.master?));
        let ops = master.and_then(|master| kind::ops(master.kind.name()?));
        match (info.slave_data, ops.and_then(|ops| Some((ops.port_policy?, ops.change_port?)))) {
            (Some(data), Some((policy, change))) => Ok(Some((change, Attributes::read(data, policy)?))),
            _ => Ok(None),
        }
    }

    /// `changelink` of the device's kind. The request must name that kind, and it must have options.
    fn change_kind(
        &mut self,
        dev: DevId,
        ops: Option<&LinkOps>,
        data: Option<&Attributes<'_>>,
    ) -> Result<(), Failure> {
        let own = self.devs.get(dev).and_then(|device| device.kind.name());
        let ops = ops.filter(|ops| own == Some(ops.kind)).ok_or(Errno::EOPNOTSUPP)?;
        match (ops.change, data) {
            (Some(change), Some(data)) => change(self, dev, data),
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
        ops: &'static LinkOps,
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
        let draft = Draft::new(ops, request, place.birth())?;
        self.validate_link(None, request)?;
        let dev = (ops.create)(self, Creation { place, draft, request, data })?;
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
}
