//! bond (drivers/net/bonding/bond_netlink.c): options of bonds and of their slaves.

use std::net::Ipv6Addr;

use hairpin_netlink::route::link::{
    BondAdInfo, InfoBond, InfoBondPort, InfoData, InfoKind, InfoPortData, InfoPortKind, LacpState,
};
use hairpin_netlink::{Errno, Failure, codec};

use super::{Creation, LinkOps};
use crate::control::bond::{OptionValue, replace_targets};
use crate::dev::Kind;
use crate::dev::bond::options::{Mode, Opt, refusal};
use crate::dev::bond::{Bond, Slave};
use crate::device::DevId;
use crate::rtnl::link::attributes::{Attributes, Policy, U8, U16, U32};
use crate::time::Time;
use crate::world::World;

pub(super) const OPS: LinkOps = LinkOps {
    policy: Some(POLICY),
    change: Some(World::change_bond),
    port_policy: Some(SLAVE_POLICY),
    change_port: Some(World::change_bond_slave),
    queues: 16,
    ..LinkOps::new("bond", World::create_bond)
};

/// `IFLA_BOND_*`
mod ifla {
    pub const MODE: u16 = 1;
    pub const ACTIVE_SLAVE: u16 = 2;
    pub const MIIMON: u16 = 3;
    pub const UPDELAY: u16 = 4;
    pub const DOWNDELAY: u16 = 5;
    pub const USE_CARRIER: u16 = 6;
    pub const ARP_INTERVAL: u16 = 7;
    pub const ARP_IP_TARGET: u16 = 8;
    pub const ARP_VALIDATE: u16 = 9;
    pub const ARP_ALL_TARGETS: u16 = 10;
    pub const PRIMARY: u16 = 11;
    pub const PRIMARY_RESELECT: u16 = 12;
    pub const FAIL_OVER_MAC: u16 = 13;
    pub const XMIT_HASH_POLICY: u16 = 14;
    pub const RESEND_IGMP: u16 = 15;
    pub const NUM_PEER_NOTIF: u16 = 16;
    pub const ALL_SLAVES_ACTIVE: u16 = 17;
    pub const MIN_LINKS: u16 = 18;
    pub const LP_INTERVAL: u16 = 19;
    pub const PACKETS_PER_SLAVE: u16 = 20;
    pub const AD_LACP_RATE: u16 = 21;
    pub const AD_SELECT: u16 = 22;
    pub const AD_INFO: u16 = 23;
    pub const AD_ACTOR_SYS_PRIO: u16 = 24;
    pub const AD_USER_PORT_KEY: u16 = 25;
    pub const AD_ACTOR_SYSTEM: u16 = 26;
    pub const TLB_DYNAMIC_LB: u16 = 27;
    pub const PEER_NOTIF_DELAY: u16 = 28;
    pub const AD_LACP_ACTIVE: u16 = 29;
    pub const MISSED_MAX: u16 = 30;
    pub const NS_IP6_TARGET: u16 = 31;
}

/// `IFLA_BOND_SLAVE_*`
const IFLA_BOND_SLAVE_QUEUE_ID: u16 = 5;
const IFLA_BOND_SLAVE_PRIO: u16 = 9;

