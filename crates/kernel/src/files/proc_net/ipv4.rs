//! `arp`, `igmp` and `route` (net/ipv4/arp.c, igmp.c, fib_trie.c).

use std::fmt::Write as _;

use super::raw_address;
use crate::mac::Mac;
use crate::neigh::nud;
use crate::netns::NsId;
use crate::route::{proc_net_fib_trie, proc_net_fib_triestat, proc_net_route};
use crate::world::World;

/// `ATF_COM`, `ATF_PERM`, `ATF_PUBL` (`include/uapi/linux/if_arp.h`).
const COMPLETE: u32 = 0x02;
const PERMANENT: u32 = 0x04;
const PUBLISHED: u32 = 0x08;

/// Neighbours but those without ARP and without a state, then the addresses that are answered for.
pub(super) fn arp(world: &World, ns: NsId) -> String {
    let mut text =
        "IP address       HW type     Flags       HW address            Mask     Device\n".to_owned();
    let Some(netns) = world.netns.get(ns) else { return text };
    let mut put = |ifindex: u32, address: std::net::IpAddr, flags: u32, mac: Mac| {
        let device = world.device_at(ns, ifindex).and_then(|dev| world.devs.get(dev));
        let Some(device) = device else { return };
        let _ = writeln!(
            text,
            "{:<16} 0x{:<10x}0x{flags:<10x}{:<17}     *        {}",
            address.to_string(),
            device.hardware,
            mac.to_string(),
            device.name
        );
    };
    for ((ifindex, address), entry) in netns.neigh.dump() {
        // NEIGH_SEQ_SKIP_NOARP: nor those that have not been resolved yet.
        if entry.state & !nud::NOARP == 0 {
            continue;
        }
        let flags = match entry.state {
            state if state & nud::PERMANENT != 0 => PERMANENT | COMPLETE,
            state if state & nud::VALID != 0 => COMPLETE,
            _ => 0,
        };
        put(ifindex, address, flags, entry.mac);
    }
    for (ifindex, address) in netns.neigh.proxies.keys() {
        put(*ifindex, *address, PUBLISHED | PERMANENT, Mac::ZERO);
    }
    text
}

/// Groups, the newest first. Reports are not sent, so no timer runs.
pub(super) fn groups(world: &World, ns: NsId) -> String {
    let mut text = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n".to_owned();
    for device in world.devices_of(ns).filter(|device| device.has_ipv4 && !device.ipv4_groups.is_empty()) {
        let _ = writeln!(
            text,
            "{}\t{:<10}: {:>5} {:>7}",
            device.ifindex,
            device.name,
            device.ipv4_groups.len(),
            "V3"
        );
        for group in device.ipv4_groups.iter().rev() {
            let _ =
                writeln!(text, "\t\t\t\t{} {:>5} 0:{:08X}\t\t0", raw_address(group.address), group.users, 0);
        }
    }
    text
}

pub(super) fn routes(world: &World, ns: NsId) -> String {
    match (world.fib.get(ns), world.links(ns)) {
        (Some(fib), Some(links)) => proc_net_route(fib, &links),
        _ => String::new(),
    }
}

pub(super) fn tries(world: &World, ns: NsId) -> String {
    world.fib.get(ns).map(proc_net_fib_trie).unwrap_or_default()
}

pub(super) fn trie_statistics(world: &World, ns: NsId) -> String {
    world.fib.get(ns).map(proc_net_fib_triestat).unwrap_or_default()
}

/// Sources that a program has chosen of a group: none can.
pub(super) fn source_filters(_: &World, _: NsId) -> String {
    "Idx Device        MCA        SRC    INC    EXC\n".to_owned()
}

/// The cache that Linux had until 3.6.
pub(super) fn route_cache(_: &World, _: NsId) -> String {
    let head = "Iface\tDestination\tGateway \tFlags\t\tRefCnt\tUse\tMetric\tSource\t\tMTU\tWindow\tIRTT\tTOS\tHHRef\t\
                HHUptod\tSpecDst";
    format!("{head:<127}\n")
}
