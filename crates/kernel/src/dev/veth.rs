//! veth: two devices, each the other's wire (drivers/net/veth.c).
//!
//! Configuration: `VETH_INFO_PEER`. Transmit: into the peer's receive path. Carrier: both ends up.

use crate::device::DevId;
use crate::drop_reason::DropReason;

use super::Verdict;

/// One end of the pair.
#[derive(Clone, Debug)]
pub struct Veth {
    /// The other end; none while the pair is taken apart.
    pub peer: Option<DevId>,
}

impl Veth {
    /// `veth_xmit`: the frame is handed to the peer as by a wire.
    #[inline]
    pub fn transmit(&self) -> Verdict {
        match self.peer {
            Some(peer) => Verdict::Inject { dev: peer },
            None => Verdict::Drop(DropReason::NoPeer),
        }
    }
}
