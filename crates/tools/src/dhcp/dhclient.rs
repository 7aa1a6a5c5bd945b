//! `dhclient`, as ISC DHCP 4.4.3 with Debian's configuration has it, for IPv4.
//!
//! Deliberate gaps: no configuration file, no script of one's own; the lease is renewed by a process in the background only
//! where `-d` keeps this one in the foreground.

use std::io::Read as _;
use std::net::Ipv4Addr;

use hairpin_netlink::Errno;

use super::client::{self, Lease, Link, Style};
use super::{Kind, Message, mac_text, option};
use crate::Program;
use crate::calendar::Date;
use crate::resolver::stub::identifier;

const NS_PER_S: u64 = 1_000_000_000;
const STYLE: Style = Style { tos: 0x10, ttl: 128 };
/// How long servers are looked for (`timeout` of Debian's dhclient.conf), seconds.
const TIMEOUT_S: u64 = 300;
/// Where leases are kept.
const LEASES: &str = "/var/lib/dhcp/dhclient.leases";
/// What is asked for.
const PARAMETERS: &[u8] = &[
    option::MASK,
    option::BROADCAST,
    option::TIME_OFFSET,
    option::ROUTER,
    option::DOMAIN,
    option::DNS,
    option::SEARCH,
    option::HOST_NAME,
    option::NETBIOS_SERVER,
    option::NETBIOS_SCOPE,
    option::MTU,
    option::ROUTES,
    option::NTP,
];

const BANNER: &str = "Internet Systems Consortium DHCP Client 4.4.3-P1
Copyright 2004-2022 Internet Systems Consortium.
All rights reserved.
For info, please visit https://www.isc.org/software/dhcp/

";

#[derive(Clone, Debug, Default)]
struct Options {
    verbose: bool,
    quiet: bool,
    once: bool,
    release: bool,
    stop: bool,
    foreground: bool,
    leases: Option<String>,
    /// A script of one's own does what a lease asks for: the device is left alone.
    script: bool,
    interfaces: Vec<String>,
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let options = match read_options(program) {
        Ok(options) => options,
        Err(code) => return code,
    };
    say(program, &options, BANNER);
    let mut code = 0;
    for interface in &options.interfaces {
        let outcome = match options.release || options.stop {
            true => release(program, &options, interface),
            false => acquire(program, &options, interface),
        };
        code = outcome.max(code);
    }
    code
}

fn read_options(program: &mut Program<'_>) -> Result<Options, i32> {
    let mut options = Options::default();
    let mut words = program.args.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-v" => options.verbose = true,
            "-q" => options.quiet = true,
            "-1" => options.once = true,
            "-r" => options.release = true,
            "-x" => options.stop = true,
            "-d" => (options.foreground, options.verbose) = (true, true),
            "-4" | "-nw" | "-w" | "--no-pid" | "-I" => {}
            "-lf" => options.leases = words.next().cloned(),
            "-sf" => {
                options.script = true;
                words.next();
            }
            "-pf" | "-cf" | "-p" | "-e" | "-s" | "-g" => {
                words.next();
            }
            "--version" => {
                let _ = writeln!(program.shell.err(), "isc-dhclient-4.4.3-P1");
                return Err(0);
            }
            other if other.starts_with('-') => {
                let text = "Usage: dhclient [-4] [-1dvrxq] [-nw] [-lf lease-file] [interface]*";
                let _ = writeln!(program.shell.err(), "{BANNER}Unknown command: {other}\n{text}\n\nexiting.");
                return Err(1);
            }
            name => options.interfaces.push(name.to_owned()),
        }
    }
    if options.interfaces.is_empty() {
        // Every device that can broadcast.
        let devices = crate::interfaces::Interfaces::dump(program.system);
        let devices = devices.map_err(|_| 1)?;
        let fits = |flags: u32| flags & crate::interfaces::IFF_BROADCAST != 0;
        options.interfaces = devices
            .iter()
            .filter(|device| fits(device.flags()))
            .map(|device| device.name().to_owned())
            .collect();
    }
    Ok(options)
}

fn say(program: &mut Program<'_>, options: &Options, text: &str) {
    if options.verbose && !options.quiet {
        let _ = program.shell.err().write_all(text.as_bytes());
    }
}

fn now(program: &mut Program<'_>) -> u64 {
    program.system.now().map_or(0, |now| now.monotonic_ns)
}

fn xid(program: &mut Program<'_>) -> u32 {
    u32::from(identifier(program)) << 16 | u32::from(identifier(program).rotate_left(5))
}

