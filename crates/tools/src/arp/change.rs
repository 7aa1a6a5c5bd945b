//! `arp -s`, `-d` and `-f` (net/ipv4/arp.c: arp_ioctl).

use std::io::Read;
use std::net::Ipv4Addr;

use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_REPLACE};
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
};
use hairpin_netlink::route::route::{RouteAddress, RouteAttribute, RouteFlags, RouteMessage};
use hairpin_netlink::{Errno, Message, System, transact};

use super::{Arp, Failed};
use crate::interfaces::{ARPHRD_ETHER, Interfaces, cut};
use crate::net_tools::hardware;

impl Arp<'_> {
    /// `-s HOST HWADDR [temp] [pub] [dev IF] [netmask 255.255.255.255]`
    pub(super) fn set(&mut self, words: &[&str]) -> Result<(), Failed> {
        let mut words = words.iter().copied();
        let Some(host) = words.next() else { return self.fail("arp: need host name") };
        let address = self.address(host)?;
        let Some(text) = words.next() else { return self.fail("arp: need hardware address") };
        let (mac, hardware) = if self.hardware_of_device {
            self.device_hardware(text)?
        } else {
            let ethernet = self.hardware.is_none_or(|hardware| hardware.number == Some(ARPHRD_ETHER));
            match hardware::read_ethernet(text).filter(|_| ethernet) {
                Some(mac) => (mac.to_vec(), ARPHRD_ETHER),
                None => return self.fail("arp: invalid hardware address"),
            }
        };
        let modifiers = self.modifiers(words)?;
        if self.verbose {
            self.complain("arp: SIOCSARP()");
        }
        match self.request_set(address, &mac, hardware, &modifiers) {
            Ok(()) => Ok(()),
            Err(errno) => self.fail(&format!("SIOCSARP: {errno}")),
        }
    }

    /// `arp_getdevhw`
    fn device_hardware(&mut self, name: &str) -> Result<(Vec<u8>, u16), Failed> {
        let interfaces = Interfaces::dump(self.system).map_err(|failure| failure.errno);
        let found = interfaces.and_then(|all| all.by_name(name).cloned().ok_or(Errno::ENODEV));
        let interface = match found {
            Ok(interface) => interface,
            Err(errno) => {
                return self.fail(&format!("arp: cant get HW-Address for `{name}': {errno}."));
            }
        };
        if self.hardware.is_some_and(|hardware| hardware.number != Some(interface.hardware())) {
            return self.fail("arp: protocol type mismatch.");
        }
        let mac = interface.address().to_vec();
        if self.verbose {
            let hardware = hardware::of_device(interface.hardware());
            let mac = hardware::colons(&mac);
            self.complain(&format!("arp: device `{name}' has HW address {} `{mac}'.", hardware.name));
        }
        Ok((mac, interface.hardware()))
    }

    fn modifiers<'w>(&mut self, mut words: impl Iterator<Item = &'w str>) -> Result<Modifiers, Failed> {
        let mut modifiers = Modifiers::default();
        while let Some(word) = words.next() {
            match word {
                "temp" => modifiers.temporary = true,
                "pub" => modifiers.published = true,
                "priv" => modifiers.private = true,
                "trail" => {}
                "dontpub" => modifiers.dont_publish = true,
                "auto" => {
                    self.complain(
                        "arp: feature `ATF_MAGIC' not supported.\nPlease recompile `net-tools' with newer kernel source or full configuration.",
                    );
                }
                "dev" => {
                    let name = words.next().ok_or(Failed::Usage)?;
                    cut(name).clone_into(&mut self.device);
                }
                "netmask" => {
                    let mask = words.next().ok_or(Failed::Usage)?;
                    if mask != "255.255.255.255" {
                        modifiers.netmask = Some(self.address(mask)?);
                    }
                }
                _ => return Err(Failed::Usage),
            }
        }
        Ok(modifiers)
    }

    /// net/ipv4/arp.c: arp_ioctl, arp_req_set
    fn request_set(
        &mut self,
        address: Ipv4Addr,
        mac: &[u8],
        hardware: u16,
        modifiers: &Modifiers,
    ) -> Result<(), Errno> {
        // `priv` takes back a `pub`.
        let published = modifiers.published && !modifiers.private;
        if !published && (modifiers.netmask.is_some() || modifiers.dont_publish) {
            return Err(Errno::EINVAL);
        }
        let interfaces = Interfaces::dump(self.system).map_err(|failure| failure.errno)?;
        let mut index = None;
        if !self.device.is_empty() {
            let device = interfaces.by_name(&self.device).ok_or(Errno::ENODEV)?;
            if device.hardware() != hardware {
                return Err(Errno::EINVAL);
            }
            index = Some(device.index());
        }
        let mut message = NeighbourMessage::default();
        if published {
            if modifiers.netmask.is_some() {
                return Err(Errno::EINVAL);
            }
            let same = |address: &[u8], kind: u16| kind == hardware && address == mac;
            let by_mac = || interfaces.iter().find(|other| same(other.address(), other.hardware()));
            let device = index.or_else(|| by_mac().map(|device| device.index()));
            message.header.ifindex = device.ok_or(Errno::ENODEV)?;
            message.header.flags = NeighbourFlags::Proxy;
        } else {
            message.header.ifindex = match index {
                Some(index) => index,
                None => on_link(self.system, address)?,
            };
            // An address of its own leads to `lo`, which is no Ethernet.
            let device = interfaces.by_index(message.header.ifindex);
            if device.is_none_or(|device| device.hardware() != hardware) {
                return Err(Errno::EINVAL);
            }
            message.header.state =
                if modifiers.temporary { NeighbourState::Stale } else { NeighbourState::Permanent };
            message.attributes.push(NeighbourAttribute::LinkLayerAddress(mac.to_vec()));
        }
        message.header.family = AddressFamily::Inet;
        message.attributes.insert(0, NeighbourAttribute::Destination(NeighbourAddress::Inet(address)));
        transact(self.system, &Message::NewNeighbour(message), NLM_F_CREATE | NLM_F_REPLACE)
            .map(drop)
            .map_err(|failure| failure.errno)
    }

    /// `-d HOST [pub] [priv] [dev IF]`
    pub(super) fn delete(&mut self, words: &[&str]) -> Result<(), Failed> {
        let mut words = words.iter().copied();
        let Some(host) = words.next() else { return self.fail("arp: need host name") };
        let address = self.address(host)?;
        let modifiers = self.modifiers(words)?;
        // Without a word it is both.
        let both = !modifiers.published && !modifiers.private;
        let (published, private) = (modifiers.published || both, modifiers.private || both);
        if private {
            if self.verbose {
                self.complain("arp: SIOCDARP(dontpub)");
            }
            match self.request_delete(address, &modifiers, false) {
                Ok(()) => return Ok(()),
                Err(Errno::ENXIO | Errno::ENOENT) if published => {}
                Err(Errno::ENXIO | Errno::ENOENT) => return self.no_entry(host),
                Err(errno) => return self.fail(&format!("SIOCDARP(dontpub): {errno}")),
            }
        }
        if self.verbose {
            self.complain("arp: SIOCDARP(pub)");
        }
        match self.request_delete(address, &modifiers, true) {
            Ok(()) => Ok(()),
            Err(Errno::ENXIO | Errno::ENOENT) => self.no_entry(host),
            Err(errno) => self.fail(&format!("SIOCDARP(pub): {errno}")),
        }
    }

    fn no_entry(&mut self, host: &str) -> Result<(), Failed> {
        self.print(&format!("No ARP entry for {host}\n"));
        Err(Failed::Reported)
    }

    /// net/ipv4/arp.c: arp_req_delete
    fn request_delete(
        &mut self,
        address: Ipv4Addr,
        modifiers: &Modifiers,
        published: bool,
    ) -> Result<(), Errno> {
        if !published && (modifiers.netmask.is_some() || modifiers.dont_publish) {
            return Err(Errno::EINVAL);
        }
        let mut message = NeighbourMessage::default();
        if !self.device.is_empty() {
            let interfaces = Interfaces::dump(self.system).map_err(|failure| failure.errno)?;
            message.header.ifindex = interfaces.by_name(&self.device).ok_or(Errno::ENODEV)?.index();
        } else if !published {
            message.header.ifindex = on_link(self.system, address)?;
        }
        if published {
            message.header.flags = NeighbourFlags::Proxy;
        }
        message.header.family = AddressFamily::Inet;
        message.attributes.push(NeighbourAttribute::Destination(NeighbourAddress::Inet(address)));
        transact(self.system, &Message::DelNeighbour(message), 0).map(drop).map_err(|failure| failure.errno)
    }

    /// `-f FILE`: a line an entry, as for `-s` or as in `/etc/ethers`.
    pub(super) fn file(&mut self, name: &str) -> Result<(), Failed> {
        let mut text = Vec::new();
        let read = self.shell.open(name).and_then(|mut file| file.read_to_end(&mut text));
        if read.is_err() {
            return self.fail(&format!("arp: cannot open etherfile {name} !"));
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        for (number, line) in (1..).zip(text.lines()) {
            if self.verbose {
                self.complain(&format!(">> {line}"));
            }
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            if let [first, second, ..] = words.as_mut_slice() {
                if first.contains(':') {
                    std::mem::swap(first, second);
                }
            } else {
                self.complain(&format!("arp: format error on line {number} of etherfile {name} !"));
                continue;
            }
            match self.set(&words) {
                Ok(()) => {}
                Err(Failed::Usage) => return Err(Failed::Usage),
                Err(Failed::Reported) => {
                    self.complain(&format!("arp: cannot set entry on line {number} of etherfile {name} !"));
                }
            }
        }
        Ok(())
    }
}

