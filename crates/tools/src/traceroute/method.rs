//! How probes are sent and answers matched: UDP with a socket a probe, ICMP and TCP with one for all.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hairpin_netlink::{Address, Errno, Fd, PathMtuDiscovery, SocketKind, SocketOption};
use hairpin_wire::smol::{Icmpv4Message, Icmpv4Packet};

use super::options::{Method, Options, TCP_LEN};
use super::probe::Probe;
use super::{Exit, failed};
use crate::Program;

const IPPROTO_ICMP: u8 = 1;
const IPPROTO_TCP: u8 = 6;
const IPPROTO_ICMPV6: u8 = 58;
/// ICMPv6 types (RFC 4443).
const ECHO6: u8 = 128;
const ECHO_REPLY6: u8 = 129;
const ICMP_HEADER_LEN: usize = 8;

/// What sending needs to know from one probe to the next.
pub(super) struct Sender {
    method: Method,
    /// The one socket of ICMP or TCP.
    pub shared: Option<Fd>,
    pub ident: u16,
    /// Port or sequence number of the next probe.
    next: u16,
    ttl: Option<u8>,
    is_ipv6: bool,
}

impl Sender {
    /// Opens the shared socket where the method has one.
    pub fn new(program: &mut Program<'_>, options: &Options) -> Result<Self, Exit> {
        let mut sender = Sender {
            method: options.method,
            shared: None,
            ident: (program.shell.process_id() & 0xffff) as u16,
            next: match options.method {
                // A source port; each probe has its own.
                Method::Tcp if options.source_port == 0 => {
                    TCP_PORTS + (program.shell.process_id() % u32::from(TCP_PORTS)) as u16
                }
                Method::Tcp => options.source_port,
                _ => options.port,
            },
            ttl: None,
            is_ipv6: options.target.is_ipv6(),
        };
        let shared = match (options.method, options.target) {
            (Method::Tcp, IpAddr::V4(_)) => Some(SocketKind::RawIpv4 { protocol: IPPROTO_TCP }),
            (Method::Tcp, IpAddr::V6(_)) => Some(SocketKind::RawIpv6 { protocol: IPPROTO_TCP }),
            (Method::Icmp, IpAddr::V4(_)) => Some(SocketKind::RawIpv4 { protocol: IPPROTO_ICMP }),
            (Method::Icmp, IpAddr::V6(_)) => Some(SocketKind::RawIpv6 { protocol: IPPROTO_ICMPV6 }),
            _ => None,
        };
        if let Some(kind) = shared {
            let fd = open(program, options, kind)?;
            let target = at_port(options, 0);
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
            Some(fd) if self.method == Method::Tcp => self.send_tcp(program, options, fd, probe, ttl),
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
            set(program, fd, SocketOption::Ttl(ttl), ttl_option(self.is_ipv6))?;
            self.ttl = Some(ttl);
        }
        if self.is_ipv6 {
            // The kernel writes the checksum.
            let header =
                [ECHO6, 0, 0, 0].into_iter().chain(self.ident.to_be_bytes()).chain(self.next.to_be_bytes());
            for (place, byte) in data.iter_mut().zip(header) {
                *place = byte;
            }
            return self.transmit_shared(program, fd, data, probe);
        }
        let mut packet = Icmpv4Packet::new_unchecked(&mut data);
        packet.set_msg_type(Icmpv4Message::EchoRequest);
        packet.set_msg_code(0);
        packet.set_echo_ident(self.ident);
        packet.set_echo_seq_no(self.next);
        packet.fill_checksum();
        self.transmit_shared(program, fd, data, probe)
    }

    fn send_tcp(
        &mut self,
        program: &mut Program<'_>,
        options: &Options,
        fd: Fd,
        probe: &mut Probe,
        ttl: u8,
    ) -> Result<(), Exit> {
        if self.ttl != Some(ttl) {
            set(program, fd, SocketOption::Ttl(ttl), ttl_option(self.is_ipv6))?;
            self.ttl = Some(ttl);
        }
        let own = match program.system.local_address(fd) {
            Ok(Address::Ipv4 { address, .. }) => IpAddr::V4(address),
            Ok(Address::Ipv6 { address, .. }) => IpAddr::V6(address),
            Ok(_) => return Err(failed(program, "getsockname", Errno::EAFNOSUPPORT)),
            Err(errno) => return Err(failed(program, "getsockname", errno)),
        };
        let now = program.system.now().map_err(|errno| failed(program, "gettimeofday", errno))?;
        let source_port = if options.source_port == 0 { self.next } else { options.source_port };
        let sequence = (now.realtime_ns as u32).wrapping_mul(0x9e37_79b9) ^ u32::from(source_port);
        let target = (options.target, options.port);
        let data = syn((own, source_port), target, sequence, (now.monotonic_ns / 1_000_000) as u32);
        self.next = source_port;
        self.transmit_shared(program, fd, data, probe)?;
        self.next = self.next.max(TCP_PORTS);
        Ok(())
    }

