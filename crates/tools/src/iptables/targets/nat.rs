//! `-j SNAT`, `DNAT`, `MASQUERADE`, `REDIRECT`, `NETMAP`

use std::net::IpAddr;

use hairpin_netlink::netfilter::targets::NatRange;
use hairpin_netlink::netfilter::{Family, Network, Target};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

use super::super::names::{Names, mask_text, number, under};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Snat,
    Dnat,
    Masquerade,
    Redirect,
}

pub(super) struct Nat {
    kind: Kind,
    range: NatRange,
}

impl Nat {
    pub fn new(kind: Kind) -> Nat {
        Nat { kind, range: NatRange::default() }
    }
}

impl Reader<Target> for Nat {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Snat => "SNAT",
            Kind::Dnat => "DNAT",
            Kind::Masquerade => "MASQUERADE",
            Kind::Redirect => "REDIRECT",
        }
    }

    fn options(&self) -> &'static [Opt] {
        const SNAT: &[Opt] = &[
            opt("to-source").required(),
            opt("random").flag(),
            opt("random-fully").flag(),
            opt("persistent").flag(),
        ];
        const DNAT: &[Opt] =
            &[opt("to-destination").required(), opt("random").flag(), opt("persistent").flag()];
        const MASQUERADE: &[Opt] = &[opt("to-ports"), opt("random").flag(), opt("random-fully").flag()];
        const REDIRECT: &[Opt] = &[opt("to-ports"), opt("random").flag()];
        match self.kind {
            Kind::Snat => SNAT,
            Kind::Dnat => DNAT,
            Kind::Masquerade => MASQUERADE,
            Kind::Redirect => REDIRECT,
        }
    }

    fn option(&mut self, given: &Given<'_>, rest: &mut Rest<'_, '_>) -> Result<(), Fail> {
        match given.id {
            "random" => self.range.random = true,
            "random-fully" => self.range.random_fully = true,
            "persistent" => self.range.persistent = true,
            "to-ports" => {
                needs_ports(rest)?;
                if self.kind == Kind::Redirect && given.value.contains('/') {
                    return Err(Fail::parameter("Shifted portmap ranges not supported with this kernel"));
                }
                (self.range.ports, _) = parse_ports(given.value, false, rest.names)?;
            }
            _ => self.parse_place(given.value, rest)?,
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Target, Fail> {
        let range = std::mem::take(&mut self.range);
        Ok(match self.kind {
            Kind::Snat => Target::Snat(range),
            Kind::Dnat => Target::Dnat(range),
            Kind::Masquerade => Target::Masquerade(range),
            Kind::Redirect => Target::Redirect(range),
        })
    }
}

impl Nat {
    /// `ADDRESS[-ADDRESS][:PORT[-PORT[/BASE]]]`; with ports, IPv6 addresses stand in brackets.
    fn parse_place(&mut self, text: &str, rest: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let (addresses, ports) = match (rest.family(), text.strip_prefix('[')) {
            (Family::Ipv6, Some(behind)) => match behind.split_once(']') {
                Some((addresses, "")) => (addresses, None),
                Some((addresses, ports)) => (addresses, ports.strip_prefix(':')),
                None => return Err(Fail::parameter("Invalid address format")),
            },
            // With one colon alone it is a port's.
            (Family::Ipv6, None) => match text.split_once(':') {
                Some((addresses, ports)) if !ports.contains(':') => (addresses, Some(ports)),
                _ => (text, None),
            },
            (Family::Ipv4, _) => match text.split_once(':') {
                Some((addresses, ports)) => (addresses, Some(ports)),
                None => (text, None),
            },
        };
        if let Some(ports) = ports {
            needs_ports(rest)?;
            let base = self.kind == Kind::Dnat;
            (self.range.ports, self.range.base_port) = parse_ports(ports, base, rest.names)?;
            if addresses.is_empty() {
                return Ok(());
            }
        }
        let (low, high) = addresses.split_once('-').unwrap_or((addresses, addresses));
        let address = |text: &str| {
            let found = rest.names.parse_address(text);
            found.ok_or_else(|| Fail::parameter(format!("Bad IP address \"{text}\"")))
        };
        self.range.addresses = Some((address(low)?, address(high)?));
        Ok(())
    }
}

fn needs_ports(rest: &Rest<'_, '_>) -> Result<(), Fail> {
    match rest.has_ports() {
        true => Ok(()),
        false => Err(Fail::parameter("Need TCP, UDP, SCTP or DCCP with port specification")),
    }
}

type Range = (Option<(u16, u16)>, Option<u16>);

fn parse_ports(text: &str, with_base: bool, names: &mut Names<'_>) -> Result<Range, Fail> {
    let mut port = |part: &str| -> Result<u16, Fail> {
        match number(part, u64::from(u16::MAX)) {
            Some(port) => Ok(port as u16),
            None => {
                let named = names.parse_port(part, "tcp").or_else(|_| names.parse_port(part, "udp"));
                named.map_err(|_| Fail::parameter(format!("Port `{part}' not valid")))
            }
        }
    };
    let Some((low, high)) = text.split_once('-') else {
        let one = port(text)?;
        return Ok((Some((one, one)), None));
    };
    let (high, base) = match high.split_once('/') {
        Some((high, base)) if with_base => (high, Some(port(base)?)),
        _ => (high, None),
    };
    let (low, high) = (port(low)?, port(high)?);
    if low > high {
        return Err(Fail::parameter(format!("Port range `{high}' funky")));
    }
    Ok((Some((low, high)), base))
}

/// The place without its option.
fn place(range: &NatRange) -> String {
    let mut text = String::new();
    let brackets = range.ports.is_some() && matches!(range.addresses, Some((IpAddr::V6(_), _)));
    if let Some((low, high)) = range.addresses {
        text += if brackets { "[" } else { "" };
        text += &low.to_string();
        if low != high {
            text += &format!("-{high}");
        }
        text += if brackets { "]" } else { "" };
    }
    text
}

fn ports(range: &NatRange) -> Option<String> {
    let (low, high) = range.ports?;
    let mut text = low.to_string();
    if low != high {
        text += &format!("-{high}");
    }
    if let Some(base) = range.base_port {
        text += &format!("/{base}");
    }
    Some(text)
}

fn with_ports(range: &NatRange, only_ports: bool) -> String {
    match (only_ports, ports(range)) {
        (true, ports) => ports.unwrap_or_default(),
        (false, None) => place(range),
        (false, Some(ports)) => format!("{}:{ports}", place(range)),
    }
}

fn flags(range: &NatRange, prefix: &str) -> String {
    let all =
        [(range.random, "random"), (range.random_fully, "random-fully"), (range.persistent, "persistent")];
    all.iter().filter(|(on, _)| *on).map(|(_, name)| format!(" {prefix}{name}")).collect()
}

pub(super) fn saved(option: &str, range: &NatRange) -> String {
    let place = with_ports(range, option == "to-ports");
    let place = if place.is_empty() { place } else { format!(" --{option} {place}") };
    place + &flags(range, "--")
}

pub(super) fn listed(title: &str, range: &NatRange) -> String {
    let place = with_ports(range, title != "to:");
    let place = if place.is_empty() { place } else { format!(" {title}{place}") };
    place + &flags(range, "")
}

#[derive(Default)]
pub(super) struct Netmap(Option<(IpAddr, IpAddr)>);

impl Reader<Target> for Netmap {
    fn name(&self) -> &'static str {
        "NETMAP"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("to").required()];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, rest: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let network = rest.names.parse_host_mask(given.value, false)?;
        self.0 = Some((under(network.address, network.mask), network.mask));
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Target, Fail> {
        let (address, mask) = self.0.ok_or_else(|| Fail::parameter("NETMAP: no network"))?;
        Ok(Target::Netmap { address, mask })
    }
}

fn netmap_text(address: IpAddr, mask: IpAddr) -> String {
    // A single host has its mask too.
    let host = if mask.is_ipv4() { "/32" } else { "/128" };
    let text = mask_text(&Network { address, mask, invert: false });
    address.to_string() + if text.is_empty() { host } else { &text }
}

pub(super) fn saved_netmap(address: IpAddr, mask: IpAddr) -> String {
    format!(" --to {}", netmap_text(address, mask))
}

pub(super) fn listed_netmap(address: IpAddr, mask: IpAddr) -> String {
    format!(" to:{}", netmap_text(address, mask))
}
