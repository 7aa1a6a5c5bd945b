//! A filter expression and a frame.
//!
//! The input: link type, flags, length of the expression, expression, frame.

use hairpin_capture::LinkType;
use hairpin_capture::filter::{Filter, FrameView, Target};

use super::bytes::Bytes;
use super::samples;

const LINKS: [LinkType; 3] = [LinkType::ETHERNET, LinkType::LINUX_SLL, LinkType::LINUX_SLL2];

const EXPRESSIONS: &[&str] = &[
    "icmp or arp",
    "tcp port 80 and (tcp[tcpflags] & (tcp-syn|tcp-fin) != 0)",
    "host 10.0.0.1 and not port 22",
    "src net 10.0.0.0/8 or dst net 192.168",
    "ether host 02:00:00:00:00:01",
    "vlan 5 and udp portrange 1-1024",
    "vlan and vlan and ip6",
    "ip[0] & 0xf != 5 and ip[6:2] & 0x1fff = 0",
    "ether broadcast or multicast",
    "len > 100 and less 1500 or greater 3",
    "icmp[icmptype] == icmp-echo",
    "ether proto 0x0806",
    "inbound or outbound",
    "ip proto \\icmp and icmp6[0] = 1",
    "udp[4:2] * 2 - 1 / 1 % 3 << 1 >> 1 ^ 5 | 1 = 0",
    "not (tcp or udp) && ! arp || stp",
    "dst host 10.0.0.2 and src or dst port domain",
    "net 10.0.0.0 mask 255.0.0.0",
    "ip6 host fe80::1 and ip6 protochain 6",
    "llc and ether[0] & 1 = 0",
];

/// Runs one input.
pub fn run(data: &[u8]) {
    let mut input = Bytes(data);
    let (link, flags, length) = (input.u8(), input.u8(), input.u8());
    let text = String::from_utf8_lossy(input.take(usize::from(length)));
    let link = LINKS[usize::from(link) % LINKS.len()];
    let (live, outgoing, tag_beside) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0);
    let netmask = if flags & 8 != 0 { 0xffff_ff00 } else { 0 };
    let Ok(filter) = Filter::compile(&text, Target { link, live, netmask }) else { return };
    let length = input.0.len() as u32 + u32::from(flags >> 4);
    filter.matches(&FrameView { data: input.0, length, outgoing, tag_beside });
}

/// Every expression with some frame.
pub fn seeds() -> Vec<Vec<u8>> {
    let frames = samples::frames();
    let seed = |(at, text): (usize, &&str)| {
        let mut seed = vec![0, at as u8, text.len() as u8];
        seed.extend(text.bytes());
        seed.extend(frames.get(at % frames.len().max(1)).into_iter().flatten());
        seed
    };
    EXPRESSIONS.iter().enumerate().map(seed).collect()
}
