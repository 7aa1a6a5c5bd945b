//! `queues/{rx,tx}-N/*` and `power/*` of a device: an emulated machine has one processor and no such tuning.

use hairpin_netlink::Errno;

use super::attribute::{Attribute, Seen, Store, file, line};

pub(super) const RECEIVE: &[Attribute] =
    &[file("rps_cpus", |_| line(0), Store::Same), file("rps_flow_cnt", |_| line(0), Store::Same)];

pub(super) const TRANSMIT: &[Attribute] = &[
    file("traffic_class", |seen| several(seen).and_then(|()| line(0)), Store::ReadOnly),
    file("tx_maxrate", |_| line(0), Store::Same),
    file("tx_timeout", |_| line(0), Store::ReadOnly),
    file("xps_cpus", |seen| several(seen).and_then(|()| line(0)), Store::Same),
    file("xps_rxqs", |_| line(0), Store::Same),
];

/// Byte queue limits, which no emulated device uses.
pub(super) const LIMITS: &[Attribute] = &[
    file("hold_time", |_| line(1000), Store::Same),
    file("inflight", |_| line(0), Store::ReadOnly),
    file("limit", |_| line(0), Store::Same),
    file("limit_max", |_| line(DQL_MAX_LIMIT), Store::Same),
    file("limit_min", |_| line(0), Store::Same),
];

/// `include/linux/dynamic_queue_limits.h`
const DQL_MAX_LIMIT: u32 = 1_879_048_192;

pub(super) const POWER: &[Attribute] = &[
    file("autosuspend_delay_ms", |_| Err(Errno::EIO), Store::Same),
    file("control", |_| line("auto"), Store::Same),
    file("runtime_active_time", |_| line(0), Store::ReadOnly),
    file("runtime_status", |_| line("unsupported"), Store::ReadOnly),
    file("runtime_suspended_time", |_| line(0), Store::ReadOnly),
];

/// A device with a single queue has no classes to tell (`netif_is_multiqueue`).
fn several(seen: &Seen<'_>) -> Result<(), Errno> {
    if seen.device.queues.0 > 1 { Ok(()) } else { Err(Errno::ENOENT) }
}
