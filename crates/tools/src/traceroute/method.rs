//! How probes are sent and answers matched: UDP with a socket a probe, ICMP with one for all.

use hairpin_netlink::{Address, Errno, Fd, PathMtuDiscovery, SocketKind, SocketOption};
use hairpin_wire::smol::{Icmpv4Message, Icmpv4Packet};

use super::options::{Method, Options};
use super::probe::Probe;
use super::{Exit, failed};
use crate::Program;

const IPPROTO_ICMP: u8 = 1;
const ICMP_HEADER_LEN: usize = 8;

/// What sending needs to know from one probe to the next.
pub(super) struct Sender {
    method: Method,
    /// The one socket of ICMP.
    pub shared: Option<Fd>,
    pub ident: u16,
    /// Port or sequence number of the next probe.
    next: u16,
    ttl: Option<u8>,
}

impl Sender {
    /// Opens the shared socket where the method has one.
    pub fn new(program: &mut Program<'_>, options: &Options) -> Result<Self, Exit> {
        let mut sender = Sender {
            method: options.method,
            shared: None,
            ident: (program.shell.process_id() & 0xffff) as u16,
            next: options.port,
            ttl: None,
        };
        if options.method == Method::Icmp {
            let fd = open(program, options, SocketKind::RawIpv4 { protocol: IPPROTO_ICMP })?;
            let target = Address::Ipv4 { address: options.target, port: 0 };
            program.system.connect(fd, target).map_err(|errno| failed(program, "connect", errno))?;
            set(program, fd, SocketOption::ReceiveErrors(true), "setsockopt IP_RECVERR")?;
            sender.shared = Some(fd);
        }
        Ok(sender)
    }

    /// Sends a probe; leaves it unsent where the kernel has no room for it at the moment.
    pub fn send(
        &mut self,
        program: &mut Program<'_>,
        options: &Options,
        probe: &mut Probe,
        ttl: usize,
    ) -> Result<(), Exit> {
        let ttl = u8::try_from(ttl).unwrap_or(u8::MAX);
        let data: Vec<u8> = (0..options.data_len).map(|at| 0x40 + (at & 0x3f) as u8).collect();
        match self.shared {
            Some(fd) => self.send_icmp(program, fd, data, probe, ttl),
            None => self.send_udp(program, options, data, probe, ttl),
        }
    }

    fn send_icmp(
        &mut self,
        program: &mut Program<'_>,
        fd: Fd,
        mut data: Vec<u8>,
        probe: &mut Probe,
        ttl: u8,
    ) -> Result<(), Exit> {
        if self.ttl != Some(ttl) {
            set(program, fd, SocketOption::Ttl(ttl), "setsockopt IP_TTL")?;
            self.ttl = Some(ttl);
        }
        let mut packet = Icmpv4Packet::new_unchecked(&mut data);
        packet.set_msg_type(Icmpv4Message::EchoRequest);
        packet.set_msg_code(0);
        packet.set_echo_ident(self.ident);
        packet.set_echo_seq_no(self.next);
        packet.fill_checksum();
        let now = time_s(program)?;
        if transmit(program, fd, data)? {
            probe.sent_s = Some(now);
            probe.sequence = self.next;
            self.next = self.next.wrapping_add(1);
        }
        Ok(())
    }

    fn send_udp(
        &mut self,
        program: &mut Program<'_>,
        options: &Options,
        data: Vec<u8>,
        probe: &mut Probe,
        ttl: u8,
    ) -> Result<(), Exit> {
        let fd = open(program, options, SocketKind::UdpIpv4)?;
        set(program, fd, SocketOption::Ttl(ttl), "setsockopt IP_TTL")?;
        let target = Address::Ipv4 { address: options.target, port: self.next };
        program.system.connect(fd, target).map_err(|errno| failed(program, "connect", errno))?;
        set(program, fd, SocketOption::ReceiveErrors(true), "setsockopt IP_RECVERR")?;
        let now = time_s(program)?;
        if !transmit(program, fd, data)? {
            let _ = program.system.close(fd);
            return Ok(());
        }
        probe.sent_s = Some(now);
        probe.socket = Some(fd);
        probe.sequence = self.next;
        if self.method == Method::Default {
            self.next = self.next.wrapping_add(1);
        }
        Ok(())
    }

