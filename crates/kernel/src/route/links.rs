//! What routing asks of the devices of its namespace.

use std::net::Ipv4Addr;

use super::model::Scope;

/// The loopback device has this number in every namespace.
pub const LOOPBACK_IFINDEX: u32 = 1;

/// State of a device that routing looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkState<'a> {
    pub name: &'a str,
    /// `IFF_UP`
    pub up: bool,
    /// `netif_carrier_ok`
    pub carrier: bool,
    /// `IFF_LOOPBACK`
    pub loopback: bool,
    /// It has an IPv4 side (`in_device`): false for ports of some devices and MTUs below 68.
    pub ipv4: bool,
    pub mtu: u32,
    /// `ip link set … group N`
    pub group: u32,
    /// The VRF that the device is or belongs to.
    pub vrf: Option<Vrf>,
}

/// A virtual routing and forwarding device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vrf {
    pub ifindex: u32,
    pub table: u32,
}

/// IPv4 settings of a device as they take effect (`net.ipv4.conf.DEV` joined with `…all` by the rule of
/// each setting).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4Settings {
    pub forwarding: bool,
    pub accept_local: bool,
    /// 0 off, 1 strict, 2 loose
    pub rp_filter: u8,
    pub route_localnet: bool,
    pub bc_forwarding: bool,
    pub send_redirects: bool,
    pub shared_media: bool,
    pub src_valid_mark: bool,
}

impl Default for Ipv4Settings {
    /// The kernel's defaults.
    fn default() -> Self {
        Ipv4Settings {
            forwarding: false,
            accept_local: false,
            rp_filter: 0,
            route_localnet: false,
            bc_forwarding: false,
            send_redirects: true,
            shared_media: true,
            src_valid_mark: false,
        }
    }
}

/// An IPv4 address of a device (`struct in_ifaddr`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceAddress {
    pub local: Ipv4Addr,
    /// `ifa_address`: the peer's address on a point-to-point link, else the same as `local`.
    pub peer: Ipv4Addr,
    /// 0 to 32, of `peer`.
    pub prefix_length: u8,
    pub broadcast: Option<Ipv4Addr>,
    pub scope: Scope,
    /// `IFA_F_SECONDARY`: an earlier address of the same prefix is the primary one.
    pub secondary: bool,
    /// `IFA_F_NOPREFIXROUTE`
    pub no_prefix_route: bool,
    /// `IFA_RT_PRIORITY`: metric of the prefix route.
    pub metric: u32,
}

/// The devices of one namespace, as routing sees them.
pub trait Links {
    fn link(&self, ifindex: u32) -> Option<LinkState<'_>>;

    /// The device of that name.
    fn find(&self, name: &str) -> Option<u32>;

    /// The device after `after` (0: the first), in the order of `for_each_netdev`.
    fn next(&self, after: u32) -> Option<u32>;

    /// Its addresses in the order of `ip address show`; empty for an unknown device.
    fn addresses(&self, ifindex: u32) -> &[InterfaceAddress];

    fn settings(&self, ifindex: u32) -> Ipv4Settings;

    /// Whether the device listens to a multicast group (`ip_check_mc_rcu`).
    fn joined(&self, ifindex: u32, group: Ipv4Addr) -> bool {
        let _ = ifindex;
        group == Ipv4Addr::new(224, 0, 0, 1)
    }
}

/// Whether some device of the namespace has this address (`__ip_dev_find` without its look at the local
/// table), and which.
pub fn device_with_address(links: &(impl Links + ?Sized), address: Ipv4Addr) -> Option<u32> {
    let mut ifindex = links.next(0);
    while let Some(found) = ifindex {
        if links.addresses(found).iter().any(|a| a.local == address) {
            return Some(found);
        }
        ifindex = links.next(found);
    }
    None
}
