//! Options of a bond are set, by netlink and by files, and what follows from it (`__bond_opt_set`).

use std::net::Ipv6Addr;
use std::time::Duration;

use hairpin_netlink::{Errno, Failure};

pub(crate) use crate::dev::bond::options::OptionValue;
use crate::dev::bond::options::{Effect, Opt, refusal};
use crate::dev::bond::{Bond, Job};
use crate::device::DevId;
use crate::time::Time;
use crate::world::World;

impl World {
    /// Sets one option of a bond.
    ///
    /// # Errors
    /// The kernel's, with the texts of its extended acknowledgement.
    pub(crate) fn set_bond_option(
        &mut self,
        bond: DevId,
        option: Opt,
        value: OptionValue<'_>,
    ) -> Result<(), Failure> {
        let Some(device) = self.devs.get(bond) else { return Err(Errno::ENODEV.into()) };
        let up = device.is_up();
        let named = match value {
            OptionValue::Text(text) => {
                let name = text.split(['\n', ':']).next().unwrap_or("").trim();
                self.device_named(device.ns, name)
            }
            OptionValue::Number(_) => None,
        };
        if option == Opt::Slaves {
            return self.change_bond_slaves(bond, value);
        }
        let now = self.now;
        let Some(state) = self.bond_mut(bond) else { return Err(Errno::EOPNOTSUPP.into()) };
        let effect = state.set_option(up, option, value, named, now)?;
        self.bond_option_set(bond, up, effect);
        self.changed();
        Ok(())
    }

    fn bond_option_set(&mut self, bond: DevId, up: bool, effect: Effect) {
        match effect {
            Effect::Nothing => {}
            Effect::Reselect => self.select_active(bond),
            Effect::Activate(dev) => self.change_active(bond, Some(dev)),
            Effect::ClearActive => {
                self.change_active(bond, None);
                self.select_active(bond);
            }
            Effect::MiiMonitor => self.monitor_set(bond, up, Job::Mii),
            Effect::ArpMonitor => self.monitor_set(bond, up, Job::Arp),
            Effect::Carrier => self.settle_bond_carrier(bond),
            Effect::SlaveFlags => {
                if let Some(state) = self.bond_mut(bond) {
                    let all = state.params.all_slaves_active;
                    for slave in state.slaves.iter_mut().filter(|slave| slave.backup) {
                        slave.inactive = !all;
                    }
                }
            }
            Effect::LacpRate => {
                if let Some(state) = self.bond_mut(bond) {
                    state.ad_update_rate();
                }
            }
            Effect::Actor => {
                let mac = self.devs.get(bond).map(|device| device.mac).unwrap_or_default();
                if let Some(state) = self.bond_mut(bond) {
                    state.ad_update_actor(mac);
                }
            }
        }
    }

    /// One monitor starts or stops; the other one never runs beside it.
    fn monitor_set(&mut self, bond: DevId, up: bool, job: Job) {
        let Some(state) = self.bond(bond).filter(|_| up) else { return };
        let (on, other) = match job {
            Job::Mii => (state.params.miimon > 0, Job::Arp),
            _ => (state.params.arp_interval > 0, Job::Mii),
        };
        match on {
            true => {
                self.cancel_bond(bond, other);
                self.schedule_bond(bond, job, Duration::ZERO);
            }
            false => self.cancel_bond(bond, job),
        }
    }

    /// `bond_option_slaves_set`: `+NAME` or `-NAME`.
    fn change_bond_slaves(&mut self, bond: DevId, value: OptionValue<'_>) -> Result<(), Failure> {
        let OptionValue::Text(text) = value else { return Err(refusal(Errno::EINVAL)) };
        let word = text.split_whitespace().next().unwrap_or("");
        let add = match word.as_bytes().first() {
            Some(b'+') => true,
            Some(b'-') => false,
            _ => return Err(Errno::EPERM.into()),
        };
        let name =
            word.get(1..).filter(|name| super::super::register::valid_name(name)).ok_or(Errno::EPERM)?;
        let ns = self.devs.get(bond).map(|device| device.ns).ok_or(Errno::ENODEV)?;
        let dev = self.device_named(ns, name).ok_or_else(|| refusal(Errno::ENODEV))?;
        if add {
            return self.add_bond_slave(dev, bond);
        }
        match self.devs.get(dev).is_some_and(|device| device.master == Some(bond)) {
            true => {
                self.remove_bond_slave(dev, bond, false);
                Ok(())
            }
            false => Err(refusal(Errno::EINVAL)),
        }
    }

    /// The targets of the ARP monitor (`IFLA_BOND_ARP_IP_TARGET`): all anew, up to the first that is refused.
    ///
    /// # Errors
    /// `EINVAL`
    pub(crate) fn set_bond_targets(&mut self, bond: DevId, targets: &[u32]) -> Result<(), Failure> {
        let now = self.now;
        let Some(state) = self.bond_mut(bond) else { return Err(Errno::EOPNOTSUPP.into()) };
        let outcome = replace_targets(state, targets, now);
        self.changed();
        outcome
    }

    /// Replaces the targets that are asked for by neighbour discovery.
    ///
    /// # Errors
    /// `EINVAL`
    pub(crate) fn set_bond_ns_targets(&mut self, bond: DevId, targets: &[Ipv6Addr]) -> Result<(), Failure> {
        let now = self.now;
        let Some(state) = self.bond_mut(bond) else { return Err(Errno::EOPNOTSUPP.into()) };
        let outcome = state.replace_ns_targets(targets, now);
        self.changed();
        outcome
    }

    /// `bond_option_prio_set`
    ///
    /// # Errors
    /// `EACCES` in a mode without priorities.
    pub(crate) fn set_slave_prio(&mut self, dev: DevId, prio: i32) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        let bond = device.master.ok_or(Errno::ENODEV)?;
        let up = self.devs.get(bond).is_some_and(|bond| bond.is_up());
        let Some(state) = self.bond_mut(bond) else { return Err(Errno::EOPNOTSUPP.into()) };
        Opt::Prio.check(state.params.mode, true, up)?;
        if let Some(slave) = state.slave_mut(dev) {
            slave.prio = prio;
        }
        if state.primary.is_none() {
            self.select_active(bond);
        }
        self.changed();
        Ok(())
    }

    /// Passes over to a slave's queue (`IFLA_BOND_SLAVE_QUEUE_ID`).
    ///
    /// # Errors
    /// `EPERM` for a number that another slave has, or that there is no queue for.
    pub(crate) fn set_slave_queue(&mut self, dev: DevId, queue: u16) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        let bond = device.master.ok_or(Errno::ENODEV)?;
        let text = format!("{}:{queue}", device.name);
        self.set_bond_option(bond, Opt::QueueId, OptionValue::Text(&text))
    }
}

/// All targets anew, given as the numbers that they are in memory.
///
/// # Errors
/// `EINVAL`
pub(crate) fn replace_targets(state: &mut Bond, targets: &[u32], now: Time) -> Result<(), Failure> {
    state.clear_targets();
    for target in targets {
        state.set_option(false, Opt::ArpTargets, OptionValue::Number(u64::from(*target)), None, now)?;
    }
    Ok(())
}
