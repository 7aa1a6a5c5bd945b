//! Namespace ids: `RTM_NEWNSID`, `RTM_GETNSID` (net/core/net_namespace.c).

use hairpin_netlink::route::nsid::{NsidAttribute, NsidMessage};
use hairpin_netlink::{Errno, Failure, Message};

use crate::netns::NsId;
use crate::world::World;

use super::Dump;

/// `NETNSA_NSID_NOT_ASSIGNED`
const NOT_ASSIGNED: i32 = -1;

/// What a request names.
#[derive(Default)]
struct Named {
    id: Option<i32>,
    fd: Option<u32>,
    pid: Option<u32>,
}

impl Named {
    fn of(message: &NsidMessage) -> Named {
        let mut named = Named::default();
        for attribute in &message.attributes {
            match attribute {
                NsidAttribute::Id(id) => named.id = Some(*id),
                NsidAttribute::Fd(fd) => named.fd = Some(*fd),
                NsidAttribute::Pid(pid) => named.pid = Some(*pid),
                _ => {}
            }
        }
        named
    }

    /// The namespace that is meant.
    fn peer(&self, world: &World, ns: NsId, opened: &dyn Fn(u32) -> Option<NsId>) -> Result<NsId, Failure> {
        if let Some(fd) = self.fd {
            return opened(fd)
                .ok_or_else(|| Failure::with_text(Errno::EBADF, "Peer netns reference is invalid"));
        }
        if self.pid.is_some() {
            return Err(Failure::with_text(Errno::ESRCH, "Peer netns reference is invalid"));
        }
        match self.id {
            Some(id) => {
                let known = world.netns.get(ns).and_then(|netns| netns.nsids.get(&id)).copied();
                known.ok_or_else(|| Failure::with_text(Errno::ENOENT, "Peer netns reference is invalid"))
            }
            None => Err(Failure::with_text(Errno::EINVAL, "Peer netns reference is missing")),
        }
    }
}

fn nsid_message(id: i32) -> NsidMessage {
    let mut message = NsidMessage::default();
    message.attributes.push(NsidAttribute::Id(id));
    message
}

impl World {
    /// `RTM_NEWNSID`
    ///
    /// # Errors
    /// `EEXIST` where the namespace has an id already, or the id a namespace.
    pub(super) fn new_nsid(
        &mut self,
        ns: NsId,
        message: &NsidMessage,
        opened: &dyn Fn(u32) -> Option<NsId>,
    ) -> Result<(), Failure> {
        let named = Named::of(message);
        let Some(id) = named.id else {
            return Err(Failure::with_text(Errno::EINVAL, "nsid is missing"));
        };
        let peer = Named { id: None, ..named }.peer(self, ns, opened)?;
        if self.known_nsid(ns, peer).is_some() {
            return Err(Failure::with_text(Errno::EEXIST, "Peer netns already has a nsid assigned"));
        }
        if id < 0 {
            self.nsid_for(ns, peer);
            return Ok(());
        }
        let Some(netns) = self.netns.get_mut(ns) else { return Err(Errno::EINVAL.into()) };
        if netns.nsids.contains_key(&id) {
            return Err(Failure::with_text(Errno::EEXIST, "The specified nsid is already used"));
        }
        netns.nsids.insert(id, peer);
        self.notify_nsid(ns, id, false);
        self.changed();
        Ok(())
    }

    /// `RTM_GETNSID` of one namespace: its id, or -1.
    ///
    /// # Errors
    /// The kernel's errno and extended-ack text.
    pub(super) fn get_nsid(
        &self,
        ns: NsId,
        message: &NsidMessage,
        opened: &dyn Fn(u32) -> Option<NsId>,
    ) -> Result<NsidMessage, Failure> {
        let peer = Named::of(message).peer(self, ns, opened)?;
        Ok(nsid_message(self.known_nsid(ns, peer).unwrap_or(NOT_ASSIGNED)))
    }

    /// `RTM_GETNSID` with `NLM_F_DUMP`
    pub(super) fn dump_nsids(&self, ns: NsId) -> Dump {
        let ids = self.netns.get(ns).map(|netns| netns.nsids.keys().copied().collect::<Vec<_>>());
        let messages = ids.unwrap_or_default().into_iter().map(|id| Message::NewNsId(nsid_message(id)));
        Dump { messages: messages.collect(), filtered: false }
    }
}
