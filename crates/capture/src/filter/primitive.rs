//! Primitives: what `host`, `port`, `proto`, `vlan` … ask of a packet (libpcap's gencode.c).

use std::net::{IpAddr, Ipv6Addr};

use super::lookup::{
    AARP, ARP, ATALK, Abbreviation, IP_SAP, IPV4, IPV6, IPV6_FRAGMENT, IPX, IPX_SAP, ISO, LENGTH_MAX,
    NETBEUI, REVERSE_ARP, SCTP, TCP, UDP, abbreviation, check_port, check_transport, dotted_address,
    named_port, protocol_by_name, refused_protocol, transport_of,
};
use super::node::{Base, Compare, Node, Place, Size, Test, Value};
use super::{Error, Target};
use crate::LinkType;
use crate::names;

/// What stands before an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Qualifiers {
    pub protocol: Option<&'static str>,
    pub direction: Direction,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Default,
    Source,
    Destination,
    /// `src or dst`
    Either,
    /// `src and dst`
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing said: a host.
    Default,
    Host,
    Net,
    Port,
    PortRange,
    Gateway,
    Protocol,
    ProtocolChain,
    /// No qualifiers to take over: an identifier here is an error.
    Undefined,
}

impl Qualifiers {
    pub const UNDEFINED: Qualifiers =
        Qualifiers { protocol: None, direction: Direction::Default, kind: Kind::Undefined };

    /// Whether a word can stand before a qualifier or alone.
    pub fn is_protocol(word: &str) -> bool {
        matches!(word, "ether" | "radio") || abbreviation(word).is_some()
    }
}

/// Compiles primitives in the order in which they are read.
pub(crate) struct Compiler {
    target: Target,
    /// Bytes of the tags that `vlan` terms have gone behind.
    shift: u32,
    vlans: u32,
}

impl Compiler {
    pub fn new(target: Target) -> Self {
        Compiler { target, shift: 0, vlans: 0 }
    }

    /// A protocol's name alone.
    pub fn protocol(&self, word: &str) -> Result<Node, Error> {
        match abbreviation(word) {
            Some(Abbreviation::EtherType(ethertype)) => Ok(self.link_type(ethertype)),
            Some(Abbreviation::Ipv4(protocol)) => Ok(self.ipv4_protocol(protocol)),
            Some(Abbreviation::Ipv6(protocol)) => Ok(self.ipv6_protocol(protocol)),
            Some(Abbreviation::Ip(protocol)) => {
                Ok(self.ipv4_protocol(protocol).or(self.ipv6_protocol(protocol)))
            }
            Some(Abbreviation::Iso(protocol)) => Ok(self.iso_protocol(protocol)),
            Some(Abbreviation::Unsupported) => Err(Error::new(format!("'{word}' is not supported here"))),
            None if word == "radio" => Err(Error::new("'radio' is not a valid protocol type")),
            None => Err(Error::new("link layer applied in wrong context")),
        }
    }

    /// A name behind qualifiers.
    pub fn name(&self, name: &str, qualifiers: &Qualifiers) -> Result<Node, Error> {
        match qualifiers.kind {
            Kind::Net => Err(Error::new(format!("unknown network '{name}'"))),
            Kind::Default | Kind::Host if qualifiers.protocol == Some("ether") => {
                Err(Error::new(format!("unknown ether host '{name}'")))
            }
            Kind::Default | Kind::Host => match names::host_address(name) {
                Some(address) => self.address(IpAddr::V4(address), qualifiers),
                None => Err(Error::new(format!("unknown host '{name}'"))),
            },
            Kind::Port => {
                let protocol = transport_of(qualifiers, "port")?;
                let (port, real) =
                    named_port(name).ok_or_else(|| Error::new(format!("unknown port '{name}'")))?;
                let protocol = check_transport(protocol, real, &format!("port '{name}'"))?;
                let port = check_port(port)?;
                Ok(self.ports(protocol, qualifiers.direction, port, port))
            }
            Kind::PortRange => {
                let protocol = transport_of(qualifiers, "portrange")?;
                let range = match name.split_once('-') {
                    Some((low, high)) => named_port(low).zip(named_port(high)),
                    None => named_port(name).map(|port| (port, port)),
                };
                let ((low, real), (high, other)) =
                    range.ok_or_else(|| Error::new(format!("unknown port in range '{name}'")))?;
                let real = if real == other { real } else { None };
                let protocol = check_transport(protocol, real, &format!("port in range '{name}'"))?;
                let (low, high) = (check_port(low)?, check_port(high)?);
                Ok(self.ports(protocol, qualifiers.direction, low.min(high), low.max(high)))
            }
            Kind::Gateway => Err(Error::new("'gateway' not supported in this configuration")),
            Kind::Protocol => {
                let number = protocol_by_name(name, qualifiers.protocol)?;
                self.numbered_protocol(number, qualifiers)
            }
            Kind::ProtocolChain => Err(Error::new("'protochain' is not supported here")),
            Kind::Undefined => Err(Error::new("syntax error in filter expression")),
        }
    }

