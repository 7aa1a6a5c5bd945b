//! The rtnetlink server: one file a message family.
//!
//! * [`route`] `RTM_NEWROUTE`, `RTM_DELROUTE`, `RTM_GETROUTE` of IPv4
//! * [`rule`] `RTM_NEWRULE`, `RTM_DELRULE`, `RTM_GETRULE` of IPv4

use hairpin_netlink::Message;

pub mod route;
pub mod rule;

/// A message for everyone who listens (`ip monitor`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    pub message: Message,
    /// `NLM_F_*` of its header.
    pub flags: u16,
}

/// The answer to a dump request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump {
    pub messages: Vec<Message>,
    /// Each message says that the dump was filtered here (`NLM_F_DUMP_FILTERED`).
    pub filtered: bool,
}
