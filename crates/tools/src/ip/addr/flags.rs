//! Flags of addresses (`IFA_F_*`): their words, and what may be done with them.

use crate::ip::filter::Filter;
use crate::iproute2::Context;
use crate::iproute2::inet::AF_INET6;

pub(super) const IFA_F_SECONDARY: u32 = 0x01;
pub(super) const IFA_F_DEPRECATED: u32 = 0x20;
pub(super) const IFA_F_PERMANENT: u32 = 0x80;
pub(super) const IFA_F_MCAUTOJOIN: u32 = 0x400;

/// A flag by word.
pub(super) struct Flag {
    pub name: &'static str,
    pub bit: u32,
    /// The kernel sets it, not the user.
    pub read_only: bool,
    /// It means something for IPv6 only.
    pub v6_only: bool,
}

const fn flag(name: &'static str, bit: u32, read_only: bool, v6_only: bool) -> Flag {
    Flag { name, bit, read_only, v6_only }
}

/// Flags in the order in which they are shown.
const FLAGS: &[Flag] = &[
    flag("secondary", IFA_F_SECONDARY, true, false),
    flag("temporary", IFA_F_SECONDARY, true, false),
    flag("nodad", 0x02, false, true),
    flag("optimistic", 0x04, false, true),
    flag("dadfailed", 0x08, true, true),
    flag("home", 0x10, false, true),
    flag("deprecated", IFA_F_DEPRECATED, true, true),
    flag("tentative", 0x40, true, true),
    flag("permanent", IFA_F_PERMANENT, true, true),
    flag("mngtmpaddr", 0x100, false, true),
    flag("noprefixroute", 0x200, false, false),
    flag("autojoin", IFA_F_MCAUTOJOIN, false, false),
    flag("stable-privacy", 0x800, true, true),
];

/// The flag that a word names.
pub(super) fn flag_of(word: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.name == word)
}

/// Adds a word such as `dynamic` or `-tentative` to a selection; `false` if it is none.
pub(in crate::ip) fn add_flag(filter: &mut Filter, word: &str) -> bool {
    let (mut inverted, mut name) = match word.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, word),
    };
    match name {
        "dynamic" => (inverted, name) = (!inverted, "permanent"),
        "primary" => (inverted, name) = (!inverted, "secondary"),
        _ => {}
    }
    let Some(flag) = flag_of(name) else {
        return false;
    };
    if inverted {
        filter.flags &= !flag.bit;
    } else {
        filter.flags |= flag.bit;
    }
    filter.flag_mask |= flag.bit;
    true
}

/// Prints the flags of an address; one without `IFA_F_PERMANENT` is dynamic.
pub(super) fn print_flags(context: &mut Context<'_>, family: u8, flags: u32) {
    let print = &mut context.print;
    let mut rest = flags;
    for flag in FLAGS {
        if flag.bit == IFA_F_PERMANENT {
            if rest & flag.bit == 0 {
                print.any("dynamic", true, format_args!("dynamic "));
            }
        } else if rest & flag.bit != 0 {
            let temporary = flag.bit == IFA_F_SECONDARY && family == AF_INET6;
            let name = if temporary { "temporary" } else { flag.name };
            print.any(name, true, format_args!("{name} "));
        }
        rest &= !flag.bit;
    }
    if rest != 0 {
        let rest = format!("{rest:02x}");
        print.any("ifa_flags", &rest, format_args!("flags {rest} "));
    }
}
