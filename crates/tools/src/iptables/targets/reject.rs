//! `-j REJECT`

use hairpin_netlink::netfilter::targets::RejectWith;
use hairpin_netlink::netfilter::{Family, Target};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;

/// A name, its short form, what it stands for.
type Named = (&'static str, &'static str, RejectWith);

const NAMES: &[Named] = &[
    ("icmp-net-unreachable", "net-unreach", RejectWith::NetUnreachable),
    ("icmp-host-unreachable", "host-unreach", RejectWith::HostUnreachable),
    ("icmp-proto-unreachable", "proto-unreach", RejectWith::ProtocolUnreachable),
    ("icmp-port-unreachable", "port-unreach", RejectWith::PortUnreachable),
    ("icmp-net-prohibited", "net-prohib", RejectWith::NetProhibited),
    ("icmp-host-prohibited", "host-prohib", RejectWith::HostProhibited),
    ("tcp-reset", "tcp-rst", RejectWith::TcpReset),
    ("icmp-admin-prohibited", "admin-prohib", RejectWith::AdminProhibited),
];
const NAMES6: &[Named] = &[
    ("icmp6-no-route", "no-route", RejectWith::NetUnreachable),
    ("icmp6-adm-prohibited", "adm-prohibited", RejectWith::AdminProhibited),
    ("icmp6-addr-unreachable", "addr-unreach", RejectWith::HostUnreachable),
    ("icmp6-port-unreachable", "port-unreach", RejectWith::PortUnreachable),
    ("tcp-reset", "tcp-reset", RejectWith::TcpReset),
    ("icmp6-policy-fail", "policy-fail", RejectWith::PolicyFail),
    ("icmp6-reject-route", "reject-route", RejectWith::RejectRoute),
];

fn names(family: Family) -> &'static [Named] {
    if family == Family::Ipv4 { NAMES } else { NAMES6 }
}

pub(super) struct Reject {
    family: Family,
    with: RejectWith,
}

impl Reject {
    pub fn new(family: Family) -> Reject {
        Reject { family, with: RejectWith::PortUnreachable }
    }
}

impl Reader<Target> for Reject {
    fn name(&self) -> &'static str {
        "REJECT"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("reject-with")];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, rest: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let text = given.value.to_lowercase();
        let fits = |(long, short, _): &&Named| long.starts_with(&text) || short.starts_with(&text);
        let found = names(self.family).iter().find(fits);
        if self.family == Family::Ipv4 && found.is_none() && text.len() > 5 && "echo-reply".starts_with(&text)
        {
            let _ = writeln!(rest.names.shell.err(), "--reject-with echo-reply no longer supported");
        }
        let unknown = || Fail::parameter(format!("unknown reject type \"{}\"", given.value));
        self.with = found.ok_or_else(unknown)?.2;
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Target, Fail> {
        Ok(Target::Reject(self.with))
    }
}

fn name_of(with: RejectWith, family: Family) -> &'static str {
    names(family).iter().find(|(_, _, known)| *known == with).map_or("", |(name, ..)| name)
}

pub(super) fn saved(with: RejectWith, family: Family) -> String {
    format!(" --reject-with {}", name_of(with, family))
}

pub(super) fn listed(with: RejectWith, family: Family) -> String {
    format!(" reject-with {}", name_of(with, family))
}
