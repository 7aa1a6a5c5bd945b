//! `arping`, as iputils 20221126 runs.

mod packet;
#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;

use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::link::{LinkAttribute, LinkFlags, LinkMessage};
use hairpin_netlink::route::route::{RouteAddress, RouteAttribute, RouteMessage};
use hairpin_netlink::{
    Address, Errno, Fd, Message, PacketType, Received, SocketKind, SocketOption, codec, transact,
};

use crate::getopt::{Getopt, Item};
use crate::iputils::{self, Exit, complain, fail, failed, signed};
use crate::resolver::{self, inet_aton};
use crate::{Program, Signal};
use packet::{ARP_REPLY, ARP_REQUEST, Arp, ETHERTYPE_IPV4};

const USAGE: &str = "
Usage:
  arping [options] <destination>

Options:
  -f            quit on first reply
  -q            be quiet
  -b            keep on broadcasting, do not unicast
  -D            duplicate address detection mode
  -U            unsolicited ARP mode, update your neighbours
  -A            ARP answer mode, update your neighbours
  -V            print version and exit
  -c <count>    how many packets to send
  -w <timeout>  how long to wait for a reply
  -i <interval> set interval between packets (default: 1 second)
  -I <device>   which ethernet device to use
  -s <source>   source ip address
  <destination> dns name or ip address

For more details see arping(8).
";

const VERSION: &str = "arping from iputils 20221126
libcap: yes, IDN: yes, NLS: no, error.h: yes, getrandom(): yes, __fpending(): yes
";

const ETHERTYPE_ARP: u16 = 0x0806;
/// The port of the socket that only asks for a route.
const PROBE_PORT: u16 = 1025;
const NS_PER_SECOND: u64 = 1_000_000_000;

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let code = run(program).unwrap_or_else(|Exit(code)| code);
    iputils::close(program, code)
}

/// What the command line says. Times are in seconds; 0 is never.
#[derive(Default)]
struct Options {
    advertise: bool,
    broadcast_only: bool,
    count: i64,
    detect_duplicate: bool,
    device: Option<String>,
    interval_s: i64,
    quiet: bool,
    quit_on_reply: bool,
    source: Option<String>,
    timeout_s: i64,
    unsolicited: bool,
}

/// The device on which is asked.
struct Device {
    name: String,
    ifindex: u32,
    /// `ARPHRD_*`
    hardware: u16,
    mac: Vec<u8>,
    broadcast: Vec<u8>,
}

/// What has been counted.
#[derive(Default)]
struct Counts {
    sent: i64,
    broadcasts_sent: i64,
    received: i64,
    broadcasts_received: i64,
    requests_received: i64,
}

struct Session {
    options: Options,
    device: Device,
    fd: Fd,
    source: Ipv4Addr,
    target: Ipv4Addr,
    /// Where packets go: the broadcast address until somebody answers.
    peer: Vec<u8>,
    unicasting: bool,
    last_sent_ns: Option<u64>,
    counts: Counts,
}

fn run(program: &mut Program<'_>) -> Result<i32, Exit> {
    let args = program.args;
    let (options, target) = parse(program, args)?;
    let socket = program.system.socket(SocketKind::Packet { cooked: true, protocol: 0 });
    let fd = socket.map_err(|errno| failed(program, "socket", errno))?;
    let target = match inet_aton(target) {
        Some(address) => address,
        None => match resolver::lookup_ipv4(program, target) {
            Ok(host) => host.address,
            Err(why) => return Err(fail(program, 2, &format!("{target}: {}", why.text()))),
        },
    };
    let device = find_device(program, &options, target)?;
    let source = choose_source(program, &options, &device, target)?;
    let own = Address::Link { ifindex: device.ifindex, protocol: ETHERTYPE_ARP, mac: [0; 6] };
    program.system.bind(fd, own).map_err(|errno| failed(program, "bind", errno))?;
    let mut peer = device.broadcast.clone();
    if peer.len() != device.mac.len() {
        if !options.quiet {
            let _ = writeln!(program.shell.err(), "WARNING: using default broadcast address.");
        }
        peer = vec![0xff; device.mac.len()];
    }
    if !options.quiet {
        let _ = writeln!(program.shell.out(), "ARPING {target} from {source} {}", device.name);
    }
    if options.source.is_none() && source.is_unspecified() && !options.detect_duplicate {
        return Err(fail(program, 2, "no source address in not-DAD mode"));
    }
    let session = Session {
        options,
        device,
        fd,
        source,
        target,
        peer,
        unicasting: false,
        last_sent_ns: None,
        counts: Counts::default(),
    };
    session.run(program)
}