    /// The place of the probe that a packet answers, or that an error quotes; `peer` is where the packet came
    /// from, or where the probe went.
    pub fn find(
        &self,
        probes: &[Probe],
        fd: Fd,
        is_error: bool,
        peer: Address,
        data: &[u8],
    ) -> Option<usize> {
        if self.shared != Some(fd) {
            let Address::Ipv4 { port, .. } = peer else { return None };
            return probes.iter().position(|probe| probe.socket == Some(fd) && probe.sequence == port);
        }
        // A raw socket gets packets with their IPv4 header, errors without.
        let first = data.first().copied().unwrap_or(0);
        let header_len = if is_error { 0 } else { usize::from(first & 15) * 4 };
        let packet = Icmpv4Packet::new_checked(data.get(header_len..)?.get(..ICMP_HEADER_LEN)?).ok()?;
        // The raw socket hears errors as packets, too: those count when they come over the error queue.
        let fits =
            packet.echo_ident() == self.ident && (is_error || packet.msg_type() == Icmpv4Message::EchoReply);
        let sequence = packet.echo_seq_no();
        probes.iter().position(|probe| fits && probe.awaits(sequence))
    }
}

/// Opens a socket with the options that both methods share.
fn open(program: &mut Program<'_>, options: &Options, kind: SocketKind) -> Result<Fd, Exit> {
    let fd = program.system.socket(kind).map_err(|errno| failed(program, "socket", errno))?;
    if options.mark != 0 {
        set(program, fd, SocketOption::Mark(options.mark), "setsockopt SO_MARK")?;
    }
    if !options.ip_options.is_empty() {
        let route = SocketOption::IpOptions(options.ip_options.clone());
        set(program, fd, route, "setsockopt IP_OPTIONS")?;
    }
    if let Some(device) = &options.device {
        let device = SocketOption::BindToDevice(device.clone());
        set(program, fd, device, "setsockopt SO_BINDTODEVICE")?;
    }
    let address = options.source.unwrap_or(std::net::Ipv4Addr::UNSPECIFIED);
    let own = Address::Ipv4 { address, port: options.source_port };
    program.system.bind(fd, own).map_err(|errno| failed(program, "bind", errno))?;
    let discovery = if options.dont_fragment { PathMtuDiscovery::Probe } else { PathMtuDiscovery::Dont };
    set(program, fd, SocketOption::PathMtuDiscovery(discovery), "setsockopt IP_MTU_DISCOVER")?;
    if options.tos != 0 {
        set(program, fd, SocketOption::Tos(options.tos), "setsockopt IP_TOS")?;
    }
    if options.dont_route {
        set(program, fd, SocketOption::DontRoute(true), "setsockopt SO_DONTROUTE")?;
    }
    Ok(fd)
}

fn set(program: &mut Program<'_>, fd: Fd, option: SocketOption, call: &str) -> Result<(), Exit> {
    program.system.set_option(fd, option).map_err(|errno| failed(program, call, errno))
}

/// Whether the packet has left; one that is too long counts as sent, the error queue says more of it.
fn transmit(program: &mut Program<'_>, fd: Fd, data: Vec<u8>) -> Result<bool, Exit> {
    match program.system.send(fd, data, None) {
        Ok(_) | Err(Errno::EMSGSIZE) => Ok(true),
        Err(Errno::ENOBUFS | Errno::EAGAIN) => Ok(false),
        Err(errno) => Err(failed(program, "send", errno)),
    }
}

/// The time of day, cut to microseconds as `gettimeofday` gives it.
pub(super) fn time_s(program: &mut Program<'_>) -> Result<f64, Exit> {
    match program.system.now() {
        Ok(now) => Ok(micros_s(now.realtime_ns)),
        Err(errno) => Err(failed(program, "gettimeofday", errno)),
    }
}

/// Nanoseconds as seconds, cut to microseconds.
pub(super) fn micros_s(ns: u64) -> f64 {
    let micros = ns / 1000;
    (micros % 1_000_000) as f64 / 1e6 + (micros / 1_000_000) as f64
}