    /// A number behind qualifiers.
    pub fn number(&self, number: u32, qualifiers: &Qualifiers) -> Result<Node, Error> {
        match qualifiers.kind {
            Kind::Default | Kind::Host => self.network(number, u32::MAX, qualifiers),
            Kind::Net => {
                // The number is the network's upper bytes.
                let (mut network, mut mask) = (number, u32::MAX);
                while network != 0 && network & 0xff00_0000 == 0 {
                    network <<= 8;
                    mask <<= 8;
                }
                self.network(network, mask, qualifiers)
            }
            Kind::Port | Kind::PortRange => {
                let what = if qualifiers.kind == Kind::Port { "port" } else { "portrange" };
                let protocol = transport_of(qualifiers, what)?;
                let port = check_port(number)?;
                Ok(self.ports(protocol, qualifiers.direction, port, port))
            }
            Kind::Gateway => Err(Error::new("'gateway' requires a name")),
            Kind::Protocol => self.numbered_protocol(number, qualifiers),
            Kind::ProtocolChain => Err(Error::new("'protochain' is not supported here")),
            Kind::Undefined => Err(Error::new("syntax error in filter expression")),
        }
    }

    /// Two to four numbers with dots: an address, or the start of a network's.
    pub fn dotted(&self, text: &str, qualifiers: &Qualifiers) -> Result<Node, Error> {
        match qualifiers.kind {
            Kind::Port => return Err(Error::new("'port' modifier applied to ip host")),
            Kind::PortRange => return Err(Error::new("'portrange' modifier applied to ip host")),
            Kind::Protocol => return Err(Error::new("'proto' modifier applied to ip host")),
            Kind::ProtocolChain => return Err(Error::new("'protochain' modifier applied to ip host")),
            _ => {}
        }
        let (address, mask) = dotted_address(text)?;
        match qualifiers.kind {
            Kind::Gateway => Err(Error::new("'gateway' requires a name")),
            Kind::Undefined => Err(Error::new("syntax error in filter expression")),
            _ => self.network(address, mask, qualifiers),
        }
    }

    /// `10.0/16`
    pub fn prefix(&self, text: &str, length: u32, qualifiers: &Qualifiers) -> Result<Node, Error> {
        let (address, _) = dotted_address(text)?;
        if length > 32 {
            return Err(Error::new("mask length must be <= 32"));
        }
        let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
        if address & !mask != 0 {
            return Err(Error::new(format!("non-network bits set in \"{text}/{length}\"")));
        }
        self.masked_network(address, mask, qualifiers)
    }

    /// `10.0 mask 255.255.0.0`
    pub fn masked(&self, text: &str, mask_text: &str, qualifiers: &Qualifiers) -> Result<Node, Error> {
        let (address, _) = dotted_address(text)?;
        let (mask, _) = dotted_address(mask_text)?;
        if address & !mask != 0 {
            return Err(Error::new(format!("non-network bits set in \"{text} mask {mask_text}\"")));
        }
        self.masked_network(address, mask, qualifiers)
    }

    fn masked_network(&self, address: u32, mask: u32, qualifiers: &Qualifiers) -> Result<Node, Error> {
        match qualifiers.kind {
            Kind::Net => self.network(address, mask, qualifiers),
            _ => Err(Error::new("Mask syntax for networks only")),
        }
    }

