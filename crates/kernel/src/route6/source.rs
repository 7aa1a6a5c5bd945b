//! Choosing a source address (RFC 6724 §5, `ipv6_dev_get_saddr`).

use std::cmp::Ordering;
use std::net::Ipv6Addr;

use super::model::Prefix6;

/// An address that packets may come from.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    pub address: Ipv6Addr,
    pub prefix_len: u8,
    pub ifindex: u32,
    pub deprecated: bool,
    pub temporary: bool,
}

/// What the packet needs a source for.
#[derive(Clone, Copy, Debug)]
pub struct Purpose {
    pub destination: Ipv6Addr,
    /// The device that it leaves by; 0 where that is open.
    pub ifindex: u32,
    /// Temporary addresses are preferred to public ones (`use_tempaddr` is 2).
    pub prefer_temporary: bool,
}

/// The address to take. Of equals the first.
pub fn choose(candidates: impl Iterator<Item = Candidate>, purpose: &Purpose) -> Option<Ipv6Addr> {
    let mut best: Option<Candidate> = None;
    for candidate in candidates {
        let better = best.is_none_or(|known| compare(&candidate, &known, purpose) == Ordering::Greater);
        if better {
            best = Some(candidate);
        }
    }
    best.map(|found| found.address)
}

/// The rules in their order; "greater" is better.
fn compare(a: &Candidate, b: &Candidate, purpose: &Purpose) -> Ordering {
    let destination = purpose.destination;
    let rules: [&dyn Fn(&Candidate) -> i32; 7] = [
        // Rule 1: the destination itself.
        &|c| i32::from(c.address == destination),
        // Rule 2: the smallest scope that is large enough.
        &|c| {
            let (own, needed) = (i32::from(scope(c.address)), i32::from(scope(destination)));
            if own >= needed { -own } else { own - 128 }
        },
        // Rule 3: not deprecated.
        &|c| i32::from(!c.deprecated),
        // Rule 5: on the device that the packet leaves by.
        &|c| i32::from(purpose.ifindex == 0 || c.ifindex == purpose.ifindex),
        // Rule 6: the same label.
        &|c| i32::from(label(c.address) == label(destination)),
        // Rule 7: temporary addresses, or public ones.
        &|c| i32::from(c.temporary == purpose.prefer_temporary),
        // Rule 8: the longest common prefix.
        &|c| common_bits(c.address, destination).min(i32::from(c.prefix_len)),
    ];
    rules.iter().map(|rule| rule(a).cmp(&rule(b))).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn common_bits(a: Ipv6Addr, b: Ipv6Addr) -> i32 {
    (u128::from(a) ^ u128::from(b)).leading_zeros() as i32
}

/// The scope of an address (RFC 4291 §2.7): 1 interface, 2 link, 5 site, 14 global.
pub fn scope(address: Ipv6Addr) -> u8 {
    let first = address.segments()[0];
    match address {
        address if address.is_multicast() => (first & 15) as u8,
        address if address.is_loopback() => 2,
        _ if first & 0xffc0 == 0xfe80 => 2,
        _ if first & 0xffc0 == 0xfec0 => 5,
        _ => 14,
    }
}

/// The table of labels that Linux starts with (net/ipv6/addrlabel.c, RFC 6724 §2.1), the longest prefix first.
fn label(address: Ipv6Addr) -> u32 {
    const fn prefix(segments: [u16; 8], length: u8) -> Prefix6 {
        let [a, b, c, d, e, f, g, h] = segments;
        Prefix6 { address: Ipv6Addr::new(a, b, c, d, e, f, g, h), length }
    }
    const TABLE: &[(Prefix6, u32)] = &[
        (prefix([0, 0, 0, 0, 0, 0, 0, 1], 128), 0),
        (prefix([0, 0, 0, 0, 0, 0xffff, 0, 0], 96), 4),
        (prefix([0; 8], 96), 3),
        (prefix([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), 6),
        (prefix([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28), 7),
        (prefix([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16), 12),
        (prefix([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), 2),
        (prefix([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), 11),
        (prefix([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), 5),
    ];
    TABLE.iter().find(|(prefix, _)| prefix.contains(address)).map_or(1, |(_, label)| *label)
}
