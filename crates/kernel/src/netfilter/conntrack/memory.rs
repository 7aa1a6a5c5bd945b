//! How much a connection takes.

use std::net::{IpAddr, Ipv4Addr};

use hairpin_netlink::netfilter::Family;
use hairpin_netlink::netfilter::conntrack as shown;

use super::tuple::{Key, Tuple};
use super::{Connection, Conntrack, CtId};
use crate::time::Time;

/// Bytes per connection of what keeps it and finds it: the connection with its slot, and two places in the table,
/// which is between half and seven eighths full.
fn bytes_each(conntrack: &Conntrack) -> usize {
    let slots = conntrack.connections.capacity() * (size_of::<Connection>() + size_of::<u64>());
    let buckets = conntrack.table.capacity() * 8 / 7;
    let table = buckets * (size_of::<(Key, (CtId, u8))>() + 1);
    (slots + table) / conntrack.connections.len()
}

#[test]
fn a_connection_takes_about_what_the_docs_say() {
    const COUNT: u32 = 200_000;
    let mut conntrack = Conntrack::default();
    for number in 0..COUNT {
        let inside: IpAddr = Ipv4Addr::from(0x0a00_0000 + number).into();
        let outside: IpAddr = Ipv4Addr::new(192, 0, 2, 1).into();
        let tuple = |source, destination| Tuple {
            source,
            destination,
            protocol: 17,
            source_port: 4000,
            destination_port: 53,
            zones: [0, 0],
        };
        let wanted = shown::Connection {
            id: 0,
            family: Family::Ipv4,
            original: tuple(inside, outside),
            reply: tuple(outside, inside),
            status: 0,
            timeout_s: 30,
            mark: 0,
            tcp: None,
            counters: None,
        };
        conntrack.create(&wanted, false, Time::ZERO).expect("a new tuple");
    }
    let bytes = bytes_each(&conntrack);
    assert!((390..=435).contains(&bytes), "{bytes} bytes a connection: docs/netfilter.md says about 425");
}