    /// An IPv6 address or network; `text` is as it was written.
    pub fn ipv6(
        &self,
        address: Ipv6Addr,
        text: &str,
        length: u32,
        qualifiers: &Qualifiers,
    ) -> Result<Node, Error> {
        if length > 128 {
            return Err(Error::new("mask length must be <= 128"));
        }
        let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
        if u128::from(address) & !mask != 0 {
            return Err(Error::new(format!("non-network bits set in \"{text}/{length}\"")));
        }
        match qualifiers.kind {
            Kind::Default | Kind::Host if length != 128 => Err(Error::new("Mask syntax for networks only")),
            Kind::Default | Kind::Host | Kind::Net => self.ipv6_network(address, mask, qualifiers),
            _ => Err(Error::new("invalid qualifier against IPv6 address")),
        }
    }

    pub fn mac(&self, address: [u8; 6], qualifiers: &Qualifiers) -> Result<Node, Error> {
        let host = matches!(qualifiers.kind, Kind::Default | Kind::Host);
        if !host || qualifiers.protocol != Some("ether") {
            return Err(Error::new("ethernet address used in non-ether expression"));
        }
        if self.target.link != LinkType::ETHERNET {
            return Err(Error::new(
                "ethernet addresses supported only on ethernet/FDDI/token ring/802.11/ATM LANE/Fibre Channel",
            ));
        }
        Ok(self.both_ways(qualifiers.direction, |source| self.mac_at(if source { 6 } else { 0 }, address)))
    }

    pub fn broadcast(&self, protocol: Option<&str>) -> Result<Node, Error> {
        match protocol {
            None | Some("ether") if self.target.link == LinkType::ETHERNET => Ok(self.mac_at(0, [0xff; 6])),
            None | Some("ether") => Err(Error::new("not a broadcast link")),
            Some("ip") => {
                let host = !self.target.netmask;
                let zeros = self.compare(Base::LinkPayload, 16, Size::Word, host, Test::Equal, 0);
                let ones = self.compare(Base::LinkPayload, 16, Size::Word, host, Test::Equal, host);
                Ok(self.link_type(IPV4).and(zeros.or(ones)))
            }
            Some(_) => Err(Error::new("only link-layer/IP broadcast filters supported")),
        }
    }

    pub fn multicast(&self, protocol: Option<&str>) -> Result<Node, Error> {
        let byte =
            |offset, test, value| self.compare(Base::LinkPayload, offset, Size::Byte, u32::MAX, test, value);
        match protocol {
            None | Some("ether") if self.target.link == LinkType::ETHERNET => {
                Ok(self.compare(Base::LinkHeader, 0, Size::Byte, u32::MAX, Test::AnySet, 1))
            }
            Some("ip") => Ok(self.link_type(IPV4).and(byte(16, Test::GreaterOrEqual, 224))),
            Some("ip6") => Ok(self.link_type(IPV6).and(byte(24, Test::Equal, 255))),
            _ => Err(Error::new(
                "link-layer multicast filters supported only on ethernet/FDDI/token ring/ARCNET/802.11/ATM \
                 LANE/Fibre Channel",
            )),
        }
    }

    /// `inbound` and `outbound`
    pub fn direction(&self, outbound: bool) -> Result<Node, Error> {
        const OUTGOING: u32 = 4;
        let outgoing = match self.target.link {
            LinkType::LINUX_SLL2 => {
                self.compare(Base::LinkHeader, 10, Size::Byte, u32::MAX, Test::Equal, OUTGOING)
            }
            LinkType::LINUX_SLL => {
                self.compare(Base::LinkHeader, 0, Size::Half, u32::MAX, Test::Equal, OUTGOING)
            }
            _ if self.target.live => Node::Outgoing,
            link => {
                return Err(Error::new(format!(
                    "inbound/outbound not supported on {} when reading savefiles",
                    link.description().unwrap_or("this link type")
                )));
            }
        };
        Ok(if outbound { outgoing } else { outgoing.not() })
    }

    pub fn ifindex(&self, index: u32) -> Result<Node, Error> {
        if self.target.link == LinkType::LINUX_SLL2 {
            return Ok(self.compare(Base::LinkHeader, 4, Size::Word, u32::MAX, Test::Equal, index));
        }
        let link = self.target.link.description().unwrap_or("this link type");
        Err(Error::new(format!("ifindex not supported on {link} when reading savefiles")))
    }