fn parse<'a>(program: &mut Program<'a>, args: &'a [String]) -> Result<(Options, &'a str), Exit> {
    let mut options = Options { count: -1, interval_s: 1, ..Options::default() };
    let mut getopt = Getopt::new(program.name, args, "h?bfDUAqc:w:i:s:I:V", &[]);
    let seconds = |program: &mut Program<'a>, value: &str| signed(program, value, 0, i32::MAX.into());
    while let Some(item) = getopt.next() {
        match item {
            Item::Option('b', _) => options.broadcast_only = true,
            Item::Option('D', _) => {
                options.detect_duplicate = true;
                options.quit_on_reply = true;
            }
            Item::Option('U', _) => options.unsolicited = true,
            Item::Option('A', _) => {
                options.advertise = true;
                options.unsolicited = true;
            }
            Item::Option('q', _) => options.quiet = true,
            Item::Option('f', _) => options.quit_on_reply = true,
            Item::Option('c', Some(value)) => options.count = signed(program, value, 1, i32::MAX.into())?,
            Item::Option('w', Some(value)) => options.timeout_s = seconds(program, value)?,
            Item::Option('i', Some(value)) => options.interval_s = seconds(program, value)?,
            Item::Option('I', Some(value)) => {
                options.device = Some(value.to_owned()).filter(|name| !name.is_empty());
            }
            Item::Option('s', Some(value)) => options.source = Some(value.to_owned()),
            Item::Option('V', _) => {
                let _ = program.shell.out().write_all(VERSION.as_bytes());
                return Err(Exit(0));
            }
            Item::Option(..) => return Err(usage(program)),
            Item::Error(text) => {
                let _ = writeln!(program.shell.err(), "{text}");
                return Err(usage(program));
            }
        }
    }
    match getopt.operands()[..] {
        [target] => Ok((options, target)),
        _ => Err(usage(program)),
    }
}

fn usage(program: &mut Program<'_>) -> Exit {
    let _ = program.shell.err().write_all(USAGE.as_bytes());
    Exit(2)
}

/// The device of `-I`, else the one to which the route to the target leads.
fn find_device(program: &mut Program<'_>, options: &Options, target: Ipv4Addr) -> Result<Device, Exit> {
    let links = transact(program.system, &Message::GetLink(LinkMessage::default()), codec::NLM_F_DUMP)
        .map_err(|failure| failed(program, "getifaddrs", failure.errno))?;
    let mut links = links.iter().filter_map(|message| match message {
        Message::NewLink(link) => Some(link),
        _ => None,
    });
    let link = match &options.device {
        Some(wanted) => links.find(|link| name_of(link) == Some(wanted)),
        None => {
            let ifindex = outgoing(program, target)?;
            links.find(|link| link.header.index == ifindex)
        }
    };
    let name = link.and_then(name_of).or(options.device.as_deref()).unwrap_or("").to_owned();
    let Some(link) = link else {
        return Err(fail(program, 2, &format!("Device {name} not available.")));
    };
    let flags = link.header.flags;
    if !flags.contains(LinkFlags::Up) {
        return Err(tell(program, options, 2, &format!("Interface \"{name}\" is down")));
    }
    // In duplicate address detection a device without ARP has no duplicates.
    let code = if options.detect_duplicate { 0 } else { 2 };
    if flags.intersects(LinkFlags::Noarp | LinkFlags::Loopback) {
        return Err(tell(program, options, code, &format!("Interface \"{name}\" is not ARPable")));
    }
    let (mut mac, mut broadcast) = (Vec::new(), None);
    for attribute in &link.attributes {
        match attribute {
            LinkAttribute::Address(bytes) => mac.clone_from(bytes),
            LinkAttribute::Broadcast(bytes) => broadcast = Some(bytes.clone()),
            _ => {}
        }
    }
    let Some(broadcast) = broadcast.filter(|_| !mac.is_empty()) else {
        return Err(fail(program, 2, &format!("Device {name} not available.")));
    };
    // A packet socket's address has room for six bytes here.
    if mac.len() > 6 {
        let text = format!("Interface \"{name}\": hairpin has no link addresses of {} bytes", mac.len());
        return Err(tell(program, options, 2, &text));
    }
    let hardware = link.header.link_layer_type.into();
    Ok(Device { name, ifindex: link.header.index, hardware, mac, broadcast })
}