fn open(program: &mut Program<'_>, options: &Options, interface: &str) -> Result<Link, i32> {
    match Link::open(program, interface) {
        Ok(link) => {
            let mac = mac_text(&link.mac);
            say(
                program,
                options,
                &format!(
                    "Listening on LPF/{interface}/{mac}\nSending on   LPF/{interface}/{mac}\nSending on   \
                     Socket/fallback\n"
                ),
            );
            Ok(link)
        }
        Err(Errno::ENODEV) => {
            let _ = writeln!(program.shell.err(), "Cannot find device \"{interface}\"");
            Err(1)
        }
        Err(errno) => {
            let _ = writeln!(program.shell.err(), "Open a socket for LPF: {}", errno.text());
            Err(1)
        }
    }
}

/// A request with what goes into each of them, but for the type and what comes right behind it.
fn request(
    program: &mut Program<'_>,
    kind: Kind,
    xid: u32,
    mac: [u8; 6],
    more: &[(u8, Ipv4Addr)],
) -> Message {
    let mut message = Message::request(kind, xid, mac);
    for (code, address) in more {
        message.push(*code, address.octets().to_vec());
    }
    if let Some(name) = host_name(program) {
        message.push(option::HOST_NAME, name.into_bytes());
    }
    if kind != Kind::Release {
        message.push(option::PARAMETERS, PARAMETERS.to_vec());
    }
    message
}

