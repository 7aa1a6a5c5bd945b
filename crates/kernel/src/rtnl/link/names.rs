//! `RTM_NEWLINKPROP`, `RTM_DELLINKPROP`: a device's other names (`rtnl_linkprop`).

use hairpin_netlink::{Errno, Failure, codec};

use super::attributes::{Attributes, Policy, text};
use super::request::{ALTNAME_MAX, Request, Wanted, ifla};
use crate::device::DevId;
use crate::netns::NsId;
use crate::world::World;

/// Other names whose list still fits into one attribute (`rtnl_prop_list_size`).
const NAMES_MAX: usize = 496;

impl World {
    /// Adds or removes names one by one; those before a failing one stay.
    pub(super) fn change_link_properties(
        &mut self,
        ns: NsId,
        request: &Request<'_>,
        add: bool,
    ) -> Result<(), Failure> {
        request.one_netns(true)?;
        let dev = match self.wanted_link(ns, request) {
            Wanted::Found(dev) => dev,
            Wanted::Missing => return Err(Errno::ENODEV.into()),
            Wanted::Unnamed => return Err(Errno::EINVAL.into()),
        };
        let Some(list) = request.attributes.get(ifla::PROP_LIST) else { return Ok(()) };
        Attributes::read(list, &[(ifla::ALT_IFNAME, Policy::Text(ALTNAME_MAX))])?;
        let mut changed = false;
        for (_, name) in codec::attributes(list).filter(|(kind, _)| *kind == ifla::ALT_IFNAME) {
            match add {
                true => self.add_altname(ns, dev, text(name))?,
                false => self.remove_altname(ns, dev, &text(name))?,
            }
            changed = true;
        }
        if changed {
            self.changed();
            self.notify_link(dev);
        }
        Ok(())
    }

    /// `netdev_name_node_alt_create`
    fn add_altname(&mut self, ns: NsId, dev: DevId, name: String) -> Result<(), Failure> {
        if self.device_named(ns, &name).is_some() {
            return Err(Errno::EEXIST.into());
        }
        let Some(device) = self.devs.get_mut(dev) else { return Err(Errno::ENODEV.into()) };
        if device.altnames.len() >= NAMES_MAX {
            return Err(Failure::with_text(Errno::EINVAL, "effective property list too long"));
        }
        device.altnames.push(name.clone());
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.names.insert(name, dev);
        }
        Ok(())
    }

    /// `netdev_name_node_alt_destroy`: neither the first name nor another device's.
    fn remove_altname(&mut self, ns: NsId, dev: DevId, name: &str) -> Result<(), Failure> {
        let Some(found) = self.device_named(ns, name) else { return Err(Errno::ENOENT.into()) };
        let Some(device) = self.devs.get_mut(dev) else { return Err(Errno::ENODEV.into()) };
        if found != dev || device.name == name {
            return Err(Errno::EINVAL.into());
        }
        device.altnames.retain(|known| known != name);
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.names.remove(name);
        }
        Ok(())
    }
}
