//! Ids of network namespaces, and the names they go by.

use std::collections::BTreeMap;

use hairpin_netlink::Message;
use hairpin_netlink::route::nsid::{NsidAttribute, NsidMessage};

use super::Context;

/// Names of namespaces by id, read when first needed.
#[derive(Debug, Default)]
pub(crate) struct NsidNames {
    names: Option<BTreeMap<i32, String>>,
}

impl NsidNames {
    /// Forgets everything: ids may have changed.
    pub(crate) fn clear(&mut self) {
        self.names = None;
    }
}

impl Context<'_> {
    /// The name of the namespace that has an id here.
    pub(crate) fn nsid_name(&mut self, id: i32) -> Option<String> {
        if self.nsids.names.is_none() {
            let mut names = BTreeMap::new();
            for name in self.system.netns_list().unwrap_or_default() {
                if let Some(id) = self.nsid_of(&name) {
                    names.entry(id).or_insert(name);
                }
            }
            self.nsids.names = Some(names);
        }
        self.nsids.names.as_ref().and_then(|names| names.get(&id).cloned())
    }

    /// The id that a named namespace has here, if it has one.
    pub(crate) fn nsid_of(&mut self, name: &str) -> Option<i32> {
        let fd = self.system.netns_open(name).ok()?;
        let mut request = NsidMessage::default();
        request.attributes.push(NsidAttribute::Fd(fd.0));
        let answer = self.talk_quietly(&Message::GetNsId(request), 0);
        // A descriptor that cannot be closed does no harm.
        let _ = self.system.close(fd);
        let id = answer.ok()?.into_iter().find_map(|message| match message {
            Message::NewNsId(nsid) => nsid.attributes.iter().find_map(|attribute| match attribute {
                NsidAttribute::Id(id) => Some(*id),
                _ => None,
            }),
            _ => None,
        });
        id.filter(|id| *id >= 0)
    }

    /// Gives a named namespace an id here, one that the kernel chooses.
    pub(crate) fn assign_nsid(&mut self, name: &str) {
        if let Ok(fd) = self.system.netns_open(name) {
            let mut request = NsidMessage::default();
            request.attributes.push(NsidAttribute::Fd(fd.0));
            request.attributes.push(NsidAttribute::Id(-1));
            if let Err(failure) = self.talk_quietly(&Message::NewNsId(request), 0) {
                self.complain(&super::rtnl::refusal(&failure));
            }
            let _ = self.system.close(fd);
            self.nsids.clear();
        }
    }
}
