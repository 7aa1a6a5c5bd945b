//! Policy rules: which table answers for which packet (`fib_rules.c`).

use std::net::IpAddr;

use hairpin_netlink::{Errno, Failure};

use crate::route6::Prefix6;

use super::{
    links::Links,
    lookup::Flow,
    model::{PROTOCOL_KERNEL, Prefix, TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN},
};

/// `FIB_RULE_INVERT`: the rule applies to what its selectors do not match.
pub const RULE_INVERT: u32 = 2;
/// `FIB_RULE_PERMANENT`: cannot be deleted.
pub const RULE_PERMANENT: u32 = 1;

/// The largest table number that the kernel gives to a rule without a table (`FIB_MAX_AUTO_TABLE_ID`).
const MAX_AUTO_TABLE: u32 = 4096;

/// What a rule does (`FR_ACT_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Table,
    Goto,
    Nop,
    Blackhole,
    Unreachable,
    Prohibit,
    /// Any other number: treated as blackhole.
    Other(u8),
}

impl Action {
    pub fn from_number(number: u8) -> Self {
        match number {
            1 => Action::Table,
            2 => Action::Goto,
            3 => Action::Nop,
            6 => Action::Blackhole,
            7 => Action::Unreachable,
            8 => Action::Prohibit,
            other => Action::Other(other),
        }
    }

    pub fn number(self) -> u8 {
        match self {
            Action::Table => 1,
            Action::Goto => 2,
            Action::Nop => 3,
            Action::Blackhole => 6,
            Action::Unreachable => 7,
            Action::Prohibit => 8,
            Action::Other(number) => number,
        }
    }
}

/// A device that a rule names. Rules name devices by name: the device may come later or go away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleDevice {
    pub name: String,
    /// `None` while there is no such device ("detached"): the rule then matches nothing.
    pub ifindex: Option<u32>,
}

/// A policy rule. As a request it says what is wanted, with 0, `None` and empty for what is not said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Rules are asked in this order, lowest first.
    pub priority: u32,
    pub action: Action,
    /// 0: none given.
    pub table: u32,
    /// `FIB_RULE_*` as given.
    pub flags: u32,
    pub source: Option<IpPrefix>,
    pub destination: Option<IpPrefix>,
    pub tos: u8,
    pub iif: Option<RuleDevice>,
    pub oif: Option<RuleDevice>,
    pub mark: u32,
    pub mark_mask: u32,
    /// Priority of the rule to go on with, for [`Action::Goto`].
    pub target: u32,
    pub tunnel_id: u64,
    /// `l3mdev`: look into the table of the flow's VRF.
    pub vrf: bool,
    /// First and last user id.
    pub uids: Option<(u32, u32)>,
    pub ip_protocol: u8,
    /// `RTPROT_*`: who made it.
    pub protocol: u8,
    pub source_ports: Option<(u16, u16)>,
    pub destination_ports: Option<(u16, u16)>,
    /// Results with at most this prefix length do not count.
    pub suppress_prefix_length: Option<u32>,
    /// Results through a device of this group do not count.
    pub suppress_group: Option<u32>,
    /// `FRA_FLOW`
    pub realm: u32,
}

impl Rule {
    /// `from all lookup TABLE`.
    pub fn lookup(priority: u32, table: u32) -> Self {
        Rule {
            priority,
            action: Action::Table,
            table,
            flags: 0,
            source: None,
            destination: None,
            tos: 0,
            iif: None,
            oif: None,
            mark: 0,
            mark_mask: 0,
            target: 0,
            tunnel_id: 0,
            vrf: false,
            uids: None,
            ip_protocol: 0,
            protocol: 0,
            source_ports: None,
            destination_ports: None,
            suppress_prefix_length: None,
            suppress_group: None,
            realm: 0,
        }
    }

    /// `fib_rule_match` with `fib4_rule_match` or `fib6_rule_match`
    pub(crate) fn matches(&self, flow: &Facts) -> bool {
        let device = |rule: &Option<RuleDevice>, ifindex: u32| {
            rule.as_ref().is_none_or(|device| device.ifindex == Some(ifindex))
        };
        let within = |prefix: Option<IpPrefix>, address: IpAddr| prefix.is_none_or(|p| p.contains(address));
        let ports =
            |range: Option<(u16, u16)>, port: u16| range.is_none_or(|(from, to)| (from..=to).contains(&port));
        let matched = device(&self.iif, flow.iif)
            && device(&self.oif, flow.oif)
            && (self.mark ^ flow.mark) & self.mark_mask == 0
            && (self.tunnel_id == 0 || self.tunnel_id == flow.tunnel_id)
            && (!self.vrf || flow.vrf)
            && self.uids.is_none_or(|(from, to)| (from..=to).contains(&flow.uid))
            && within(self.source, flow.source)
            && within(self.destination, flow.destination)
            && (self.tos == 0 || self.tos == flow.tos)
            && (self.ip_protocol == 0 || self.ip_protocol == flow.protocol)
            && ports(self.source_ports, flow.source_port)
            && ports(self.destination_ports, flow.destination_port);
        matched != (self.flags & RULE_INVERT != 0)
    }

