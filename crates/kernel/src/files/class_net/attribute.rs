//! A file of sysfs.

use std::fmt::Display;

use hairpin_netlink::Errno;

use super::bonding;
use super::netlink::{self, Nest};
use crate::dev::bond::options::Opt;
use crate::device::{DevId, Device};
use crate::world::World;

/// The device whose file is read.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub world: &'a World,
    pub device: &'a Device,
}

/// What writing does.
#[derive(Clone, Copy)]
pub(super) enum Store {
    /// Nobody may write.
    ReadOnly,
    /// A number becomes a netlink attribute of so many bytes in this nest.
    Number { nest: Nest, kind: u16, bytes: usize },
    /// The same where the number is on or off.
    Switch { nest: Nest, kind: u16 },
    /// Text becomes a netlink attribute.
    Text { kind: u16 },
    /// A MAC becomes a netlink attribute.
    Mac { nest: Nest, kind: u16 },
    /// Device flags.
    Flags,
    /// An option of a bond.
    Bond(Opt),
    /// A number that is more than a netlink attribute.
    Call(fn(&mut World, DevId, u64) -> Result<(), Errno>),
    /// Text that is more than a netlink attribute.
    CallText(fn(&mut World, DevId, &str) -> Result<(), Errno>),
    /// Only the present value may be written: another would have no effect here.
    Same,
    /// An event for listeners of another kind: accepted.
    Event,
}

/// The text of a file, or why there is none now.
type Show = fn(&Seen<'_>) -> Result<String, Errno>;

/// How a file's content is made.
#[derive(Clone, Copy)]
enum Content {
    Text(Show),
    /// It is no text (`struct bin_attribute`).
    Bytes(fn(&Seen<'_>) -> Result<Vec<u8>, Errno>),
    /// It can only be written.
    None,
}

/// One line of a table of files.
#[derive(Clone, Copy)]
pub(super) struct Attribute {
    pub name: &'static str,
    content: Content,
    store: Store,
}

impl PartialEq for Attribute {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Attribute {}

pub(super) const fn file(name: &'static str, show: Show, store: Store) -> Attribute {
    Attribute { name, content: Content::Text(show), store }
}

/// One that is read only and no text.
pub(super) const fn binary(
    name: &'static str,
    content: fn(&Seen<'_>) -> Result<Vec<u8>, Errno>,
) -> Attribute {
    Attribute { name, content: Content::Bytes(content), store: Store::ReadOnly }
}

pub(super) const fn write_only(name: &'static str, store: Store) -> Attribute {
    Attribute { name, content: Content::None, store }
}

impl Attribute {
    /// # Errors
    /// `EACCES` for a file that can only be written; what Linux answers in the device's present state.
    pub fn read(&self, seen: &Seen<'_>) -> Result<Vec<u8>, Errno> {
        match self.content {
            Content::Text(show) => show(seen).map(String::into_bytes),
            Content::Bytes(content) => content(seen),
            Content::None => Err(Errno::EACCES),
        }
    }

    /// Who may read or write it.
    pub fn mode(&self) -> u32 {
        match (self.content, self.store) {
            (Content::None, _) => 0o200,
            (_, Store::ReadOnly) => 0o444,
            _ => 0o644,
        }
    }

    /// # Errors
    /// `EACCES` for a file that is read only, `EINVAL` for what is no number, else what netlink answers.
    pub fn write(&self, world: &mut World, dev: DevId, data: &[u8]) -> Result<(), Errno> {
        if let Store::ReadOnly = self.store {
            return Err(Errno::EACCES);
        }
        if data.is_empty() {
            return Ok(());
        }
        match self.store {
            Store::ReadOnly => Err(Errno::EACCES),
            Store::Number { nest, kind, bytes } => {
                let value = number(data)?.to_le_bytes();
                // The attribute has the machine's byte order; Linux cuts a number that is too large.
                let mut value = value.get(..bytes).unwrap_or(&value).to_vec();
                if cfg!(target_endian = "big") {
                    value.reverse();
                }
                netlink::set(world, dev, nest, kind, &value)
            }
            Store::Switch { nest, kind } => {
                let on = number(data)? != 0;
                let bytes = if netlink::is_long(nest, kind) { 4 } else { 1 };
                let mut value = vec![0; bytes];
                if let Some(first) = value.first_mut() {
                    *first = u8::from(on);
                }
                netlink::set(world, dev, nest, kind, &value)
            }
            Store::Text { kind } => {
                let text = data.strip_suffix(b"\n").unwrap_or(data);
                netlink::set(world, dev, Nest::Link, kind, &[text, &[0]].concat())
            }
            Store::Mac { nest, kind } => {
                let mac = mac(data).ok_or(Errno::EINVAL)?;
                netlink::set(world, dev, nest, kind, &mac)
            }
            Store::Flags => {
                let flags = u32::try_from(number(data)?).map_err(|_| Errno::EINVAL)?;
                netlink::set_flags(world, dev, flags)
            }
            Store::Bond(option) => bonding::set(world, dev, option, data),
            Store::Call(store) => store(world, dev, number(data)?),
            Store::CallText(store) => store(world, dev, text(data)?.trim_end_matches('\n')),
            Store::Same => {
                let device = world.devs.get(dev).ok_or(Errno::ENODEV)?;
                match self.read(&Seen { world, device }) {
                    Ok(now) if text(&now)?.trim_end() == text(data)?.trim() => Ok(()),
                    _ => Err(Errno::EOPNOTSUPP),
                }
            }
            Store::Event => Ok(()),
        }
    }
}

/// A line with a value.
pub(super) fn line(value: impl Display) -> Result<String, Errno> {
    Ok(format!("{value}\n"))
}

fn text(data: &[u8]) -> Result<&str, Errno> {
    std::str::from_utf8(data).map_err(|_| Errno::EINVAL)
}

/// `kstrtoul(…, 0, …)`: decimal, octal or hexadecimal, with at most one line end.
pub(in crate::files) fn number(data: &[u8]) -> Result<u64, Errno> {
    let text = text(data)?;
    let digits = text.strip_suffix('\n').unwrap_or(text);
    let (digits, radix) = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if digits.len() > 1 && digits.starts_with('0') => (digits, 8),
        None => (digits, 10),
    };
    if !digits.starts_with(|first: char| first.is_ascii_hexdigit()) {
        return Err(Errno::EINVAL);
    }
    u64::from_str_radix(digits, radix).map_err(|error| match error.kind() {
        std::num::IntErrorKind::PosOverflow => Errno::ERANGE,
        _ => Errno::EINVAL,
    })
}

fn mac(data: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(data).ok()?.trim_end_matches('\n');
    let bytes: Option<Vec<u8>> = text.split(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    bytes.filter(|bytes| bytes.len() == 6)
}
