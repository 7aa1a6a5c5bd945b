//! `route add` and `route del` (`INET_setroute`; net/ipv4/fib_frontend.c: rtentry_to_fib_config).

use std::net::Ipv4Addr;

use hairpin_netlink::codec::NLM_F_CREATE;
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteMetric, RouteProtocol, RouteScope,
    RouteType,
};
use hairpin_netlink::{Errno, Message, transact};

use super::Route;
use crate::c_number::{atoi, strtol};
use crate::interfaces::{Interfaces, cut};
use crate::net_tools::ioctl;
use crate::net_tools::resolve::{Resolved, not_resolved};
use crate::net_tools::{LOOKUP_ERROR, OPTION_ERROR, SOCKET_ERROR};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Add,
    Delete,
}

/// `struct rtentry`
struct Request {
    destination: Ipv4Addr,
    mask: Option<Ipv4Addr>,
    /// As given, for an error text.
    mask_text: String,
    host: bool,
    gateway: Option<Ipv4Addr>,
    reject: bool,
    metric: u32,
    segment: Option<u32>,
    window: Option<u32>,
    rtt: Option<u32>,
    device: Option<String>,
}

pub(super) fn usage(route: &mut Route<'_>, code: i32) -> i32 {
    let text = if code == 0 { route.shell.out() } else { route.shell.err() };
    let _ = text.write_all(USAGE.as_bytes());
    code
}

