//! A frame's way through the devices: [`tx`] sends, [`rx`] receives. What a device decides is performed
//! here, and only here; taps, counters and traces hook in here once.

mod lag;
pub(crate) mod rx;
pub(crate) mod tx;
