//! Commands as BusyBox 1.36 has them: what `ping` is in a container of an image that is made of it.
//!
//! * `ping` IPv4 and IPv6 echo requests

pub(crate) mod ping;

use crate::{Shell, USERLAND_VARIABLE};

/// Whether the commands around are BusyBox's.
pub(crate) fn is_here(shell: &dyn Shell) -> bool {
    shell.variable(USERLAND_VARIABLE).is_some_and(|userland| userland == "busybox")
}