fn name_of(link: &LinkMessage) -> Option<&str> {
    link.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.as_str()),
        _ => None,
    })
}

/// Says on standard output why it ends, unless it is to be quiet.
fn tell(program: &mut Program<'_>, options: &Options, code: i32, text: &str) -> Exit {
    if !options.quiet {
        let _ = writeln!(program.shell.out(), "{text}");
    }
    Exit(code)
}

/// The device of the route to `target` (`RTM_GETROUTE`).
fn outgoing(program: &mut Program<'_>, target: Ipv4Addr) -> Result<u32, Exit> {
    let mut request = RouteMessage::default();
    request.header.address_family = AddressFamily::Inet;
    request.header.destination_prefix_length = 32;
    request.attributes.push(RouteAttribute::Destination(RouteAddress::Inet(target)));
    let Ok(found) = transact(program.system, &Message::GetRoute(request), 0) else {
        return Err(fail(program, 1, "NETLINK_ROUTE unexpected iov element"));
    };
    let devices = found.iter().filter_map(|message| match message {
        Message::NewRoute(route) => Some(&route.attributes),
        _ => None,
    });
    let device = devices.flatten().find_map(|attribute| match attribute {
        RouteAttribute::Oif(ifindex) => Some(*ifindex),
        _ => None,
    });
    device.ok_or_else(|| fail(program, 2, "Suitable device could not be determined. Please, use option -I."))
}

/// The address of `-s`, the target's own where it is announced, else what the kernel takes.
fn choose_source(
    program: &mut Program<'_>,
    options: &Options,
    device: &Device,
    target: Ipv4Addr,
) -> Result<Ipv4Addr, Exit> {
    let given = match &options.source {
        None => None,
        Some(text) => match inet_aton(text) {
            Some(address) => Some(address),
            None => return Err(fail(program, 2, &format!("invalid source {text}"))),
        },
    };
    if options.detect_duplicate && given.is_none() {
        return Ok(Ipv4Addr::UNSPECIFIED);
    }
    let announced = options.unsolicited && !options.detect_duplicate;
    let source = given.or(announced.then_some(target)).unwrap_or(Ipv4Addr::UNSPECIFIED);

    let probe = program.system.socket(SocketKind::UdpIpv4);
    let probe = probe.map_err(|errno| failed(program, "socket", errno))?;
    let bound = program.system.set_option(probe, SocketOption::BindToDevice(device.name.clone()));
    if let Err(errno) = bound {
        complain(program, &format!("WARNING: interface is ignored: {errno}"));
    }
    let chosen = if given.is_some() || !source.is_unspecified() {
        // Only to learn whether the address is one of this host.
        let own = program.system.bind(probe, Address::Ipv4 { address: source, port: 0 });
        own.map_err(|errno| failed(program, "bind", errno))?;
        source
    } else if options.detect_duplicate || options.unsolicited {
        source
    } else {
        if let Err(errno) = program.system.set_option(probe, SocketOption::DontRoute(true)) {
            complain(program, &format!("WARNING: setsockopt(SO_DONTROUTE): {errno}"));
        }
        let to = Address::Ipv4 { address: target, port: PROBE_PORT };
        program.system.connect(probe, to).map_err(|errno| failed(program, "connect", errno))?;
        match program.system.local_address(probe) {
            Ok(Address::Ipv4 { address, .. }) => address,
            Ok(_) => return Err(failed(program, "getsockname", Errno::EAFNOSUPPORT)),
            Err(errno) => return Err(failed(program, "getsockname", errno)),
        }
    };
    let _ = program.system.close(probe);
    Ok(chosen)
}

