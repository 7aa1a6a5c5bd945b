//! `ip address add`, `change`, `replace`, `delete` (iproute2's `ipaddr_modify`).

use std::net::{IpAddr, Ipv4Addr};

use hairpin_netlink::Message;
use hairpin_netlink::codec::NLM_F_ECHO;
use hairpin_netlink::core::DefaultNla;
use hairpin_netlink::route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, AddressScope, CacheInfo,
};

use super::flags::{IFA_F_MCAUTOJOIN, flag_of};
use super::{Address, usage};
use crate::ip::filter::Filter;
use crate::iproute2::inet::{AF_INET, AF_INET6, AF_UNSPEC, Prefix, get_addr, get_prefix, octets};
use crate::iproute2::names::Table;
use crate::iproute2::number::get_u32;
use crate::iproute2::{Args, Context, Stop, matches};

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
const IFA_ANYCAST: u16 = 5;

const RT_SCOPE_HOST: u8 = 254;

/// A broadcast address that follows from the prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Derived {
    /// `+`: host bits set.
    Ones,
    /// `-`: host bits clear.
    Zeros,
}

/// The arguments read so far.
#[derive(Default)]
struct Request {
    message: AddressMessage,
    device: Option<String>,
    local: Option<(String, Prefix)>,
    peer: Option<Prefix>,
    broadcast: bool,
    derived: Option<Derived>,
    anycast: bool,
    scoped: bool,
    /// `IFA_F_*`
    flags: u32,
    valid: Option<u32>,
    preferred: Option<u32>,
}

/// Adds or changes an address with the given `NLM_F_*`, or with `None` deletes it.
pub(super) fn modify(context: &mut Context<'_>, mut args: Args<'_>, flags: Option<u16>) -> Result<(), Stop> {
    let mut request = Request::default();
    request.message.header.family = context.options.family.into();
    while let Some(word) = args.take() {
        request.word(context, word, &mut args)?;
    }
    let message = request.finish(context, flags.is_none())?;
    let echo = if context.options.echo { NLM_F_ECHO } else { 0 };
    let answer = match flags {
        Some(flags) => context.talk(&Message::NewAddress(message), flags | echo)?,
        None => context.talk(&Message::DelAddress(message), echo)?,
    };
    if context.options.echo {
        context.begin();
        for message in answer.into_iter().take(1) {
            context.print.open_object(None);
            if let Message::NewAddress(message) | Message::DelAddress(message) = message {
                if flags.is_none() {
                    context.print.any("deleted", true, format_args!("Deleted "));
                }
                Address::from(message).print(context, &Filter::default(), false);
            }
            context.print.close_object();
        }
        context.end();
    }
    Ok(())
}

impl Request {
    fn family(&self) -> u8 {
        self.message.header.family.into()
    }

    /// The first address decides the family.
    fn adopt(&mut self, family: u8) {
        if self.family() == AF_UNSPEC {
            self.message.header.family = family.into();
        }
    }

    fn push(&mut self, attribute: AddressAttribute) {
        self.message.attributes.push(attribute);
    }

    fn word(&mut self, context: &mut Context<'_>, word: &str, args: &mut Args<'_>) -> Result<(), Stop> {
        let is = |name| matches(word, name);
        if word == "peer" || word == "remote" {
            let word = args.value()?;
            if self.peer.is_some() {
                return Err(Stop::duparg("peer", word));
            }
            let peer = get_prefix(word, self.family())?;
            self.adopt(peer.family);
            self.push(address(IFA_ADDRESS, peer.address));
            self.message.header.prefix_len = peer.length;
            self.peer = Some(peer);
        } else if is("broadcast") || word == "brd" {
            let word = args.value()?;
            if self.broadcast || self.derived.is_some() {
                return Err(Stop::duparg("broadcast", word));
            }
            match word {
                "+" => self.derived = Some(Derived::Ones),
                "-" => self.derived = Some(Derived::Zeros),
                word => {
                    let broadcast = get_addr(word, self.family())?;
                    self.adopt(broadcast.family);
                    self.push(address(IFA_BROADCAST, broadcast.address));
                    self.broadcast = true;
                }
            }
        } else if word == "anycast" {
            let word = args.value()?;
            if self.anycast {
                return Err(Stop::duparg("anycast", word));
            }
            let anycast = get_addr(word, self.family())?;
            self.adopt(anycast.family);
            self.push(address(IFA_ANYCAST, anycast.address));
            self.anycast = true;
        } else if word == "scope" {
            let word = args.value()?;
            let scope = context.id_of(Table::Scope, word);
            let scope = scope.ok_or_else(|| Stop::invarg("invalid scope value.", word))?;
            self.message.header.scope = AddressScope::from(scope as u8);
            self.scoped = true;
        } else if word == "dev" {
            self.device = Some(args.value()?.to_owned());
        } else if word == "label" {
            let label = args.value()?.to_owned();
            self.push(AddressAttribute::Label(label));
        } else if is("metric") || is("priority") || is("preference") {
            let word = args.value()?;
            let metric = get_u32(word, 0);
            let metric = metric.ok_or_else(|| Stop::invarg("\"metric\" value is invalid\n", word))?;
            self.push(AddressAttribute::RoutePriority(metric));
        } else if is("valid_lft") {
            if self.valid.is_some() {
                return Err(Stop::duparg("valid_lft", word));
            }
            self.valid = Some(life_time(args.value()?, "valid_lft value")?);
        } else if is("preferred_lft") {
            if self.preferred.is_some() {
                return Err(Stop::duparg("preferred_lft", word));
            }
            self.preferred = Some(life_time(args.value()?, "preferred_lft value")?);
        } else if let Some(flag) = flag_of(word) {
            if flag.read_only {
                let name = flag.name;
                context.complain(&format!("Warning: {name} option is not mutable from userspace\n"));
            } else if flag.v6_only && self.family() != AF_INET6 {
                let name = flag.name;
                context.complain(&format!("Warning: {name} option can be set only for IPv6 addresses\n"));
            } else {
                self.flags |= flag.bit;
            }
        } else {
            let word = if word == "local" { args.value()? } else { word };
            if matches(word, "help") {
                return Err(usage());
            }
            if self.local.is_some() {
                return Err(Stop::duparg2("local", word));
            }
            let local = get_prefix(word, self.family())?;
            self.adopt(local.family);
            self.push(address(IFA_LOCAL, local.address));
            self.local = Some((word.to_owned(), local));
        }
        Ok(())
    }

