//! What devices can do for the stack: `netdev_features_t`, which `ethtool -k` shows and `-K` sets.
//!
//! A kind has features that can be switched and others that are fixed. Those that are on follow from what is wanted, from the
//! devices below (`ndo_fix_features`), and from each other (`netdev_fix_features`). Frames here have use for those that are
//! about checksums only: which captures see them undone.

use hairpin_netlink::Errno;
use hairpin_netlink::features::Features;

use crate::dev::Kind;
use crate::device::{DevId, Device};
use crate::frame::Frame;
use crate::netns::NsId;
use crate::world::World;

const SG: u64 = 1 << 0;
const IP_CSUM: u64 = 1 << 1;
const HW_CSUM: u64 = 1 << 3;
const IPV6_CSUM: u64 = 1 << 4;
const HIGHDMA: u64 = 1 << 5;
const FRAGLIST: u64 = 1 << 6;
const CTAG_TX: u64 = 1 << 7;
const CTAG_RX: u64 = 1 << 8;
const CTAG_FILTER: u64 = 1 << 9;
const VLAN_CHALLENGED: u64 = 1 << 10;
const GSO: u64 = 1 << 11;
const LLTX: u64 = 1 << 12;
const NETNS_LOCAL: u64 = 1 << 13;
const GRO: u64 = 1 << 14;
const LRO: u64 = 1 << 15;
const TSO: u64 = 1 << 16;
const GSO_ROBUST: u64 = 1 << 17;
const TSO_ECN: u64 = 1 << 18;
const TSO_MANGLEID: u64 = 1 << 19;
const TSO6: u64 = 1 << 20;
const FSO: u64 = 1 << 21;
const GSO_GRE: u64 = 1 << 22;
const GSO_GRE_CSUM: u64 = 1 << 23;
const GSO_IPXIP4: u64 = 1 << 24;
const GSO_IPXIP6: u64 = 1 << 25;
const GSO_UDP_TUNNEL: u64 = 1 << 26;
const GSO_UDP_TUNNEL_CSUM: u64 = 1 << 27;
const GSO_SCTP: u64 = 1 << 30;
const GSO_ESP: u64 = 1 << 31;
const GSO_UDP_L4: u64 = 1 << 33;
const GSO_FRAGLIST: u64 = 1 << 34;
const FCOE_CRC: u64 = 1 << 35;
const SCTP_CRC: u64 = 1 << 36;
const FCOE_MTU: u64 = 1 << 37;
const RXCSUM: u64 = 1 << 40;
const NOCACHE_COPY: u64 = 1 << 41;
const LOOPBACK: u64 = 1 << 42;
const RXFCS: u64 = 1 << 43;
const RXALL: u64 = 1 << 44;
const STAG_TX: u64 = 1 << 45;
const STAG_RX: u64 = 1 << 46;
const STAG_FILTER: u64 = 1 << 47;
const HW_TC: u64 = 1 << 49;
const ESP: u64 = 1 << 50;
const ESP_TX_CSUM: u64 = 1 << 51;
const UDP_TUNNEL_PORT: u64 = 1 << 52;
const GRO_FRAGLIST: u64 = 1 << 57;
const GRO_UDP_FWD: u64 = 1 << 59;

/// `NETIF_F_GSO_MASK`, 16 to 34.
const GSO_MASK: u64 = (1 << 35) - (1 << 16);
const ALL_TSO: u64 = TSO | TSO6 | TSO_ECN | TSO_MANGLEID;
const CSUM_MASK: u64 = IP_CSUM | IPV6_CSUM | HW_CSUM;
const ALL_FCOE: u64 = FCOE_CRC | FCOE_MTU | FSO;
const GSO_SOFTWARE: u64 = ALL_TSO | GSO_SCTP | GSO_UDP_L4 | GSO_FRAGLIST;
const GSO_ENCAP_ALL: u64 =
    GSO_GRE | GSO_GRE_CSUM | GSO_IPXIP4 | GSO_IPXIP6 | GSO_UDP_TUNNEL | GSO_UDP_TUNNEL_CSUM;