impl Session {
    /// Asks every interval until the count, the timeout, an answer or a signal ends it.
    fn run(mut self, program: &mut Program<'_>) -> Result<i32, Exit> {
        let start = monotonic(program)?;
        let interval_ns = seconds_ns(self.options.interval_s);
        let mut timer = (interval_ns > 0).then(|| start.saturating_add(interval_ns));
        let timeout_ns = seconds_ns(self.options.timeout_s);
        let timeout = (timeout_ns > 0).then(|| start.saturating_add(timeout_ns));
        let mut rounds = 1;
        let mut code = 0;
        self.send(program)?;
        let ends_by_itself = (self.options.count > 0 && timer.is_some()) || timeout.is_some();
        loop {
            if program.shell.take_signal().is_some_and(ends) {
                break;
            }
            let until = [timer, timeout].into_iter().flatten().min();
            let ready = match program.system.wait(&[self.fd], until, ends_by_itself) {
                Ok(ready) => !ready.is_empty(),
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(failed(program, "poll failed", errno)),
            };
            let now = monotonic(program)?;
            let mut done = false;
            if let Some(due) = timer.filter(|due| *due <= now) {
                let missed = (now - due) / interval_ns.max(1) + 1;
                timer = Some(due.saturating_add(missed.saturating_mul(interval_ns)));
                rounds += i64::try_from(missed).unwrap_or(i64::MAX);
                if self.options.count > 0 && self.options.count < rounds {
                    done = true;
                } else {
                    self.send(program)?;
                }
            }
            done |= timeout.is_some_and(|end| end <= now);
            if ready {
                match program.system.receive(self.fd, 1) {
                    Ok(items) => {
                        for item in items {
                            done |= self.receive(program, item)?;
                        }
                    }
                    Err(errno) => {
                        complain(program, &format!("recvfrom: {errno}"));
                        code = if errno == Errno::ENETDOWN { 2 } else { code };
                    }
                }
            }
            if done {
                break;
            }
        }
        Ok(code | self.finish(program))
    }

    fn send(&mut self, program: &mut Program<'_>) -> Result<(), Exit> {
        let now = monotonic(program)?;
        let hardware = self.device.hardware;
        let operation = if self.options.advertise { ARP_REPLY } else { ARP_REQUEST };
        let mut packet = Vec::new();
        packet.extend(hardware.to_be_bytes());
        packet.extend(ETHERTYPE_IPV4.to_be_bytes());
        packet.extend([self.device.mac.len() as u8, 4]);
        packet.extend(operation.to_be_bytes());
        packet.extend(&self.device.mac);
        packet.extend(self.source.octets());
        packet.extend(if self.options.advertise { &self.device.mac } else { &self.peer });
        packet.extend(self.target.octets());
        let length = packet.len();
        let mut mac = [0; 6];
        for (place, byte) in mac.iter_mut().zip(&self.peer) {
            *place = *byte;
        }
        let to = Address::Link { ifindex: self.device.ifindex, protocol: ETHERTYPE_ARP, mac };
        // A packet that cannot leave is not counted, and nothing is said of it.
        if program.system.send(self.fd, packet, Some(to)) == Ok(length) {
            self.last_sent_ns = Some(now);
            self.counts.sent += 1;
            self.counts.broadcasts_sent += i64::from(!self.unicasting);
        }
        Ok(())
    }

    /// Looks at a packet; whether it was the last one wanted.
    fn receive(&mut self, program: &mut Program<'_>, item: Received) -> Result<bool, Exit> {
        let Received::Frame { data, packet_type, hardware, .. } = item else { return Ok(false) };
        let now = monotonic(program)?;
        let Some(packet) = Arp::parse(&data, self.device.mac.len()) else { return Ok(false) };
        let is_for_us =
            matches!(packet_type, PacketType::Host | PacketType::Broadcast | PacketType::Multicast);
        if !is_for_us || packet.hardware != hardware || !self.is_wanted(&packet) {
            return Ok(false);
        }
        if !self.options.quiet {
            let line = self.describe(&packet, packet_type, now);
            let _ = writeln!(program.shell.out(), "{line}");
            let _ = program.shell.out().flush();
        }
        let counts = &mut self.counts;
        counts.received += 1;
        if self.options.timeout_s > 0 && counts.received == self.options.count {
            return Ok(true);
        }
        counts.broadcasts_received += i64::from(packet_type != PacketType::Host);
        counts.requests_received += i64::from(packet.operation == ARP_REQUEST);
        if self.options.quit_on_reply || (self.options.count == 0 && counts.received == counts.sent) {
            return Ok(true);
        }
        if !self.options.broadcast_only {
            self.peer = packet.sender_mac.to_vec();
            self.unicasting = true;
        }
        Ok(false)
    }

