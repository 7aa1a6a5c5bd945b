//! `dnsmasq`, as 2.90 has it: a small DNS server and a DHCP server, as they are used for labs.
//!
//! * [`options`] the command line
//! * [`dhcp`] leases
//!
//! Deliberate gaps: no upstream servers, no configuration file, no DHCP over IPv6, no TFTP.

mod dhcp;
mod options;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::codec::NLM_F_DUMP;
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::address::{AddressAttribute, AddressMessage};
use hairpin_netlink::{Address, Errno, Fd, Message, Received, SocketKind, SocketOption, transact};
use hairpin_wire::dns::{self, response};
use hairpin_wire::zone::Zone;

use crate::dns::server;
use crate::interfaces::Interfaces;
use crate::{Program, daemon};
use dhcp::Server;
use options::{Options, Stop};

/// Exit codes (`EC_*`).
const BAD_NET: i32 = 2;
const VERSION: &str = "2.90";

/// An address of a device.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub device: String,
    pub ifindex: u32,
    pub address: Ipv4Addr,
    pub prefix_len: u8,
}

impl Own {
    pub fn mask(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(self.prefix_len.min(32))).unwrap_or(0))
    }

    pub fn covers(&self, address: Ipv4Addr) -> bool {
        (self.address.to_bits() ^ address.to_bits()) & self.mask().to_bits() == 0
    }
}

/// Where what happens is told.
pub(super) struct Log {
    to_error: bool,
    file: Option<Box<dyn std::io::Write>>,
}

impl Log {
    pub fn say(&mut self, program: &mut Program<'_>, text: &str) {
        if self.to_error {
            let _ = writeln!(program.shell.err(), "{text}");
        }
        if let Some(file) = &mut self.file {
            let _ = writeln!(file, "{text}");
            let _ = file.flush();
        }
    }
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let options = match Options::read(program) {
        Ok(options) => options,
        Err(Stop(code)) => return code,
    };
    let mut sockets = match Sockets::open(program, &options) {
        Ok(sockets) => sockets,
        Err(text) => {
            let _ = writeln!(program.shell.err(), "\ndnsmasq: {text}");
            return BAD_NET;
        }
    };
    if !options.foreground {
        sockets.close(program);
        return daemon::start(program, &["--keep-in-foreground"]);
    }
    if let Some(path) = options.pid_file.as_ref().filter(|path| !path.is_empty()) {
        let id = program.shell.process_id();
        if let Ok(mut file) = program.shell.create(path) {
            let _ = writeln!(file, "{id}");
            let _ = file.flush();
        }
    }
    let file = options
        .log_file
        .as_ref()
        .filter(|path| *path != "-")
        .and_then(|path| program.shell.create(path).ok());
    let to_error = options.debug || options.log_file.as_deref() == Some("-");
    let mut log = Log { to_error, file };
    let zone = zone(program, &options);
    let mut running = Running { zone, dhcp: Server::new(&options, program), options };
    running.greet(program, &mut log);
    let code = running.serve(program, &mut sockets, &mut log);
    sockets.close(program);
    code
}

/// What the command line says of names.
fn zone(program: &mut Program<'_>, options: &Options) -> Zone {
    let mut zone = Zone::new(response::REFUSED);
    zone.authoritative = true;
    zone.ttl = options.local_ttl;
    zone.local.clone_from(&options.local);
    for path in &options.hosts_files {
        let mut text = String::new();
        if let Ok(file) = program.shell.open(path) {
            // What cannot be read has no names.
            let _ = file.take(4 << 20).read_to_string(&mut text);
        }
        for line in text.lines() {
            let mut words = line.split('#').next().unwrap_or("").split_whitespace();
            let Some(address) = words.next().and_then(|word| word.parse::<IpAddr>().ok()) else { continue };
            for (at, name) in words.enumerate() {
                add(&mut zone, name, address);
                if at == 0 {
                    zone.entry(&dns::reverse_name(address)).ptr = vec![name.to_owned()];
                }
                if let Some(domain) =
                    options.domain.as_ref().filter(|_| options.expands && !name.contains('.'))
                {
                    add(&mut zone, &format!("{name}.{domain}"), address);
                }
            }
        }
    }
    for (names, addresses) in &options.records {
        for address in addresses {
            for name in names {
                add(&mut zone, name, *address);
            }
            if let Some(name) = names.first() {
                let entry = zone.entry(&dns::reverse_name(*address));
                if entry.ptr.is_empty() {
                    entry.ptr.push(name.clone());
                }
            }
        }
    }
    for (name, address) in &options.addresses {
        match address {
            // `#` stands for every name.
            Some(address) => zone.domain(if name == "#" { "" } else { name }).push(*address),
            None => zone.local.push(name.clone()),
        }
    }
    for (alias, target) in &options.aliases {
        zone.entry(alias).alias = Some(target.clone());
    }
    for (name, target) in &options.pointers {
        zone.entry(name).ptr.push(target.clone());
    }
    for (name, target, rank) in &options.mail {
        zone.entry(name).mx.push((*rank, target.clone()));
    }
    for (name, text) in &options.texts {
        zone.entry(name).txt.push(text.clone().into_bytes());
    }
    zone
}

