//! The character device of a macvtap or ipvtap (drivers/net/tap.c): `DEV/macvtap/tapN` and the link `DEV/tapN` to it.

use hairpin_netlink::Errno;

use super::attribute::{Attribute, Seen, Store, file, line};
use crate::dev::{Kind, RxHandler, tap};
use crate::device::Device;

pub(super) const ATTRIBUTES: &[Attribute] = &[
    file(
        "dev",
        |seen| number(seen).and_then(|(major, minor)| line(format_args!("{major}:{minor}"))),
        Store::ReadOnly,
    ),
    file(
        "uevent",
        |seen| {
            let (major, minor) = number(seen)?;
            line(format_args!("MAJOR={major}\nMINOR={minor}\nDEVNAME={}", node(seen.device)))
        },
        Store::Event,
    ),
];

/// The class, which is the device's kind; none for a device without queues.
pub(super) fn class(device: &Device) -> Option<&'static str> {
    matches!(device.rx_handler, RxHandler::Tap(_)).then(|| device.kind.name()).flatten()
}

/// The name below `/dev`.
pub(super) fn node(device: &Device) -> String {
    format!("tap{}", device.ifindex)
}

fn number(seen: &Seen<'_>) -> Result<(u32, u32), Errno> {
    let RxHandler::Tap(tap) = &seen.device.rx_handler else { return Err(Errno::ENODEV) };
    let major =
        if matches!(seen.device.kind, Kind::Ipvlan(_)) { tap::IPVTAP_MAJOR } else { tap::MACVTAP_MAJOR };
    Ok((major, tap.minor))
}
