//! tcpdump's line for a packet, byte for byte that of tcpdump 4.99.3.
//!
//! One file a protocol, each in the order in which the text comes out. A dissector reads through
//! [`dissect::Dissector`], whose reads fail behind the captured bytes; such a failure ends the packet with
//! ` [|proto]`, as in tcpdump.
//!
//! Known gaps, which print as tcpdump prints a payload it does not know, or as the generic line of the layer below:
//! - addresses stay numbers even without `-n` (there is no resolver); ports, protocols and vendors are named;
//! - local time is UTC;
//! - of UDP's payloads DNS, mDNS, DHCP, VXLAN and OTV are dissected, of TCP's DNS, HTTP requests and SSH greetings; not
//!   for instance NTP, TFTP, RIP, SNMP, IKE, DHCPv6, BGP, SMTP, FTP, telnet;
//! - IP protocols other than ICMP, ICMPv6, IGMP, TCP, UDP, VRRP, GRE version 0, IPv4 and IPv6 in IP, Ethernet in IPv6:
//!   SCTP, DCCP, OSPF, PIM, AH, ESP, EIGRP, mobility headers …;
//! - EtherTypes other than IPv4, IPv6, ARP, VLAN tags, MACsec, LLDP, loopback and slow protocols: MPLS, PPPoE, EAPOL, CFM,
//!   IPX, AppleTalk …; LLC other than STP, SNAP and IP, and SNAP's CDP, VTP, DTP, UDLD;
//! - within what is dissected: ATM ARP, DVMRP and PIM in IGMP, GRE source routes, MPTCP options (shown in hex), TCP MD5
//!   (never checked), LLDP's TLVs of organizations (shown in hex), Ethernet OAM, DHCP's FQDN, relay and user class
//!   options, some ICMPv6 types (router renumbering, node information, RPL) beyond their name.

use std::fmt::Write as _;

mod arp;
mod dhcp;
mod dhcp_options;
mod dissect;
mod dns;
mod dns_name;
mod dump;
mod edns;
mod ether;
mod geneve;
mod gre;
mod groups;
mod icmp;
mod icmp6;
mod igmp;
mod ip_payload;
mod ipv4;
mod ipv6;
mod llc;
mod lldp;
mod loopback;
mod macsec;
mod sll;
mod slow;
mod stp;
mod tcp;
mod textual;
mod time;
mod udp;
mod vrrp;
mod vxlan;

use dissect::Dissector;
pub use sll::{Interfaces, NoInterfaces};
pub use time::TimeStyle;

use crate::LinkType;

/// What a line shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// `-e`
    pub link_header: bool,
    /// `-n`
    pub numeric: bool,
    /// `-q`
    pub quiet: bool,
    /// How often `-v` was given.
    pub verbose: u32,
    /// `-S`
    pub absolute_sequence: bool,
    /// `-K`
    pub skip_checksums: bool,
    /// `-#`
    pub number: bool,
    pub time: TimeStyle,
    /// `--nano`
    pub nanoseconds: bool,
    pub dump: Dump,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            link_header: false,
            numeric: false,
            quiet: false,
            verbose: 0,
            absolute_sequence: false,
            skip_checksums: false,
            number: false,
            time: TimeStyle::Clock,
            nanoseconds: false,
            dump: Dump::None,
        }
    }
}

impl Options {
    /// Whether payloads of unknown protocols are left out: with `-q`, and where all of the packet is dumped in hex.
    fn suppresses_unknown(&self) -> bool {
        self.quiet || matches!(self.dump, Dump::Hex { .. } | Dump::HexAscii { .. })
    }
}

/// The packet's bytes below its line; `link` includes the link header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dump {
    None,
    Hex { link: bool },
    HexAscii { link: bool },
    Ascii { link: bool },
}

/// One packet to print.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Nanoseconds since 1970.
    pub time_ns: u64,
    /// Length on the wire.
    pub length: u32,
    pub data: &'a [u8],
    pub link: LinkType,
}

/// Prints packets; keeps what lines depend on from packet to packet (relative sequence numbers and times).
#[derive(Debug)]
pub struct Printer {
    options: Options,
    flows: tcp::Flows,
    reference_ns: Option<u64>,
    count: u64,
}

