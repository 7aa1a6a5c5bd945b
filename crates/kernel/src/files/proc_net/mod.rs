//! `/proc/net`: read-only texts. Formats are Linux 6.1's.

mod bonding;
mod device;
mod ipv4;
mod ipv6;
mod netfilter;
mod netstat;
mod snmp;
mod sockets;
mod stack;
mod tcp;
mod vlan;

use hairpin_netlink::Errno;
use hairpin_netlink::netfilter::Family;

use super::Names;
use crate::netns::NsId;
use crate::world::World;

/// A file: its name and its text.
struct File {
    name: &'static str,
    show: fn(&World, NsId) -> String,
}

const FILES: &[File] = &[
    File { name: "anycast6", show: ipv6::anycast },
    File { name: "arp", show: ipv4::arp },
    File { name: "dev", show: device::dev },
    File { name: "dev_mcast", show: device::multicast },
    File { name: "fib_trie", show: ipv4::tries },
    File { name: "fib_triestat", show: ipv4::trie_statistics },
    File { name: "icmp", show: sockets::empty_icmp },
    File { name: "icmp6", show: sockets::empty_ipv6 },
    File { name: "if_inet6", show: ipv6::addresses },
    File { name: "igmp", show: ipv4::groups },
    File { name: "igmp6", show: ipv6::groups },
    File { name: "ip6_tables_names", show: netfilter::tables6 },
    File { name: "ip6_flowlabel", show: sockets::flow_labels },
    File { name: "ip_mr_cache", show: stack::multicast_flows },
    File { name: "ip_mr_vif", show: stack::multicast_devices },
    File { name: "ip_tables_names", show: netfilter::tables },
    File { name: "ipv6_route", show: ipv6::routes },
    File { name: "mcfilter", show: ipv4::source_filters },
    File { name: "mcfilter6", show: ipv6::source_filters },
    File { name: "netstat", show: netstat::netstat },
    File { name: "nf_conntrack", show: netfilter::connections },
    File { name: "packet", show: sockets::packet },
    File { name: "protocols", show: stack::protocols },
    File { name: "psched", show: stack::clock },
    File { name: "ptype", show: stack::types },
    File { name: "raw", show: sockets::raw },
    File { name: "raw6", show: sockets::raw6 },
    File { name: "route", show: ipv4::routes },
    File { name: "rt_cache", show: ipv4::route_cache },
    File { name: "snmp", show: snmp::snmp },
    File { name: "snmp6", show: ipv6::counters },
    File { name: "sockstat", show: sockets::statistics },
    File { name: "sockstat6", show: sockets::statistics6 },
    File { name: "softnet_stat", show: stack::softnet },
    File { name: "tcp", show: tcp::tcp },
    File { name: "tcp6", show: tcp::tcp6 },
    File { name: "udp", show: sockets::udp },
    File { name: "udp6", show: sockets::udp6 },
    File { name: "udplite", show: sockets::empty_udp },
    File { name: "udplite6", show: sockets::empty_ipv6 },
    File { name: "unix", show: sockets::empty_unix },
    File { name: "xfrm_stat", show: stack::xfrm },
];

/// The directories of bonds and of VLAN devices.
const BONDING: &str = "bonding";
const VLAN: &str = "vlan";
/// That of the lists of `-m recent`.
const RECENT: &str = "xt_recent";

