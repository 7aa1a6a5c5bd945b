//! `ifconfig INTERFACE CHANGES…`: one change after the other; one that fails does not stop the next.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_EXCL};
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::address::{AddressAttribute, AddressMessage};
use hairpin_netlink::route::link::LinkAttribute;
use hairpin_netlink::{Errno, Message, transact};

use super::Ifconfig;
use crate::c_number::{atoi, strtol};
use crate::interfaces::{ARPHRD_ETHER, IFF_BROADCAST, IFF_POINTOPOINT, IFF_UP, cut};
use crate::net_tools::ioctl::{self, Change};
use crate::net_tools::resolve::not_resolved;
use crate::net_tools::{family, hardware};

const IFF_NOTRAILERS: u32 = 0x20;
const IFF_NOARP: u32 = 0x80;
const IFF_PROMISC: u32 = 0x100;
const IFF_ALLMULTI: u32 = 0x200;
const IFF_MULTICAST: u32 = 0x1000;
const IFF_DYNAMIC: u32 = 0x8000;

/// The command line makes no sense: usage and exit.
enum Stop {
    Usage,
    /// With its text written already.
    Reported,
}

/// An address word by which the interface also comes up.
type Netmask = Option<Ipv4Addr>;

impl Ifconfig<'_> {
    pub(super) fn change(&mut self, name: &str, words: &[String]) -> i32 {
        let name = cut(name).to_owned();
        let mut words = words.iter().map(String::as_str).peekable();
        if let Some(family) = words.next_if(|word| family::is_known(word))
            && family != "inet"
        {
            self.complain(&format!("ifconfig: {family} addresses: use add and del, or ip"));
            return 1;
        }
        let mut change = Changes { ifconfig: self, name, code: 0, netmask_given: false, netmask: None };
        while let Some(word) = words.next() {
            match change.one(word, &mut words) {
                Ok(()) => {}
                Err(Stop::Usage) => return self.option_error(),
                Err(Stop::Reported) => return 1,
            }
        }
        if let Some(mask) = change.netmask {
            change.netmask(mask);
        }
        let code = change.code;
        if self.verbose && code != 0 {
            self.complain(&format!("WARNING: at least one error occured. ({code})"));
        }
        code & 0xff
    }
}

struct Changes<'a, 'b> {
    ifconfig: &'a mut Ifconfig<'b>,
    name: String,
    /// What the C program collects: 1, or -1 for flags.
    code: i32,
    netmask_given: bool,
    /// Of `ADDRESS/BITS`; set at the end.
    netmask: Netmask,
}

