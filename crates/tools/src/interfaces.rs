//! The interfaces of the task's namespace as one dump shows them, for programs that on Linux ask by `ioctl` or
//! sysfs: brctl, arp, ifconfig, route, ethtool.

use hairpin_netlink::codec::NLM_F_DUMP;
use hairpin_netlink::route::link::{
    InfoBond, InfoBridge, InfoBridgePort, InfoData, InfoKind, InfoPortData, InfoVxlan, LinkAttribute,
    LinkInfo, LinkMessage, Prop,
};
use hairpin_netlink::{Failure, Message, System, transact};

pub(crate) const IFF_UP: u32 = 0x1;
pub(crate) const IFF_BROADCAST: u32 = 0x2;
pub(crate) const IFF_POINTOPOINT: u32 = 0x10;

/// `ARPHRD_ETHER`
pub(crate) const ARPHRD_ETHER: u16 = 1;
/// `ARPHRD_LOOPBACK`
pub(crate) const ARPHRD_LOOPBACK: u16 = 772;

/// `IFNAMSIZ` without the final zero: longer names are cut where they go into an `ifreq`.
pub(crate) const NAME_MAX: usize = 15;

/// One interface.
#[derive(Clone, Debug)]
pub(crate) struct Interface(LinkMessage);

impl Interface {
    pub(crate) fn index(&self) -> u32 {
        self.0.header.index
    }

    pub(crate) fn name(&self) -> &str {
        self.find(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some(name.as_str()),
            _ => None,
        })
        .unwrap_or("")
    }

    /// `IFF_*`
    pub(crate) fn flags(&self) -> u32 {
        self.0.header.flags.bits()
    }

    pub(crate) fn mtu(&self) -> u32 {
        self.find(|attribute| match attribute {
            LinkAttribute::Mtu(mtu) => Some(*mtu),
            _ => None,
        })
        .unwrap_or(0)
    }

    /// `ARPHRD_*`
    pub(crate) fn hardware(&self) -> u16 {
        self.0.header.link_layer_type.into()
    }

    pub(crate) fn address(&self) -> &[u8] {
        self.find(|attribute| match attribute {
            LinkAttribute::Address(address) => Some(address.as_slice()),
            _ => None,
        })
        .unwrap_or(&[])
    }

    /// The index of the bridge, bond, team or VRF it is enslaved to.
    pub(crate) fn master(&self) -> Option<u32> {
        self.find(|attribute| match attribute {
            LinkAttribute::Controller(index) => Some(*index),
            _ => None,
        })
    }

    /// `IFLA_INFO_KIND`; hardware and `lo` have none.
    pub(crate) fn kind(&self) -> Option<&InfoKind> {
        self.info().iter().find_map(|info| match info {
            LinkInfo::Kind(kind) => Some(kind),
            _ => None,
        })
    }

    pub(crate) fn is_bridge(&self) -> bool {
        self.kind() == Some(&InfoKind::Bridge)
    }

    /// A bridge's settings and state.
    pub(crate) fn bridge(&self) -> &[InfoBridge] {
        self.info()
            .iter()
            .find_map(|info| match info {
                LinkInfo::Data(InfoData::Bridge(bridge)) => Some(bridge.as_slice()),
                _ => None,
            })
            .unwrap_or(&[])
    }

    /// A bridge port's settings and state; `None` if it is none.
    pub(crate) fn bridge_port(&self) -> Option<&[InfoBridgePort]> {
        self.info().iter().find_map(|info| match info {
            LinkInfo::PortData(InfoPortData::BridgePort(port)) => Some(port.as_slice()),
            _ => None,
        })
    }

    /// The device that a VXLAN device sends over, if it was given one.
    pub(crate) fn vxlan_link(&self) -> Option<u32> {
        self.info().iter().find_map(|info| match info {
            LinkInfo::Data(InfoData::Vxlan(settings)) => settings.iter().find_map(|setting| match setting {
                InfoVxlan::Link(index) => Some(*index),
                _ => None,
            }),
            _ => None,
        })
    }

    /// Settings of a bond; none for other devices.
    pub(crate) fn bond(&self) -> &[InfoBond] {
        let data = self.info().iter().find_map(|info| match info {
            LinkInfo::Data(InfoData::Bond(settings)) => Some(settings.as_slice()),
            _ => None,
        });
        data.unwrap_or(&[])
    }

    /// The first attribute that `wanted` takes something from.
    pub(crate) fn find<'a, T>(&'a self, wanted: impl FnMut(&'a LinkAttribute) -> Option<T>) -> Option<T> {
        self.0.attributes.iter().find_map(wanted)
    }

    fn info(&self) -> &[LinkInfo] {
        self.find(|attribute| match attribute {
            LinkAttribute::LinkInfo(info) => Some(info.as_slice()),
            _ => None,
        })
        .unwrap_or(&[])
    }

    /// Whether this is its name or an alternative name.
    fn is_called(&self, name: &str) -> bool {
        self.name() == name
            || self.0.attributes.iter().any(|attribute| match attribute {
                LinkAttribute::PropList(list) => {
                    list.iter().any(|property| matches!(property, Prop::AltIfName(alt) if alt == name))
                }
                _ => false,
            })
    }
}

/// Every interface, in the order of the kernel.
#[derive(Clone, Debug)]
pub(crate) struct Interfaces(Vec<Interface>);

impl Interfaces {
    /// # Errors
    /// The kernel refuses the dump.
    pub(crate) fn dump(system: &mut (impl System + ?Sized)) -> Result<Self, Failure> {
        let answer = transact(system, &Message::GetLink(LinkMessage::default()), NLM_F_DUMP)?;
        let links = answer.into_iter().filter_map(|message| match message {
            Message::NewLink(link) => Some(Interface(link)),
            _ => None,
        });
        Ok(Interfaces(links.collect()))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Interface> {
        self.0.iter()
    }

    /// By name or alternative name, cut to the length of an `ifreq`'s.
    pub(crate) fn by_name(&self, name: &str) -> Option<&Interface> {
        let name = cut(name);
        self.iter().find(|interface| interface.is_called(name))
    }

    pub(crate) fn by_index(&self, index: u32) -> Option<&Interface> {
        self.iter().find(|interface| interface.index() == index)
    }
}

/// A name as it fits into an `ifreq`.
pub(crate) fn cut(name: &str) -> &str {
    let mut end = name.len().min(NAME_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or(name)
}