fn add(zone: &mut Zone, name: &str, address: IpAddr) {
    let entry = zone.entry(name);
    match address {
        IpAddr::V4(address) if !entry.a.contains(&address) => entry.a.push(address),
        IpAddr::V6(address) if !entry.aaaa.contains(&address) => entry.aaaa.push(address),
        _ => {}
    }
}

/// The addresses of this host's devices that it listens on.
fn own_addresses(program: &mut Program<'_>, options: &Options) -> Result<Vec<Own>, Errno> {
    let devices = Interfaces::dump(program.system).map_err(|failure| failure.errno)?;
    let mut request = AddressMessage::default();
    request.header.family = AddressFamily::Inet;
    let answer = transact(program.system, &Message::GetAddress(request), NLM_F_DUMP);
    let mut own = Vec::new();
    for message in answer.map_err(|failure| failure.errno)? {
        let Message::NewAddress(message) = message else { continue };
        let address = message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Local(IpAddr::V4(address)) => Some(*address),
            _ => None,
        });
        let device = devices.by_index(message.header.index).map(|device| device.name().to_owned());
        let (Some(address), Some(device)) = (address, device) else { continue };
        if options.listens_on(&device, address.into()) {
            let (ifindex, prefix_len) = (message.header.index, message.header.prefix_len);
            own.push(Own { device, ifindex, address, prefix_len });
        }
    }
    Ok(own)
}

/// The IPv6 addresses that it listens on; one that is tried out still is not bound to, as on Linux.
fn addresses6(program: &mut Program<'_>, options: &Options) -> Vec<Ipv6Addr> {
    let Ok(devices) = Interfaces::dump(program.system) else { return Vec::new() };
    let mut request = AddressMessage::default();
    request.header.family = AddressFamily::Inet6;
    let answer = transact(program.system, &Message::GetAddress(request), NLM_F_DUMP).unwrap_or_default();
    let mut own = Vec::new();
    for message in answer {
        let Message::NewAddress(message) = message else { continue };
        let address = message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Address(IpAddr::V6(address)) => Some(*address),
            _ => None,
        });
        let Some(device) = devices.by_index(message.header.index) else { continue };
        // A link-local one says nothing without its device, which the answers would need too.
        let usable = |address: &Ipv6Addr| {
            !address.is_unicast_link_local() && options.listens_on(device.name(), (*address).into())
        };
        own.extend(address.filter(usable));
    }
    own
}

/// The sockets it serves.
struct Sockets {
    dns: server::Sockets,
    /// By device.
    dhcp: BTreeMap<Fd, Own>,
    /// For the question whether an address is in use.
    echo: Option<Fd>,
}

impl Sockets {
    fn open(program: &mut Program<'_>, options: &Options) -> Result<Sockets, String> {
        let own = own_addresses(program, options)
            .map_err(|errno| format!("failed to find list of interfaces: {}", errno.text()))?;
        for wanted in &options.interfaces {
            let known =
                Interfaces::dump(program.system).is_ok_and(|devices| devices.by_name(wanted).is_some());
            if !known {
                return Err(format!("unknown interface {wanted}"));
            }
        }
        let mut sockets = Sockets { dns: server::Sockets::default(), dhcp: BTreeMap::new(), echo: None };
        if options.port != 0 {
            let mut places: Vec<IpAddr> = vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
            if options.binds {
                places = own.iter().map(|own| own.address.into()).collect();
                places.extend(addresses6(program, options).into_iter().map(IpAddr::V6));
            }
            for address in places {
                sockets.dns.open(program.system, address, options.port).map_err(|errno| {
                    match address.is_unspecified() {
                        true => format!(
                            "failed to create listening socket for port {}: {}",
                            options.port,
                            errno.text()
                        ),
                        false => format!("failed to create listening socket for {address}: {}", errno.text()),
                    }
                })?;
            }
        }
        if !options.ranges.is_empty() {
            for own in own {
                if own.device == "lo" || sockets.dhcp.values().any(|known| known.device == own.device) {
                    continue;
                }
                let socket = dhcp_socket(program, &own.device);
                let socket =
                    socket.map_err(|errno| format!("failed to bind DHCP server socket: {}", errno.text()))?;
                sockets.dhcp.insert(socket, own);
            }
            sockets.echo = program.system.socket(SocketKind::RawIpv4 { protocol: 1 }).ok();
        }
        Ok(sockets)
    }

