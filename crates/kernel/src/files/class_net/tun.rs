//! Files of tun and tap devices (drivers/net/tun.c).

use std::fmt::Display;

use hairpin_netlink::Errno;

use super::attribute::{Attribute, Seen, Store, file, line};
use crate::dev::Kind;
use crate::dev::tun::Tun;

pub(super) const ATTRIBUTES: &[Attribute] = &[
    file("group", |seen| show(seen, |tun| signed(tun.group)), Store::ReadOnly),
    file("owner", |seen| show(seen, |tun| signed(tun.owner)), Store::ReadOnly),
    file("tun_flags", |seen| show(seen, |tun| format!("{:#x}", tun.flags)), Store::ReadOnly),
];

/// -1 for nobody.
fn signed(id: Option<u32>) -> i64 {
    id.map_or(-1, i64::from)
}

fn show<T: Display>(seen: &Seen<'_>, what: impl Fn(&Tun) -> T) -> Result<String, Errno> {
    match &seen.device.kind {
        Kind::Tun(tun) => line(what(tun)),
        _ => Err(Errno::EINVAL),
    }
}
