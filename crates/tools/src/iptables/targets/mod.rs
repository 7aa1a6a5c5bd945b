//! Targets by name, one file each: their options, how they are saved and how they are listed.

mod checksum;
mod classify;
mod connmark;
mod ct;
mod log;
mod mark;
mod nat;
mod nflog;
mod nfqueue;
mod reject;
mod set;
mod tcpmss;
mod tos;
mod ttl;

use hairpin_netlink::netfilter::{Family, Target};

use super::extension::{Given, Opt, Reader, Rest};
use super::fail::Fail;

/// The reader of `-j NAME`; targets without options have one too.
pub(super) fn reader(name: &str, family: Family) -> Option<Box<dyn Reader<Target>>> {
    Some(match name {
        "REJECT" => Box::new(reject::Reject::new(family)),
        "LOG" => Box::<log::Log>::default(),
        "MARK" => Box::<mark::Mark>::default(),
        "CONNMARK" => Box::<connmark::Reading>::default(),
        "SNAT" => Box::new(nat::Nat::new(nat::Kind::Snat)),
        "DNAT" => Box::new(nat::Nat::new(nat::Kind::Dnat)),
        "MASQUERADE" => Box::new(nat::Nat::new(nat::Kind::Masquerade)),
        "REDIRECT" => Box::new(nat::Nat::new(nat::Kind::Redirect)),
        "NETMAP" => Box::<nat::Netmap>::default(),
        "CT" => Box::<ct::Ct>::default(),
        "TTL" if family == Family::Ipv4 => Box::new(ttl::Ttl::new(family)),
        "HL" if family == Family::Ipv6 => Box::new(ttl::Ttl::new(family)),
        "TCPMSS" => Box::<tcpmss::TcpMss>::default(),
        "NOTRACK" => Box::new(Plain("NOTRACK", Target::NoTrack { old_name: true })),
        "SET" => Box::<set::Reading>::default(),
        "TOS" => Box::new(tos::Tos::new(false)),
        "DSCP" => Box::new(tos::Tos::new(true)),
        "CLASSIFY" => Box::<classify::Classify>::default(),
        "NFLOG" => Box::<nflog::Reading>::default(),
        "NFQUEUE" => Box::<nfqueue::Reading>::default(),
        "CHECKSUM" => Box::new(checksum::Checksum),
        "TRACE" => Box::new(Plain("TRACE", Target::Trace)),
        _ => return None,
    })
}

/// `ACCEPT`, `DROP`, `RETURN`: the verdicts that are no extension.
pub(super) fn standard(name: &str) -> Option<Target> {
    Some(match name {
        "ACCEPT" => Target::Accept,
        "DROP" => Target::Drop,
        "RETURN" => Target::Return,
        _ => return None,
    })
}

/// A target without options.
struct Plain(&'static str, Target);

impl Reader<Target> for Plain {
    fn name(&self) -> &'static str {
        self.0
    }

    fn options(&self) -> &'static [Opt] {
        &[]
    }

    fn option(&mut self, _: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Target, Fail> {
        Ok(self.1.clone())
    }
}

/// The word behind `-j` in this family.
pub(super) fn name_of(target: &Target, family: Family) -> &str {
    match target {
        Target::Ttl { .. } if family == Family::Ipv6 => "HL",
        target => target.name(),
    }
}

/// What follows the name in `-S` and `iptables-save`.
pub(super) fn saved(target: &Target, family: Family) -> String {
    match target {
        Target::Reject(with) => reject::saved(*with, family),
        Target::Log { level, flags, prefix } => log::saved(*level, *flags, prefix),
        Target::Mark { value, mask } => mark::saved(*value, *mask),
        Target::ConnMark(change) => connmark::saved(*change),
        Target::Snat(range) => nat::saved("to-source", range),
        Target::Dnat(range) => nat::saved("to-destination", range),
        Target::Masquerade(range) | Target::Redirect(range) => nat::saved("to-ports", range),
        Target::Netmap { address, mask } => nat::saved_netmap(*address, *mask),
        Target::NoTrack { old_name: false } => " --notrack".to_owned(),
        Target::Track { helper, zone } => ct::saved(helper.as_deref(), *zone),
        Target::Ttl { change, value } => ttl::saved(*change, *value, family),
        Target::TcpMss(limit) => tcpmss::saved(*limit),
        Target::Set(change) => set::saved(change),
        Target::Tos { value, mask, dscp } => tos::saved(*value, *mask, *dscp),
        Target::Classify(class) => classify::saved(*class),
        Target::Nflog(found) => nflog::saved(found),
        Target::NfQueue(found) => nfqueue::saved(found),
        Target::Checksum => " --checksum-fill".to_owned(),
        _ => String::new(),
    }
}

/// What `-L` prints behind the matches, with a space in front.
pub(super) fn listed(target: &Target, family: Family, numeric: bool) -> String {
    match target {
        Target::Reject(with) => reject::listed(*with, family),
        Target::Log { level, flags, prefix } => log::listed(*level, *flags, prefix, numeric),
        Target::Mark { value, mask } => mark::listed(*value, *mask),
        Target::ConnMark(change) => connmark::listed(*change),
        Target::Snat(range) | Target::Dnat(range) => nat::listed("to:", range),
        Target::Masquerade(range) => nat::listed("masq ports: ", range),
        Target::Redirect(range) => nat::listed("redir ports ", range),
        Target::Netmap { address, mask } => nat::listed_netmap(*address, *mask),
        Target::NoTrack { old_name: true } => " NOTRACK".to_owned(),
        Target::NoTrack { old_name: false } => " CT notrack".to_owned(),
        Target::Track { helper, zone } => ct::listed(helper.as_deref(), *zone),
        Target::Ttl { change, value } => ttl::listed(*change, *value, family),
        Target::TcpMss(limit) => tcpmss::listed(*limit),
        Target::Set(change) => set::listed(change),
        Target::Tos { value, mask, dscp } => tos::listed(*value, *mask, *dscp, numeric),
        Target::Classify(class) => classify::listed(*class),
        Target::Nflog(found) => nflog::listed(found),
        Target::NfQueue(found) => nfqueue::listed(found),
        Target::Checksum => " CHECKSUM fill".to_owned(),
        _ => String::new(),
    }
}
