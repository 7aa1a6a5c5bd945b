//! A device's IP settings: `RTM_NEWNETCONF` and its kin, for which the typed crate has no messages
//! (include/uapi/linux/netconf.h).

use crate::codec::{attributes, put_attribute};

pub const RTM_NEWNETCONF: u16 = 80;
pub const RTM_DELNETCONF: u16 = 81;
pub const RTM_GETNETCONF: u16 = 82;

/// Whom settings are of, instead of a device: `net.ipv4.conf.all` (`NETCONFA_IFINDEX_ALL`).
pub const ALL: i32 = -1;
/// `net.ipv4.conf.default` (`NETCONFA_IFINDEX_DEFAULT`)
pub const DEFAULT: i32 = -2;

/// `NETCONFA_*`
pub const IFINDEX: u16 = 1;
pub const FORWARDING: u16 = 2;
pub const RP_FILTER: u16 = 3;
pub const MC_FORWARDING: u16 = 4;
pub const PROXY_NEIGH: u16 = 5;
pub const IGNORE_LINKDOWN: u16 = 6;
pub const INPUT: u16 = 7;
pub const BC_FORWARDING: u16 = 8;

/// `struct netconfmsg` with its padding.
const HEADER_LEN: usize = 4;

/// The settings of one device in one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetconfMessage {
    pub family: u8,
    /// Of a device, [`ALL`] or [`DEFAULT`]; None in a request for all of them.
    pub ifindex: Option<i32>,
    /// By `NETCONFA_*`.
    pub values: Vec<(u16, i32)>,
}

impl NetconfMessage {
    /// None for what is too short to have a family.
    pub fn parse(payload: &[u8]) -> Option<NetconfMessage> {
        let family = *payload.first()?;
        let numbers = attributes(payload.get(HEADER_LEN..).unwrap_or(&[]))
            .filter_map(|(kind, value)| Some((kind, i32::from_ne_bytes(*value.first_chunk()?))));
        let (index, values): (Vec<_>, Vec<_>) = numbers.partition(|(kind, _)| *kind == IFINDEX);
        Some(NetconfMessage { family, ifindex: index.first().map(|(_, index)| *index), values })
    }

    pub fn emit(&self) -> Vec<u8> {
        let mut bytes = vec![self.family, 0, 0, 0];
        for (kind, value) in
            self.ifindex.iter().map(|index| (IFINDEX, *index)).chain(self.values.iter().copied())
        {
            put_attribute(&mut bytes, kind, &value.to_ne_bytes());
        }
        bytes
    }

    pub fn value(&self, kind: u16) -> Option<i32> {
        self.values.iter().find(|(found, _)| *found == kind).map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let message =
            NetconfMessage { family: 2, ifindex: Some(ALL), values: vec![(FORWARDING, 1), (RP_FILTER, 2)] };
        assert_eq!(NetconfMessage::parse(&message.emit()), Some(message.clone()));
        assert_eq!(message.value(RP_FILTER), Some(2));
        assert_eq!(NetconfMessage::parse(&[]), None);
        let short = NetconfMessage { family: 10, ifindex: None, values: Vec::new() };
        assert_eq!(NetconfMessage::parse(&[10]), Some(short));
    }
}
