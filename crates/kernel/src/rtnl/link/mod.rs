//! Links: `RTM_NEWLINK`, `RTM_SETLINK`, `RTM_DELLINK`, `RTM_GETLINK`, `RTM_NEWLINKPROP`, `RTM_DELLINKPROP`
//! (net/core/rtnetlink.c of Linux 6.1).
//!
//! * [`create`] new devices; [`change`] what `ip link set` does; [`remove`] deletion; [`names`] other names
//! * [`dump`] answers to questions; [`message`], [`info`], [`af_spec`] what a device is told to be
//! * [`kind`] what each kind of device answers, one file a kind; [`bridge_options`], [`port_options`] of bridges
//! * [`bridge`] the messages of family `AF_BRIDGE` (`bridge link`)
//! * [`request`], [`attributes`] reading requests

mod af_spec;
pub(in crate::rtnl) mod attributes;
mod bridge;
mod bridge_options;
mod change;
mod create;
mod dump;
pub(crate) mod info;
pub(in crate::rtnl) mod kind;
mod message;
mod names;
mod port_options;
mod remove;
mod request;
mod sides;
#[cfg(test)]
mod tests;

use hairpin_netlink::core::Emitable;
use hairpin_netlink::{Answer, Errno, Failure, Message, codec::Decoded, route::link::LinkMessage};

use super::Dump;
use super::server::Asker;
use crate::netns::NsId;
use crate::world::World;
use request::{Request, ifla};

const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
pub(super) const RTM_GETLINK: u16 = 18;
const RTM_SETLINK: u16 = 19;
const RTM_NEWLINKPROP: u16 = 108;
const RTM_DELLINKPROP: u16 = 109;

const AF_BRIDGE: u8 = 7;
const AF_INET6: u8 = 10;

/// Whether a request of this type is [`World::rtnl_link`]'s.
pub(super) fn is_link_request(kind: u16) -> bool {
    matches!(kind, RTM_NEWLINK..=RTM_SETLINK | RTM_NEWLINKPROP | RTM_DELLINKPROP)
}

impl World {
    /// Serves one request about links but a dump; what it asks for goes into `answer`. The request is read from
    /// its bytes.
    ///
    /// # Errors
    /// The kernel's errno and extended-ack text. Changes made before the failing one stay, as in Linux.
    pub(crate) fn rtnl_link(
        &mut self,
        asker: &Asker<'_>,
        decoded: &Decoded<'_>,
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        let header = decoded.header;
        let request = Request::read(decoded.payload)?;
        match (header.kind, request.family) {
            (RTM_GETLINK, _) => {
                answer.push(&Message::NewLink(self.get_link(asker.ns, &request)?), false);
                Ok(())
            }
            (RTM_NEWLINK, _) => self.new_link(asker, &request, header.flags),
            (RTM_SETLINK, AF_BRIDGE) => self.set_bridge_link(asker.ns, &request),
            (RTM_SETLINK, _) => self.set_link(asker, &request),
            (RTM_DELLINK, AF_BRIDGE) => self.delete_bridge_link(asker.ns, &request),
            (RTM_DELLINK, _) => self.delete_link(asker.ns, &request),
            (RTM_NEWLINKPROP, _) => self.change_link_properties(asker.ns, &request, true),
            (RTM_DELLINKPROP, _) => self.change_link_properties(asker.ns, &request, false),
            _ => Err(Errno::EOPNOTSUPP.into()),
        }
    }

    /// A dump of links; of family `AF_BRIDGE`, of bridges' ports.
    ///
    /// # Errors
    /// `EINVAL`: an unknown namespace id.
    pub(crate) fn dump_links(&mut self, ns: NsId, message: &LinkMessage) -> Result<Dump, Failure> {
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        let request = Request::read(&bytes)?;
        match request.family {
            AF_BRIDGE => Ok(self.dump_bridge_links(ns, &request)),
            AF_INET6 => Ok(self.dump_inet6_links(ns)),
            _ => self.dump_all_links(ns, &request),
        }
    }

    /// `rtnl_link_get_net_by_nlattr`: the namespace a request names by pid, descriptor or id, else `ns`.
    ///
    /// # Errors
    /// `ESRCH` for a pid (1, which is always in a machine's first namespace, and those of containers are known), `EBADF` for a
    /// descriptor that is no namespace, `EINVAL` for an unknown id.
    fn destination_netns(&self, asker: &Asker<'_>, ns: NsId, request: &Request<'_>) -> Result<NsId, Failure> {
        if let Some(pid) = request.attributes.u32(ifla::NET_NS_PID) {
            let first = self.netns.get(ns).and_then(|netns| self.hosts.get(netns.host));
            return first.and_then(|host| host.of_process(pid)).ok_or_else(|| Errno::ESRCH.into());
        }
        if let Some(fd) = request.attributes.u32(ifla::NET_NS_FD) {
            return (asker.opened)(fd).ok_or_else(|| Errno::EBADF.into());
        }
        self.target_netns(ns, request)
    }
}

/// A clear refusal of what this kernel does not emulate.
pub(super) fn not_emulated(what: &str) -> Failure {
    Failure::with_text(Errno::EOPNOTSUPP, format!("{what}: not emulated"))
}
