//! Files of devices on InfiniBand (drivers/infiniband/ulp/ipoib/ipoib_main.c, ipoib_cm.c, ipoib_vlan.c). One that netlink made
//! on a card's device has none of them.

use hairpin_netlink::Errno;

use super::attribute::{Attribute, Seen, Store, file, line, number, write_only};
use crate::dev::Kind;
use crate::dev::ipoib::Ipoib;
use crate::device::{DevId, Device};
use crate::world::World;

/// Those of a card's device.
const OF_CARD: &[Attribute] = &[
    write_only("create_child", Store::CallText(create_child)),
    write_only("delete_child", Store::CallText(delete_child)),
    MODE,
    PKEY,
    UMCAST,
];

/// Those of one that such a file made.
const OF_CHILD: &[Attribute] = &[MODE, file("parent", parent, Store::ReadOnly), PKEY, UMCAST];

const MODE: Attribute = file(
    "mode",
    |seen| line(if state(seen)?.connected { "connected" } else { "datagram" }),
    Store::CallText(set_mode),
);
const PKEY: Attribute =
    file("pkey", |seen| line(format_args!("{:#06x}", state(seen)?.partition)), Store::ReadOnly);
const UMCAST: Attribute =
    file("umcast", |seen| line(u8::from(state(seen)?.umcast)), Store::CallText(set_umcast));

/// The files that a device has beside those of every device.
pub(super) fn attributes(device: &Device) -> &'static [Attribute] {
    match &device.kind {
        Kind::Ipoib(state) if state.parent.is_none() => OF_CARD,
        Kind::Ipoib(state) if state.by_file => OF_CHILD,
        _ => &[],
    }
}

fn state<'a>(seen: &Seen<'a>) -> Result<&'a Ipoib, Errno> {
    match &seen.device.kind {
        Kind::Ipoib(state) => Ok(state),
        _ => Err(Errno::EINVAL),
    }
}

fn parent(seen: &Seen<'_>) -> Result<String, Errno> {
    let parent = state(seen)?.parent.and_then(|parent| seen.world.devs.get(parent)).ok_or(Errno::EINVAL)?;
    line(&parent.name)
}

/// `mode_store`
fn set_mode(world: &mut World, dev: DevId, text: &str) -> Result<(), Errno> {
    let connected = match text {
        "connected" => true,
        "datagram" => false,
        _ => return Err(Errno::EINVAL),
    };
    world.set_ipoib_mode(dev, connected);
    Ok(())
}

/// `umcast_store`: what is no number is 0.
fn set_umcast(world: &mut World, dev: DevId, text: &str) -> Result<(), Errno> {
    world.set_ipoib_umcast(dev, number(text.as_bytes()).unwrap_or(0) > 0);
    Ok(())
}

fn create_child(world: &mut World, dev: DevId, text: &str) -> Result<(), Errno> {
    match key(text)? {
        0 | 0x8000 => Err(Errno::EINVAL),
        key => world.create_ipoib_child(dev, key),
    }
}

fn delete_child(world: &mut World, dev: DevId, text: &str) -> Result<(), Errno> {
    world.delete_ipoib_child(dev, key(text)?)
}

fn key(text: &str) -> Result<u16, Errno> {
    let number = number(text.trim().as_bytes()).map_err(|_| Errno::EINVAL)?;
    u16::try_from(number).map_err(|_| Errno::EINVAL)
}
