//! vrf: a routing table of its own for some devices (drivers/net/vrf.c, include/net/l3mdev.h).
//!
//! Configuration: `IFLA_VRF_TABLE`. Its ports keep their link layer; what they receive for IP, and what this host sends by
//! them, is the VRF's, whose table the rule `l3mdev` names. Transmit: only packets for the VRF's own addresses, and
//! those of packet sockets, come here; they are routed by the table.

use super::{Verdict, Verdicts};

/// A VRF device.
#[derive(Clone, Debug)]
pub struct Vrf {
    pub table: u32,
}

/// Priority of the rule that lets VRFs have their tables (`FIB_RULE_PREF`).
pub const RULE_PRIORITY: u32 = 1000;

impl Vrf {
    /// `vrf_xmit`
    pub fn transmit(&self, out: &mut Verdicts) {
        out.push(Verdict::VrfRoute);
    }
}
