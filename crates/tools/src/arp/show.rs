//! The table that `arp` prints (`/proc/net/arp` on Linux).

use std::net::Ipv4Addr;

use hairpin_netlink::codec::NLM_F_DUMP;
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage,
};
use hairpin_netlink::{Errno, Message, transact};

use super::{Arp, Failed};
use crate::interfaces::Interfaces;
use crate::net_tools::hardware;

/// A line of `/proc/net/arp`.
struct Entry {
    address: Ipv4Addr,
    hardware: u16,
    /// `None` where it is not known or does not matter.
    mac: Option<Vec<u8>>,
    permanent: bool,
    published: bool,
    device: String,
}
impl Arp<'_> {
    pub(super) fn show(&mut self, host: Option<&str>) -> Result<(), Failed> {
        let wanted = host.map(|host| self.address(host)).transpose()?;
        let entries = match self.entries() {
            Ok(entries) => entries,
            Err(errno) => return self.fail(&format!("/proc/net/arp: {errno}")),
        };
        let mut shown = 0;
        for entry in &entries {
            if self.hardware.is_some_and(|hardware| hardware.number != Some(entry.hardware))
                || wanted.is_some_and(|wanted| wanted != entry.address)
                || !self.device.is_empty() && self.device != entry.device
            {
                continue;
            }
            let name = if self.numeric { None } else { self.names.host_name(self.shell, entry.address) };
            if self.table {
                if shown == 0 {
                    self.print(HEADER);
                }
                self.print(&row(entry, name.as_deref()));
            } else {
                self.print(&sentence(entry, name.as_deref()));
            }
            shown += 1;
        }
        let count = entries.len();
        if self.verbose {
            self.print(&format!("Entries: {count}\tSkipped: {}\tFound: {shown}\n", count - shown));
        }
        if shown == 0 {
            if let (Some(host), Some(wanted), false) = (host, wanted, self.all) {
                self.print(&format!("{host} ({wanted}) -- no entry\n"));
            } else if wanted.is_some() || self.hardware.is_some() || !self.device.is_empty() {
                self.print(&format!("arp: in {count} entries no match found.\n"));
            }
        }
        Ok(())
    }

    /// What `/proc/net/arp` shows: neighbours, then proxy entries.
    fn entries(&mut self) -> Result<Vec<Entry>, Errno> {
        let interfaces = Interfaces::dump(self.system).map_err(|failure| failure.errno)?;
        let mut entries = Vec::new();
        for published in [false, true] {
            let mut request = NeighbourMessage::default();
            request.header.family = AddressFamily::Inet;
            if published {
                request.header.flags = NeighbourFlags::Proxy;
            }
            let answer = transact(self.system, &Message::GetNeighbour(request), NLM_F_DUMP)
                .map_err(|failure| failure.errno)?;
            for message in answer {
                if let Message::NewNeighbour(neighbour) = message
                    && neighbour.header.flags.contains(NeighbourFlags::Proxy) == published
                {
                    entries.extend(entry(&interfaces, &neighbour));
                }
            }
        }
        Ok(entries)
    }
}

/// net/ipv4/arp.c: arp_seq_show
fn entry(interfaces: &Interfaces, neighbour: &NeighbourMessage) -> Option<Entry> {
    const NUD_NOARP: u16 = 0x40;
    const NUD_PERMANENT: u16 = 0x80;
    /// Permanent, no ARP, reachable, probe, stale, delay.
    const NUD_VALID: u16 = 0xde;
    let state = u16::from(neighbour.header.state);
    let published = neighbour.header.flags.contains(NeighbourFlags::Proxy);
    if !published && state & !NUD_NOARP == 0 {
        return None;
    }
    let device = interfaces.by_index(neighbour.header.ifindex);
    let (mut address, mut mac) = (None, None);
    for attribute in &neighbour.attributes {
        match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(found)) => address = Some(*found),
            NeighbourAttribute::LinkLayerAddress(found) => mac = Some(found.clone()),
            _ => {}
        }
    }
    Some(Entry {
        address: address?,
        hardware: device.map_or(0, |device| device.hardware()),
        mac: mac.filter(|_| !published && state & NUD_VALID != 0),
        permanent: published || state & NUD_PERMANENT != 0,
        published,
        device: device.map_or_else(|| "*".to_owned(), |device| device.name().to_owned()),
    })
}

fn hardware_name(entry: &Entry) -> &'static str {
    hardware::by_number(entry.hardware).map_or("ether", |hardware| hardware.name)
}

/// Cuts to `width` and fills up to it.
fn column(text: &str, width: usize) -> String {
    format!("{text:<width$.width$}")
}

fn row(entry: &Entry, name: Option<&str>) -> String {
    let address = entry.address.to_string();
    let (kind, mac) = match &entry.mac {
        Some(mac) => (hardware_name(entry), hardware::colons(mac)),
        None if entry.published => ("*", "<from_interface>".to_owned()),
        None => ("", "(incomplete)".to_owned()),
    };
    let mut flags = String::new();
    flags += if entry.mac.is_some() { "C" } else { "" };
    flags += if entry.permanent { "M" } else { "" };
    flags += if entry.published { "P" } else { "" };
    format!(
        "{}  {}{}{}{} {}\n",
        column(name.unwrap_or(&address), 23),
        column(kind, 8),
        column(&mac, 20),
        column(&flags, 6),
        column("", 15),
        entry.device
    )
}

fn sentence(entry: &Entry, name: Option<&str>) -> String {
    let mut text = format!("{} ({}) at ", name.unwrap_or("?"), entry.address);
    text += &match &entry.mac {
        Some(mac) => format!("{} [{}] ", hardware::colons(mac), hardware_name(entry)),
        None if entry.published => "<from_interface> ".to_owned(),
        None => "<incomplete> ".to_owned(),
    };
    text += if entry.permanent { "PERM " } else { "" };
    text += if entry.published { "PUB " } else { "" };
    text + &format!("on {}\n", entry.device)
}

const HEADER: &str = "Address                  HWtype  HWaddress           Flags Mask            Iface\n";
