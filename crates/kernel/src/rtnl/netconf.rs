//! The IP settings of devices: `RTM_GETNETCONF` (`inet_netconf_get_devconf`, `inet6_netconf_dump_devconf`).

use hairpin_netlink::codec::{Decoded, NLM_F_DUMP, NLM_F_MULTI};
use hairpin_netlink::netconf::{self, NetconfMessage, RTM_NEWNETCONF};
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::{Answer, Errno, Failure};

use crate::device::DevId;
use crate::files::sysctl::Scope;
use crate::netns::NsId;
use crate::sysctl::Conf;
use crate::world::World;

impl World {
    /// One request, or dump.
    ///
    /// # Errors
    /// `EINVAL`: no device is named, or one that there is not or that lacks the family; `EOPNOTSUPP` for a family that
    /// has no settings.
    pub(super) fn rtnl_netconf(
        &self,
        ns: NsId,
        decoded: &Decoded<'_>,
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        let request = NetconfMessage::parse(decoded.payload).ok_or(Errno::EINVAL)?;
        let families = match AddressFamily::from(request.family) {
            AddressFamily::Unspec => vec![AddressFamily::Inet, AddressFamily::Inet6],
            family @ (AddressFamily::Inet | AddressFamily::Inet6) => vec![family],
            _ => return Err(Errno::EOPNOTSUPP.into()),
        };
        if decoded.header.flags & NLM_F_DUMP == NLM_F_DUMP {
            let devices: Vec<DevId> = self.devices_of(ns).map(|device| device.id).collect();
            for family in families {
                let scopes =
                    devices.iter().map(|dev| Scope::Device(*dev)).chain([Scope::All, Scope::Default]);
                for message in scopes.filter_map(|scope| self.netconf_message(ns, family, scope)) {
                    answer.push_raw(RTM_NEWNETCONF, &message.emit(), NLM_F_MULTI);
                }
            }
            return Ok(());
        }
        let &[family] = families.as_slice() else { return Err(Errno::EOPNOTSUPP.into()) };
        let scope = match request.ifindex.ok_or(Errno::EINVAL)? {
            netconf::ALL => Scope::All,
            netconf::DEFAULT => Scope::Default,
            index => {
                let of = |device: &&crate::device::Device| i64::from(device.ifindex) == i64::from(index);
                Scope::Device(self.devices_of(ns).find(of).ok_or(Errno::EINVAL)?.id)
            }
        };
        let message = self.netconf_message(ns, family, scope).ok_or(Errno::EINVAL)?;
        answer.push_raw(RTM_NEWNETCONF, &message.emit(), 0);
        Ok(())
    }

    /// All settings that there are messages for (`inet_netconf_fill_devconf`, `inet6_netconf_fill_devconf`); none where the
    /// device lacks the family.
    pub(crate) fn netconf_message(
        &self,
        ns: NsId,
        family: AddressFamily,
        scope: Scope,
    ) -> Option<NetconfMessage> {
        let ifindex = match scope {
            Scope::All => netconf::ALL,
            Scope::Default => netconf::DEFAULT,
            Scope::Device(dev) => {
                let device = self.devs.get(dev)?;
                let has = if family == AddressFamily::Inet { device.has_ipv4 } else { device.has_ipv6 };
                has.then_some(device.ifindex as i32)?
            }
        };
        let values = match family {
            AddressFamily::Inet => {
                let conf = self.conf4_values(ns, scope).ok()?;
                vec![
                    (netconf::FORWARDING, conf.get(Conf::Forwarding)),
                    (netconf::RP_FILTER, conf.get(Conf::RpFilter)),
                    (netconf::MC_FORWARDING, conf.get(Conf::McForwarding)),
                    (netconf::BC_FORWARDING, conf.get(Conf::BcForwarding)),
                    (netconf::PROXY_NEIGH, conf.get(Conf::ProxyArp)),
                    (netconf::IGNORE_LINKDOWN, conf.get(Conf::IgnoreRoutesWithLinkdown)),
                ]
            }
            _ => {
                let of = |key| self.conf6_in(ns, scope, key) as i32;
                vec![
                    (netconf::FORWARDING, of("forwarding")),
                    (netconf::PROXY_NEIGH, of("proxy_ndp")),
                    (netconf::IGNORE_LINKDOWN, of("ignore_routes_with_linkdown")),
                ]
            }
        };
        Some(NetconfMessage { family: family.into(), ifindex: Some(ifindex), values })
    }
}
