//! The pcap-filter language (libpcap 1.10.3): which packets a capture takes.
//!
//! [`lexer`] cuts an expression into words, [`parser`] finds its structure, [`primitive`] turns each primitive into
//! [`node::Node`]s, and those are evaluated on a frame. As in libpcap, a read behind the captured bytes rejects the
//! packet whatever the expression says (`not` does not help), and terms behind `vlan` look behind the tag.
//!
//! Not supported, and refused with an error that says so: `mpls`, `pppoed`, `pppoes`, `geneve`, `protochain`, 802.11,
//! ATM, SS7 and pf terms, `llc` with a type, DECnet and ARCnet addresses, IS-IS PDU types.

mod lexer;
mod lookup;
mod node;
mod parser;
mod primitive;

use crate::LinkType;
use node::{Machine, Node};

/// What an expression is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub link: LinkType,
    /// A live capture rather than a file: packets have a type, and the kernel has taken the outermost VLAN tag off.
    pub live: bool,
    /// The network's mask, for `ip broadcast`; 0 where it is not known.
    pub netmask: u32,
}

/// A packet to be judged.
#[derive(Clone, Copy, Debug)]
pub struct FrameView<'a> {
    pub data: &'a [u8],
    /// Length on the wire.
    pub length: u32,
    /// Whether the packet was sent by this host (`PACKET_OUTGOING`).
    pub outgoing: bool,
    /// In a live capture: the outermost VLAN tag is kept beside the frame, as Linux does, though `data` shows it.
    pub tag_beside: bool,
}

impl<'a> FrameView<'a> {
    /// A packet of a file.
    pub fn of_file(data: &'a [u8], length: u32) -> Self {
        FrameView { data, length, outgoing: false, tag_beside: false }
    }
}

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Filter {
    /// None takes everything.
    root: Option<Node>,
    link: LinkType,
}

/// Why an expression is refused; the text is libpcap's, without the program name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(pub String);

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl Error {
    fn new(text: impl Into<String>) -> Self {
        Error(text.into())
    }

    fn syntax() -> Self {
        Error::new("can't parse filter expression: syntax error")
    }
}

impl Filter {
    /// Compiles an expression; an empty one takes every packet.
    ///
    /// # Errors
    /// What libpcap refuses, with its text.
    pub fn compile(expression: &str, target: Target) -> Result<Self, Error> {
        let root = parser::parse(expression, target)?;
        Ok(Filter { root, link: target.link })
    }

    /// Whether the expression takes a packet.
    pub fn matches(&self, frame: &FrameView<'_>) -> bool {
        let Some(root) = &self.root else { return true };
        Machine::new(frame, self.link).holds(root).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Target = Target { link: LinkType::ETHERNET, live: false, netmask: 0 };
    const LIVE: Target = Target { live: true, ..FILE };

    fn takes(expression: &str, frame: &FrameView<'_>, target: Target) -> bool {
        Filter::compile(expression, target).expect("a good expression").matches(frame)
    }

    fn udp(tag: Option<u16>) -> Vec<u8> {
        let mut frame = vec![0xff; 6];
        frame.extend([2, 0, 0, 0, 0, 1]);
        if let Some(tci) = tag {
            frame.extend([0x81, 0]);
            frame.extend(tci.to_be_bytes());
        }
        frame.extend([8, 0, 0x45, 0, 0, 30, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        frame.extend([0, 53, 4, 0, 0, 10, 0, 0, 1, 2]);
        frame
    }

    #[test]
    fn primitives_and_their_combinations() {
        let data = udp(None);
        let frame = FrameView::of_file(&data, data.len() as u32);
        for (expression, expected) in [
            ("", true),
            ("udp", true),
            ("tcp or udp", true),
            ("udp and not port 53", false),
            ("port 53 or 54", true),
            ("src port domain", true),
            ("dst port 53", false),
            ("src or dst host 10.0.0.2", true),
            ("net 10.0.0.0/8 && !tcp", true),
            // Equal precedence, from the left: (udp or tcp) and tcp.
            ("udp or tcp and tcp", false),
            ("udp or (tcp and tcp)", true),
            ("ether broadcast", true),
            ("ip[8] = 64 and ip[8:2] = 0x4011", true),
            ("udp[0:2] + 1 = 54", true),
            ("len > 1000", false),
            ("ether src 2:0:0:0:0:1", true),
        ] {
            assert_eq!(takes(expression, &frame, FILE), expected, "{expression}");
        }
    }

    #[test]
    fn a_read_behind_the_packet_rejects_it() {
        let data = udp(None);
        let frame = FrameView::of_file(&data[..30], data.len() as u32);
        assert!(takes("udp", &frame, FILE));
        assert!(!takes("port 53", &frame, FILE));
        assert!(!takes("not port 53", &frame, FILE));
    }

    #[test]
    fn vlan_moves_what_follows_behind_the_tag() {
        let data = udp(Some(5));
        let length = data.len() as u32;
        let file = FrameView::of_file(&data, length);
        assert!(!takes("udp", &file, FILE));
        assert!(takes("vlan and udp", &file, FILE));
        assert!(takes("vlan 5 and udp port 53", &file, FILE));
        assert!(!takes("vlan 6 and udp", &file, FILE));
        // A live capture sees the frame without its tag.
        let live = FrameView { data: &data, length, outgoing: true, tag_beside: true };
        assert!(takes("udp", &live, LIVE));
        assert!(takes("vlan 5 and udp", &live, LIVE));
        assert!(!takes("vlan 6", &live, LIVE));
        // Once `vlan` was asked for, an untagged frame is looked at as if it were tagged.
        let untagged = udp(None);
        let plain = FrameView { data: &untagged, length: 40, outgoing: false, tag_beside: false };
        assert!(takes("udp and not vlan", &plain, LIVE));
        assert!(!takes("not vlan and udp", &plain, LIVE));
        assert!(takes("outbound", &live, LIVE));
        assert!(!takes("inbound", &live, LIVE));
    }

    #[test]
    fn refused_expressions() {
        for (expression, text) in [
            ("foo", "can't parse filter expression: syntax error"),
            ("ip and", "can't parse filter expression: syntax error"),
            ("host foo", "unknown host 'foo'"),
            ("port foo", "unknown port 'foo'"),
            ("gateway 1.2.3.4", "'gateway' requires a name"),
            ("net 10.0.0.1/24", "non-network bits set in \"10.0.0.1/24\""),
            ("port 99999", "illegal port number 99999 > 65535"),
            ("vlan 5000", "VLAN tag 5000 greater than maximum 4095"),
            ("inbound", "inbound/outbound not supported on Ethernet when reading savefiles"),
            ("tcp net 10", "'tcp' modifier applied to net"),
            ("ip[1]/0=1", "division by zero"),
        ] {
            assert_eq!(Filter::compile(expression, FILE).map(|_| ()), Err(Error::new(text)), "{expression}");
        }
    }
}