    fn close(&mut self, program: &mut Program<'_>) {
        self.dns.close(program.system);
        for socket in self.dhcp.keys().chain(&self.echo) {
            let _ = program.system.close(*socket);
        }
    }
}

fn dhcp_socket(program: &mut Program<'_>, device: &str) -> Result<Fd, Errno> {
    let socket = program.system.socket(SocketKind::UdpIpv4)?;
    let option = |option: SocketOption, program: &mut Program<'_>| program.system.set_option(socket, option);
    option(SocketOption::ReuseAddress(true), program).or(Ok(()))?;
    option(SocketOption::Broadcast(true), program)?;
    option(SocketOption::BindToDevice(device.to_owned()), program)?;
    option(SocketOption::Tos(0xc0), program)?;
    option(SocketOption::PathMtuDiscovery(hairpin_netlink::PathMtuDiscovery::Dont), program)?;
    let own = Address::Ipv4 { address: Ipv4Addr::UNSPECIFIED, port: crate::dhcp::SERVER_PORT };
    program.system.bind(socket, own)?;
    Ok(socket)
}

struct Running {
    options: Options,
    zone: Zone,
    dhcp: Server,
}

impl Running {
    fn greet(&self, program: &mut Program<'_>, log: &mut Log) {
        if self.options.port == 0 {
            log.say(program, &format!("dnsmasq: started, version {VERSION} DNS disabled"));
        } else {
            log.say(program, &format!("dnsmasq: started, version {VERSION} cachesize 150"));
        }
        for range in &self.options.ranges {
            let text = format!(
                "dnsmasq-dhcp: DHCP, IP range {} -- {}, lease time {}",
                range.first,
                range.last,
                dhcp::time_text(range.time_s)
            );
            log.say(program, &text);
        }
    }

    fn serve(&mut self, program: &mut Program<'_>, sockets: &mut Sockets, log: &mut Log) -> i32 {
        loop {
            let until = self.dhcp.next_deadline();
            // While an address is tried out nobody else is served (`delay_dhcp`).
            let (mut reading, writing) = sockets.dns.watched();
            reading.extend(&sockets.echo);
            if until.is_none() {
                reading.extend(sockets.dhcp.keys());
            }
            match program.system.wait_for(&reading, &writing, until, false) {
                Ok(_) => {}
                Err(Errno::EINTR) if program.shell.take_signal().is_some() => {
                    log.say(program, "dnsmasq: exiting on receipt of SIGTERM");
                    return 0;
                }
                Err(Errno::EINTR) => {}
                Err(_) => return 1,
            }
            self.answer_names(program, &mut sockets.dns, log);
            if let Some(echo) = sockets.echo {
                self.dhcp.take_echoes(program, echo);
            }
            for (socket, own) in &sockets.dhcp {
                if self.dhcp.next_deadline().is_some() {
                    break;
                }
                let items = program.system.receive(*socket, 1).unwrap_or_default();
                for item in items {
                    let Received::Datagram { data, .. } = item else { continue };
                    if let Some(message) = crate::dhcp::Message::parse(&data) {
                        self.dhcp.receive(program, (*socket, own, sockets.echo), &message, log);
                    }
                }
            }
            self.dhcp.send_due(program, log);
            for (name, address) in self.dhcp.take_names() {
                let full = self.options.domain.as_ref().map(|domain| format!("{name}.{domain}"));
                self.zone.entry(&dns::reverse_name(address.into())).ptr =
                    vec![full.clone().unwrap_or_else(|| name.clone())];
                for name in std::iter::once(name).chain(full) {
                    self.zone.entry(&name).a = vec![address];
                }
            }
        }
    }

    fn answer_names(&mut self, program: &mut Program<'_>, sockets: &mut server::Sockets, log: &mut Log) {
        for question in sockets.take(program.system) {
            let Some(reply) = self.zone.answer(&question.message) else { continue };
            if self.options.log_queries
                && let Some(asked) = question.message.questions.first()
            {
                let kind = crate::dns::type_text(asked.kind);
                let from = match question.from {
                    Address::Ipv4 { address, .. } => IpAddr::V4(address),
                    Address::Ipv6 { address, .. } => IpAddr::V6(address),
                    Address::Link { .. } | Address::Can { .. } => continue,
                };
                log.say(program, &format!("dnsmasq: query[{kind}] {} from {from}", asked.name));
            }
            sockets.reply(program.system, &question, &reply);
        }
    }
}
