//! What `ifconfig` prints.

use std::cmp::Ordering;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::codec::NLM_F_DUMP;
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::address::{AddressAttribute, AddressMessage};
use hairpin_netlink::route::link::{LinkAttribute, Map, Stats64};
use hairpin_netlink::{Errno, Message, transact};

use super::Ifconfig;
use crate::c_number::atoi;
use crate::interfaces::{
    ARPHRD_ETHER, ARPHRD_LOOPBACK, IFF_BROADCAST, IFF_POINTOPOINT, IFF_UP, Interface, Interfaces, cut,
};
use crate::net_tools::hardware;
use crate::net_tools::ioctl::{self, Inet};

/// Everything that is shown comes from these.
struct Tables {
    interfaces: Interfaces,
    inet: Vec<Inet>,
    /// Interface index, address, bits of the prefix.
    inet6: Vec<(u32, Ipv6Addr, u8)>,
}

impl Ifconfig<'_> {
    pub(super) fn show_all(&mut self) -> i32 {
        let tables = match self.tables() {
            Ok(tables) => tables,
            Err(errno) => return self.no_tables(errno),
        };
        if self.short {
            self.print(self.header);
        }
        // Aliases are interfaces of their own here.
        let devices = tables.interfaces.iter().map(|interface| interface.name().to_owned());
        let labels = tables.inet.iter().map(|address| address.label.clone());
        let mut names: Vec<String> = devices.chain(labels).filter(|name| !name.is_empty()).collect();
        names.sort_by(|a, b| natural_order(a, b));
        names.dedup();
        for name in names {
            let up = device_of(&tables, &name).is_some_and(|device| device.flags() & IFF_UP != 0);
            if up || self.all {
                self.show(&tables, &name);
            }
        }
        0
    }

    pub(super) fn show_one(&mut self, name: &str) -> i32 {
        let name = cut(name);
        let tables = match self.tables() {
            Ok(tables) => tables,
            Err(errno) => return self.no_tables(errno),
        };
        if self.short {
            self.print(self.header);
        }
        if self.show(&tables, name) {
            return 0;
        }
        self.complain(&format!("{name}: error fetching interface information: Device not found"));
        1
    }

    fn no_tables(&mut self, errno: Errno) -> i32 {
        self.complain(&format!("SIOCGIFCONF: {errno}"));
        1
    }

    fn tables(&mut self) -> Result<Tables, Errno> {
        let interfaces = Interfaces::dump(self.system).map_err(|failure| failure.errno)?;
        let inet = ioctl::addresses(self.system)?;
        let mut request = AddressMessage::default();
        request.header.family = AddressFamily::Inet6;
        // Without IPv6 there are none.
        let answer = transact(self.system, &Message::GetAddress(request), NLM_F_DUMP).unwrap_or_default();
        let inet6 = answer.into_iter().filter_map(|message| match message {
            Message::NewAddress(message) if message.header.family == AddressFamily::Inet6 => {
                let local = message.attributes.iter().find_map(|attribute| match attribute {
                    AddressAttribute::Local(IpAddr::V6(address)) => Some(*address),
                    _ => None,
                });
                let address = message.attributes.iter().find_map(|attribute| match attribute {
                    AddressAttribute::Address(IpAddr::V6(address)) => Some(*address),
                    _ => None,
                });
                Some((message.header.index, local.or(address)?, message.header.prefix_len))
            }
            _ => None,
        });
        Ok(Tables { interfaces, inet, inet6: inet6.collect() })
    }

    /// Prints an interface or alias; answers whether there is one.
    fn show(&mut self, tables: &Tables, name: &str) -> bool {
        let Some(device) = device_of(tables, name) else { return false };
        let is_device = device.name() == name;
        let statistics = device
            .find(|attribute| match attribute {
                LinkAttribute::Stats64(statistics) => Some(*statistics),
                _ => None,
            })
            .filter(|_| is_device);
        let text = if self.short {
            short(name, device, statistics.as_ref())
        } else {
            long(tables, name, device, statistics.as_ref())
        };
        self.print(&text);
        true
    }
}

/// The interface of a name or of an alias's.
fn device_of<'a>(tables: &'a Tables, name: &str) -> Option<&'a Interface> {
    tables.interfaces.by_name(name.split(':').next().unwrap_or(""))
}

/// The same of `netstat -i`.
pub(super) const NETSTAT_HEADER: &str =
    "Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n";
pub(super) const SHORT_HEADER: &str =
    "Iface      MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n";

