//! `arp` of net-tools 2.10: shows and changes the neighbour table of IPv4.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr};

use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_DUMP, NLM_F_REPLACE};
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
};
use hairpin_netlink::route::route::{RouteAddress, RouteAttribute, RouteFlags, RouteMessage};
use hairpin_netlink::{Errno, Message, System, transact};

use crate::getopt::{Getopt, Item, Long, Value};
use crate::interfaces::{ARPHRD_ETHER, Interfaces, cut};
use crate::net_tools::hardware::{self, Hardware};
use crate::net_tools::resolve::{Resolver, not_resolved};
use crate::net_tools::{OPTION_ERROR, family};
use crate::{Program, Shell};

const SHORT: &str = "A:H:adfp:nsei:t:vh?DNV";

const LONG: &[Long] = &[
    ("verbose", Value::None, 'v'),
    ("version", Value::None, 'V'),
    ("all", Value::None, 'a'),
    ("delete", Value::None, 'd'),
    ("file", Value::None, 'f'),
    ("numeric", Value::None, 'n'),
    ("set", Value::None, 's'),
    ("protocol", Value::Required, 'A'),
    ("hw-type", Value::Required, 'H'),
    ("device", Value::Required, 'i'),
    ("help", Value::None, 'h'),
    ("use-device", Value::None, 'D'),
    ("symbolic", Value::None, 'N'),
];

/// What every failure that is not one of usage ends with.
const FAILED: i32 = 255;

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let args = program.args;
    let mut options = Getopt::new(program.name, args, SHORT, LONG);
    let mut arp = Arp {
        system: &mut *program.system,
        shell: &mut *program.shell,
        names: Resolver::default(),
        numeric: false,
        verbose: false,
        table: false,
        all: false,
        hardware_of_device: false,
        hardware: None,
        device: String::new(),
    };
    let mut action = Action::Show;
    while let Some(item) = options.next() {
        match item {
            Item::Option('a', _) => {
                action = Action::Show;
                arp.all = true;
            }
            Item::Option('f', _) => action = Action::File,
            Item::Option('d', _) => action = Action::Delete,
            Item::Option('s', _) => action = Action::Set,
            Item::Option('e', _) => arp.table = true,
            Item::Option('n', _) => arp.numeric = true,
            Item::Option('D', _) => arp.hardware_of_device = true,
            Item::Option('N', _) => arp.complain("arp: -N not yet supported."),
            Item::Option('v', _) => arp.verbose = true,
            Item::Option('A' | 'p', name) => {
                let name = name.unwrap_or("");
                if !family::is_known(name) {
                    arp.complain(&format!("arp: {name}: unknown address family."));
                    return FAILED;
                }
                if name != "inet" {
                    arp.complain(&format!("arp: {name}: kernel only supports 'inet'."));
                    return FAILED;
                }
            }
            Item::Option('H' | 't', name) => {
                let name = name.unwrap_or("");
                arp.hardware = hardware::by_name(name);
                if arp.hardware.is_none() {
                    arp.complain(&format!("arp: {name}: unknown hardware type."));
                    return FAILED;
                }
            }
            Item::Option('i', name) => cut(name.unwrap_or("")).clone_into(&mut arp.device),
            Item::Option('V', _) => {
                let _ = arp.shell.out().write_all(VERSION.as_bytes());
                return 0;
            }
            Item::Option('h', _) => return arp.usage(0),
            Item::Option(..) => return arp.usage(OPTION_ERROR),
            Item::Error(text) => {
                arp.complain(&text);
                return arp.usage(OPTION_ERROR);
            }
        }
    }
    if let Some(hardware) = arp.hardware.filter(|hardware| !hardware.has_arp) {
        arp.complain(&format!("arp: {}: hardware type without ARP support.", hardware.name));
        return FAILED;
    }
    let operands = options.operands();
    let outcome = match action {
        Action::Show => {
            arp.table |= !arp.all;
            arp.show(operands.first().copied())
        }
        Action::File => arp.file(operands.first().copied().unwrap_or("/etc/ethers")),
        Action::Delete => arp.delete(&operands),
        Action::Set => arp.set(&operands),
    };
    match outcome {
        Ok(()) => 0,
        Err(Failed::Reported) => FAILED,
        Err(Failed::Usage) => arp.usage(OPTION_ERROR),
    }
}

