//! nlmon: a capture of its namespace's netlink messages (drivers/net/nlmon.c, net/netlink/af_netlink.c
//! `netlink_deliver_tap`). Frames have no link header; the EtherType tells the netlink protocol.

use crate::device::Stats;

use super::{Verdict, Verdicts};

/// `NLMSG_GOODSIZE` of a machine whose pages have 4096 bytes.
pub const MTU: u32 = 3776;
/// `sizeof(struct nlmsghdr)`
pub const MTU_MIN: u32 = 16;

/// `nlmon_xmit`: taps have seen the frame; it is counted, and that is all.
pub fn transmit(stats: &mut Stats, len: usize, out: &mut Verdicts) {
    stats.rx_packets += 1;
    stats.rx_bytes += len as u64;
    out.push(Verdict::Consume);
}
