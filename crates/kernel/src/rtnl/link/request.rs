//! A link request, read (`struct ifinfomsg`, `IFLA_*`).

use hairpin_netlink::{Errno, Failure};

use super::attributes::{Attributes, Policy, U8, U32};
use crate::device::DevId;
use crate::netns::NsId;
use crate::world::World;

/// `IFLA_*`
pub(super) mod ifla {
    pub const ADDRESS: u16 = 1;
    pub const BROADCAST: u16 = 2;
    pub const IFNAME: u16 = 3;
    pub const MTU: u16 = 4;
    pub const LINK: u16 = 5;
    pub const MASTER: u16 = 10;
    pub const PROTINFO: u16 = 12;
    pub const TXQLEN: u16 = 13;
    pub const MAP: u16 = 14;
    pub const WEIGHT: u16 = 15;
    pub const OPERSTATE: u16 = 16;
    pub const LINKMODE: u16 = 17;
    pub const LINKINFO: u16 = 18;
    pub const NET_NS_PID: u16 = 19;
    pub const IFALIAS: u16 = 20;
    pub const VFINFO_LIST: u16 = 22;
    pub const VF_PORTS: u16 = 24;
    pub const PORT_SELF: u16 = 25;
    pub const AF_SPEC: u16 = 26;
    pub const GROUP: u16 = 27;
    pub const NET_NS_FD: u16 = 28;
    pub const EXT_MASK: u16 = 29;
    pub const PROMISCUITY: u16 = 30;
    pub const NUM_TX_QUEUES: u16 = 31;
    pub const NUM_RX_QUEUES: u16 = 32;
    pub const CARRIER: u16 = 33;
    pub const LINK_NETNSID: u16 = 37;
    pub const PROTO_DOWN: u16 = 39;
    pub const GSO_MAX_SEGS: u16 = 40;
    pub const GSO_MAX_SIZE: u16 = 41;
    pub const XDP: u16 = 43;
    pub const TARGET_NETNSID: u16 = 46;
    pub const NEW_IFINDEX: u16 = 49;
    pub const MIN_MTU: u16 = 50;
    pub const MAX_MTU: u16 = 51;
    pub const PROP_LIST: u16 = 52;
    pub const ALT_IFNAME: u16 = 53;
    pub const PERM_ADDRESS: u16 = 54;
    pub const PROTO_DOWN_REASON: u16 = 55;
    pub const GRO_MAX_SIZE: u16 = 58;
    pub const TSO_MAX_SIZE: u16 = 59;
    pub const TSO_MAX_SEGS: u16 = 60;
    pub const ALLMULTI: u16 = 61;
}

/// `IFLA_INFO_*`
mod info {
    pub const KIND: u16 = 1;
    pub const DATA: u16 = 2;
    pub const SLAVE_KIND: u16 = 4;
    pub const SLAVE_DATA: u16 = 5;
}

/// Longest hardware address (`MAX_ADDR_LEN`).
const ADDRESS_MAX: usize = 32;
/// Longest alternative name (`ALTIFNAMSIZ - 1`).
pub(super) const ALTNAME_MAX: usize = 127;
/// Longest alias (`IFALIASZ - 1`).
const ALIAS_MAX: usize = 255;
/// Size of `struct ifinfomsg`.
const HEADER_LEN: usize = 16;

/// `ifla_policy`
const POLICY: &[(u16, Policy)] = &[
    (ifla::IFNAME, Policy::Text(15)),
    (ifla::ADDRESS, Policy::Most(ADDRESS_MAX)),
    (ifla::BROADCAST, Policy::Most(ADDRESS_MAX)),
    (ifla::MAP, Policy::Least(28)),
    (ifla::MTU, U32),
    (ifla::LINK, U32),
    (ifla::MASTER, U32),
    (ifla::CARRIER, U8),
    (ifla::TXQLEN, U32),
    (ifla::WEIGHT, U32),
    (ifla::OPERSTATE, U8),
    (ifla::LINKMODE, U8),
    (ifla::LINKINFO, Policy::Nested),
    (ifla::NET_NS_PID, U32),
    (ifla::NET_NS_FD, U32),
    (ifla::IFALIAS, Policy::Most(ALIAS_MAX)),
    (ifla::VFINFO_LIST, Policy::Nested),
    (ifla::VF_PORTS, Policy::Nested),
    (ifla::PORT_SELF, Policy::Nested),
    (ifla::AF_SPEC, Policy::Nested),
    (ifla::EXT_MASK, U32),
    (ifla::PROMISCUITY, U32),
    (ifla::NUM_TX_QUEUES, U32),
    (ifla::NUM_RX_QUEUES, U32),
    (ifla::GSO_MAX_SEGS, U32),
    (ifla::GSO_MAX_SIZE, U32),
    (ifla::LINK_NETNSID, U32),
    (ifla::PROTO_DOWN, U8),
    (ifla::XDP, Policy::Nested),
    (ifla::GROUP, U32),
    (ifla::TARGET_NETNSID, U32),
    (ifla::MIN_MTU, U32),
    (ifla::MAX_MTU, U32),
    (ifla::PROP_LIST, Policy::Nested),
    (ifla::ALT_IFNAME, Policy::Text(ALTNAME_MAX)),
    (ifla::PERM_ADDRESS, Policy::Reject),
    (ifla::PROTO_DOWN_REASON, Policy::Nested),
    (ifla::NEW_IFINDEX, Policy::AtLeast(1)),
    (ifla::GRO_MAX_SIZE, U32),
    (ifla::TSO_MAX_SIZE, Policy::Reject),
    (ifla::TSO_MAX_SEGS, Policy::Reject),
    (ifla::ALLMULTI, Policy::Reject),
];

