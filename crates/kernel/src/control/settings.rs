//! What drivers say of their link: speed and duplex (`ethtool_ops.get_link_ksettings`).

use crate::dev::Kind;
use crate::dev::bond::options::Mode;
use crate::device::Device;
use crate::world::World;

/// Speed and duplex as far as they are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkSettings {
    /// Mbit/s
    pub speed: Option<u32>,
    pub full_duplex: Option<bool>,
}

const FULL_10G: LinkSettings = LinkSettings { speed: Some(10_000), full_duplex: Some(true) };
const FULL_1G: LinkSettings = LinkSettings { speed: Some(1000), full_duplex: Some(true) };

impl World {
    /// None for a kind that has nothing to say.
    pub(crate) fn link_settings(&self, device: &Device) -> Option<LinkSettings> {
        let below = |dev| self.devs.get(dev).and_then(|below| self.link_settings(below));
        match &device.kind {
            Kind::Loopback
            | Kind::Dummy
            | Kind::Netdevsim(_)
            | Kind::Vrf(_)
            | Kind::Ifb
            | Kind::Nlmon
            | Kind::Vcan
            | Kind::Vxcan(_)
            | Kind::IpTunnel(_)
            | Kind::Ip6Tunnel(_)
            | Kind::Geneve(_)
            | Kind::Macsec(_) => None,
            // `ipoib_get_link_ksettings` of a port without a link.
            Kind::Ipoib(_) => Some(LinkSettings { speed: None, full_duplex: None }),
            // `tun_default_link_ksettings`
            Kind::Tun(_) => Some(LinkSettings { speed: Some(10), full_duplex: Some(true) }),
            Kind::Veth(_) => Some(FULL_10G),
            Kind::Nic { .. } => Some(FULL_1G),
            // `br_get_link_ksettings`: the fastest port that is running.
            Kind::Bridge(bridge) => {
                let ports = bridge.ports.iter().filter_map(|port| self.devs.get(port.dev));
                let running = ports.filter(|port| port.is_up() && port.oper_up());
                let speed = running.filter_map(|port| self.link_settings(port)?.speed).max();
                Some(LinkSettings { speed, full_duplex: None })
            }
            // `bond_ethtool_get_link_ksettings`: what the slaves that send have together, or (where all send the
            // same) the slowest of them.
            Kind::Bond(bond) => {
                let sending = || bond.slaves.iter().filter(|slave| slave.can_transmit());
                let speeds = sending().filter_map(|slave| slave.speed);
                let speed = match bond.params.mode {
                    Mode::Broadcast => speeds.min(),
                    _ => speeds.reduce(u32::saturating_add),
                };
                let full_duplex = sending().find_map(|slave| slave.full_duplex);
                Some(LinkSettings { speed, full_duplex })
            }
            Kind::Team(team) => {
                let sending = || team.ports.iter().filter(|port| team.can_send(port.dev));
                let speed = sending().map(|port| port.speed).reduce(u32::saturating_add);
                let full_duplex = sending().map(|port| port.full_duplex).next();
                Some(LinkSettings { speed, full_duplex })
            }
            Kind::Macvlan(macvlan) => below(macvlan.lower),
            Kind::Ipvlan(ipvlan) => below(ipvlan.lower),
            // `vxlan_get_link_ksettings`: those of the device below.
            Kind::Vxlan(vxlan) => match self.device_at(vxlan.underlay, vxlan.config.oif) {
                Some(lower) => below(lower),
                None => Some(LinkSettings { speed: None, full_duplex: None }),
            },
            Kind::Vlan(vlan) => below(vlan.lower),
        }
    }
}