/// On for a master where one of its ports has it.
const ONE_FOR_ALL: u64 = GSO_SOFTWARE | GSO_ROBUST | SG | HIGHDMA | FRAGLIST | VLAN_CHALLENGED;
/// On for a master where all of its ports have it.
const ALL_FOR_ALL: u64 = NOCACHE_COPY | FSO;
const SOFT: u64 = GSO | GRO;
const SOFT_OFF: u64 = GRO_FRAGLIST | GRO_UDP_FWD;
const TAGS: u64 = CTAG_TX | CTAG_RX | STAG_TX | STAG_RX;
const SCATTER: u64 = SG | FRAGLIST;
/// `TUN_USER_FEATURES`
const TUN_USER: u64 = HW_CSUM | ALL_TSO & !TSO_MANGLEID;
/// `VETH_FEATURES`
const VETH: u64 = SCATTER | HW_CSUM | RXCSUM | SCTP_CRC | HIGHDMA | GSO_SOFTWARE | GSO_ENCAP_ALL | TAGS;
/// `COMMON_FEATURES` of a bridge.
const BRIDGE: u64 = SCATTER | HIGHDMA | GSO_MASK | HW_CSUM;
/// `ALWAYS_ON_OFFLOADS` of macvlan and ipvlan.
const SHARING: u64 = SG | HW_CSUM | GSO_SOFTWARE | GSO_ROBUST | GSO_ENCAP_ALL;
/// Those that such a device takes over from the one below.
const SHARED: u64 =
    SCATTER | HW_CSUM | HIGHDMA | SOFT | TSO | TSO_ECN | TSO6 | RXCSUM | CTAG_FILTER | STAG_FILTER;
/// `BOND_VLAN_FEATURES` and those that a bond and a team have beside them.
const LAG: u64 = SCATTER | HW_CSUM | GSO_SOFTWARE | HIGHDMA | LRO;
/// What an e1000 of PCI does (`e1000_probe`).
const NIC: u64 = SG | HW_CSUM | TSO;
const IFB: u64 = SCATTER | HW_CSUM | HIGHDMA | GSO_SOFTWARE | GSO_ENCAP_ALL;

/// Which checksums a device computes that are left to it, so that they leave undone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    /// The world's generation that the rest is about.
    at: Option<u64>,
    plain: bool,
    /// Of a packet inside of another (`hw_enc_features`).
    nested: bool,
}

/// How deep devices may be stacked.
const DEPTH_MAX: u32 = 16;

impl World {
    /// The features of a device by its name.
    ///
    /// # Errors
    /// `ENODEV` without such a device.
    pub(crate) fn features(&self, ns: NsId, name: &str) -> Result<Features, Errno> {
        let dev = self.device_named(ns, name).ok_or(Errno::ENODEV)?;
        let device = self.devs.get(dev).ok_or(Errno::ENODEV)?;
        let own = own(device);
        Ok(Features {
            switchable: own.switchable,
            wanted: own.wanted(device),
            active: self.active(device, DEPTH_MAX),
        })
    }

    /// The features of a device that are on (`dev->features`).
    pub(crate) fn active_features(&self, dev: DevId) -> u64 {
        self.devs.get(dev).map_or(0, |device| self.active(device, DEPTH_MAX))
    }

    /// Switches features of a device as far as they can be switched (`ethnl_set_features`).
    ///
    /// # Errors
    /// As [`World::features`].
    pub(crate) fn set_features(
        &mut self,
        ns: NsId,
        name: &str,
        wanted: u64,
        mask: u64,
    ) -> Result<Features, Errno> {
        let dev = self.device_named(ns, name).ok_or(Errno::ENODEV)?;
        let device = self.devs.get_mut(dev).ok_or(Errno::ENODEV)?;
        let own = own(device);
        device.features_wanted = Some((own.wanted(device) & !mask | wanted & mask) & own.switchable);
        self.changed();
        self.features(ns, name)
    }

    /// A new macvlan puts segments together if the device below does (`macvlan_init`).
    pub(crate) fn inherit_lro(&mut self, dev: DevId, lower: DevId) {
        if self.active_features(lower) & LRO != 0
            && let Some(device) = self.devs.get_mut(dev)
        {
            device.features_wanted = Some(own(device).wanted(device) | LRO);
        }
    }

    /// Nobody wants a device to put segments together any more (`NETIF_F_LRO`). True if somebody did.
    pub(crate) fn unwant_lro(&mut self, dev: DevId) -> bool {
        let Some(device) = self.devs.get_mut(dev) else { return false };
        let wanted = own(device).wanted(device);
        if wanted & LRO != 0 {
            device.features_wanted = Some(wanted & !LRO);
        }
        wanted & LRO != 0
    }

