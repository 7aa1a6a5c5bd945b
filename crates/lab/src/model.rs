//! What a world is.
//!
//! Names and references have been checked: every segment, device and host that is named exists.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Hosts and the segments that join their NICs. Everything keeps the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// The file's name without directory and `.yaml`.
    pub name: String,
    pub segments: Vec<Segment>,
    /// At least one.
    pub hosts: Vec<Host>,
}

impl World {
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.iter().find(|host| host.name == name)
    }

    pub fn segment(&self, name: &str) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.name == name)
    }
}

/// What NICs are plugged into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub name: String,
    pub kind: SegmentKind,
    /// Frames are padded with zeros to this length in bytes, without frame check sequence.
    pub pad: Option<u16>,
    /// The VLAN IDs every port carries tagged, beside untagged frames. `None`: tags mean nothing to the
    /// segment, and every frame passes.
    pub trunk: Option<Vec<u16>>,
    pub gateway_learns_from_ip: Option<LearnsFromIp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// Learns addresses, and forwards a frame only where its destination is, once that is known.
    Switch,
    /// Hands every frame to everybody else.
    Hub,
    /// As a hub, between two NICs.
    Cable,
}

impl SegmentKind {
    /// The word of the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Switch => "switch",
            Self::Hub => "hub",
            Self::Cable => "cable",
        }
    }
}

/// A gateway that takes the MAC address of a neighbour from the IPv4 packets it gets, and does not ask by
/// ARP, as VirtualBox's NAT engine does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearnsFromIp {
    pub host: String,
    pub dev: String,
    /// Only from packets with a source address in here.
    pub prefix: Ipv4Addr,
    pub prefix_len: u8,
}

/// One Linux machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    pub name: String,
    /// For people.
    pub role: Option<String>,
    /// Modules that its kernel has loaded.
    pub modules: Vec<String>,
    pub sysctl: Vec<Sysctl>,
    pub bridges: Vec<Bridge>,
    pub nics: Vec<Nic>,
    pub addresses: Vec<Address>,
    /// The arguments of one `ip route add` each.
    pub routes: Vec<Vec<String>>,
    /// The arguments of one `iptables` each.
    pub iptables: Vec<Vec<String>>,
    pub answers: Vec<Answer>,
    /// What it advertises as a router.
    pub advertised: Vec<Advertised>,
    pub files: Vec<TextFile>,
    /// Shell command lines.
    pub setup: Vec<String>,
    pub dns: Option<Dns>,
}

/// What a NIC is plugged into, if it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NicKind {
    #[default]
    Ethernet,
    /// Without a fabric: it has no link.
    Infiniband,
}

/// A plain card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nic {
    pub name: String,
    pub kind: NicKind,
    /// `None`: nothing is plugged in.
    pub segment: Option<String>,
    /// Unicast; of an InfiniBand port its GUID is made. Where the file has none it is made from the names of host and NIC.
    pub mac: [u8; 6],
    pub altname: Option<String>,
    /// A bridge of the same host.
    pub master: Option<String>,
    pub addrgenmode: Option<AddrGenMode>,
    pub up: bool,
    pub ipv6: bool,
}

/// How an interface makes its IPv6 link-local address (`IN6_ADDR_GEN_MODE_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddrGenMode {
    Eui64,
    None,
    StableSecret,
    Random,
}

impl AddrGenMode {
    /// iproute2's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eui64 => "eui64",
            Self::None => "none",
            Self::StableSecret => "stable_secret",
            Self::Random => "random",
        }
    }
}

/// A bridge that is there beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bridge {
    pub name: String,
    /// Address and prefix length as `ip address add` takes them.
    pub addr: Option<String>,
    /// Whether it has a port with carrier (a dummy device). `None`: it is left as `ip link add` makes it.
    pub carrier: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub dev: String,
    /// Address and prefix length as `ip address add` takes them.
    pub ip: String,
    /// Further arguments of `ip address add`.
    pub opts: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sysctl {
    /// As `sysctl` takes it, `net.ipv4.ip_forward`.
    pub key: String,
    pub value: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFile {
    /// Absolute.
    pub path: String,
    /// Ends with a newline.
    pub text: String,
}

/// An address of the internet that a host stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    pub ip: IpAddr,
    /// The TTL its packets have one router further, at most 254.
    pub ttl: Option<u8>,
}

/// What a device advertises over IPv6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertised {
    pub dev: String,
    pub prefixes: Vec<(Ipv6Addr, u8)>,
    /// How long it is a way out, in seconds; 0: it is none.
    pub lifetime: u16,
    pub mtu: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// The addresses it listens on.
    pub servers: Vec<IpAddr>,
    pub names: Vec<DnsName>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsName {
    pub name: String,
    pub cname: Option<String>,
    /// One for each question, in turn.
    pub a: Vec<Ipv4Addr>,
    pub aaaa: Vec<Ipv6Addr>,
    /// The name of the address that this name asks for backwards.
    pub ptr: Option<String>,
}