fn host_name(program: &mut Program<'_>) -> Option<String> {
    let mut name = String::new();
    program.shell.open("/etc/hostname").ok()?.take(256).read_to_string(&mut name).ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

fn acquire(program: &mut Program<'_>, options: &Options, interface: &str) -> i32 {
    // The script's part before there is a lease (`PREINIT`).
    let is_there = Link::open(program, interface).map(|link| link.close(program)).is_ok();
    if is_there && !options.script {
        client::run_ip(program, &format!("link set dev {interface} up"));
    }
    let link = match open(program, options, interface) {
        Ok(link) => link,
        Err(code) => return code,
    };
    let code = negotiate(program, options, &link);
    link.close(program);
    code
}

fn negotiate(program: &mut Program<'_>, options: &Options, link: &Link) -> i32 {
    let start = now(program);
    let number = xid(program);
    let mut interval = 3 + u64::from(number % 6);
    loop {
        let place = &link.name;
        say(
            program,
            options,
            &format!("DHCPDISCOVER on {place} to 255.255.255.255 port 67 interval {interval}\n"),
        );
        let discover = request(program, Kind::Discover, number, link.mac, &[]);
        if let Err(errno) = link.broadcast(program, &discover, STYLE) {
            let _ = writeln!(program.shell.err(), "send_packet: {}", errno.text());
        }
        let sent = now(program);
        let until = sent.saturating_add(interval.saturating_mul(NS_PER_S));
        match await_kind(program, link, number, until, &[Kind::Offer]) {
            Err(code) => return code,
            Ok(Some(offer)) => {
                if let Some(lease) = match select(program, options, link, number, &offer) {
                    Ok(lease) => lease,
                    Err(code) => return code,
                } {
                    return bind(program, options, link, &lease);
                }
            }
            Ok(None) => {}
        }
        if now(program).saturating_sub(start) >= TIMEOUT_S * NS_PER_S {
            say(program, options, "No DHCPOFFERS received.\n");
            if options.once {
                say(program, options, "Unable to obtain a lease on first try.  Exiting.\n");
                return 2;
            }
            say(program, options, "No working leases in persistent database - sleeping.\n");
            return 0;
        }
        // The interval grows by up to twice itself, to no more than `backoff-cutoff`.
        interval = (interval + u64::from(number >> 8) % (2 * interval)).min(15 + u64::from(number % 6));
    }
}

fn await_kind(
    program: &mut Program<'_>,
    link: &Link,
    number: u32,
    until: u64,
    kinds: &[Kind],
) -> Result<Option<Message>, i32> {
    loop {
        match link.receive(program, number, until) {
            Ok(Some(message)) if kinds.iter().any(|kind| client::is(&message, *kind)) => {
                return Ok(Some(message));
            }
            Ok(Some(_)) => {}
            Ok(None) => return Ok(None),
            Err(_) => return Err(1),
        }
    }
}

/// Takes an offer; nothing where the server thinks otherwise.
fn select(
    program: &mut Program<'_>,
    options: &Options,
    link: &Link,
    number: u32,
    offer: &Message,
) -> Result<Option<Lease>, i32> {
    let address = offer.yours;
    let server = offer.address(option::SERVER).unwrap_or(Ipv4Addr::UNSPECIFIED);
    say(program, options, &format!("DHCPOFFER of {address} from {server}\n"));
    for attempt in 0..4 {
        let place = &link.name;
        say(program, options, &format!("DHCPREQUEST for {address} on {place} to 255.255.255.255 port 67\n"));
        let more = [(option::SERVER, server), (option::REQUESTED, address)];
        let message = request(program, Kind::Request, number, link.mac, &more);
        let _ = link.broadcast(program, &message, STYLE);
        let until = now(program).saturating_add((4 << attempt) * NS_PER_S);
        let answer = await_kind(program, link, number, until, &[Kind::Ack, Kind::Nak])?;
        let Some(answer) = answer else { continue };
        let server = answer.address(option::SERVER).unwrap_or(server);
        if client::is(&answer, Kind::Nak) {
            say(program, options, &format!("DHCPNAK from {server}\n"));
            return Ok(None);
        }
        say(program, options, &format!("DHCPACK of {} from {server}\n", answer.yours));
        return Ok(Some(Lease::of(&answer)));
    }
    Ok(None)
}

/// What Debian's script does with a lease, and what is printed of it.
fn bind(program: &mut Program<'_>, options: &Options, link: &Link, lease: &Lease) -> i32 {
    let (name, address, length, time) = (&link.name, lease.address, lease.prefix_len(), lease.time);
    if !options.script {
        let broadcast = lease.broadcast.map(|address| format!(" broadcast {address}")).unwrap_or_default();
        let times = format!("valid_lft {time} preferred_lft {time}");
        let line = format!("-4 addr replace {address}/{length}{broadcast} {times} dev {name} label {name}");
        client::run_ip(program, &line);
        for router in &lease.routers {
            client::run_ip(program, &format!("-4 route replace default via {router} dev {name}"));
        }
        client::write_resolver(program, lease, true);
    }
    write_lease(program, options, name, lease);
    // A little earlier than the server asks for, by chance.
    let early = lease.renewal / 4 * u32::from(identifier(program) % 256) / 256;
    let renewal = lease.renewal - early;
    say(program, options, &format!("bound to {address} -- renewal in {renewal} seconds.\n"));
    if !options.foreground {
        return 0;
    }
    renew(program, options, link, lease, renewal)
}

/// Keeps a lease as long as its server does.
fn renew(program: &mut Program<'_>, options: &Options, link: &Link, lease: &Lease, first: u32) -> i32 {
    let mut lease = lease.clone();
    let mut renewal = first;
    loop {
        let until = now(program).saturating_add(u64::from(renewal).saturating_mul(NS_PER_S));
        match program.system.wait(&[], Some(until), false) {
            Ok(_) => {}
            Err(Errno::EINTR) if program.shell.take_signal().is_some() => return 0,
            Err(Errno::EINTR) => continue,
            Err(_) => return 1,
        }
        let (address, server) = (lease.address, lease.server);
        say(program, options, &format!("DHCPREQUEST for {address} on {} to {server} port 67\n", link.name));
        let number = xid(program);
        let mut message = request(program, Kind::Request, number, link.mac, &[]);
        message.client = address;
        let _ = client::send_unicast(program, address, server, &message);
        let until = now(program).saturating_add(10 * NS_PER_S);
        match await_kind(program, link, number, until, &[Kind::Ack, Kind::Nak]) {
            Err(_) => return 0,
            Ok(Some(answer)) if client::is(&answer, Kind::Ack) => {
                say(program, options, &format!("DHCPACK of {} from {server}\n", answer.yours));
                lease = Lease::of(&answer);
                renewal = lease.renewal;
                let (length, time) = (lease.prefix_len(), lease.time);
                let line = format!(
                    "-4 addr replace {address}/{length} valid_lft {time} preferred_lft {time} dev {}",
                    link.name
                );
                client::run_ip(program, &line);
                write_lease(program, options, &link.name, &lease);
            }
            Ok(Some(_)) => return negotiate(program, options, link),
            Ok(None) => renewal = (renewal / 2).max(60),
        }
    }
}

fn lease_file(options: &Options) -> String {
    options.leases.clone().unwrap_or_else(|| LEASES.to_owned())
}

/// Adds a lease to the file; a machine that has no place for it does without.
fn write_lease(program: &mut Program<'_>, options: &Options, interface: &str, lease: &Lease) {
    let path = lease_file(options);
    let mut text = read(program, &path);
    let wall = program.system.now().map_or(0, |now| now.realtime_ns / NS_PER_S);
    let date = |after: u32| {
        let date = Date::of(wall.saturating_add(after.into()));
        format!(
            "{} {}/{:02}/{:02} {:02}:{:02}:{:02}",
            date.weekday, date.year, date.month, date.day, date.hour, date.minute, date.second
        )
    };
    let list =
        |addresses: &[Ipv4Addr]| addresses.iter().map(Ipv4Addr::to_string).collect::<Vec<_>>().join(",");
    let mut lines = vec![
        format!("interface \"{interface}\""),
        format!("fixed-address {}", lease.address),
        format!("option subnet-mask {}", lease.mask),
    ];
    if !lease.routers.is_empty() {
        lines.push(format!("option routers {}", list(&lease.routers)));
    }
    lines.push(format!("option dhcp-lease-time {}", lease.time));
    lines.push("option dhcp-message-type 5".to_owned());
    if !lease.dns.is_empty() {
        lines.push(format!("option domain-name-servers {}", list(&lease.dns)));
    }
    lines.push(format!("option dhcp-server-identifier {}", lease.server));
    if let Some(domain) = &lease.domain {
        lines.push(format!("option domain-name \"{domain}\""));
    }
    lines.push(format!("renew {}", date(lease.renewal)));
    lines.push(format!("expire {}", date(lease.time)));
    text.push_str("lease {\n");
    for line in lines {
        text.push_str(&format!("  {line};\n"));
    }
    text.push_str("}\n");
    if let Ok(mut file) = program.shell.create(&path) {
        let _ = file.write_all(text.as_bytes());
        let _ = file.flush();
    }
}

fn read(program: &mut Program<'_>, path: &str) -> String {
    let mut text = String::new();
    if let Ok(file) = program.shell.open(path) {
        // What cannot be read was never written.
        let _ = file.take(1 << 20).read_to_string(&mut text);
    }
    text
}

/// The last lease of a device in the file: its address and its server.
fn last_lease(text: &str, interface: &str) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let named = format!("interface \"{interface}\";");
    let block = text.split("lease {").filter(|block| block.contains(&named)).last()?;
    let value = |key: &str| {
        let line = block.lines().map(str::trim).find_map(|line| line.strip_prefix(key))?;
        line.trim().trim_end_matches(';').parse().ok()
    };
    Some((value("fixed-address")?, value("option dhcp-server-identifier")?))
}

