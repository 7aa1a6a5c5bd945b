//! `if_inet6` (net/ipv6/addrconf.c).

use std::fmt::Write as _;

use crate::netns::NsId;
use crate::world::World;

/// The scope as the address's kind tells it (`IPV6_ADDR_SCOPE_MASK`), from the one of routing.
fn scope(routing: u8) -> u8 {
    match routing {
        253 => 0x20,
        254 => 0x10,
        200 => 0x40,
        _ => 0,
    }
}

/// Addresses by device. (Linux lists them in the order of a hash with a random seed.)
pub(super) fn addresses(world: &World, ns: NsId) -> String {
    let mut text = String::new();
    for device in world.devices_of(ns) {
        for entry in &device.ipv6 {
            let address: String = entry.address.octets().iter().map(|byte| format!("{byte:02x}")).collect();
            let _ = writeln!(
                text,
                "{address} {:02x} {:02x} {:02x} {:02x} {:>8}",
                device.ifindex,
                entry.prefix_len,
                scope(entry.scope),
                entry.flags as u8,
                device.name
            );
        }
    }
    text
}