/// Words behind the addresses of `-s` and `-d`.
#[derive(Debug, Default)]
struct Modifiers {
    temporary: bool,
    published: bool,
    private: bool,
    dont_publish: bool,
    netmask: Option<Ipv4Addr>,
}

/// The device over which an address is reached without a gateway.
fn on_link(system: &mut dyn System, address: Ipv4Addr) -> Result<u32, Errno> {
    let mut request = RouteMessage::default();
    request.header.address_family = AddressFamily::Inet;
    request.header.destination_prefix_length = 32;
    request.attributes.push(RouteAttribute::Destination(RouteAddress::Inet(address)));
    if address.is_multicast() {
        // The answer for a group leaves the gateway out, the route itself does not.
        request.header.flags = RouteFlags::FibMatch;
    }
    let answer = transact(system, &Message::GetRoute(request), 0).map_err(|failure| failure.errno)?;
    let route = answer.into_iter().find_map(|message| match message {
        Message::NewRoute(route) => Some(route),
        _ => None,
    });
    let attributes = route.ok_or(Errno::ENETUNREACH)?.attributes;
    // The kernel looks for a route of link scope, which one by a gateway is not.
    if attributes.iter().any(|a| matches!(a, RouteAttribute::Gateway(_) | RouteAttribute::Via(_))) {
        return Err(Errno::ENETUNREACH);
    }
    let oif = attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Oif(index) => Some(*index),
        _ => None,
    });
    oif.ok_or(Errno::EINVAL)
}
