//! `<BROADCAST,MULTICAST,UP>`: a link's flags as `ip` and `bridge` show them.

use super::links::IFF_UP;
use super::print::Printer;

pub(crate) const IFF_POINTOPOINT: u32 = 0x10;
const IFF_RUNNING: u32 = 0x40;

/// In the order in which they are shown. `IFF_RUNNING` is shown by its absence.
const FLAGS: &[(u32, &str)] = &[
    (0x8, "LOOPBACK"),
    (0x2, "BROADCAST"),
    (IFF_POINTOPOINT, "POINTOPOINT"),
    (0x1000, "MULTICAST"),
    (0x80, "NOARP"),
    (0x200, "ALLMULTI"),
    (0x100, "PROMISC"),
    (0x400, "MASTER"),
    (0x800, "SLAVE"),
    (0x4, "DEBUG"),
    (0x8000, "DYNAMIC"),
    (0x4000, "AUTOMEDIA"),
    (0x2000, "PORTSEL"),
    (0x20, "NOTRAILERS"),
    (IFF_UP, "UP"),
    (0x10000, "LOWER_UP"),
    (0x20000, "DORMANT"),
    (0x40000, "ECHO"),
];

/// `lower_down`: what the link stands on is down.
pub(crate) fn print_flags(print: &mut Printer, flags: u32, lower_down: bool) {
    print.open_array(Some("flags"));
    print.text(format_args!("<"));
    let mut rest = flags & !IFF_RUNNING;
    let comma = |rest: u32| if rest != 0 { "," } else { "" };
    if flags & IFF_UP != 0 && flags & IFF_RUNNING == 0 {
        print.item("NO-CARRIER", format_args!("NO-CARRIER{}", comma(flags)));
    }
    for (flag, name) in FLAGS {
        if rest & flag != 0 {
            rest &= !flag;
            print.item(*name, format_args!("{name}{}", comma(rest)));
        }
    }
    if rest != 0 {
        print.item(&format!("{rest:x}"), format_args!("{rest:x}"));
    }
    if lower_down {
        print.item("M-DOWN", format_args!(",M-DOWN"));
    }
    print.close_array();
    print.text(format_args!("> "));
}