/// `ifla_info_policy`
const INFO_POLICY: &[(u16, Policy)] = &[
    (info::KIND, Policy::Text(usize::MAX)),
    (info::DATA, Policy::Nested),
    (info::SLAVE_KIND, Policy::Text(usize::MAX)),
    (info::SLAVE_DATA, Policy::Nested),
];

/// A link request.
#[derive(Clone, Debug)]
pub(super) struct Request<'a> {
    pub family: u8,
    pub index: i32,
    /// `ifi_flags`, `ifi_change`
    pub flags: u32,
    pub change: u32,
    pub attributes: Attributes<'a>,
}

/// `IFLA_LINKINFO` of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct LinkInfo<'a> {
    pub kind: Option<String>,
    pub data: Option<&'a [u8]>,
    pub slave_data: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    /// Reads header and attributes.
    ///
    /// # Errors
    /// `EINVAL` for a message without a whole header; what the policy refuses.
    pub fn read(payload: &'a [u8]) -> Result<Self, Failure> {
        let Some((header, attributes)) = payload.split_first_chunk::<HEADER_LEN>() else {
            return Err(Errno::EINVAL.into());
        };
        let word = |at: usize| [header[at], header[at + 1], header[at + 2], header[at + 3]];
        Ok(Request {
            family: header[0],
            index: i32::from_ne_bytes(word(4)),
            flags: u32::from_ne_bytes(word(8)),
            change: u32::from_ne_bytes(word(12)),
            attributes: Attributes::read(attributes, POLICY)?,
        })
    }

    /// `IFLA_LINKINFO`; empty where there is none.
    ///
    /// # Errors
    /// What the policy refuses.
    pub fn link_info(&self) -> Result<LinkInfo<'a>, Failure> {
        let Some(bytes) = self.attributes.get(ifla::LINKINFO) else { return Ok(LinkInfo::default()) };
        // Linux passes no extended acknowledgement here.
        let found = Attributes::read(bytes, INFO_POLICY).map_err(|failure| failure.errno)?;
        Ok(LinkInfo {
            kind: found.text(info::KIND),
            data: found.get(info::DATA),
            slave_data: found.get(info::SLAVE_DATA),
        })
    }

    /// A name that is not empty.
    pub fn name(&self) -> Option<String> {
        self.attributes.text(ifla::IFNAME).filter(|name| !name.is_empty())
    }

    fn has_name(&self) -> bool {
        self.attributes.has(ifla::IFNAME) || self.attributes.has(ifla::ALT_IFNAME)
    }

    /// `rtnl_ensure_unique_netns`
    ///
    /// # Errors
    /// `EINVAL` where more than one attribute names a namespace; with `id_only`, `EOPNOTSUPP` for a pid or
    /// descriptor.
    pub fn one_netns(&self, id_only: bool) -> Result<(), Failure> {
        let has = |kind| self.attributes.has(kind);
        let (pid, fd, id) = (has(ifla::NET_NS_PID), has(ifla::NET_NS_FD), has(ifla::TARGET_NETNSID));
        if id_only && (pid || fd) {
            return Err(Failure::with_text(Errno::EOPNOTSUPP, "specified netns attribute not supported"));
        }
        if !id_only && usize::from(pid) + usize::from(fd) + usize::from(id) > 1 {
            return Err(Failure::with_text(Errno::EINVAL, "multiple netns identifying attributes specified"));
        }
        Ok(())
    }
}

/// Which device a request means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Found(DevId),
    /// It is named, but there is none.
    Missing,
    /// Nothing names a device.
    Unnamed,
}

impl World {
    /// By index, else by name or alternative name (`rtnl_dev_get`).
    pub(super) fn wanted_link(&self, ns: NsId, request: &Request<'_>) -> Wanted {
        let found = if request.index > 0 {
            self.device_at(ns, request.index.unsigned_abs())
        } else if request.has_name() {
            let name = request.attributes.text(ifla::IFNAME);
            let name = name.or_else(|| request.attributes.text(ifla::ALT_IFNAME));
            name.and_then(|name| self.device_named(ns, &name))
        } else {
            return Wanted::Unnamed;
        };
        found.map_or(Wanted::Missing, Wanted::Found)
    }

    /// The namespace that `IFLA_TARGET_NETNSID` names, else `ns` (`rtnl_get_net_ns_capable`).
    pub(super) fn target_netns(&self, ns: NsId, request: &Request<'_>) -> Result<NsId, Failure> {
        match request.attributes.i32(ifla::TARGET_NETNSID) {
            None => Ok(ns),
            Some(id) => self.netns_by_id(ns, id).ok_or_else(|| Errno::EINVAL.into()),
        }
    }

    /// `get_net_ns_by_id`
    pub(super) fn netns_by_id(&self, ns: NsId, id: i32) -> Option<NsId> {
        let known = self.netns.get(ns)?.nsids.get(&id).copied()?;
        self.netns.contains_key(known).then_some(known)
    }
}