    pub fn vlan(&mut self, id: Option<u32>) -> Result<Node, Error> {
        if self.target.link != LinkType::ETHERNET {
            let link = self.target.link.description().unwrap_or("this link type");
            return Err(Error::new(format!("no VLAN support for {link}")));
        }
        if let Some(id) = id.filter(|id| *id > 0xfff) {
            return Err(Error::new(format!("VLAN tag {id} greater than maximum 4095")));
        }
        self.vlans += 1;
        if self.target.live && self.vlans == 1 {
            return Ok(Node::LiveVlan { id });
        }
        let tagged = self.link_type(0x8100).or(self.link_type(0x88a8)).or(self.link_type(0x9100));
        let node = match id {
            Some(id) => tagged.and(self.compare(Base::LinkPayload, 0, Size::Half, 0x0fff, Test::Equal, id)),
            None => tagged,
        };
        self.shift += 4;
        Ok(node)
    }

    pub fn llc(&self) -> Result<Node, Error> {
        if self.target.link != LinkType::ETHERNET {
            let link = self.target.link.description().unwrap_or("this link type");
            return Err(Error::new(format!("'llc' not supported for {link}")));
        }
        let raw = self.compare(Base::LinkPayload, 0, Size::Half, u32::MAX, Test::Equal, 0xffff);
        Ok(self.is_length().and(raw.not()))
    }

    pub fn byte(&self, index: u32, operator: &str, value: u32) -> Node {
        let byte = |test| self.compare(Base::LinkHeader, index, Size::Byte, u32::MAX, test, value);
        match operator {
            "=" => byte(Test::Equal),
            ">" => byte(Test::Greater),
            _ => byte(Test::GreaterOrEqual).not(),
        }
    }

    /// `PROTOCOL[INDEX:SIZE]`: what must hold first, and the number.
    pub fn load(
        &self,
        protocol: &str,
        index: Value,
        guard: Option<Node>,
        size: Size,
    ) -> Result<(Option<Node>, Value), Error> {
        let value = |base, extra| Value::Load {
            base,
            shift: self.shift,
            extra,
            index: Box::new(index.clone()),
            size,
        };
        let behind = |first: Option<Node>, next: Node| match first {
            Some(first) => first.and(next),
            None => next,
        };
        match protocol {
            "ether" => Ok((guard, value(Base::LinkHeader, 0))),
            "ip" | "arp" | "rarp" | "atalk" | "decnet" | "sca" | "lat" | "moprc" | "mopdl" | "ip6" => {
                Ok((Some(behind(guard, self.protocol(protocol)?)), value(Base::LinkPayload, 0)))
            }
            "sctp" | "tcp" | "udp" | "icmp" | "igmp" | "igrp" | "pim" | "vrrp" | "carp" => {
                let ip = behind(Some(self.link_type(IPV4)), self.protocol(protocol)?);
                let ip = match guard {
                    Some(guard) => self.link_type(IPV4).and(guard).and(self.protocol(protocol)?),
                    None => ip,
                };
                Ok((Some(ip.and(self.first_fragment())), value(Base::Ipv4Payload, 0)))
            }
            "icmp6" => {
                let ip6 = behind(guard, self.link_type(IPV6));
                let next = self.compare(Base::LinkPayload, 6, Size::Byte, u32::MAX, Test::Equal, 58);
                Ok((Some(ip6.and(next)), value(Base::LinkPayload, 40)))
            }
            "radio" => Err(Error::new("radio information not present in capture")),
            _ => Err(Error::new("unsupported index operation")),
        }
    }

    /// `gen_host`
    fn network(&self, address: u32, mask: u32, qualifiers: &Qualifiers) -> Result<Node, Error> {
        let what = if qualifiers.kind == Kind::Net { "net" } else { "host" };
        let one = |ethertype, source, destination| {
            self.both_ways(qualifiers.direction, |is_source| {
                let offset = if is_source { source } else { destination };
                let field =
                    self.compare(Base::LinkPayload, offset, Size::Word, mask, Test::Equal, address & mask);
                self.link_type(ethertype).and(field)
            })
        };
        match qualifiers.protocol {
            None => Ok(one(IPV4, 12, 16).or(one(ARP, 14, 24)).or(one(REVERSE_ARP, 14, 24))),
            Some("ip") => Ok(one(IPV4, 12, 16)),
            Some("arp") => Ok(one(ARP, 14, 24)),
            Some("rarp") => Ok(one(REVERSE_ARP, 14, 24)),
            Some("ether") if matches!(qualifiers.kind, Kind::Default | Kind::Host | Kind::Net) => {
                Err(Error::new("illegal link layer address"))
            }
            Some("ip6") => Err(Error::new("'ip6' modifier applied to ip host")),
            Some("icmp6") => Err(Error::new(format!("'icmp6' modifier applied to {what}"))),
            Some(protocol) => Err(refused_protocol(protocol, what)),
        }
    }

