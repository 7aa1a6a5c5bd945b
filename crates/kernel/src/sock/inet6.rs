//! Options of IPv6 sockets (`struct ipv6_pinfo`).

use std::net::Ipv6Addr;

use hairpin_netlink::{Address, PathMtuDiscovery};

use crate::ip6::address::needs_device;

/// What raw and UDP sockets over IPv6 have in common.
#[derive(Clone, Debug)]
pub struct Inet6 {
    /// Bound source address; unspecified where not bound.
    pub source: Ipv6Addr,
    /// Destination of what is received; unspecified: any.
    pub received_by: Ipv6Addr,
    /// `SO_BINDTODEVICE`, or the device of a link-local address; 0 for none.
    pub device: u32,
    pub remote: Option<(Ipv6Addr, u16)>,
    pub mark: u32,
    pub dont_route: bool,
    /// None: what the route says.
    pub hop_limit: Option<u8>,
    pub multicast_hops: u8,
    pub multicast_loop: bool,
    pub multicast_interface: u32,
    pub traffic_class: u8,
    pub pmtu: PathMtuDiscovery,
    pub receive_errors: bool,
    pub groups: Vec<(Ipv6Addr, u32)>,
}

impl Default for Inet6 {
    fn default() -> Self {
        Inet6 {
            source: Ipv6Addr::UNSPECIFIED,
            received_by: Ipv6Addr::UNSPECIFIED,
            device: 0,
            remote: None,
            mark: 0,
            dont_route: false,
            hop_limit: None,
            multicast_hops: 1,
            multicast_loop: true,
            multicast_interface: 0,
            traffic_class: 0,
            pmtu: PathMtuDiscovery::Want,
            receive_errors: false,
            groups: Vec::new(),
        }
    }
}

impl Inet6 {
    /// What `getsockname` tells.
    pub fn local(&self, port: u16) -> Address {
        let scope = if needs_device(self.source) { self.device } else { 0 };
        Address::Ipv6 { address: self.source, port, scope }
    }
}
