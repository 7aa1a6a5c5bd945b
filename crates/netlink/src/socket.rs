//! Sockets as front ends know them: kinds, options and addresses, and what is received.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::Errno;

/// Kinds of socket a front end opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SocketKind {
    /// `AF_PACKET`: frames of the task's namespace. `cooked` (`SOCK_DGRAM`) hides the link header.
    /// `protocol` is an EtherType, or [`ETH_P_ALL`]; 0 receives nothing until bound.
    Packet { cooked: bool, protocol: u16 },
    /// `AF_INET, SOCK_RAW`: received data starts with the IPv4 header.
    RawIpv4 { protocol: u8 },
    /// `AF_INET, SOCK_DGRAM`.
    UdpIpv4,
    /// `AF_INET6, SOCK_RAW`: received data starts behind the IPv6 headers. Checksums of ICMPv6 are the kernel's.
    RawIpv6 { protocol: u8 },
    /// `AF_INET6, SOCK_DGRAM`; for IPv6 only, unless told otherwise.
    UdpIpv6,
    /// `AF_INET, SOCK_STREAM`; never blocks.
    TcpIpv4,
    /// `AF_INET6, SOCK_STREAM`; never blocks. For IPv4 too, as `::ffff:…`, unless told otherwise.
    TcpIpv6,
    /// A queue of the macvtap or ipvtap with this index in the task's namespace (`/dev/tapN`, opened for whole
    /// frames: `IFF_TAP | IFF_NO_PI`). Emulated kernels only; on Linux it fails with `ENOSYS`.
    Tap { ifindex: u32 },
    /// `AF_CAN, SOCK_RAW, CAN_RAW`: `struct can_frame`, and `struct canfd_frame` where
    /// [`SocketOption::CanFdFrames`] says so, as [`Received::Frame`]; [`PacketType::Outgoing`] are those that this host
    /// has sent. A socket does not hear itself.
    CanRaw,
    /// `AF_NETLINK, NETLINK_ROUTE` that receives notifications. Bit `g - 1` joins group `g` (`RTNLGRP_*`).
    RouteEvents { groups: u64 },
    /// Changes of tracked connections. On Linux it fails with `ENOSYS`.
    ConntrackEvents,
}

/// Every protocol, for [`SocketKind::Packet`].
pub const ETH_P_ALL: u16 = 3;

/// `IP_MTU_DISCOVER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PathMtuDiscovery {
    Dont,
    Want,
    Do,
    Probe,
}

/// Socket options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SocketOption {
    /// `SO_BROADCAST`
    Broadcast(bool),
    /// `SO_BINDTODEVICE`; an empty name unbinds.
    BindToDevice(String),
    /// `SO_MARK`
    Mark(u32),
    /// `SO_DONTROUTE`
    DontRoute(bool),
    /// `SO_RCVBUF` in bytes; what does not fit is dropped and counted.
    ReceiveBuffer(u32),
    /// `IP_TTL`; `IPV6_UNICAST_HOPS`
    Ttl(u8),
    /// `IP_MULTICAST_TTL`; `IPV6_MULTICAST_HOPS`
    MulticastTtl(u8),
    /// `IP_MULTICAST_LOOP`; `IPV6_MULTICAST_LOOP`
    MulticastLoop(bool),
    /// `IP_MULTICAST_IF`, `IPV6_MULTICAST_IF` by interface index
    MulticastInterface(u32),
    /// `IP_ADD_MEMBERSHIP` on an interface (0: chosen by route)
    JoinMulticast { group: Ipv4Addr, ifindex: u32 },
    /// `IP_DROP_MEMBERSHIP`
    LeaveMulticast { group: Ipv4Addr, ifindex: u32 },
    /// `IP_TOS`; `IPV6_TCLASS`
    Tos(u8),
    /// `IP_MTU_DISCOVER`; `IPV6_MTU_DISCOVER`
    PathMtuDiscovery(PathMtuDiscovery),
    /// `IP_RECVERR`, `IPV6_RECVERR`: errors are queued as [`Received::Error`].
    ReceiveErrors(bool),
    /// `IP_HDRINCL`: sent data starts with the IPv4 header.
    HeaderIncluded(bool),
    /// `ICMP_FILTER`: bit `t` set discards ICMP type `t`.
    IcmpFilter(u32),
    /// `PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC` until the socket closes.
    Promiscuous { ifindex: u32 },
    /// `SO_REUSEADDR`
    ReuseAddress(bool),
    /// `TCP_NODELAY`
    NoDelay(bool),
    /// `IPV6_V6ONLY`
    V6Only(bool),
    /// `IP_OPTIONS`: raw option bytes put into every header sent (record route, time stamp).
    IpOptions(Vec<u8>),
    /// `ICMP6_FILTER`: bit `t` of the 256, from the lowest of the first word on, discards ICMPv6 type `t`.
    Icmp6Filter([u32; 8]),
    /// `CAN_RAW_FD_FRAMES`
    CanFdFrames(bool),
    /// `CAN_RAW_FILTER`: identifiers and masks; a frame is received that one of them fits. At first all are.
    CanFilters(Vec<(u32, u32)>),
    /// `CAN_RAW_JOIN_FILTERS`: all of them must fit.
    CanJoinFilters(bool),
    /// `CAN_RAW_ERR_FILTER`: classes of error frames.
    CanErrorFilter(u32),
    /// `IPV6_ADD_MEMBERSHIP` on an interface (0: chosen by route)
    JoinMulticast6 { group: Ipv6Addr, ifindex: u32 },
}