    /// What can only be said when every word is known.
    fn finish(mut self, context: &mut Context<'_>, delete: bool) -> Result<AddressMessage, Stop> {
        match u8::try_from(self.flags) {
            Ok(flags) => self.message.header.flags = AddressHeaderFlags::from_bits_retain(flags),
            Err(_) => self.push(AddressAttribute::Flags(AddressFlags::from_bits_retain(self.flags))),
        }
        let Some(device) = self.device.take() else {
            return Err(Stop::fail(1, "Not enough information: \"dev\" argument is required.\n"));
        };
        let local = self.local.take();
        if let (Some((word, local)), None) = (&local, self.peer)
            && local.address.is_some()
        {
            if delete && local.family == AF_INET && !local.specified {
                context.complain(&format!(
                    "Warning: Executing wildcard deletion to stay compatible with old scripts.\n         \
                     Explicitly specify the prefix length ({word}/32) to avoid this warning.\n         \
                     This special behaviour is likely to disappear in further releases,\n         \
                     fix your scripts!\n"
                ));
            } else {
                self.peer = Some(*local);
                self.push(address(IFA_ADDRESS, local.address));
            }
        }
        if self.message.header.prefix_len == 0 {
            self.message.header.prefix_len = local.as_ref().map_or(0, |(_, local)| local.length);
        }
        if let (Some(derived), false) = (self.derived, delete) {
            self.derive_broadcast(derived)?;
        }
        if !self.scoped && !delete {
            let loopback = local.as_ref().and_then(|(_, local)| local.address);
            if matches!(loopback, Some(IpAddr::V4(address)) if address.octets()[0] == 127) {
                self.message.header.scope = RT_SCOPE_HOST.into();
            }
        }
        self.message.header.index = context.require_link(&device)?;
        self.add_life_times()?;
        let multicast = local.and_then(|(_, local)| local.address).is_some_and(|a| a.is_multicast());
        if self.flags & IFA_F_MCAUTOJOIN != 0 && !multicast {
            return Err(Stop::fail(1, "autojoin needs multicast address\n"));
        }
        Ok(self.message)
    }

    /// `broadcast +` and `broadcast -`; a prefix longer than 30 bits has no broadcast address.
    fn derive_broadcast(&mut self, derived: Derived) -> Result<(), Stop> {
        if self.family() != AF_INET {
            return Err(Stop::fail(1, "Broadcast can be set only for IPv4 addresses\n"));
        }
        if let Some(Prefix { address: Some(IpAddr::V4(base)), length, .. }) = self.peer
            && length <= 30
        {
            let host = u32::MAX >> length;
            let broadcast = match derived {
                Derived::Ones => u32::from(base) | host,
                Derived::Zeros => u32::from(base) & !host,
            };
            self.push(AddressAttribute::Broadcast(Ipv4Addr::from(broadcast)));
        }
        Ok(())
    }

    fn add_life_times(&mut self) -> Result<(), Stop> {
        if self.valid.is_none() && self.preferred.is_none() {
            return Ok(());
        }
        let mut times = CacheInfo::default();
        times.ifa_valid = self.valid.unwrap_or(u32::MAX);
        times.ifa_preferred = self.preferred.unwrap_or(u32::MAX);
        if times.ifa_valid == 0 {
            return Err(Stop::fail(1, "valid_lft is zero\n"));
        }
        if times.ifa_valid < times.ifa_preferred {
            return Err(Stop::fail(1, "preferred_lft is greater than valid_lft\n"));
        }
        self.push(AddressAttribute::CacheInfo(times));
        Ok(())
    }
}

/// An address attribute: typed where it can be, as it is where the kernel has to judge it.
fn address(kind: u16, value: Option<IpAddr>) -> AddressAttribute {
    match (kind, value) {
        (IFA_ADDRESS, Some(address)) => AddressAttribute::Address(address),
        (IFA_LOCAL, Some(address)) => AddressAttribute::Local(address),
        (IFA_BROADCAST, Some(IpAddr::V4(address))) => AddressAttribute::Broadcast(address),
        (IFA_ANYCAST, Some(IpAddr::V6(address))) => AddressAttribute::Anycast(address),
        (kind, value) => {
            AddressAttribute::Other(DefaultNla::new(kind, value.map(octets).unwrap_or_default()))
        }
    }
}

/// Seconds or `forever`.
fn life_time(word: &str, message: &str) -> Result<u32, Stop> {
    if word == "forever" {
        return Ok(u32::MAX);
    }
    get_u32(word, 0).ok_or_else(|| Stop::invarg(message, word))
}