enum Action {
    Show,
    File,
    Delete,
    Set,
}

enum Failed {
    /// With its text written already.
    Reported,
    Usage,
}

/// A run of arp.
struct Arp<'a> {
    system: &'a mut dyn System,
    shell: &'a mut dyn Shell,
    names: Resolver,
    numeric: bool,
    verbose: bool,
    /// `-e` and the default: a table.
    table: bool,
    /// `-a`: one sentence an entry.
    all: bool,
    hardware_of_device: bool,
    hardware: Option<&'static Hardware>,
    device: String,
}

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
    fn complain(&mut self, text: &str) {
        let _ = writeln!(self.shell.err(), "{text}");
    }

    fn fail<T>(&mut self, text: &str) -> Result<T, Failed> {
        self.complain(text);
        Err(Failed::Reported)
    }

    fn print(&mut self, text: &str) {
        let _ = self.shell.out().write_all(text.as_bytes());
    }

    fn usage(&mut self, code: i32) -> i32 {
        // Lists of types go to standard error in any case.
        let text = if code == 0 { self.shell.out() } else { self.shell.err() };
        let _ = text.write_all(USAGE.as_bytes());
        let _ = self.shell.err().write_all(hardware::list(true).as_bytes());
        code
    }

    fn address(&mut self, host: &str) -> Result<Ipv4Addr, Failed> {
        match self.names.resolve(self.shell, host, false) {
            Some(resolved) => Ok(resolved.address),
            None => self.fail(&format!("{host}: {}", not_resolved(false))),
        }
    }

    fn show(&mut self, host: Option<&str>) -> Result<(), Failed> {
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

    /// `-s HOST HWADDR [temp] [pub] [dev IF] [netmask 255.255.255.255]`
    fn set(&mut self, words: &[&str]) -> Result<(), Failed> {
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
    fn delete(&mut self, words: &[&str]) -> Result<(), Failed> {
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
    fn file(&mut self, name: &str) -> Result<(), Failed> {
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
    let address = IpAddr::V4(entry.address).to_string();
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

const VERSION: &str = "\
net-tools 2.10
+I18N +SELINUX
AF: (inet) +UNIX +INET +INET6 +IPX +AX25 +NETROM +X25 +ATALK +ECONET +ROSE -BLUETOOTH
HW: (ether) +ETHER +ARC +SLIP +PPP +TUNNEL -TR +AX25 +NETROM +X25 +FR +ROSE +ASH +SIT +FDDI +HIPPI +HDLC/LAPB +EUI64 
";

const USAGE: &str = "\
Usage:
  arp [-vn]  [<HW>] [-i <if>] [-a] [<hostname>]             <-Display ARP cache
  arp [-v]          [-i <if>] -d  <host> [pub]               <-Delete ARP entry
  arp [-vnD] [<HW>] [-i <if>] -f  [<filename>]            <-Add entry from file
  arp [-v]   [<HW>] [-i <if>] -s  <host> <hwaddr> [temp]            <-Add entry
  arp [-v]   [<HW>] [-i <if>] -Ds <host> <if> [netmask <nm>] pub          <-''-

        -a                       display (all) hosts in alternative (BSD) style
        -e                       display (all) hosts in default (Linux) style
        -s, --set                set a new ARP entry
        -d, --delete             delete a specified entry
        -v, --verbose            be verbose
        -n, --numeric            don't resolve names
        -i, --device             specify network interface (e.g. eth0)
        -D, --use-device         read <hwaddr> from given device
        -A, -p, --protocol       specify protocol family
        -f, --file               read new entries from file or from /etc/ethers

  <HW>=Use '-H <hw>' to specify hardware address type. Default: ether
  List of possible hardware types (which support ARP):
";
