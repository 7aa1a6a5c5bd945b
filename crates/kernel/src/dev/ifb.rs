//! ifb: a device that traffic control redirects frames to (drivers/net/ifb.c). There is no traffic control here, so
//! nothing is ever redirected: what is sent on it has no device that it came from, and is discarded.

use crate::device::Stats;
use crate::drop_reason::DropReason;

use super::{Verdict, Verdicts};

/// `TX_Q_LIMIT`
pub const QUEUE_LEN: u32 = 32;

/// `ifb_xmit` of a frame of `len` bytes that was not redirected: counted as received, and dropped.
pub fn transmit(stats: &mut Stats, len: usize, out: &mut Verdicts) {
    stats.rx_packets += 1;
    stats.rx_bytes += len as u64;
    stats.rx_dropped += 1;
    out.push(Verdict::Drop(DropReason::NotRedirected));
}