impl Route<'_> {
    pub(super) fn edit(&mut self, action: Action, words: &[&str]) -> i32 {
        if self.cache {
            self.complain("Modifying `inet' routing cache not supported");
            return usage(self, OPTION_ERROR);
        }
        if words.is_empty() {
            return usage(self, 0);
        }
        let request = match self.parse(words) {
            Ok(request) => request,
            Err(Failed::Usage) => return usage(self, OPTION_ERROR),
            Err(Failed::Reported(code)) => return code,
        };
        if let Some(text) = contradiction(&request) {
            self.complain(&text);
            return usage(self, OPTION_ERROR);
        }
        match self.request(action, &request) {
            Ok(()) => 0,
            Err(errno) => {
                let name = if action == Action::Add { "SIOCADDRT" } else { "SIOCDELRT" };
                self.complain(&format!("{name}: {errno}"));
                SOCKET_ERROR
            }
        }
    }

    fn parse(&mut self, words: &[&str]) -> Result<Request, Failed> {
        let mut words = words.iter().copied().peekable();
        let kind = words.next_if(|word| matches!(*word, "#net" | "#host"));
        let target = words.next().ok_or(Failed::Usage)?;
        let (name, mask) = read_prefix(target).ok_or(Failed::Usage)?;
        let resolved = self.resolve(name, kind == Some("#host"))?;
        let is_network = match kind {
            Some("#net") => true,
            Some(_) => false,
            None => resolved.is_network,
        };
        let mut request = Request {
            destination: resolved.address,
            mask,
            mask_text: target.split_once('/').map_or("default".to_owned(), |_| "/".to_owned()),
            host: !is_network,
            gateway: None,
            reject: false,
            metric: 0,
            segment: None,
            window: None,
            rtt: None,
            device: None,
        };
        if let Some((_, length)) = target.split_once('/') {
            request.mask_text = format!("/{}", strtol(length, 0).0);
        }
        while let Some(word) = words.next() {
            match word {
                "metric" => {
                    let value = words.next().ok_or(Failed::Usage)?;
                    if !value.starts_with(|c: char| c.is_ascii_digit()) {
                        return Err(Failed::Usage);
                    }
                    request.metric = atoi(value) as u32;
                }
                "netmask" => {
                    let value = words.next().ok_or(Failed::Usage)?;
                    // A mask of zero counts as none.
                    if request.mask.is_some_and(|mask| !mask.is_unspecified()) {
                        return Err(Failed::Usage);
                    }
                    request.mask = Some(self.resolve(value, false)?.address);
                    value.clone_into(&mut request.mask_text);
                }
                "gw" | "gateway" => {
                    let value = words.next().ok_or(Failed::Usage)?;
                    if request.gateway.is_some() {
                        return Err(Failed::Usage);
                    }
                    let gateway = self.resolve(value, true)?;
                    if gateway.is_network {
                        self.complain(&format!("route: {value}: cannot use a NETWORK as gateway!"));
                        return Err(Failed::Usage);
                    }
                    request.gateway = Some(gateway.address);
                }
                "mss" | "mtu" => {
                    let size = atoi(words.next().ok_or(Failed::Usage)?);
                    if !(64..=65536).contains(&size) {
                        self.complain("route: Invalid MSS/MTU.");
                        return Err(Failed::Usage);
                    }
                    request.segment = Some(size as u32);
                }
                "window" => {
                    // Compared as unsigned in C, so that a negative one passes.
                    let size = atoi(words.next().ok_or(Failed::Usage)?) as u32;
                    if size < 128 {
                        self.complain("route: Invalid window.");
                        return Err(Failed::Usage);
                    }
                    request.window = Some(size);
                }
                "irtt" => request.rtt = Some(atoi(words.next().ok_or(Failed::Usage)?) as u32 & 0xffff),
                "reject" => request.reject = true,
                "mod" | "dyn" | "reinstate" => {}
                "dev" | "device" => {
                    let value = words.next().ok_or(Failed::Usage)?;
                    if request.device.is_some() {
                        return Err(Failed::Usage);
                    }
                    request.device = Some(value.to_owned());
                }
                word => {
                    // A bare device must be the last word.
                    if request.device.is_some() || words.peek().is_some() {
                        return Err(Failed::Usage);
                    }
                    request.device = Some(word.to_owned());
                }
            }
        }
        if request.reject && request.device.is_none() {
            request.device = Some("lo".to_owned());
        }
        Ok(request)
    }

    fn resolve(&mut self, name: &str, host_first: bool) -> Result<Resolved, Failed> {
        match self.names.resolve(self.shell, name, host_first) {
            Some(resolved) => Ok(resolved),
            None => {
                self.complain(&format!("{name}: {}", not_resolved(name, host_first)));
                Err(Failed::Reported(LOOKUP_ERROR))
            }
        }
    }

    fn request(&mut self, action: Action, request: &Request) -> Result<(), Errno> {
        let mut message = RouteMessage::default();
        let header = &mut message.header;
        header.address_family = AddressFamily::Inet;
        header.table = RouteHeader::RT_TABLE_MAIN;
        header.scope = RouteScope::NoWhere;
        header.kind = RouteType::Unicast;
        header.destination_prefix_length = if request.host {
            32
        } else {
            let mask = u32::from(request.mask.unwrap_or(Ipv4Addr::UNSPECIFIED));
            let stray = u32::from(request.destination) & !mask != 0;
            if stray || mask.leading_ones() + mask.trailing_zeros() < 32 {
                return Err(Errno::EINVAL);
            }
            mask.leading_ones() as u8
        };
        if action == Action::Add {
            header.protocol = RouteProtocol::Boot;
        }
        let put = &mut message.attributes;
        if header.destination_prefix_length > 0 {
            put.push(RouteAttribute::Destination(RouteAddress::Inet(request.destination)));
        }
        if request.metric > 0 {
            put.push(RouteAttribute::Priority(request.metric));
        }
        if request.reject {
            header.scope = RouteScope::Host;
            header.kind = RouteType::Unreachable;
        } else {
            self.next_hop(action, request, &mut message)?;
        }
        let (message, flags) = match action {
            Action::Add => (Message::NewRoute(message), NLM_F_CREATE),
            Action::Delete => (Message::DelRoute(message), 0),
        };
        transact(self.system, &message, flags).map(drop).map_err(|failure| failure.errno)
    }

    fn next_hop(
        &mut self,
        action: Action,
        request: &Request,
        message: &mut RouteMessage,
    ) -> Result<(), Errno> {
        if let Some(name) = &request.device {
            self.device(name, message)?;
        }
        if let Some(gateway) = request.gateway.filter(|gateway| !gateway.is_unspecified()) {
            message.attributes.push(RouteAttribute::Gateway(RouteAddress::Inet(gateway)));
            if self.is_unicast(gateway)? {
                message.header.scope = RouteScope::Universe;
            }
        }
        if action == Action::Delete {
            return Ok(());
        }
        if request.gateway.is_some_and(|gateway| gateway.is_unspecified()) {
            return Err(Errno::EINVAL);
        }
        if message.header.scope == RouteScope::NoWhere {
            message.header.scope = RouteScope::Link;
        }
        let mut metrics = Vec::new();
        metrics.extend(request.segment.map(|size| RouteMetric::Advmss(size.saturating_sub(40))));
        metrics.extend(request.window.map(RouteMetric::Window));
        metrics.extend(request.rtt.map(|rtt| RouteMetric::Rtt(rtt << 3)));
        if !metrics.is_empty() {
            message.attributes.push(RouteAttribute::Metrics(metrics));
        }
        Ok(())
    }

    /// The device; of an alias also its address as the preferred source.
    fn device(&mut self, name: &str, message: &mut RouteMessage) -> Result<(), Errno> {
        let name = cut(name);
        let interfaces = Interfaces::dump(self.system).map_err(|failure| failure.errno)?;
        let base = name.split(':').next().unwrap_or("");
        let index = interfaces.by_name(base).ok_or(Errno::ENODEV)?.index();
        message.attributes.push(RouteAttribute::Oif(index));
        if name.contains(':') {
            let addresses = ioctl::addresses(self.system)?;
            let alias = addresses.into_iter().find(|a| a.index == index && a.label == name);
            let source = alias.ok_or(Errno::ENODEV)?.local;
            message.attributes.push(RouteAttribute::PrefSource(RouteAddress::Inet(source)));
        }
        Ok(())
    }

    /// Whether an address is another host's (`inet_addr_type`).
    fn is_unicast(&mut self, address: Ipv4Addr) -> Result<bool, Errno> {
        if address.is_loopback() || address.is_multicast() || address.is_broadcast() {
            return Ok(false);
        }
        let addresses = ioctl::addresses(self.system)?;
        Ok(!addresses.iter().any(|own| own.local == address || own.broadcast == Some(address)))
    }
}

