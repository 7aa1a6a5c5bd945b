//! Writing a file as the netlink request that changes the same thing.

use hairpin_netlink::{Errno, codec};

use crate::device::DevId;
use crate::rtnl::server::Asker;
use crate::world::World;

/// `RTM_NEWLINK`
const NEWLINK: u16 = 16;
/// `NLM_F_REQUEST`, `NLM_F_ACK`
const REQUEST: u16 = 0x1;
const ACK: u16 = 0x4;
const IFLA_LINKINFO: u16 = 18;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
const IFLA_INFO_SLAVE_DATA: u16 = 5;
/// `IFLA_BR_STP_STATE`: a switch in four bytes, unlike the others.
const IFLA_BR_STP_STATE: u16 = 5;

/// Where in a link message an attribute belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nest {
    Link,
    Bridge,
    Port,
}

/// Whether a switch has four bytes.
pub(super) fn is_long(nest: Nest, kind: u16) -> bool {
    nest == Nest::Bridge && kind == IFLA_BR_STP_STATE
}

/// Changes one attribute of a device.
///
/// # Errors
/// What the netlink server answers.
pub(super) fn set(world: &mut World, dev: DevId, nest: Nest, kind: u16, value: &[u8]) -> Result<(), Errno> {
    let inner = attribute(kind, value);
    let attributes = match nest {
        Nest::Link => inner,
        Nest::Bridge => info(IFLA_INFO_KIND, IFLA_INFO_DATA, &inner),
        Nest::Port => info(IFLA_INFO_SLAVE_KIND, IFLA_INFO_SLAVE_DATA, &inner),
    };
    request(world, dev, 0, 0, &attributes)
}

/// Sets a device's flags (`dev_change_flags`).
///
/// # Errors
/// What the netlink server answers.
pub(super) fn set_flags(world: &mut World, dev: DevId, flags: u32) -> Result<(), Errno> {
    request(world, dev, flags, u32::MAX, &[])
}

fn request(world: &mut World, dev: DevId, flags: u32, change: u32, attributes: &[u8]) -> Result<(), Errno> {
    let device = world.devs.get(dev).ok_or(Errno::ENODEV)?;
    let (ns, ifindex) = (device.ns, device.ifindex);
    let mut payload = vec![0; 4];
    for word in [ifindex, flags, change] {
        payload.extend(word.to_ne_bytes());
    }
    payload.extend(attributes);
    let length = u32::try_from(payload.len() + 16).map_err(|_| Errno::E2BIG)?;
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(NEWLINK.to_ne_bytes());
    bytes.extend((REQUEST | ACK).to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend(payload);
    let answer = world.rtnetlink(&Asker { ns, opened: &|_| None }, &bytes);
    let outcome = codec::messages(&answer).find_map(|message| message.outcome());
    outcome.unwrap_or(Ok(())).map_err(|failure| failure.errno)
}

fn info(kind: u16, data: u16, options: &[u8]) -> Vec<u8> {
    let nested = [attribute(kind, b"bridge\0"), attribute(data, options)].concat();
    attribute(IFLA_LINKINFO, &nested)
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    // Values here are far shorter than an attribute may be; a longer one is cut, and refused by its policy.
    let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value.iter().take(usize::from(length) - 4));
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}
