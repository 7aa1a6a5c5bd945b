//! An option is set: what changes in the bond, and what the machine around it has to do (the `bond_option_*_set` of
//! drivers/net/bonding/bond_options.c).

use std::net::{Ipv4Addr, Ipv6Addr};

use hairpin_netlink::{Errno, Failure};

use super::super::{Bond, Link};
use super::{DEFAULT_MIIMON, Mode, Opt, Params, TARGETS_MAX, refusal};
use crate::device::DevId;
use crate::mac::Mac;
use crate::time::Time;

/// What the machine around the bond has to do once an option is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Nothing,
    /// Look for the best active slave.
    Reselect,
    /// Make a slave the active one.
    Activate(DevId),
    /// Look for the best active slave as if there were none.
    ClearActive,
    /// Watch links by carrier from now on, or no longer.
    MiiMonitor,
    /// Watch links by ARP from now on, or no longer.
    ArpMonitor,
    /// See whether the bond has enough links.
    Carrier,
    /// Which slaves take frames changes.
    SlaveFlags,
    /// How ports talk LACP changes.
    LacpRate,
    /// The LACP actor's settings change.
    Actor,
}

impl Params {
    /// Sets an option whose value is a number that [`Opt::number`] or [`Opt::text`] has let pass.
    ///
    /// # Errors
    /// `EPERM` for delays while links are not watched by carrier.
    pub fn set(&mut self, option: Opt, value: u64) -> Result<Effect, Failure> {
        // Every option's range fits its field.
        let byte = u8::try_from(value).unwrap_or(u8::MAX);
        let word = u32::try_from(value).unwrap_or(u32::MAX);
        let short = u16::try_from(value).unwrap_or(u16::MAX);
        match option {
            Opt::Mode => self.set_mode(Mode::from_number(value).ok_or_else(|| refusal(Errno::EINVAL))?),
            Opt::PacketsPerSlave => self.packets_per_slave = word,
            Opt::XmitHash => self.hash_policy = byte,
            Opt::ArpValidate => self.arp_validate = byte,
            Opt::ArpAllTargets => self.arp_all_targets = byte,
            Opt::FailOverMac => self.fail_over_mac = byte,
            Opt::ArpInterval => {
                self.arp_interval = word;
                if word != 0 {
                    self.miimon = 0;
                }
                return Ok(Effect::ArpMonitor);
            }
            Opt::DownDelay => self.downdelay = self.multiple(word)?,
            Opt::UpDelay => self.updelay = self.multiple(word)?,
            Opt::PeerNotifDelay => self.peer_notif_delay = self.multiple(word)?,
            Opt::LacpRate => {
                self.lacp_fast = value != 0;
                return Ok(Effect::LacpRate);
            }
            Opt::LacpActive => {
                self.lacp_active = value != 0;
                return Ok(Effect::LacpRate);
            }
            Opt::MinLinks => {
                self.min_links = word;
                return Ok(Effect::Carrier);
            }
            Opt::AdSelect => self.ad_select = byte,
            Opt::NumPeerNotif => self.num_peer_notif = byte,
            Opt::MiiMon => {
                self.miimon = word;
                if word != 0 && self.arp_interval != 0 {
                    self.arp_interval = 0;
                    self.arp_validate = 0;
                }
                return Ok(Effect::MiiMonitor);
            }
            Opt::PrimaryReselect => {
                self.primary_reselect = byte;
                return Ok(Effect::Reselect);
            }
            Opt::UseCarrier => self.use_carrier = byte,
            Opt::AllSlavesActive => {
                let changed = self.all_slaves_active != (value != 0);
                self.all_slaves_active = value != 0;
                return Ok(if changed { Effect::SlaveFlags } else { Effect::Nothing });
            }
            Opt::ResendIgmp => self.resend_igmp = byte,
            Opt::LpInterval => self.lp_interval = word,
            Opt::TlbDynamicLb => self.tlb_dynamic_lb = value != 0,
            Opt::AdActorSysPrio => {
                self.ad_actor_sys_prio = short;
                return Ok(Effect::Actor);
            }
            Opt::AdUserPortKey => self.ad_user_port_key = short,
            Opt::MissedMax => self.missed_max = byte,
            Opt::ArpTargets
            | Opt::Primary
            | Opt::ActiveSlave
            | Opt::QueueId
            | Opt::Slaves
            | Opt::AdActorSystem
            | Opt::NsTargets
            | Opt::Prio => return Err(refusal(Errno::EINVAL)),
        }
        Ok(Effect::Nothing)
    }

