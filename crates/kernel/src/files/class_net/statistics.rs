//! `statistics/*` of a device. Counters of faults that no emulated device has are 0.

use super::attribute::{Attribute, Store, file, line};

macro_rules! counters {
    ($($name:literal $(= $field:ident)?;)*) => {
        pub(super) const ATTRIBUTES: &[Attribute] = &[$(
            file($name, |_seen| line(0u64 $(+ _seen.world.stats_of(_seen.device.id).$field)?), Store::ReadOnly),
        )*];
    };
}

counters! {
    "collisions" = collisions;
    "multicast" = multicast;
    "rx_bytes" = rx_bytes;
    "rx_compressed";
    "rx_crc_errors";
    "rx_dropped" = rx_dropped;
    "rx_errors" = rx_errors;
    "rx_fifo_errors";
    "rx_frame_errors";
    "rx_length_errors";
    "rx_missed_errors";
    "rx_nohandler" = rx_nohandler;
    "rx_over_errors";
    "rx_packets" = rx_packets;
    "tx_aborted_errors" = tx_aborted_errors;
    "tx_bytes" = tx_bytes;
    "tx_carrier_errors" = tx_carrier_errors;
    "tx_compressed";
    "tx_dropped" = tx_dropped;
    "tx_errors" = tx_errors;
    "tx_fifo_errors";
    "tx_heartbeat_errors";
    "tx_packets" = tx_packets;
    "tx_window_errors";
}
