//! `dev` and `dev_mcast` (net/core/net-procfs.c).

use std::fmt::Write as _;

use crate::device::Device;
use crate::netns::NsId;
use crate::world::World;

/// Buckets of the hash table that devices are listed from (`NETDEV_HASHENTRIES`).
const BUCKETS: u32 = 256;

/// Devices in the order of these files: by bucket of the index, the newest of a bucket first.
pub(super) fn devices(world: &World, ns: NsId) -> Vec<&Device> {
    let mut devices: Vec<&Device> = world.devices_of(ns).collect();
    devices.reverse();
    devices.sort_by_key(|device| device.ifindex % BUCKETS);
    devices
}

/// Counters of faults that no emulated device has are 0.
pub(super) fn dev(world: &World, ns: NsId) -> String {
    let mut text = "Inter-|   Receive                                                |  Transmit\n \
        face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo \
        colls carrier compressed\n"
        .to_owned();
    for device in devices(world, ns) {
        let s = world.stats_of(device.id);
        let _ = writeln!(
            text,
            "{:>6}: {:>7} {:>7} {:>4} {:>4} {:>4} {:>5} {:>10} {:>9} {:>8} {:>7} {:>4} {:>4} {:>4} {:>5} {:>7} {:>10}",
            device.name,
            s.rx_bytes,
            s.rx_packets,
            s.rx_errors,
            s.rx_dropped,
            0,
            0,
            0,
            s.multicast,
            s.tx_bytes,
            s.tx_packets,
            s.tx_errors,
            s.tx_dropped,
            0,
            0,
            0,
            0,
        );
    }
    text
}

pub(super) fn multicast(world: &World, ns: NsId) -> String {
    let mut text = String::new();
    for device in devices(world, ns) {
        for listed in device.multicast.iter() {
            let group: String = listed.mac.0.iter().map(|byte| format!("{byte:02x}")).collect();
            let (ifindex, name, users) = (device.ifindex, &device.name, listed.users);
            let _ =
                writeln!(text, "{ifindex:<4} {name:<15} {users:<5} {:<5} {group}", u32::from(listed.global));
        }
    }
    text
}