/// `bond_policy`
const POLICY: &[(u16, Policy)] = &[
    (ifla::MODE, U8),
    (ifla::ACTIVE_SLAVE, U32),
    (ifla::MIIMON, U32),
    (ifla::UPDELAY, U32),
    (ifla::DOWNDELAY, U32),
    (ifla::USE_CARRIER, U8),
    (ifla::ARP_INTERVAL, U32),
    (ifla::ARP_IP_TARGET, Policy::Nested),
    (ifla::ARP_VALIDATE, U32),
    (ifla::ARP_ALL_TARGETS, U32),
    (ifla::PRIMARY, U32),
    (ifla::PRIMARY_RESELECT, U8),
    (ifla::FAIL_OVER_MAC, U8),
    (ifla::XMIT_HASH_POLICY, U8),
    (ifla::RESEND_IGMP, U32),
    (ifla::NUM_PEER_NOTIF, U8),
    (ifla::ALL_SLAVES_ACTIVE, U8),
    (ifla::MIN_LINKS, U32),
    (ifla::LP_INTERVAL, U32),
    (ifla::PACKETS_PER_SLAVE, U32),
    (ifla::AD_LACP_ACTIVE, U8),
    (ifla::AD_LACP_RATE, U8),
    (ifla::AD_SELECT, U8),
    (ifla::AD_INFO, Policy::Nested),
    (ifla::AD_ACTOR_SYS_PRIO, U16),
    (ifla::AD_USER_PORT_KEY, U16),
    (ifla::AD_ACTOR_SYSTEM, Policy::Most(6)),
    (ifla::TLB_DYNAMIC_LB, U8),
    (ifla::PEER_NOTIF_DELAY, U32),
    (ifla::MISSED_MAX, U8),
    (ifla::NS_IP6_TARGET, Policy::Nested),
];

/// `bond_slave_policy`
const SLAVE_POLICY: &[(u16, Policy)] = &[(IFLA_BOND_SLAVE_QUEUE_ID, U16), (IFLA_BOND_SLAVE_PRIO, U32)];

/// One change that a request asks for, in the order in which Linux makes them (`bond_changelink`).
enum Step {
    Set(Opt, u64),
    Active(u32),
    Primary(u32),
    Targets(Vec<u32>),
    NsTargets(Vec<Ipv6Addr>),
    System([u8; 6]),
    Refuse(Failure),
}

fn steps(data: &Attributes<'_>) -> Vec<Step> {
    let byte = |kind| data.u8(kind).map(u64::from);
    let short = |kind| data.u16(kind).map(u64::from);
    // Linux reads these as `int`, and a negative one is out of every range.
    let word = |kind| data.u32(kind).map(u64::from);
    let watches_carrier = data.u32(ifla::MIIMON).is_some_and(|miimon| miimon != 0);
    let conflict = |kind, text: &str| {
        let wanted = data.u32(kind).is_some_and(|value| value != 0) && watches_carrier;
        wanted.then(|| Step::Refuse(Failure::with_text(Errno::EINVAL, text)))
    };
    let set = |option, value: Option<u64>| value.map(|value| Step::Set(option, value));
    let steps = [
        set(Opt::Mode, byte(ifla::MODE)),
        data.u32(ifla::ACTIVE_SLAVE).map(Step::Active),
        set(Opt::MiiMon, word(ifla::MIIMON)),
        set(Opt::UpDelay, word(ifla::UPDELAY)),
        set(Opt::DownDelay, word(ifla::DOWNDELAY)),
        set(Opt::PeerNotifDelay, word(ifla::PEER_NOTIF_DELAY)),
        set(Opt::UseCarrier, byte(ifla::USE_CARRIER)),
        conflict(ifla::ARP_INTERVAL, "ARP monitoring cannot be used with MII monitoring"),
        set(Opt::ArpInterval, word(ifla::ARP_INTERVAL)),
        data.get(ifla::ARP_IP_TARGET).map(targets),
        data.get(ifla::NS_IP6_TARGET).map(ns_targets),
        conflict(ifla::ARP_VALIDATE, "ARP validating cannot be used with MII monitoring"),
        set(Opt::ArpValidate, word(ifla::ARP_VALIDATE)),
        set(Opt::ArpAllTargets, word(ifla::ARP_ALL_TARGETS)),
        data.u32(ifla::PRIMARY).map(Step::Primary),
        set(Opt::PrimaryReselect, byte(ifla::PRIMARY_RESELECT)),
        set(Opt::FailOverMac, byte(ifla::FAIL_OVER_MAC)),
        set(Opt::XmitHash, byte(ifla::XMIT_HASH_POLICY)),
        set(Opt::ResendIgmp, word(ifla::RESEND_IGMP)),
        set(Opt::NumPeerNotif, byte(ifla::NUM_PEER_NOTIF)),
        set(Opt::AllSlavesActive, byte(ifla::ALL_SLAVES_ACTIVE)),
        set(Opt::MinLinks, word(ifla::MIN_LINKS)),
        set(Opt::LpInterval, word(ifla::LP_INTERVAL)),
        set(Opt::PacketsPerSlave, word(ifla::PACKETS_PER_SLAVE)),
        set(Opt::LacpActive, byte(ifla::AD_LACP_ACTIVE)),
        set(Opt::LacpRate, byte(ifla::AD_LACP_RATE)),
        set(Opt::AdSelect, byte(ifla::AD_SELECT)),
        set(Opt::AdActorSysPrio, short(ifla::AD_ACTOR_SYS_PRIO)),
        set(Opt::AdUserPortKey, short(ifla::AD_USER_PORT_KEY)),
        data.get(ifla::AD_ACTOR_SYSTEM).map(|mac| match <[u8; 6]>::try_from(mac) {
            Ok(mac) => Step::System(mac),
            Err(_) => Step::Refuse(Errno::EINVAL.into()),
        }),
        set(Opt::TlbDynamicLb, byte(ifla::TLB_DYNAMIC_LB)),
        set(Opt::MissedMax, byte(ifla::MISSED_MAX)),
    ];
    steps.into_iter().flatten().collect()
}