fn short(name: &str, device: &Interface, statistics: Option<&Stats64>) -> String {
    let flags = device.flags();
    let mut text = format!("{name:<15.15} {:5} ", device.mtu());
    text += &match statistics {
        Some(s) => format!(
            "{:8} {:6} {:6} {:<6} {:8} {:6} {:6} {:6} ",
            s.rx_packets,
            s.rx_errors,
            s.rx_dropped.saturating_add(s.rx_missed_errors),
            s.rx_fifo_errors,
            s.tx_packets,
            s.tx_errors,
            s.tx_dropped,
            s.tx_fifo_errors
        ),
        None => format!("{:<56}", "     - no statistics available -"),
    };
    const LETTERS: [(u32, &str); 14] = [
        (0x200, "A"),
        (0x2, "B"),
        (0x4, "D"),
        (0x8, "L"),
        (0x1000, "M"),
        (0x8000, "d"),
        (0x100, "P"),
        (0x20, "N"),
        (0x80, "O"),
        (0x10, "P"),
        (0x800, "s"),
        (0x400, "m"),
        (0x40, "R"),
        (0x1, "U"),
    ];
    if flags & 0xffff == 0 {
        text += "[NO FLAGS]";
    }
    text.extend(LETTERS.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, letter)| *letter));
    text + "\n"
}

fn long(tables: &Tables, name: &str, device: &Interface, statistics: Option<&Stats64>) -> String {
    // `ifr_flags` is a short.
    let flags = device.flags() as i16;
    let mut text = format!("{name}: flags={flags}<{}>  mtu {}\n", flag_names(device.flags()), device.mtu());
    let index = device.index();
    if let Some(inet) = tables.inet.iter().find(|address| address.index == index && address.label == name) {
        text += &format!("        inet {}  netmask {}", inet.local, inet.mask());
        if device.flags() & IFF_BROADCAST != 0 {
            text += &format!("  broadcast {}", inet.broadcast.unwrap_or(Ipv4Addr::UNSPECIFIED));
        }
        if device.flags() & IFF_POINTOPOINT != 0 {
            text += &format!("  destination {}", inet.peer);
        }
        text += "\n";
    }
    if device.name() == name {
        for (_, address, prefix) in tables.inet6.iter().filter(|address| address.0 == index) {
            let (scope, word) = scope(*address);
            text += &format!("        inet6 {address}  prefixlen {prefix}  scopeid {scope:#x}<{word}>\n");
        }
    }
    text += &hardware_line(device);
    if let Some(statistics) = statistics {
        text += &statistics_text(statistics);
    }
    let map = device.find(|attribute| match attribute {
        LinkAttribute::Map(map) => Some(map),
        _ => None,
    });
    text += &map.map_or(String::new(), map_line);
    text + "\n"
}

fn flag_names(flags: u32) -> String {
    const NAMES: [(u32, &str); 14] = [
        (0x1, "UP"),
        (0x2, "BROADCAST"),
        (0x4, "DEBUG"),
        (0x8, "LOOPBACK"),
        (0x10, "POINTOPOINT"),
        (0x20, "NOTRAILERS"),
        (0x40, "RUNNING"),
        (0x80, "NOARP"),
        (0x100, "PROMISC"),
        (0x200, "ALLMULTI"),
        (0x800, "SLAVE"),
        (0x400, "MASTER"),
        (0x1000, "MULTICAST"),
        (0x8000, "DYNAMIC"),
    ];
    let set: Vec<&str> = NAMES.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect();
    set.join(",")
}

/// `IPV6_ADDR_*` scope bits and their word.
fn scope(address: Ipv6Addr) -> (u32, &'static str) {
    let segments = address.segments();
    if address.is_loopback() {
        (0x10, "host")
    } else if segments[0] & 0xffc0 == 0xfe80 {
        (0x20, "link")
    } else if segments[0] & 0xffc0 == 0xfec0 {
        (0x40, "site")
    } else if segments[..6] == [0; 6] {
        (0x80, "compat,global")
    } else {
        (0, "global")
    }
}