pub(super) fn read(world: &World, ns: NsId, names: Names<'_>) -> Result<Vec<u8>, Errno> {
    match names {
        [VLAN, ..] if !has_vlans(world, ns) => Err(Errno::ENOENT),
        [] | [VLAN] | [BONDING] | [RECENT] => Err(Errno::EISDIR),
        [RECENT, name] => world.recent_list(ns, name).map(String::into_bytes).ok_or(Errno::ENOENT),
        [RECENT, name, ..] => Err(behind(world.recent_list(ns, name).is_some())),
        [BONDING, name] => bonding::read(world, ns, name).map(String::into_bytes),
        [BONDING, name, ..] => Err(behind(bonding::read(world, ns, name).is_ok())),
        [VLAN, name] => vlan::read(world, ns, name).map(String::into_bytes),
        [VLAN, name, ..] => Err(behind(vlan::read(world, ns, name).is_ok())),
        [name] if !is_there(world, ns, name) => Err(Errno::ENOENT),
        [name] => Ok((find(name).ok_or(Errno::ENOENT)?.show)(world, ns).into_bytes()),
        [name, ..] => Err(behind(find(name).is_some())),
    }
}

pub(super) fn write(world: &mut World, ns: NsId, names: Names<'_>, data: &[u8]) -> Result<(), Errno> {
    if let [RECENT, name] = names {
        return world.write_recent_list(ns, name, data);
    }
    match read(world, ns, names) {
        Ok(_) => Err(Errno::EACCES),
        Err(errno) => Err(errno),
    }
}

pub(super) fn mode(_: &World, _: NsId, names: Names<'_>) -> u32 {
    match names {
        [RECENT, ..] => 0o644,
        [VLAN, ..] => 0o600,
        ["nf_conntrack" | "ip_tables_names" | "ip6_tables_names"] => 0o440,
        _ => 0o444,
    }
}

pub(super) fn list(world: &World, ns: NsId, names: Names<'_>) -> Result<Vec<String>, Errno> {
    match names {
        [] => {
            // The driver's directory comes with the first bond.
            let bonding = (!bonding::names(world, ns).is_empty()).then_some(BONDING);
            let recent = (!world.recent_lists(ns).is_empty()).then_some(RECENT);
            let vlan = has_vlans(world, ns).then_some(VLAN);
            let there = FILES.iter().filter(|file| is_there(world, ns, file.name)).map(|file| file.name);
            let names = there.chain(vlan).chain(bonding).chain(recent);
            Ok(names.map(str::to_owned).collect())
        }
        [RECENT] => Ok(world.recent_lists(ns)),
        [RECENT, name] => Err(behind(world.recent_list(ns, name).is_some())),
        [BONDING] => Ok(bonding::names(world, ns)),
        [BONDING, name] => Err(behind(bonding::read(world, ns, name).is_ok())),
        [VLAN, ..] if !has_vlans(world, ns) => Err(Errno::ENOENT),
        [VLAN] => Ok(vlan::names(world, ns)),
        [VLAN, name] => Err(behind(vlan::read(world, ns, name).is_ok())),
        [name, ..] => Err(behind(find(name).is_some())),
    }
}

/// Files of netfilter come with what of it is used first on the machine.
fn is_there(world: &World, ns: NsId, name: &str) -> bool {
    match name {
        "nf_conntrack" => netfilter::is_used(world, ns, None),
        "ip_tables_names" => netfilter::is_used(world, ns, Some(Family::Ipv4)),
        "ip6_tables_names" => netfilter::is_used(world, ns, Some(Family::Ipv6)),
        _ => true,
    }
}

/// The directory of VLANs comes with the first one, wherever on the machine that is, and stays.
fn has_vlans(world: &World, ns: NsId) -> bool {
    stack::host_of(world, ns).is_some_and(|host| host.vlans)
}

fn find(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}

fn behind(is_file: bool) -> Errno {
    if is_file { Errno::ENOTDIR } else { Errno::ENOENT }
}

/// An IPv4 address as these files have it: the memory's bytes read as one number.
fn raw_address(address: std::net::Ipv4Addr) -> String {
    format!("{:08X}", u32::from_ne_bytes(address.octets()))
}

/// An IPv6 address likewise, in four numbers.
fn raw_address6(address: std::net::Ipv6Addr) -> String {
    let words = address.octets();
    let (words, _) = words.as_chunks::<4>();
    words.iter().map(|word| format!("{:08X}", u32::from_ne_bytes(*word))).collect()
}