    /// `bond_option_mode_set`
    fn set_mode(&mut self, mode: Mode) {
        if !mode.uses_arp() {
            self.arp_interval = 0;
            if self.miimon == 0 {
                self.miimon = DEFAULT_MIIMON;
            }
        }
        if mode == Mode::Alb {
            self.tlb_dynamic_lb = true;
        }
        self.arp_validate = 0;
        self.mode = mode;
    }

    /// `_bond_option_delay_set`
    fn multiple(&self, milliseconds: u32) -> Result<u32, Failure> {
        milliseconds.checked_div(self.miimon).ok_or_else(|| Errno::EPERM.into())
    }

    /// `_bond_option_arp_ip_target_add`
    ///
    /// # Errors
    /// `EINVAL` for no address of a host, one that is there, and a full table.
    pub fn add_arp_target(&mut self, target: Ipv4Addr) -> Result<(), Failure> {
        let good = !target.is_unspecified() && !target.is_broadcast();
        if !good || self.arp_targets.contains(&target) || self.arp_targets.len() >= TARGETS_MAX {
            return Err(refusal(Errno::EINVAL));
        }
        self.arp_targets.push(target);
        Ok(())
    }

    /// `bond_option_ns_ip6_targets_set`
    ///
    /// # Errors
    /// `EINVAL` for no address of another host, one that is there, and a full table.
    fn add_ns_target(&mut self, target: Ipv6Addr) -> Result<usize, Failure> {
        let nobodys = target.is_unspecified() || target.is_loopback() || target.is_multicast();
        let at = self.ns_targets.len();
        if nobodys || self.ns_targets.contains(&target) || at >= TARGETS_MAX {
            return Err(refusal(Errno::EINVAL));
        }
        self.ns_targets.push(target);
        Ok(at)
    }

    /// Where a target was that is removed (`bond_option_arp_ip_target_rem`).
    ///
    /// # Errors
    /// `EINVAL` for one that is not there.
    pub fn remove_arp_target(&mut self, target: Ipv4Addr) -> Result<usize, Failure> {
        let at = self.arp_targets.iter().position(|known| *known == target);
        let at = at.ok_or_else(|| refusal(Errno::EINVAL))?;
        self.arp_targets.remove(at);
        Ok(at)
    }
}

/// The value that an option is given, by netlink or as the text of a file.
#[derive(Clone, Copy, Debug)]
pub enum OptionValue<'a> {
    Number(u64),
    Text(&'a str),
}

impl Bond {
    /// `__bond_opt_set`. `up`: the bond's device is. `named`: the device that the value names, for options whose
    /// values do.
    ///
    /// # Errors
    /// The kernel's, with its texts.
    pub fn set_option(
        &mut self,
        up: bool,
        option: Opt,
        value: OptionValue<'_>,
        named: Option<DevId>,
        now: Time,
    ) -> Result<Effect, Failure> {
        option.check(self.params.mode, !self.slaves.is_empty(), up)?;
        let text = match value {
            OptionValue::Text(text) => text,
            OptionValue::Number(_) => "",
        };
        match option {
            Opt::ActiveSlave => self.choose_active(text, named),
            Opt::Primary => Ok(self.choose_primary(text.split('\n').next().unwrap_or(""), named)),
            Opt::QueueId => self.set_queue(text, named),
            Opt::ArpTargets => self.change_target(value, now),
            Opt::NsTargets | Opt::Slaves | Opt::Prio => Err(refusal(Errno::EINVAL)),
            Opt::AdActorSystem => {
                let mac = match value {
                    OptionValue::Text(text) => parse_mac(text.trim_end_matches('\n')),
                    OptionValue::Number(number) => Some(mac_of(number)),
                };
                let mac = mac.filter(|mac| !mac.is_group());
                self.params.ad_actor_system = mac.ok_or_else(|| refusal(Errno::EINVAL))?;
                Ok(Effect::Actor)
            }
            _ => {
                let number = match value {
                    OptionValue::Text(text) => option.text(text)?,
                    OptionValue::Number(number) => option.number(number)?,
                };
                self.params.set(option, number)
            }
        }
    }

    /// `bond_option_active_slave_set`
    fn choose_active(&mut self, text: &str, named: Option<DevId>) -> Result<Effect, Failure> {
        if text.trim().is_empty() || text.starts_with('\n') {
            return Ok(Effect::ClearActive);
        }
        let dev = named.ok_or_else(|| refusal(Errno::ENODEV))?;
        let slave = self.slave(dev).ok_or_else(|| refusal(Errno::EINVAL))?;
        match () {
            () if self.active == Some(dev) => Ok(Effect::Nothing),
            () if self.active.is_some() && slave.link == Link::Up && slave.running => {
                Ok(Effect::Activate(dev))
            }
            () => Err(refusal(Errno::EINVAL)),
        }
    }