/// The largest packet that tcpdump looks at (`MAXIMUM_SNAPLEN`).
const SNAPLEN_MAX: u64 = 262_144;

impl Printer {
    pub fn new(options: Options) -> Self {
        Printer { options, flows: tcp::Flows::default(), reference_ns: None, count: 0 }
    }

    /// The text of one packet, ending with a line feed. `interfaces` names the devices of a cooked capture.
    pub fn print(&mut self, frame: &Frame<'_>, interfaces: &dyn Interfaces) -> String {
        self.count += 1;
        let mut out = String::new();
        if self.options.number {
            let _ = write!(out, "{:5}  ", self.count);
        }
        if let Some(complaint) = complaint(frame) {
            let _ = writeln!(out, "{complaint}");
            return out;
        }
        time::put(&mut out, &self.options, frame.time_ns, &mut self.reference_ns);
        let mut dissector = Dissector::new(&self.options, &mut self.flows, frame.data, out);
        let header = match dissector.link(frame, interfaces) {
            Ok(header) => header,
            Err(_) => {
                dissector.truncated();
                0
            }
        };
        dissector.end = frame.data.len();
        let all = frame.data.len();
        let start = |link: bool| if link { 0 } else { header.min(all) };
        // Only bytes that were captured are asked for, so a dump cannot be truncated.
        let _ = match self.options.dump {
            Dump::None => Ok(()),
            Dump::Hex { link } if start(link) < all => dissector.hex("\n\t", start(link), all - start(link)),
            Dump::HexAscii { link } if start(link) < all => {
                dissector.hex_and_ascii(start(link), all - start(link))
            }
            Dump::Ascii { link } if start(link) < all => dissector.ascii(start(link), all - start(link)),
            _ => Ok(()),
        };
        let mut out = dissector.out;
        out.push('\n');
        out
    }
}

impl Dissector<'_> {
    /// Returns the length of the link header.
    fn link(&mut self, frame: &Frame<'_>, interfaces: &dyn Interfaces) -> dissect::Dissected<usize> {
        match frame.link {
            LinkType::LINUX_SLL2 => self.sll2(frame.length as usize, interfaces),
            LinkType::LINUX_SLL => self.sll(frame.length as usize),
            LinkType::RAW => self.raw_ip(frame.length as usize),
            link if !link.is_printable() => {
                self.out.push_str("UNSUPPORTED");
                self.unknown_payload(0, frame.data.len())?;
                Ok(0)
            }
            _ => self.ethernet(0, frame.length as usize, frame.data.len()),
        }
    }
}

impl Dissector<'_> {
    /// A packet without a link header, by its version.
    fn raw_ip(&mut self, length: usize) -> dissect::Dissected<usize> {
        let ethertype = match self.u8(0)? >> 4 {
            4 => 0x0800,
            6 => 0x86dd,
            version => {
                let _ = write!(self.out, "unknown ip {version}");
                return Ok(0);
            }
        };
        if self.options.link_header {
            self.out.push_str("ip: ");
        }
        let captured = self.left(0);
        self.payload_of_ethertype(ethertype, 0, length, captured)?;
        Ok(0)
    }
}

/// tcpdump's checks of a packet header before anything else.
fn complaint(frame: &Frame<'_>) -> Option<String> {
    let captured = frame.data.len() as u64;
    let length = u64::from(frame.length);
    let mut faults = Vec::new();
    if captured == 0 {
        faults.push("caplen==0".to_owned());
    }
    if length == 0 {
        faults.push("len==0".to_owned());
    } else if length < captured {
        faults.push(format!("len({length}) < caplen({captured})"));
    }
    if captured > SNAPLEN_MAX {
        faults.push(format!("caplen({captured}) > {SNAPLEN_MAX}"));
    }
    if length > SNAPLEN_MAX {
        faults.push(format!("len({length}) > {SNAPLEN_MAX}"));
    }
    (!faults.is_empty()).then(|| format!("[Invalid header: {}]", faults.join(", ")))
}