    /// `fib_rule_get_table`
    pub(crate) fn table_for(&self, vrf_table: Option<u32>) -> u32 {
        if self.vrf { vrf_table.unwrap_or(self.table) } else { self.table }
    }

    /// The IPv4 part of comparing a rule with a request (`fib4_rule_compare`): what is not said fits.
    fn fits_addresses(&self, wanted: &Rule) -> bool {
        (wanted.source.is_none() || self.source == wanted.source)
            && (wanted.destination.is_none() || self.destination == wanted.destination)
            && (wanted.tos == 0 || self.tos == wanted.tos)
            && (wanted.realm == 0 || self.realm == wanted.realm)
    }

    /// `rule_find`: whether this is a rule that a deletion request describes.
    fn fits(&self, wanted: &Rule, priority_given: bool) -> bool {
        let name = |device: &Option<RuleDevice>| device.as_ref().map(|device| device.name.clone());
        let optional =
            |mine: Option<(u16, u16)>, theirs: Option<(u16, u16)>| theirs.is_none() || mine == theirs;
        (wanted.action == Action::Other(0) || self.action == wanted.action)
            && (wanted.table == 0 || self.table == wanted.table)
            && (!priority_given || self.priority == wanted.priority)
            && (wanted.iif.is_none() || name(&self.iif) == name(&wanted.iif))
            && (wanted.oif.is_none() || name(&self.oif) == name(&wanted.oif))
            && (wanted.mark == 0 || self.mark == wanted.mark)
            && (wanted.suppress_group.is_none() || self.suppress_group == wanted.suppress_group)
            && (wanted.suppress_prefix_length.is_none()
                || self.suppress_prefix_length == wanted.suppress_prefix_length)
            && (wanted.mark_mask == 0 || self.mark_mask == wanted.mark_mask)
            && (wanted.tunnel_id == 0 || self.tunnel_id == wanted.tunnel_id)
            && (!wanted.vrf || self.vrf)
            && (wanted.uids.is_none() || self.uids == wanted.uids)
            && (wanted.ip_protocol == 0 || self.ip_protocol == wanted.ip_protocol)
            && (wanted.protocol == 0 || self.protocol == wanted.protocol)
            && optional(self.source_ports, wanted.source_ports)
            && optional(self.destination_ports, wanted.destination_ports)
            && self.fits_addresses(wanted)
    }

    /// `rule_exists`: whether an exclusive request for `wanted` is refused because of this rule. The
    /// addresses are compared only where the request gives them, as the kernel does.
    fn repeats(&self, wanted: &Rule) -> bool {
        let name = |device: &Option<RuleDevice>| device.as_ref().map(|device| device.name.clone());
        self.action == wanted.action
            && self.table == wanted.table
            && self.priority == wanted.priority
            && name(&self.iif) == name(&wanted.iif)
            && name(&self.oif) == name(&wanted.oif)
            && self.mark == wanted.mark
            && self.suppress_group == wanted.suppress_group
            && self.suppress_prefix_length == wanted.suppress_prefix_length
            && self.mark_mask == wanted.mark_mask
            && self.tunnel_id == wanted.tunnel_id
            && self.vrf == wanted.vrf
            && self.uids == wanted.uids
            && self.ip_protocol == wanted.ip_protocol
            && self.protocol == wanted.protocol
            && self.source_ports == wanted.source_ports
            && self.destination_ports == wanted.destination_ports
            && self.fits_addresses(wanted)
    }
}

/// A prefix of either family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpPrefix {
    pub address: IpAddr,
    pub length: u8,
}

impl IpPrefix {
    pub fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(address)) => Prefix::new(own, self.length).contains(address),
            (IpAddr::V6(own), IpAddr::V6(address)) => Prefix6::of(own, self.length).contains(address),
            _ => false,
        }
    }
}

/// What of a packet rules look at.
#[derive(Clone, Debug)]
pub struct Facts {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub iif: u32,
    pub oif: u32,
    pub tos: u8,
    pub mark: u32,
    pub uid: u32,
    /// IP protocol, 0 where unknown.
    pub protocol: u8,
    pub source_port: u16,
    pub destination_port: u16,
    pub tunnel_id: u64,
    /// The packet belongs to a VRF.
    pub vrf: bool,
}

impl Facts {
    pub(super) fn of(flow: &Flow) -> Facts {
        Facts {
            source: flow.source.into(),
            destination: flow.destination.into(),
            iif: flow.iif,
            oif: flow.oif,
            tos: flow.tos,
            mark: flow.mark,
            uid: flow.uid,
            protocol: flow.protocol,
            source_port: flow.source_port,
            destination_port: flow.destination_port,
            tunnel_id: flow.tunnel_id,
            vrf: flow.vrf_table.is_some(),
        }
    }
}