enum Failed {
    Usage,
    /// With its text written already.
    Reported(i32),
}

/// `TARGET[/BITS]`. The shift is that of a processor, which takes the number of bits modulo 32.
fn read_prefix(target: &str) -> Option<(&str, Option<Ipv4Addr>)> {
    let Some((name, bits)) = target.split_once('/') else { return Some((target, None)) };
    let (number, length) = strtol(bits, 0);
    if length != bits.len() {
        return None;
    }
    let mask = !u32::MAX.wrapping_shr(number as u32);
    Some((name, Some(Ipv4Addr::from(mask))))
}

/// What net-tools refuses before it asks the kernel.
fn contradiction(request: &Request) -> Option<String> {
    let mask = request.mask.map(u32::from).filter(|mask| *mask != 0)?;
    let rest = !mask;
    if request.host && rest != u32::MAX {
        // The C program compares with ~mask, so that only a mask of zero bits would pass; that is none.
        return Some(format!("route: netmask {rest:08x} doesn't make sense with host route"));
    }
    if rest & rest.wrapping_add(1) != 0 {
        return Some(format!("route: bogus netmask {}", request.mask_text));
    }
    if u32::from(request.destination) & rest != 0 {
        return Some("route: netmask doesn't match route address".to_owned());
    }
    None
}

const USAGE: &str = "\
Usage: inet_route [-vF] del {-host|-net} Target[/prefix] [gw Gw] [metric M] [[dev] If]
       inet_route [-vF] add {-host|-net} Target[/prefix] [gw Gw] [metric M]
                              [netmask N] [mss Mss] [window W] [irtt I]
                              [mod] [dyn] [reinstate] [[dev] If]
       inet_route [-vF] add {-host|-net} Target[/prefix] [metric M] reject
       inet_route [-FC] flush      NOT supported
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_shift_as_processors_do() {
        assert_eq!(read_prefix("10.0.0.0/8"), Some(("10.0.0.0", Some(Ipv4Addr::new(255, 0, 0, 0)))));
        assert_eq!(read_prefix("10.0.0.1/32"), Some(("10.0.0.1", Some(Ipv4Addr::UNSPECIFIED))));
        assert_eq!(read_prefix("default"), Some(("default", None)));
        assert_eq!(read_prefix("10.0.0.0/x"), None);
    }
}