impl Changes<'_, '_> {
    fn one<'w>(&mut self, word: &'w str, rest: &mut impl Iterator<Item = &'w str>) -> Result<(), Stop> {
        match word {
            "arp" => self.clear(IFF_NOARP),
            "-arp" => self.set(IFF_NOARP),
            "trailers" => self.clear(IFF_NOTRAILERS),
            "-trailers" => self.set(IFF_NOTRAILERS),
            "promisc" => self.set(IFF_PROMISC),
            "-promisc" => {
                self.clear_and_check(IFF_PROMISC, "promisc mode... maybe other application is running?")
            }
            "multicast" => self.set(IFF_MULTICAST),
            "-multicast" => self.clear_and_check(IFF_MULTICAST, "MULTICAST mode."),
            "allmulti" => self.set(IFF_ALLMULTI),
            "-allmulti" => self.clear_and_check(IFF_ALLMULTI, "ALLMULTI mode."),
            "up" => self.set(IFF_UP),
            "down" => self.clear(IFF_UP),
            "dynamic" => self.set(IFF_DYNAMIC),
            "-dynamic" => self.clear_and_check(IFF_DYNAMIC, "DYNAMIC mode."),
            "mtu" => {
                let mtu = atoi(rest.next().ok_or(Stop::Usage)?) as u32;
                self.link(LinkAttribute::Mtu(mtu), "SIOCSIFMTU");
            }
            "txqueuelen" => {
                let length = strtol(rest.next().ok_or(Stop::Usage)?, 0).0 as i32;
                match (u32::try_from(length), ioctl::device(self.ifconfig.system, &self.name)) {
                    (Ok(length), _) => self.link(LinkAttribute::TxQueueLen(length), "SIOCSIFTXQLEN"),
                    (Err(_), device) => {
                        self.report(device.and(Err(Errno::EINVAL)), "SIOCSIFTXQLEN");
                    }
                }
            }
            "name" => {
                let name = cut(rest.next().ok_or(Stop::Usage)?);
                self.link(LinkAttribute::IfName(name.to_owned()), "SIOCSIFNAME");
            }
            "-broadcast" => self.clear_and_check(IFF_BROADCAST, "BROADCAST mode."),
            "broadcast" => {
                if let Some(text) = rest.next() {
                    let Some(address) = self.resolve(text) else { return Ok(()) };
                    self.inet(Change::Broadcast(address), "SIOCSIFBRDADDR");
                }
                self.set(IFF_BROADCAST);
            }
            "dstaddr" => {
                let Some(address) = self.resolve(rest.next().ok_or(Stop::Usage)?) else { return Ok(()) };
                self.inet(Change::Destination(address), "SIOCSIFDSTADDR");
            }
            "-pointopoint" | "-pointtopoint" => {
                self.clear_and_check(IFF_POINTOPOINT, "POINTOPOINT mode.");
            }
            "pointopoint" | "pointtopoint" => {
                if let Some(text) = rest.next() {
                    let Some(address) = self.resolve(text) else { return Ok(()) };
                    self.inet(Change::Destination(address), "SIOCSIFDSTADDR");
                }
                self.set(IFF_POINTOPOINT);
            }
            "netmask" => {
                let text = rest.next().filter(|_| !self.netmask_given).ok_or(Stop::Usage)?;
                let Some(mask) = self.resolve(text) else { return Ok(()) };
                self.netmask_given = true;
                self.netmask(mask);
            }
            "hw" => self.hardware(rest)?,
            "add" => self.add_or_delete(rest.next().ok_or(Stop::Usage)?, true)?,
            "del" => self.add_or_delete(rest.next().ok_or(Stop::Usage)?, false)?,
            "media" | "port" | "mem_start" | "io_addr" | "irq" | "tunnel" | "keepalive" | "outfill" => {
                rest.next().ok_or(Stop::Usage)?;
                self.ifconfig.complain(&format!("ifconfig: {word} is not supported by hairpin yet"));
                self.code = 1;
            }
            address => self.address(address)?,
        }
        Ok(())
    }

    fn flags(&mut self, while_doing: &str) -> Option<u32> {
        match ioctl::device(self.ifconfig.system, &self.name) {
            Ok(device) => Some(device.flags()),
            Err(errno) => {
                let name = &self.name;
                self.ifconfig
                    .complain(&format!("{name}: ERROR while {while_doing} interface flags: {errno}"));
                None
            }
        }
    }

    fn set(&mut self, flag: u32) {
        self.set_flags(flag, flag);
    }

    fn clear(&mut self, flag: u32) {
        self.set_flags(0, flag);
    }

    fn set_flags(&mut self, flags: u32, mask: u32) {
        if self.flags("getting").is_none() {
            self.code = -1;
        } else if let Err(errno) = ioctl::set_flags(self.ifconfig.system, &self.name, flags, mask) {
            self.ifconfig.complain(&format!("SIOCSIFFLAGS: {errno}"));
            self.code = -1;
        }
    }

    fn clear_and_check(&mut self, flag: u32, still: &str) {
        self.clear(flag);
        // As a C short, DYNAMIC is negative and so never found set.
        if self.flags("testing").is_some_and(|flags| flags & flag != 0) && flag != IFF_DYNAMIC {
            let name = &self.name;
            self.ifconfig.complain(&format!("Warning: Interface {name} still in {still}"));
        }
    }

    fn link(&mut self, attribute: LinkAttribute, request: &str) {
        let outcome = ioctl::set_link(self.ifconfig.system, &self.name, attribute);
        self.report(outcome, request);
    }

    fn inet(&mut self, change: Change, request: &str) {
        let outcome = ioctl::change_address(self.ifconfig.system, &self.name, change);
        self.report(outcome, request);
    }

    fn netmask(&mut self, mask: Ipv4Addr) {
        // The one request whose failure does not hide an earlier one of the flags.
        let before = self.code;
        self.inet(Change::Netmask(mask), "SIOCSIFNETMASK");
        self.code |= before;
    }

    fn report(&mut self, outcome: Result<(), Errno>, request: &str) {
        if let Err(errno) = outcome {
            self.ifconfig.complain(&format!("{request}: {errno}"));
            self.code = 1;
        }
    }

    fn resolve(&mut self, text: &str) -> Option<Ipv4Addr> {
        let resolved = self.ifconfig.names.resolve(self.ifconfig.shell, text, false);
        if resolved.is_none() {
            self.ifconfig.complain(&format!("{text}: {}", not_resolved(text, false)));
            self.code = 1;
        }
        resolved.map(|resolved| resolved.address)
    }

    /// `hw CLASS ADDRESS`
    fn hardware<'w>(&mut self, rest: &mut impl Iterator<Item = &'w str>) -> Result<(), Stop> {
        let class = rest.next().and_then(hardware::by_name).ok_or(Stop::Usage)?;
        if class.number != Some(ARPHRD_ETHER) {
            rest.next();
            let name = class.name;
            self.ifconfig
                .complain(&format!("hw address type `{name}' has no handler to set address. failed."));
            self.code = 1;
            return Ok(());
        }
        let text = rest.next().ok_or(Stop::Usage)?;
        let Some(mac) = hardware::read_ethernet(text) else {
            self.ifconfig.complain(&format!("{text}: invalid {} address.", class.name));
            self.code = 1;
            return Ok(());
        };
        let device = ioctl::device(self.ifconfig.system, &self.name);
        let outcome = match device.map(|device| device.hardware()) {
            // net/core/dev.c: dev_set_mac_address
            Ok(hardware) if hardware != ARPHRD_ETHER => Err(Errno::EINVAL),
            Ok(_) => {
                let attribute = LinkAttribute::Address(mac.to_vec());
                ioctl::set_link(self.ifconfig.system, &self.name, attribute)
            }
            Err(errno) => Err(errno),
        };
        if outcome == Err(Errno::EBUSY) {
            self.ifconfig
                .complain(&format!("SIOCSIFHWADDR: {} - you may need to down the interface", Errno::EBUSY));
            self.code = 1;
        } else {
            self.report(outcome, "SIOCSIFHWADDR");
        }
        Ok(())
    }

    /// `ADDRESS[/BITS]`
    fn address(&mut self, text: &str) -> Result<(), Stop> {
        let host = match text.split_once('/') {
            Some((host, bits)) => {
                let (number, length) = strtol(bits, 0);
                if length != bits.len() || self.netmask_given {
                    return Err(Stop::Usage);
                }
                // The shift of a processor: modulo 32.
                self.netmask = Some(Ipv4Addr::from(!u32::MAX.wrapping_shr(number as u32)));
                host
            }
            None => text,
        };
        let resolved = self.ifconfig.names.resolve(self.ifconfig.shell, host, false);
        let Some(address) = resolved.map(|resolved| resolved.address) else {
            self.ifconfig.complain(&format!("{host}: {}", not_resolved(host, false)));
            self.ifconfig.complain("ifconfig: `--help' gives usage information.");
            return Err(Stop::Reported);
        };
        let outcome = ioctl::set_address(self.ifconfig.system, &self.name, address);
        self.report(outcome, "SIOCSIFADDR");
        // An alias that has just been deleted is not brought up.
        let deleted = self.name.contains(':') && (self.name.ends_with('-') || address.is_unspecified());
        if !deleted {
            self.set(IFF_UP);
        }
        Ok(())
    }

    fn add_or_delete(&mut self, text: &str, add: bool) -> Result<(), Stop> {
        if text.contains(':') {
            return self.inet6(text, add);
        }
        let Some(address) = self.resolve(text) else { return Ok(()) };
        match ioctl::device(self.ifconfig.system, &self.name) {
            Ok(_) => {
                // The C program looks at neither what fails in there.
                let _ = self.alias(address, add);
            }
            Err(errno) => {
                let name = &self.name;
                let text = if errno == Errno::ENODEV { "Device not found".to_owned() } else { errno.text() };
                let text = format!("{name}: error fetching interface information: {text}");
                // Once for the mask to inherit, once for the aliases there are.
                self.ifconfig.complain(&text);
                self.ifconfig.complain(&text);
            }
        }
        Ok(())
    }

    /// `set_ifstate`: an address of its own label. `del` of one that is not there adds it too.
    fn alias(&mut self, address: Ipv4Addr, up: bool) -> Result<(), Errno> {
        let system = &mut *self.ifconfig.system;
        let device = ioctl::device(system, &self.name)?.index();
        let addresses = ioctl::addresses(system)?;
        let parent = addresses.iter().find(|other| other.index == device && other.label == self.name);
        let (mask, broadcast) = match parent {
            Some(parent) => (parent.mask(), parent.broadcast.unwrap_or(Ipv4Addr::UNSPECIFIED)),
            None => (Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED),
        };
        let number = |label: &str| {
            let (base, alias) = label.split_once(':')?;
            base.starts_with(&self.name).then(|| atoi(alias))
        };
        let aliases = addresses.iter().filter_map(|other| Some((other, number(&other.label)?)));
        let aliases: Vec<_> = aliases.collect();
        if let Some((alias, _)) = aliases.iter().find(|(alias, _)| alias.peer == address) {
            let flags = if up { IFF_UP } else { 0 };
            return ioctl::set_flags(system, &alias.label, flags, IFF_UP);
        }
        let free = (0..256).find(|number| aliases.iter().all(|(_, taken)| taken != number));
        let label = format!("{}:{}", self.name, free.ok_or(Errno::ENOBUFS)?);
        ioctl::set_address(system, &label, address)?;
        ioctl::change_address(system, &label, Change::Netmask(mask))?;
        ioctl::change_address(system, &label, Change::Broadcast(broadcast))?;
        ioctl::set_flags(system, &label, IFF_BROADCAST, IFF_BROADCAST)
    }

    fn inet6(&mut self, text: &str, add: bool) -> Result<(), Stop> {
        let (host, prefix) = match text.split_once('/') {
            Some((host, bits)) => {
                (host, u8::try_from(atoi(bits)).ok().filter(|bits| *bits <= 128).ok_or(Stop::Usage)?)
            }
            None => (text, 128),
        };
        let Ok(address) = host.parse::<Ipv6Addr>() else {
            self.ifconfig.complain(&format!("{host}: Resolver Error 0 (no error)"));
            self.code = 1;
            return Ok(());
        };
        let system = &mut *self.ifconfig.system;
        let device = match ioctl::device(system, &self.name) {
            Ok(device) => device,
            Err(errno) => {
                self.ifconfig.complain(&format!("SIOGIFINDEX: {errno}"));
                self.code = 1;
                return Ok(());
            }
        };
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet6;
        message.header.index = device.index();
        message.header.prefix_len = prefix;
        message.attributes.push(AddressAttribute::Local(IpAddr::V6(address)));
        message.attributes.push(AddressAttribute::Address(IpAddr::V6(address)));
        let (message, flags, request) = if add {
            (Message::NewAddress(message), NLM_F_CREATE | NLM_F_EXCL, "SIOCSIFADDR")
        } else {
            (Message::DelAddress(message), 0, "SIOCDIFADDR")
        };
        let outcome = transact(system, &message, flags).map(drop).map_err(|failure| failure.errno);
        if let Err(Errno::EAFNOSUPPORT | Errno::EOPNOTSUPP) = outcome {
            self.ifconfig.complain("No support for INET6 on this system.");
            self.code = 1;
        } else {
            self.report(outcome, request);
        }
        Ok(())
    }
}