    fn is_wanted(&self, packet: &Arp<'_>) -> bool {
        if packet.sender != self.target {
            return false;
        }
        if !self.options.detect_duplicate {
            return packet.target == self.source && packet.target_mac == self.device.mac;
        }
        // RFC 5227, 2.1.1: somebody else claims the address.
        let is_other = packet.sender_mac != self.device.mac;
        is_other && (self.source.is_unspecified() || packet.target == self.source)
    }

    fn describe(&self, packet: &Arp<'_>, packet_type: PacketType, now: u64) -> String {
        let cast = if packet_type == PacketType::Host { "Unicast" } else { "Broadcast" };
        let what = if packet.operation == ARP_REPLY { "reply" } else { "request" };
        let mut line = format!("{cast} {what} from {} [{}] ", packet.sender, hex(packet.sender_mac));
        let names_target = packet.target != self.source;
        if names_target {
            line.push_str(&format!("for {} ", packet.target));
        }
        if packet.target_mac != self.device.mac {
            if !names_target {
                line.push_str("for ");
            }
            line.push_str(&format!("[{}]", hex(packet.target_mac)));
        }
        line.push_str(&match self.last_sent_ns {
            None => " UNSOLICITED?".to_owned(),
            Some(last) => time_text(now.saturating_sub(last)),
        });
        line
    }

    fn finish(&self, program: &mut Program<'_>) -> i32 {
        let Counts { sent, broadcasts_sent, received, broadcasts_received, requests_received } = self.counts;
        if !self.options.quiet {
            let out = program.shell.out();
            let _ = writeln!(out, "Sent {sent} probes ({broadcasts_sent} broadcast(s))");
            let mut kinds = Vec::new();
            if requests_received != 0 {
                kinds.push(format!("{requests_received} request(s)"));
            }
            if broadcasts_received != 0 {
                kinds.push(format!("{broadcasts_received} broadcast(s)"));
            }
            let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
            let _ = writeln!(out, "Received {received} response(s){kinds}");
            let _ = out.flush();
        }
        let Options { detect_duplicate, unsolicited, quit_on_reply, timeout_s, count, .. } = self.options;
        let nothing = i32::from(received == 0);
        // Two rules, both applied, as in the real program.
        let first = match (detect_duplicate, unsolicited) {
            (true, _) => i32::from(received != 0),
            (false, true) => 0,
            (false, false) => nothing,
        };
        let second = if unsolicited {
            0
        } else if detect_duplicate && quit_on_reply {
            i32::from(broadcasts_sent == received)
        } else if timeout_s > 0 && count <= 0 {
            nothing
        } else {
            i32::from(sent != received)
        };
        first | second
    }
}

/// Ends on the signals that the real program reads from its descriptor: all of them.
fn ends(signal: Signal) -> bool {
    matches!(signal, Signal::Interrupt | Signal::Quit | Signal::Terminate)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// The time since the last request. iputils rounds the milliseconds and adds 500 microseconds to the rest:
/// 43 µs is ` 0.543ms`, 600 µs is ` 1.100ms`.
fn time_text(elapsed_ns: u64) -> String {
    let micros = (elapsed_ns + 500) / 1000;
    let millis = (micros + 500) / 1000;
    let rest = (micros + 500).saturating_sub(millis * 1000);
    format!(" {millis}.{rest:03}ms")
}

fn seconds_ns(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or(0).saturating_mul(NS_PER_SECOND)
}

fn monotonic(program: &mut Program<'_>) -> Result<u64, Exit> {
    match program.system.now() {
        Ok(now) => Ok(now.monotonic_ns),
        Err(errno) => Err(failed(program, "clock_gettime", errno)),
    }
}
