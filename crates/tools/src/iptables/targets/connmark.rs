//! `-j CONNMARK`

use hairpin_netlink::netfilter::Target;
use hairpin_netlink::netfilter::targets::ConnMark;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

use super::super::names::number;

#[derive(Default)]
pub(super) struct Reading {
    change: Option<ConnMark>,
    mask: Option<u32>,
    packet_mask: Option<u32>,
    connection_mask: Option<u32>,
}

impl Reader<Target> for Reading {
    fn name(&self) -> &'static str {
        "CONNMARK"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("set-xmark").exclusive(1),
            opt("set-mark").exclusive(1),
            opt("and-mark").exclusive(1),
            opt("or-mark").exclusive(1),
            opt("xor-mark").exclusive(1),
            opt("save-mark").flag().exclusive(1),
            opt("restore-mark").flag().exclusive(1),
            opt("left-shift-mark"),
            opt("right-shift-mark"),
            opt("ctmask").exclusive(2),
            opt("nfmask").exclusive(4),
            opt("mask").exclusive(6),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let all = u32::MAX;
        let bare = || {
            number(given.value, u64::from(u32::MAX)).map(|mask| mask as u32).ok_or_else(|| {
                let (of, name) = (given.of, given.name);
                Fail::parameter(format!(
                    "{of}: bad value for option \"--{name}\", or out of range (0-4294967295).\n"
                ))
            })
        };
        match given.id {
            "save-mark" => self.change = Some(ConnMark::Save { packet_mask: all, connection_mask: all }),
            "restore-mark" => {
                self.change = Some(ConnMark::Restore { packet_mask: all, connection_mask: all });
            }
            "ctmask" => self.connection_mask = Some(bare()?),
            "nfmask" => self.packet_mask = Some(bare()?),
            "mask" => self.mask = Some(bare()?),
            // Taken together with another mark only by newer programs.
            "left-shift-mark" | "right-shift-mark" => {
                bare()?;
            }
            id => {
                let (value, mask) = given.mark()?;
                let (value, mask) = match id {
                    "set-xmark" => (value, mask),
                    "set-mark" => (value, value | mask),
                    "and-mark" => (0, !value),
                    "or-mark" => (value, value),
                    _ => (value, 0),
                };
                self.change = Some(ConnMark::Set { value, mask });
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Target, Fail> {
        let packet = self.packet_mask.or(self.mask).unwrap_or(u32::MAX);
        let connection = self.connection_mask.or(self.mask).unwrap_or(u32::MAX);
        let masks_given = self.packet_mask.is_some() || self.connection_mask.is_some() || self.mask.is_some();
        let change = match self.change {
            None => return Err(Fail::parameter("CONNMARK target: No operation specified")),
            Some(ConnMark::Set { .. }) if masks_given => {
                return Err(Fail::parameter(
                    "CONNMARK: --mask, --ctmask and --nfmask go with --save-mark or --restore-mark",
                ));
            }
            Some(change @ ConnMark::Set { .. }) => change,
            Some(ConnMark::Save { .. }) => {
                ConnMark::Save { packet_mask: packet, connection_mask: connection }
            }
            Some(ConnMark::Restore { .. }) => {
                ConnMark::Restore { packet_mask: packet, connection_mask: connection }
            }
        };
        Ok(Target::ConnMark(change))
    }
}

pub(super) fn saved(change: ConnMark) -> String {
    match change {
        ConnMark::Set { value, mask } => format!(" --set-xmark 0x{value:x}/0x{mask:x}"),
        ConnMark::Save { packet_mask, connection_mask } => {
            format!(" --save-mark --nfmask 0x{packet_mask:x} --ctmask 0x{connection_mask:x}")
        }
        ConnMark::Restore { packet_mask, connection_mask } => {
            format!(" --restore-mark --nfmask 0x{packet_mask:x} --ctmask 0x{connection_mask:x}")
        }
    }
}

pub(super) fn listed(change: ConnMark) -> String {
    // First what is read, then what is replaced.
    let masks = |title: &str, (from, from_mask): (&str, u32), (to, to_mask): (&str, u32)| match (
        from_mask, to_mask,
    ) {
        (u32::MAX, u32::MAX) => format!(" CONNMARK {title}"),
        (mask, other) if mask == other => format!(" CONNMARK {title} mask 0x{mask:x}"),
        _ => format!(" CONNMARK {title} {from} 0x{from_mask:x} {to} ~0x{to_mask:x}"),
    };
    match change {
        ConnMark::Set { value: 0, mask } => format!(" CONNMARK and 0x{:x}", !mask),
        ConnMark::Set { value, mask } if value == mask => format!(" CONNMARK or 0x{value:x}"),
        ConnMark::Set { value, mask: 0 } => format!(" CONNMARK xor 0x{value:x}"),
        ConnMark::Set { value, mask: u32::MAX } => format!(" CONNMARK set 0x{value:x}"),
        ConnMark::Set { value, mask } => format!(" CONNMARK xset 0x{value:x}/0x{mask:x}"),
        ConnMark::Save { packet_mask, connection_mask } => {
            masks("save", ("nfmask", packet_mask), ("ctmask", connection_mask))
        }
        ConnMark::Restore { packet_mask, connection_mask } => {
            masks("restore", ("ctmask", connection_mask), ("nfmask", packet_mask))
        }
    }
}