fn targets(nest: &[u8]) -> Step {
    let mut targets = Vec::new();
    for (_, target) in codec::attributes(nest) {
        match target.first_chunk() {
            Some(bytes) => targets.push(u32::from_ne_bytes(*bytes)),
            None => return Step::Refuse(Errno::EINVAL.into()),
        }
    }
    Step::Targets(targets)
}

fn ns_targets(nest: &[u8]) -> Step {
    let mut targets = Vec::new();
    for (_, target) in codec::attributes(nest) {
        match target.first_chunk::<16>() {
            Some(octets) => targets.push(Ipv6Addr::from(*octets)),
            None => return Step::Refuse(Failure::with_text(Errno::EINVAL, "Invalid IPv6 address")),
        }
    }
    Step::NsTargets(targets)
}

fn system(mac: [u8; 6]) -> OptionValue<'static> {
    let [a, b, c, d, e, f] = mac;
    OptionValue::Number(u64::from_ne_bytes([a, b, c, d, e, f, 0, 0]))
}

impl World {
    /// `bond_newlink`: options come before the device. A bond starts without carrier.
    fn create_bond(&mut self, new: Creation<'_>) -> Result<DevId, Failure> {
        let Creation { draft, data, .. } = new;
        let mut bond = Bond::default();
        for step in data.map(steps).unwrap_or_default() {
            let name = |index| {
                let dev = self.device_at(draft.ns, index).and_then(|dev| self.devs.get(dev));
                dev.map(|device| device.name.clone())
            };
            match step {
                Step::Set(option, value) => {
                    bond.set_option(false, option, OptionValue::Number(value), None, Time::ZERO)?;
                }
                Step::Active(0) => {
                    bond.set_option(false, Opt::ActiveSlave, OptionValue::Text(""), None, Time::ZERO)?;
                }
                Step::Active(index) => {
                    let name = name(index).ok_or(Errno::ENODEV)?;
                    let dev = self.device_named(draft.ns, &name);
                    bond.set_option(false, Opt::ActiveSlave, OptionValue::Text(&name), dev, Time::ZERO)?;
                }
                Step::Primary(index) => {
                    let name = name(index).unwrap_or_default();
                    bond.set_option(false, Opt::Primary, OptionValue::Text(&name), None, Time::ZERO)?;
                }
                Step::Targets(targets) => replace_targets(&mut bond, &targets, Time::ZERO)?,
                Step::NsTargets(targets) => bond.replace_ns_targets(&targets, Time::ZERO)?,
                Step::System(mac) => {
                    bond.set_option(false, Opt::AdActorSystem, system(mac), None, Time::ZERO)?;
                }
                Step::Refuse(failure) => return Err(failure),
            }
        }
        self.register_bond(draft, bond)
    }

