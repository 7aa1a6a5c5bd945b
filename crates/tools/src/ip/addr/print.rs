//! One address as `ip address` shows it (iproute2's `print_addrinfo`).

use std::net::IpAddr;

use hairpin_netlink::route::address::{AddressAttribute, AddressMessage};

use super::flags::{IFA_F_DEPRECATED, print_flags};
use crate::ip::filter::Filter;
use crate::ip::list::label;
use crate::iproute2::inet::{family_name, format_host};
use crate::iproute2::names::Table;
use crate::iproute2::{Color, Context, find};

/// A life time without end.
const FOREVER: u32 = u32::MAX;

/// An address of a dump.
#[derive(Clone, Debug)]
pub(in crate::ip) struct Address {
    pub message: AddressMessage,
    /// The address itself (`IFA_LOCAL`, or else `IFA_ADDRESS`).
    local: Option<IpAddr>,
    /// The other end of a point-to-point link, or the address again.
    peer: Option<IpAddr>,
    /// `IFA_F_*`
    flags: u32,
}

impl From<AddressMessage> for Address {
    fn from(message: AddressMessage) -> Self {
        let local = find!(message.attributes, AddressAttribute::Local).copied();
        let peer = find!(message.attributes, AddressAttribute::Address).copied();
        let flags = find!(message.attributes, AddressAttribute::Flags).map(|flags| flags.bits());
        let flags = flags.unwrap_or_else(|| message.header.flags.bits().into());
        Address { local: local.or(peer), peer: peer.or(local), flags, message }
    }
}

impl Address {
    pub(in crate::ip) fn index(&self) -> u32 {
        self.message.header.index
    }

    pub(in crate::ip) fn family(&self) -> u8 {
        self.message.header.family.into()
    }

    fn scope(&self) -> u8 {
        self.message.header.scope.into()
    }

    /// Whether the selection holds the address, whatever link it is on.
    pub(in crate::ip) fn selected(&self, context: &mut Context<'_>, filter: &Filter) -> bool {
        if filter.family != 0 && filter.family != self.family() {
            return false;
        }
        if filter.scope.is_some_and(|scope| scope != self.scope()) {
            return false;
        }
        if (filter.flags ^ self.flags) & filter.flag_mask != 0 {
            return false;
        }
        if let Some(pattern) = &filter.label {
            let own = match label(&self.message.attributes) {
                Some(label) => label.to_owned(),
                None => context.link_name(self.index()),
            };
            if !fnmatch(pattern.as_bytes(), own.as_bytes()) {
                return false;
            }
        }
        match (filter.prefix, self.local) {
            (Some(prefix), Some(local)) if prefix.length > 0 => prefix.contains(local),
            _ => true,
        }
    }

    /// Prints the address if the selection holds it. `deleting` names the link as `flush` does.
    pub(in crate::ip) fn print(&self, context: &mut Context<'_>, filter: &Filter, deleting: bool) {
        if filter.index != 0 && filter.index != self.index() || !self.selected(context, filter) {
            return;
        }
        let family = self.family();
        if !context.options.brief {
            if filter.named || deleting || context.options.echo {
                let device = context.link_name(self.index());
                context.print.json("index", self.index() as i32);
                context.print.json("dev", &device);
                context.print.text(format_args!("{}: {device}", self.index()));
            }
            match family_name(family) {
                "???" => context.print.any("family_index", family, format_args!("    family {family} ")),
                name => context.print.any("family", name, format_args!("    {name} ")),
            }
        }
        self.print_address(context);
        if !context.options.brief {
            self.print_rest(context);
        }
    }

    fn print_address(&self, context: &mut Context<'_>) {
        let color = Color::family(self.family());
        let print = &mut context.print;
        let Some(local) = self.local else {
            return;
        };
        let local = format_host(local);
        print.colored(color, "local", &local, format_args!("{local}"));
        if let Some(peer) = self.peer
            && self.local != Some(peer)
        {
            let peer = format_host(peer);
            print.text(format_args!(" peer "));
            print.colored(color, "address", &peer, format_args!("{peer}"));
        }
        let length = self.message.header.prefix_len;
        print.any("prefixlen", length, format_args!("/{length} "));
        if let Some(metric) = find!(self.message.attributes, AddressAttribute::RoutePriority) {
            print.any("metric", *metric, format_args!("metric {metric} "));
        }
    }