/// A socket address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Address {
    Ipv4 {
        address: Ipv4Addr,
        port: u16,
    },
    Ipv6 {
        address: Ipv6Addr,
        port: u16,
        scope: u32,
    },
    /// `sockaddr_ll`. `protocol` is an EtherType; `ifindex` 0 means every interface.
    Link {
        ifindex: u32,
        protocol: u16,
        mac: [u8; 6],
    },
    /// `sockaddr_can`; 0 means every CAN interface.
    Can {
        ifindex: u32,
    },
}

/// `PACKET_HOST`, `PACKET_BROADCAST`, … : how a frame relates to the device it was seen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PacketType {
    Host = 0,
    Broadcast = 1,
    Multicast = 2,
    OtherHost = 3,
    Outgoing = 4,
}

/// Where a queued error comes from (`struct sock_extended_err`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorOrigin {
    Local,
    Icmp {
        kind: u8,
        code: u8,
        from: Ipv4Addr,
    },
    /// `scope` is the interface of a link-local `from`.
    Icmp6 {
        kind: u8,
        code: u8,
        from: Ipv6Addr,
        scope: u32,
    },
}

/// One item of a socket's receive queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Received {
    /// From a packet socket. VLAN tags that the kernel keeps beside the frame are put back into `data`.
    Frame {
        data: Vec<u8>,
        ifindex: u32,
        /// EtherType, as `sll_protocol`.
        protocol: u16,
        packet_type: PacketType,
        /// `ARPHRD_*` of the device (1 Ethernet, 772 loopback).
        hardware: u16,
        /// Source address of the link header.
        mac: [u8; 6],
        realtime_ns: u64,
    },
    /// From a raw or UDP socket. Raw data starts with the IPv4 header, of IPv6 behind the headers; `ttl` and
    /// `tos` are the hop limit and the traffic class then.
    Datagram { data: Vec<u8>, from: Address, to: Address, ttl: u8, tos: u8, ifindex: u32, realtime_ns: u64 },
    /// From the error queue of a socket with [`SocketOption::ReceiveErrors`].
    Error {
        errno: Errno,
        origin: ErrorOrigin,
        /// `ee_info`: the MTU for `EMSGSIZE`.
        info: u32,
        /// Destination of the packet that caused the error.
        to: Address,
        /// What the ICMP error quotes of the packet behind its IPv4 header, of UDP also behind that header; from
        /// the IPv4 header on where the socket has [`SocketOption::HeaderIncluded`]. Nothing of a local error. Of
        /// IPv6 what follows the headers.
        data: Vec<u8>,
        /// TTL or hop limit of the packet that told of it; 0 of a local error.
        ttl: u8,
        realtime_ns: u64,
    },
    /// One or more netlink notifications.
    Netlink(Vec<u8>),
    /// Of a socket for [`SocketKind::ConntrackEvents`].
    Connection { event: Box<crate::netfilter::conntrack::Event>, realtime_ns: u64 },
    /// The next bytes of a connection.
    Stream(Vec<u8>),
    /// The peer of a connection sends no more.
    End,
}

/// `PACKET_STATISTICS` and the like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketStatistics {
    pub received: u64,
    pub dropped: u64,
}