    /// Completes the checksum of a frame that `dev` is to transmit, unless the device does (`validate_xmit_skb`).
    #[inline]
    pub(crate) fn complete_for(&mut self, dev: DevId, frame: &mut Frame) {
        let known = |device: &Device| device.sums.at == Some(self.generation) && device.sums.nested;
        // As it mostly is: any checksum is left to the device.
        if frame.partial.is_due() && !self.devs.get(dev).is_some_and(known) && !self.sums(dev, frame) {
            frame.complete_checksum();
        }
    }

    /// Whether a device computes what is left to do of this frame's checksum (`netif_skb_features`).
    #[inline(never)]
    fn sums(&mut self, dev: DevId, frame: &Frame) -> bool {
        let generation = Some(self.generation);
        if self.devs.get(dev).is_some_and(|device| device.sums.at != generation) {
            self.look_up_sums(dev);
        }
        self.devs.get(dev).is_some_and(|device| {
            let Sums { plain, nested, .. } = device.sums;
            plain && (nested || !frame.sums_inside())
        })
    }

    #[cold]
    fn look_up_sums(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let plain = self.active(device, DEPTH_MAX) & HW_CSUM != 0;
        let sums =
            Sums { at: Some(self.generation), plain, nested: plain && self.sums_nested(device, DEPTH_MAX) };
        if let Some(device) = self.devs.get_mut(dev) {
            device.sums = sums;
        }
    }

    fn sums_nested(&self, device: &Device, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match &device.kind {
            // `vlan_tnl_features`
            Kind::Vlan(_) => {
                let lower = device.lower().and_then(|lower| self.devs.get(lower));
                lower.is_some_and(|lower| self.sums_nested(lower, depth))
            }
            // `bond_compute_features`, `__team_compute_features`
            Kind::Bond(_) | Kind::Team(_) => {
                let mut ports = self.devs.values().filter(|port| port.master == Some(device.id));
                ports.any(|port| self.sums_nested(port, depth))
            }
            Kind::Veth(_) | Kind::Dummy | Kind::Ifb | Kind::Macvlan(_) | Kind::Ipvlan(_) | Kind::Vrf(_) => {
                true
            }
            _ => false,
        }
    }

    /// What is on.
    fn active(&self, device: &Device, depth: u32) -> u64 {
        let Some(depth) = depth.checked_sub(1) else { return 0 };
        let own = own(device);
        let wanted = own.wanted(device) | own.fixed;
        let of = |dev: DevId| self.devs.get(dev).map_or(0, |device| self.active(device, depth));
        let features = match &device.kind {
            Kind::Bridge(bridge) if bridge.ports.is_empty() => wanted,
            Kind::Bridge(bridge) => {
                of_master(wanted & !ONE_FOR_ALL, wanted, bridge.ports.iter().map(|port| of(port.dev)))
            }
            Kind::Bond(bond) => {
                let start = wanted & !ONE_FOR_ALL | ALL_FOR_ALL;
                of_master(start, wanted, bond.slaves.iter().map(|slave| of(slave.dev)))
            }
            Kind::Team(_) => {
                let ports = self.devs.values().filter(|port| port.master == Some(device.id));
                let start = wanted & !ONE_FOR_ALL | ALL_FOR_ALL;
                of_master(start, wanted, ports.map(|port| self.active(port, depth)))
            }
            Kind::Macvlan(macvlan) => {
                let lower = of(macvlan.lower);
                lower & SHARED | lower & wanted & LRO | own.fixed
            }
            // `macsec_fix_features`
            Kind::Macsec(macsec) => of(macsec.lower) & (SCATTER | HIGHDMA) | wanted & SOFT | own.fixed,
            Kind::Ipvlan(ipvlan) => of(ipvlan.lower) & SHARED | own.fixed,
            Kind::Vlan(_) => {
                // `vlan_dev_fix_features`
                let lower = device.lower().and_then(|lower| self.devs.get(lower));
                let below = lower
                    .map_or(0, |lower| (self.for_vlans(lower, depth) | RXCSUM) & self.active(lower, depth));
                let below = if below & (IP_CSUM | IPV6_CSUM) != 0 { below | HW_CSUM } else { below };
                intersect(wanted, below) | wanted & (SOFT | GSO_SOFTWARE) | LLTX
            }
            // `tun_net_fix_features`: nobody has said it.
            Kind::Tun(_) => wanted & !TUN_USER,
            _ => wanted,
        };
        consistent(features)
    }

