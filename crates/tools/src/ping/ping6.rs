//! `ping` over IPv6 (iputils' `ping6_run`, `ping6_parse_reply`, `ping6_receive_error_msg`).

use std::net::Ipv6Addr;

use hairpin_netlink::{
    Address, Errno, ErrorOrigin, Fd, PathMtuDiscovery, Received, SocketKind, SocketOption,
};

use super::options::Options;
use super::report::icmp6_text;
use super::session::Session;
use super::{PROBE_PORT, has_address, ifindex, set, set_mark};
use crate::Program;
use crate::iputils::{Exit, complain, fail, failed};
use crate::resolver::Host6;

const IPPROTO_ICMPV6: u8 = 58;
/// ICMPv6 types (RFC 4443).
const ECHO: u8 = 128;
const ECHO_REPLY: u8 = 129;
/// Length of an echo message without data.
const ICMP_MIN: usize = 8;

/// A filter that discards every type but this one.
fn all_but(kind: u8) -> [u32; 8] {
    let mut filter = [u32::MAX; 8];
    if let Some(word) = filter.get_mut(usize::from(kind >> 5)) {
        *word &= !(1 << (kind & 31));
    }
    filter
}

fn is_link_local(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    first & 0xffc0 == 0xfe80 || first & 0xff0f == 0xff02
}

/// Opens the socket, as [`super::run`] does of IPv4.
pub(super) fn open(program: &mut Program<'_>, options: &Options) -> Result<Fd, Exit> {
    let fd = program
        .system
        .socket(SocketKind::RawIpv6 { protocol: IPPROTO_ICMPV6 })
        .map_err(|errno| failed(program, "socket", errno))?;
    if options.tos != 0 {
        set(program, fd, SocketOption::Tos(options.tos), "setsockopt(IPV6_TCLASS)")?;
    }
    Ok(fd)
}

/// Chooses the source, sets up the socket and prints the first line.
pub(super) fn prepare(
    program: &mut Program<'_>,
    fd: Fd,
    mut options: Options,
    data: Vec<u8>,
    target_name: &str,
    host: &Host6,
) -> Result<Session, Exit> {
    options.numeric |= target_name.contains(':');
    let scope = match &host.device {
        None => 0,
        Some(device) => scope_of(program, target_name, device)?,
    };
    let target = Address::Ipv6 { address: host.address, port: 0, scope };
    let source = match options.source6 {
        Some(source) => {
            if options.sticky_source
                && let Some(device) = options.device.clone()
            {
                bind_to_device(program, fd, &device)?;
            }
            let device = options.device.clone().filter(|_| is_link_local(source));
            let scope = device.map_or(Ok(0), |device| known_ifindex(program, &device))?;
            Address::Ipv6 { address: source, port: 0, scope }
        }
        None => probe_source(program, fd, &options, host.address, scope)?,
    };
    let multicast = host.address.is_multicast();
    if multicast {
        options.mtu_discovery = options.mtu_discovery.or(Some(PathMtuDiscovery::Do));
    }
    set_up_socket(program, fd, &options, source)?;
    let shown = address_text(program, target);
    let mut header = format!("PING {target_name}({shown}) ");
    if options.device.is_some() || options.sticky_source {
        let source = address_text(program, source);
        header.push_str(&format!("from {source} {}: ", options.device.as_deref().unwrap_or("")));
    }
    header.push_str(&format!("{} data bytes", options.data_len));
    let _ = writeln!(program.shell.out(), "{header}");
    if options.flood && !options.interval_given {
        options.interval_ms = 0;
    }
    if options.interval_ms >= i64::from(i32::MAX) / options.preload.max(1) {
        let text = format!("illegal preload and/or interval: {}", options.interval_ms);
        return Err(fail(program, 2, &text));
    }
    if options.dont_route {
        let _ = program.system.set_option(fd, SocketOption::DontRoute(true));
    }
    if let Some(mark) = options.mark {
        set_mark(program, fd, mark);
    }
    let ident = options.ident.unwrap_or((program.shell.process_id() & 0xffff) as u16);
    Session::new(program, fd, options, data, target, target_name.to_owned(), ident, multicast)
}