    /// `gen_host6`
    fn ipv6_network(&self, address: Ipv6Addr, mask: u128, qualifiers: &Qualifiers) -> Result<Node, Error> {
        let what = if qualifiers.kind == Kind::Net { "ip6 net" } else { "ip6 host" };
        match qualifiers.protocol {
            None | Some("ip6") => {}
            Some("ether") => return Err(Error::new(format!("link-layer modifier applied to {what}"))),
            Some(protocol) => return Err(refused_protocol(protocol, what)),
        }
        Ok(self.both_ways(qualifiers.direction, |source| {
            let start = if source { 8 } else { 24 };
            (0..4).fold(self.link_type(IPV6), |node, word| {
                let part = |bits: u128| (bits >> (96 - word * 32)) as u32;
                let (value, mask) = (part(address.into()), part(mask));
                let offset = start + word * 4;
                node.and(self.compare(Base::LinkPayload, offset, Size::Word, mask, Test::Equal, value & mask))
            })
        }))
    }

    fn address(&self, address: IpAddr, qualifiers: &Qualifiers) -> Result<Node, Error> {
        match address {
            IpAddr::V4(address) => self.network(address.into(), u32::MAX, qualifiers),
            IpAddr::V6(address) => self.ipv6_network(address, u128::MAX, qualifiers),
        }
    }

    /// `gen_proto`
    fn numbered_protocol(&self, number: u32, qualifiers: &Qualifiers) -> Result<Node, Error> {
        match qualifiers.protocol {
            None => Ok(self.ipv4_protocol(number).or(self.ipv6_protocol(number))),
            Some("ether") => Ok(self.link_type(number)),
            Some("ip") => Ok(self.ipv4_protocol(number)),
            Some("ip6") => Ok(self.ipv6_protocol(number)),
            Some("iso") => Ok(self.iso_protocol(number)),
            Some(protocol @ ("arp" | "rarp")) => {
                Err(Error::new(format!("{protocol} does not encapsulate another protocol")))
            }
            Some(protocol @ ("lat" | "sca" | "moprc" | "mopdl")) => Err(Error::new(format!(
                "{} does not encapsulate another protocol",
                protocol.to_ascii_uppercase()
            ))),
            Some("atalk") => Err(Error::new("AppleTalk encapsulation is not specifiable")),
            Some("decnet") => Err(Error::new("DECNET encapsulation is not specifiable")),
            Some("clnp") => Err(Error::new("'clnp proto' is not supported")),
            Some("isis") => Err(Error::new("'isis proto' is not supported here")),
            Some(protocol) => Err(Error::new(format!("'{protocol} proto' is bogus"))),
        }
    }

    /// `gen_port` and `gen_portrange` with their IPv6 forms.
    fn ports(&self, protocol: Option<u32>, direction: Direction, low: u32, high: u32) -> Node {
        let protocols = match protocol {
            Some(protocol) => vec![protocol],
            None => vec![TCP, UDP, SCTP],
        };
        let atom = |base: Base, offset: u32| {
            let half = |test, value| self.compare(base, offset, Size::Half, u32::MAX, test, value);
            if low == high {
                half(Test::Equal, low)
            } else {
                half(Test::GreaterOrEqual, low).and(half(Test::Greater, high).not())
            }
        };
        let either = |nodes: Vec<Node>| nodes.into_iter().reduce(Node::or).unwrap_or(Node::Always(false));
        let over = |base: Base, protocol_at: u32| {
            let one = |protocol: &u32| {
                let is = self.compare(
                    Base::LinkPayload,
                    protocol_at,
                    Size::Byte,
                    u32::MAX,
                    Test::Equal,
                    *protocol,
                );
                let is = if base == Base::Ipv4Payload { is.and(self.first_fragment()) } else { is };
                is.and(self.both_ways(direction, |source| atom(base, if source { 0 } else { 2 })))
            };
            either(protocols.iter().map(one).collect())
        };
        let ipv6 = self.link_type(IPV6).and(over(Base::Ipv6Payload, 6));
        let ipv4 = self.link_type(IPV4).and(over(Base::Ipv4Payload, 9));
        ipv6.or(ipv4)
    }

