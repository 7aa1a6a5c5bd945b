//! A frame's way through the devices: [`tx`] sends, [`rx`] receives, [`bridge`] asks a bridge, [`bridge_netfilter`] lets rules see what is
//! bridged. What a device
//! decides is performed here, and only here; taps, counters and traces hook in here once.

mod bridge;
mod bridge_netfilter;
mod lag;
mod macsec;
mod nlmon;
pub(crate) mod rx;
mod tunnel;
mod tunnel6;
pub(crate) mod tx;
mod vrf;
mod vxlan;