/// The index of the device behind a `%`, which may be a number.
fn scope_of(program: &mut Program<'_>, target: &str, device: &str) -> Result<u32, Exit> {
    if let Ok(number) = device.parse() {
        return Ok(number);
    }
    // `getaddrinfo` knows no such address then.
    ifindex(program, device).ok_or_else(|| fail(program, 2, &format!("{target}: Name or service not known")))
}

fn known_ifindex(program: &mut Program<'_>, device: &str) -> Result<u32, Exit> {
    ifindex(program, device).ok_or_else(|| fail(program, 2, &format!("unknown iface: {device}")))
}

/// Which source the kernel takes: a connected UDP socket knows. For link-local targets it is not asked.
fn probe_source(
    program: &mut Program<'_>,
    fd: Fd,
    options: &Options,
    target: Ipv6Addr,
    scope: u32,
) -> Result<Address, Exit> {
    let probe =
        program.system.socket(SocketKind::UdpIpv6).map_err(|errno| failed(program, "socket", errno))?;
    if let Some(device) = &options.device {
        known_ifindex(program, device)?;
        bind_to_device(program, probe, device)?;
        bind_to_device(program, fd, device)?;
    }
    if options.tos != 0 {
        set(program, probe, SocketOption::Tos(options.tos), "setsockopt(IPV6_TCLASS)")?;
    }
    if let Some(mark) = options.mark {
        set_mark(program, probe, mark);
    }
    if !is_link_local(target) {
        let to = Address::Ipv6 { address: target, port: PROBE_PORT, scope };
        program.system.connect(probe, to).map_err(|errno| failed(program, "connect", errno))?;
    }
    let source = match program.system.local_address(probe) {
        Ok(Address::Ipv6 { address, scope, .. }) => Address::Ipv6 { address, port: 0, scope },
        Ok(_) => return Err(failed(program, "getsockname", Errno::EAFNOSUPPORT)),
        Err(errno) => return Err(failed(program, "getsockname", errno)),
    };
    let _ = program.system.close(probe);
    if let (Some(device), Address::Ipv6 { address, .. }) = (&options.device, source)
        && !has_address(program, device, address.into())?
    {
        let text = format!("Warning: source address might be selected on device other than: {device}");
        complain(program, &text);
    }
    Ok(source)
}

fn bind_to_device(program: &mut Program<'_>, fd: Fd, device: &str) -> Result<(), Exit> {
    let bound = program.system.set_option(fd, SocketOption::BindToDevice(device.to_owned()));
    bound.map_err(|errno| failed(program, &format!("setsockopt(SO_BINDTODEVICE) {device}"), errno))
}

/// Options of the raw socket, in the order in which iputils sets them.
fn set_up_socket(program: &mut Program<'_>, fd: Fd, options: &Options, source: Address) -> Result<(), Exit> {
    if let Some(discovery) = options.mtu_discovery {
        set(program, fd, SocketOption::PathMtuDiscovery(discovery), "IPV6_MTU_DISCOVER")?;
    }
    if options.sticky_source {
        program.system.bind(fd, source).map_err(|errno| failed(program, "bind icmp socket", errno))?;
    }
    set(program, fd, SocketOption::ReceiveErrors(true), "IPV6_RECVERR")?;
    // An estimate of what the replies take in the socket's buffer.
    let packet = options.data_len + ICMP_MIN;
    let packet = packet + packet.div_ceil(512) * (40 + 16 + 64 + 160);
    let buffer = packet.saturating_mul(options.preload as usize).max(65536);
    let buffer = SocketOption::ReceiveBuffer(u32::try_from(buffer).unwrap_or(u32::MAX));
    let _ = program.system.set_option(fd, buffer);
    set(program, fd, SocketOption::Icmp6Filter(all_but(ECHO_REPLY)), "setsockopt(ICMP6_FILTER)")?;
    if options.no_loop {
        set(program, fd, SocketOption::MulticastLoop(false), "can't disable multicast loopback")?;
    }
    if let Some(limit) = options.ttl {
        set(program, fd, SocketOption::MulticastTtl(limit), "can't set multicast hop limit")?;
        set(program, fd, SocketOption::Ttl(limit), "can't set unicast hop limit")?;
    }
    Ok(())
}