    fn transmit_shared(
        &mut self,
        program: &mut Program<'_>,
        fd: Fd,
        data: Vec<u8>,
        probe: &mut Probe,
    ) -> Result<(), Exit> {
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
        let kind = if self.is_ipv6 { SocketKind::UdpIpv6 } else { SocketKind::UdpIpv4 };
        let fd = open(program, options, kind)?;
        set(program, fd, SocketOption::Ttl(ttl), ttl_option(self.is_ipv6))?;
        let target = at_port(options, self.next);
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
            let (Address::Ipv4 { port, .. } | Address::Ipv6 { port, .. }) = peer else { return None };
            return probes.iter().position(|probe| probe.socket == Some(fd) && probe.sequence == port);
        }
        if self.method == Method::Tcp {
            // A raw socket gets packets with their IPv4 header, errors and what came over IPv6 without.
            let bare = is_error || self.is_ipv6;
            let header_len = if bare { 0 } else { usize::from(data.first()? & 15) * 4 };
            let &[a, b, c, d] = data.get(header_len..)?.first_chunk::<4>()?;
            let port = u16::from_be_bytes(if is_error { [a, b] } else { [c, d] });
            return probes.iter().position(|probe| probe.awaits(port));
        }
        if self.is_ipv6 {
            let &[kind, _, _, _, a, b, c, d] = data.first_chunk::<ICMP_HEADER_LEN>()?;
            let fits = u16::from_be_bytes([a, b]) == self.ident && (is_error || kind == ECHO_REPLY6);
            let sequence = u16::from_be_bytes([c, d]);
            return probes.iter().position(|probe| fits && probe.awaits(sequence));
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

/// Source ports of TCP probes begin somewhere behind this.
const TCP_PORTS: u16 = 32_000;

/// A TCP header with SYN and the options that Linux sends (RFC 9293, RFC 7323).
fn syn(own: (IpAddr, u16), to: (IpAddr, u16), sequence: u32, time: u32) -> Vec<u8> {
    // What fits into an Ethernet's packet; the window holds four.
    let segment: u16 = if to.0.is_ipv4() { 1460 } else { 1440 };
    let mut header = Vec::with_capacity(TCP_LEN);
    header.extend(own.1.to_be_bytes());
    header.extend(to.1.to_be_bytes());
    header.extend(sequence.to_be_bytes());
    header.extend([0; 4]);
    // Ten words, SYN.
    header.extend([0xa0, 0x02]);
    header.extend((4 * segment).to_be_bytes());
    header.extend([0; 4]);
    // The segment size, selective acknowledgements, a time stamp, the window's scale.
    header.extend([2, 4]);
    header.extend(segment.to_be_bytes());
    header.extend([4, 2, 8, 10]);
    header.extend(time.to_be_bytes());
    header.extend([0, 0, 0, 0, 1, 3, 3, 2]);
    // Its sum is the same for both families.
    let mut pseudo = Vec::new();
    for address in [own.0, to.0] {
        match address {
            IpAddr::V4(address) => pseudo.extend(address.octets()),
            IpAddr::V6(address) => pseudo.extend(address.octets()),
        }
    }
    pseudo.extend([0, IPPROTO_TCP, 0, TCP_LEN as u8]);
    let words = pseudo.chunks(2).chain(header.chunks(2));
    let mut sum: u32 =
        words.map(|word| u32::from(word[0]) << 8 | u32::from(word.get(1).copied().unwrap_or(0))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    header[16..18].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    header
}

/// The target, at a port.
fn at_port(options: &Options, port: u16) -> Address {
    match options.target {
        IpAddr::V4(address) => Address::Ipv4 { address, port },
        IpAddr::V6(address) => Address::Ipv6 { address, port, scope: options.scope },
    }
}

fn ttl_option(is_ipv6: bool) -> &'static str {
    if is_ipv6 { "setsockopt IPV6_UNICAST_HOPS" } else { "setsockopt IP_TTL" }
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
    let own = match (options.source, options.target) {
        (Some(IpAddr::V4(address)), _) => Address::Ipv4 { address, port: options.source_port },
        (Some(IpAddr::V6(address)), _) => {
            Address::Ipv6 { address, port: options.source_port, scope: options.scope }
        }
        (None, IpAddr::V4(_)) => Address::Ipv4 { address: Ipv4Addr::UNSPECIFIED, port: options.source_port },
        (None, IpAddr::V6(_)) => {
            Address::Ipv6 { address: Ipv6Addr::UNSPECIFIED, port: options.source_port, scope: 0 }
        }
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    /// As traceroute 2.1.2 has sent it.
    #[test]
    fn a_syn_is_that_of_traceroute() {
        let (own, to) =
            ((Ipv4Addr::new(10, 9, 0, 1).into(), 36_849), (Ipv4Addr::new(10, 9, 0, 2).into(), 80));
        let sent = syn(own, to, 0xd4dd_dabf, 0x11d8_6818);
        assert_eq!(sent.len(), TCP_LEN);
        assert_eq!(sent[12..18], [0xa0, 0x02, 0x16, 0xd0, 0x63, 0x51]);
        assert_eq!(sent[20..32], [2, 4, 5, 0xb4, 4, 2, 8, 10, 0x11, 0xd8, 0x68, 0x18]);
        let address = |net: u16| IpAddr::from([0x2001, 0xdb8, net, 0, 0, 0, 0, 1]);
        let sent = syn((address(1), 52_681), (address(2), 80), 0x4950_7d34, 0x5095_bbea);
        assert_eq!(sent[12..18], [0xa0, 0x02, 0x16, 0x80, 0x35, 0x04]);
        assert_eq!(sent[20..32], [2, 4, 5, 0xa0, 4, 2, 8, 10, 0x50, 0x95, 0xbb, 0xea]);
    }
}
