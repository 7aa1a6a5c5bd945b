//! Commands as BusyBox 1.36 has them: what `ping`, `ip` and `nslookup` are in a container of an image that is made of it.
//!
//! * `applet` `busybox` itself
//! * `ip` what it shows of links, addresses and routes
//! * `nslookup` questions to name servers
//! * `ping` IPv4 and IPv6 echo requests

pub(crate) mod applet;
pub(crate) mod ip;
pub(crate) mod nslookup;
pub(crate) mod ping;

use crate::{Shell, USERLAND_VARIABLE};

/// Whether the commands around are BusyBox's.
pub(crate) fn is_here(shell: &dyn Shell) -> bool {
    shell.variable(USERLAND_VARIABLE).is_some_and(|userland| userland == "busybox")
}