/// Gives a lease back (`-r`), or only forgets it (`-x`).
fn release(program: &mut Program<'_>, options: &Options, interface: &str) -> i32 {
    let link = match open(program, options, interface) {
        Ok(link) => link,
        Err(code) => return code,
    };
    let path = lease_file(options);
    let text = read(program, &path);
    if let Some((address, server)) = last_lease(&text, interface) {
        if options.release {
            say(program, options, &format!("DHCPRELEASE of {address} on {interface} to {server} port 67\n"));
            let number = xid(program);
            let mut message = request(program, Kind::Release, number, link.mac, &[(option::SERVER, server)]);
            message.client = address;
            let _ = client::send_unicast(program, address, server, &message);
        }
        // The script flushes what it has set.
        if !options.script {
            client::run_ip(program, &format!("-4 addr flush dev {interface} label {interface}"));
        }
        let kept: String = text
            .split_inclusive("}\n")
            .filter(|block| !block.contains(&format!("interface \"{interface}\";")))
            .collect();
        if let Ok(mut file) = program.shell.create(&path) {
            let _ = file.write_all(kept.as_bytes());
            let _ = file.flush();
        }
    }
    link.close(program);
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lease_of_a_device_counts() {
        let block = |name: &str, last: u8| {
            format!(
                "lease {{\n  interface \"{name}\";\n  fixed-address 10.0.0.{last};\n  option dhcp-server-identifier \
                 10.0.0.1;\n}}\n"
            )
        };
        let text = block("v1", 5) + &block("v2", 6) + &block("v1", 7);
        let server = Ipv4Addr::new(10, 0, 0, 1);
        assert_eq!(last_lease(&text, "v1"), Some((Ipv4Addr::new(10, 0, 0, 7), server)));
        assert_eq!(last_lease(&text, "v3"), None);
    }
}