/// An address as `getnameinfo` writes it: with the device where it says nothing without one.
pub(super) fn address_text(program: &mut Program<'_>, address: Address) -> String {
    let Address::Ipv6 { address, scope, .. } = address else { return String::new() };
    if scope == 0 || !is_link_local(address) {
        return address.to_string();
    }
    let devices = program.system.list_directory("/sys/class/net").unwrap_or_default();
    let name = devices.into_iter().find(|device| ifindex(program, device) == Some(scope));
    format!("{address}%{}", name.unwrap_or_else(|| scope.to_string()))
}

impl Session {
    /// The next echo request; the kernel writes its checksum.
    pub(super) fn packet6(&self, sequence: u16) -> Vec<u8> {
        let mut bytes = vec![ECHO, 0, 0, 0];
        bytes.extend(self.ident.to_be_bytes());
        bytes.extend(sequence.to_be_bytes());
        bytes.extend(&self.data);
        bytes
    }

    /// The sequence number of an echo request of ours.
    fn own_sequence6(&self, icmp: &[u8], to: Address) -> Option<u16> {
        let &[kind, _, _, _, a, b, c, d] = icmp.first_chunk::<ICMP_MIN>()?;
        let is_to_target = match (to, self.target) {
            (Address::Ipv6 { address: to, .. }, Address::Ipv6 { address: target, .. }) => to == target,
            _ => false,
        };
        let is_ours = kind == ECHO && u16::from_be_bytes([a, b]) == self.ident;
        (is_ours && is_to_target).then(|| u16::from_be_bytes([c, d]))
    }

    /// One error of the queue: how many network errors it was, or the local ones as a negative number.
    pub(super) fn error6(&mut self, program: &mut Program<'_>, item: Received) -> Result<i32, Exit> {
        let Received::Error { errno, origin, info, to, data, .. } = item else { return Ok(0) };
        let ErrorOrigin::Icmp6 { kind, code, from, scope } = origin else {
            if !self.options.quiet {
                if self.options.flood {
                    let _ = program.shell.out().write_all(b"E");
                } else if errno == Errno::EMSGSIZE {
                    complain(program, &format!("local error: message too long, mtu: {info}"));
                } else {
                    complain(program, &format!("local error: {errno}"));
                }
                self.counts.errors += 1;
            }
            return Ok(-1);
        };
        let Some(sequence) = self.own_sequence6(&data, to) else { return Ok(0) };
        self.counts.errors += 1;
        if self.options.quiet {
            return Ok(1);
        }
        if self.options.flood {
            let _ = program.shell.out().write_all(b"\x08E");
        } else {
            let stamp = self.time_of_day(program)?;
            let from = self.name(program, Address::Ipv6 { address: from, port: 0, scope });
            let text = icmp6_text(kind, code, info);
            let _ = writeln!(program.shell.out(), "{stamp}From {from} icmp_seq={sequence} {text}");
        }
        let _ = program.shell.out().flush();
        Ok(1)
    }

    /// A packet of the raw socket: behind the filter, replies only.
    pub(super) fn datagram6(
        &mut self,
        program: &mut Program<'_>,
        icmp: &[u8],
        from: Address,
        hops: u8,
        realtime_ns: u64,
    ) -> Result<(), Exit> {
        let Some(&[kind, _, _, _, a, b, c, d]) = icmp.first_chunk::<ICMP_MIN>() else {
            if self.options.verbose {
                complain(program, &format!("packet too short: {} bytes", icmp.len()));
            }
            return Ok(());
        };
        if kind != ECHO_REPLY || u16::from_be_bytes([a, b]) != self.ident {
            return Ok(());
        }
        let is_strange = match (from, self.target) {
            (Address::Ipv6 { address: from, .. }, Address::Ipv6 { address: target, .. }) => {
                // The lowest address of a subnet is every router's.
                let anycast = target.octets()[8..].iter().all(|byte| *byte == 0);
                !self.multicast && !anycast && from != target
            }
            _ => true,
        };
        let sequence = u16::from_be_bytes([c, d]);
        self.reply(program, icmp, sequence, &[], from, hops, is_strange, realtime_ns)
    }
}