    /// `bond_option_primary_set`
    fn choose_primary(&mut self, name: &str, named: Option<DevId>) -> Effect {
        self.params.primary = name.to_owned();
        let slave = named.filter(|dev| self.slave(*dev).is_some());
        let had = self.primary.is_some();
        self.primary = slave;
        self.force_primary |= slave.is_some();
        if slave.is_some() || had || name.is_empty() { Effect::Reselect } else { Effect::Nothing }
    }

    /// `bond_option_queue_id_set`: a device's name, a colon and a number that no other slave has.
    fn set_queue(&mut self, text: &str, named: Option<DevId>) -> Result<Effect, Failure> {
        const QUEUES: u16 = 16;
        let id = text.split_once(':').and_then(|(_, id)| id.trim().parse::<u16>().ok());
        let id = id.filter(|id| *id <= QUEUES).ok_or(Errno::EPERM)?;
        let dev = named.ok_or(Errno::EPERM)?;
        let taken = self.slaves.iter().any(|slave| slave.dev != dev && id != 0 && slave.queue_id == id);
        match self.slave_mut(dev).filter(|_| !taken) {
            Some(slave) => slave.queue_id = id,
            None => return Err(Errno::EPERM.into()),
        }
        Ok(Effect::Nothing)
    }

    /// `bond_option_arp_ip_targets_set`: one more, or (as text with a sign) one more or one less.
    fn change_target(&mut self, value: OptionValue<'_>, now: Time) -> Result<Effect, Failure> {
        let text = match value {
            OptionValue::Number(number) => {
                // The address lies in the number as in memory.
                let bytes = u32::try_from(number).map_err(|_| refusal(Errno::EINVAL))?.to_ne_bytes();
                self.add_target(Ipv4Addr::from(bytes), now)?;
                return Ok(Effect::Nothing);
            }
            OptionValue::Text(text) => text.trim_end_matches('\n'),
        };
        let target = text.get(1..).and_then(|address| address.parse().ok()).ok_or(Errno::EPERM)?;
        match text.as_bytes().first() {
            Some(b'+') => self.add_target(target, now)?,
            Some(b'-') => {
                let at = self.params.remove_arp_target(target)?;
                for slave in &mut self.slaves {
                    if at < slave.target_rx.len() {
                        slave.target_rx.remove(at);
                    }
                }
            }
            _ => return Err(Errno::EPERM.into()),
        }
        Ok(Effect::Nothing)
    }

    fn add_target(&mut self, target: Ipv4Addr, now: Time) -> Result<(), Failure> {
        self.params.add_arp_target(target)?;
        for slave in &mut self.slaves {
            slave.target_rx.push(Some(now));
        }
        Ok(())
    }

    /// Replaces the targets of neighbour discovery; those before one that is refused stay.
    ///
    /// # Errors
    /// As for one of them.
    pub fn replace_ns_targets(&mut self, targets: &[Ipv6Addr], now: Time) -> Result<(), Failure> {
        self.params.ns_targets.clear();
        for target in targets {
            let at = self.params.add_ns_target(*target)?;
            // Places are shared with the targets of ARP, as in Linux.
            for slave in &mut self.slaves {
                if slave.target_rx.len() <= at {
                    slave.target_rx.resize(at + 1, None);
                }
                if let Some(heard) = slave.target_rx.get_mut(at) {
                    *heard = Some(now);
                }
            }
        }
        Ok(())
    }

    /// `bond_option_arp_ip_targets_clear`
    pub fn clear_targets(&mut self) {
        self.params.arp_targets.clear();
        for slave in &mut self.slaves {
            slave.target_rx.clear();
        }
    }
}

/// A MAC as the number that its bytes are in memory.
fn mac_of(number: u64) -> Mac {
    let [a, b, c, d, e, f, ..] = number.to_ne_bytes();
    Mac([a, b, c, d, e, f])
}

/// `mac_pton`: six pairs of hexadecimal digits.
fn parse_mac(text: &str) -> Option<Mac> {
    let mut bytes = [0; 6];
    let mut pairs = text.split(':');
    for byte in &mut bytes {
        let pair = pairs.next().filter(|pair| pair.len() == 2)?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    pairs.next().is_none().then_some(Mac(bytes))
}