    /// `bond_create`: a bond with the defaults.
    ///
    /// # Errors
    /// `EEXIST`
    pub(crate) fn create_bond_named(&mut self, ns: crate::netns::NsId, name: &str) -> Result<(), Failure> {
        let draft = super::Draft {
            ns,
            name: name.to_owned(),
            ifindex: 0,
            mac: None,
            broadcast: None,
            mtu: None,
            tx_queue_len: None,
            group: 0,
            queues: (OPS.queues, OPS.queues),
        };
        let dev = self.register_bond(draft, Bond::default())?;
        self.notify_link(dev);
        Ok(())
    }

    fn register_bond(&mut self, draft: super::Draft, bond: Bond) -> Result<DevId, Failure> {
        let dev = self.register_draft(draft, Kind::Bond(Box::new(bond)))?;
        self.set_carrier(dev, false);
        Ok(dev)
    }

    /// `bond_changelink`
    fn change_bond(&mut self, dev: DevId, data: &Attributes<'_>) -> Result<(), Failure> {
        let ns = self.devs.get(dev).map(|device| device.ns).ok_or(Errno::ENODEV)?;
        for step in steps(data) {
            let name = |world: &World, index| {
                let dev = world.device_at(ns, index).and_then(|dev| world.devs.get(dev));
                dev.map(|device| device.name.clone())
            };
            match step {
                Step::Set(option, value) => self.set_bond_option(dev, option, OptionValue::Number(value))?,
                Step::Active(index) => {
                    let name = match index {
                        0 => String::new(),
                        index => name(self, index).ok_or(Errno::ENODEV)?,
                    };
                    self.set_bond_option(dev, Opt::ActiveSlave, OptionValue::Text(&name))?;
                }
                Step::Primary(index) => {
                    let name = name(self, index).unwrap_or_default();
                    self.set_bond_option(dev, Opt::Primary, OptionValue::Text(&name))?;
                }
                Step::Targets(targets) => self.set_bond_targets(dev, &targets)?,
                Step::NsTargets(targets) => self.set_bond_ns_targets(dev, &targets)?,
                Step::System(mac) => self.set_bond_option(dev, Opt::AdActorSystem, system(mac))?,
                Step::Refuse(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// `bond_slave_changelink`
    fn change_bond_slave(&mut self, dev: DevId, data: &Attributes<'_>) -> Result<(), Failure> {
        if let Some(queue) = data.u16(IFLA_BOND_SLAVE_QUEUE_ID) {
            self.set_slave_queue(dev, queue)?;
        }
        if let Some(prio) = data.i32(IFLA_BOND_SLAVE_PRIO) {
            self.set_slave_prio(dev, prio).map_err(|failure| refusal(failure.errno))?;
        }
        Ok(())
    }
}

/// `bond_fill_info`
pub(super) fn describe(world: &World, bond: &Bond) -> (InfoKind, Option<InfoData>) {
    let index = |dev: Option<DevId>| dev.and_then(|dev| world.devs.get(dev)).map(|device| device.ifindex);
    let params = &bond.params;
    let delay = |runs: u32| runs.saturating_mul(params.miimon);
    let mut data = vec![InfoBond::Mode((params.mode as u8).into())];
    let active = bond.active.filter(|_| params.mode.uses_primary());
    data.extend(index(active).map(InfoBond::ActivePort));
    data.extend([
        InfoBond::MiiMon(params.miimon),
        InfoBond::UpDelay(delay(params.updelay)),
        InfoBond::DownDelay(delay(params.downdelay)),
        InfoBond::PeerNotifDelay(delay(params.peer_notif_delay)),
        InfoBond::UseCarrier(params.use_carrier != 0),
        InfoBond::ArpInterval(params.arp_interval),
    ]);
    if !params.arp_targets.is_empty() {
        data.push(InfoBond::ArpIpTarget(params.arp_targets.clone()));
    }
    if !params.ns_targets.is_empty() {
        data.push(InfoBond::NsIp6Target(params.ns_targets.clone()));
    }
    data.extend([
        InfoBond::ArpValidate(u32::from(params.arp_validate).into()),
        InfoBond::ArpAllTargets(u32::from(params.arp_all_targets).into()),
    ]);
    data.extend(index(bond.primary).map(InfoBond::Primary));
    data.extend([
        InfoBond::PrimaryReselect(params.primary_reselect.into()),
        InfoBond::FailOverMac(params.fail_over_mac.into()),
        InfoBond::XmitHashPolicy(params.hash_policy.into()),
        InfoBond::ResendIgmp(params.resend_igmp.into()),
        InfoBond::NumPeerNotif(params.num_peer_notif),
        InfoBond::AllPortsActive(u8::from(params.all_slaves_active).into()),
        InfoBond::MinLinks(params.min_links),
        InfoBond::LpInterval(params.lp_interval),
        InfoBond::PacketsPerPort(params.packets_per_slave),
        InfoBond::AdLacpActive(params.lacp_active),
        InfoBond::AdLacpRate(u8::from(params.lacp_fast).into()),
        InfoBond::AdSelect(params.ad_select.into()),
        InfoBond::TlbDynamicLb(params.tlb_dynamic_lb),
        InfoBond::MissedMax(params.missed_max),
    ]);
    if params.mode == Mode::Lacp {
        data.extend([
            InfoBond::AdActorSysPrio(params.ad_actor_sys_prio),
            InfoBond::AdUserPortKey(params.ad_user_port_key),
            InfoBond::AdActorSystem(params.ad_actor_system.0),
        ]);
        data.extend(bond.ad_info().map(|info| {
            InfoBond::AdInfo(vec![
                BondAdInfo::Aggregator(info.aggregator),
                BondAdInfo::NumPorts(info.ports),
                BondAdInfo::ActorKey(info.actor_key),
                BondAdInfo::PartnerKey(info.partner_key),
                BondAdInfo::PartnerMac(info.partner_system.0),
            ])
        }));
    }
    (InfoKind::Bond, Some(InfoData::Bond(data)))
}

/// `bond_fill_slave_info`
pub(super) fn describe_slave(
    world: &World,
    bond: DevId,
    dev: DevId,
) -> Option<(InfoPortKind, Option<InfoPortData>)> {
    let bond = world.bond(bond)?;
    let slave: &Slave = bond.slave(dev)?;
    let mut data = vec![
        InfoBondPort::BondPortState(u8::from(slave.backup).into()),
        InfoBondPort::MiiStatus((slave.link as u8).into()),
        InfoBondPort::LinkFailureCount(slave.failures),
        InfoBondPort::PermHwaddr(slave.permanent_mac.0.to_vec()),
        InfoBondPort::QueueId(slave.queue_id),
        InfoBondPort::Prio(slave.prio),
    ];
    let port = &slave.ad.port;
    let joined = port.aggregator.filter(|_| bond.params.mode == Mode::Lacp);
    if let Some(aggregator) = joined.and_then(|dev| bond.slave(dev)) {
        data.extend([
            InfoBondPort::AdAggregatorId(aggregator.ad.aggregator.id),
            InfoBondPort::AdActorOperPortState(LacpState::from_bits_retain(port.state)),
            InfoBondPort::AdPartnerOperPortState(LacpState::from_bits_retain(port.partner.state)),
        ]);
    }
    Some((InfoPortKind::Bond, Some(InfoPortData::BondPort(data))))
}