    /// What VLAN devices on this one may have (`dev->vlan_features`).
    fn for_vlans(&self, device: &Device, depth: u32) -> u64 {
        let Some(depth) = depth.checked_sub(1) else { return 0 };
        let lower = || device.lower().and_then(|lower| self.devs.get(lower));
        let of_kind = match &device.kind {
            Kind::Nic { .. } => NIC,
            Kind::Veth(_) => VETH & !TAGS | LLTX,
            Kind::Bridge(_) => BRIDGE,
            Kind::Vxlan(_) => SCATTER | HW_CSUM | RXCSUM | GSO_SOFTWARE | LLTX,
            Kind::Ifb => IFB,
            Kind::Macvlan(_) | Kind::Ipvlan(_) => {
                lower().map_or(0, |lower| self.for_vlans(lower, depth)) & SHARED | SHARING
            }
            Kind::Vlan(_) => lower().map_or(0, |lower| self.for_vlans(lower, depth)) & !ALL_FCOE,
            // `bond_compute_features`
            Kind::Bond(bond) => {
                let slaves = bond.slaves.iter().filter_map(|slave| self.devs.get(slave.dev));
                slaves.fold(LAG & ALL_FOR_ALL, |all, slave| increment(all, self.for_vlans(slave, depth), LAG))
            }
            Kind::Team(_) => {
                let ports = self.devs.values().filter(|port| port.master == Some(device.id));
                ports.fold(LAG & ALL_FOR_ALL, |all, port| increment(all, self.for_vlans(port, depth), LAG))
            }
            _ => 0,
        };
        // `register_netdevice`
        of_kind | HIGHDMA
    }
}

/// What a device's kind brings.
struct Own {
    switchable: u64,
    fixed: u64,
    /// Of those that can be switched, what is off until somebody wants it.
    off: u64,
}

impl Own {
    fn wanted(&self, device: &Device) -> u64 {
        device.features_wanted.unwrap_or(self.switchable & !self.off)
    }
}