    fn both_ways(&self, direction: Direction, one: impl Fn(bool) -> Node) -> Node {
        match direction {
            Direction::Source => one(true),
            Direction::Destination => one(false),
            Direction::Both => one(true).and(one(false)),
            Direction::Default | Direction::Either => one(true).or(one(false)),
        }
    }

    fn ipv4_protocol(&self, protocol: u32) -> Node {
        let field = self.compare(Base::LinkPayload, 9, Size::Byte, u32::MAX, Test::Equal, protocol);
        self.link_type(IPV4).and(field)
    }

    /// Directly, or behind a fragment header.
    fn ipv6_protocol(&self, protocol: u32) -> Node {
        let byte =
            |offset, value| self.compare(Base::LinkPayload, offset, Size::Byte, u32::MAX, Test::Equal, value);
        self.link_type(IPV6).and(byte(6, protocol).or(byte(6, IPV6_FRAGMENT).and(byte(40, protocol))))
    }

    fn iso_protocol(&self, protocol: u32) -> Node {
        let field = self.compare(Base::LinkPayload, 3, Size::Byte, u32::MAX, Test::Equal, protocol);
        self.link_type(ISO).and(field)
    }

    fn first_fragment(&self) -> Node {
        self.compare(Base::LinkPayload, 6, Size::Half, u32::MAX, Test::AnySet, 0x1fff).not()
    }

    /// `gen_linktype`: an EtherType, or the service access points of an LLC header.
    fn link_type(&self, protocol: u32) -> Node {
        let is = |value| self.compare(Base::LinkType, 0, Size::Half, u32::MAX, Test::Equal, value);
        if self.target.link != LinkType::ETHERNET {
            return is(protocol);
        }
        let llc = |size, value| self.compare(Base::LinkPayload, 0, size, u32::MAX, Test::Equal, value);
        match protocol {
            ISO | IP_SAP | NETBEUI => self.is_length().and(llc(Size::Half, protocol << 8 | protocol)),
            IPX_SAP => {
                let snap = self.snap(0, IPX);
                let raw = llc(Size::Byte, IPX_SAP).or(llc(Size::Half, 0xffff));
                is(IPX).or(self.is_length().and(snap.or(raw)))
            }
            ATALK => is(ATALK).or(self.is_length().and(self.snap(0x08_0007, ATALK))),
            AARP => is(AARP).or(self.is_length().and(self.snap(0, AARP))),
            sap if sap <= LENGTH_MAX => {
                let field = self.compare(Base::LinkType, 2, Size::Byte, u32::MAX, Test::Equal, sap);
                self.is_length().and(field)
            }
            ethertype => is(ethertype),
        }
    }

    fn is_length(&self) -> Node {
        self.compare(Base::LinkType, 0, Size::Half, u32::MAX, Test::Greater, LENGTH_MAX).not()
    }

    fn snap(&self, vendor: u32, protocol: u32) -> Node {
        let word =
            |offset, value| self.compare(Base::LinkPayload, offset, Size::Word, u32::MAX, Test::Equal, value);
        word(4, (vendor & 0xffff) << 16 | protocol).and(word(0, 0xaaaa_0300 | vendor >> 16))
    }

    fn mac_at(&self, offset: u32, address: [u8; 6]) -> Node {
        let [a, b, c, d, e, f] = address;
        let low = u32::from_be_bytes([c, d, e, f]);
        let high = u32::from(a) << 8 | u32::from(b);
        self.compare(Base::LinkHeader, offset + 2, Size::Word, u32::MAX, Test::Equal, low).and(self.compare(
            Base::LinkHeader,
            offset,
            Size::Half,
            u32::MAX,
            Test::Equal,
            high,
        ))
    }

    fn compare(&self, base: Base, offset: u32, size: Size, mask: u32, test: Test, value: u32) -> Node {
        if mask == 0 && test == Test::Equal {
            // Nothing is read, so a short packet is not rejected.
            return Node::Always(value == 0);
        }
        Node::Compare(Compare { place: Place { base, offset, shift: self.shift }, size, mask, test, value })
    }
}