/// A rule that came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleChange {
    Added(Rule),
    Removed(Rule),
}

/// The rules of a new namespace (`fib_default_rules_init`).
pub(super) fn default_rules() -> Vec<Rule> {
    [(0, TABLE_LOCAL), (32766, TABLE_MAIN), (32767, TABLE_DEFAULT)]
        .map(|(priority, table)| Rule { protocol: PROTOCOL_KERNEL, ..Rule::lookup(priority, table) })
        .into()
}

/// The tables of a family with their rules.
pub trait Ruled {
    /// Whether they are of IPv6.
    const IPV6: bool;

    fn rule_list(&self) -> &[Rule];

    /// The rules for change.
    fn rule_list_mut(&mut self) -> &mut Vec<Rule>;

    /// Rules are about to come into play.
    fn note_custom_rules(&mut self);

    fn table_exists(&self, id: u32) -> bool;

    fn ensure_table(&mut self, id: u32);

    /// The priority of a rule that names none: one before the second rule, 0 where that is not possible
    /// (`fib_default_rule_pref`).
    fn next_rule_priority(&self) -> u32 {
        self.rule_list().get(1).map_or(0, |second| second.priority.saturating_sub(1))
    }

    /// Whether there is a rule already that an exclusive request for `rule` is refused for.
    fn repeats_rule(&self, rule: &Rule) -> bool {
        self.rule_list().iter().any(|existing| existing.repeats(rule))
    }

    /// Adds a rule (`fib_nl_newrule`), whose priority is already chosen.
    ///
    /// # Errors
    /// `EEXIST` if `exclusive` and there is such a rule, `ENOBUFS` if there is no free table for it.
    fn add_rule(
        &mut self,
        mut rule: Rule,
        exclusive: bool,
        links: &(impl Links + ?Sized),
    ) -> Result<RuleChange, Failure> {
        if exclusive && self.repeats_rule(&rule) {
            return Err(Errno::EEXIST.into());
        }
        self.note_custom_rules();
        if rule.table == 0 && !rule.vrf && rule.action == Action::Table {
            if Self::IPV6 {
                return Err(Failure::with_text(Errno::EINVAL, "Invalid table"));
            }
            rule.table = (1..=MAX_AUTO_TABLE).find(|id| !self.table_exists(*id)).ok_or(Errno::ENOBUFS)?;
            self.ensure_table(rule.table);
        }
        for device in [&mut rule.iif, &mut rule.oif].into_iter().flatten() {
            device.ifindex = links.find(&device.name);
        }
        let rules = self.rule_list_mut();
        let at = rules.partition_point(|existing| existing.priority <= rule.priority);
        rules.insert(at, rule.clone());
        Ok(RuleChange::Added(rule))
    }

    /// Deletes the first rule that fits (`fib_nl_delrule`).
    ///
    /// # Errors
    /// `ENOENT` if none fits, `EPERM` if it is permanent.
    fn delete_rule(&mut self, wanted: &Rule, priority_given: bool) -> Result<RuleChange, Failure> {
        let at = self.rule_list().iter().position(|rule| rule.fits(wanted, priority_given));
        let at = at.ok_or(Errno::ENOENT)?;
        if self.rule_list()[at].flags & RULE_PERMANENT != 0 {
            return Err(Errno::EPERM.into());
        }
        self.note_custom_rules();
        Ok(RuleChange::Removed(self.rule_list_mut().remove(at)))
    }

    /// A device got a name: it was made, renamed or moved here (`attach_rules`).
    fn device_named(&mut self, ifindex: u32, name: &str) {
        let names_it = |device: &RuleDevice| device.name == name && device.ifindex.is_none();
        self.change_rule_devices(names_it, Some(ifindex));
    }

    /// A device lost its name: it was renamed (call [`Ruled::device_named`] next) or left (`detach_rules`).
    fn device_unnamed(&mut self, ifindex: u32) {
        self.change_rule_devices(|device| device.ifindex == Some(ifindex), None);
    }

    /// Whether a goto rule's target exists.
    fn is_resolved(&self, rule: &Rule) -> bool {
        self.rule_position(rule.target).is_some()
    }

    /// Position of the first rule with this priority.
    fn rule_position(&self, priority: u32) -> Option<usize> {
        let at = self.rule_list().partition_point(|rule| rule.priority < priority);
        self.rule_list().get(at).filter(|rule| rule.priority == priority).map(|_| at)
    }

    fn change_rule_devices(&mut self, which: impl Fn(&RuleDevice) -> bool, ifindex: Option<u32>) {
        let concerned = |rule: &Rule| [&rule.iif, &rule.oif].into_iter().flatten().any(&which);
        if !self.rule_list().iter().any(concerned) {
            return;
        }
        for rule in self.rule_list_mut() {
            for device in [&mut rule.iif, &mut rule.oif].into_iter().flatten() {
                if which(device) {
                    device.ifindex = ifindex;
                }
            }
        }
    }
}