    fn print_rest(&self, context: &mut Context<'_>) {
        let attributes = &self.message.attributes;
        let color = Color::family(self.family());
        if let Some(broadcast) = find!(attributes, AddressAttribute::Broadcast) {
            let broadcast = broadcast.to_string();
            context.print.text(format_args!("brd "));
            context.print.colored(color, "broadcast", &broadcast, format_args!("{broadcast} "));
        }
        if let Some(anycast) = find!(attributes, AddressAttribute::Anycast) {
            let anycast = format_host((*anycast).into());
            context.print.text(format_args!("any "));
            context.print.colored(color, "anycast", &anycast, format_args!("{anycast} "));
        }
        let scope = context.name_of(Table::Scope, self.scope().into());
        context.print.any("scope", &scope, format_args!("scope {scope} "));
        print_flags(context, self.family(), self.flags);
        if let Some(label) = label(attributes) {
            context.print.any("label", label, format_args!("{label}"));
        }
        if let Some(times) = find!(attributes, AddressAttribute::CacheInfo) {
            context.print.line();
            context.print.text(format_args!("       valid_lft "));
            self.print_life_time(context, "valid_life_time", times.ifa_valid, false);
            context.print.text(format_args!(" preferred_lft "));
            let signed = self.flags & IFA_F_DEPRECATED != 0;
            self.print_life_time(context, "preferred_life_time", times.ifa_preferred, signed);
        }
        context.print.text(format_args!("\n"));
    }

    /// Seconds; a deprecated address shows for how long it has been so.
    fn print_life_time(&self, context: &mut Context<'_>, key: &str, seconds: u32, signed: bool) {
        let print = &mut context.print;
        if seconds == FOREVER {
            print.any(key, seconds, format_args!("forever"));
        } else if signed {
            print.any(key, seconds as i32, format_args!("{}sec", seconds as i32));
        } else {
            print.any(key, seconds, format_args!("{seconds}sec"));
        }
    }
}

/// `fnmatch` of C without flags: `*`, `?`, `[...]` and backslash.
fn fnmatch(pattern: &[u8], text: &[u8]) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return text.is_empty();
    };
    match (first, text.split_first()) {
        (b'*', tail) => fnmatch(rest, text) || tail.is_some_and(|(_, tail)| fnmatch(pattern, tail)),
        (b'?', Some((_, tail))) => fnmatch(rest, tail),
        (b'[', Some((byte, tail))) => match class(rest, *byte) {
            Some((true, rest)) => fnmatch(rest, tail),
            Some((false, _)) => false,
            None => *byte == b'[' && fnmatch(rest, tail),
        },
        (b'\\', Some((byte, tail))) => match rest.split_first() {
            Some((literal, rest)) => literal == byte && fnmatch(rest, tail),
            None => false,
        },
        (literal, Some((byte, tail))) => literal == byte && fnmatch(rest, tail),
        (_, None) => false,
    }
}

/// Whether a bracket expression holds a byte, and what follows it; `None` if it has no end.
fn class(pattern: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (inverted, mut rest) = match pattern.split_first()? {
        (b'!' | b'^', rest) => (true, rest),
        _ => (false, pattern),
    };
    let mut found = false;
    let mut first = true;
    loop {
        match rest {
            [b']', after @ ..] if !first => return Some((found != inverted, after)),
            [low, b'-', high, after @ ..] if *high != b']' => {
                found |= (*low..=*high).contains(&byte);
                rest = after;
            }
            [single, after @ ..] => {
                found |= *single == byte;
                rest = after;
            }
            [] => return None,
        }
        first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_match_shell_patterns() {
        let matches = |pattern: &str, text: &str| fnmatch(pattern.as_bytes(), text.as_bytes());
        assert!(matches("eth*", "eth0:1"));
        assert!(matches("eth?", "eth0"));
        assert!(!matches("eth?", "eth0:1"));
        assert!(matches("[a-e]th[!1]", "eth0"));
        assert!(!matches("[a-e]th[!0]", "eth0"));
        assert!(matches("\\*", "*"));
        assert!(matches("[", "["));
        assert!(!matches("", "x"));
    }
}