fn hardware_line(device: &Interface) -> String {
    let hardware = hardware::of_device(device.hardware());
    let address = match device.hardware() {
        ARPHRD_ETHER => format!(" {}", hardware::colons(device.address())),
        ARPHRD_LOOPBACK => String::new(),
        _ if hardware.number.is_none() => {
            // Eight bytes of the address in a field of sixteen.
            let mut bytes = [0; 16];
            for (to, from) in bytes.iter_mut().zip(device.address().iter().take(8)) {
                *to = *from;
            }
            format!(" {}", bytes.map(|byte| format!("{byte:02X}")).join("-"))
        }
        _ => String::new(),
    };
    let queue = device.find(|attribute| match attribute {
        LinkAttribute::TxQueueLen(length) => Some(*length),
        _ => None,
    });
    let queue = queue.unwrap_or(0);
    format!("        {}{address}  txqueuelen {queue}  ({})\n", hardware.name, hardware.title)
}

fn statistics_text(s: &Stats64) -> String {
    // The columns of /proc/net/dev (net/core/net-procfs.c: dev_seq_printf_stats).
    let sum = |numbers: &[u64]| numbers.iter().fold(0_u64, |sum, number| sum.saturating_add(*number));
    let frame = sum(&[s.rx_length_errors, s.rx_over_errors, s.rx_crc_errors, s.rx_frame_errors]);
    let carrier = sum(&[s.tx_carrier_errors, s.tx_aborted_errors, s.tx_window_errors, s.tx_heartbeat_errors]);
    format!(
        "        RX packets {}  bytes {} ({})\n        \
         RX errors {}  dropped {}  overruns {}  frame {frame}\n        \
         TX packets {}  bytes {} ({})\n        \
         TX errors {}  dropped {} overruns {}  carrier {carrier}  collisions {}\n",
        s.rx_packets,
        s.rx_bytes,
        with_unit(s.rx_bytes),
        s.rx_errors,
        sum(&[s.rx_dropped, s.rx_missed_errors]),
        s.rx_fifo_errors,
        s.tx_packets,
        s.tx_bytes,
        with_unit(s.tx_bytes),
        s.tx_errors,
        s.tx_dropped,
        s.tx_fifo_errors,
        s.collisions
    )
}

/// Bytes with one decimal, cut, in the largest unit that they exceed.
fn with_unit(bytes: u64) -> String {
    const UNITS: [(u32, &str); 6] =
        [(60, "EiB"), (50, "PiB"), (40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = UNITS.iter().find(|(shift, _)| bytes > 1 << shift);
    let (shift, unit) = unit.copied().unwrap_or((0, "B"));
    let tenths = (u128::from(bytes) * 10) >> shift;
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

fn map_line(map: &Map) -> String {
    if map.irq == 0 && map.memory_start == 0 && map.dma == 0 && map.base_address < 0x100 {
        return String::new();
    }
    let mut text = String::from("        device ");
    if map.irq != 0 {
        text += &format!("interrupt {}  ", map.irq);
    }
    if map.base_address >= 0x100 {
        text += &format!("base {:#x}  ", map.base_address);
    }
    if map.memory_start != 0 {
        text += &format!("memory {:#x}-{:x}  ", map.memory_start, map.memory_end);
    }
    if map.dma != 0 {
        text += &format!("  dma {:#x}", map.dma);
    }
    text + "\n"
}

/// Names with their trailing numbers in order of size, aliases behind their interface (`nstrcmp`).
fn natural_order(a: &str, b: &str) -> Ordering {
    type Key<'a> = (&'a str, i32, &'a str, i32, &'a str);
    fn key(name: &str) -> Key<'_> {
        let alias_at = name.rfind(':').filter(|at| {
            let alias = name.get(at + 1..).unwrap_or("");
            !alias.is_empty() && alias.bytes().all(|byte| byte.is_ascii_digit())
        });
        let (name, alias) = match alias_at {
            Some(at) => (name.get(..at).unwrap_or(""), name.get(at + 1..).unwrap_or("")),
            None => (name, ""),
        };
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = atoi(name.get(stem.len()..).unwrap_or(""));
        (stem, number, name, if alias.is_empty() { -1 } else { atoi(alias) }, alias)
    }
    key(a).cmp(&key(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_by_size_and_aliases_follow() {
        let mut names = ["eth10", "lo", "eth2:10", "eth2", "eth2:9", "br0", "eth"];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(names, ["br0", "eth", "eth2", "eth2:9", "eth2:10", "eth10", "lo"]);
    }

    #[test]
    fn bytes_have_a_unit() {
        assert_eq!(with_unit(0), "0.0 B");
        assert_eq!(with_unit(1024), "1024.0 B");
        assert_eq!(with_unit(1025), "1.0 KiB");
        assert_eq!(with_unit(1_600_000), "1.5 MiB");
        assert_eq!(with_unit(u64::MAX), "15.9 EiB");
    }
}
