//! Next hops that have ids of their own: `RTM_NEWNEXTHOP` and its kin, for which the typed crate has no messages
//! (include/uapi/linux/nexthop.h).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::codec::{attributes, put_attribute};

pub const RTM_NEWNEXTHOP: u16 = 104;
pub const RTM_DELNEXTHOP: u16 = 105;
pub const RTM_GETNEXTHOP: u16 = 106;

/// `NEXTHOP_GRP_TYPE_MPATH`: flows are shared by their hash.
pub const GROUP_MULTIPATH: u16 = 0;
/// `NEXTHOP_GRP_TYPE_RES`: by a table that keeps flows where they are.
pub const GROUP_RESILIENT: u16 = 1;

/// `NHA_*`
mod attribute {
    pub const ID: u16 = 1;
    pub const GROUP: u16 = 2;
    pub const GROUP_TYPE: u16 = 3;
    pub const BLACKHOLE: u16 = 4;
    pub const OIF: u16 = 5;
    pub const GATEWAY: u16 = 6;
    pub const ENCAP_TYPE: u16 = 7;
    pub const ENCAP: u16 = 8;
    pub const GROUPS: u16 = 9;
    pub const MASTER: u16 = 10;
    pub const FDB: u16 = 11;
}

/// `struct nhmsg`
const HEADER_LEN: usize = 8;
/// `struct nexthop_grp`
const MEMBER_LEN: usize = 8;

/// A member of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: u32,
    /// As it is sent: one less than the share of the flows.
    pub weight: u8,
}

/// A next hop, or what a request names of those that there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NexthopMessage {
    pub family: u8,
    /// `RT_SCOPE_*`
    pub scope: u8,
    /// `RTPROT_*`
    pub protocol: u8,
    /// `RTNH_F_*`
    pub flags: u32,
    pub id: Option<u32>,
    pub group: Option<Vec<Member>>,
    pub group_type: Option<u16>,
    pub blackhole: bool,
    pub ifindex: Option<u32>,
    pub gateway: Option<IpAddr>,
    /// `LWTUNNEL_ENCAP_*`, where the next hop says a tunnel.
    pub encapsulation: Option<u16>,
    /// For forwarding databases, not for routes.
    pub fdb: bool,
    /// A listing of groups only.
    pub groups: bool,
    /// A listing of next hops by ports of this device.
    pub master: Option<u32>,
}

impl NexthopMessage {
    /// None for what is too short for its header, or an attribute of another length than its kind has.
    pub fn parse(payload: &[u8]) -> Option<NexthopMessage> {
        let header: &[u8; HEADER_LEN] = payload.first_chunk()?;
        let &[family, scope, protocol, _, f0, f1, f2, f3] = header;
        let mut message = NexthopMessage {
            family,
            scope,
            protocol,
            flags: u32::from_ne_bytes([f0, f1, f2, f3]),
            ..NexthopMessage::default()
        };
        for (kind, value) in attributes(payload.get(HEADER_LEN..)?) {
            let number = || value.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
            let short = || value.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes));
            match kind {
                attribute::ID => message.id = Some(number()?),
                attribute::GROUP => message.group = Some(members(value)?),
                attribute::GROUP_TYPE => message.group_type = Some(short()?),
                attribute::BLACKHOLE => message.blackhole = true,
                attribute::OIF => message.ifindex = Some(number()?),
                attribute::GATEWAY => message.gateway = Some(address(value)?),
                attribute::ENCAP_TYPE => message.encapsulation = Some(short()?),
                attribute::ENCAP => {
                    message.encapsulation.get_or_insert(0);
                }
                attribute::GROUPS => message.groups = true,
                attribute::MASTER => message.master = Some(number()?),
                attribute::FDB => message.fdb = true,
                _ => {}
            }
        }
        Some(message)
    }

    pub fn emit(&self) -> Vec<u8> {
        let mut bytes = vec![self.family, self.scope, self.protocol, 0];
        bytes.extend(self.flags.to_ne_bytes());
        let flag = |bytes: &mut Vec<u8>, kind, is_set| {
            if is_set {
                put_attribute(bytes, kind, &[]);
            }
        };
        let number = |bytes: &mut Vec<u8>, kind, value: Option<u32>| {
            if let Some(value) = value {
                put_attribute(bytes, kind, &value.to_ne_bytes());
            }
        };
        number(&mut bytes, attribute::ID, self.id);
        if let Some(kind) = self.group_type {
            put_attribute(&mut bytes, attribute::GROUP_TYPE, &kind.to_ne_bytes());
        }
        if let Some(group) = &self.group {
            let mut list = Vec::with_capacity(group.len() * MEMBER_LEN);
            for member in group {
                list.extend(member.id.to_ne_bytes());
                list.extend([member.weight, 0, 0, 0]);
            }
            put_attribute(&mut bytes, attribute::GROUP, &list);
        }
        flag(&mut bytes, attribute::BLACKHOLE, self.blackhole);
        flag(&mut bytes, attribute::FDB, self.fdb);
        number(&mut bytes, attribute::OIF, self.ifindex);
        match self.gateway {
            Some(IpAddr::V4(gateway)) => put_attribute(&mut bytes, attribute::GATEWAY, &gateway.octets()),
            Some(IpAddr::V6(gateway)) => put_attribute(&mut bytes, attribute::GATEWAY, &gateway.octets()),
            None => {}
        }
        flag(&mut bytes, attribute::GROUPS, self.groups);
        number(&mut bytes, attribute::MASTER, self.master);
        bytes
    }
}

fn members(list: &[u8]) -> Option<Vec<Member>> {
    let (members, rest) = list.as_chunks::<MEMBER_LEN>();
    let member = |&[a, b, c, d, weight, ..]: &[u8; MEMBER_LEN]| Member {
        id: u32::from_ne_bytes([a, b, c, d]),
        weight,
    };
    rest.is_empty().then(|| members.iter().map(member).collect())
}

fn address(value: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(value) {
        return Some(Ipv4Addr::from(four).into());
    }
    <[u8; 16]>::try_from(value).ok().map(|six| Ipv6Addr::from(six).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let one = NexthopMessage {
            family: 2,
            scope: 253,
            protocol: 4,
            flags: 4,
            id: Some(7),
            ifindex: Some(3),
            gateway: Some(Ipv4Addr::new(10, 0, 0, 1).into()),
            ..NexthopMessage::default()
        };
        assert_eq!(NexthopMessage::parse(&one.emit()), Some(one));
        let group = NexthopMessage {
            id: Some(9),
            group: Some(vec![Member { id: 7, weight: 0 }, Member { id: 8, weight: 255 }]),
            group_type: Some(GROUP_MULTIPATH),
            ..NexthopMessage::default()
        };
        assert_eq!(NexthopMessage::parse(&group.emit()), Some(group));
        let six = NexthopMessage {
            family: 10,
            gateway: Some(Ipv6Addr::LOCALHOST.into()),
            blackhole: true,
            fdb: true,
            groups: true,
            master: Some(2),
            ..NexthopMessage::default()
        };
        assert_eq!(NexthopMessage::parse(&six.emit()), Some(six));
    }

    #[test]
    fn what_is_too_short_is_nothing() {
        assert_eq!(NexthopMessage::parse(&[2, 0, 0]), None);
        let mut bytes = NexthopMessage::default().emit();
        put_attribute(&mut bytes, attribute::GROUP, &[1, 2, 3]);
        assert_eq!(NexthopMessage::parse(&bytes), None);
    }
}