fn own(device: &Device) -> Own {
    let (switchable, fixed, off) = match &device.kind {
        Kind::Nic { .. } => {
            (NIC | RXCSUM | RXFCS | RXALL | CTAG_RX, CTAG_TX | CTAG_FILTER, RXCSUM | RXFCS | RXALL)
        }
        Kind::Loopback => {
            let fixed = SCATTER
                | HW_CSUM
                | RXCSUM
                | SCTP_CRC
                | HIGHDMA
                | LLTX
                | NETNS_LOCAL
                | VLAN_CHALLENGED
                | LOOPBACK;
            (GSO_SOFTWARE, fixed, 0)
        }
        // `ipoib_setup_common`; a card that computes no checksums.
        Kind::Ipoib(_) => (0, VLAN_CHALLENGED | HIGHDMA, 0),
        // `nsim_setup`; a card that knows the ports of tunnels.
        Kind::Netdevsim(_) => (HW_TC | UDP_TUNNEL_PORT, SCATTER | HW_CSUM | HIGHDMA | TSO, HW_TC),
        Kind::Dummy => (SCATTER | GSO_SOFTWARE | HW_CSUM | HIGHDMA | GSO_ENCAP_ALL, LLTX, 0),
        // `veth_newlink` switches GRO off.
        Kind::Veth(_) => (VETH, LLTX, GRO),
        Kind::Bridge(_) => (BRIDGE | CTAG_TX | STAG_TX, LLTX | NETNS_LOCAL, 0),
        Kind::Macvlan(_) => (LRO, SHARING | LLTX, LRO),
        Kind::Ipvlan(_) => (0, SHARING | LLTX | VLAN_CHALLENGED, 0),
        Kind::Macsec(_) => (0, GSO_SOFTWARE | LLTX, 0),
        Kind::Vlan(_) => {
            let switchable = HW_CSUM | SCATTER | GSO_SOFTWARE | GSO_ENCAP_ALL | HIGHDMA | SCTP_CRC | ALL_FCOE;
            (switchable, LLTX, 0)
        }
        Kind::Bond(_) | Kind::Team(_) => {
            let common = LAG | GSO_ENCAP_ALL | CTAG_RX | CTAG_FILTER | STAG_RX | STAG_FILTER;
            let encryption = match device.kind {
                Kind::Bond(_) => ESP | ESP_TX_CSUM | GSO_ESP,
                _ => 0,
            };
            (common | encryption, CTAG_TX | STAG_TX | LLTX | NETNS_LOCAL, encryption)
        }
        Kind::Vxlan(_) | Kind::Geneve(_) => (SCATTER | HW_CSUM | RXCSUM | GSO_SOFTWARE, LLTX, 0),
        Kind::Vrf(_) => {
            let switchable = GSO_SOFTWARE | RXCSUM | HW_CSUM | SCTP_CRC | SCATTER | HIGHDMA;
            (switchable, VLAN_CHALLENGED | LLTX | NETNS_LOCAL, 0)
        }
        // `tun_net_init`: what the program at the other end would have to do is off until it says that it can.
        Kind::Tun(_) => (SCATTER | CTAG_TX | STAG_TX | TUN_USER, LLTX, 0),
        Kind::Ifb => (IFB | CTAG_TX | STAG_TX, 0, 0),
        Kind::IpTunnel(_) => (SCATTER | HIGHDMA | HW_CSUM | GSO_SOFTWARE, LLTX, 0),
        // `ip6gre_tnl_init_features`
        Kind::Ip6Tunnel(tunnel) if tunnel.config.output.sequence => (SCATTER | HIGHDMA | HW_CSUM, LLTX, 0),
        Kind::Ip6Tunnel(_) => (SCATTER | HIGHDMA | HW_CSUM | GSO_SOFTWARE, LLTX, 0),
        Kind::Nlmon => (0, SCATTER | HIGHDMA | LLTX, 0),
        Kind::Vcan | Kind::Vxcan(_) => (0, 0, 0),
    };
    // `register_netdevice`
    let copy = match device.kind {
        Kind::Loopback => 0,
        _ => NOCACHE_COPY,
    };
    // A card may do what it is not asked to (`register_netdevice`); the features of the other kinds have it already.
    let mangle = match device.kind {
        Kind::Nic { .. } | Kind::Tun(_) => TSO_MANGLEID,
        _ => 0,
    };
    Own {
        switchable: switchable | SOFT | SOFT_OFF | copy | mangle,
        fixed,
        off: off | SOFT_OFF | copy | mangle,
    }
}

/// A master's features from those of its ports (`br_features_recompute`, `bond_fix_features`, `team_fix_features`).
fn of_master(start: u64, mask: u64, ports: impl Iterator<Item = u64>) -> u64 {
    let features = ports.fold(start, |all, port| increment(all, port, mask));
    // `netdev_add_tso_features`
    increment(features, ALL_TSO | ALL_FOR_ALL, mask)
}

/// `netdev_increment_features`
fn increment(all: u64, one: u64, mask: u64) -> u64 {
    let mask = if mask & HW_CSUM != 0 { mask | CSUM_MASK } else { mask } | VLAN_CHALLENGED;
    let all = (all | one & (ONE_FOR_ALL | CSUM_MASK) & mask) & (one | !ALL_FOR_ALL);
    if all & HW_CSUM != 0 { all & !(IP_CSUM | IPV6_CSUM) } else { all }
}

/// `netdev_intersect_features`
fn intersect(mut one: u64, mut other: u64) -> u64 {
    if (one ^ other) & HW_CSUM != 0 {
        let with = if one & HW_CSUM != 0 { &mut one } else { &mut other };
        *with |= IP_CSUM | IPV6_CSUM;
    }
    one & other
}

/// What depends on something that is off is off (`netdev_fix_features`).
fn consistent(mut features: u64) -> u64 {
    if features & SG == 0 {
        features &= !(ALL_TSO | GSO);
    }
    if features & (HW_CSUM | IP_CSUM) == 0 {
        features &= !(TSO | TSO_ECN);
    }
    if features & (HW_CSUM | IPV6_CSUM) == 0 {
        features &= !TSO6;
    }
    if features & TSO == 0 {
        features &= !TSO_MANGLEID;
    }
    if features & ALL_TSO == TSO_ECN {
        features &= !TSO_ECN;
    }
    features
}
